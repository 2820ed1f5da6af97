import { fw4 } from '../fw4.js';
import { MAC, MARKED_TABLE, MEET_ALL, SERVER, VPN, VPN_RULESET } from '../places.js';
import type { Scenario } from '../scenario.js';

const PORTS = ['lan1', 'lan2', 'lan3', 'wan'];
const MARK_CLIENT = ['iifname "br-lan" ip saddr 10.0.0.2 ip daddr != 10.0.0.0/24 meta mark set 0xff'];
const CAPTURES = ['br-lan', 'lan1', 'lan2', 'lan3', 'wan', 'client:eth0', 'vpn:eth0'];
const LAN_ROUTE = 'on router ip route add 10.0.0.0/24 dev br-lan table 100';

/** Offloaded flows that keep to a way which is no longer, or never was, theirs. */
export const SECOND_PATH: readonly Scenario[] = [
  ruleRemoved('rule-removed', 'bridge ports in the flowtable', PORTS),
  ruleRemoved('rule-removed-bridge', 'the bridge in the flowtable', ['br-lan', 'wan']),
  bridgedFrames(),
  bypass('vpn-bypass', PORTS),
  bypass('vpn-bypass-no-offload', undefined),
];

function ruleRemoved(name: string, how: string, flowtable: readonly string[]): Scenario {
  const isDirect = !flowtable.includes('br-lan');
  return {
    name,
    title: `The rule that sent marked packets to the VPN gateway is deleted in the middle of a flow; ${how}.`,
    network: VPN.network,
    rulesets: {
      router: fw4({ flowtable, prerouting: MARK_CLIENT, srcnat: ['oifname "br-lan" meta mark 0xff masquerade'] }),
      vpn: VPN_RULESET,
    },
    setup: [...MARKED_TABLE, LAN_ROUTE, `serve internet udp ${SERVER} 5300 3`, `serve internet udp ${SERVER} 5400`],
    captures: CAPTURES,
    steps: [
      ...MEET_ALL,
      `talk bystander background udp 10.0.0.4 33333 ${SERVER} 5400`,
      // No answer to the first packets: a marked one triggers the offload.
      `talk client victim udp 10.0.0.2 41000 ${SERVER} 5300`,
      'offloaded udp dport=5300',
      'received victim 20',
      'dump offloaded',
      'on router ip rule del fwmark 0xff lookup 100',
      'event rule_deleted',
      'sent victim 60',
      'dump after-rule',
      isDirect ? 'forget udp --orig-port-dst 5300' : 'received victim 10',
      'received victim 20',
    ],
    owners: VPN.owners,
    wrong: [
      {
        label: "frames for the far server to the VPN gateway's MAC after the rule was gone",
        kind: 'wrong_nexthop',
        filter: `ip.dst==${SERVER} && eth.dst==${MAC.vpn} && eth.src==${MAC.lan}`,
        observedMac: MAC.vpn,
        since: 'rule fwmark 0xff',
      },
    ],
    expect: isDirect
      ? { wrongFrames: 20, isOffloaded: true, cause: 'stale-route' }
      : { wrongFrames: 0, isOffloaded: true },
  };
}

function bridgedFrames(): Scenario {
  return {
    name: 'bridged-frames',
    title:
      'The router does not translate, so replies are only switched from the VPN gateway to the client; bridge ports in the flowtable.',
    network: VPN.network,
    rulesets: { router: fw4({ flowtable: PORTS, prerouting: MARK_CLIENT }), vpn: VPN_RULESET },
    setup: [...MARKED_TABLE, `serve internet udp ${SERVER} 5300 3`, `serve internet udp ${SERVER} 5400`],
    captures: CAPTURES,
    steps: [
      ...MEET_ALL,
      'meet vpn 10.0.0.2',
      `talk bystander background udp 10.0.0.4 33333 ${SERVER} 5400`,
      `talk client victim udp 10.0.0.2 41000 ${SERVER} 5300`,
      'offloaded udp dport=5300',
      'sent victim 60',
      'dump steady',
      'sent victim 10',
    ],
    owners: VPN.owners,
    wrong: [
      {
        label: "switched frames for the client, taken and sent to the VPN gateway's MAC",
        kind: 'wrong_mac',
        filter: `ip.dst==10.0.0.2 && eth.dst==${MAC.vpn} && eth.src==${MAC.lan}`,
        expectedMac: MAC.client,
        observedMac: MAC.vpn,
        since: 'captures_running',
      },
    ],
    expect: { wrongFrames: 20, isOffloaded: true, cause: 'bridged-frame-taken' },
  };
}

/** The VPN gateway has no uplink of its own: what it takes it sends on by the router. */
function bypass(name: string, flowtable: readonly string[] | undefined): Scenario {
  return {
    name,
    title: `Packets pass the router twice, before and after the VPN gateway, with the same addresses and ports; ${flowtable ? 'bridge ports in the flowtable' : 'no flowtable'}.`,
    network: [
      ...VPN.network,
      'on vpn ip route replace default via 10.0.0.1',
      'on internet ip route add 10.0.0.0/24 via 203.0.113.2',
    ],
    rulesets: {
      router: fw4({
        ...(flowtable ? { flowtable } : {}),
        prerouting: [`iifname "br-lan" ether saddr ${MAC.client} ip daddr != 10.0.0.0/24 meta mark set 0xff`],
      }),
    },
    setup: [
      ...MARKED_TABLE,
      `serve internet udp ${SERVER} 5300`,
      `serve internet tcp ${SERVER} 8080`,
      `serve internet udp ${SERVER} 5400`,
    ],
    captures: CAPTURES,
    steps: [
      ...MEET_ALL,
      `talk bystander background udp 10.0.0.4 33333 ${SERVER} 5400`,
      `talk client victim udp 10.0.0.2 41000 ${SERVER} 5300`,
      flowtable ? 'offloaded udp dport=5300' : 'not_offloaded udp dport=5300',
      'sent victim 30',
      `talk client web tcp 10.0.0.2 42000 ${SERVER} 8080`,
      flowtable ? 'offloaded tcp dport=8080' : 'not_offloaded tcp dport=8080',
      'sent victim 30',
      'dump steady',
    ],
    owners: VPN.owners,
    wrong: [
      {
        label: 'frames of the client that left by the uplink without having been at the VPN gateway',
        kind: 'wrong_nexthop',
        filter: `ip.src==10.0.0.2 && ip.dst==${SERVER} && eth.src==${MAC.wan} && ip.ttl==63`,
        expectedMac: MAC.vpn,
        observedMac: MAC.provider,
        since: 'captures_running',
        captures: ['router.wan.pcap'],
      },
      {
        label: 'frames that came from the VPN gateway and were sent to it again',
        kind: 'wrong_nexthop',
        filter: `ip.src==10.0.0.2 && ip.dst==${SERVER} && eth.src==${MAC.lan} && eth.dst==${MAC.vpn} && ip.ttl<63`,
        expectedMac: MAC.provider,
        observedMac: MAC.vpn,
        since: 'captures_running',
      },
    ],
    expect: flowtable
      ? { wrongFrames: 20, isOffloaded: true, cause: 'vpn-bypass' }
      : { wrongFrames: 0, isOffloaded: false },
  };
}
