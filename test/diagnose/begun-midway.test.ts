import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model.js';
import { FAR, forward, judge, newHost, oldHost, other, router, speak, type Captures } from '../engine/scene.js';
import { Wire, type Station } from '../support/wire.js';

/** Evidence that begins while frames go wrong already. */
const gateway: Station = { mac: 'dc:a6:32:00:00:03', ip: '192.168.7.3' };
const LINKS = [
  '3: lan1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br-lan state UP',
  '    link/ether 94:83:c4:00:00:11 brd ff:ff:ff:ff:ff:ff',
  '5: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP',
  `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff`,
  `    inet ${router.ip}/24 brd 192.168.7.255 scope global br-lan`,
  '6: wan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP',
  '    link/ether 94:83:c4:00:00:0f brd ff:ff:ff:ff:ff:ff',
  '    inet 203.0.113.2/24 brd 203.0.113.255 scope global wan',
  '',
].join('\n');
const MAIN = `default via 203.0.113.1 dev wan\n192.168.7.0/24 dev br-lan proto kernel scope link src ${router.ip}\n`;
const ruleset = (devices: string): string =>
  [
    'table inet fw4 {',
    '\tflowtable ft {',
    '\t\thook ingress priority filter',
    `\t\tdevices = { ${devices} }`,
    '\t}',
    '\tchain forward {',
    '\t\ttype filter hook forward priority filter; policy drop;',
    '\t\tmeta l4proto { tcp, udp } flow add @ft',
    '\t}',
    '}',
    '',
  ].join('\n');
const FACTS = {
  'ip-link.txt': LINKS,
  'ip-rule.txt': '0:\tfrom all lookup local\n32766:\tfrom all lookup main\n',
  'ip-route.txt': MAIN,
  'nft.txt': ruleset('lan1, wan'),
  'conntrack-L.log': [3, 9]
    .map(
      (at) =>
        `${1_700_000_000 + at}.000000000\nudp      17 src=${FAR} dst=${newHost.ip} sport=4000 dport=5000 src=${newHost.ip} dst=${FAR} sport=5000 dport=4000 [OFFLOAD] mark=0 use=2\n`,
    )
    .join(''),
};
type Facts = Record<string, string>;

function without(name: keyof typeof FACTS): Facts {
  return Object.fromEntries(Object.entries(FACTS).filter(([key]) => key !== name));
}

/** A flow that goes to the MAC of the old host; the router asks meanwhile, and the new host answers. */
function midway(build?: (wire: Wire) => void, from = 0): Wire {
  const wire = new Wire();
  for (const at of [0, 4]) wire.meet(at, router, newHost);
  forward(wire, oldHost, { from: from + 0.1, until: 10 });
  build?.(wire);
  return wire;
}

async function findingOf(wire: Wire | Captures, facts: Facts): Promise<Finding> {
  const { findings } = await judge(wire instanceof Wire ? { 'lan1.pcap': wire } : wire, facts);
  const [finding] = findings;
  if (!finding || findings.length > 1) throw new Error(`${findings.length} findings`);
  return finding;
}

async function consideredOf(wire: Wire, facts: Facts): Promise<Finding['considered'][number] | undefined> {
  const { cause, considered } = await findingOf(wire, facts);
  expect(cause).toBe('unexplained');
  return considered.find((one) => one.cause === 'stale-mac');
}

