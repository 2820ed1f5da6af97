import { describe, expect, it } from 'vitest';
import { type DecodedFrame, decodePacket, hex } from '../support/decode-packet.js';

const ports = '03e807d0';
const tcp = `${ports} 00000001 00000002 5012 2000 0000 0000`;

/** Raw IPv4 with a header of `options` bytes more than 20; the length field says `length`, by default the truth. */
function ip4(
  protocol: number,
  payload: string,
  more: { length?: number; fragment?: string; options?: string } = {},
): Uint8Array {
  const options = hex(more.options ?? '');
  const header = 20 + options.length;
  const packet = new Uint8Array([
    ...hex(`4${(header / 4).toString(16)}00 0000 abcd ${more.fragment ?? '4000'} 3f00 0000 c0000201 c6336402`),
    ...options,
    ...hex(payload),
  ]);
  const view = new DataView(packet.buffer);
  view.setUint16(2, more.length ?? packet.length);
  packet[9] = protocol;
  return packet;
}

function ip6(next: number, payload: string, length?: number): Uint8Array {
  const packet = hex(`60000000 0000 0040 20010db8000000000000000000000001 20010db8000000000000000000000002 ${payload}`);
  new DataView(packet.buffer).setUint16(4, length ?? packet.length - 40);
  packet[6] = next;
  return packet;
}

const raw = (packet: Uint8Array, wire?: number): DecodedFrame =>
  decodePacket(packet, 101, wire === undefined ? {} : { wire });

describe('IPv4', () => {
  it('gives addresses, TTL, identification, ports and flags', () => {
    expect(raw(ip4(6, tcp))).toEqual({
      link: 'RAW_IP',
      flags: [],
      etherType: 0x800,
      ip: '192.0.2.1 > 198.51.100.2',
      protocol: 6,
      hopLimit: 63,
      ipId: 0xabcd,
      ports: [1000, 2000],
      detail: 0x12,
      network: 0,
      transport: 20,
    });
  });
  it('steps over options', () => {
    expect(raw(ip4(6, tcp, { options: '01010100' }))).toMatchObject({
      flags: ['IP_OPTIONS'],
      ports: [1000, 2000],
      transport: 24,
    });
  });
  it('tells fragments, and reads no ports in later ones', () => {
    expect(raw(ip4(17, `${ports} 0010 0000`, { fragment: '2000' }))).toMatchObject({
      flags: ['FRAGMENT'],
      ports: [1000, 2000],
    });
    const later = raw(ip4(17, `${ports} 0010 0000`, { fragment: '0001' }));
    expect(later).toMatchObject({ flags: ['FRAGMENT', 'LATER_FRAGMENT'], protocol: 17, ports: [0, 0] });
    expect(later.transport).toBeUndefined();
  });
  it('does not take padding for payload', () => {
    expect(raw(ip4(6, tcp, { length: 20 }))).toMatchObject({ flags: ['MALFORMED'], ports: [0, 0] });
    expect(raw(ip4(6, `${tcp} 000000000000`, { length: 40 }))).toMatchObject({ flags: [], ports: [1000, 2000] });
  });
  it('accepts the length 0 of segmentation offload', () => {
    expect(raw(ip4(6, tcp, { length: 0 }))).toMatchObject({ flags: [], ports: [1000, 2000] });
  });
  it('tells lengths that contradict each other', () => {
    expect(raw(ip4(6, tcp, { length: 19 }))).toMatchObject({ flags: ['MALFORMED'], ip: '192.0.2.1 > 198.51.100.2' });
    expect(raw(ip4(6, tcp, { length: 41 }))).toMatchObject({ flags: ['MALFORMED'], ports: [1000, 2000] });
    expect(raw(ip4(6, tcp, { length: 41 }), 41)).toMatchObject({ flags: [] });
    const shortHeader = ip4(6, tcp);
    shortHeader[0] = 0x44;
    expect(raw(shortHeader)).toEqual({ link: 'RAW_IP', flags: ['MALFORMED'], etherType: 0x800, network: 0 });
  });
  it('tells where a snap length cut', () => {
    expect(raw(ip4(6, tcp).slice(0, 19), 40)).toEqual({ link: 'RAW_IP', flags: ['CUT'], etherType: 0x800, network: 0 });
    expect(raw(ip4(6, tcp).slice(0, 20), 40)).toMatchObject({ flags: ['CUT'], protocol: 6, ports: [0, 0] });
    expect(raw(ip4(6, tcp).slice(0, 24), 40)).toMatchObject({ flags: ['CUT'], ports: [1000, 2000], detail: 0 });
    expect(raw(ip4(6, tcp).slice(0, 34), 40)).toMatchObject({ flags: ['CUT'], detail: 0x12 });
    expect(raw(ip4(6, tcp, { options: '01010100' }).slice(0, 22), 44)).toMatchObject({ flags: ['IP_OPTIONS', 'CUT'] });
  });
});

