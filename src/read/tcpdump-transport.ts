/** What tcpdump prints after the addresses: the protocol by its first words, ports, TCP flags, ICMP, neighbour discovery. */

import { canonicalIp } from '../bytes/address.js';
import { Claim, FrameFlag, UNKNOWN_HOP_LIMIT } from '../records/frame-batch.js';
import { beginDhcp, readDhcpLine } from './tcpdump-dhcp.js';
import { isHostMac, printedMac, type PrintedFrame } from './tcpdump-row.js';
import { wholeNumber } from './tokens.js';

/** Port names of /etc/services that tcpdump prints without `-n`; other names leave the port unknown. */
const PORTS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    'ftp-data': 20,
    ftp: 21,
    ssh: 22,
    telnet: 23,
    smtp: 25,
    time: 37,
    domain: 53,
    bootps: 67,
    bootpc: 68,
    tftp: 69,
    http: 80,
    kerberos: 88,
    pop3: 110,
    sunrpc: 111,
    ntp: 123,
    'netbios-ns': 137,
    'netbios-dgm': 138,
    'netbios-ssn': 139,
    imap2: 143,
    snmp: 161,
    'snmp-trap': 162,
    bgp: 179,
    ldap: 389,
    https: 443,
    'microsoft-ds': 445,
    submissions: 465,
    isakmp: 500,
    syslog: 514,
    route: 520,
    'dhcpv6-client': 546,
    'dhcpv6-server': 547,
    submission: 587,
    ipp: 631,
    ldaps: 636,
    'domain-s': 853,
    rsync: 873,
    imaps: 993,
    pop3s: 995,
    openvpn: 1194,
    l2f: 1701,
    pptp: 1723,
    radius: 1812,
    ssdp: 1900,
    nfs: 2049,
    mysql: 3306,
    'ms-wbt-server': 3389,
    'ipsec-nat-t': 4500,
    iperf3: 5201,
    sip: 5060,
    mdns: 5353,
    postgresql: 5432,
    xmpp: 5222,
    'xmpp-client': 5222,
    'http-alt': 8080,
  }),
);

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const WITH_PORTS = new Set([TCP, UDP, 33, 132, 136]);

/** Reads protocol, ports and details; the protocol of a `-v` header stands. */
export function readTransport(
  text: string,
  srcPort: string | undefined,
  dstPort: string | undefined,
  frame: PrintedFrame,
): void {
  const extension = /^(?:(?:HBH|DSTOPT|srcrt)(?: \([^)]{0,80}\)){0,8} ){1,4}/.exec(text);
  if (extension) frame.flags |= FrameFlag.IP_OPTIONS;
  const body = text.slice(extension?.[0].length ?? 0).replace(/^(?:\[[^\]]{1,40}\] ?){1,3}/, '');
  if (body.startsWith('frag (')) {
    frame.flags |= FrameFlag.FRAGMENT;
    if (!body.startsWith('frag (0|')) frame.flags |= FrameFlag.LATER_FRAGMENT;
  }
  if (frame.protocol < 0) frame.protocol = protocolOf(body, srcPort !== undefined && dstPort !== undefined);
  const later = (frame.flags & FrameFlag.LATER_FRAGMENT) !== 0;
  if (WITH_PORTS.has(frame.protocol) && !later && srcPort !== undefined && dstPort !== undefined) {
    frame.srcPort = portOf(srcPort);
    frame.dstPort = portOf(dstPort);
  } else if (/^ip-proto-(?:6|17|132|136)\b/.test(body)) frame.flags |= FrameFlag.FRAGMENT | FrameFlag.LATER_FRAGMENT;
  if (frame.protocol === UDP) beginDhcp(body, frame);
  if (frame.protocol === TCP) frame.detail = tcpFlags(body);
  else if (frame.protocol === ICMP) readIcmp(body, frame);
  else if (frame.protocol === ICMPV6) readIcmpv6(body, frame);
}

