import { fw4 } from '../fw4.js';
import { HOME, MAC, REPLACE_VM, REPLACED_OWNERS, ROUTER_WAN, SERVER } from '../places.js';
import type { Expectation, Scenario, Wrong } from '../scenario.js';

const DNAT = [`iifname "wan" ip daddr ${ROUTER_WAN} udp dport 51820 dnat ip to 192.168.1.240:51820`];

/** The guard of the OpenWrt wiki: the second rule compares the whole status word, and never matches. */
const PUBLISHED_GUARD = `	chain flow_offload {
		type filter hook forward priority filter - 1; policy accept;
		meta mark != 0 return
		ct status { dnat, snat } return
		meta l4proto { tcp, udp } flow add @ft
	}
`;
const BIT_GUARD = PUBLISHED_GUARD.replace('ct status { dnat, snat } return', 'ct status dnat return');

const TO_OLD = `ip.dst==192.168.1.240 && eth.dst==${MAC.vm} && udp`;
const LEARNT = `neighbor 192.168.1.240 ${MAC.container}`;

const WRONG: readonly Wrong[] = [
  {
    label: 'frames for 192.168.1.240 to the old MAC after the router had learnt the new one',
    kind: 'wrong_mac',
    filter: TO_OLD,
    expectedMac: MAC.container,
    observedMac: MAC.vm,
    since: LEARNT,
  },
  {
    label: 'the old host is gone, and the router was not told yet',
    kind: 'convergence',
    filter: TO_OLD,
    expectedMac: MAC.container,
    observedMac: MAC.vm,
    since: 'old_gone',
    until: LEARNT,
  },
];

/** A host is replaced in the middle of a forwarded flow: same address, same port, another MAC. */
export const REPLACED_HOST: readonly Scenario[] = [
  replaced('stale-mac', 'the flowtable lists bridge ports', fw4({ flowtable: ['lan1', 'lan3', 'wan'], dstnat: DNAT }), {
    wrongFrames: 20,
    isOffloaded: true,
    cause: 'stale-mac',
  }),
  replaced('stale-mac-no-offload', 'no flowtable', fw4({ dstnat: DNAT }), { wrongFrames: 0, isOffloaded: false }),
  replaced(
    'bridge-in-flowtable',
    'the flowtable lists the bridge in the stead of its ports',
    fw4({ flowtable: ['br-lan', 'wan'], dstnat: DNAT }),
    { wrongFrames: 0, isOffloaded: true },
  ),
  replaced(
    'bridge-and-ports',
    'the flowtable lists the bridge and its ports',
    fw4({ flowtable: ['br-lan', 'lan1', 'lan3', 'wan'], dstnat: DNAT }),
    { wrongFrames: 20, isOffloaded: true, cause: 'stale-mac' },
  ),
  replaced(
    'published-guard',
    'the guard with `ct status { dnat, snat }`, which never matches',
    fw4({ flowtable: ['lan1', 'lan3', 'wan'], offload: '', dstnat: DNAT, chains: PUBLISHED_GUARD }),
    { wrongFrames: 20, isOffloaded: true, cause: 'stale-mac' },
  ),
  replaced(
    'bit-guard',
    'the guard with `ct status dnat`',
    fw4({ flowtable: ['lan1', 'lan3', 'wan'], offload: '', dstnat: DNAT, chains: BIT_GUARD }),
    { wrongFrames: 0, isOffloaded: false },
  ),
  returned(),
];

