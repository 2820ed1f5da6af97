import { describe, expect, it } from 'vitest';
import { decodePacket, hex } from '../support/decode-packet.js';

const claimOf = (packet: string): string | undefined => decodePacket(hex(packet)).claim;

describe('ARP', () => {
  const arp = (operation: string, sender: string, target: string, head = '0001 0800 0604'): string =>
    `ffffffffffff 020000000001 0806 ${head} ${operation} ${sender} ${target}`;
  const [one, two, zero] = ['020000000001 c0000201', '000000000000 c0000202', '000000000000 00000000'];

  it('claims its sender', () => {
    expect(claimOf(arp('0001', one, two))).toBe('ARP_REQUEST 192.0.2.1 02:00:00:00:00:01 > 192.0.2.2');
    expect(claimOf(arp('0002', one, '020000000009 c0000202'))).toBe(
      'ARP_REPLY 192.0.2.1 02:00:00:00:00:01 > 192.0.2.2',
    );
    expect(claimOf(arp('0001', one, '000000000000 c0000201'))).toBe(
      'ARP_GRATUITOUS 192.0.2.1 02:00:00:00:00:01 > 192.0.2.1',
    );
    expect(claimOf(arp('0002', one, 'ffffffffffff c0000201'))).toBe(
      'ARP_GRATUITOUS 192.0.2.1 02:00:00:00:00:01 > 192.0.2.1',
    );
    expect(decodePacket(hex(arp('0001', one, two)))).toMatchObject({
      etherType: 0x806,
      ip: '192.0.2.1 > 192.0.2.2',
      flags: [],
    });
  });
  it('claims nothing as a probe', () => {
    expect(claimOf(arp('0001', '020000000001 00000000', two))).toBe('ARP_PROBE > 192.0.2.2');
    expect(claimOf(arp('0002', '020000000001 00000000', two))).toBeUndefined();
    expect(claimOf(arp('0001', '020000000001 00000000', zero))).toBe('ARP_PROBE > 0.0.0.0');
  });
  it('is also spoken on IEEE 802 networks', () => {
    expect(claimOf(arp('0001', one, two, '0006 0800 0604'))).toMatch(/^ARP_REQUEST/);
  });
  it.each([
    ['another kind of hardware', arp('0001', one, two, '0018 0800 0604')],
    ['another length of hardware address', arp('0001', `${one} 0000`, `${two} 0000`, '0001 0800 0804')],
    ['another protocol', arp('0001', one, two, '0001 86dd 0604')],
    ['another length of protocol address', arp('0001', one, two, '0001 0800 0610')],
    ['reverse ARP', arp('0003', one, two)],
    ['inverse ARP', arp('0009', one, two)],
    ['a sender that is a group', arp('0002', 'ffffffffffff c0000201', two)],
    ['a sender that is multicast', arp('0002', '01005e000001 c0000201', two)],
    ['a sender without MAC', arp('0002', '000000000000 c0000201', two)],
    ['a multicast address', arp('0002', '020000000001 e0000001', two)],
    ['the broadcast address', arp('0002', '020000000001 ffffffff', two)],
    ['a loopback address', arp('0002', '020000000001 7f000001', two)],
    ['a packet one byte short', arp('0001', one, two).slice(0, -2)],
  ])('claims nothing with %s', (_what, packet) => {
    expect(claimOf(packet)).toBeUndefined();
  });
  it('says that it was cut', () => {
    expect(decodePacket(hex(arp('0001', one, two).slice(0, -2))).flags).toEqual(['CUT']);
  });
});

