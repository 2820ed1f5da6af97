import { parseIpv4, parseIpv6Groups, parseMac } from '../../src/bytes/address.js';
import { forward, newHost, oldHost, other, router, speak, third, FAR, type Captures } from '../engine/scene.js';
import {
  each,
  flowing,
  LINKS,
  MARK_RULE,
  provider,
  replies,
  routed,
  ROUTES,
  ruleList,
  SIX,
  stick,
  stream,
  wan,
  type Reply,
  type Routed,
} from '../engine/next-hop-scenes.js';
import { withChecksums } from '../support/checksums.js';
import { monitorTime, Wire, type Station } from '../support/wire.js';

/** Evidence that shows one thing. */
export interface Evidence {
  readonly captures: Captures;
  readonly texts?: Record<string, string>;
}

/** A cause, evidence that must name it, and evidence that is close to it and must not. */
export interface Sample {
  readonly cause: string;
  readonly shows: () => Evidence;
  readonly near?: { readonly what: string; readonly build: () => Evidence };
}

const FAR2 = '198.51.100.20';
const SERVER = '192.168.7.30';

export function lan(build: (wire: Wire) => void, texts?: Record<string, string>): Evidence {
  const wire = new Wire();
  build(wire);
  return { captures: { 'br-lan.pcap': wire }, ...(texts ? { texts } : {}) };
}

function at(station: Station, mac: string): Station {
  return { mac, ip: station.ip };
}

/** The router's own dumps: its MAC, its networks. */
const links = [
  `5: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP`,
  `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff`,
  `    inet ${router.ip}/24 brd 192.168.7.255 scope global br-lan`,
  `6: wan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP`,
  `    link/ether 94:83:c4:00:00:0f brd ff:ff:ff:ff:ff:ff`,
  `    inet 203.0.113.2/24 brd 203.0.113.255 scope global wan`,
  '',
].join('\n');

export function ipBytes(text: string): number[] {
  const v4 = parseIpv4(text);
  const groups = v4 === undefined ? (parseIpv6Groups(text) ?? []) : [Math.floor(v4 / 65_536), v4 % 65_536];
  return groups.flatMap((group) => [group >>> 8, group & 255]);
}

/** A take-over by gratuitous ARP that the router learns of, and a flow that goes on to the old MAC. */
export function stuck(control: boolean, texts: Record<string, string> = {}): Evidence {
  const monitor = [
    `${monitorTime(0.002)} ${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE`,
    `${monitorTime(10.002)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE`,
    '',
  ].join('\n');
  return lan(
    (wire) => {
      wire.meet(0, router, oldHost);
      forward(wire, oldHost, { from: 1, until: 10 });
      wire.gratuitous(10, newHost);
      forward(wire, oldHost, { from: 10.5, until: 20 });
      if (control) forward(wire, newHost, { from: 10.6, until: 20, srcPort: 4001 });
    },
    { 'ip-link.txt': links, 'monitor.log': monitor, ...texts },
  );
}

/** Replies for a client that go to the next hop of a marked table, offloaded or not. */
function policyRouting(offload: boolean): Evidence {
  const gateway: Station = { mac: 'dc:a6:32:00:00:03', ip: '192.168.7.3' };
  const tuples = `src=${other.ip} dst=${FAR} sport=5000 dport=4000 src=${FAR} dst=203.0.113.2 sport=4000 dport=5000`;
  const flag = offload ? '[OFFLOAD]' : '[ASSURED]';
  const state = offload ? '' : '118 ';
  return lan(
    (wire) => {
      wire.meet(0, router, other);
      wire.meet(0.1, router, gateway);
      speak(wire, other, at(router, router.mac), { from: 0.5, until: 0.6 });
      for (let t = 1; t < 20; t += 0.5) {
        wire.udp(t, { from: other.mac, to: router.mac, src: other.ip, dst: FAR, srcPort: 5000, dstPort: 4000 });
        wire.udp(t + 0.1, {
          from: router.mac,
          to: gateway.mac,
          src: FAR,
          dst: other.ip,
          hopLimit: 60,
          srcPort: 4000,
          dstPort: 5000,
        });
      }
      forward(wire, offload ? other : at(other, gateway.mac), { from: 1.2, until: 20, src: FAR2, srcPort: 53 });
    },
    {
      'ip-link.txt': links,
      'ip-rule.txt': rules,
      'ip-route.txt': `default via ${gateway.ip} dev br-lan table 100\ndefault via 203.0.113.1 dev wan\n192.168.7.0/24 dev br-lan proto kernel scope link src ${router.ip}\n`,
      'conntrack-L.log': snapshots(`udp      17 ${state}${tuples} ${flag} mark=255 use=1`),
    },
  );
}

