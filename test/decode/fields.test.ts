import { describe, expect, it } from 'vitest';
import { AddressTable } from '../../src/bytes/address.js';
import { HeaderFields } from '../../src/decode/fields.js';
import { Decoder } from '../../src/decode/frame.js';
import { FrameBatch } from '../../src/records/frame-batch.js';
import { PacketBatch } from '../../src/records/packet-batch.js';
import { hex } from '../support/decode-packet.js';

function fields(packet: Uint8Array, linkType = 1): Record<string, string> {
  const packets = new PacketBatch();
  packets.count = 1;
  packets.bytes = packet;
  packets.capturedLength[0] = packets.originalLength[0] = packet.length;
  packets.linkType[0] = linkType;
  const addresses = new AddressTable();
  const frames = new FrameBatch();
  new Decoder(addresses).decode(packets, frames);
  return Object.fromEntries(new HeaderFields(addresses).collect(packets, frames, 0));
}

const macs = '020000000002 020000000001';
const innerMacs = '020000000004 020000000003';
const tcp = '03e807d0 00000001 00000002 5012 2000 0000 0000';
const ip4 = `45000028 00000000 40060000 c0000201 c6336402 ${tcp}`;
const ip6 = `60000000 00140640 20010db8000000000000000000000001 20010db8000000000000000000000002 ${tcp}`;
const frame = `${innerMacs} 0800 ${ip4}`;

/** An Ethernet frame of 203.0.113.1 to 203.0.113.2 with that protocol and payload. */
function outer(protocol: string, payload: string): Uint8Array {
  const packet = hex(`${macs} 0800 4500 0000 0000 0000 40${protocol} 0000 cb007101 cb007102 ${payload}`);
  new DataView(packet.buffer).setUint16(16, packet.length - 14);
  return packet;
}

function udp(port: string, payload: string): Uint8Array {
  const datagram = hex(`c000 ${port} 0000 0000 ${payload}`);
  new DataView(datagram.buffer).setUint16(4, datagram.length);
  return outer('11', Buffer.from(datagram).toString('hex'));
}

const first = { 'eth.src': '02:00:00:00:00:01', 'ip.src': '203.0.113.1', 'ip.dst': '203.0.113.2' };
const inner = { ...first, 'tcp.srcport': '1000', 'tcp.dstport': '2000' };

describe('fields of a tunnel', () => {
  it.each([
    ['IP in IP', outer('04', ip4)],
    ['6in4', outer('29', ip6)],
    ['GRE', outer('2f', `0000 0800 ${ip4}`)],
    ['GRE with checksum, key and sequence number', outer('2f', `b000 86dd 00000000 00000001 00000002 ${ip6}`)],
    ['bridged GRE', outer('2f', `0000 6558 ${frame}`)],
    ['PPTP', outer('2f', `3081 880b 00000001 00000002 00000003 ff03 0021 ${ip4}`)],
    ['ERSPAN I', outer('2f', `0000 88be ${frame}`)],
    ['ERSPAN II', outer('2f', `1000 88be 00000001 1001000100000000 ${frame}`)],
    ['ERSPAN III', outer('2f', `1000 22eb 00000001 200100010000000000000000 ${frame}`)],
    ['WCCP', outer('2f', `0000 883e 00000000 ${ip4}`)],
    ['EtherIP', outer('61', `3000 ${frame}`)],
    ['PIM register', outer('67', `21000000 00000000 ${ip4}`)],
    ['MPLS', outer('89', `00010140 ${ip4}`)],
    ['VXLAN', udp('12b5', `08000000 00000100 ${frame}`)],
    ['VXLAN-GPE', udp('12b6', `0c000001 00000100 ${ip4}`)],
    ['Geneve', udp('17c1', `0240 6558 00000100 0000000000000000 ${frame}`)],
    ['GTP-U', udp('0868', `30ff 0028 00000001 ${ip4}`)],
    ['GTP-U with an extension', udp('0868', `34ff 0030 00000001 00000085 01000000 ${ip4}`)],
    ['L2TP', udp('06a5', `4002 0034 0001 0001 ff03 0021 ${ip4}`)],
    ['Teredo', udp('0dd8', `0000 f00d cb007109 ${ip6}`)],
    ['LISP', udp('10f5', `80000000 00000000 ${ip4}`)],
    ['GRE in UDP', udp('1292', `0000 0800 ${ip4}`)],
    ['AYIYA', udp('13d0', `41520029 00000000 ${'00'.repeat(16 + 20)} ${ip6}`)],
    ['MPLS in UDP', udp('19eb', `00010140 ${ip4}`)],
  ])('%s: the first of each', (_name, packet) => {
    expect(fields(packet)).toMatchObject(inner);
  });
  it.each([
    ['an MPLS pseudowire', `8847 00010140 a2${frame.slice(2)}`],
    ['an MPLS pseudowire with control word', `8847 00010140 00000000 ${frame}`],
    ['provider backbone bridging', `88e7 00000001 ${frame}`],
    ['VN-Tag', `8926 00000000 0800 ${ip4}`],
    ['MACsec without encryption', `88e5 2000 00000001 0000000000000000 0800 ${ip4}`],
    ['an Arista time stamp', `d28b 0001 0010 0000000000000000 0800 ${ip4}`],
    ['a service function header', `894f 0002 0201 00000100 ${ip4}`.replace('0201', '0101')],
  ])('%s', (_name, rest) => {
    expect(fields(hex(`${macs} ${rest}`))).toMatchObject({
      'eth.src': '02:00:00:00:00:01',
      'ip.src': '192.0.2.1',
      'tcp.srcport': '1000',
    });
  });
  it('of encrypted MACsec are none', () => {
    expect(fields(hex(`${macs} 88e5 2c00 00000001 0000000000000000 0800 ${ip4}`))['ip.src']).toBeUndefined();
  });
  it('of an ICMP error are those of the quoted packet', () => {
    expect(fields(outer('01', `0301 0000 00000000 ${ip4}`))).toMatchObject({ ...inner, 'ip.proto': '1' });
    expect(fields(outer('01', `0800 0000 00000000 ${ip4}`))['tcp.srcport']).toBeUndefined();
  });
  it('end somewhere', () => {
    const nested = '45000000 00000000 40040000 c0000201 c6336402'.repeat(500);
    expect(fields(outer('04', `${nested} ${ip4}`))).toMatchObject(first);
  });
});

