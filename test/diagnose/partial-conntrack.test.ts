import { describe, expect, it } from 'vitest';
import type { TestResult } from '../../src/model.js';
import { FAR, forward, judge, other, router, speak } from '../engine/scene.js';
import { Wire, type Station } from '../support/wire.js';
import { SAMPLES } from './samples.js';

/**
 * A client's replies go to the gateway of a marked table. What conntrack shows of their flow, and what it leaves out,
 * decides whether the table or an offload is to blame.
 */
const gateway: Station = { mac: 'dc:a6:32:00:00:03', ip: '192.168.7.3' };
const TABLES = {
  'ip-link.txt': [
    '5: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP',
    `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff`,
    `    inet ${router.ip}/24 brd 192.168.7.255 scope global br-lan`,
    '6: wan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP',
    '    link/ether 94:83:c4:00:00:0f brd ff:ff:ff:ff:ff:ff',
    '    inet 203.0.113.2/24 brd 203.0.113.255 scope global wan',
    '',
  ].join('\n'),
  'ip-rule.txt': '0:\tfrom all lookup local\n100:\tfrom all fwmark 0xff lookup 100\n32766:\tfrom all lookup main\n',
  'ip-route.txt': `default via ${gateway.ip} dev br-lan table 100\ndefault via 203.0.113.1 dev wan\n192.168.7.0/24 dev br-lan proto kernel scope link src ${router.ip}\n`,
};
const TUPLES = `src=${other.ip} dst=${FAR} sport=5000 dport=4000 src=${FAR} dst=203.0.113.2 sport=4000 dport=5000`;
const OFFLOADED = `udp      17 ${TUPLES} [OFFLOAD] mark=255 use=2`;
const PLAIN = `udp      17 118 ${TUPLES} [ASSURED] mark=255 use=1`;
const ANOTHER =
  'udp      17 29 src=192.168.7.9 dst=192.168.7.1 sport=68 dport=67 src=192.168.7.1 dst=192.168.7.9 sport=67 dport=68 use=1';

/** Dumps of the table at times, in seconds, each with one entry. */
function dumps(...entries: readonly (readonly [number, string])[]): string {
  return entries.map(([at, entry]) => `${1_700_000_000 + at}.000000000\n${entry}\n`).join('');
}

function replies(build?: (wire: Wire) => void): Wire {
  const wire = new Wire();
  wire.meet(0, router, other);
  wire.meet(0.1, router, gateway);
  speak(wire, other, { ...router }, { from: 0.5, until: 0.6 });
  for (let t = 1; t < 20; t += 0.5) {
    wire.udp(t, { from: other.mac, to: router.mac, src: other.ip, dst: FAR, srcPort: 5000, dstPort: 4000 });
    forward(wire, { ...other, mac: gateway.mac }, { from: t + 0.1, until: t + 0.2 });
  }
  build?.(wire);
  return wire;
}

async function judged(
  wire: Wire,
  conntrack: string | undefined,
  events = '',
  ruleset = '',
): Promise<{ cause: string; test: (id: string) => TestResult['result'] }> {
  const texts = {
    ...TABLES,
    ...(conntrack === undefined ? {} : { 'conntrack-L.log': conntrack }),
    ...(events === '' ? {} : { 'conntrack-E.log': events }),
    ...(ruleset === '' ? {} : { 'nft-ruleset.txt': ruleset }),
  };
  const { findings } = await judge({ 'br-lan.pcap': wire }, texts);
  const [finding] = findings;
  if (!finding || findings.length > 1) throw new Error(`${findings.length} findings`);
  return { cause: finding.cause, test: (id) => finding.tests.find((test) => test.id === id)?.result ?? 'unknown' };
}

