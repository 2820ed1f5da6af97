import { fw4, type Fw4Options } from '../fw4.js';
import { MAC, MARKED_TABLE, MEET_ALL, SERVER, VPN, VPN_RULESET } from '../places.js';
import type { Expectation, Scenario, Wrong } from '../scenario.js';

export const PORTS = ['lan1', 'lan2', 'lan3', 'wan'];
const MARK_CLIENT = ['iifname "br-lan" ip saddr 10.0.0.2 ip daddr != 10.0.0.0/24 meta mark set 0xff'];
const MASQUERADE_MARKED = ['oifname "br-lan" meta mark 0xff masquerade'];

export const CLIENT_TO_VPN: Wrong = {
  label: "frames for the client to the VPN gateway's MAC",
  kind: 'wrong_mac',
  filter: `ip.dst==10.0.0.2 && eth.dst==${MAC.vpn} && eth.src==${MAC.lan}`,
  expectedMac: MAC.client,
  observedMac: MAC.vpn,
  since: 'captures_running',
};

const OFF_LINK: Wrong = {
  label: 'the router asks on the LAN who has an address beyond it',
  kind: 'offlink_arp',
  filter: `arp.opcode==1 && arp.dst.proto_ipv4==${SERVER} && eth.src==${MAC.lan}`,
  since: 'captures_running',
};

export const MARKED: Fw4Options = { prerouting: MARK_CLIENT, srcnat: MASQUERADE_MARKED };

/** As docs/upstream.md proposes. */
const OFFLOAD_CHAIN = `	chain offload_flows {
		meta mark != 0 ct mark set meta mark return
		ct mark != 0 return
		meta l4proto { tcp, udp } flow add @ft
	}
`;

const FAULT: Expectation = { wrongFrames: 20, isOffloaded: true, cause: 'pbr-next-hop' };

/** The client's marked packets go to a VPN gateway on its own network. */
export const POLICY_ROUTING: readonly Scenario[] = [
  routed('policy-routing', 'bridge ports in the flowtable', { ...MARKED, flowtable: PORTS }, FAULT),
  routed(
    'policy-routing-bridge',
    'the bridge in the flowtable of a ruleset written by hand',
    { ...MARKED, flowtable: ['br-lan', 'wan'], table: 'inet firewall' },
    FAULT,
  ),
  routed('policy-routing-no-offload', 'no flowtable', MARKED, { wrongFrames: 0, isOffloaded: false }),
  routed(
    'policy-routing-lan-route',
    'cured: the marked table also holds the route to the LAN',
    { ...MARKED, flowtable: PORTS },
    { wrongFrames: 0, isOffloaded: true },
    ['on router ip route add 10.0.0.0/24 dev br-lan table 100'],
  ),
  routed(
    'policy-routing-mark-guard',
    'half cured: marked packets do not offload, but their unmarked replies do',
    { ...MARKED, flowtable: PORTS, offload: 'meta mark 0 meta l4proto { tcp, udp } flow add @ft' },
    { wrongFrames: 0, isOffloaded: true },
  ),
  routed(
    'proposed-firewall4',
    'cured: offload in a chain of its own, which connections of marked packets leave',
    { ...MARKED, flowtable: PORTS, offload: 'jump offload_flows', chains: OFFLOAD_CHAIN },
    { wrongFrames: 0, isOffloaded: false },
  ),
  routed(
    'split-table',
    'the marked table sends the server out by the uplink, and all else to the gateway',
    { prerouting: MARK_CLIENT, flowtable: PORTS },
    FAULT,
    [`on router ip route add ${SERVER}/32 via 203.0.113.1 dev wan table 100`],
  ),
  routed(
    'split-table-no-offload',
    'the marked table sends the server out by the uplink; no flowtable',
    { prerouting: MARK_CLIENT },
    { wrongFrames: 0, isOffloaded: false },
    [`on router ip route add ${SERVER}/32 via 203.0.113.1 dev wan table 100`],
  ),
  routed(
    'forward-mark',
    'the mark is set in forwarding only (as for shaping), and routes nothing',
    {
      flowtable: PORTS,
      mangleForward: ['iifname "br-lan" oifname "wan" ip saddr 10.0.0.2 meta mark set 0xff'],
    },
    FAULT,
  ),
  routed(
    'marked-replies',
    'no flowtable: replies carry the mark too, and the table lacks the LAN (a fault of the configuration)',
    {
      srcnat: MASQUERADE_MARKED,
      prerouting: ['ct mark 0xff meta mark set ct mark', ...MARK_CLIENT, 'meta mark 0xff ct mark set meta mark'],
    },
    { wrongFrames: 20, isOffloaded: false, cause: 'pbr-table-incomplete' },
  ),
  routed(
    'marked-replies-offload',
    'replies carry the mark too, and the table lacks the LAN; bridge ports in the flowtable, which goes on with the fault',
    {
      flowtable: PORTS,
      srcnat: MASQUERADE_MARKED,
      prerouting: ['ct mark 0xff meta mark set ct mark', ...MARK_CLIENT, 'meta mark 0xff ct mark set meta mark'],
    },
    { wrongFrames: 20, isOffloaded: true, cause: 'pbr-table-incomplete' },
  ),
];

function routed(
  name: string,
  how: string,
  options: Fw4Options,
  expect: Expectation,
  routes: readonly string[] = [],
): Scenario {
  return {
    name,
    title: `Policy routing by mark to a VPN gateway on the client's own network, masqueraded; ${how}.`,
    network: VPN.network,
    rulesets: { router: fw4(options), vpn: VPN_RULESET },
    setup: [
      ...MARKED_TABLE,
      ...routes,
      // The first packets get no answer, so that one of the client's triggers the offload.
      `serve internet udp ${SERVER} 5300 3`,
      `serve internet udp ${SERVER} 5400`,
      `serve internet tcp ${SERVER} 8080`,
    ],
    captures: ['br-lan', 'lan1', 'lan2', 'lan3', 'wan', 'client:eth0', 'vpn:eth0'],
    steps: [
      ...MEET_ALL,
      `talk bystander background udp 10.0.0.4 33333 ${SERVER} 5400`,
      // Without offload nothing gets through where replies are misled, not even a handshake.
      ...(expect.cause === 'pbr-table-incomplete' ? [] : [`talk client web tcp 10.0.0.2 42000 ${SERVER} 8080`]),
      `talk client victim udp 10.0.0.2 41000 ${SERVER} 5300`,
      expect.isOffloaded ? 'offloaded udp dport=5300' : 'sent victim 5; not_offloaded udp dport=5300',
      options.flowtable ? 'offloaded udp dport=5400' : 'not_offloaded udp dport=5400',
      'sent victim 40',
      'meet router 10.0.0.2',
      'received background 10',
      'dump steady',
      'sent victim 10',
    ],
    owners: VPN.owners,
    wrong: [CLIENT_TO_VPN, name === 'policy-routing-mark-guard' ? { ...OFF_LINK, least: 1 } : OFF_LINK],
    expect,
  };
}