describe('transport', () => {
  it.each([
    ['TCP', 6, tcp],
    ['UDP', 17, `${ports} 0008 0000`],
    ['UDP-Lite', 136, `${ports} 0008 0000`],
    ['SCTP', 132, `${ports} 00000000 00000000`],
    ['DCCP', 33, `${ports} 04000000 00000000`],
  ])('%s has ports', (_name, protocol, payload) => {
    expect(raw(ip4(protocol, payload))).toMatchObject({ flags: [], protocol, ports: [1000, 2000] });
    expect(raw(ip6(protocol, payload))).toMatchObject({ flags: [], protocol, ports: [1000, 2000] });
  });
  it('ICMP has type and code, and an echo its identifier', () => {
    expect(raw(ip4(1, '0800 0000 1234 0001'))).toMatchObject({ detail: 0x800, ports: [0x1234, 0x1234] });
    expect(raw(ip4(1, '0000 0000 1234 0001'))).toMatchObject({ detail: 0, ports: [0x1234, 0x1234] });
    expect(raw(ip4(1, '0301 0000 1234 0001'))).toMatchObject({ detail: 0x301, ports: [0, 0] });
    expect(raw(ip6(58, '8000 0000 1234 0001'))).toMatchObject({ detail: 0x8000, ports: [0x1234, 0x1234] });
    expect(raw(ip4(1, '08'))).toMatchObject({ flags: ['CUT'], detail: 0 });
  });
  it('other protocols have none', () => {
    expect(raw(ip4(47, '0000 0800 4500'))).toMatchObject({ flags: [], protocol: 47, ports: [0, 0], transport: 20 });
    expect(raw(ip4(50, '00000001 00000001'))).toMatchObject({ protocol: 50, ports: [0, 0] });
  });
  it('behind an authentication header has ports too', () => {
    const ah = '1104 0000 00000001 00000001 000000000000000000000000';
    expect(raw(ip4(51, `${ah} ${ports} 0008 0000`))).toMatchObject({
      protocol: 17,
      ports: [1000, 2000],
      transport: 44,
    });
  });
  it('a TCP header below 20 bytes contradicts itself', () => {
    expect(raw(ip4(6, `${ports} 00000001 00000002 4012 2000 0000 0000`)).flags).toEqual(['MALFORMED']);
  });
});

describe('IPv6', () => {
  const udp = `${ports} 0008 0000`;
  it('steps over extension headers', () => {
    const hopByHop = '2b00 050200000100';
    const routing = '3c02 0000 00000000 20010db8000000000000000000000009';
    const destination = '8700 010400000000';
    const mobility = '3300 010400000000';
    const authentication = '1104 0000 00000001 00000001 000000000000000000000000';
    const all = `${hopByHop} ${routing} ${destination} ${mobility} ${authentication} ${udp}`;
    expect(raw(ip6(0, all))).toMatchObject({
      flags: ['IP_OPTIONS'],
      protocol: 17,
      ports: [1000, 2000],
      transport: 40 + 8 + 24 + 8 + 8 + 24,
    });
  });
  it('tells fragments', () => {
    expect(raw(ip6(44, `1100 0001 00000001 ${udp}`))).toMatchObject({
      flags: ['FRAGMENT'],
      protocol: 17,
      ports: [1000, 2000],
    });
    expect(raw(ip6(44, `1100 0008 00000001 ${udp}`))).toMatchObject({
      flags: ['FRAGMENT', 'LATER_FRAGMENT'],
      protocol: 17,
      ports: [0, 0],
    });
    expect(raw(ip6(44, `1100 0000 00000001 ${udp}`))).toMatchObject({ flags: [], ports: [1000, 2000] });
  });
  it('ends with a header chain that is cut or goes too far', () => {
    expect(raw(ip6(0, '1100'))).toMatchObject({ flags: ['CUT'], protocol: 0 });
    expect(raw(ip6(0, '11ff 000000000000'))).toMatchObject({
      protocol: 17,
      ports: [0, 0],
      flags: ['IP_OPTIONS', 'CUT'],
    });
    expect(raw(ip6(0, '1101 000000000000 0000000000000000', 8))).toMatchObject({ flags: ['IP_OPTIONS', 'MALFORMED'] });
    expect(raw(ip6(59, ''))).toMatchObject({ flags: [], protocol: 59 });
  });
  it('takes length 0 for a jumbogram only where it can be one', () => {
    expect(raw(ip6(17, udp, 0))).toMatchObject({ flags: ['MALFORMED'], ports: [0, 0] });
    expect(raw(ip6(17, udp, 0), 70_000)).toMatchObject({ flags: [], ports: [1000, 2000] });
    expect(raw(ip6(0, `1100 c20400011170 ${udp}`, 0))).toMatchObject({ ports: [1000, 2000] });
  });
  it('has to be version 6', () => {
    const packet = decodePacket(
      new Uint8Array([...hex('020000000002 020000000001 86dd'), ...ip4(6, tcp), ...new Uint8Array(20)]),
    );
    expect(packet).toMatchObject({ flags: ['MALFORMED'], etherType: 0x86dd });
    expect(packet.ip).toBeUndefined();
  });
});