export const spoofer: Station = { mac: '0c:11:22:00:00:66', ip: '192.168.7.66' };

/** Answers of the owner when asked, and replies that nobody asked for. */
export function spoofing(unasked: number): Evidence {
  return lan((wire) => {
    wire.meet(0, third, spoofer);
    wire.meet(0.5, other, router);
    for (let i = 0; i < unasked; i++) {
      wire.reply(5 + i * 2, at(router, spoofer.mac), other);
      wire.udp(5.2 + i * 2, { from: other.mac, to: spoofer.mac, src: other.ip, dst: FAR });
    }
    wire.meet(40, third, router);
  });
}

function ndSpoofing(unasked: number): Evidence {
  const gateway: Station = { mac: router.mac, ip: 'fd00:7::1' };
  const victim: Station = { mac: other.mac, ip: 'fd00:7::20' };
  return lan((wire) => {
    wire.solicit(0, { mac: third.mac, ip: 'fd00:7::30' }, 'fd00:7::66');
    wire.advertise(0.1, { mac: spoofer.mac, ip: 'fd00:7::66' }, { mac: third.mac, ip: 'fd00:7::30' });
    wire.solicit(0.5, victim, gateway.ip);
    wire.advertise(0.6, gateway, victim);
    for (let i = 0; i < unasked; i++) wire.advertise(5 + i * 2, at(gateway, spoofer.mac), victim);
    wire.solicit(40, { mac: third.mac, ip: 'fd00:7::30' }, gateway.ip);
    wire.advertise(40.1, gateway, { mac: third.mac, ip: 'fd00:7::30' });
  });
}

export function doubleAnswers(times: number, second = newHost): Evidence {
  return lan((wire) => {
    for (let i = 0; i < times; i++) {
      wire.request(i * 20, router, oldHost.ip);
      wire.reply(i * 20 + 0.001, oldHost, router);
      wire.reply(i * 20 + 0.002, second, router);
      forward(wire, oldHost, { from: i * 20 + 1, until: i * 20 + 3 });
    }
  });
}

/** A take-over; `settled` when the sender follows. */
function takeOver(): Evidence {
  return lan((wire) => {
    wire.meet(0, router, oldHost);
    forward(wire, oldHost, { from: 1, until: 10 });
    wire.gratuitous(10, newHost);
    forward(wire, newHost, { from: 10.1, until: 20 });
  });
}

export const vrid = '00:00:5e:00:01:05';

export function vrrp(texts: Record<string, string> = {}): Evidence {
  return lan((wire) => {
    const advertise = (time: number, src: string): number =>
      wire.ip(time, { from: vrid, to: '01:00:5e:00:00:12', src, dst: '224.0.0.18', hopLimit: 255 }, 112, [
        0x21,
        5,
        100,
        1,
        0,
        1,
        0,
        0,
        ...ipBytes(router.ip),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
      ]);
    for (let t = 0; t < 5; t++) advertise(t, '192.168.7.2');
    for (let t = 8; t < 12; t++) advertise(t, '192.168.7.3');
    wire.gratuitous(8, at(router, vrid));
  }, texts);
}

