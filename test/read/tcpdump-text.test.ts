import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AddressTable } from '../../src/bytes/address.js';
import { Decoder } from '../../src/decode/frame.js';
import { readCapture } from '../../src/read/capture.js';
import { Epoch } from '../../src/records/epoch.js';
import { FrameBatch, UNKNOWN_HOP_LIMIT } from '../../src/records/frame-batch.js';
import { memorySource } from '../support/collect-capture.js';
import { isUndatedCapture } from '../../src/read/text.js';
import { framesOf, readText, type TextFrame } from '../support/read-text.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { hasTool, runTool } from '../support/tool.js';

describe.skipIf(!hasShared || !hasTool('tcpdump'))('captures printed by tcpdump', () => {
  const captures = hasShared ? capturesBelow('captures') : [];

  it.each([
    ['-nnev', ['-nn', '-e', '-v', '-tt']],
    ['-nne', ['-nn', '-e', '-tt']],
    ['-nneq', ['-nn', '-e', '-q', '-tt']],
    ['-nn', ['-nn', '-tt']],
  ])('are read with %s as the decoder reads the capture', { timeout: 120_000 }, async (_, options) => {
    const odd: string[] = [];
    for (const capture of captures) odd.push(...(await compare(sharedPath(capture), options)));
    expect(odd.slice(0, 20)).toEqual([]);
    expect(captures.length).toBeGreaterThan(0);
  });
});