describe('a flow that goes to the next hop of a marked table', () => {
  it.each([
    ['shown to be offloaded all the time', dumps([2, OFFLOADED], [10, OFFLOADED], [18, OFFLOADED])],
    ['shown by the last dump, and not known before', dumps([10, OFFLOADED])],
    ['not in the dump after: the log was cut off', dumps([3, OFFLOADED], [6, OFFLOADED], [7, ANOTHER])],
  ])('is misled by the offload: %s', async (_what, conntrack) => {
    const { cause, test } = await judged(replies(), conntrack);
    expect([test('D1'), test('D9'), cause]).toEqual(['unknown', 'yes', 'pbr-next-hop']);
  });

  it('is misled by the offload, shown by dumps beside a log of events without times', async () => {
    const events = `    [NEW] udp      17 30 ${TUPLES}\n [UPDATE] ${OFFLOADED}\n`;
    const { cause, test } = await judged(replies(), dumps([2, OFFLOADED], [18, OFFLOADED]), events);
    expect([test('D9'), cause]).toEqual(['yes', 'pbr-next-hop']);
  });

  it('is not shown to be plain by an entry that is destroyed without the flag', async () => {
    const event = (at: number, what: string): string => `[${1_700_000_000 + at}.000000]\t${what}\n`;
    const events =
      event(1, `    [NEW] udp      17 30 ${TUPLES} [UNREPLIED]`) +
      event(19, `[DESTROY] udp      17 ${TUPLES} [UNREPLIED]`);
    const { cause, test } = await judged(replies(), undefined, events);
    expect([test('D1'), test('D9'), cause]).toEqual(['unknown', 'unknown', 'unexplained']);
  });

  it('is misled by the table when conntrack shows that it was not offloaded', async () => {
    const { cause, test } = await judged(replies(), dumps([2, PLAIN], [10, PLAIN], [18, PLAIN]));
    expect([test('D1'), test('D9'), cause]).toEqual(['no', 'no', 'pbr-table-incomplete']);
  });

  it.each([
    ['the mark back', 'meta mark set ct mark', OFFLOADED, 'pbr-table-incomplete'],
    [
      'the mark back, and the connection has another',
      'meta mark set ct mark',
      OFFLOADED.replace('255', '7'),
      'pbr-next-hop',
    ],
    ['no mark', 'ct direction original meta mark set ct mark', OFFLOADED, 'pbr-next-hop'],
  ])('is misled by the table when it was offloaded, and replies get %s', async (_what, rule, entry, expected) => {
    const ruleset = `table inet fw4 {
	chain mangle_prerouting {
		type filter hook prerouting priority mangle; policy accept;
		${rule}
		iifname "br-lan" ip saddr ${other.ip} meta mark set 0x000000ff
		ct mark set meta mark
	}
}
`;
    const { cause, test } = await judged(replies(), dumps([2, entry], [10, entry], [18, entry]), '', ruleset);
    expect([test('D1'), test('D9'), cause]).toEqual(['unknown', 'yes', expected]);
  });

  it('is not explained by a dump of later, when nothing was wrong any more', async () => {
    const { cause, test } = await judged(replies(), dumps([60, PLAIN]));
    expect([test('D9'), cause]).toEqual(['unknown', 'unexplained']);
  });

  it('has no control in packets of the router itself, which carry no mark', async () => {
    const wire = replies((w) => {
      for (let t = 2; t < 19; t += 4) speak(w, router, other, { from: t, until: t + 0.1, srcPort: 9 });
    });
    const { cause, test } = await judged(wire, undefined);
    expect([test('D1'), cause]).toEqual(['unknown', 'unexplained']);
  });

  it('has one in packets of others that it forwards', async () => {
    const wire = replies((w) => {
      forward(w, other, { from: 2, until: 19, src: '198.51.100.77', srcPort: 53 });
    });
    const { cause, test } = await judged(wire, undefined);
    expect([test('D1'), cause]).toEqual(['yes', 'pbr-next-hop']);
  });
});

it('names no offload of frames that were only being switched where nothing shows one', async () => {
  const sample = SAMPLES.find(({ cause }) => cause === 'bridged-frame-taken');
  if (!sample) throw new Error('no sample');
  const { captures, texts } = sample.shows();
  const { findings } = await judge(captures, { ...texts, 'conntrack-L.log': '' });
  expect(findings.map(({ cause }) => cause)).toEqual(['unexplained']);
});
