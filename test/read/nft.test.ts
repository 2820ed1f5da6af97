import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { factsOf, readText } from '../support/read-text.js';
import { hasShared, sharedPath } from '../support/shared.js';

const FW4 = `#!/usr/sbin/nft -f
table inet fw4
flush table inet fw4

table inet fw4 {
	#
	# Flowtable
	#

	flowtable ft {
		hook ingress priority 0;
		devices = { "br-lan",
			    "wan" };
		flags offload;
	}

	set bypass { # handle 4
		type ipv4_addr
		elements = { 10.0.0.1,
			     10.0.0.2 }
	}

	chain forward {
		type filter hook forward priority filter; policy drop;

		meta l4proto { tcp, udp } flow offload @ft;
		ct state vmap { established : accept, related : accept } comment "!fw4: Handle {forwarded} flows"
		ip saddr { 10.0.0.1,
			   10.0.0.2 } meta mark set 0x000000ff counter packets 1 bytes 2 accept # handle 9
		iifname "br-lan" jump forward_lan comment "!fw4: lan # forward"
		ct mark set meta mark
	}
}
`;

describe('an nftables ruleset', () => {
  it('gives flowtables and rules in their order', () => {
    const result = readText(FW4);
    expect(factsOf(result, 'flowtable')).toMatchObject([
      { family: 'inet', table: 'fw4', name: 'ft', devices: ['br-lan', 'wan'], hardware: true, priority: '0' },
    ]);
    expect(factsOf(result, 'nft-rule')).toMatchObject([
      { chain: 'forward', hook: 'forward', policy: 'drop', index: 0, flowtable: 'ft' },
      { index: 1 },
      { index: 2, marks: { key: 'meta', value: '0x000000ff' }, verdict: 'accept' },
      { index: 3, verdict: 'jump', target: 'forward_lan' },
      { index: 4, marks: { key: 'ct', value: 'meta mark' } },
    ]);
    expect(result.summary.unknownLines).toBe(0);
  });

  it('that breaks off is followed by other text', () => {
    const result = readText(
      'table inet fw4 {\n\tchain forward {\n\t\tmeta l4proto { tcp\nroot@OpenWrt:~# ip neigh\n10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 STALE\n',
    );
    expect(result.facts).toMatchObject([{ kind: 'neighbor' }]);
  });

  it.skipIf(!hasShared)('says the same as text and as JSON', () => {
    const read = (name: string) => readText(readFileSync(sharedPath('captures/S1/dump-stale', name)));
    const rules = (name: string): unknown =>
      factsOf(read(name), 'nft-rule').map(({ chain, index, hook, policy, flowtable, verdict }) => ({
        chain,
        index,
        hook,
        policy,
        flowtable,
        verdict,
      }));
    expect(rules('nft-ruleset.json')).toEqual(rules('nft-ruleset.txt'));
    const tables = (name: string): unknown =>
      factsOf(read(name), 'flowtable').map(({ family, table, name: own, devices }) => ({
        family,
        table,
        own,
        devices,
      }));
    expect(tables('nft-ruleset.json')).toEqual(tables('nft-ruleset.txt'));
    expect(factsOf(read('nft-ruleset.json'), 'flowtable')[0]?.hardware).toBeUndefined();
  });
});
