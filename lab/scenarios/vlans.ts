import { fw4 } from '../fw4.js';
import { HOME, MAC, SERVER } from '../places.js';
import type { Scenario } from '../scenario.js';

const PORTS = ['lan1', 'lan3', 'wan'];

/** A network whose VLAN gets another number, on a bridge whose port to a hypervisor is a trunk of both. */
export const VLANS: readonly Scenario[] = [
  renumbered('vlan-changed', 'bridge ports in the flowtable', PORTS),
  renumbered('vlan-changed-no-offload', 'no flowtable', undefined),
];

/** 192.168.1.0/24 is VLAN 10 and becomes VLAN 20; the pc is in VLAN 30, and the router between them. */
function renumbered(name: string, how: string, flowtable: readonly string[] | undefined): Scenario {
  return {
    name,
    title: `A network moves from VLAN 10 to VLAN 20 of the same trunk in the middle of a flow from another VLAN; ${how}.`,
    network: [
      ...HOME.network.filter((line) => line !== 'address router br-lan 192.168.1.1/24'),
      'on router ip link set br-lan type bridge vlan_filtering 1 vlan_default_pvid 0',
      'for vlan in 10 20 30; do on router bridge vlan add dev br-lan vid $vlan self; done',
      'for vlan in 10 20; do on router bridge vlan add dev lan3 vid $vlan; done',
      'on router bridge vlan add dev lan1 vid 30 pvid untagged',
      'for vlan in 10 20 30; do on router ip link add link br-lan name br-lan.$vlan type vlan id $vlan; on router ip link set br-lan.$vlan up; done',
      'address router br-lan.10 192.168.1.1/24',
      'address router br-lan.30 192.168.3.1/24',
      'on pc ip address flush dev eth0',
      'address pc eth0 192.168.3.20/24',
      'on pc ip route add default via 192.168.3.1',
      'on hypervisor ip link set virbr0 type bridge vlan_filtering 1 vlan_default_pvid 0',
      'for vlan in 10 20; do on hypervisor bridge vlan add dev up0 vid $vlan; done',
      'on hypervisor bridge vlan add dev vm0 vid 10 pvid untagged',
    ],
    rulesets: { router: fw4(flowtable ? { flowtable } : {}) },
    setup: ['serve vm udp 192.168.1.240 51820', `serve internet udp ${SERVER} 5300`],
    captures: ['br-lan', 'lan1', 'lan3', 'wan'],
    steps: [
      'meet vm 192.168.1.1',
      'meet pc 192.168.3.1',
      'talk pc victim udp 192.168.3.20 40000 192.168.1.240 51820',
      `talk pc background udp 192.168.3.20 33333 ${SERVER} 5300`,
      flowtable ? 'offloaded udp dport=51820' : 'not_offloaded udp dport=51820',
      'received victim 20',
      'received background 10',
      'dump offloaded',
      'event old_gone',
      'address router br-lan.20 192.168.1.1/24',
      'on router ip address del 192.168.1.1/24 dev br-lan.10',
      'on hypervisor bridge vlan add dev vm0 vid 20 pvid untagged',
      'on hypervisor bridge vlan del dev vm0 vid 10',
      'event new_up',
      'meet vm 192.168.1.1',
      'meet router 192.168.1.240',
      'sent victim 60',
      'dump stale',
      ...(flowtable ? ['forget udp --orig-port-dst 51820'] : []),
      'received victim 10',
      'received background 10',
    ],
    owners: [
      ...HOME.owners.filter(({ who }) => who !== 'pc'),
      { ip: '192.168.3.20', mac: MAC.pc, who: 'pc', port: 'lan1' },
      { ip: '192.168.1.240', mac: MAC.vm, who: 'virtual machine in VLAN 10', port: 'lan3', to: 'old_gone' },
      { ip: '192.168.1.240', mac: MAC.vm, who: 'virtual machine in VLAN 20', port: 'lan3', from: 'new_up' },
    ],
    wrong: [
      {
        label: 'right MAC, but in the VLAN that the host had left, after the router had learnt the other',
        kind: 'wrong_vlan',
        filter: `vlan.id==10 && ip.dst==192.168.1.240 && eth.dst==${MAC.vm} && eth.src==${MAC.lan}`,
        expectedMac: MAC.vm,
        observedMac: MAC.vm,
        since: `neighbor 192.168.1.240 ${MAC.vm} br-lan.20`,
      },
    ],
    expect: flowtable
      ? { wrongFrames: 20, isOffloaded: true, cause: 'wrong-vlan' }
      : { wrongFrames: 0, isOffloaded: false },
  };
}