/** The address goes to the container and, a minute later, back to the virtual machine; entries are deleted in between. */
function returned(): Scenario {
  const learnt = `neighbor 192.168.1.240 ${MAC.vm} after back`;
  return {
    name: 'host-returns',
    title: 'A host is replaced, and takes its address back within a minute; bridge ports in the flowtable.',
    network: [
      ...HOME.network,
      'namespace container',
      `cable hypervisor ct0 52:54:00:7d:00:03 container eth0 ${MAC.container}`,
      'on hypervisor ip link set ct0 master virbr0',
    ],
    rulesets: { router: fw4({ flowtable: ['lan1', 'lan3', 'wan'], dstnat: DNAT }) },
    setup: ['serve vm udp 0.0.0.0 51820', 'serve container udp 0.0.0.0 51820', `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'lan1', 'lan3', 'wan'],
    steps: [
      'meet vm 192.168.1.1 203.0.113.1',
      'meet pc 192.168.1.1',
      `talk internet victim udp ${SERVER} 40000 ${ROUTER_WAN} 51820`,
      `talk pc background udp 192.168.1.20 33333 ${SERVER} 5300`,
      'offloaded udp dport=51820',
      'received victim 20',
      'dump offloaded',
      'event gone',
      'on vm ip address del 192.168.1.240/24 dev eth0',
      'address container eth0 192.168.1.240/24',
      'on container ip route add default via 192.168.1.1',
      `learnt container eth0 ${MAC.container} 192.168.1.240 router`,
      'sent victim 40',
      'forget udp --orig-port-dst 51820',
      'received victim 20',
      'event back',
      'on container ip address del 192.168.1.240/24 dev eth0',
      'address vm eth0 192.168.1.240/24',
      'on vm ip route add default via 192.168.1.1',
      `learnt vm eth0 ${MAC.vm} 192.168.1.240 router`,
      'sent victim 40',
      'dump stale',
      'forget udp --orig-port-dst 51820',
      'received victim 10',
      'received background 10',
    ],
    owners: [
      ...HOME.owners,
      { ip: '192.168.1.240', mac: MAC.vm, who: 'virtual machine', port: 'lan3', to: 'gone' },
      { ip: '192.168.1.240', mac: MAC.container, who: 'container', port: 'lan3', from: 'gone', to: 'back' },
      { ip: '192.168.1.240', mac: MAC.vm, who: 'virtual machine', port: 'lan3', from: 'back' },
    ],
    wrong: [
      {
        label: 'frames for 192.168.1.240 to the virtual machine while the router knew that the container has it',
        kind: 'wrong_mac',
        filter: TO_OLD,
        expectedMac: MAC.container,
        observedMac: MAC.vm,
        since: LEARNT,
        until: learnt,
        least: 20,
      },
      {
        label:
          'frames for 192.168.1.240 to the container after the router had learnt that the virtual machine has it again',
        kind: 'wrong_mac',
        filter: TO_OLD.replace(MAC.vm, MAC.container),
        expectedMac: MAC.vm,
        observedMac: MAC.container,
        since: learnt,
        least: 20,
      },
    ],
    expect: { wrongFrames: 40, isOffloaded: true, cause: 'stale-mac' },
  };
}

function replaced(name: string, how: string, ruleset: string, expect: Expectation): Scenario {
  return {
    name,
    title: `A host is replaced in the middle of a flow (same address and port, another MAC); ${how}.`,
    network: HOME.network,
    rulesets: { router: ruleset },
    setup: ['serve vm udp 192.168.1.240 51820', `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'lan1', 'lan3', 'wan', 'hypervisor:up0'],
    steps: [
      'meet vm 192.168.1.1 203.0.113.1',
      'meet pc 192.168.1.1',
      `talk internet victim udp ${SERVER} 40000 ${ROUTER_WAN} 51820`,
      `talk pc background udp 192.168.1.20 33333 ${SERVER} 5300`,
      expect.isOffloaded ? 'offloaded udp dport=51820' : 'received victim 5; not_offloaded udp dport=51820',
      ruleset.includes('flowtable') ? 'offloaded udp dport=5300' : 'not_offloaded udp dport=5300',
      'received victim 20',
      'dump offloaded',
      ...REPLACE_VM,
      'meet router 192.168.1.240',
      'sent victim 60',
      'meet router 192.168.1.240',
      'dump stale',
      'forget udp --orig-port-dst 51820',
      'received victim 10',
      'received background 10',
    ],
    owners: [...HOME.owners, ...REPLACED_OWNERS],
    wrong: WRONG,
    expect,
  };
}
