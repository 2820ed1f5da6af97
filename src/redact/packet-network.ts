/** From the EtherType on: tags and shims, ARP, IPv4, IPv6. What other protocols carry is left out. */

import { Protocol, extensionLength } from '../decode/ip.js';
import { EtherType, etherTypeOfLlc, labelStackEnd, llcHeaderEnd, MAX_802_3_LENGTH } from '../decode/shim.js';
import type { IpPart } from './ip-part.js';
import { stepPpp } from './packet-shim.js';
import { redactTransport } from './packet-transport.js';
import type { Rewrite } from './rewrite.js';

const RARP = 0x8035;
const ARP_LENGTH = 28;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

/**
 * Rewrites what an EtherType (or, up to 1500, the length of an LLC frame) announces at `at`.
 * @param quoted it is part of an ICMP error: only headers are kept, and nothing quoted in it
 */
export function redactNetwork(w: Rewrite, etherType: number, at: number, quoted = false): void {
  let type = etherType;
  let next = at;
  // Every turn takes at least three bytes, so that the packet's length bounds the loop.
  for (;;) {
    switch (type) {
      case EtherType.VLAN:
      case EtherType.PROVIDER_BRIDGE:
      case EtherType.QINQ:
      case EtherType.QINQ_2:
      case EtherType.QINQ_3:
        w.number(next, 4);
        if (next + 4 > w.bytes.length) return;
        type = w.view.getUint16(next + 2);
        next += 4;
        continue;
      case EtherType.PPPOE_SESSION: {
        w.number(next, 6);
        const inner = next + 6 <= w.bytes.length ? stepPpp(w, next + 6) : undefined;
        if (!inner) return;
        ({ type, next } = inner);
        continue;
      }
      case EtherType.MPLS:
      case EtherType.MPLS_MULTICAST: {
        const payload = labelStackEnd(w.view, next, w.bytes.length);
        if (payload < 0) return;
        w.number(next, payload - next);
        if (payload >= w.bytes.length) return;
        // A pseudowire, unless it is IP.
        w.blank(payload, 1);
        const version = w.view.getUint8(payload) >> 4;
        if (version === 4) redactIpv4(w, payload, quoted);
        else if (version === 6) redactIpv6(w, payload, quoted);
        return;
      }
      case EtherType.ARP:
      case RARP:
        redactArp(w, next);
        return;
      case EtherType.IPV4:
        redactIpv4(w, next, quoted);
        return;
      case EtherType.IPV6:
        redactIpv6(w, next, quoted);
        return;
      default: {
        if (type > MAX_802_3_LENGTH) return;
        w.number(next, 3);
        const payload = llcHeaderEnd(w.view, next, w.bytes.length);
        if (payload < 0) return;
        w.number(next, payload - next);
        type = etherTypeOfLlc(w.view, next);
        if (type <= MAX_802_3_LENGTH) return;
        next = payload;
      }
    }
  }
}

/** RFC 826 for IPv4 over 48-bit addresses; of other kinds nothing is left but the header. */
function redactArp(w: Rewrite, at: number): void {
  if (at + 8 > w.bytes.length) return;
  const hardware = w.view.getUint16(at);
  w.number(at, 8);
  w.blank(at + 8, ARP_LENGTH - 8);
  const isKnown = hardware === 1 || hardware === 6;
  if (!isKnown || w.view.getUint16(at + 2) !== EtherType.IPV4 || w.view.getUint16(at + 4) !== 0x0604) return;
  if (w.mac(at + 8) && w.ipv4(at + 14) && w.mac(at + 18) && w.ipv4(at + 24)) w.blank(at, w.bytes.length - at);
}

function redactIpv4(w: Rewrite, at: number, quoted: boolean): void {
  const { view } = w;
  const end = w.bytes.length;
  if (at + IPV4_HEADER > end) return;
  const headerLength = (view.getUint8(at) & 15) * 4;
  w.number(at, 10);
  if (view.getUint8(at) >> 4 !== 4 || headerLength < IPV4_HEADER) {
    malformed(w, at, IPV4_HEADER);
    return;
  }
  w.blank(at + 10, 2);
  w.ipv4(at + 12);
  w.ipv4(at + 16);
  redactIpv4Options(w, at + IPV4_HEADER, Math.min(at + headerLength, end));
  const totalLength = view.getUint16(at + 2);
  const fragment = view.getUint16(at + 6);
  if ((totalLength === 0 || totalLength >= headerLength) && (fragment & 0x1fff) === 0 && at + headerLength <= end) {
    const part: IpPart = {
      version: 4,
      header: at,
      end: totalLength === 0 ? end : Math.min(end, at + totalLength),
      length: totalLength === 0 ? end - at - headerLength : totalLength - headerLength,
      isFragment: (fragment & 0x2000) !== 0,
      destination: at + 16,
      quote: quoted ? undefined : (inner) => redactNetwork(w, EtherType.IPV4, inner, true),
    };
    const protocol = view.getUint8(at + 9);
    if (protocol === Protocol.AH) redactExtensions(w, protocol, at + headerLength, part);
    else redactTransport(w, protocol, at + headerLength, part);
  }
  w.put16(at + 10, w.checksum(at, Math.min(at + headerLength, end)));
  if (!quoted) keepPadding(w, totalLength === 0 ? end : at + totalLength);
}

