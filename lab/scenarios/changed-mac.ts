import { fw4 } from '../fw4.js';
import { HOME, MAC, REPLACE_VM, REPLACED_OWNERS, ROUTER_WAN, SERVER, SERVER6 } from '../places.js';
import type { Scenario, Wrong } from '../scenario.js';

const NEW_PC = '3c:22:fb:20:00:21';
const VM6 = '2001:db8:1::240';

/** Stale MACs in other dress: TCP, IPv6, VLANs. */
export const CHANGED_MAC: readonly Scenario[] = [
  tcp('tcp', true),
  tcp('tcp-no-offload', false),
  ipv6('ipv6', true),
  ipv6('ipv6-bridge', false),
  vlan(),
];

/** A download, while the downloading host changes its MAC in place. */
function tcp(name: string, isOffloaded: boolean): Scenario {
  const filter = `ip.dst==192.168.1.20 && eth.dst==${MAC.pc} && tcp`;
  return {
    name,
    title: `A host changes its MAC in the middle of a download over TCP; ${isOffloaded ? 'bridge ports in the flowtable' : 'no flowtable'}.`,
    network: HOME.network,
    rulesets: { router: fw4(isOffloaded ? { flowtable: ['lan1', 'lan3', 'wan'] } : {}) },
    setup: [`serve_stream internet ${SERVER} 8080`, `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'lan1', 'lan3', 'wan'],
    steps: [
      'meet pc 192.168.1.1',
      'meet vm 192.168.1.1',
      `fetch pc download 192.168.1.20 42000 ${SERVER} 8080`,
      isOffloaded ? 'offloaded tcp dport=8080' : 'not_offloaded tcp dport=8080',
      'received download 20',
      'dump offloaded',
      'event old_gone',
      `on pc ip link set eth0 address ${NEW_PC}`,
      'event new_up',
      `learnt pc eth0 ${NEW_PC} 192.168.1.20 router`,
      'meet router 192.168.1.20',
      ...(isOffloaded ? [`seen router.lan1.pcap 'ether dst ${MAC.pc} and tcp and dst host 192.168.1.20' 5`] : []),
      'dump stale',
      ...(isOffloaded ? ['forget tcp --orig-port-dst 8080'] : []),
      'received download 20',
    ],
    owners: [
      ...HOME.owners.filter(({ who }) => who !== 'pc'),
      { ip: '192.168.1.20', mac: MAC.pc, who: 'pc', port: 'lan1', to: 'old_gone' },
      { ip: '192.168.1.20', mac: NEW_PC, who: 'pc', port: 'lan1', from: 'new_up' },
      { ip: '192.168.1.240', mac: MAC.vm, who: 'virtual machine', port: 'lan3' },
    ],
    wrong: staleEntries(filter, '192.168.1.20', MAC.pc, NEW_PC),
    expect: isOffloaded ? { wrongFrames: 3, isOffloaded, cause: 'stale-mac' } : { wrongFrames: 0, isOffloaded },
  };
}

function ipv6(name: string, isDirect: boolean): Scenario {
  const filter = `ipv6.dst==${VM6} && eth.dst==${MAC.vm} && udp`;
  return {
    name,
    title: `A host with an IPv6 address is replaced in the middle of a flow; ${isDirect ? 'bridge ports' : 'the bridge'} in the flowtable.`,
    usesIpv6: true,
    network: [
      ...HOME.network,
      'address router br-lan 2001:db8:1::1/64',
      'address router wan 2001:db8:f::2/64',
      'address internet eth0 2001:db8:f::1/64',
      `address internet lo ${SERVER6}/128`,
      `address vm eth0 ${VM6}/64`,
      'on vm ip -6 route add default via 2001:db8:1::1',
      'on router ip -6 route add default via 2001:db8:f::1',
      'on internet ip -6 route add 2001:db8:1::/64 via 2001:db8:f::2',
    ],
    rulesets: { router: fw4({ flowtable: isDirect ? ['lan1', 'lan3', 'wan'] : ['br-lan', 'wan'] }) },
    setup: [`serve vm udp ${VM6} 51820`, `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'lan1', 'lan3', 'wan'],
    steps: [
      'meet vm 2001:db8:1::1 2001:db8:f::1',
      'meet pc 192.168.1.1',
      `talk internet victim udp ${SERVER6} 40000 ${VM6} 51820`,
      `talk pc background udp 192.168.1.20 33333 ${SERVER} 5300`,
      'offloaded udp dport=51820 ipv6',
      'received victim 20',
      'dump offloaded',
      ...REPLACE_VM.map((line) =>
        line
          .replace('192.168.1.240/24', `${VM6}/64`)
          .replace('ip route add default via 192.168.1.1', 'ip -6 route add default via 2001:db8:1::1')
          .replace('192.168.1.240', VM6),
      ),
      `meet router ${VM6}`,
      'sent victim 60',
      'dump stale',
      'on router conntrack -D -f ipv6 -p udp --orig-port-dst 51820',
      'received victim 10',
    ],
    owners: [
      ...HOME.owners,
      ...REPLACED_OWNERS.map((owner) => ({ ...owner, ip: VM6 })),
      { ip: '2001:db8:1::1', mac: MAC.lan, who: 'router', port: 'br-lan' },
    ],
    wrong: staleEntries(filter, VM6, MAC.vm, MAC.container),
    expect: isDirect
      ? { wrongFrames: 20, isOffloaded: true, cause: 'stale-mac' }
      : { wrongFrames: 0, isOffloaded: true },
  };
}

