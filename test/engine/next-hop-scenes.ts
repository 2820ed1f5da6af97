import { Wire, type Station } from '../support/wire.js';
import { FAR, other, router, type Captures } from './scene.js';

/** A router, a client of it, a gateway on its LAN that passes packets through, and the provider's router. */
export const client = other;
export const gateway: Station = { mac: 'dc:a6:32:00:00:03', ip: '192.168.7.3' };
export const wan: Station = { mac: '94:83:c4:00:00:0f', ip: '203.0.113.2' };
export const provider: Station = { mac: '00:1b:21:00:00:01', ip: '203.0.113.1' };

/** How a packet of the client goes: by the gateway, past it, or round until its hop limit (here of few) is used up. */
export type Way = 'by' | 'past' | 'round';

export interface Sent {
  readonly time: number;
  readonly way: Way;
  readonly srcPort?: number;
  readonly flags?: number;
  readonly hopLimit?: number;
  /** Sightings that the captures lost, by the number of hops before. */
  readonly lost?: readonly number[];
}

export interface Stick {
  readonly captures: Captures;
  /** Frame numbers that went to the wrong next hop. */
  readonly wrong: { readonly 'lan2.pcap': number[]; readonly 'wan.pcap': number[] };
}

const ROUNDS = 6;

/** Packets of a client in a network whose router hands them to a gateway on the LAN, which hands them back. TCP when they have flags. */
export function stick(packets: readonly Sent[]): Stick {
  const [lan1, lan2, out] = [new Wire(), new Wire(), new Wire()];
  lan1.meet(0, client, router);
  lan2.meet(0.1, router, gateway);
  lan2.meet(0.2, gateway, router);
  out.meet(0.1, wan, provider);
  const wrong: Stick['wrong'] = { 'lan2.pcap': [], 'wan.pcap': [] };
  packets.forEach(({ time, way, srcPort = 5000, flags, hopLimit = 64, lost = [] }, i) => {
    const send = (wire: Wire, delay: number, from: string, to: string, hops: number): number =>
      lost.includes(hops)
        ? -1
        : packet(wire, { time: time + delay / 1e4, id: i + 1, from, to, hops: hopLimit - hops, srcPort, flags });
    send(lan1, 0, client.mac, router.mac, 0);
    if (way === 'past') {
      wrong['wan.pcap'].push(send(out, 1, wan.mac, provider.mac, 1));
      return;
    }
    for (let round = 0; round < (way === 'round' ? ROUNDS : 1); round++) {
      const frame = send(lan2, 1 + 2 * round, router.mac, gateway.mac, 1 + 2 * round);
      if (round > 0) wrong['lan2.pcap'].push(frame);
      send(lan2, 2 + 2 * round, gateway.mac, router.mac, 2 + 2 * round);
    }
    if (way === 'by') send(out, 3, wan.mac, provider.mac, 3);
  });
  return { captures: { 'lan1.pcap': lan1, 'lan2.pcap': lan2, 'wan.pcap': out }, wrong };
}

/** Many packets of one flow, two a second. */
export function stream(from: number, until: number, way: Way, more: Partial<Sent> = {}): Sent[] {
  const sent: Sent[] = [];
  for (let time = from; time < until; time += 0.5) sent.push({ time, way, ...more });
  return sent;
}

interface Passing {
  readonly time: number;
  readonly id: number;
  readonly from: string;
  readonly to: string;
  readonly hops: number;
  readonly srcPort: number;
  readonly flags: number | undefined;
}

/** A packet of the client's with its own IP identification, which stays the same wherever it is seen. */
function packet(wire: Wire, { time, id, from, to, hops, srcPort, flags }: Passing): number {
  const ports = [srcPort >>> 8, srcPort & 255, 0x0f, 0xa0];
  const body =
    flags === undefined
      ? [...ports, 0, 12, 0, 0, id >>> 8, id & 255, 3, 4]
      : [...ports, 0, 0, id >>> 8, id & 255, 0, 0, 0, 9, 0x50, flags, 1, 0, 0, 0, 0, 0];
  const protocol = flags === undefined ? 17 : 6;
  const address = (ip: string): number[] => ip.split('.').map(Number);
  const head = [0x45, 0, 0, 20 + body.length, id >>> 8, id & 255, 0, 0, hops, protocol, 0, 0];
  return wire.ethernet(time, from, to, 0x0800, [...head, ...address(client.ip), ...address(FAR), ...body]);
}

/** The router's addresses and MACs. */
export const LINKS = [
  '5: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP',
  `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff`,
  `    inet ${router.ip}/24 brd 192.168.7.255 scope global br-lan`,
  '6: wan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP',
  `    link/ether ${wan.mac} brd ff:ff:ff:ff:ff:ff`,
  `    inet ${wan.ip}/24 brd 203.0.113.255 scope global wan`,
  '',
].join('\n');

export const MARK_RULE = '32765:\tfrom all fwmark 0xff lookup 100';