/** A router answers for hosts behind it, and passes their packets on. */
function proxy(passesOn: boolean): Evidence {
  return lan((wire) => {
    for (const host of ['192.168.7.101', '192.168.7.102', '192.168.7.103']) {
      wire.meet(Number(host.slice(-1)), other, { mac: router.mac, ip: host });
      for (let t = 5; t < 8; t++) {
        wire.udp(t, { from: router.mac, to: other.mac, src: host, dst: other.ip, hopLimit: passesOn ? 63 : 64 });
      }
    }
  });
}

/** Two addresses behind one MAC; DHCP knows one by another MAC. */
export function repeater(stations: number): Evidence {
  const repeating = 'b0:be:76:00:00:01';
  return lan((wire) => {
    wire.meet(0, router, { mac: repeating, ip: '192.168.7.90' });
    for (let i = 0; i < stations; i++) {
      const station = { mac: `3c:22:fb:00:00:0${i}`, ip: `192.168.7.9${i + 1}` };
      wire.dhcp(1 + i, 5, router, station, 'ff:ff:ff:ff:ff:ff');
      wire.meet(5 + i, router, at(station, repeating));
      forward(wire, at(station, repeating), { from: 6 + i, until: 9 + i });
    }
  });
}

const card: Station = { mac: '52:54:00:00:00:41', ip: oldHost.ip };

/** Each host is told the MAC of another card. */
function bond(second: Station): Evidence {
  return lan((wire) => {
    for (let time = 0; time < 200; time += 60) {
      wire.meet(time, other, oldHost);
      wire.meet(time + 10, third, second);
      speak(wire, other, oldHost, { from: time + 20, until: time + 25 });
      speak(wire, third, second, { from: time + 20, until: time + 25 });
    }
  });
}

function release(wire: Wire, time: number, client: Station): number {
  const body = new Array<number>(240).fill(0);
  body.splice(0, 4, 1, 1, 6, 0);
  body.splice(12, 4, ...ipBytes(client.ip));
  body.splice(28, 6, ...macBytes(client.mac));
  body.splice(236, 4, 0x63, 0x82, 0x53, 0x63);
  body.push(53, 1, 7, 255);
  const to = { from: client.mac, to: router.mac, src: client.ip, dst: router.ip };
  return wire.udp(time, { ...to, srcPort: 68, dstPort: 67, payload: body });
}

function macBytes(text: string): number[] {
  const value = parseMac(text) ?? 0;
  return [40, 32, 24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256);
}

function redirect(): Evidence {
  return lan((wire) => {
    const inner = withChecksums([
      0x45,
      0,
      0,
      32,
      0,
      1,
      0,
      0,
      64,
      17,
      0,
      0,
      ...ipBytes(other.ip),
      ...ipBytes(FAR),
      0,
      80,
      0,
      80,
      0,
      12,
      0,
      0,
    ]);
    wire.meet(0, other, router);
    wire.ip(1, { from: router.mac, to: other.mac, src: router.ip, dst: other.ip }, 1, [
      5,
      1,
      0,
      0,
      ...ipBytes('192.168.7.3'),
      ...inner,
    ]);
  });
}

/** Out by one router, back by another (or by the same). */
function detour(back: string): Evidence {
  return lan((wire) => {
    wire.meet(0, other, router);
    const second = { mac: '94:83:c4:00:00:02', ip: '192.168.7.3' };
    wire.meet(0.1, second, third);
    for (const [i, by] of [router, second].entries())
      forward(wire, third, { from: 0.2 + i / 10, until: 0.25 + i / 10, src: FAR2, by });
    for (let port = 6000; port < 6005; port++) {
      wire.udp(port - 5999, { from: other.mac, to: router.mac, src: other.ip, dst: FAR, srcPort: port, dstPort: 53 });
      wire.udp(port - 5998.9, {
        from: back,
        to: other.mac,
        src: FAR,
        dst: other.ip,
        hopLimit: 58,
        srcPort: 53,
        dstPort: port,
      });
    }
  });
}

