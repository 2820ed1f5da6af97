import { describe, expect, it } from 'vitest';
import { factsOf, readText } from '../support/read-text.js';

const lines = (...text: string[]): string => `${text.join('\n')}\n`;

describe('ip neigh', () => {
  it('gives states, ages and flags', () => {
    const result = readText(
      lines(
        '10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 router REACHABLE',
        '10.0.0.3 dev br-lan lladdr 02:11:22:33:44:56  ref 1 used 73/25/73probes 1 STALE',
        '10.0.0.4 dev br-lan  FAILED',
        'fe80::1 dev wan INCOMPLETE',
        '10.0.0.5 dev br-lan lladdr 02:11:22:33:44:57 extern_learn  NOARP proto zebra',
        '10.0.0.6 dev br-lan  proxy',
      ),
    );
    expect(factsOf(result, 'neighbor')).toMatchObject([
      { ip: '10.0.0.2', mac: '02:11:22:33:44:55', device: 'br-lan', states: ['REACHABLE'], router: true },
      { ip: '10.0.0.3', states: ['STALE'], ages: { used: 73, confirmed: 25, updated: 73 } },
      { ip: '10.0.0.4', states: ['FAILED'] },
      { ip: 'fe80::1', device: 'wan', states: ['INCOMPLETE'] },
      { ip: '10.0.0.5', states: ['NOARP'] },
      { ip: '10.0.0.6', proxy: true, states: [] },
    ]);
    expect(factsOf(result, 'neighbor')[2]).not.toHaveProperty('mac');
    expect(new Set(result.facts.map((fact) => fact.snapshot)).size).toBe(1);
  });

  it('takes the device from the command where the output leaves it out', () => {
    const result = readText(
      lines('root@OpenWrt:~# ip neigh show dev br-lan', '10.0.0.2 lladdr 02:11:22:33:44:55 STALE'),
    );
    expect(factsOf(result, 'neighbor')).toMatchObject([{ device: 'br-lan', partial: true }]);
  });

  it('monitored with -ts gives events; a line without an address is of the forwarding table', () => {
    const result = readText(
      lines(
        '[2026-11-21T07:52:26.411266] dev lan3 lladdr 02:42:c0:a8:01:f0 REACHABLE ',
        '[2026-11-21T07:52:26.412010] 192.168.1.240 dev br-lan lladdr 02:42:c0:a8:01:f0 STALE ',
        '[2026-11-21T07:52:27.000000] [NEIGH]Deleted 192.168.1.9 dev br-lan lladdr 02:42:c0:a8:01:f1 STALE ',
        '[2026-11-21T07:52:28.000000] miss 192.168.1.10 dev br-lan  INCOMPLETE',
      ),
    );
    expect(result.facts).toMatchObject([
      { kind: 'fdb', device: 'lan3', mac: '02:42:c0:a8:01:f0', event: 'changed' },
      { kind: 'neighbor', event: 'changed', dated: 'event', time: 1_795_247_546_412_010_000n },
      { kind: 'neighbor', event: 'deleted', ip: '192.168.1.9' },
      { kind: 'neighbor', event: 'missed', ip: '192.168.1.10' },
    ]);
    expect(result.diagnostics.map((diagnostic) => diagnostic.id)).toEqual(['local-time']);
  });

  it('monitored with -t takes the time from the line before', () => {
    const result = readText(
      lines(
        'Timestamp: Sat Nov 21 07:20:47 2026 123456 usec',
        '10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 STALE',
        'Timestamp: Sat Nov 21 07:20:49 2026 000001 usec',
        'Deleted 10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 STALE',
      ),
    );
    expect(factsOf(result, 'neighbor')).toMatchObject([
      { event: 'changed', dated: 'event', time: 1_795_245_647_123_456_000n },
      { event: 'deleted', time: 1_795_245_649_000_001_000n },
    ]);
  });

  it('piped through a program that stamps lines is dated by them', () => {
    const result = readText(
      lines(
        '1795247546.411266 10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 STALE',
        '2026-11-21T07:52:27Z 10.0.0.3 dev br-lan FAILED',
      ),
    );
    expect(factsOf(result, 'neighbor')).toMatchObject([
      { ip: '10.0.0.2', time: 1_795_247_546_411_266_000n, dated: 'snapshot', partial: true },
      { ip: '10.0.0.3', time: 1_795_247_547_000_000_000n },
    ]);
  });

  it('with hidden addresses or cut lines gives nothing', () => {
    const result = readText(
      lines(
        '192.168.x.x dev br-lan lladdr 02:11:22:33:44:55 STALE',
        '10.0.0.2 dev br-lan lladdr aa:bb:xx:xx:xx:xx STALE',
      ) + '10.0.0.3 dev br-lan lladdr 02:11:22:33:44:5',
    );
    expect(result.facts).toEqual([]);
    expect(result.summary).toMatchObject({ redacted: 2, unknownLines: 1 });
  });
});