/** What follows a packet of which nothing was left out is padding: with it, the frame is whole. */
function keepPadding(w: Rewrite, end: number): void {
  if (w.length >= end) w.blank(end, w.bytes.length - end);
}

/** A header that contradicts itself: what stands in the place of addresses cannot be known to be none. */
function malformed(w: Rewrite, at: number, length: number): void {
  w.cut(at + 1);
  w.blank(at, length);
}

const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;
/** Options that hold no address: router alert, and those of security labels do not count as one. */
const ROUTER_ALERT = 148;

/** Options become no-operations, as many bytes as before, but for the router alert. */
function redactIpv4Options(w: Rewrite, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const type = w.view.getUint8(at);
    const length = type <= NO_OPERATION ? 1 : at + 1 < end ? w.view.getUint8(at + 1) : 0;
    const isWhole = length > 0 && at + length <= end;
    if (isWhole && (type <= NO_OPERATION || (type === ROUTER_ALERT && length === 4))) w.number(at, length);
    else for (let i = at; i < (isWhole ? at + length : end); i++) w.put8(i, NO_OPERATION);
    if (type === END_OF_OPTIONS || !isWhole) break;
    at += length;
  }
  w.blank(start, end - start);
}

function redactIpv6(w: Rewrite, at: number, quoted: boolean): void {
  const { view } = w;
  const end = w.bytes.length;
  if (at + IPV6_HEADER > end) return;
  w.number(at, 8);
  if (view.getUint8(at) >> 4 !== 6) {
    malformed(w, at, IPV6_HEADER);
    return;
  }
  w.ipv6(at + 8);
  w.ipv6(at + 24);
  const length = view.getUint16(at + 4);
  const part: IpPart = {
    version: 6,
    header: at,
    end: length === 0 ? end : Math.min(end, at + IPV6_HEADER + length),
    length: length === 0 ? end - at - IPV6_HEADER : length,
    isFragment: false,
    destination: at + 24,
    quote: quoted ? undefined : (inner) => redactNetwork(w, EtherType.IPV6, inner, true),
  };
  redactExtensions(w, view.getUint8(at + 6), at + IPV6_HEADER, part);
  if (!quoted) keepPadding(w, part.end);
}

/** Extension headers keep type, length and place; of what they hold, only fragments and routes. */
function redactExtensions(w: Rewrite, first: number, start: number, whole: IpPart): void {
  const { view } = w;
  let part = whole;
  let header = first;
  let at = start;
  for (;;) {
    if (!isExtension(header)) {
      redactTransport(w, header, at, part);
      return;
    }
    if (part.end - at < 8) return;
    const length = extensionLength(view, header, at);
    w.blank(at, Math.min(length, part.end - at));
    w.number(at, 2);
    part = { ...part, length: part.length - length };
    if (header === Protocol.FRAGMENT) {
      w.number(at, 8);
      const offsetAndMore = view.getUint16(at + 2);
      if (offsetAndMore & 0xfff8) return;
      part = { ...part, isFragment: (offsetAndMore & 1) !== 0 };
    } else if (header === Protocol.ROUTING) {
      part = redactRoute(w, at, length, part);
    } else if (header === Protocol.HOP_BY_HOP || header === Protocol.DESTINATION) {
      redactOptions(w, at + 2, Math.min(at + length, part.end));
    }
    header = view.getUint8(at);
    at += length;
    if (at > part.end) return;
  }
}

function isExtension(header: number): boolean {
  const { HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION, MOBILITY, HIP, SHIM6 } = Protocol;
  const all: readonly number[] = [HOP_BY_HOP, ROUTING, FRAGMENT, AH, DESTINATION, MOBILITY, HIP, SHIM6];
  return all.includes(header);
}

const TYPE_0 = 0;
const MOBILE = 2;
const SEGMENTS = 4;

/** Addresses of a route (RFC 5095, RFC 6275, RFC 8754); the last one to come is what checksums are of. */
function redactRoute(w: Rewrite, at: number, length: number, part: IpPart): IpPart {
  const type = w.view.getUint8(at + 2);
  if (type !== TYPE_0 && type !== MOBILE && type !== SEGMENTS) return part;
  w.number(at + 2, 2);
  if (type === SEGMENTS) w.number(at + 4, 2);
  const most = type === SEGMENTS ? w.view.getUint8(at + 4) + 1 : Infinity;
  const end = Math.min(at + length, part.end);
  let last = -1;
  let first = -1;
  for (let address = at + 8, n = 0; address + 16 <= end && n < most; address += 16, n++) {
    w.ipv6(address);
    if (first < 0) first = address;
    last = address;
  }
  const final = type === SEGMENTS ? first : last;
  return w.view.getUint8(at + 3) > 0 && final >= 0 ? { ...part, destination: final } : part;
}

const PAD_1 = 0;
const PAD_N = 1;
const IPV6_ROUTER_ALERT = 5;

/** Options of hop-by-hop and destination headers become padding, but for the router alert. */
function redactOptions(w: Rewrite, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const type = w.view.getUint8(at);
    if (type === PAD_1) {
      at++;
      continue;
    }
    const length = at + 1 < end ? w.view.getUint8(at + 1) + 2 : 0;
    if (length === 0 || at + length > end) return;
    if (type === IPV6_ROUTER_ALERT && length === 4) {
      w.number(at, 4);
    } else {
      w.put8(at, PAD_N);
      w.number(at + 1, 1);
    }
    at += length;
  }
}