function hairpin(server: string): Evidence {
  const line = `[1700000001.000000]\t    [NEW] udp      17 30 src=${other.ip} dst=203.0.113.2 sport=5000 dport=80 [UNREPLIED] src=${server} dst=${router.ip} sport=80 dport=5000\n`;
  return lan(
    (wire) => {
      wire.meet(0, other, router);
      wire.meet(0.1, router, third);
      wire.udp(1, { from: other.mac, to: router.mac, src: other.ip, dst: '203.0.113.2', srcPort: 5000, dstPort: 80 });
    },
    { 'conntrack-E.log': line },
  );
}

function mirrored(copies: number): Evidence {
  return lan((wire) => {
    for (let i = 0; i < 6; i++) {
      for (let copy = 0; copy < copies; copy++) wire.request(i + copy * 1e-5, router, oldHost.ip);
      for (let copy = 0; copy < copies; copy++) wire.reply(i + 0.001 + copy * 1e-5, oldHost, router);
    }
  });
}

/** `ip -d link` of a bridge with ports. */
const bridge = [
  `2: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000`,
  `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 68 maxmtu 65535 `,
  '    bridge forward_delay 1500 hello_time 200 max_age 2000 ageing_time 30000 ',
  ...['lan1', 'lan2', 'lan3'].flatMap((name, i) => [
    `${i + 3}: ${name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br-lan state UP mode DEFAULT group default qlen 1000`,
    `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff promiscuity 1 minmtu 68 maxmtu 1500 `,
    `    bridge_slave state forwarding priority 32 cost 2 hairpin off guard off root_block off fastleave off learning on flood on `,
  ]),
  '',
].join('\n');

/** Frames of one flow, seen on so many ports. */
function flooded(ports: number): Evidence {
  const captures: Captures = {};
  ['lan1', 'lan2', 'lan3'].forEach((name, i) => {
    const wire = new Wire();
    wire.meet(0, other, oldHost);
    if (i < ports) speak(wire, other, oldHost, { from: 1, until: 6 });
    captures[`${name}.pcap`] = wire;
  });
  return { captures, texts: { 'ip-link.txt': bridge } };
}

/** Snapshots of a conntrack table with one entry. */
function snapshots(entry: string): string {
  const end = 'conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n';
  return [2, 6, 10, 14, 18].map((s) => `${1_700_000_000 + s}.000000000\n${entry}\n${end}`).join('');
}

/** A MAC moves to another port; \`stays\` when the flow goes on to the old one. */
export function roaming(stays: boolean): Evidence {
  const first = new Wire();
  first.meet(0, router, oldHost);
  forward(first, oldHost, { from: 1, until: stays ? 15 : 9.9 });
  // Its packets are others, not the same ones seen later.
  const second = new Wire(undefined, 1000);
  second.meet(10, router, oldHost);
  if (!stays) forward(second, oldHost, { from: 10.5, until: 15 });
  const learnt = (time: number, port: string): string =>
    `${monitorTime(time)} dev ${port} lladdr ${oldHost.mac} REACHABLE\n`;
  const flow = `src=${FAR} dst=${oldHost.ip} sport=4000 dport=5000 src=${oldHost.ip} dst=${FAR} sport=5000 dport=4000`;
  return {
    captures: { 'lan1.pcap': first, 'lan2.pcap': second },
    texts: {
      'ip-link.txt': bridge,
      'monitor.log': learnt(0, 'lan1') + learnt(10, 'lan2'),
      'conntrack-L.log': snapshots(`udp      17 ${flow} [OFFLOAD] mark=0 use=2`),
    },
  };
}

/** IPv6 replies that go back out, but for those that cannot be offloaded. */
const SENT_BACK: readonly Reply[] = [
  { time: 1, way: 'home', flags: 0x12 },
  ...flowing(1.2, 10, 'back', 0x10),
  { time: 10.5, way: 'home', flags: 0x11 },
];