describe('ARP tables', () => {
  it('are read in the forms of kernel, Linux and BSD', () => {
    const result = readText(
      lines(
        'IP address       HW type     Flags       HW address            Mask     Device',
        '192.168.1.240    0x1         0x2         02:42:c0:a8:01:f0     *        br-lan',
        '192.168.1.2      0x1         0x0         00:00:00:00:00:00     *        br-lan',
        '192.168.1.3      0x1         0x6         02:42:c0:a8:01:f3     *        br-lan',
        '? (10.0.0.2) at 02:11:22:33:44:55 [ether] on br-lan',
        '? (10.0.0.3) at <incomplete> on br-lan',
        '? (10.0.0.4) at 2:0:5e:0:1:a on en0 ifscope [ethernet]',
        'Address                  HWtype  HWaddress           Flags Mask            Iface',
        '10.0.0.9                 ether   02:11:22:33:44:59   C                     eth0',
        '  192.168.1.7           02-11-22-33-44-77     dynamic   ',
      ),
    );
    expect(factsOf(result, 'neighbor')).toMatchObject([
      { ip: '192.168.1.240', mac: '02:42:c0:a8:01:f0', states: [] },
      { ip: '192.168.1.2', states: ['INCOMPLETE'] },
      { ip: '192.168.1.3', states: ['PERMANENT'] },
      { ip: '10.0.0.2', mac: '02:11:22:33:44:55', device: 'br-lan' },
      { ip: '10.0.0.3', states: ['INCOMPLETE'] },
      { ip: '10.0.0.4', mac: '02:00:5e:00:01:0a', device: 'en0' },
      { ip: '10.0.0.9', mac: '02:11:22:33:44:59', device: 'eth0' },
      { ip: '192.168.1.7', mac: '02:11:22:33:44:77', states: [] },
    ]);
    expect(result.summary.unknownLines).toBe(0);
  });
});

