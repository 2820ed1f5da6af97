import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { guardText } from '../../src/diagnose/guard.js';
import { digestHosts } from '../../src/reconstruct/hosts.js';
import { Reconstruction } from '../../src/reconstruct/reconstruction.js';
import { folderPieces } from '../support/engine.js';
import { readText } from '../support/read-text.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { hasTool } from '../support/tool.js';

function guardOf(...texts: string[]): ReturnType<typeof guardText> {
  const r = new Reconstruction();
  for (const [input, text] of texts.entries()) {
    for (const fact of readText(text).facts) r.facts.add({ ...fact, origin: { ...fact.origin, input } });
  }
  return guardText(digestHosts(r.facts, r.addresses), r.addresses, (input) => `input ${input}`);
}

/** The lines that nft would take. */
function code(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => line.trim());
}

const ROUTING = `# ip rule show
32765:	from all fwmark 0xff lookup 100
# ip route show table all
default via 10.0.0.3 dev br-lan table 100
default via 203.0.113.1 dev wan
10.0.0.0/24 dev br-lan proto kernel scope link src 10.0.0.1
203.0.113.0/24 dev wan proto kernel scope link src 203.0.113.2
`;
const LINKS = `# ip link show
3: lan1@if2: <BROADCAST,UP> mtu 1500 master br-lan state UP
    link/ether 94:83:c4:10:00:11 brd ff:ff:ff:ff:ff:ff
`;

function ruleset(
  rules: readonly string[],
  { table = 'inet fw4', devices = 'br-lan, wan', flags = '', policy = 'drop' } = {},
): string {
  return `table ${table} {
	flowtable ft {
		hook ingress priority filter
		devices = { ${devices} }
${flags}	}

	chain forward {
		type filter hook forward priority filter; policy ${policy};
${rules.map((rule) => `\t\t${rule}\n`).join('')}	}
}
`;
}

const FLOW_ADD = 'meta l4proto { tcp, udp } flow add @ft';
const ESTABLISHED = 'ct state established,related accept';