/** Reads a line that belongs to the frame before it (`-v`): link-layer address options. */
export function readDetailLine(text: string, frame: PrintedFrame): boolean {
  if (frame.dhcp && readDhcpLine(text, frame, frame.dhcp)) return true;
  const option = /^(source|destination) link-address option(?: \(\d\))?, length \d{1,3} \(\d{1,2}\): (\S{1,64})/.exec(
    text,
  );
  if (option) {
    const mac = printedMac(option[2] ?? '');
    const wanted = option[1] === 'source' ? [133, 134, 135] : [136];
    if (!isHostMac(mac) || !mayClaim(frame) || !wanted.includes(frame.detail >> 8)) return true;
    if (frame.detail >> 8 === 134) frame.claim = Claim.ND_ROUTER;
    if (frame.detail >> 8 === 135 && frame.src !== '::') frame.claim = Claim.ND_SOLICITATION;
    if (frame.claim === Claim.NONE) return true;
    frame.claimIp ??= frame.src;
    frame.claimMac = mac;
    return true;
  }
  const prefix =
    /^prefix info option \(3\), length 32 \(4\): ([0-9a-f:.]{2,45})\/(\d{1,3}), Flags \[([a-z, ]{0,40})\]/.exec(text);
  if (prefix) {
    const isFirst = frame.protocol === ICMPV6 && frame.detail >> 8 === 134 && frame.claimPrefix < 0;
    if (isFirst && prefix[3]?.includes('onlink') === true) {
      frame.claimPrefix = Number(prefix[2]);
      frame.target = canonicalIp(prefix[1] ?? '');
    }
    return true;
  }
  return /^0x[0-9a-f]{4}: {1,2}[0-9a-f]{2}/.test(text);
}

/** Neighbour discovery does not cross routers: its hop limit is 255, where the print tells it. */
function mayClaim(frame: PrintedFrame): boolean {
  return frame.protocol === ICMPV6 && (frame.hopLimit === 255 || frame.hopLimit === UNKNOWN_HOP_LIMIT);
}

function protocolOf(body: string, hasPorts: boolean): number {
  if (body.startsWith('Flags [') || body.startsWith('tcp ')) return TCP;
  if (body.startsWith('ICMP6')) return ICMPV6;
  if (body.startsWith('ICMP ')) return ICMP;
  if (body.startsWith('UDP-Lite') || body.startsWith('UDPlite')) return 136;
  if (body.startsWith('sctp ')) return 132;
  if (body.startsWith('DCCP')) return 33;
  if (hasPorts) return UDP;
  for (const [name, protocol] of NAMES) if (body.startsWith(name)) return protocol;
  const number =
    /^(?:ip-proto-|next-header )(\d{1,3})/.exec(body)?.[1] ?? /^frag \([^)]{0,20}\) (\d{1,3})\b/.exec(body)?.[1];
  return wholeNumber(number, 255) ?? -1;
}

const NAMES: readonly (readonly [string, number])[] = [
  ['UDP', UDP],
  ['ESP(', 50],
  ['AH(', 51],
  ['GREv', 47],
  ['igmp', 2],
  ['VRRP', 112],
  ['CARP', 112],
  ['OSPF', 89],
  ['PIM', 103],
  ['IP6 ', 41],
  ['IP ', 4],
];

function portOf(text: string): number {
  return wholeNumber(text, 65_535) ?? PORTS.get(text) ?? 0;
}

const TCP_FLAGS: ReadonlyMap<string, number> = new Map([
  ['F', 0x01],
  ['S', 0x02],
  ['R', 0x04],
  ['P', 0x08],
  ['.', 0x10],
  ['U', 0x20],
  ['E', 0x40],
  ['W', 0x80],
]);

function tcpFlags(body: string): number {
  const letters = /^Flags \[([FSRP.UEWe]{1,9})\]/.exec(body)?.[1] ?? '';
  let flags = 0;
  for (const letter of letters) flags |= TCP_FLAGS.get(letter) ?? 0;
  return flags;
}