describe('ip link and ip addr', () => {
  it('give links, masters, VLANs and addresses', () => {
    const result = readText(
      lines(
        '4: lan1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br-lan state UP mode DEFAULT group default qlen 1000',
        '    link/ether 94:83:c4:10:00:11 brd ff:ff:ff:ff:ff:ff link-netns pc promiscuity 1',
        '    veth ',
        '    bridge_slave state forwarding priority 32 cost 2 ',
        '7: br-lan.10@br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000',
        '    link/ether 94:83:c4:10:00:01 brd ff:ff:ff:ff:ff:ff',
        '    vlan protocol 802.1Q id 10 <REORDER_HDR> numtxqueues 1',
        '    inet 192.168.10.1/24 brd 192.168.10.255 scope global br-lan.10',
        '       valid_lft forever preferred_lft forever',
        '    inet6 fd00::1/64 scope global ',
        '9: ppp0: <POINTOPOINT,MULTICAST,NOARP,UP,LOWER_UP> mtu 1492 qdisc fq_codel state UNKNOWN qlen 3',
        '    link/ppp ',
        '    inet 100.64.1.2 peer 100.64.1.1/32 scope global ppp0',
      ),
    );
    expect(result.facts).toMatchObject([
      { kind: 'link', index: 4, device: 'lan1', master: 'br-lan', mac: '94:83:c4:10:00:11', type: 'veth' },
      { kind: 'link', index: 7, device: 'br-lan.10', lower: 'br-lan', type: 'vlan', vlan: 10 },
      { kind: 'address', device: 'br-lan.10', ip: '192.168.10.1', prefixLength: 24, scope: 'global' },
      { kind: 'address', device: 'br-lan.10', ip: 'fd00::1', prefixLength: 64 },
      { kind: 'link', index: 9, device: 'ppp0' },
      { kind: 'address', device: 'ppp0', ip: '100.64.1.2', peer: '100.64.1.1', prefixLength: 32 },
    ]);
    expect(result.facts[0]).not.toHaveProperty('lower');
    expect(result.summary.unknownLines).toBe(0);
  });

  it('give the same in one line and in brief', () => {
    expect(
      readText(
        lines(
          '2: br-lan: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\\    link/ether 94:83:c4:10:00:01 brd ff:ff:ff:ff:ff:ff',
          '2: br-lan    inet 192.168.1.1/24 brd 192.168.1.255 scope global br-lan\\       valid_lft forever preferred_lft forever',
        ),
      ).facts,
    ).toMatchObject([
      { kind: 'link', mac: '94:83:c4:10:00:01' },
      { kind: 'address', device: 'br-lan', ip: '192.168.1.1' },
    ]);
    expect(
      readText(
        lines(
          'br-lan           UP             192.168.1.1/24 fe80::1/64 ',
          'lan1@eth0        UP             94:83:c4:10:00:11 <BROADCAST,MULTICAST,UP,LOWER_UP> ',
        ),
      ).facts,
    ).toMatchObject([
      { kind: 'address', device: 'br-lan', prefixLength: 24 },
      { kind: 'address', ip: 'fe80::1', prefixLength: 64 },
      { kind: 'link', device: 'lan1', lower: 'eth0', mac: '94:83:c4:10:00:11' },
    ]);
  });
});

describe('ifconfig', () => {
  it('gives links and addresses in its old and new form', () => {
    const result = readText(
      lines(
        'br-lan    Link encap:Ethernet  HWaddr 94:83:C4:10:00:01  ',
        '          inet addr:192.168.1.1  Bcast:192.168.1.255  Mask:255.255.255.0',
        '          inet6 addr: fe80::9683:c4ff:fe10:1/64 Scope:Link',
        '          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1',
        '          RX packets:1 errors:0 dropped:0 overruns:0 frame:0',
        '',
        'eth0: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu 1500',
        '        inet 10.0.0.1  netmask 255.255.240.0  broadcast 10.0.15.255',
        '        inet6 fe80::1  prefixlen 64  scopeid 0x20<link>',
        '        ether 02:11:22:33:44:55  txqueuelen 1000  (Ethernet)',
      ),
    );
    expect(factsOf(result, 'address')).toMatchObject([
      { device: 'br-lan', ip: '192.168.1.1', prefixLength: 24 },
      { device: 'br-lan', ip: 'fe80::9683:c4ff:fe10:1', prefixLength: 64 },
      { device: 'eth0', ip: '10.0.0.1', prefixLength: 20 },
      { device: 'eth0', ip: 'fe80::1', prefixLength: 64 },
    ]);
    expect(factsOf(result, 'link')).toMatchObject([
      { device: 'br-lan', mac: '94:83:c4:10:00:01' },
      { device: 'eth0', mac: '02:11:22:33:44:55', flags: ['UP', 'BROADCAST', 'RUNNING', 'MULTICAST'] },
    ]);
    expect(result.summary.unknownLines).toBe(0);
  });
});