describe('macscan guard', () => {
  it('prints an fw4 include with bit tests, in a chain of its own, its cost and the way back', () => {
    const { kind, text } = guardOf(ROUTING, ruleset([FLOW_ADD, ESTABLISHED]));
    expect(kind).toBe('guard');
    expect(code(text)).toEqual([
      'flowtable ft {',
      'hook ingress priority filter',
      'devices = { "br-lan", "wan" }',
      '}',
      'chain guarded_offload {',
      'type filter hook forward priority filter - 1; policy accept;',
      'meta mark != 0 ct mark set meta mark return',
      'ct mark != 0 return',
      FLOW_ADD,
      '}',
    ]);
    for (const part of [
      '# Cost',
      '# Undo',
      'ip route add 10.0.0.0/24 dev br-lan table 100',
      'lose offload',
      'flow_offloading=0',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('prints a whole table elsewhere, and how to take the old rule away', () => {
    const { text } = guardOf(ROUTING, ruleset([FLOW_ADD, ESTABLISHED], { table: 'ip filter' }));
    expect(code(text)).toEqual([
      'table ip filter {',
      'chain guarded_offload {',
      'type filter hook forward priority filter - 1; policy accept;',
      'meta mark != 0 ct mark set meta mark return',
      'ct mark != 0 return',
      FLOW_ADD,
      '}',
      '}',
    ]);
    expect(text).toContain('nft delete rule ip filter forward handle');
    expect(text).toContain('nft delete chain ip filter guarded_offload');
  });

  it('rewrites a guard that never matches, and keeps one that works', () => {
    const { text } = guardOf(
      ROUTING,
      ruleset(['meta mark != 0x00000000 return', 'ct status { dnat, snat } return', FLOW_ADD], { policy: 'accept' }),
    );
    expect(code(text)).toEqual([
      'flush chain inet fw4 forward',
      'table inet fw4 {',
      'chain forward {',
      'type filter hook forward priority filter; policy accept;',
      'meta mark != 0x00000000 return',
      'ct status dnat return',
      'ct status snat return',
      FLOW_ADD,
      '}',
      '}',
    ]);
  });

  it('puts the bridge in the stead of its ports, which costs nothing', () => {
    const { text } = guardOf(LINKS, ruleset([FLOW_ADD, ESTABLISHED], { devices: 'lan1, wan' }));
    expect(code(text)).toContain('devices = { "br-lan", "wan" }');
    expect(code(text).filter((line) => line.endsWith('return'))).toEqual([]);
    expect(text).toContain('- none:');
  });

  it('keeps forwarded ports out of hardware', () => {
    const nat =
      'table inet nat {\n\tchain dstnat {\n\t\ttype nat hook prerouting priority dstnat; policy accept;\n\t\tudp dport 51820 dnat ip to 10.0.0.9\n\t}\n}\n';
    const { text } = guardOf(
      LINKS,
      ruleset([FLOW_ADD, ESTABLISHED], { devices: 'lan1, wan', flags: '\t\tflags offload\n' }) + nat,
    );
    expect(code(text)).toContain('ct status dnat return');
    expect(code(text)).toContain('flags offload');
  });

  it('says when nothing is to be guarded', () => {
    for (const text of [ruleset([ESTABLISHED]), ruleset([FLOW_ADD, ESTABLISHED]), ruleset([ESTABLISHED, FLOW_ADD])]) {
      const guard = guardOf(text);
      expect(guard.kind).toBe('nothing-needed');
      expect(code(guard.text)).toEqual([]);
      expect(guard.text).toContain('Nothing needs guarding');
    }
    expect(guardOf(ROUTING, ruleset(['ct status snat,dnat return', FLOW_ADD], { policy: 'accept' })).kind).toBe(
      'nothing-needed',
    );
  });

  it('prints the cure of the tables when the ruleset is not there, and asks for it', () => {
    const { kind, text } = guardOf(ROUTING);
    expect(kind).toBe('routes-only');
    expect(code(text)).toEqual([]);
    expect(text).toContain('ip route add 10.0.0.0/24 dev br-lan table 100');
    expect(text).toContain('nft list ruleset');
    expect(guardOf('10.0.0.2 dev br-lan lladdr 02:00:00:00:00:01 REACHABLE\n').kind).toBe('no-ruleset');
  });

  it('lets nothing of an input into a line that is run', () => {
    const evil = ruleset([`iifname "x" flow add @ft`, ESTABLISHED], { devices: 'br-lan, $(reboot), wan' });
    const { text } = guardOf(ROUTING.replaceAll('br-lan', 'br`id`'), evil);
    expect(code(text).join('\n')).not.toMatch(/[`$]/);
    const rule = ruleset(['iifname "a;b" flow add @ft', ESTABLISHED], { devices: 'br-lan, wan' });
    expect(code(guardOf(ROUTING, rule).text)).toContain(FLOW_ADD);
  });
});

const hasNft = hasTool('nft') && spawnSync('unshare', ['-n', 'nft', 'add', 'table', 'inet', 't']).status === 0;

describe.skipIf(!hasShared)('known rulesets', () => {
  const of = (name: string): ReturnType<typeof guardText> =>
    guardOf(
      ...folderPieces(sharedPath('captures', name), (file) =>
        /dump-\w+\/(?:ip-|uname|nft-ruleset\.txt)/.test(file),
      ).map((piece) => new TextDecoder().decode(piece.bytes)),
    );

  it.each([
    ['S0', 'nothing-needed', []],
    ['S1', 'guard', []],
    ['S2', 'nothing-needed', []],
    ['S3b', 'guard', ['meta mark != 0 ct mark set meta mark return', 'ct mark != 0 return']],
    ['S3c', 'nothing-needed', []],
    ['S4a', 'guard', ['meta mark != 0x00000000 return', 'ct status dnat return', 'ct status snat return']],
  ])('%s', (name, kind, rules) => {
    const guard = of(name);
    expect(guard.kind).toBe(kind);
    expect(code(guard.text).filter((line) => line.endsWith('return'))).toEqual(rules);
  });

  // The kernel at hand may lack flowtables: what it takes is all but the flowtable.
  it.skipIf(!hasNft).each(['S1', 'S3b', 'S4a'])('%s: nft takes the rules', (name) => {
    const { text } = of(name);
    const rules = text.replace(/^flowtable [^}]*\}[^}]*\}\n/m, '').replaceAll(/flow add @\w+/g, 'accept');
    const whole = /^table /m.test(rules)
      ? `table inet fw4 { chain flow_offload { type filter hook forward priority filter - 1; policy accept; }; }\n${rules}`
      : `table inet fw4 {\n${rules}\n}\n`;
    const { status, stderr } = spawnSync('unshare', ['-n', 'nft', '-f', '-'], { input: whole, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
