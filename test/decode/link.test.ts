import { describe, expect, it } from 'vitest';
import { decodePacket, hex } from '../support/decode-packet.js';

/** 192.0.2.1 to 198.51.100.2, UDP 1000 to 2000, no payload. */
const udp4 = '4500001c 12340000 40110000 c0000201 c6336402 03e807d0 00080000';
const udp6 = '60000000 00081140 20010db8000000000000000000000001 20010db8000000000000000000000002 03e807d0 00080000';
const arp = '0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202';

const ip4 = { ip: '192.0.2.1 > 198.51.100.2', protocol: 17, ports: [1000, 2000], flags: [] };
const ip6 = { ip: '2001:db8::1 > 2001:db8::2', protocol: 17, ports: [1000, 2000], flags: [] };

const macs = '0200 0000 0002 0200 0000 0001';
const ethernet = { src: '02:00:00:00:00:01', dst: '02:00:00:00:00:02' };

describe('Ethernet', () => {
  it('carries IPv4 and IPv6', () => {
    expect(decodePacket(hex(`${macs} 0800 ${udp4}`))).toMatchObject({
      link: 'ETHERNET',
      ...ethernet,
      ...ip4,
      network: 14,
      transport: 34,
    });
    expect(decodePacket(hex(`${macs} 86dd ${udp6}`))).toMatchObject({
      link: 'ETHERNET',
      ...ethernet,
      ...ip6,
      network: 14,
      transport: 54,
    });
  });
  it('gives up where the packet ends', () => {
    expect(decodePacket(hex(''))).toEqual({ link: 'ETHERNET', flags: ['CUT'] });
    expect(decodePacket(hex('0200 0000 0002 02'))).toEqual({
      link: 'ETHERNET',
      flags: ['CUT'],
      dst: '02:00:00:00:00:02',
    });
    expect(decodePacket(hex(macs))).toEqual({ link: 'ETHERNET', flags: ['CUT'], ...ethernet });
    expect(decodePacket(hex(`${macs} 0800 4500`))).toMatchObject({ ...ethernet, flags: ['CUT'], etherType: 0x800 });
  });
  it('takes VLAN tags of every kind off, and keeps two ids', () => {
    expect(decodePacket(hex(`${macs} 8100 6064 0800 ${udp4}`))).toMatchObject({
      ...ip4,
      vlan: [100],
      etherType: 0x800,
      network: 18,
    });
    expect(decodePacket(hex(`${macs} 8100 0000 0800 ${udp4}`))).toMatchObject({ ...ip4, vlan: [0] });
    for (const outer of ['88a8', '9100', '9200', '9300']) {
      expect(decodePacket(hex(`${macs} ${outer} 0007 8100 0fff 0800 ${udp4}`))).toMatchObject({
        ...ip4,
        vlan: [7, 4095],
      });
    }
    expect(decodePacket(hex(`${macs} 8100 0001 8100 0002 8100 0003 86dd ${udp6}`))).toMatchObject({
      ...ip6,
      vlan: [1, 2],
    });
    expect(decodePacket(hex(`${macs} 8100 00`))).toMatchObject({ flags: ['CUT'], etherType: 0x8100 });
  });
  it('takes PPPoE and MPLS off', () => {
    expect(decodePacket(hex(`${macs} 8864 1100 0001 001e 0021 ${udp4}`))).toMatchObject({
      ...ip4,
      etherType: 0x800,
      network: 22,
    });
    expect(decodePacket(hex(`${macs} 8864 1100 0001 002a 0057 ${udp6}`))).toMatchObject({ ...ip6, etherType: 0x86dd });
    expect(decodePacket(hex(`${macs} 8864 1100 0001 002a 57 ${udp6}`))).toMatchObject(ip6);
    expect(decodePacket(hex(`${macs} 8864 1100 0001 0006 c021 0101 0004`)).ip).toBeUndefined();
    expect(decodePacket(hex(`${macs} 8847 00010040 00020140 ${udp4}`))).toMatchObject(ip4);
    expect(decodePacket(hex(`${macs} 8847 00020140 ${udp6}`))).toMatchObject(ip6);
    expect(decodePacket(hex(`${macs} 8847 00010040 0002`))).toMatchObject({ flags: ['CUT'] });
    expect(decodePacket(hex(`${macs} 8847 00020140 00000000 ${macs} 0800 ${udp4}`)).ip).toBeUndefined();
  });
  it('takes LLC and SNAP off', () => {
    expect(decodePacket(hex(`${macs} 0024 aaaa03 000000 0800 ${udp4}`))).toMatchObject({ ...ip4, etherType: 0x800 });
    expect(decodePacket(hex(`${macs} 0024 aaaa03 0000f8 0800 ${udp4}`))).toMatchObject(ip4);
    expect(decodePacket(hex(`${macs} 0024 aaaa03 00000c 0800 ${udp4}`)).ip).toBeUndefined();
    expect(decodePacket(hex(`${macs} 0026 4242 03 0000 00`))).toMatchObject({ etherType: 0x26 });
  });
  it('tells the direction that the record gives', () => {
    expect(decodePacket(hex(`${macs} 0800 ${udp4}`), 1, { epbFlags: 2 }).flags).toEqual(['OUTGOING']);
    expect(decodePacket(hex(`${macs} 0800 ${udp4}`), 1, { epbFlags: 1 }).flags).toEqual(['INCOMING']);
  });
});