describe('ip route', () => {
  it('gives types, tables, families and next hops', () => {
    const result = readText(
      lines(
        'default via 10.0.0.3 dev br-lan table 100 proto static metric 5 onlink',
        'default proto static metric 20 ',
        '\tnexthop via 10.0.0.4 dev wan weight 1 ',
        '\tnexthop via 10.0.0.5 dev wan2 weight 2 linkdown ',
        'unreachable default table 200 ',
        '192.168.1.0/24 dev br-lan proto kernel scope link src 192.168.1.1 ',
        '10.9.0.1 dev wg0 scope link',
        'local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1',
        'fe80::/64 dev br-lan proto kernel metric 256 pref medium',
        'default via fe80::1 dev wan proto ra metric 512 expires 1700sec hoplimit 64 pref medium',
        'default dev wg0 metric 1024 pref medium',
      ),
    );
    expect(factsOf(result, 'route')).toMatchObject([
      {
        prefix: '0.0.0.0/0',
        table: '100',
        nextHops: [{ via: '10.0.0.3', device: 'br-lan' }],
        flags: ['onlink'],
        metric: 5,
      },
      {
        prefix: '0.0.0.0/0',
        table: 'main',
        nextHops: [
          { via: '10.0.0.4', device: 'wan', weight: 1 },
          { via: '10.0.0.5', device: 'wan2', weight: 2 },
        ],
      },
      { type: 'unreachable', table: '200', nextHops: [] },
      { prefix: '192.168.1.0/24', source: '192.168.1.1', scope: 'link', protocol: 'kernel' },
      { prefix: '10.9.0.1/32' },
      { type: 'local', prefix: '127.0.0.1/32', table: 'local' },
      { prefix: 'fe80::/64', family: 6 },
      { prefix: '::/0', family: 6, nextHops: [{ via: 'fe80::1', device: 'wan' }] },
      { prefix: '::/0', family: 6, nextHops: [{ device: 'wg0' }] },
    ]);
    expect(result.summary.unknownLines).toBe(0);
  });

  it('takes the table from the command, and no route from an answer of ip route get', () => {
    const result = readText(
      lines(
        '$ ip route show table 100',
        'default via 10.0.0.3 dev br-lan',
        '$ ip route get 10.0.0.2 mark 0xff',
        '10.0.0.2 via 10.0.0.3 dev br-lan table 100 src 10.0.0.1 mark 0xff uid 0 ',
        '    cache ',
      ),
    );
    expect(factsOf(result, 'route')).toMatchObject([{ prefix: '0.0.0.0/0', table: '100' }]);
    expect(readText(lines('8.8.8.8 via 1.1.1.1 dev wan  src 1.2.3.4 ', '    cache ')).facts).toEqual([]);
  });

  it('monitored gives events', () => {
    expect(
      readText(lines('[2026-11-21T07:52:26.411266] [ROUTE]Deleted default via 10.0.0.3 dev br-lan table 100')).facts,
    ).toMatchObject([{ kind: 'route', event: 'deleted', dated: 'event' }]);
  });
});

describe('route -n', () => {
  it('gives the main table', () => {
    expect(
      factsOf(
        readText(
          lines(
            'Kernel IP routing table',
            'Destination     Gateway         Genmask         Flags Metric Ref    Use Iface',
            '0.0.0.0         10.0.0.3        0.0.0.0         UG    5      0        0 br-lan',
            '192.168.1.0     0.0.0.0         255.255.255.0   U     0      0        0 br-lan',
            '10.9.0.1        0.0.0.0         255.255.255.255 UH    0      0        0 wg0',
          ),
        ),
        'route',
      ),
    ).toMatchObject([
      { prefix: '0.0.0.0/0', nextHops: [{ via: '10.0.0.3', device: 'br-lan' }], metric: 5, table: 'main' },
      { prefix: '192.168.1.0/24', nextHops: [{ device: 'br-lan' }] },
      { prefix: '10.9.0.1/32' },
    ]);
  });
});

describe('ip rule', () => {
  it('gives selectors and actions', () => {
    const result = readText(
      lines(
        '0:\tfrom all lookup local',
        '100:\tfrom all lookup main suppress_prefixlength 0',
        '29998:\tfrom all fwmark 0x20000/0xff0000 lookup pbr_vpn',
        '30000:\tnot from 192.168.1.0/24 to 10.0.0.1 iif br-lan oif wan ipproto udp dport 53 goto 32766 [unresolved]',
        '32765:\tfrom all fwmark 0xff unreachable',
      ),
    );
    expect(factsOf(result, 'rule')).toMatchObject([
      { preference: 0, action: 'lookup', table: 'local', inverted: false },
      { preference: 100, suppressPrefixLength: 0 },
      { mark: 0x20000, mask: 0xff0000, table: 'pbr_vpn' },
      {
        inverted: true,
        from: '192.168.1.0/24',
        to: '10.0.0.1/32',
        iif: 'br-lan',
        oif: 'wan',
        others: ['ipproto udp', 'dport 53'],
        action: 'goto',
        goto: 32766,
        family: 4,
      },
      { mark: 0xff, action: 'unreachable' },
    ]);
  });
});

