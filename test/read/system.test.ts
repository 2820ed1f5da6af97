import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf, readText, type TextResult } from '../support/read-text.js';

const lines = (...text: string[]): string => `${text.join('\n')}\n`;

const FIREWALL = lines(
  'config defaults',
  "\toption input 'REJECT'",
  "\toption flow_offloading '1'",
  '\toption flow_offloading_hw "1"',
  '',
  'config zone',
  "\toption name 'lan'",
);
const NETWORK = lines(
  'package network',
  '',
  "config interface 'lan'",
  "\toption device 'br-lan.10'",
  "\toption private_key 'aGVsbG8='",
  'config device',
  "\toption name 'br-lan'",
  "\toption type 'bridge'",
  "\tlist ports 'lan1'",
  "\tlist ports 'lan2'",
  'config bridge-vlan',
  "\toption device 'br-lan'",
  "\toption vlan '10'",
  "\tlist ports 'lan1:u*'",
  'config rule',
  "\toption mark '0xff'",
  "\toption lookup '100'",
  'config rule',
  "\toption lookup '101'",
);
const SHOWN = lines(
  'firewall.@defaults[0]=defaults',
  "firewall.@defaults[0].flow_offloading='1'",
  "firewall.@defaults[0].syn_flood='1'",
  'network.lan=interface',
  "network.lan.device='br-lan'",
  "network.lan.password='secret'",
  'network.cfg030f15=device',
  "network.cfg030f15.ports='lan1' 'lan2'",
  "network.@bridge-vlan[0].ports='lan1:u*' 'lan2:t'",
);

const short = (result: TextResult): string[] =>
  factsOf(result, 'setting').map((s) => `${s.package}.${s.section}.${s.option}=${s.values.join(' ')} (${s.type})`);

describe("OpenWrt's settings", () => {
  it('are read from a file, which tells its package by its sections', () => {
    const result = readText(FIREWALL);
    expect(short(result)).toEqual([
      'firewall.@defaults[0].flow_offloading=1 (defaults)',
      'firewall.@defaults[0].flow_offloading_hw=1 (defaults)',
    ]);
    expect(result.summary.unknownLines).toBe(0);
  });

  it('are read from an export, without keys', () => {
    const result = readText(`root@OpenWrt:~# uci export network\n${NETWORK}`);
    expect(short(result)).toEqual([
      'network.lan.device=br-lan.10 (interface)',
      'network.@device[0].name=br-lan (device)',
      'network.@device[0].type=bridge (device)',
      'network.@device[0].ports=lan1 lan2 (device)',
      'network.@bridge-vlan[0].device=br-lan (bridge-vlan)',
      'network.@bridge-vlan[0].vlan=10 (bridge-vlan)',
      'network.@bridge-vlan[0].ports=lan1:u* (bridge-vlan)',
      'network.@rule[0].mark=0xff (rule)',
      'network.@rule[0].lookup=100 (rule)',
      'network.@rule[1].lookup=101 (rule)',
    ]);
    expect(JSON.stringify(result.facts, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))).not.toContain(
      'aGV',
    );
  });

  it('are read from uci show', () => {
    expect(short(readText(SHOWN))).toEqual([
      'firewall.@defaults[0].flow_offloading=1 (defaults)',
      'network.lan.device=br-lan (interface)',
      'network.cfg030f15.ports=lan1 lan2 (device)',
      'network.@bridge-vlan[0].ports=lan1:u* lan2:t (bridge-vlan)',
    ]);
  });

  it.each([
    lines("You can set option flow_offloading '1' in config defaults."),
    lines("option flow_offloading '1'"),
    lines('network.example.com=1.2.3.4', 'net.ipv4.ip_forward=1'),
    lines('config file', "option flow_offloading '1'"),
    lines("firewall.@defaults[0].flow_offloading='it''s"),
  ])('are not in %j', (text) => {
    expect(factsOf(readText(text), 'setting')).toEqual([]);
  });
});

