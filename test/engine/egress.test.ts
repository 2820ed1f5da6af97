import { describe, expect, it } from 'vitest';
import { framesOf } from '../support/engine.js';
import { monitorTime, Wire } from '../support/wire.js';
import { LINKS, provider, ROUTES, wan } from './next-hop-scenes.js';
import { FAR, forward, judge, other, router, speak, third, type Captures } from './scene.js';

async function wrongEgress(captures: Captures, texts: Record<string, string> = {}): Promise<Record<string, number[]>> {
  const analysis = await judge(captures, texts);
  const found = analysis.misdeliveries;
  expect(found.every((m) => m.class === 'wrong-egress')).toBe(true);
  return Object.fromEntries(found.map((m) => [`${m.input} ${m.vlan ?? ''}`.trim(), framesOf(m)]));
}

const DUMPS = { 'ip-link.txt': LINKS, 'ip-route.txt': ROUTES };

/** Packets for a host of the LAN, some of which leave by the WAN. */
function scene(): { lan: Wire; out: Wire; astray: (from: number, until: number, to?: string) => number[] } {
  const [lan, out] = [new Wire(), new Wire()];
  lan.meet(0, router, other);
  out.meet(0, wan, provider);
  const astray = (from: number, until: number, to = provider.mac): number[] =>
    forward(out, { mac: to, ip: other.ip }, { from, until, by: wan });
  return { lan, out, astray };
}

describe('packets for a host of the LAN that leave by the WAN', () => {
  it('are wrong when others of the flow reach it', async () => {
    const { lan, out, astray } = scene();
    forward(lan, other, { from: 1, until: 2 });
    const wrong = astray(2, 9);
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'wan.pcap': out }, DUMPS)).toEqual({ 'wan.pcap': wrong });
  });

  it('are not wrong while the host has no address in that network, by its monitor', async () => {
    const { lan, out, astray } = scene();
    forward(lan, other, { from: 1, until: 2 });
    const line = `5: br-lan    inet ${router.ip}/24 brd 192.168.7.255 scope global br-lan`;
    const log = `${monitorTime(3)} Deleted ${line}\n${monitorTime(3.1)} ${line}\n`;
    expect(astray(3.01, 3.09)).not.toEqual([]);
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'wan.pcap': out }, { ...DUMPS, 'monitor.log': log })).toEqual({});
    const wrong = astray(4, 9);
    const captures = { 'br-lan.pcap': lan, 'wan.pcap': out };
    expect(await wrongEgress(captures, { ...DUMPS, 'monitor.log': log })).toEqual({ 'wan.pcap': wrong });
  });

  it('are not wrong without routes that say where the host is', async () => {
    const { lan, out, astray } = scene();
    forward(lan, other, { from: 1, until: 2 });
    astray(2, 9);
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'wan.pcap': out })).toEqual({});
  });

  it('are not wrong when a route leads there too', async () => {
    const { lan, out, astray } = scene();
    forward(lan, other, { from: 1, until: 2 });
    astray(2, 9);
    const texts = { ...DUMPS, 'ip-route.txt': `${ROUTES}192.168.7.16/28 via ${provider.ip} dev wan \n` };
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'wan.pcap': out }, texts)).toEqual({});
  });

  it('are not wrong when none of the flow reaches it', async () => {
    const { lan, out, astray } = scene();
    forward(lan, other, { from: 1, until: 2, srcPort: 4001 });
    astray(2, 9);
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'wan.pcap': out }, DUMPS)).toEqual({});
  });

  it.each<[string, { meanwhile?: boolean; offloaded?: boolean; returned?: boolean }, boolean]>([
    ['meanwhile others reach it, and the flow is offloaded', { meanwhile: true, offloaded: true }, true],
    ['meanwhile others reach it, and they go back to where they came in', { meanwhile: true, returned: true }, true],
    ['they go back to where they came in, and the flow is offloaded', { returned: true, offloaded: true }, true],
    ['meanwhile others reach it', { meanwhile: true }, false],
    ['they go back to where they came in', { returned: true }, false],
    ['the flow is offloaded', { offloaded: true }, false],
  ])('of a flow that never reached it, when %s: %j, wrong: %s', async (_, kind, isWrong) => {
    const { meanwhile = false, offloaded = false, returned = false } = kind;
    const { lan, out, astray } = scene();
    forward(lan, other, { from: meanwhile ? 4 : 1, until: meanwhile ? 5 : 2, srcPort: 4001 });
    const wrong: number[] = [];
    for (let time = 2; time < 9; time += 0.5) {
      const come = { mac: wan.mac, ip: other.ip };
      if (returned) forward(out, come, { from: time, until: time + 0.1, by: provider, hopLimit: 61 });
      wrong.push(...astray(time + 0.001, time + 0.1));
    }
    const tuples = `src=${other.ip} dst=${FAR} sport=5000 dport=4000 src=${FAR} dst=${other.ip} sport=4000 dport=5000`;
    const entry = `[1700000002.000000]\t [UPDATE] udp      17 86400 ${tuples} [OFFLOAD]\n`;
    const texts = { ...DUMPS, ...(offloaded ? { 'conntrack-E.log': entry } : {}) };
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'wan.pcap': out }, texts)).toEqual(
      isWrong ? { 'wan.pcap': wrong } : {},
    );
  });

  it('are not wrong when they are copies for a host that watches', async () => {
    const { lan, out, astray } = scene();
    out.meet(0.1, wan, { mac: third.mac, ip: '203.0.113.9' });
    forward(lan, other, { from: 1, until: 9 });
    astray(1.0001, 9, third.mac);
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'wan.pcap': out }, DUMPS)).toEqual({});
  });

  it('are none on the ports of the bridge', async () => {
    const { lan } = scene();
    const port = new Wire();
    port.meet(0, router, other);
    forward(lan, other, { from: 1, until: 9 });
    forward(port, other, { from: 1.00001, until: 9 });
    const bridge = [
      `7: lan1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br-lan state UP`,
      `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff`,
      '',
    ].join('\n');
    const texts = { ...DUMPS, 'ip-link.txt': `${LINKS}${bridge}` };
    expect(await wrongEgress({ 'br-lan.pcap': lan, 'lan1.pcap': port }, texts)).toEqual({});
  });
});

