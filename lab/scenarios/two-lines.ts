import { fw4 } from '../fw4.js';
import { MAC, SERVER, SERVER6, VPN } from '../places.js';
import type { Scenario, Wrong } from '../scenario.js';

const WAN2 = '60:38:e0:12:00:03';
const PROVIDER2 = '00:1b:21:3c:00:03';
const CLIENT6 = '2001:db8:1::2';
const BYSTANDER6 = '2001:db8:1::4';
const PORTS = ['lan1', 'lan2', 'lan3', 'wan', 'wan2'];
const CAPTURES = ['br-lan', 'lan1', 'lan2', 'lan3', 'wan', 'wan2', 'client:eth0'];
const MARK_CLIENT6 = [`iifname "br-lan" ip6 saddr ${CLIENT6} ip6 daddr != 2001:db8:1::/64 meta mark set 0xff`];

/** The router's second line, to the same internet. */
const SECOND_LINE: readonly string[] = [
  ...VPN.network,
  `cable router wan2 ${WAN2} internet eth2 ${PROVIDER2}`,
  'address router wan2 192.0.2.2/24',
  'address internet eth2 192.0.2.1/24',
];

/** Both lines and the LAN with IPv6; the client's packets are marked, and the mark leads to the second line. */
const SIX: readonly string[] = [
  ...SECOND_LINE,
  `address internet lo ${SERVER6}/128`,
  'address router br-lan 2001:db8:1::1/64',
  'address router wan 2001:db8:f::2/64',
  'address internet eth0 2001:db8:f::1/64',
  'address router wan2 2001:db8:f2::2/64',
  'address internet eth2 2001:db8:f2::1/64',
  `address client eth0 ${CLIENT6}/64`,
  `address bystander eth0 ${BYSTANDER6}/64`,
  'for host in client bystander; do on $host ip -6 route add default via 2001:db8:1::1; done',
  'on router ip -6 route add default via 2001:db8:f::1',
  'on router ip -6 rule add fwmark 0xff lookup 100 priority 100',
  'on router ip -6 route add default via 2001:db8:f2::1 dev wan2 table 100',
];

const MEET_SIX: readonly string[] = [
  'meet router 2001:db8:f::1 2001:db8:f2::1',
  'meet client 2001:db8:1::1',
  'meet bystander 2001:db8:1::1',
];

const OWNERS = [
  ...VPN.owners,
  { ip: CLIENT6, mac: MAC.client, who: 'client', port: 'lan1' },
  { ip: BYSTANDER6, mac: MAC.bystander, who: 'bystander', port: 'lan3' },
  { ip: '2001:db8:f2::1', mac: PROVIDER2, who: 'the router of the second provider', port: 'wan2' },
];

const TO_SECOND_LINE: Wrong = {
  label: 'frames for the client that left by the second line',
  kind: 'wrong_egress',
  filter: `ipv6.dst==${CLIENT6} && eth.src==${WAN2}`,
  expectedMac: MAC.client,
  observedMac: PROVIDER2,
  since: 'captures_running',
};

/** Two lines to the internet, and rules that share traffic between them. */
export const TWO_LINES: readonly Scenario[] = [
  looped('ipv6-loop', 'bridge ports in the flowtable', PORTS),
  looped('ipv6-loop-bridge', 'the bridge in the flowtable', ['br-lan', 'wan', 'wan2']),
  looped('ipv6-loop-no-offload', 'no flowtable', undefined),
  looped('ipv6-loop-lan-route', 'cured: the marked table also holds the route to the LAN', PORTS, [
    'on router ip -6 route add 2001:db8:1::/64 dev br-lan table 100',
  ]),
  split(),
  inbound(),
  balanced(),
  lineChange('line-change', ['lan1', 'lan2', 'lan3', 'wan', 'wan2'], true),
  lineChange('line-change-no-bridge', ['lan1', 'lan2', 'lan3', 'wan', 'wan2'], false),
];