/** As stale-mac, on a bridge that knows VLANs: the LAN is VLAN 10, untagged on lan1, tagged on lan3. */
function vlan(): Scenario {
  const filter = `ip.dst==192.168.1.240 && eth.dst==${MAC.vm} && udp`;
  return {
    name: 'vlan',
    title:
      'A host in a VLAN is replaced in the middle of a flow, on a port of a bridge that tags; bridge ports in the flowtable.',
    network: [
      ...HOME.network.filter((line) => line !== 'address router br-lan 192.168.1.1/24'),
      'on router ip link set br-lan type bridge vlan_filtering 1 vlan_default_pvid 0',
      'on router bridge vlan add dev br-lan vid 10 self',
      'on router bridge vlan add dev lan1 vid 10 pvid untagged',
      'on router bridge vlan add dev lan3 vid 10',
      'on router ip link add link br-lan name br-lan.10 type vlan id 10',
      'on router ip link set br-lan.10 up',
      'address router br-lan.10 192.168.1.1/24',
      'on hypervisor ip link set virbr0 type bridge vlan_filtering 1 vlan_default_pvid 0',
      'on hypervisor bridge vlan add dev up0 vid 10',
      'on hypervisor bridge vlan add dev vm0 vid 10 pvid untagged',
    ],
    rulesets: {
      router: fw4({
        flowtable: ['lan1', 'lan3', 'wan'],
        dstnat: [`iifname "wan" ip daddr ${ROUTER_WAN} udp dport 51820 dnat ip to 192.168.1.240:51820`],
      }),
    },
    setup: ['serve vm udp 192.168.1.240 51820', `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'br-lan.10', 'lan1', 'lan3', 'wan'],
    steps: [
      'meet vm 192.168.1.1 203.0.113.1',
      'meet pc 192.168.1.1',
      `talk internet victim udp ${SERVER} 40000 ${ROUTER_WAN} 51820`,
      `talk pc background udp 192.168.1.20 33333 ${SERVER} 5300`,
      'offloaded udp dport=51820',
      'offloaded udp dport=5300',
      'received victim 20',
      'dump offloaded',
      ...REPLACE_VM.flatMap((line) =>
        line.includes('master virbr0') ? [line, 'on hypervisor bridge vlan add dev ct0 vid 10 pvid untagged'] : [line],
      ),
      'meet router 192.168.1.240',
      'sent victim 60',
      'dump stale',
      'forget udp --orig-port-dst 51820',
      'received victim 10',
    ],
    owners: [...HOME.owners, ...REPLACED_OWNERS],
    wrong: staleEntries(filter, '192.168.1.240', MAC.vm, MAC.container),
    expect: { wrongFrames: 20, isOffloaded: true, cause: 'stale-mac' },
  };
}

function staleEntries(filter: string, ip: string, old: string, fresh: string): Wrong[] {
  const learnt = `neighbor ${ip} ${fresh}`;
  const common = { filter, expectedMac: fresh, observedMac: old };
  return [
    {
      ...common,
      label: `frames for ${ip} to the old MAC after the router had learnt the new one`,
      kind: 'wrong_mac',
      since: learnt,
    },
    { ...common, label: 'the router was not told yet', kind: 'convergence', since: 'old_gone', until: learnt },
  ];
}