const LOG = lines(
  'Wed Oct 22 00:03:30 2025 daemon.info hostapd: phy1-ap0: STA 22:39:1a:4a:64:72 IEEE 802.11: associated (aid 1)',
  'Wed Oct 22 00:03:30 2025 daemon.notice hostapd: phy1-ap0: AP-STA-CONNECTED 22:39:1a:4a:64:72 auth_alg=open',
  'Wed Oct 22 00:03:31 2025 daemon.info dnsmasq-dhcp[1]: DHCPACK(tag.2) 172.31.31.142 22:39:1a:4a:64:72 Pixel-9-Pro-XL',
  'Wed Oct 22 00:03:31 2025 daemon.info dnsmasq-dhcp[1]: DHCPREQUEST(br-lan) 172.31.31.142 22:39:1a:4a:64:72',
  "Wed Oct 22 00:03:32 2025 daemon.notice netifd: Network device 'lan1' link is down",
  'Wed Oct 22 00:03:32 2025 kern.info kernel: [  217.462187] br-lan: port 2(phy1-ap0) entered blocking state',
  'Wed Oct 22 00:03:33 2025 user.notice firewall: Reloading firewall due to ifup of wan (eth1)',
  'Wed Oct 22 00:03:34 2025 daemon.notice hostapd: phy1-ap0: AP-STA-DISCONNECTED 22:39:1a:4a:64:72',
  'Sat Nov  1 00:03:34 2025 [1761955414.250] daemon.info dnsmasq-dhcp[1]: DHCPRELEASE(br-lan) 172.31.31.142 22:39:1a:4a:64:72',
);

describe("the system's log", () => {
  it('tells of stations, leases, links, ports and the firewall', () => {
    const result = readText(LOG);
    expect(factsOf(result, 'log-event')).toMatchObject([
      { what: 'station-associated', mac: '22:39:1a:4a:64:72', device: 'phy1-ap0', resolution: 1e9, dated: 'event' },
      { what: 'station-connected', mac: '22:39:1a:4a:64:72', time: 1_761_091_410_000_000_000n },
      { what: 'dhcp-ack', ip: '172.31.31.142', mac: '22:39:1a:4a:64:72' },
      { what: 'link-down', device: 'lan1' },
      { what: 'port-state', device: 'phy1-ap0', master: 'br-lan', state: 'blocking' },
      { what: 'firewall-reload' },
      { what: 'station-disconnected' },
      { what: 'dhcp-release', device: 'br-lan', resolution: 1e6, time: 1_761_955_414_250_000_000n },
    ]);
    expect(factsOf(result, 'log-event')[2]).not.toHaveProperty('device');
    expect(result.diagnostics).toMatchObject([{ id: 'log-time' }]);
    expect(result.summary.unknownLines).toBe(0);
  });

  it('is read in the forms of syslog', () => {
    const result = readText(
      lines(
        'Nov  7 07:45:11 raspberrypi kernel: [303459.005124] br0: port 2(wlan0) entered forwarding state',
        '2025-11-07T07:45:11.123456+01:00 gw dnsmasq-dhcp[99]: DHCPACK(br0) 10.0.0.9 02:11:22:33:44:55',
      ),
    );
    expect(factsOf(result, 'log-event')).toMatchObject([
      { what: 'port-state', device: 'wlan0', master: 'br0' },
      { what: 'dhcp-ack', time: 1_762_497_911_123_456_000n, resolution: 1e6 },
    ]);
    expect(factsOf(result, 'log-event')[0]).not.toHaveProperty('time');
    expect(result.diagnostics).toEqual([]);
  });

  it('counts hidden addresses', () => {
    const { facts, summary } = readText(LOG.replaceAll('22:39:1a:4a:64:72', '22:39:xx:xx:xx:xx'));
    expect(facts.map((fact) => fact.kind === 'log-event' && fact.what)).toEqual([
      'link-down',
      'port-state',
      'firewall-reload',
    ]);
    expect(summary.redacted).toBe(5);
  });

  it.each([
    'DHCPACK(br-lan) 172.31.31.142 22:39:1a:4a:64:72 came late, at Wed Oct 22 00:03:31 2025',
    'hostapd: phy1-ap0: AP-STA-CONNECTED 22:39:1a:4a:64:72',
    'Wed Oct 22 00:03:33 2025 user.notice root: Reloading the firewall is what you need',
    "He said on Oct 22: Network device 'lan1' link is down",
  ])('is not: %s', (text) => {
    expect(readText(lines(text)).facts).toEqual([]);
  });
});

