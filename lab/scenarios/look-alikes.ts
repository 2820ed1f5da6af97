import { fw4 } from '../fw4.js';
import { HOME, home, MAC, ROUTER_WAN, SERVER } from '../places.js';
import type { Scenario } from '../scenario.js';

const A = '9c:b6:d0:00:0a:01';
const B = '9c:b6:d0:00:0b:01';
const OLD_TENANT = 'b8:27:eb:11:01:50';
const NEW_TENANT = 'b8:27:eb:22:01:50';
const VIRTUAL = '00:00:5e:00:01:0a';

/** Ports of the uplink, and the LAN addresses that they are forwarded to. */
const FORWARDED: readonly (readonly [string, string])[] = [
  ['1001', '192.168.1.250'],
  ['1002', '192.168.1.251'],
  ['1003', '192.168.1.150'],
  ['1004', '192.168.1.130'],
  ['1005', '192.168.1.70'],
];

/** What looks like the fault and is none: addresses that move, are shared, or are answered for by others. */
export const LOOK_ALIKES: Scenario = {
  name: 'look-alikes',
  title:
    'Nothing is wrong: a virtual router and a service address fail over, a lease passes on, a host answers for others, two claim one address; the bridge in the flowtable.',
  network: home(
    [
      'for host in pc a b behind old; do namespace $host; done',
      `cable router lan1 ${MAC.lan1} pc eth0 ${MAC.pc}`,
      `cable router lan2 ${MAC.lan2} a eth0 ${A}`,
      `cable router lan4 60:38:e0:12:01:04 b eth0 ${B}`,
      'cable a eth1 9c:b6:d0:00:0a:02 behind eth0 9c:b6:d0:00:0c:01',
      `cable hypervisor old0 52:54:00:7d:00:04 old eth0 ${OLD_TENANT}`,
    ],
    ['lan1', 'lan2', 'lan3', 'lan4'],
    [
      'on hypervisor ip link set old0 master virbr0',
      'address pc eth0 192.168.1.20/24',
      'address a eth0 192.168.1.61/24',
      'address a eth0 192.168.1.62/24',
      'address b eth0 192.168.1.12/24',
      'address old eth0 192.168.1.150/24',
      'for host in pc a b old; do on $host ip route add default via 192.168.1.1; done',
      // The virtual router's address and the service address, first on a.
      `on a ip link add vrrp0 link eth0 address ${VIRTUAL} type macvlan mode bridge`,
      'on a ip link set vrrp0 up',
      'address a vrrp0 192.168.1.250/24',
      'address a eth0 192.168.1.251/24',
      'address a eth0 192.168.1.70/24',
      // Somebody behind a, whom a answers for.
      'address behind eth0 192.168.1.130/32',
      'on behind ip route add default via 192.168.1.61 dev eth0 onlink',
      'on a ip route add 192.168.1.130 dev eth1',
      'on a sysctl -qw net.ipv4.conf.eth0.proxy_arp=1',
      'forwarding a',
    ],
  ),
  rulesets: {
    router: fw4({
      flowtable: ['br-lan', 'wan'],
      dstnat: FORWARDED.map(([port, ip]) => `iifname "wan" ip daddr ${ROUTER_WAN} udp dport ${port} dnat ip to ${ip}`),
    }),
  },
  setup: [
    'serve a udp 192.168.1.250 1001',
    'serve a udp 192.168.1.251 1002',
    'serve old udp 192.168.1.150 1003',
    'serve behind udp 192.168.1.130 1004',
    'serve a udp 192.168.1.70 1005',
  ],
  captures: ['br-lan', 'lan1', 'lan2', 'lan3', 'lan4', 'wan'],
  steps: [
    'meet pc 192.168.1.1 192.168.1.61 192.168.1.62 192.168.1.12 192.168.1.130 192.168.1.250',
    `for flow in 1 2 3 4 5; do talk internet flow$flow udp ${SERVER} 4000$flow ${ROUTER_WAN} 100$flow; done`,
    'for flow in 1 2 3 4 5; do offloaded udp dport=100$flow; received flow$flow 5; done',
    'dump offloaded',
    'event failover',
    'on a ip link delete vrrp0',
    'on a ip address del 192.168.1.251/24 dev eth0',
    `on b ip link add vrrp0 link eth0 address ${VIRTUAL} type macvlan mode bridge`,
    'on b ip link set vrrp0 up',
    'address b vrrp0 192.168.1.250/24',
    'address b eth0 192.168.1.251/24',
    'serve b udp 192.168.1.250 1001',
    'serve b udp 192.168.1.251 1002',
    'on b python3 -S -E "$lab/traffic.py" vrrp vrrp0 192.168.1.250 192.168.1.250 10',
    `say b vrrp0 ${VIRTUAL} 192.168.1.250`,
    `learnt b eth0 ${B} 192.168.1.251 router`,
    'event lease',
    'on hypervisor ip link delete old0',
    'namespace new',
    `cable hypervisor new0 52:54:00:7d:00:05 new eth0 ${NEW_TENANT}`,
    'on hypervisor ip link set new0 master virbr0',
    `on router python3 -S -E "$lab/traffic.py" dhcp br-lan ${MAC.lan} 192.168.1.1 192.168.1.150 5 ${NEW_TENANT}`,
    'address new eth0 192.168.1.150/24',
    'on new ip route add default via 192.168.1.1',
    'serve new udp 192.168.1.150 1003',
    `learnt new eth0 ${NEW_TENANT} 192.168.1.150 router`,
    'event conflict',
    'address b eth0 192.168.1.70/24',
    'serve b udp 192.168.1.70 1005',
    `learnt b eth0 ${B} 192.168.1.70 router`,
    `learnt a eth0 ${A} 192.168.1.70 router`,
    `learnt b eth0 ${B} 192.168.1.70 router`,
    'for flow in 1 2 3 4 5; do received flow$flow 10; done',
    'dump after',
  ],
  owners: [
    ...HOME.owners,
    { ip: '192.168.1.61', mac: A, who: 'a', port: 'lan2' },
    { ip: '192.168.1.12', mac: B, who: 'b', port: 'lan4' },
    { ip: '192.168.1.250', mac: VIRTUAL, who: 'virtual router on a, then on b', port: 'lan2' },
    { ip: '192.168.1.251', mac: A, who: 'service address on a', port: 'lan2', to: 'failover' },
    { ip: '192.168.1.251', mac: B, who: 'service address on b', port: 'lan4', from: 'failover' },
    { ip: '192.168.1.150', mac: OLD_TENANT, who: 'first tenant', port: 'lan3', to: 'lease' },
    { ip: '192.168.1.150', mac: NEW_TENANT, who: 'second tenant', port: 'lan3', from: 'lease' },
    { ip: '192.168.1.130', mac: A, who: 'a host behind a, which answers for it', port: 'lan2' },
    { ip: '192.168.1.70', mac: A, who: 'a, in conflict with b', port: 'lan2' },
    { ip: '192.168.1.70', mac: B, who: 'b, in conflict with a', port: 'lan4', from: 'conflict' },
  ],
  wrong: [
    {
      label: 'frames for 192.168.1.251 to the old MAC after the router had learnt the new one',
      kind: 'wrong_mac',
      filter: `ip.dst==192.168.1.251 && eth.dst==${A} && eth.src==${MAC.lan}`,
      expectedMac: B,
      observedMac: A,
      since: `neighbor 192.168.1.251 ${B}`,
    },
    {
      label: 'frames for 192.168.1.150 to the old MAC after the router had learnt the new one',
      kind: 'wrong_mac',
      filter: `ip.dst==192.168.1.150 && eth.dst==${OLD_TENANT} && eth.src==${MAC.lan}`,
      expectedMac: NEW_TENANT,
      observedMac: OLD_TENANT,
      since: `neighbor 192.168.1.150 ${NEW_TENANT}`,
    },
  ],
  expect: { wrongFrames: 0, isOffloaded: true },
};