describe('bridge fdb and leases', () => {
  it('give MACs per port, VLAN and flag', () => {
    expect(
      readText(
        lines(
          '94:83:c4:10:00:11 dev lan1 vlan 1 master br-lan permanent',
          'a4:bb:6d:00:00:20 dev lan1 master br-lan ',
          '02:00:00:00:00:09 dev vxlan0 dst 10.0.0.9 self extern_learn',
          '[2026-11-21T07:52:26.411266] Deleted a4:bb:6d:00:00:20 dev lan1 master br-lan stale',
        ),
      ).facts,
    ).toMatchObject([
      { kind: 'fdb', mac: '94:83:c4:10:00:11', device: 'lan1', vlan: 1, master: 'br-lan', permanent: true },
      { permanent: false, flags: [] },
      { device: 'vxlan0', flags: ['self', 'extern_learn'] },
      { event: 'deleted', dated: 'event' },
    ]);
  });

  it('give leases of dnsmasq and odhcpd', () => {
    expect(
      readText(
        lines(
          '1795300000 b8:27:eb:11:11:11 192.168.1.150 pi 01:b8:27:eb:11:11:11',
          '0 b8:27:eb:22:22:22 192.168.1.151 * *',
          '# br-lan 0001000126a5b1c2b827eb111111 3c4d5e6f pi 1795300000 9a 128 fd00::9a/128',
          '# br-lan b827eb333333 ipv4 nas 1795300000 c0a80198 32 192.168.1.152/32',
        ),
      ).facts,
    ).toMatchObject([
      { kind: 'lease', ip: '192.168.1.150', mac: 'b8:27:eb:11:11:11', host: 'pi', expiry: 1795300000 },
      { ip: '192.168.1.151', expiry: 0 },
      { ip: 'fd00::9a', host: 'pi' },
      { ip: '192.168.1.152', mac: 'b8:27:eb:33:33:33', host: 'nas' },
    ]);
  });
});

describe('JSON of iproute2', () => {
  it('gives the same facts as the text', () => {
    const result = readText(
      lines(
        '[{"dst":"10.0.0.2","dev":"br-lan","lladdr":"02:11:22:33:44:55","router":null,"state":["REACHABLE"]}]',
        '[ {',
        '        "dst": "default",',
        '        "gateway": "10.0.0.3",',
        '        "dev": "br-lan",',
        '        "table": "100",',
        '        "flags": [ ]',
        '    } ]',
        '[{"priority":32765,"src":"all","fwmark":"0xff","table":"100"},{"priority":5,"src":"10.0.0.0","srclen":8,"table":"main","suppress_prefixlen":0}]',
        '[{"ifindex":7,"ifname":"br-lan.10","link":"br-lan","flags":["UP"],"link_type":"ether","address":"94:83:c4:10:00:01","linkinfo":{"info_kind":"vlan","info_data":{"id":10}},"addr_info":[{"family":"inet","local":"192.168.10.1","prefixlen":24,"scope":"global"}]}]',
        '[{"mac":"a4:bb:6d:00:00:20","ifname":"lan1","vlan":1,"flags":["self"],"master":"br-lan","state":"permanent"}]',
      ),
    );
    expect(result.facts).toMatchObject([
      { kind: 'neighbor', ip: '10.0.0.2', mac: '02:11:22:33:44:55', states: ['REACHABLE'], router: true },
      { kind: 'route', prefix: '0.0.0.0/0', table: '100', nextHops: [{ via: '10.0.0.3', device: 'br-lan' }] },
      { kind: 'rule', preference: 32765, mark: 0xff, table: '100' },
      { kind: 'rule', from: '10.0.0.0/8', suppressPrefixLength: 0 },
      { kind: 'link', device: 'br-lan.10', lower: 'br-lan', vlan: 10, type: 'vlan' },
      { kind: 'address', ip: '192.168.10.1' },
      { kind: 'fdb', mac: 'a4:bb:6d:00:00:20', vlan: 1, permanent: true },
    ]);
    expect(result.facts[1]?.origin.line).toBe(2);
  });
});