const RELEASE = lines(
  "DISTRIB_ID='OpenWrt'",
  "DISTRIB_RELEASE='24.10.2'",
  "DISTRIB_REVISION='r28739-d9340319c6'",
  "DISTRIB_TARGET='mediatek/filogic'",
  "DISTRIB_DESCRIPTION='OpenWrt 24.10.2 r28739-d9340319c6'",
);
const BOARD = JSON.stringify(
  {
    kernel: '6.6.93',
    hostname: 'gw',
    system: 'ARMv8 Processor rev 4',
    model: 'GL.iNet GL-MT6000',
    board_name: 'glinet,gl-mt6000',
    rootfs_type: 'squashfs',
    release: { distribution: 'OpenWrt', version: '24.10.2', revision: 'r28739', target: 'mediatek/filogic' },
  },
  null,
  '\t',
);

describe('versions', () => {
  it('of the distribution', () => {
    expect(factsOf(readText(RELEASE), 'version')).toMatchObject([
      {
        subject: 'distribution',
        name: 'OpenWrt',
        version: '24.10.2',
        revision: 'r28739-d9340319c6',
        target: 'mediatek/filogic',
        origin: { line: 1 },
      },
    ]);
  });

  it('of the board, with its kernel', () => {
    const result = readText(`root@gw:~# ubus call system board\n${BOARD}\n`);
    expect(factsOf(result, 'version')).toMatchObject([
      { subject: 'board', name: 'GL.iNet GL-MT6000', version: 'glinet,gl-mt6000' },
      { subject: 'distribution', name: 'OpenWrt', version: '24.10.2', revision: 'r28739' },
    ]);
    expect(factsOf(result, 'kernel')).toMatchObject([{ release: '6.6.93' }]);
  });

  it('of tools', () => {
    const result = readText(
      lines(
        'nftables v1.1.1 (Commodore Bullmoose #2)',
        'ip utility, iproute2-6.11.0, libbpf 1.5.0',
        'tcpdump version 4.99.5',
        'libpcap version 1.10.5 (with TPACKET_V3)',
      ),
    );
    expect(factsOf(result, 'version').map(({ name, version }) => `${name} ${version}`)).toEqual([
      'nft 1.1.1',
      'iproute2 6.11.0',
      'tcpdump 4.99.5',
      'libpcap 1.10.5',
    ]);
  });

  it('are not in prose or other JSON', () => {
    const prose = lines('I run OpenWrt 24.10.2 with tcpdump version 4.99.5 on it, and nftables v1.1.1 (a newer one).');
    expect(readText(prose).facts).toEqual([]);
    expect(readText(lines(JSON.stringify({ kernel: '6.6.93', model: 'x', release: { version: '1' } }))).facts).toEqual(
      [],
    );
    expect(readText(lines("DISTRIB_ID='OpenWrt'")).facts).toEqual([]);
  });
});

describe('settings, logs and versions that were damaged', () => {
  it('are read in time', () => {
    const bytes = new TextEncoder().encode([FIREWALL, NETWORK, SHOWN, LOG, RELEASE, BOARD].join(''));
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), (changes) => {
        const mutated = Uint8Array.from(bytes);
        for (const [at, value] of changes) mutated[at] = value;
        readText(mutated);
      }),
      { numRuns: 150 },
    );
  });

  it.each(["'", 'a ', '=', '.', "option a '", '[1'])('in time when a line repeats %j', { timeout: 5_000 }, (piece) => {
    for (const head of ['', 'config ', "network.lan.a='", 'Wed Oct 22 00:03:31 2025 daemon.info a: ', "DISTRIB_ID='"]) {
      readText(`${head}${piece.repeat(60_000 / piece.length)}\n`.repeat(5));
    }
  });
});