function looped(
  name: string,
  how: string,
  flowtable: readonly string[] | undefined,
  routes: readonly string[] = [],
): Scenario {
  const isWrong = flowtable !== undefined && routes.length === 0;
  return {
    name,
    title: `IPv6: the client's marked packets go out by the second line, and replies come in there; ${how}.`,
    usesIpv6: true,
    network: [...SIX, 'on internet ip -6 route add 2001:db8:1::/64 via 2001:db8:f2::2'],
    rulesets: { router: fw4({ ...(flowtable ? { flowtable } : {}), prerouting: MARK_CLIENT6 }) },
    setup: [
      ...routes,
      // The first packets get no answer, so that one of the client's triggers the offload.
      `serve internet udp ${SERVER6} 5300 3`,
      `serve internet udp ${SERVER6} 5400`,
      `serve internet tcp ${SERVER6} 8080`,
    ],
    captures: CAPTURES,
    steps: [
      ...MEET_SIX,
      `talk bystander background udp ${BYSTANDER6} 33333 ${SERVER6} 5400`,
      `talk client victim udp ${CLIENT6} 41000 ${SERVER6} 5300`,
      flowtable ? 'offloaded udp dport=5300 ipv6' : 'not_offloaded udp dport=5300 ipv6',
      'sent victim 30',
      `talk client web tcp ${CLIENT6} 42000 ${SERVER6} 8080`,
      flowtable ? 'offloaded tcp dport=8080 ipv6' : 'not_offloaded tcp dport=8080 ipv6',
      'sent victim 30',
      'received background 10',
      'dump steady',
      'sent victim 10',
    ],
    owners: OWNERS,
    wrong: [TO_SECOND_LINE],
    expect: isWrong
      ? { wrongFrames: 20, isOffloaded: true, cause: 'pbr-ipv6-loop' }
      : { wrongFrames: 0, isOffloaded: flowtable !== undefined },
  };
}

/** The marked table leads to the server by one line, and to all else by the other. */
function split(): Scenario {
  const base = looped('ipv6-egress', '', PORTS);
  return {
    ...base,
    title:
      'IPv6: the table of marked packets has the server on the second line and all else on the first, and replies leave by the first; bridge ports in the flowtable.',
    setup: [
      'on router ip -6 route replace default via 2001:db8:f::1 dev wan table 100',
      `on router ip -6 route add ${SERVER6}/128 via 2001:db8:f2::1 dev wan2 table 100`,
      ...base.setup,
    ],
    wrong: [
      {
        label: 'frames for the client that left by the first line',
        kind: 'wrong_egress',
        filter: `ipv6.dst==${CLIENT6} && eth.src==${MAC.wan}`,
        expectedMac: MAC.client,
        observedMac: MAC.provider,
        since: 'captures_running',
      },
    ],
    expect: { wrongFrames: 20, isOffloaded: true, cause: 'wrong-egress' },
  };
}

/**
 * The client is the server: packets come in by the first line, and its marked replies go out by the second. An entry is
 * found only by packets that come in where the opposite direction goes out, so that none of these is offloaded.
 */
function inbound(): Scenario {
  return {
    name: 'ipv6-inbound',
    title:
      'IPv6: packets for the client come in by the first line, and its marked replies go out by the second; bridge ports in the flowtable.',
    usesIpv6: true,
    network: [...SIX, 'on internet ip -6 route add 2001:db8:1::/64 via 2001:db8:f::2'],
    rulesets: { router: fw4({ flowtable: PORTS, prerouting: MARK_CLIENT6 }) },
    setup: [`serve client udp ${CLIENT6} 51820`, `serve internet udp ${SERVER6} 5400`],
    captures: CAPTURES,
    steps: [
      ...MEET_SIX,
      `talk bystander background udp ${BYSTANDER6} 33333 ${SERVER6} 5400`,
      `talk internet victim udp ${SERVER6} 40000 ${CLIENT6} 51820`,
      'offloaded udp dport=51820 ipv6',
      'received victim 40',
      'received background 10',
      'dump steady',
      'received victim 20',
    ],
    owners: OWNERS,
    wrong: [TO_SECOND_LINE],
    expect: { wrongFrames: 0, isOffloaded: true },
  };
}