describe('neighbour discovery', () => {
  const [linkLocal, host, all, unspecified] = [
    'fe800000000000000000000000000001',
    '20010db8000000000000000000000002',
    'ff020000000000000000000000000001',
    '00000000000000000000000000000000',
  ];
  const nd = (
    message: string,
    source = linkLocal,
    destination = host,
    hops = 'ff',
    before = '',
    next = '3a',
  ): string => {
    const length = hex(before + message)
      .length.toString(16)
      .padStart(4, '0');
    return `3333ff000001 020000000001 86dd 60000000 ${length} ${next} ${hops} ${source} ${destination} ${before} ${message}`;
  };
  const [sourceMac, targetMac] = ['0101 020000000011', '0201 020000000022'];
  const solicitation = (options: string): string => `8700 0000 00000000 ${host} ${options}`;
  const advertisement = (flags: string, options: string): string => `8800 0000 ${flags}000000 ${host} ${options}`;

  it('claims the source of a solicitation', () => {
    expect(claimOf(nd(solicitation(sourceMac)))).toBe('ND_SOLICITATION fe80::1 02:00:00:00:00:11 > 2001:db8::2');
    expect(claimOf(nd(solicitation(`0e01 000000000000 ${sourceMac}`)))).toMatch(/^ND_SOLICITATION fe80::1/);
    expect(claimOf(nd(solicitation('')))).toBeUndefined();
    expect(claimOf(nd(solicitation(sourceMac), unspecified))).toBeUndefined();
  });
  it('claims the target of an advertisement', () => {
    expect(claimOf(nd(advertisement('60', targetMac)))).toBe(
      'ND_ADVERTISEMENT 2001:db8::2 02:00:00:00:00:22 > 2001:db8::2',
    );
    expect(claimOf(nd(advertisement('20', targetMac), linkLocal, all))).toBe(
      'ND_UNSOLICITED 2001:db8::2 02:00:00:00:00:22 > 2001:db8::2',
    );
    expect(claimOf(nd(advertisement('60', '')))).toBe('ND_ADVERTISEMENT 2001:db8::2 02:00:00:00:00:01 > 2001:db8::2');
  });
  it('claims a router, and tells its first on-link prefix', () => {
    const prefix = '0304 40 c0 00000e10 00000e10 00000000 20010db8000000000000000000000000';
    const offLink = '0304 30 40 00000e10 00000e10 00000000 20010db8000000000000000000000000';
    const router = (options: string): string => `8600 0000 40 00 0708 00000000 00000000 ${options}`;
    expect(claimOf(nd(router(sourceMac), linkLocal, all))).toBe('ND_ROUTER fe80::1 02:00:00:00:00:11');
    expect(claimOf(nd(router(`${offLink} ${prefix} ${sourceMac}`), linkLocal, all))).toBe(
      'ND_ROUTER fe80::1 02:00:00:00:00:11 /64',
    );
    expect(claimOf(nd(router(sourceMac), host, all))).toBeUndefined();
    expect(claimOf(nd(router(''), linkLocal, all))).toBeUndefined();
  });
  it('tells a redirect, which claims nothing', () => {
    const redirect = `8900 0000 00000000 ${linkLocal} ${host} ${targetMac}`;
    expect(claimOf(nd(redirect))).toBe('REDIRECT fe80::1 00:00:00:00:00:00 > 2001:db8::2');
    expect(claimOf(nd(redirect, host))).toBeUndefined();
  });
  it.each([
    ['a hop limit that a router has touched', nd(solicitation(sourceMac), linkLocal, host, 'fe')],
    ['a code', nd(`8701 0000 00000000 ${host} ${sourceMac}`)],
    ['an option of length 0', nd(solicitation(`0100 000000000000 ${sourceMac}`))],
    ['an option beyond the end', nd(solicitation(`${sourceMac} 0e02 000000000000`))],
    ['half an option', nd(solicitation(`${sourceMac} 0e01`))],
    ['a longer link-layer address', nd(solicitation('0102 0200000000110000 000000000000'))],
    ['a group for a MAC', nd(solicitation('0101 030000000011'))],
    ['zero for a MAC', nd(solicitation('0101 000000000000'))],
    ['a multicast target', nd(`8700 0000 00000000 ${all} ${sourceMac}`)],
    ['a solicited advertisement to all', nd(advertisement('60', targetMac), linkLocal, all)],
    ['an advertisement for a multicast address', nd(`8800 0000 20000000 ${all} ${targetMac}`)],
    ['an advertisement with a broken option', nd(advertisement('60', '0200 000000000022'))],
    ['an advertisement cut in its option', nd(advertisement('60', targetMac)).slice(0, -4)],
    ['an advertisement cut before its option', nd(advertisement('60', targetMac)).slice(0, -targetMac.length)],
    ['a message cut in its target', nd(solicitation('')).slice(0, -8)],
    ['a fragment', nd(solicitation(sourceMac), linkLocal, host, 'ff', '3a00 0001 00000001', '2c')],
  ])('claims nothing with %s', (_what, packet) => {
    expect(claimOf(packet)).toBeUndefined();
  });
  it('claims nothing in tunnels, MPLS, PPPoE and PPP', () => {
    const packet = nd(solicitation(sourceMac)).replace(/.* 86dd /, '');
    const outer = '020000000002 020000000001';
    expect(claimOf(`${outer} 8847 00020140 ${packet}`)).toBeUndefined();
    expect(claimOf(`${outer} 8864 1100 0001 004a 0057 ${packet}`)).toBeUndefined();
    expect(claimOf(`${outer} 0800 4500005c 00000000 40290000 c0000201 c0000202 ${packet}`)).toBeUndefined();
    expect(decodePacket(hex(`ff03 0057 ${packet}`), 9).claim).toBeUndefined();
    expect(claimOf(`${outer} 8100 0005 86dd ${packet}`)).toMatch(/^ND_SOLICITATION/);
  });
});