describe('switch tags', () => {
  it('are taken off', () => {
    expect(decodePacket(hex(`${macs} 20000008 0800 ${udp4}`), 281)).toMatchObject({ ...ethernet, ...ip4 });
    expect(decodePacket(hex(`20000008 ${macs} 0800 ${udp4}`), 282)).toMatchObject({ ...ethernet, ...ip4 });
    expect(decodePacket(hex(`${macs} c0180000 0800 ${udp4}`), 284)).toMatchObject({ ...ethernet, ...ip4 });
    expect(decodePacket(hex(`${macs} dada0000 c0180000 0800 ${udp4}`), 285)).toMatchObject({ ...ethernet, ...ip4 });
  });
  it('of Marvell carry the VLAN of a tagged frame', () => {
    expect(decodePacket(hex(`${macs} e0180fa5 0800 ${udp4}`), 284)).toMatchObject({ ...ip4, vlan: [0xfa5] });
    expect(decodePacket(hex(`${macs} dada0000 e018002a 0800 ${udp4}`), 285)).toMatchObject({ ...ip4, vlan: [42] });
  });
  it('may be cut', () => {
    expect(decodePacket(hex(`${macs} c018`), 284)).toEqual({ link: 'ETHERNET', flags: ['CUT'], ...ethernet });
    expect(decodePacket(hex('2000'), 282)).toEqual({ link: 'ETHERNET', flags: ['CUT'] });
  });
});

describe('Linux cooked', () => {
  const source = { link: 'COOKED', src: '02:00:00:00:00:01' };
  it('has a source and a direction', () => {
    const sll = (type: string): string => `${type} 0001 0006 0200 0000 0001 0000 0800 ${udp4}`;
    expect(decodePacket(hex(sll('0000')), 113)).toMatchObject({ ...source, ...ip4, flags: ['INCOMING'] });
    expect(decodePacket(hex(sll('0001')), 113)).toMatchObject({ ...source, flags: [] });
    expect(decodePacket(hex(sll('0003')), 113)).toMatchObject({ ...source, flags: ['OTHER_HOST'] });
    expect(decodePacket(hex(sll('0004')), 113)).toMatchObject({ ...source, flags: ['OUTGOING'] });
    const sll2 = `86dd 0000 00000003 0001 04 06 0200 0000 0001 0000 ${udp6}`;
    expect(decodePacket(hex(sll2), 276)).toMatchObject({ ...source, ...ip6, flags: ['OUTGOING'] });
    expect(decodePacket(hex(sll('0000')), 113).dst).toBeUndefined();
  });
  it('has no source on links without addresses', () => {
    expect(decodePacket(hex(`0000 0200 0000 0000000000000000 0800 ${udp4}`), 113)).toMatchObject({
      link: 'COOKED',
      ...ip4,
      flags: ['INCOMING'],
    });
    expect(decodePacket(hex(`0000 0200 0000 0000000000000000 0800 ${udp4}`), 113).src).toBeUndefined();
  });
  it('has VLAN tags, ARP, LLC, and no packets on netlink', () => {
    expect(decodePacket(hex(`0000 0001 0006 0200 0000 0001 0000 8100 0005 0800 ${udp4}`), 113)).toMatchObject({
      ...ip4,
      vlan: [5],
      flags: ['INCOMING'],
    });
    expect(decodePacket(hex(`0000 0001 0006 0200 0000 0001 0000 0806 ${arp}`), 113).claim).toBe(
      'ARP_REQUEST 192.0.2.1 02:00:00:00:00:01 > 192.0.2.2',
    );
    expect(decodePacket(hex(`0000 0001 0006 0200 0000 0001 0000 0004 aaaa03 000000 0800 ${udp4}`), 113)).toMatchObject({
      ip: ip4.ip,
    });
    expect(decodePacket(hex(`0000 0338 0000 0000000000000000 0800 ${udp4}`), 113).ip).toBeUndefined();
  });
  it('may be cut', () => {
    expect(decodePacket(hex('0000 0001 0006 0200'), 113)).toEqual({ link: 'COOKED', flags: ['CUT'] });
    expect(decodePacket(hex('0800 0000 00000003'), 276)).toEqual({ link: 'COOKED', flags: ['CUT'] });
  });
});

