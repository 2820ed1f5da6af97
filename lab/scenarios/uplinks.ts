import { fw4 } from '../fw4.js';
import { HOME, MAC, REPLACE_VM, REPLACED_OWNERS, ROUTER_WAN, SERVER } from '../places.js';
import type { Scenario } from '../scenario.js';

const DNAT = [`iifname "wan" ip daddr ${ROUTER_WAN} udp dport 51820 dnat ip to 192.168.1.240:51820`];
const UPLINK = new Set([
  `cable router wan ${MAC.wan} internet eth0 ${MAC.provider}`,
  'address internet eth0 203.0.113.1/24',
]);

/** As stale-mac, with an uplink that is no plain device. */
export const UPLINKS: readonly Scenario[] = [
  replaced(
    'macvlan-uplink',
    'the uplink is a macvlan',
    [
      `cable router eth9 60:38:e0:12:00:0e internet eth0 ${MAC.provider}`,
      `on router ip link add wan link eth9 address ${MAC.wan} type macvlan mode private`,
      'on router ip link set wan up',
      'address internet eth0 203.0.113.1/24',
    ],
    ['eth9'],
    [],
  ),
  replaced(
    'bond-uplink',
    'the uplink is a bond, which fails over to its other cable',
    [
      'cable router up1 60:38:e0:12:00:0e internet eth0 00:1b:21:3c:00:0a',
      'cable router up2 60:38:e0:12:00:0f internet eth3 00:1b:21:3c:00:0b',
      ...bond('router', 'wan', MAC.wan, ['up1', 'up2']),
      `switch internet br0 ${MAC.provider} eth0 eth3`,
      'address internet br0 203.0.113.1/24',
    ],
    ['up1', 'up2'],
    ['on router ip link set up1 down', 'event failover', 'received victim 20', 'received background 20'],
  ),
];

function bond(host: string, device: string, mac: string, cables: readonly string[]): string[] {
  return [
    `on ${host} ip link add ${device} address ${mac} type bond mode active-backup miimon 100`,
    ...cables.flatMap((cable) => [
      `on ${host} ip link set ${cable} down`,
      `on ${host} ip link set ${cable} master ${device}`,
    ]),
    ...cables.map((cable) => `on ${host} ip link set ${cable} up`),
    `on ${host} ip link set ${device} up`,
  ];
}

function replaced(
  name: string,
  how: string,
  uplink: readonly string[],
  captures: readonly string[],
  before: readonly string[],
): Scenario {
  return {
    name,
    title: `A host is replaced in the middle of a flow (same address and port, another MAC); ${how}, and stands in the flowtable with bridge ports.`,
    network: HOME.network.flatMap((line) => {
      if (!UPLINK.has(line)) return [line];
      return line.startsWith('cable') ? uplink : [];
    }),
    rulesets: { router: fw4({ flowtable: ['lan1', 'lan3', 'wan'], dstnat: DNAT }) },
    setup: ['serve vm udp 192.168.1.240 51820', `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'lan1', 'lan3', 'wan', ...captures],
    steps: [
      'meet vm 192.168.1.1 203.0.113.1',
      'meet pc 192.168.1.1',
      `talk internet victim udp ${SERVER} 40000 ${ROUTER_WAN} 51820`,
      `talk pc background udp 192.168.1.20 33333 ${SERVER} 5300`,
      'offloaded udp dport=51820',
      'offloaded udp dport=5300',
      'received victim 20',
      'dump offloaded',
      ...before,
      ...REPLACE_VM,
      'meet router 192.168.1.240',
      'sent victim 60',
      'dump stale',
      'forget udp --orig-port-dst 51820',
      'received victim 10',
      'received background 10',
    ],
    owners: [...HOME.owners, ...REPLACED_OWNERS],
    wrong: [
      {
        label: 'frames for 192.168.1.240 to the old MAC after the router had learnt the new one',
        kind: 'wrong_mac',
        filter: `ip.dst==192.168.1.240 && eth.dst==${MAC.vm} && udp`,
        expectedMac: MAC.container,
        observedMac: MAC.vm,
        since: `neighbor 192.168.1.240 ${MAC.container}`,
      },
    ],
    expect: { wrongFrames: 20, isOffloaded: true, cause: 'stale-mac' },
  };
}