describe('fields of a packet', () => {
  it('of a cut packet are those whose bytes are there', () => {
    const packet = hex(`${macs} 0800 ${ip4}`);
    const names = (end: number): string[] => Object.keys(fields(packet.slice(0, end)));
    expect(names(13)).toEqual([]);
    expect(names(14)).toEqual(['eth.src', 'eth.dst', 'eth.type']);
    expect(names(14 + 10).slice(3)).toEqual(['ip.proto']);
    expect(names(14 + 16).slice(3)).toEqual(['ip.proto', 'ip.src']);
    expect(names(14 + 20).slice(3)).toEqual(['ip.proto', 'ip.src', 'ip.dst']);
    expect(names(14 + 22).slice(6)).toEqual(['tcp.srcport']);
    expect(names(14 + 24).slice(6)).toEqual(['tcp.srcport', 'tcp.dstport']);
    const six = hex(`${macs} 86dd ${ip6}`);
    expect(Object.keys(fields(six.slice(0, 14 + 7))).slice(3)).toEqual(['ipv6.nxt']);
    expect(Object.keys(fields(six.slice(0, 14 + 24))).slice(3)).toEqual(['ipv6.nxt', 'ipv6.src']);
  });
  it('of ARP need all four addresses, of whatever length', () => {
    const arp = `${macs} 0806 0001 0800 0604 0002 020000000001 c0000201 020000000002 c0000202`;
    expect(fields(hex(arp))).toMatchObject({
      'arp.opcode': '2',
      'arp.src.proto_ipv4': '192.0.2.1',
      'arp.dst.hw_mac': '02:00:00:00:00:02',
    });
    expect(fields(hex(arp).slice(0, 41))['arp.src.hw_mac']).toBeUndefined();
    const short = fields(hex('01 00 f1 0007 0800 0104 0001 01 c0000201 00 c0000202'), 7);
    expect(short).toEqual({ 'arp.opcode': '1', 'arp.src.proto_ipv4': '192.0.2.1', 'arp.dst.proto_ipv4': '192.0.2.2' });
  });
  it('show the end of a source route as the destination', () => {
    const route = (pointer: string): string =>
      `48000020 00000000 40110000 c0000201 c6336402 830b${pointer} c6336403 c6336404 00`;
    expect(fields(hex(`${macs} 0800 ${route('04')}`))['ip.dst']).toBe('198.51.100.4');
    expect(fields(hex(`${macs} 0800 ${route('0c')}`))['ip.dst']).toBe('198.51.100.2');
  });
  it("name a customer's VLAN, not the provider's", () => {
    expect(fields(hex(`${macs} 88a8 0064 8100 0005 0800 ${ip4}`))).toMatchObject({
      'eth.type': '0x88a8',
      'vlan.id': '5',
    });
    expect(fields(hex(`${macs} 88a8 0064 0800 ${ip4}`))['vlan.id']).toBeUndefined();
    expect(fields(hex(`${macs} 8100 0064 0800 ${ip4}`))['vlan.id']).toBe('100');
  });
});