/** A trunk: a host of VLAN 10, to which the router sends, and another one in VLAN 20. */
function trunk(build: (send: (vlan: number, from: number, until: number, srcPort?: number) => number[]) => void): Wire {
  const wire = new Wire();
  wire.tags = [10];
  wire.meet(0, router, other);
  wire.tags = [20];
  wire.meet(0.1, router, { mac: third.mac, ip: '192.168.8.30' });
  build((vlan, from, until, srcPort = 4000) => {
    wire.tags = [vlan];
    return forward(wire, other, { from, until, srcPort });
  });
  return wire;
}

describe('packets for a host in another VLAN than its own', () => {
  it('are wrong when the same sender reaches it in its own', async () => {
    let wrong: number[] = [];
    const wire = trunk((send) => {
      send(10, 1, 2, 4001);
      wrong = send(20, 2, 9);
    });
    expect(await wrongEgress({ 'lan3.pcap': wire })).toEqual({ 'lan3.pcap 20': wrong });
  });

  it('are not wrong when the host speaks there too', async () => {
    const wire = trunk((send) => {
      send(10, 1, 2, 4001);
      send(20, 2, 9);
    });
    speak(wire, other, router, { from: 9, until: 10, src: '192.168.8.20' });
    expect(await wrongEgress({ 'lan3.pcap': wire })).toEqual({});
  });

  it('are not wrong when nothing goes to it in its own: the ways out and back differ', async () => {
    const wire = trunk((send) => {
      send(20, 2, 9);
    });
    expect(await wrongEgress({ 'lan3.pcap': wire })).toEqual({});
  });

  it.each<[string, { stays?: boolean; follows?: boolean; until?: number }, boolean]>([
    ['the host left it, and the sender follows with others', {}, true],
    ['the host speaks there still', { stays: true }, false],
    ['the sender does not follow', { follows: false }, false],
    ['they were under way', { until: 5.5 }, false],
  ])('when %s: %j, wrong: %s', async (_, kind, isWrong) => {
    const { stays = false, follows = true, until = 12 } = kind;
    const wrong: number[] = [];
    const wire = trunk((send) => {
      send(10, 1, 5);
    });
    wire.tags = [20];
    wire.meet(5, router, other);
    for (let time = 5.1; time < 12; time += 0.5) {
      wire.tags = [10];
      if (time < until) wrong.push(...forward(wire, other, { from: time, until: time + 0.01 }));
      if (stays) speak(wire, other, router, { from: time + 0.02, until: time + 0.03 });
      wire.tags = [20];
      if (follows) forward(wire, other, { from: time + 0.05, until: time + 0.06, srcPort: 4001 });
      speak(wire, other, router, { from: time + 0.07, until: time + 0.08, srcPort: 5001 });
    }
    expect(await wrongEgress({ 'lan3.pcap': wire })).toEqual(isWrong ? { 'lan3.pcap 10': wrong } : {});
  });

  it('are not wrong when they carry a priority and no VLAN', async () => {
    const wire = trunk((send) => {
      send(10, 1, 2, 4001);
      send(0, 2, 9);
    });
    expect(await wrongEgress({ 'lan3.pcap': wire })).toEqual({});
  });

  it('are not wrong in a VLAN of copies', async () => {
    const wire = trunk((send) => {
      for (let time = 1; time < 9; time += 0.5) {
        send(10, time, time + 0.1);
        send(20, time + 0.001, time + 0.1);
      }
    });
    expect(await wrongEgress({ 'lan3.pcap': wire })).toEqual({});
  });
});

describe('offload in a bridge', () => {
  const ruleset = (family: string): string =>
    `table ${family} fw4 {\n\tflowtable fb {\n\t\thook ingress priority filter\n\t\tdevices = { "lan1", "lan2" }\n\t}\n}\n`;
  const seen = async (family: string, limits: readonly number[]): Promise<string[]> => {
    const wire = new Wire();
    wire.meet(0, router, other);
    limits.forEach((hopLimit, i) => forward(wire, other, { from: 1 + i * 5, until: 5 + i * 5, src: FAR, hopLimit }));
    const { observations } = await judge({ 'lan.pcap': wire }, { 'nft.txt': ruleset(family), 'ip-link.txt': LINKS });
    return observations.map(({ cause }) => cause);
  };

  it('is seen to skip the router', async () => {
    expect(await seen('bridge', [63, 64])).toEqual(['bridge-offload-skip']);
  });

  it.each([
    ['inet', [63, 64]],
    ['bridge', [63, 63]],
    ['bridge', [64, 63]],
    ['bridge', [64]],
    ['bridge', [63, 64, 63]],
  ] as const)('is not seen to: a flowtable of %s, hop limits %j', async (family, limits) => {
    expect(await seen(family, limits)).toEqual([]);
  });
});