/** Rules in the form of mwan3: connections are shared between the lines by masked marks that conntrack keeps. */
function balanced(): Scenario {
  return {
    name: 'two-lines',
    title:
      'Nothing is wrong: two lines shared by masked marks that conntrack keeps, as mwan3 does, and one of them is taken out of use; bridge ports in the flowtable.',
    network: SECOND_LINE,
    rulesets: {
      router: fw4({
        flowtable: PORTS,
        prerouting: [
          'meta mark and 0x3f00 == 0 meta mark set ct mark and 0x3f00',
          'iifname "wan" meta mark and 0x3f00 == 0 meta mark set meta mark or 0x100',
          'iifname "wan2" meta mark and 0x3f00 == 0 meta mark set meta mark or 0x200',
          'iifname "br-lan" ip daddr 10.0.0.0/24 meta mark and 0x3f00 == 0 meta mark set meta mark or 0x3f00',
          'iifname "br-lan" ip saddr 10.0.0.2 meta mark and 0x3f00 == 0 meta mark set meta mark or 0x200',
          'iifname "br-lan" meta mark and 0x3f00 == 0 meta mark set meta mark or 0x100',
          'ct mark set meta mark and 0x3f00',
        ],
        srcnat: ['oifname "wan2" meta nfproto ipv4 masquerade'],
      }),
    },
    setup: [
      'on router ip route add default via 203.0.113.1 dev wan table 1',
      'on router ip route add 10.0.0.0/24 dev br-lan table 1',
      'on router ip route add default via 192.0.2.1 dev wan2 table 2',
      'on router ip route add 10.0.0.0/24 dev br-lan table 2',
      'for table in 1 2; do on router ip route add 203.0.113.0/24 dev wan table $table; on router ip route add 192.0.2.0/24 dev wan2 table $table; done',
      'on router ip rule add iif wan lookup 1 priority 1001',
      'on router ip rule add iif wan2 lookup 2 priority 1002',
      'on router ip rule add fwmark 0x100/0x3f00 lookup 1 priority 2001',
      'on router ip rule add fwmark 0x200/0x3f00 lookup 2 priority 2002',
      'on router ip rule add fwmark 0x3d00/0x3f00 blackhole priority 2061',
      'on router ip rule add fwmark 0x3e00/0x3f00 unreachable priority 2062',
      `serve internet udp ${SERVER} 5300`,
      `serve internet udp ${SERVER} 5400`,
      `serve internet tcp ${SERVER} 8080`,
    ],
    captures: CAPTURES,
    steps: [
      'meet router 203.0.113.1 192.0.2.1',
      'meet client 10.0.0.1',
      'meet bystander 10.0.0.1',
      `talk bystander background udp 10.0.0.4 33333 ${SERVER} 5400`,
      `talk client victim udp 10.0.0.2 41000 ${SERVER} 5300`,
      `talk client web tcp 10.0.0.2 42000 ${SERVER} 8080`,
      'offloaded udp dport=5400',
      'offloaded udp dport=5300',
      'offloaded tcp dport=8080',
      'received victim 20',
      'received background 20',
      'dump steady',
      // As mwan3 does when a line no longer answers.
      'on router ip rule del priority 2002',
      'on router ip rule del priority 1002',
      'event line_down',
      'sent victim 40',
      'received background 20',
      'dump one-line',
    ],
    owners: VPN.owners,
    wrong: [
      {
        label: 'frames for a host of the LAN that left by a line',
        kind: 'wrong_egress',
        filter: `ip.dst==10.0.0.0/24 && (eth.src==${MAC.wan} || eth.src==${WAN2})`,
        since: 'captures_running',
      },
      {
        label: 'frames for the server to a MAC on the LAN',
        kind: 'wrong_nexthop',
        filter: `ip.dst==${SERVER} && eth.src==${MAC.lan}`,
        since: 'captures_running',
      },
    ],
    expect: { wrongFrames: 0, isOffloaded: true },
  };
}

/** The default route moves to the second line. The first line's device is a port of a bridge, or not. */
function lineChange(name: string, flowtable: readonly string[], isBridged: boolean): Scenario {
  return {
    name,
    title: `The default route moves to the second line in the middle of a flow without NAT; the first line ${isBridged ? 'is a bridge, and its port' : 'is no bridge, and'} stands in the flowtable.`,
    network: [
      ...SECOND_LINE,
      ...(isBridged
        ? [
            'on router ip address del 203.0.113.2/24 dev wan',
            'on router ip route flush default',
            `switch router br-wan ${MAC.wan} wan`,
            'address router br-wan 203.0.113.2/24',
            'on router ip route add default via 203.0.113.1',
          ]
        : []),
      'on internet ip route add 10.0.0.0/24 via 203.0.113.2',
    ],
    rulesets: { router: fw4({ flowtable }).replace('oifname "wan" meta nfproto ipv4 masquerade', '') },
    setup: [`serve internet udp ${SERVER} 5300`, `serve internet udp ${SERVER} 5400`],
    captures: [...CAPTURES, ...(isBridged ? ['br-wan'] : [])],
    steps: [
      'meet router 203.0.113.1 192.0.2.1',
      'meet client 10.0.0.1',
      `talk client victim udp 10.0.0.2 41000 ${SERVER} 5300`,
      'offloaded udp dport=5300',
      'received victim 20',
      'dump offloaded',
      'on router ip route replace default via 192.0.2.1 dev wan2',
      'on internet ip route replace 10.0.0.0/24 via 192.0.2.2',
      'event line_changed',
      `talk client second udp 10.0.0.2 41001 ${SERVER} 5400`,
      'sent victim 60',
      'dump stale',
      'forget udp --orig-port-dst 5300',
      'received victim 10',
      'received second 10',
    ],
    owners: VPN.owners,
    wrong: [
      {
        label: 'frames for the server that left by the first line after the route had moved',
        kind: 'wrong_nexthop',
        filter: `ip.dst==${SERVER} && eth.src==${MAC.wan}`,
        expectedMac: PROVIDER2,
        observedMac: MAC.provider,
        since: `route default via 192.0.2.1`,
      },
    ],
    expect: isBridged
      ? { wrongFrames: 20, isOffloaded: true, cause: 'stale-route' }
      : { wrongFrames: 0, isOffloaded: true },
  };
}
