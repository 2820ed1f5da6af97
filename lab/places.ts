/** The two networks of the lab, as shell lines for `guest/lib.sh`. All addresses and hosts are made up. */

import type { Owner } from './scenario.js';

export const MAC = {
  lan: '60:38:e0:12:00:01',
  wan: '60:38:e0:12:00:02',
  provider: '00:1b:21:3c:00:01',
  pc: '3c:22:fb:20:00:20',
  vm: '52:54:00:7d:02:40',
  container: '02:42:c0:a8:01:f0',
  client: '3c:22:fb:0a:00:02',
  vpn: 'b8:27:eb:0a:00:03',
  bystander: '9c:b6:d0:0a:00:04',
  lan1: '60:38:e0:12:01:01',
  lan2: '60:38:e0:12:01:02',
  lan3: '60:38:e0:12:01:03',
} as const;

/** Beyond the router's uplink, on the host `internet`. */
export const SERVER = '198.51.100.10';
export const SERVER6 = '2001:db8:5::10';
export const ROUTER_WAN = '203.0.113.2';

export interface Place {
  readonly network: readonly string[];
  readonly owners: readonly Owner[];
}

const INTERNET: readonly string[] = [
  'namespace router',
  'namespace internet',
  `cable router wan ${MAC.wan} internet eth0 ${MAC.provider}`,
  'address internet eth0 203.0.113.1/24',
  `address internet lo ${SERVER}/32`,
  `address router wan ${ROUTER_WAN}/24`,
  'on router ip route add default via 203.0.113.1',
  'forwarding router',
];

const WAN_OWNERS: readonly Owner[] = [
  { ip: ROUTER_WAN, mac: MAC.wan, who: 'router', port: 'wan' },
  { ip: '203.0.113.1', mac: MAC.provider, who: "the provider's router", port: 'wan' },
];

/**
 * 192.168.1.0/24: `pc` on lan1, and behind lan3 a hypervisor whose switch joins `vm`, and later `container`, which takes
 * over the address 192.168.1.240. lan2 is free.
 */
export const HOME: Place = {
  network: home(
    ['namespace pc', `cable router lan1 ${MAC.lan1} pc eth0 ${MAC.pc}`],
    ['lan1', 'lan3'],
    ['address pc eth0 192.168.1.20/24', 'on pc ip route add default via 192.168.1.1'],
  ),
  owners: [
    ...WAN_OWNERS,
    { ip: '192.168.1.1', mac: MAC.lan, who: 'router', port: 'br-lan' },
    { ip: '192.168.1.20', mac: MAC.pc, who: 'pc', port: 'lan1' },
  ],
};

/**
 * The same with others in it.
 * @param cables makes hosts and joins them to ports @param ports of the bridge @param rest gives them addresses
 */
export function home(cables: readonly string[], ports: readonly string[], rest: readonly string[]): string[] {
  return [
    ...INTERNET,
    'namespace hypervisor',
    'namespace vm',
    `cable router lan3 ${MAC.lan3} hypervisor up0 52:54:00:7d:00:01`,
    `cable hypervisor vm0 52:54:00:7d:00:02 vm eth0 ${MAC.vm}`,
    ...cables,
    `switch router br-lan ${MAC.lan} ${ports.join(' ')}`,
    'switch hypervisor virbr0 52:54:00:7d:00:01 up0 vm0',
    'address router br-lan 192.168.1.1/24',
    'address vm eth0 192.168.1.240/24',
    'on vm ip route add default via 192.168.1.1',
    ...rest,
  ];
}

/** A container appears on the hypervisor with the address of the virtual machine, which is gone. */
export const REPLACE_VM: readonly string[] = [
  'event old_gone',
  'on hypervisor ip link delete vm0',
  'namespace container',
  `cable hypervisor ct0 52:54:00:7d:00:03 container eth0 ${MAC.container}`,
  'on hypervisor ip link set ct0 master virbr0',
  'address container eth0 192.168.1.240/24',
  'on container ip route add default via 192.168.1.1',
  'serve container udp 192.168.1.240 51820',
  'event new_up',
  `learnt container eth0 ${MAC.container} 192.168.1.240 router`,
];

export const REPLACED_OWNERS: readonly Owner[] = [
  { ip: '192.168.1.240', mac: MAC.vm, who: 'virtual machine', port: 'lan3', to: 'old_gone' },
  { ip: '192.168.1.240', mac: MAC.container, who: 'container', port: 'lan3', from: 'new_up' },
];

/**
 * 10.0.0.0/24: `client` on lan1, `vpn` (a gateway) on lan2, `bystander` on lan3. The gateway has an uplink of its own and
 * translates to its address there. Packets with the mark 0xff go to the gateway by table 100.
 */
export const VPN: Place = {
  network: [
    ...INTERNET,
    'namespace client',
    'namespace vpn',
    'namespace bystander',
    `cable router lan1 ${MAC.lan1} client eth0 ${MAC.client}`,
    `cable router lan2 ${MAC.lan2} vpn eth0 ${MAC.vpn}`,
    `cable router lan3 ${MAC.lan3} bystander eth0 ${MAC.bystander}`,
    'cable internet eth1 00:1b:21:3c:00:02 vpn tun0 b8:27:eb:0a:00:13',
    `switch router br-lan ${MAC.lan} lan1 lan2 lan3`,
    'address router br-lan 10.0.0.1/24',
    'address client eth0 10.0.0.2/24',
    'address vpn eth0 10.0.0.3/24',
    'address bystander eth0 10.0.0.4/24',
    'address internet eth1 172.31.9.1/24',
    'address vpn tun0 172.31.9.2/24',
    'for host in client bystander; do on $host ip route add default via 10.0.0.1; done',
    'on vpn ip route add default via 172.31.9.1',
    'forwarding vpn',
  ],
  owners: [
    ...WAN_OWNERS,
    { ip: '10.0.0.1', mac: MAC.lan, who: 'router', port: 'br-lan' },
    { ip: '10.0.0.2', mac: MAC.client, who: 'client', port: 'lan1' },
    { ip: '10.0.0.3', mac: MAC.vpn, who: 'VPN gateway', port: 'lan2' },
    { ip: '10.0.0.4', mac: MAC.bystander, who: 'bystander', port: 'lan3' },
  ],
};

/** The VPN gateway translates what it sends into the tunnel, and passes nothing on within the LAN. */
export const VPN_RULESET = `table inet vpn {
	chain forward {
		type filter hook forward priority filter; policy accept;
		iifname "eth0" oifname "eth0" drop
	}
	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "tun0" masquerade
	}
}
`;

/** The marked table: everything by the VPN gateway. */
export const MARKED_TABLE: readonly string[] = [
  'on router ip rule add fwmark 0xff lookup 100 priority 100',
  'on router ip route add default via 10.0.0.3 dev br-lan table 100',
];

/** Everybody in the VPN gateway's network makes itself known to the router. */
export const MEET_ALL: readonly string[] = [
  'meet client 10.0.0.1',
  'meet vpn 10.0.0.1 172.31.9.1',
  'meet bystander 10.0.0.1',
];