/** `ip rule show`, with the rule of the mark or without. */
export function ruleList(hasMark: boolean): string {
  const own = ['0:\tfrom all lookup local', '32766:\tfrom all lookup main', '32767:\tfrom all lookup default'];
  return [...own.slice(0, 1), ...(hasMark ? [MARK_RULE] : []), ...own.slice(1), ''].join('\n');
}

/** `ip route show table all`. */
export const ROUTES = [
  `default via ${gateway.ip} dev br-lan table 100 `,
  `default via ${provider.ip} dev wan `,
  `192.168.7.0/24 dev br-lan proto kernel scope link src ${router.ip} `,
  `203.0.113.0/24 dev wan proto kernel scope link src ${wan.ip} `,
  `local ${router.ip} dev br-lan table local proto kernel scope host src ${router.ip} `,
  '',
].join('\n');

/** A translated packet of the router: when, where it goes to, its source port. */
export type Routed = readonly [time: number, to: 'gateway' | 'provider', srcPort?: number];

/** Packets that the router sends on as its own, to a far server; the frame numbers of each. */
export function routed(packets: readonly Routed[]): { captures: Captures; frames: number[] } {
  const [lan, out] = [new Wire(), new Wire()];
  lan.meet(0, router, gateway);
  out.meet(0, wan, provider);
  const frames = packets.map(([time, to, srcPort = 5000]) => {
    const isGateway = to === 'gateway';
    const from = isGateway ? router : wan;
    return (isGateway ? lan : out).udp(time, {
      from: from.mac,
      to: (isGateway ? gateway : provider).mac,
      src: from.ip,
      dst: FAR,
      hopLimit: 63,
      srcPort,
      dstPort: 4000,
    });
  });
  return { captures: { 'br-lan.pcap': lan, 'wan.pcap': out }, frames };
}

/** One packet a half second. */
export function each(from: number, until: number, to: Routed[1], srcPort?: number): Routed[] {
  const packets: Routed[] = [];
  for (let time = from; time < until; time += 0.5)
    packets.push(srcPort === undefined ? [time, to] : [time, to, srcPort]);
  return packets;
}

const FAR6 = '2001:db8::9';
export const client6: Station = { mac: client.mac, ip: 'fd00:7::20' };

/** Whether a reply goes home to the client, or back out where it came in. */
export interface Reply {
  readonly time: number;
  readonly way: 'home' | 'back';
  readonly flags: number;
  readonly srcPort?: number;
}

/** IPv6 replies from afar; the frame numbers on the WAN of those that went back. */
export function replies(packets: readonly Reply[]): { captures: Captures; wrong: number[] } {
  const [lan, out] = [new Wire(), new Wire()];
  const wan6 = { mac: wan.mac, ip: '2001:db8:f::2' };
  const provider6 = { mac: provider.mac, ip: '2001:db8:f::1' };
  lan.solicit(0, { mac: router.mac, ip: 'fd00:7::1' }, client6.ip);
  lan.advertise(0.01, client6, { mac: router.mac, ip: 'fd00:7::1' });
  out.solicit(0, wan6, provider6.ip);
  out.advertise(0.01, provider6, wan6);
  const wrong: number[] = [];
  packets.forEach(({ time, way, flags, srcPort = 443 }, i) => {
    const body = [...[srcPort, 5000].flatMap((port) => [port >>> 8, port & 255]), 0, 0, 0, i, 0, 0, 0, 9, 0x50, flags];
    const send = (wire: Wire, delay: number, from: string, to: string, hopLimit: number): number =>
      wire.ip(time + delay, { from, to, src: FAR6, dst: client6.ip, hopLimit }, 6, [...body, 1, 0, 0, 0, 0, 0]);
    send(out, 0, provider.mac, wan.mac, 57);
    if (way === 'home') send(lan, 0.0001, router.mac, client.mac, 56);
    else wrong.push(send(out, 0.0001, wan.mac, provider.mac, 56));
  });
  return { captures: { 'br-lan.pcap': lan, 'wan.pcap': out }, wrong };
}

/** Addresses and routes of the router, with IPv6. */
export const SIX = {
  'ip-link.txt': LINKS,
  'ip-route.txt': ROUTES,
  'ip-rule.txt': ruleList(true),
  'ip6-route.txt': [
    'default via 2001:db8:f::1 dev wan table 100 metric 1024 pref medium',
    'fd00:7::/64 dev br-lan proto kernel metric 256 pref medium',
    '2001:db8:f::/64 dev wan proto kernel metric 256 pref medium',
    'default via 2001:db8:f::1 dev wan metric 1024 pref medium',
    '',
  ].join('\n'),
};

/** One packet a half second. */
export function flowing(from: number, until: number, way: Reply['way'], flags: number, srcPort?: number): Reply[] {
  const packets: Reply[] = [];
  for (let time = from; time < until; time += 0.5) {
    packets.push({ time, way, flags, ...(srcPort === undefined ? {} : { srcPort }) });
  }
  return packets;
}