describe('links without MAC addresses', () => {
  it.each([12, 14, 101])('raw IP, link type %i', (linkType) => {
    expect(decodePacket(hex(udp4), linkType)).toMatchObject({ link: 'RAW_IP', ...ip4, network: 0 });
    expect(decodePacket(hex(udp6), linkType)).toMatchObject({ link: 'RAW_IP', ...ip6 });
    expect(decodePacket(hex('00'), linkType)).toEqual({ link: 'RAW_IP', flags: ['MALFORMED'] });
    expect(decodePacket(hex(''), linkType)).toEqual({ link: 'RAW_IP', flags: ['CUT'] });
  });
  it('raw IP of one version', () => {
    expect(decodePacket(hex(udp4), 228)).toMatchObject(ip4);
    expect(decodePacket(hex(udp6), 229)).toMatchObject(ip6);
    expect(decodePacket(hex(udp6), 228)).toMatchObject({ flags: ['MALFORMED'] });
  });
  it.each(['00000002', '02000000'])('loopback, IPv4 as %s', (family) => {
    expect(decodePacket(hex(`${family} ${udp4}`), 0)).toMatchObject({ link: 'LOOPBACK', ...ip4 });
  });
  it.each(['0000001e', '1e000000', '00000018', '1c000000', '0a000000'])('loopback, IPv6 as %s', (family) => {
    expect(decodePacket(hex(`${family} ${udp6}`), 108)).toMatchObject({ link: 'LOOPBACK', ...ip6 });
  });
  it.each([
    ['PPP', 9, `ff03 0021 ${udp4}`],
    ['PPP without address and control', 9, `0021 ${udp4}`],
    ['PPP with a compressed protocol', 9, `21 ${udp4}`],
    ['PPP in HDLC framing', 50, `ff03 0021 ${udp4}`],
    ['Cisco HDLC on a PPP link type', 50, `0f00 0800 ${udp4}`],
    ['PPPoE', 51, `1100 0001 001e 0021 ${udp4}`],
    ['PPP with direction', 204, `00 ff03 0021 ${udp4}`],
    ['Cisco HDLC', 104, `0f00 0800 ${udp4}`],
    ['Frame Relay', 107, `1841 03 cc ${udp4}`],
    ['Frame Relay with SNAP', 107, `1841 03 00 80 000000 0800 ${udp4}`],
    ['Frame Relay of Cisco', 107, `1841 0800 ${udp4}`],
    ['ARCNET', 7, `01 02 f0 ${udp4}`],
    ['ARCNET of Linux', 129, `01 02 0000 d4 00 0000 ${udp4}`],
    ['InfiniBand', 242, `${'00'.repeat(40)} 0800 0000 ${udp4}`],
  ])('%s', (_name, linkType, packet) => {
    expect(decodePacket(hex(packet), linkType)).toMatchObject({ link: 'POINT_TO_POINT', ...ip4 });
    expect(decodePacket(hex(packet), linkType).src).toBeUndefined();
  });
});