/** Packets from a third network for a host of the LAN that leave by the WAN; \`escapes\` when some reach it. */
function strayed(escapes: boolean): Evidence {
  const [lan, out] = [new Wire(), new Wire()];
  lan.meet(0, router, other);
  out.meet(0, wan, provider);
  const body = (flags: number): number[] => [
    0x13,
    0x88,
    0x0f,
    0xa0,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    9,
    0x50,
    flags,
    1,
    0,
    0,
    0,
    0,
    0,
  ];
  const send = (wire: Wire, time: number, from: string, to: string, flags: number): number =>
    wire.ip(time, { from, to, src: '10.9.0.5', dst: other.ip, hopLimit: 63 }, 6, body(flags));
  if (escapes) send(lan, 1, router.mac, other.mac, 0x12);
  for (let time = 2; time < 10; time += 0.5) send(out, time, wan.mac, provider.mac, 0x10);
  if (escapes) send(lan, 11, router.mac, other.mac, 0x11);
  return { captures: { 'br-lan.pcap': lan, 'wan.pcap': out }, texts: { 'ip-link.txt': LINKS, 'ip-route.txt': ROUTES } };
}

/** A trunk port with two VLANs: frames for a host of one in the other, alone or as copies. */
function trunk(kind: 'astray' | 'copied'): Evidence {
  return lan(
    (wire) => {
      const send = (vlan: number, time: number, srcPort: number): void => {
        wire.tags = [vlan];
        forward(wire, other, { from: time, until: time + 0.1, srcPort });
      };
      wire.tags = [10];
      wire.meet(0, router, other);
      wire.tags = [20];
      wire.meet(0.1, router, { mac: third.mac, ip: '192.168.8.30' });
      for (let time = 1; time < 12; time += 0.5) {
        send(10, time, 4001);
        if (kind === 'copied') send(10, time + 0.01, 4000);
        send(20, time + 0.02, 4000);
      }
    },
    {
      'conntrack-L.log': snapshots(
        `udp      17 src=${FAR} dst=${other.ip} sport=4000 dport=5000 src=${other.ip} dst=${FAR} sport=5000 dport=4000 [OFFLOAD] mark=0 use=2`,
      ),
    },
  );
}

/** Packets of a host that come by a router behind the bridge; later ones with another hop limit. */
function skipped(hopLimit: number, family: string): Evidence {
  const ruleset = `table ${family} fw4 {\n\tflowtable fb {\n\t\thook ingress priority filter\n\t\tdevices = { "lan1", "lan2" }\n\t}\n}\n`;
  return lan(
    (wire) => {
      wire.meet(0, router, other);
      forward(wire, other, { from: 1, until: 2, src: '10.9.0.5', hopLimit: 63 });
      forward(wire, other, { from: 2.5, until: 10, src: '10.9.0.5', hopLimit });
    },
    { 'nft-ruleset.txt': ruleset, 'ip-link.txt': links },
  );
}

/** The rule that leads to the gateway is deleted while a flow is offloaded. */
function ruleDeleted(packets: readonly Routed[]): Evidence {
  const tuples = `src=${other.ip} dst=${FAR} sport=5000 dport=4000 src=${FAR} dst=${router.ip} sport=4000 dport=5000`;
  return {
    captures: routed(packets).captures,
    texts: {
      'ip-link.txt': LINKS,
      'ip-rule.txt': ruleList(true),
      'ip-route.txt': ROUTES,
      'later-rule.txt': ruleList(false),
      'monitor.log': `${monitorTime(9.9)} Deleted ${MARK_RULE}\n`,
      'conntrack-L.log': snapshots(`udp      17 ${tuples} [OFFLOAD] mark=0 use=2`),
    },
  };
}

/** A gateway's frames for a host: only switched, or taken off and sent back to it. */
export function switched(taken: boolean, isSeen: (i: number) => boolean = () => true): Evidence {
  const gateway: Station = { mac: 'dc:a6:32:00:00:03', ip: '192.168.7.3' };
  return lan(
    (wire) => {
      wire.meet(0, router, other);
      wire.meet(0.1, router, gateway);
      wire.meet(0.2, gateway, other);
      for (let i = 0; i < 12; i++) {
        if (isSeen(i)) packet(wire, 1 + i, i + 100, gateway.mac, other.mac, 63);
        if (taken) packet(wire, 1.001 + i, i + 100, router.mac, gateway.mac, 62);
      }
    },
    {
      'ip-link.txt': links,
      'conntrack-L.log': snapshots(
        `udp      17 src=${other.ip} dst=${FAR} sport=4000 dport=5000 src=${FAR} dst=${other.ip} sport=5000 dport=4000 [OFFLOAD] mark=0 use=2`,
      ),
    },
  );
}