describe('lines of tcpdump', () => {
  const frame = (...text: string[]): TextFrame => {
    const { frames } = readText(`${text.join('\n')}\n`);
    const [first] = frames;
    if (!first || frames.length > 1) throw new Error(`${frames.length} frames in: ${text.join(' / ')}`);
    return first;
  };
  const ARP = 'ethertype ARP (0x0806), length 42:';

  it.each([
    ['04:40:01.123457 ', 16_801_123_457_000n],
    ['1763700001.123457 ', 1_763_700_001_123_457_000n],
    ['1763700001.123456789 ', 1_763_700_001_123_456_789n],
    ['2025-11-21 04:40:01.123457 ', 1_763_700_001_123_457_000n],
    [' 00:00:00.000000 ', 0n],
    ['    2  04:40:01.123457 ', 16_801_123_457_000n],
    ['', undefined],
  ])('have a time: %j', (time, nanos) => {
    expect(frame(`${time}IP 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4`)).toMatchObject({
      link: 'PRINTED',
      frame: 1,
      time: nanos,
      ip: '8.8.8.8 > 10.0.0.2',
      ports: [53, 40000],
      protocol: 17,
    });
  });

  it('count on past midnight, and add up the times since the packet before', () => {
    const times = (...text: string[]): (bigint | undefined)[] =>
      readText(text.map((time) => `${time} IP 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4\n`).join('')).frames.map(
        (printed) => printed.time,
      );
    expect(times('23:59:59.000000', '00:00:01.000000')).toEqual([86_399_000_000_000n, 86_401_000_000_000n]);
    expect(times(' 00:00:00.000000', ' 00:00:02.000000', ' 00:00:01.000000', ' 00:00:01.500000')).toEqual([
      0n,
      2_000_000_000n,
      3_000_000_000n,
      4_500_000_000n,
    ]);
  });

  it('are known to lack a date, and a hop limit', () => {
    const line = 'IP 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4\n';
    const isUndated = (text: string): boolean => isUndatedCapture(new TextEncoder().encode(text));
    expect(isUndated(`04:40:01.123457 ${line}`)).toBe(true);
    expect(isUndated(`2025-11-21 04:40:01.123457 ${line}`)).toBe(false);
    expect(isUndated('17:14:30\n10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 STALE\n')).toBe(false);
    expect(frame(`04:40:01.123457 ${line.trim()}`).hopLimit).toBe(UNKNOWN_HOP_LIMIT);
  });

  it('take the date from a clock line before them', () => {
    const { frames } = readText(
      '# 1795247999.5 tcpdump -eni br-lan\n00:00:01.000000 IP 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4\n',
    );
    expect(frames[0]?.time).toBe(1_795_219_201_000_000_000n);
  });

  it.each([
    ['ethertype 802.1Q (0x8100), length 63: vlan 10, p 1, ethertype IPv4 (0x0800), ', [10]],
    ['ethertype 802.1Q (0x8100), length 63: vlan 10, p 1, DEI, ethertype IPv4, ', [10]],
    ['802.1Q, length 63: vlan 10, p 1, IPv4, ', [10]],
    [
      'ethertype 802.1Q-QinQ (0x88a8), length 63: vlan 30, p 0, ethertype 802.1Q (0x8100), vlan 10, p 0, ethertype IPv4 (0x0800), ',
      [30, 10],
    ],
    ['ethertype PPPoE S (0x8864), length 94: PPPoE  [ses 0xf07] IP (0x0021), length 66: ', undefined],
    ['ethertype MPLS unicast (0x8847), length 62: MPLS (label 29, tc 6, [S], ttl 255) ', undefined],
  ])('have tags: %s', (tags, vlan) => {
    const printed = frame(
      `04:40:02.123458 02:00:00:00:00:01 > 02:aa:bb:cc:dd:ee, ${tags}1.1.1.1.443 > 10.0.0.2.51000: Flags [P.], seq 1:6, ack 1, win 500, length 5`,
    );
    expect(printed).toMatchObject({
      link: 'ETHERNET',
      src: '02:00:00:00:00:01',
      dst: '02:aa:bb:cc:dd:ee',
      etherType: 0x0800,
      ip: '1.1.1.1 > 10.0.0.2',
      ports: [443, 51000],
      detail: 0x18,
    });
    expect(printed.vlan).toEqual(vlan);
  });

  it('of ARP claim addresses', () => {
    const head = '04:40:01.1 02:00:00:00:00:01 (oui Unknown) > Broadcast, ';
    expect(frame(`${head}${ARP} Request who-has 8.8.8.8 tell 10.0.0.1, length 28`).claim).toBe(
      'ARP_REQUEST 10.0.0.1 02:00:00:00:00:01 > 8.8.8.8',
    );
    expect(frame(`${head}${ARP} Request who-has 10.0.0.1 (Broadcast) tell 10.0.0.1, length 28`).claim).toMatch(
      /^ARP_GRATUITOUS 10\.0\.0\.1 02:00/,
    );
    expect(frame(`${head}${ARP} Announcement 10.0.0.1, length 28`).claim).toMatch(/^ARP_GRATUITOUS 10\.0\.0\.1/);
    expect(frame(`${head}${ARP} Reply 10.0.0.1 is-at 02:00:00:00:00:01 (oui Unknown), length 28`).claim).toMatch(
      /^ARP_GRATUITOUS 10\.0\.0\.1/,
    );
    expect(frame(`${head}${ARP} Request who-has 10.0.0.9 tell 0.0.0.0, length 28`).claim).toMatch(/^ARP_PROBE/);
    expect(
      frame(`04:40:01.1 02:00:00:00:00:01 > 02:00:00:00:00:02, ${ARP} Reply 10.0.0.1 is-at 02:00:00:00:00:07`).claim,
    ).toMatch(/^ARP_REPLY 10\.0\.0\.1 02:00:00:00:00:07/);
  });

  it('of DHCP claim addresses with -v', () => {
    const message = (kind: string): TextFrame =>
      frame(
        '04:40:01.123456 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 342: (tos 0x0, ttl 64, id 1, offset 0, flags [none], proto UDP (17), length 328)',
        '    192.168.1.1.67 > 192.168.1.150.68: BOOTP/DHCP, Reply, length 300, xid 0x1, Flags [none]',
        '\t  Your-IP 192.168.1.150',
        '\t  Client-Ethernet-Address b8:27:eb:22:22:22',
        '\t    Magic Cookie 0x63825363',
        `\t    DHCP-Message (53), length 1: ${kind}`,
        '\t    Subnet-Mask (1), length 4: 255.255.255.0',
        '\t    Default-Gateway (3), length 4: 192.168.1.1',
      );
    expect(message('ACK').claim).toMatch(/^DHCP_ACK 192\.168\.1\.150 b8:27:eb:22:22:22 > 192\.168\.1\.1/);
    expect(message('Offer').claim).toMatch(/^DHCP_OTHER/);
  });

  it('of neighbour discovery claim addresses, with -v by their options', () => {
    const head = '04:40:01.1 02:00:00:00:00:01 > 33:33:00:00:00:01, ethertype IPv6 (0x86dd), length 86: ';
    const target = 'ICMP6, neighbor advertisement, tgt is fd00::1, length 32';
    const plain = frame(`${head}fe80::1 > ff02::1: ${target}`);
    expect(plain.claim).toMatch(/^ND_UNSOLICITED fd00::1 02:00:00:00:00:01/);
    expect(plain).toMatchObject({ protocol: 58, detail: 136 << 8 });
    const verbose = frame(
      `${head}(hlim 255, next-header ICMPv6 (58) payload length: 32) fe80::1 > ff02::1: [icmp6 sum ok] ${target}, Flags [override]`,
      '\t  destination link-address option (2), length 8 (1): 02:00:00:00:00:09',
    );
    expect(verbose.claim).toMatch(/^ND_UNSOLICITED fd00::1 02:00:00:00:00:09/);
    expect(verbose.hopLimit).toBe(255);
    const router = frame(
      `${head}(hlim 255, next-header ICMPv6 (58) payload length: 64) fe80::1 > ff02::1: [icmp6 sum ok] ICMP6, router advertisement, length 64`,
      '\t  source link-address option (1), length 8 (1): 02:00:00:00:00:01',
      '\t  prefix info option (3), length 32 (4): fd00::/64, Flags [onlink, auto], valid time 2592000s',
    );
    expect(router.claim).toMatch(/^ND_ROUTER fe80::1 02:00:00:00:00:01.* \/64$/);
    expect(frame(`${head}fe80::1 > fe80::2: ICMP6, redirect, length 40, fe80::3 to fe80::4`).claim).toMatch(
      /^REDIRECT fe80::4 .* > fe80::3/,
    );
    // It crossed a router: not neighbour discovery.
    expect(
      frame(`${head}(hlim 64, next-header ICMPv6 (58) payload length: 32) fe80::1 > ff02::1: ${target}`),
    ).not.toHaveProperty('claim');
  });

  it('of cooked captures have a sender, a direction and an interface', () => {
    const result = readText(
      [
        'tcpdump: listening on any, link-type LINUX_SLL2 (Linux cooked v2), snapshot length 262144 bytes',
        '04:40:00.123456 lan1  P   ifindex 4 02:aa:bb:cc:dd:ee ethertype IPv4 (0x0800), length 52: 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4',
        '04:40:00.123456 br-lan In  IP 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4',
        '2 packets captured',
      ].join('\n'),
    );
    expect(result.interfaces).toMatchObject([
      { name: 'lan1', description: 'ifindex 4', linkType: 276 },
      { name: 'br-lan', linkType: 276 },
    ]);
    expect(result.frames).toMatchObject([
      { link: 'COOKED', src: '02:aa:bb:cc:dd:ee', flags: ['OTHER_HOST'], interfaceIndex: 0 },
      { link: 'COOKED', flags: ['INCOMING'], interfaceIndex: 1 },
    ]);
    expect(result.frames[0]).not.toHaveProperty('dst');
  });

  it('with names have ports where they are well known, and no addresses', () => {
    expect(frame('04:40:01.1 IP 8.8.8.8.domain > 10.0.0.2.40000: 1+ A? a.example. (27)').ports).toEqual([53, 40000]);
    const named = readText('04:40:01.123456 IP router.lan.domain > 10.0.0.2.40000: 1+ A? a.example. (27)\n');
    expect(named.frames[0]).not.toHaveProperty('ip');
    expect(named.diagnostics.map((diagnostic) => diagnostic.id)).toContain('host-names');
  });

  it('with hidden MACs keep their number and are counted', () => {
    const result = readText(
      '04:40:01.123456 aa:bb:xx:xx:xx:xx > 02:aa:bb:cc:dd:ee, ethertype IPv4 (0x0800), length 46: 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4\n',
    );
    expect(result.summary).toMatchObject({ frames: 1, redacted: 1 });
    expect(result.frames[0]).not.toHaveProperty('src');
  });

  it('of unknown protocols count as frames', () => {
    const { frames } = readText(
      [
        'listening on wlan0, link-type IEEE802_11 (802.11), snapshot length 262144 bytes',
        '04:40:01.123456 Beacon (net) [1.0* 2.0* Mbit] ESS CH: 1, PRIVACY',
        '04:40:01.223456 IP 8.8.8.8.53 > 10.0.0.2.40000: UDP, length 4',
      ].join('\n'),
    );
    expect(frames).toMatchObject([{ frame: 1, link: 'UNSUPPORTED' }, { frame: 2 }]);
  });
});

