/** What tcpdump prints of IP and ARP packets (print-ip.c, print-ip6.c, print-arp.c), without `-v` and with it. */

import { canonicalIp } from '../bytes/address.js';
import { Claim, FrameFlag } from '../records/frame-batch.js';
import { isHostMac, printedMac, splitEndpoint, type PrintedFrame } from './tcpdump-row.js';
import { readTransport } from './tcpdump-transport.js';
import { isRedacted, wholeNumber } from './tokens.js';

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const ARP = 0x0806;

/** How much of a network layer the text showed. `names`: host names stand in place of addresses. */
export type NetworkText = 'read' | 'names' | 'none';

/** Reads what follows the link layer, as the frame's EtherType says. */
export function readNetwork(text: string, frame: PrintedFrame): NetworkText {
  if (frame.etherType === ARP) return readArp(text, frame);
  if (frame.etherType !== IPV4 && frame.etherType !== IPV6) return 'none';
  const cut = /^(?:truncated-ip6?)\b[^!]{0,60}! ?/.exec(text);
  const packet = cut ? text.slice(cut[0].length) : text;
  if (packet.startsWith('(tos ')) return readVerboseIpv4(packet, frame);
  if (packet.startsWith('(')) return readVerboseIpv6(packet, frame);
  return readAddresses(packet, frame);
}

/** Reads `A.port > B.port: ...`, in `-v` output of IPv4 a line of its own. */
export function readAddresses(text: string, frame: PrintedFrame): NetworkText {
  const arrow = text.indexOf(' > ');
  const left = text.slice(0, Math.max(arrow, 0));
  const after = text.slice(arrow + 3);
  const colon = after.indexOf(': ');
  const right = colon < 0 ? after.replace(/:$/, '') : after.slice(0, colon);
  if (arrow <= 0 || right === '' || /\s/.test(left) || /\s/.test(right) || left.length > 256) return 'none';
  if (colon < 0 && !after.endsWith(':')) return 'none';
  const source = splitEndpoint(left);
  const destination = splitEndpoint(right);
  frame.awaitsAddresses = false;
  if (source.ip === undefined || destination.ip === undefined) {
    frame.redacted ||= isRedacted(left) || isRedacted(right) || left.startsWith('<') || right.startsWith('<');
    return 'names';
  }
  if (source.ip.includes(':') !== destination.ip.includes(':')) return 'none';
  frame.src = source.ip;
  frame.dst = destination.ip;
  readTransport(colon < 0 ? '' : after.slice(colon + 2).trimStart(), source.port, destination.port, frame);
  return 'read';
}

/** `(tos 0x0, ttl 63, id 1, offset 0, flags [DF], proto UDP (17), length 32)`, the addresses in the next line. */
function readVerboseIpv4(text: string, frame: PrintedFrame): NetworkText {
  const header =
    /^\(tos 0x[0-9a-f]{1,2}(?:,[\w() ]{1,12})?, ttl (\d{1,3}), id (\d{1,5}), offset (\d{1,5}), flags \[([^\]]{0,20})\], proto ([\w.+ -]{1,20}) \((\d{1,3})\), length \d{1,5}/.exec(
      text,
    );
  if (!header) return 'none';
  frame.hopLimit = Number(header[1]);
  frame.ipId = Number(header[2]);
  frame.protocol = Number(header[6]);
  if (Number(header[3]) > 0) frame.flags |= FrameFlag.FRAGMENT | FrameFlag.LATER_FRAGMENT;
  else if (header[4]?.includes('+') === true) frame.flags |= FrameFlag.FRAGMENT;
  if (text.includes(', options (')) frame.flags |= FrameFlag.IP_OPTIONS;
  frame.awaitsAddresses = true;
  // Old versions print the addresses in the same line.
  const arrow = text.indexOf(' > ');
  if (arrow < 0) return 'read';
  return readAddresses(text.slice(text.lastIndexOf(') ', arrow) + 2), frame);
}

