/**
 * The link layer of a line of tcpdump: with `-e` addresses, type, length and VLAN tags (print-ether.c), of cooked
 * captures direction, interface name and sender (print-sll.c); without `-e` the protocol name alone.
 */

import { FrameFlag, Link } from '../records/frame-batch.js';
import type { CookedColumn } from './tcpdump-line.js';
import { printedMac, type PrintedFrame } from './tcpdump-row.js';
import { isRedacted } from './tokens.js';

const ETHER_TYPES: ReadonlyMap<string, number> = new Map([
  ['IPv4', 0x0800],
  ['IPv6', 0x86dd],
  ['ARP', 0x0806],
  ['Reverse ARP', 0x8035],
  ['802.1Q', 0x8100],
  ['802.1Q-QinQ', 0x88a8],
  ['802.1Q-9100', 0x9100],
  ['PPPoE S', 0x8864],
  ['PPPoE D', 0x8863],
  ['MPLS unicast', 0x8847],
  ['EAPOL', 0x888e],
  ['LLDP', 0x88cc],
]);
const VLAN_TYPES = new Set([0x8100, 0x88a8, 0x9100, 0x9200]);
const MPLS = 0x8847;
const PPPOE_SESSION = 0x8864;

/** Reads `MAC > MAC, ethertype ..., length N: `. @returns the rest of the line, undefined when it is not of this form */
export function readEthernet(text: string, frame: PrintedFrame): string | undefined {
  const match = /^(\S{1,64})(?: \(oui [^)]{0,64}\))? > (\S{1,64}?)(?: \(oui [^)]{0,64}\))?, /.exec(text);
  if (!match) return undefined;
  const [all, src = '', dst = ''] = match;
  if (!readMacs(src, dst, frame)) return undefined;
  frame.link = Link.ETHERNET;
  return readType(text.slice(all.length), frame);
}

/** Reads what stands after the direction of a cooked line: `[ifindex N] [MAC] ethertype ..., length N: `. */
export function readCooked(text: string, column: CookedColumn, frame: PrintedFrame): string | undefined {
  frame.link = Link.COOKED;
  if (column.direction === 'Out') frame.flags |= FrameFlag.OUTGOING;
  else if (column.direction === 'In') frame.flags |= FrameFlag.INCOMING;
  else if (column.direction === 'P') frame.flags |= FrameFlag.OTHER_HOST;
  const sender = /^(\S{2,64})(?: \(oui [^)]{0,64}\))? (?=ethertype |[\w .-]{2,24}, length |length )/.exec(text);
  const mac = sender ? printedMac(sender[1] ?? '') : undefined;
  if (sender && (mac !== undefined || isRedacted(sender[1] ?? ''))) {
    if (mac !== undefined) {
      frame.srcMac = mac;
      frame.flags |= FrameFlag.SRC_MAC;
    }
    return readType(text.slice(sender[0].length), frame);
  }
  if (text.startsWith('ethertype ')) return readType(text, frame);
  return readQuietCooked(text, frame) ?? readPlain(text, frame);
}

/** `-q` prints sender and packet only: `In 02:... 10.0.0.1.53 > 10.0.0.2.4000: UDP, length 4`. */
function readQuietCooked(text: string, frame: PrintedFrame): string | undefined {
  const sender = /^([0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5})(?: \(oui [^)]{0,64}\))? (?=(\S+))/i.exec(text);
  const mac = sender ? printedMac(sender[1] ?? '') : undefined;
  if (!sender || mac === undefined) return undefined;
  frame.srcMac = mac;
  frame.flags |= FrameFlag.SRC_MAC;
  const next = sender[2] ?? '';
  if (/^(?:Request|Reply|Announcement|Probe)$/.test(next)) frame.etherType = 0x0806;
  else if (/^[0-9.]+$/.test(next) || next === '(tos') frame.etherType = 0x0800;
  else if (next.includes(':') || next === '(hlim' || next === '(flowlabel') frame.etherType = 0x86dd;
  return text.slice(sender[0].length);
}