describe('old LANs and wrappers', () => {
  it.each([
    ['FDDI', 10, `50 ${macs} aaaa03 000000 0800 ${udp4}`],
    ['Token Ring', 6, `1040 ${macs} aaaa03 000000 0800 ${udp4}`],
    ['Token Ring with a route', 6, `1040 0200 0000 0002 8200 0000 0001 0630 0011 0020 aaaa03 000000 0800 ${udp4}`],
    ['Ethernet in PPI', 192, `00 00 0800 01000000 ${macs} 0800 ${udp4}`],
    ['Ethernet in PKTAP', 258, `0c000000 01000000 01000000 ${macs} 0800 ${udp4}`],
    ['Ethernet bridged over Frame Relay', 107, `1841 03 00 80 0080c2 0007 ${macs} 0800 ${udp4}`],
  ])('%s', (_name, linkType, packet) => {
    expect(decodePacket(hex(packet), linkType)).toMatchObject({ link: 'ETHERNET', ...ethernet, ...ip4 });
  });
  it('do not nest without end', () => {
    expect(decodePacket(hex('0000 0800 c0000000 0000 0800 c0000000'), 192).flags).toEqual([]);
  });
  it('NFLOG has a sender and a packet, in either byte order', () => {
    const little = `02 00 0000 1000 0800 0006 0000 020000000001 0000 2000 0900 ${udp4}`;
    const big = `02 00 0000 0010 0008 0006 0000 020000000001 0000 0020 0009 ${udp4}`;
    for (const packet of [little, big]) {
      expect(decodePacket(hex(packet), 239)).toMatchObject({ link: 'COOKED', src: '02:00:00:00:00:01', ...ip4 });
    }
    expect(decodePacket(hex('02 00 0000 0000 0100 0000'), 239)).toMatchObject({ flags: ['MALFORMED'] });
  });
  it('says when it knows nothing', () => {
    expect(decodePacket(hex(udp4), 147)).toEqual({ link: 'UNSUPPORTED', flags: [] });
    expect(decodePacket(hex(udp4), -1)).toEqual({ link: 'NONE', flags: [] });
  });
});

describe('802.11', () => {
  const [a, b, c, d] = ['020000000001', '020000000002', '020000000003', '020000000004'];
  const snap = `aaaa03 000000 0800 ${udp4}`;
  const mac = (last: number): string => `02:00:00:00:00:0${last}`;
  it.each([
    ['between stations', '0800', `${a} ${b} ${c} 0000`, 2, 1],
    ['to the access point', '0801', `${a} ${b} ${c} 0000`, 2, 3],
    ['from the access point', '0802', `${a} ${b} ${c} 0000`, 3, 1],
    ['between access points', '0803', `${a} ${b} ${c} 0000 ${d}`, 4, 3],
    ['with QoS', '8801', `${a} ${b} ${c} 0000 0000`, 2, 3],
    ['with QoS and HT control', '8881', `${a} ${b} ${c} 0000 0000 00000000`, 2, 3],
  ])('data %s', (_name, control, header, source, destination) => {
    const packet = `${control} 0000 ${header} ${snap}`;
    const expected = { link: 'WIFI', src: mac(source), dst: mac(destination), ...ip4 };
    expect(decodePacket(hex(packet), 105)).toMatchObject(expected);
    expect(decodePacket(hex(`0000 0800 00000000 ${packet}`), 127)).toMatchObject(expected);
    expect(decodePacket(hex(`0000 0800 69000000 ${packet}`), 192)).toMatchObject(expected);
    expect(decodePacket(hex(`80211001 00000008 ${packet}`), 163)).toMatchObject(expected);
    expect(decodePacket(hex(`44000000 08000000 ${packet}`), 119)).toMatchObject(expected);
  });
  it('hides the payload of protected and null frames', () => {
    for (const control of ['0841', '4801', 'c801']) {
      const frame = decodePacket(hex(`${control} 0000 ${a} ${b} ${c} 0000 0000 ${snap}`), 105);
      expect(frame).toMatchObject({ src: mac(2), dst: mac(3) });
      expect(frame.ip).toBeUndefined();
    }
  });
  it('heeds the padding that radiotap tells of', () => {
    const radiotap = '0000 1100 03000000 0000000000000000 20';
    expect(decodePacket(hex(`${radiotap} 8801 0000 ${a} ${b} ${c} 0000 0000 0000 ${snap}`), 127)).toMatchObject(ip4);
  });
  it('reads the first frame of an aggregate', () => {
    const packet = `8801 0000 ${a} ${b} ${c} 0000 8000 ${d} ${a} 0024 ${snap}`;
    expect(decodePacket(hex(packet), 105)).toMatchObject({ src: mac(1), dst: mac(4), ...ip4 });
  });
  it('gives the addresses of management frames, and of control frames none', () => {
    expect(decodePacket(hex(`8000 0000 ${a} ${b} ${c} 0000`), 105)).toEqual({
      link: 'WIFI',
      flags: [],
      src: mac(2),
      dst: mac(1),
    });
    expect(decodePacket(hex(`b400 0000 ${a} ${b}`), 105)).toEqual({ link: 'WIFI', flags: [] });
  });
  it('may be cut', () => {
    expect(decodePacket(hex(`0801 0000 ${a} ${b}`), 105)).toEqual({ link: 'WIFI', flags: ['CUT'] });
    expect(decodePacket(hex('0000 ff00 00000000'), 127)).toEqual({ link: 'WIFI', flags: ['CUT'] });
  });
});