/** `(flowlabel 0x12345, hlim 64, next-header TCP (6) payload length: 40) A > B: ...` */
function readVerboseIpv6(text: string, frame: PrintedFrame): NetworkText {
  const header =
    /^\((?:class 0x[0-9a-f]{1,2}, )?(?:flowlabel 0x[0-9a-f]{1,5}, )?hlim (\d{1,3}), next-header ([\w.+ -]{1,24}) \((\d{1,3})\) payload length: \d{1,6}\) /.exec(
      text,
    );
  if (!header) return 'none';
  frame.hopLimit = Number(header[1]);
  const next = Number(header[3]);
  // Extension headers are followed by others that are named later in the line.
  if (![0, 43, 44, 60].includes(next)) frame.protocol = next;
  return readAddresses(text.slice(header[0].length), frame);
}

/** `Request who-has 10.0.0.1 tell 10.0.0.2, length 28`, `Reply 10.0.0.1 is-at 02:..., length 28`, `Announcement 10.0.0.1`. */
function readArp(text: string, frame: PrintedFrame): NetworkText {
  const body = text.replace(/^Ethernet \(len 6\), IPv4 \(len 4\), /, '');
  const request = /^(?:Request )?who-has (\S{1,80})(?: \([^)]{1,80}\)){0,2} tell ([^\s,]{1,80})/i.exec(body);
  if (request) return claimRequest(request[1] ?? '', request[2] ?? '', frame);
  const announcement = /^(Announcement|Probe) ([^\s,]{1,80})/.exec(body);
  if (announcement) {
    const ip = announcement[2] ?? '';
    return claimRequest(ip, announcement[1] === 'Probe' ? '0.0.0.0' : ip, frame);
  }
  const reply = /^(?:Reply )?(\S{1,80}) is-at ([^\s,]{1,80})/i.exec(body);
  if (!reply) return /^(?:Reverse|InARP|Request|Reply|Unknown)/.test(body) ? 'read' : 'none';
  const ip = canonicalIp(reply[1] ?? '');
  const mac = printedMac(reply[2] ?? '');
  if (ip === undefined || ip.includes(':') || mac === undefined) return hidden(reply[1] ?? '', reply[2] ?? '', frame);
  frame.src = ip;
  // The text leaves the target out; only a broadcast reply is known to be about the sender itself.
  const announces = frame.dstMac === 0xffff_ffff_ffff;
  frame.dst = announces ? ip : '0.0.0.0';
  claim(announces ? Claim.ARP_GRATUITOUS : Claim.ARP_REPLY, ip, mac, frame.dst, frame);
  return 'read';
}

function claimRequest(targetText: string, senderText: string, frame: PrintedFrame): NetworkText {
  const target = canonicalIp(targetText);
  const sender = canonicalIp(senderText);
  if (target === undefined || sender === undefined) return hidden(targetText, senderText, frame);
  frame.src = sender;
  frame.dst = target;
  if (sender === '0.0.0.0') {
    frame.claim = Claim.ARP_PROBE;
    frame.target = target;
    return 'read';
  }
  // The sender's MAC is not printed for requests; it is the frame's.
  if (frame.srcMac !== undefined) {
    claim(sender === target ? Claim.ARP_GRATUITOUS : Claim.ARP_REQUEST, sender, frame.srcMac, target, frame);
  }
  return 'read';
}

function hidden(first: string, second: string, frame: PrintedFrame): NetworkText {
  if (!isRedacted(first) && !isRedacted(second)) return 'names';
  frame.redacted = true;
  return 'read';
}

function claim(kind: number, ip: string, mac: number, target: string, frame: PrintedFrame): void {
  const first = wholeNumber(ip.split('.')[0]) ?? 0;
  const isHost = first !== 0 && first !== 127 && first < 224;
  if (!isHost || !isHostMac(mac)) return;
  frame.claim = kind;
  frame.claimIp = ip;
  frame.claimMac = mac;
  frame.target = target;
}