/** Reads the protocol name that begins a line without `-e`: `IP `, `IP6 `, `ARP, `. */
export function readPlain(text: string, frame: PrintedFrame): string | undefined {
  const raw = /^(?:ip: |AF IPv[46] \(\d{1,3}\), length \d{1,7}: )(?=(\()?)/.exec(text);
  if (raw) {
    const rest = text.slice(raw[0].length);
    frame.link = text.startsWith('ip: ') ? Link.RAW_IP : Link.LOOPBACK;
    frame.etherType = /^\((?:class|flowlabel|hlim) /.test(rest) || /^\S*:/.test(rest) ? 0x86dd : 0x0800;
    return rest;
  }
  const match = /^(IP6|IP|ARP,|RARP,) /.exec(text);
  if (!match) return undefined;
  const name = match[1] ?? '';
  frame.etherType = name === 'IP' ? 0x0800 : name === 'IP6' ? 0x86dd : name === 'ARP,' ? 0x0806 : 0x8035;
  return text.slice(match[0].length);
}

function readMacs(srcText: string, dstText: string, frame: PrintedFrame): boolean {
  frame.srcMac = printedMac(srcText);
  frame.dstMac = printedMac(dstText);
  for (const [mac, text] of [
    [frame.srcMac, srcText],
    [frame.dstMac, dstText],
  ] as const) {
    if (mac !== undefined) continue;
    if (!isRedacted(text)) return false;
    frame.redacted = true;
  }
  if (frame.srcMac !== undefined) frame.flags |= FrameFlag.SRC_MAC;
  if (frame.dstMac !== undefined) frame.flags |= FrameFlag.DST_MAC;
  return true;
}

/** `ethertype IPv4 (0x0800), length 46: `, with `-q` `IPv4, length 46: `; then VLAN tags, MPLS labels, PPPoE. */
function readType(text: string, frame: PrintedFrame): string | undefined {
  const length = /(?:^|, )length (\d{1,7}): ?/.exec(text);
  if (!length) return undefined;
  frame.length = Number(length[1]);
  const head = text.slice(0, length.index);
  let rest = text.slice(length.index + length[0].length);
  if (head === '802.3') {
    // This is the length field, which does not count the header.
    frame.etherType = frame.length;
    frame.length += 14;
    const snap =
      /^LLC, .{1,120}: oui Ethernet \(0x000000\), (?:pid|ethertype) [^(]{1,24}\(0x([0-9a-f]{4})\), length \d{1,5}: /.exec(
        rest,
      );
    if (!snap) return rest;
    frame.etherType = Number.parseInt(snap[1] ?? '', 16);
    return rest.slice(snap[0].length);
  }
  frame.etherType = head === '' ? -1 : typeOf(head);
  for (let tags = 0; tags < 8 && VLAN_TYPES.has(frame.etherType); tags++) {
    const tag = /^vlan (\d{1,4}), p \d(?:, DEI)?, /.exec(rest);
    if (!tag) break;
    if (frame.vlan < 0) frame.vlan = Number(tag[1]);
    else if (frame.innerVlan < 0) frame.innerVlan = Number(tag[1]);
    rest = rest.slice(tag[0].length);
    const comma = rest.indexOf(', ');
    frame.etherType = comma < 0 ? -1 : typeOf(rest.slice(0, comma));
    if (frame.etherType < 0) return rest;
    rest = rest.slice(comma + 2);
  }
  if (frame.etherType === MPLS) return afterMpls(rest, frame);
  if (frame.etherType === PPPOE_SESSION) return afterPppoe(rest, frame);
  return rest;
}

function afterMpls(text: string, frame: PrintedFrame): string {
  const labels = /^MPLS(?: \([^)]{0,80}\)){1,16},? /.exec(text);
  if (!labels) return text;
  const rest = text.slice(labels[0].length);
  const named = /^(IP6|IP),? (?:length: \d+ ?)?/.exec(rest);
  const inner = named ? rest.slice(named[0].length) : rest;
  const source = /^(?:\(.*\) )?(\S+) > /.exec(inner)?.[1] ?? '';
  frame.etherType =
    source.includes(':') || inner.startsWith('(hlim') || inner.startsWith('(flowlabel') ? 0x86dd : 0x0800;
  return inner;
}

function afterPppoe(text: string, frame: PrintedFrame): string {
  const session = /^PPPoE {1,2}\[ses (?:0x)?[0-9a-f]{1,5}\] (?:IP(6)? \(0x[0-9a-f]{4}\)|IP(6)?), length \d{1,5}: /.exec(
    text,
  );
  if (!session) return text;
  frame.etherType = session[1] === '6' || session[2] === '6' ? 0x86dd : 0x0800;
  return text.slice(session[0].length);
}

/** `ethertype IPv4 (0x0800)`, `ethertype IPv4` (older), `IPv4` (`-q`), `Unknown Ethertype (0x8926)`. */
function typeOf(text: string): number {
  const hex = /\(0x([0-9a-f]{4})\)$/.exec(text)?.[1];
  if (hex !== undefined) return Number.parseInt(hex, 16);
  return ETHER_TYPES.get(text.replace(/^ethertype /, '')) ?? -1;
}