/** A UDP packet from afar with its own IP identification, which stays the same wherever it is seen. */
function packet(wire: Wire, time: number, id: number, from: string, to: string, hopLimit: number): number {
  const head = [0x45, 0, 0, 32, 0, id, 0, 0, hopLimit, 17, 0, 0, ...ipBytes(FAR), ...ipBytes(other.ip)];
  return wire.ethernet(time, from, to, 0x0800, [...head, 0x13, 0x88, 0x0f, 0xa0, 0, 12, 0, 0, id, 2, 3, 4]);
}

/** A dump of a packet engine with one flow bound to a MAC, and the neighbor table that goes with it. */
function engine(mac: string, neighbors: readonly string[], date = ''): Evidence {
  const flow = `${FAR}:4000->${oldHost.ip}:5000`;
  const bound = `0252a BND IPv4 5T orig=${flow} new=${flow} eth=${router.mac}->${mac} etype=0000 vlan=0,0 ib1=614108ef ib2=00000000\n`;
  return lan(
    (wire) => {
      wire.meet(0, router, other);
    },
    {
      'ip-link.txt': links,
      'ip-neigh.txt': neighbors.map((line) => `${line}\n`).join(''),
      'ppe0-bind.txt': date + bound,
    },
  );
}

const MOVED = [
  `${monitorTime(0)} ${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE`,
  `${monitorTime(10)} ${oldHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE`,
];

/** The router asks its LAN for a far address; the flow to it is offloaded, or not. */
function farQuestion(target: string): Evidence {
  const flow = `src=${other.ip} dst=${FAR} sport=5000 dport=53 src=${FAR} dst=203.0.113.2 sport=53 dport=5000`;
  return lan(
    (wire) => {
      wire.meet(0, router, other);
      for (let t = 1; t < 8; t++) wire.request(t, router, target);
    },
    {
      'ip-link.txt': links,
      'ip-rule.txt': rules,
      'conntrack-L.log': snapshots(`udp      17 ${flow} [OFFLOAD] mark=255 use=2`),
    },
  );
}

const rules = `0:\tfrom all lookup local\n32765:\tfrom all fwmark 0xff lookup 100\n32766:\tfrom all lookup main\n`;

/** A dump of a packet engine, at a time: the flow from far away to an address, and the MAC that it is sent to. */
export function engineDump(seconds: number, ip: string, mac: string, etherType = '0400'): string {
  const flow = `orig=${FAR}:4000->203.0.113.2:5000 new=${FAR}:4000->${ip}:5000`;
  const rest = `etype=${etherType} vlan=0,0 ib1=614108ef ib2=007ff035 packets=9 bytes=900`;
  return `# ${1_700_000_000 + seconds}.000000000 cat /sys/kernel/debug/ppe0/bind\n0252a BND IPv4 5T ${flow} eth=${router.mac}->${mac} ${rest}\n`;
}

/** Dumps only: whom the neighbor table names, and whom the packet engine. */
export function dumpedEngine(mac: string, texts: Record<string, string> = {}): Evidence {
  const neighbors = `# 1700000010.000000000 ip neigh\n${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE\n`;
  const engine = engineDump(11, oldHost.ip, mac);
  return lan((wire) => wire.meet(0, router, other), {
    'ip-link.txt': links,
    'neigh.txt': neighbors,
    'ppe.txt': engine,
    ...texts,
  });
}