/** Types and codes that matter to who gets what: echo, unreachable, redirect, time exceeded (RFC 792). */
function readIcmp(body: string, frame: PrintedFrame): void {
  const text = body.replace(/^ICMP /, '');
  const echo = /^echo (request|reply), id (\d{1,5})/.exec(text);
  if (echo) {
    frame.detail = echo[1] === 'request' ? 8 << 8 : 0;
    frame.srcPort = Number(echo[2]);
    frame.dstPort = frame.srcPort;
    return;
  }
  const redirect = /^redirect (\S{1,64}) to (host|net) (\S{1,64}?),/.exec(text);
  if (redirect) {
    frame.detail = (5 << 8) | (redirect[2] === 'host' ? 1 : 0);
    const target = canonicalIp(redirect[1] ?? '');
    const nextHop = canonicalIp(redirect[3] ?? '');
    if (target === undefined || nextHop === undefined) return;
    frame.claim = Claim.REDIRECT;
    frame.claimIp = nextHop;
    frame.target = target;
  } else if (text.startsWith('time exceeded')) frame.detail = 11 << 8;
  else if (text.includes(' unreachable')) frame.detail = 3 << 8;
}

/** RFC 4443 and RFC 4861. Without `-v` the link-layer options are not printed: then the frame's own source counts. */
function readIcmpv6(body: string, frame: PrintedFrame): void {
  const text = body.replace(/^ICMP6, /, '');
  const toGroup = frame.dst?.startsWith('ff') === true;
  const echo = /^echo (request|reply), (?:id (\d{1,5}))?/.exec(text);
  if (echo) {
    frame.detail = (echo[1] === 'request' ? 128 : 129) << 8;
    frame.srcPort = Number(echo[2] ?? 0);
    frame.dstPort = frame.srcPort;
  } else if (text.startsWith('neighbor solicitation')) {
    frame.detail = 135 << 8;
    frame.target = canonicalIp(/who has (\S{1,64}?)(?:,|$)/.exec(text)?.[1] ?? '');
    // To a group it must hold the sender's link-layer address (RFC 4861 section 4.3).
    if (toGroup && frame.src !== '::' && mayClaim(frame) && isHostMac(frame.srcMac)) {
      frame.claim = Claim.ND_SOLICITATION;
      frame.claimIp = frame.src;
      frame.claimMac = frame.srcMac;
    }
  } else if (text.startsWith('neighbor advertisement')) {
    frame.detail = 136 << 8;
    frame.target = canonicalIp(/tgt is (\S{1,64}?)(?:,|$)/.exec(text)?.[1] ?? '');
    if (frame.target === undefined || !mayClaim(frame) || !isHostMac(frame.srcMac)) return;
    const flags = /Flags \[([a-z, ]{0,40})\]/.exec(text)?.[1];
    const unsolicited = flags === undefined ? toGroup : !flags.includes('solicited');
    const overrides = flags?.includes('override') ?? true;
    frame.claim = !overrides ? Claim.ND_WEAK : unsolicited ? Claim.ND_UNSOLICITED : Claim.ND_ADVERTISEMENT;
    frame.claimIp = frame.target;
    frame.claimMac = frame.srcMac;
  } else if (text.startsWith('router advertisement')) frame.detail = 134 << 8;
  else if (text.startsWith('router solicitation')) frame.detail = 133 << 8;
  else if (text.startsWith('redirect')) {
    frame.detail = 137 << 8;
    const redirect = /^redirect,(?: length \d{1,5},)? (\S{1,64}) to (\S{1,64}?)(?:,|$)/.exec(text);
    const target = canonicalIp(redirect?.[1] ?? '');
    const nextHop = canonicalIp(redirect?.[2] ?? '');
    if (target === undefined || nextHop === undefined || !mayClaim(frame)) return;
    frame.claim = Claim.REDIRECT;
    frame.claimIp = nextHop;
    frame.target = target;
  } else if (text.startsWith('time exceeded')) frame.detail = 3 << 8;
  else if (text.includes('unreachable')) frame.detail = 1 << 8;
  else if (text.startsWith('packet too big')) frame.detail = 2 << 8;
}