describe('frames of an offloaded flow that go to a MAC of which nobody has heard', () => {
  it('go to the host that had the address before, as far as one can tell, when all else is ruled out', async () => {
    const { cause, confidence, collect } = await findingOf(midway(), FACTS);
    expect([cause, confidence]).toEqual(['stale-mac', 'suspected']);
    expect(collect).toContain('ip -ts monitor neigh; bridge -t monitor fdb');
  });

  it('do so more likely when other packets go right meanwhile, those of the router too', async () => {
    const wire = midway((w) => speak(w, router, newHost, { from: 5, until: 9, srcPort: 9 }));
    const { cause, confidence } = await findingOf(wire, FACTS);
    expect([cause, confidence]).toEqual(['stale-mac', 'strong']);
  });

  it.each([
    ['conntrack', 'conntrack-L.log', /conntrack -E/],
    ['the routes', 'ip-route.txt', /ip rule show/],
    ['the flowtable', 'nft.txt', /nft list ruleset/],
  ] as const)('are unexplained without %s, and it is said what is missing', async (_what, name, collect) => {
    const considered = await consideredOf(midway(), without(name));
    expect(considered?.result).toBe('not-evaluated');
    expect(considered?.collect).toMatch(collect);
  });

  it('are unexplained while a marked table has a gateway whose MAC nobody knows', async () => {
    const facts = {
      ...FACTS,
      'ip-rule.txt': `${FACTS['ip-rule.txt']}100:\tfrom all fwmark 0xff lookup 100\n`,
      'ip-route.txt': `default via ${gateway.ip} dev br-lan table 100\n${MAIN}`,
    };
    expect(await consideredOf(midway(), facts)).toMatchObject({ result: 'not-evaluated' });
    const met = midway((wire) => wire.meet(0.05, router, gateway));
    expect((await findingOf(met, facts)).cause).toBe('stale-mac');
  });

  it.each([
    ['the flowtable lists no ports', midway(), { ...FACTS, 'nft.txt': ruleset('br-lan, wan') }],
    ['the flow begins in the capture', midway(undefined, 2), FACTS],
    [
      'the MAC is that of another host',
      midway((wire) => wire.meet(0.05, other, { ...oldHost, ip: gateway.ip })),
      FACTS,
    ],
  ])('do not go to a former owner when %s', async (_what, wire, facts) => {
    expect(await consideredOf(wire, facts)).toMatchObject({ result: 'ruled-out' });
  });
});

describe('replies that go back to the gateway that they come from', () => {
  const tuples = `src=${other.ip} dst=${FAR} sport=5000 dport=4000 src=${FAR} dst=203.0.113.2 sport=4000 dport=5000`;
  const facts = {
    ...FACTS,
    'ip-rule.txt': `${FACTS['ip-rule.txt']}100:\tfrom all fwmark 0xff lookup 100\n`,
    'ip-route.txt': `default via ${gateway.ip} dev br-lan table 100\n${MAIN}`,
    'conntrack-L.log': `1700000003.000000000\nudp      17 ${tuples} [OFFLOAD] mark=255 use=2\n1700000009.000000000\nudp      17 ${tuples} [OFFLOAD] mark=255 use=2\n`,
    'uname.txt': '# uname -a\nLinux router 6.1.0 #1 SMP x86_64 GNU/Linux\n',
  };

  /** The same packets as they come in and as they leave: one capture each, so that their numbers agree. */
  function turned(): Captures {
    const [before, after] = [new Wire(), new Wire()];
    for (const wire of [before, after]) {
      wire.meet(0, router, other);
      wire.meet(0.01, router, gateway);
    }
    for (let t = 0.1; t < 10; t += 0.5) {
      const reply = { src: FAR, dst: other.ip, srcPort: 4000, dstPort: 5000 };
      before.udp(t, { from: gateway.mac, to: router.mac, hopLimit: 60, ...reply });
      after.udp(t + 0.001, { from: router.mac, to: gateway.mac, hopLimit: 59, ...reply });
    }
    return { 'lan1.pcap': before, 'lan2.pcap': after };
  }

  it('are explained by tables that foretell it, though nobody saw the flow begin', async () => {
    const { cause, confidence, tests } = await findingOf(turned(), facts);
    expect(tests.find(({ id }) => id === 'D3')?.result).toBe('unknown');
    expect([cause, confidence]).toEqual(['pbr-next-hop', 'strong']);
  });

  it('are only likely to be where the kernel is not known', async () => {
    const { cause, confidence } = await findingOf(turned(), { ...facts, 'uname.txt': '' });
    expect([cause, confidence]).toEqual(['pbr-next-hop', 'suspected']);
  });
});
