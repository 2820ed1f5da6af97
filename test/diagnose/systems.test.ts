import { describe, expect, it } from 'vitest';
import { systemsOf } from '../../src/diagnose/systems.js';
import type { System } from '../../src/model.js';
import { digestHosts } from '../../src/reconstruct/hosts.js';
import { Reconstruction } from '../../src/reconstruct/reconstruction.js';
import { readText } from '../support/read-text.js';

function systems(...texts: string[]): System[] {
  const r = new Reconstruction();
  for (const [input, text] of texts.entries()) {
    for (const fact of readText(text).facts) r.facts.add({ ...fact, origin: { ...fact.origin, input } });
  }
  return systemsOf(digestHosts(r.facts, r.addresses), r.facts.conntrack.entries, (input) => `input ${input}`);
}

const LINK = (mac: string): string =>
  `# ip link show\n3: br-lan: <BROADCAST,UP> mtu 1500 state UP\n    link/ether ${mac} brd ff:ff:ff:ff:ff:ff\n`;
const ENTRY = 'udp 17 30 src=10.0.0.2 dst=198.51.100.1 sport=1 dport=2 src=198.51.100.1 dst=10.0.0.2 sport=2 dport=1';

describe('what is known of a machine', () => {
  it('is its kernel, distribution, board, flowtables, guards and connections', () => {
    const ruleset = `table inet fw4 {
	flowtable ft {
		hook ingress priority filter
		devices = { "wan", "lan1" }
		flags offload
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		ct status { dnat, snat } return
		ct status dnat return
		meta l4proto { tcp, udp } flow add @ft
	}
}
`;
    const versions = `# uname -r\n6.6.86\n# cat /etc/openwrt_release
DISTRIB_ID='OpenWrt'
DISTRIB_RELEASE='24.10.2'
DISTRIB_REVISION='r28739-d9340319c6'
DISTRIB_TARGET='mediatek/filogic'
`;
    const conntrack = `${ENTRY} mark=0 use=1\n${ENTRY.replaceAll('sport=1 ', 'sport=9 ').replaceAll('dport=1', 'dport=9').replace('17 30', '17')} [HW_OFFLOAD] mark=0 use=1\n`;
    expect(systems(LINK('02:00:00:00:00:01'), ruleset, versions, conntrack)).toEqual([
      {
        inputs: ['input 0', 'input 1', 'input 2', 'input 3'],
        kernel: '6.6.86',
        distribution: 'OpenWrt 24.10.2 r28739-d9340319c6 mediatek/filogic',
        offloads: 'yes',
        flowtables: [{ name: 'inet fw4 ft', devices: ['lan1', 'wan'], hardware: true }],
        guards: [
          { rule: 'ct status { dnat, snat } return', effect: 'never' },
          { rule: 'ct status dnat return', effect: 'works' },
        ],
        connections: { seen: 2, offloaded: 1, hardware: 1 },
      },
    ]);
  });

  it('is told apart by machine, and left out where dumps say nothing of it', () => {
    const [one, two, ...more] = systems(
      `${LINK('02:00:00:00:00:01')}# uname -r\n6.6.86\n`,
      `${LINK('02:00:00:00:00:02')}# uname -r\n6.12.1\n`,
      LINK('02:00:00:00:00:03'),
    );
    expect([one?.kernel, two?.kernel]).toEqual(['6.6.86', '6.12.1']);
    expect(one?.connections).toBeUndefined();
    expect(one?.offloads).toBe('unknown');
    expect(more).toEqual([]);
  });
});