describe('DHCP', () => {
  interface Parts {
    op?: string;
    hardware?: string;
    yiaddr?: string;
    chaddr?: string;
    cookie?: string;
    options?: string;
    ports?: string;
    fragment?: string;
  }
  const ack = '350105 0104ffffff00 0304c0000201';
  const dhcp = (parts: Parts): string => {
    const body = [
      parts.op ?? '02',
      parts.hardware ?? '0106',
      '00 12345678 0000 0000 00000000',
      parts.yiaddr ?? 'c0000264',
      '00000000 00000000',
      parts.chaddr ?? '020000000064',
      '00'.repeat(10 + 64 + 128),
      parts.cookie ?? '63825363',
      parts.options ?? `${ack} ff`,
    ].join(' ');
    const udp = `${parts.ports ?? '00430044'} 0000 0000 ${body}`;
    const length = (20 + hex(udp).length).toString(16).padStart(4, '0');
    return `ffffffffffff 020000000001 0800 4500${length} 0000 ${parts.fragment ?? '0000'} 40110000 c0000201 ffffffff ${udp}`;
  };

  it('acknowledges an address to a MAC', () => {
    expect(claimOf(dhcp({}))).toBe('DHCP_ACK 192.0.2.100 02:00:00:00:00:64 > 192.0.2.1 /24');
    expect(claimOf(dhcp({ options: '00 00 350105 ff' }))).toBe('DHCP_ACK 192.0.2.100 02:00:00:00:00:64 > 0.0.0.0');
    expect(claimOf(dhcp({ options: '350105 0104ff00ff00 ff' }))).toBe(
      'DHCP_ACK 192.0.2.100 02:00:00:00:00:64 > 0.0.0.0',
    );
    expect(claimOf(dhcp({ options: '350105 010400000000 ff' }))).toMatch(/ \/0$/);
    expect(claimOf(dhcp({ options: '350105 0104ffffffff ff' }))).toMatch(/ \/32$/);
  });
  it.each([
    ['an offer', { options: '350102 ff' }],
    ['a request', { op: '01', ports: '00440043', options: '350103 ff' }],
    ['an ACK to a relay', { ports: '00430043' }],
    ['an ACK without address', { yiaddr: '00000000' }],
    ['other hardware', { hardware: '2006' }],
    ['a longer hardware address', { hardware: '0110' }],
    ['a group for a MAC', { chaddr: 'ffffffffffff' }],
    ['zero for a MAC', { chaddr: '000000000000' }],
    ['options without end', { options: ack }],
    ['an option beyond the end', { options: `${ack} 0cff 00` }],
    ['an option cut in its head', { options: `${ack} 0c` }],
    ['no message type', { options: '0104ffffff00 ff' }],
    ['a message type of two bytes', { options: '35020500 ff' }],
  ])('claims nothing with %s', (_what, parts: Parts) => {
    expect(claimOf(dhcp(parts))).toMatch(/^DHCP_OTHER/);
  });
  it('is only what has its cookie, its ports, and is whole', () => {
    expect(claimOf(dhcp({ cookie: '63825364' }))).toBeUndefined();
    expect(claimOf(dhcp({ ports: '00350044' }))).toBeUndefined();
    expect(claimOf(dhcp({ ports: '00430035' }))).toBeUndefined();
    expect(claimOf(dhcp({ fragment: '2000' }))).toBeUndefined();
    expect(claimOf(dhcp({}).slice(0, 2 * 200))).toBeUndefined();
  });
});

describe('ICMP', () => {
  const quoted = '4500001c 00000000 40110000 c0000201 c6336409 03e80035 00080000';
  const icmp = (message: string): string => {
    const length = (20 + hex(message).length).toString(16).padStart(4, '0');
    return `020000000001 020000000002 0800 4500${length} 0000 0000 40010000 c0000202 c0000201 ${message}`;
  };
  it('redirects, which claims nothing', () => {
    expect(claimOf(icmp(`0501 0000 c0000203 ${quoted}`))).toBe('REDIRECT 192.0.2.3 00:00:00:00:00:00 > 198.51.100.9');
    expect(claimOf(icmp('0501 0000 c0000203 4500001c'))).toBeUndefined();
    expect(claimOf(icmp(`0301 0000 00000000 ${quoted}`))).toBeUndefined();
  });
});