function capturesBelow(folder: string): string[] {
  return readdirSync(sharedPath(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pcap'))
    .map((name) => `${folder}/${name}`)
    .sort();
}

/** The frames of a capture that differ between its decoding and its print. */
async function compare(path: string, options: readonly string[]): Promise<string[]> {
  const bytes = readFileSync(path);
  const text = runTool('tcpdump', [...options, '-r', '-'], bytes);
  const printed = readText(text).frames;
  const decoded = await decode(bytes);
  const odd: string[] = printed.length === decoded.length ? [] : [`${path}: ${printed.length} for ${decoded.length}`];
  for (const [at, frame] of decoded.entries()) {
    const mine = shown(printed[at], options);
    const theirs = shown(frame, options);
    if (mine !== theirs) odd.push(`${path} ${at + 1}: ${mine} / ${theirs}`);
  }
  return odd;
}

async function decode(bytes: Uint8Array): Promise<TextFrame[]> {
  const addresses = new AddressTable();
  const epoch = new Epoch();
  const decoder = new Decoder(addresses);
  const batch = new FrameBatch();
  const frames: TextFrame[] = [];
  const ignore = (): void => undefined;
  await readCapture(memorySource(bytes), epoch, {
    interface: ignore,
    comment: ignore,
    name: ignore,
    statistics: ignore,
    diagnostic: ignore,
    packets(packets) {
      decoder.decode(packets, batch);
      frames.push(...framesOf(batch, addresses, epoch));
    },
  });
  return frames;
}

/** What a line of tcpdump tells of a frame, with these options. */
function shown(frame: TextFrame | undefined, options: readonly string[]): string {
  if (!frame) return 'none';
  const isArp = frame.etherType === 0x0806;
  const withLink = options.includes('-e');
  const seen: Record<string, unknown> = {
    frame: frame.frame,
    etherType: frame.etherType,
    ip: isArp ? frame.ip?.replace(/ > .*/, '') : frame.ip,
    protocol: frame.protocol,
  };
  const cooked = frame.link === 'COOKED';
  if (frame.time !== undefined) seen['micros'] = frame.time / 1000n;
  if (withLink)
    Object.assign(seen, { link: frame.link, src: frame.src, dst: frame.dst, vlan: frame.vlan, length: frame.length });
  // -q leaves the length of cooked packets out.
  if (cooked && options.includes('-q')) delete seen['length'];
  if (withLink) seen['flags'] = frame.flags;
  if (options.includes('-v') && frame.protocol !== undefined) seen['hops'] = [frame.hopLimit, frame.ipId];
  if (frame.protocol === 6 || frame.protocol === 17) seen['ports'] = frame.ports;
  if (frame.protocol === 6 && !options.includes('-q')) seen['detail'] = frame.detail;
  // The target of a reply is not printed. Requests print no sender MAC: it is taken from the link layer, which -e alone shows in full.
  if (withLink && !cooked && (isArp || options.includes('-v')))
    seen['claim'] = frame.claim?.replace(/^(ARP_REPLY .*) > .*/, '$1');
  return JSON.stringify(seen, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