/** One for each cause that can be shown in a few frames. */
export const SAMPLES: readonly Sample[] = [
  {
    cause: 'stale-mac',
    shows: () => stuck(true),
    near: { what: 'a take-over that the sender follows', build: takeOver },
  },
  {
    cause: 'unexplained',
    shows: () => stuck(false),
    near: { what: 'the same with other traffic that goes right', build: () => stuck(true) },
  },
  {
    cause: 'pbr-next-hop',
    shows: () => policyRouting(true),
    near: { what: 'tables that send all of it there', build: () => policyRouting(false) },
  },
  {
    cause: 'pbr-table-incomplete',
    shows: () => policyRouting(false),
    near: { what: 'only offloaded packets that go there', build: () => policyRouting(true) },
  },
  {
    cause: 'wrong-port',
    shows: () => roaming(true),
    near: { what: 'a flow that follows', build: () => roaming(false) },
  },
  {
    cause: 'vpn-bypass',
    shows: () =>
      stick([...stream(1, 1.1, 'by'), ...stream(1.5, 10, 'past'), ...stream(2, 12, 'by', { srcPort: 6000 })]),
    near: {
      what: 'a gateway that was away for a time',
      build: () => stick([...stream(1, 5, 'by'), ...stream(5, 10, 'past'), ...stream(10, 12, 'by')]),
    },
  },
  {
    cause: 'forwarding-loop',
    shows: () =>
      stick([
        { time: 1, way: 'by', flags: 0x02 },
        ...stream(1.1, 10, 'round', { flags: 0x10 }),
        { time: 11, way: 'by', flags: 0x11 },
      ]),
    near: { what: 'tables in which all packets go round', build: () => stick(stream(1, 10, 'round')) },
  },
  {
    cause: 'stale-route',
    shows: () => ruleDeleted([...each(1, 20, 'gateway')]),
    near: {
      what: 'a flow that follows within a second',
      build: () => ruleDeleted([...each(1, 10.8, 'gateway'), ...each(11, 20, 'provider')]),
    },
  },
  {
    cause: 'pbr-ipv6-loop',
    shows: () => ({ captures: replies(SENT_BACK).captures, texts: SIX }),
    near: {
      what: 'packets that go astray, and had not come in there',
      build: () => strayed(true),
    },
  },
  {
    cause: 'wrong-egress',
    shows: () => strayed(true),
    near: { what: 'packets that all go there', build: () => strayed(false) },
  },
  {
    cause: 'wrong-vlan',
    shows: () => trunk('astray'),
    near: { what: 'a switch that copies what it watches', build: () => trunk('copied') },
  },
  {
    cause: 'bridge-offload-skip',
    shows: () => skipped(64, 'bridge'),
    near: { what: 'a router that passes all of them on', build: () => skipped(63, 'bridge') },
  },
  {
    cause: 'bridged-frame-taken',
    shows: () => switched(true),
    near: { what: 'frames that are only switched', build: () => switched(false) },
  },
  {
    cause: 'pbr-on-link',
    shows: () => farQuestion(FAR),
    near: { what: 'questions for an address of the network', build: () => farQuestion('192.168.7.77') },
  },
  {
    cause: 'stale-hardware-entry',
    shows: () => engine(oldHost.mac, MOVED, '1700000020.000000000\n'),
    near: { what: 'an entry that followed', build: () => engine(newHost.mac, MOVED, '1700000020.000000000\n') },
  },
  {
    cause: 'hardware-l2-wrong',
    shows: () => engine(third.mac, [`${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE`]),
    near: {
      what: 'an entry that has what the neighbour table has',
      build: () => engine(oldHost.mac, [`${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE`]),
    },
  },
  {
    cause: 'arp-spoofing',
    shows: () => spoofing(8),
    near: { what: 'a single reply that nobody asked for', build: () => spoofing(1) },
  },
  {
    cause: 'nd-spoofing',
    shows: () => ndSpoofing(8),
    near: { what: 'a single advertisement that nobody asked for', build: () => ndSpoofing(1) },
  },
  {
    cause: 'duplicate-address',
    shows: () => doubleAnswers(4),
    near: { what: 'two cards of one machine', build: () => doubleAnswers(4, card) },
  },
  {
    cause: 'convergence',
    shows: takeOver,
    near: { what: 'a flow that stays behind', build: () => stuck(true) },
  },
  {
    cause: 'virtual-router',
    shows: () => vrrp(),
    near: { what: 'an address that moves between plain MACs', build: takeOver },
  },
  {
    cause: 'proxy-arp',
    shows: () => proxy(true),
    near: { what: 'a host with several addresses', build: () => proxy(false) },
  },
  {
    cause: 'mac-translation',
    shows: () => repeater(2),
    near: {
      what: 'a client that answers itself',
      build: () =>
        lan((wire) => {
          wire.dhcp(0, 5, router, oldHost);
          wire.meet(1, router, oldHost);
          wire.meet(2, router, { mac: oldHost.mac, ip: '192.168.7.99' });
        }),
    },
  },
  {
    cause: 'bonding',
    shows: () => bond(card),
    near: { what: 'cards of different makers', build: () => bond(newHost) },
  },
  {
    cause: 'dhcp-reassignment',
    shows: () =>
      lan((wire) => {
        wire.dhcp(0, 5, router, oldHost);
        release(wire, 10, oldHost);
        wire.dhcp(20, 5, router, newHost);
      }),
    near: {
      what: 'a lease that is renewed',
      build: () =>
        lan((wire) => {
          wire.dhcp(0, 5, router, oldHost);
          release(wire, 10, oldHost);
          wire.dhcp(20, 5, router, oldHost);
        }),
    },
  },
  {
    cause: 'icmp-redirect',
    shows: redirect,
    near: {
      what: 'another ICMP message',
      build: () =>
        lan((wire) => {
          wire.ip(1, { from: router.mac, to: other.mac, src: router.ip, dst: other.ip }, 1, [3, 1, 0, 0, 0, 0, 0, 0]);
        }),
    },
  },
  {
    cause: 'nlb',
    shows: () =>
      lan((wire) => {
        const cluster = at(oldHost, '02:bf:c0:a8:07:28');
        wire.request(0, router, cluster.ip);
        wire.reply(0.001, cluster, router, '02:01:c0:a8:07:28');
        forward(wire, cluster, { from: 1, until: 3 });
      }),
    near: {
      what: 'a MAC that begins like one and holds another address',
      build: () =>
        lan((wire) => {
          wire.meet(0, router, at(oldHost, '02:bf:01:02:03:04'));
          forward(wire, at(oldHost, '02:bf:01:02:03:04'), { from: 1, until: 3 });
        }),
    },
  },
  {
    cause: 'asymmetric-routing',
    shows: () => detour('94:83:c4:00:00:02'),
    near: { what: 'two routers, each with its own flows', build: () => detour(router.mac) },
  },
  {
    cause: 'hairpin-nat',
    shows: () => hairpin(SERVER),
    near: { what: 'a server of another network', build: () => hairpin('10.9.9.9') },
  },
  {
    cause: 'mirror',
    shows: () => mirrored(2),
    near: { what: 'each frame once', build: () => mirrored(1) },
  },
  {
    cause: 'flooding',
    shows: () => flooded(3),
    near: { what: 'in by one port and out by another', build: () => flooded(2) },
  },
  {
    cause: 'group-mac',
    shows: () => lan((wire) => forward(wire, at(oldHost, '01:00:5e:01:02:03'), { from: 1, until: 5 })),
    near: {
      what: 'a broadcast address',
      build: () =>
        lan((wire) => forward(wire, { mac: 'ff:ff:ff:ff:ff:ff', ip: '192.168.7.255' }, { from: 1, until: 5 })),
    },
  },
  {
    cause: 'zero-mac',
    shows: () => lan((wire) => forward(wire, at(oldHost, '00:00:00:00:00:00'), { from: 1, until: 5 })),
    near: {
      what: 'a loopback device',
      build: () =>
        lan((wire) => {
          const none = '00:00:00:00:00:00';
          wire.udp(1, { from: none, to: none, src: '127.0.0.1', dst: '127.0.0.1' });
          wire.udp(2, { from: none, to: none, src: other.ip, dst: other.ip });
        }),
    },
  },
];
