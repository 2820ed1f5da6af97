import { fw4 } from '../fw4.js';
import { HOME, home, MAC, ROUTER_WAN, SERVER } from '../places.js';
import type { Expectation, Scenario } from '../scenario.js';

const DNAT = [`iifname "wan" ip daddr ${ROUTER_WAN} udp dport 51820 dnat ip to 192.168.1.30:51820`];
const STATION = '3c:22:fb:30:00:30';

/** A host moves from one port of the bridge to another and keeps its MAC, as between two access points. */
export const ROAMING: readonly Scenario[] = [
  roaming('roaming', 'bridge ports in the flowtable', ['lan1', 'lan2', 'wan'], {
    wrongFrames: 20,
    isOffloaded: true,
    cause: 'wrong-port',
  }),
  roaming(
    'roaming-vlan',
    'bridge ports in the flowtable, on a bridge that filters VLANs and has all ports untagged in VLAN 1',
    ['lan1', 'lan2', 'wan'],
    { wrongFrames: 20, isOffloaded: true, cause: 'wrong-port' },
    ['on router ip link set br-lan type bridge vlan_filtering 1'],
  ),
  roaming('roaming-bridge', 'the bridge in the flowtable', ['br-lan', 'wan'], { wrongFrames: 0, isOffloaded: true }),
  roamingBack(),
];

/** The station moves on, the entry is deleted, and the station comes back: each time the flow stays where it was. */
function roamingBack(): Scenario {
  const base = roaming('roaming-back', 'bridge ports in the flowtable, and comes back', ['lan1', 'lan2', 'wan'], {
    wrongFrames: 40,
    isOffloaded: true,
    cause: 'wrong-port',
  });
  const back = `port ${STATION} lan1 after back`;
  return {
    ...base,
    steps: [
      ...base.steps,
      'event back',
      'on station ip link set wlan1 down',
      'on station ip address flush dev wlan1',
      `on station ip link set wlan0 address ${STATION} up`,
      'address station wlan0 192.168.1.30/24',
      'on station ip route add default via 192.168.1.1',
      `moved() { say station wlan0 ${STATION} 192.168.1.30; on router bridge fdb show dev lan1 | grep -q ${STATION}; }`,
      'until_true "the bridge to see the station on lan1" moved',
      'meet router 192.168.1.30',
      'sent victim 60',
      'dump stale-again',
      'forget udp --orig-port-dst 51820',
      'received victim 10',
    ],
    owners: [
      ...base.owners.map((owner) => (owner.from === 'new_up' ? { ...owner, to: 'back' } : owner)),
      { ip: '192.168.1.30', mac: STATION, who: 'station', port: 'lan1', from: 'back' },
    ],
    wrong: base.wrong.flatMap((entry) => [
      { ...entry, until: back, least: 20 },
      {
        ...entry,
        label:
          'right MAC, but the port that the station had left again, after the bridge had seen it back on the first',
        since: back,
        captures: ['router.lan2.pcap'],
        least: 20,
      },
    ]),
  };
}

function roaming(
  name: string,
  how: string,
  flowtable: readonly string[],
  expect: Expectation,
  more: readonly string[] = [],
): Scenario {
  return {
    name,
    title: `A station moves from port lan1 to lan2 with its MAC in the middle of a flow; ${how}.`,
    // Two access points, each a switch between a port of the router and the station's radio there.
    network: home(
      [
        'namespace ap1',
        'namespace ap2',
        'namespace station',
        `cable router lan1 ${MAC.lan1} ap1 up0 9c:b6:d0:00:01:00`,
        `cable router lan2 ${MAC.lan2} ap2 up0 9c:b6:d0:00:02:00`,
        `cable ap1 radio0 9c:b6:d0:00:01:01 station wlan0 ${STATION}`,
        'cable ap2 radio0 9c:b6:d0:00:02:01 station wlan1 3c:22:fb:30:00:31',
      ],
      ['lan1', 'lan2', 'lan3'],
      [
        'switch ap1 br0 9c:b6:d0:00:01:00 up0 radio0',
        'switch ap2 br0 9c:b6:d0:00:02:00 up0 radio0',
        'on station ip link set wlan1 down',
        'address station wlan0 192.168.1.30/24',
        'on station ip route add default via 192.168.1.1',
        ...more,
      ],
    ),
    rulesets: { router: fw4({ flowtable, dstnat: DNAT }) },
    setup: ['serve station udp 0.0.0.0 51820', `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'lan1', 'lan2', 'lan3', 'wan'],
    steps: [
      'meet station 192.168.1.1 203.0.113.1',
      'meet vm 192.168.1.1',
      `talk internet victim udp ${SERVER} 40000 ${ROUTER_WAN} 51820`,
      `talk vm background udp 192.168.1.240 33333 ${SERVER} 5300`,
      'offloaded udp dport=51820',
      'offloaded udp dport=5300',
      'received victim 20',
      'dump offloaded',
      'event old_gone',
      'on station ip link set wlan0 down',
      'on station ip address flush dev wlan0',
      `on station ip link set wlan1 address ${STATION} up`,
      'address station wlan1 192.168.1.30/24',
      'on station ip route add default via 192.168.1.1',
      'event new_up',
      `moved() { say station wlan1 ${STATION} 192.168.1.30; on router bridge fdb show dev lan2 | grep -q ${STATION}; }`,
      'until_true "the bridge to see the station on lan2" moved',
      'meet router 192.168.1.30',
      'sent victim 60',
      'dump stale',
      'forget udp --orig-port-dst 51820',
      'received victim 10',
      'received background 10',
    ],
    owners: [
      ...HOME.owners.filter(({ who }) => who !== 'pc'),
      { ip: '192.168.1.240', mac: MAC.vm, who: 'virtual machine', port: 'lan3' },
      { ip: '192.168.1.30', mac: STATION, who: 'station', port: 'lan1', to: 'old_gone' },
      { ip: '192.168.1.30', mac: STATION, who: 'station', port: 'lan2', from: 'new_up' },
    ],
    wrong: [
      {
        label: 'right MAC, but the port that the station left, after the bridge had seen it on the other',
        kind: 'wrong_port',
        filter: `ip.dst==192.168.1.30 && eth.dst==${STATION} && udp.dstport==51820`,
        expectedMac: STATION,
        observedMac: STATION,
        since: `port ${STATION} lan2`,
        captures: ['router.lan1.pcap'],
      },
    ],
    expect,
  };
}
