/** IPv4 (RFC 791), IPv6 (RFC 8200) with its extension headers, and the first bytes of the transport header. */

import type { AddressTable } from '../bytes/address.js';
import { Claim, type FrameBatch, FrameFlag } from '../records/frame-batch.js';
import { decodeDhcp } from './dhcp.js';
import { internAt } from './intern.js';
import { decodeIcmpv6 } from './ndp.js';

/** IP protocol numbers (IANA) that the decoder acts on. */
export const Protocol = {
  HOP_BY_HOP: 0,
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  DCCP: 33,
  ROUTING: 43,
  FRAGMENT: 44,
  AH: 51,
  ICMPV6: 58,
  DESTINATION: 60,
  SCTP: 132,
  MOBILITY: 135,
  UDP_LITE: 136,
  HIP: 139,
  SHIM6: 140,
} as const;

/**
 * A bit of the `flags` column between this file and its caller: the IP length goes beyond the captured bytes, so that
 * it has to be held against the bytes on the wire.
 */
export const BEYOND_CAPTURED = 1 << 30;

const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const MAX_PAYLOAD = 0xffff;

/** Reads the IPv4 packet at `at` into row `row`. */
export function decodeIpv4(
  view: DataView,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  if (end - at < IPV4_HEADER) {
    addFlag(frames, row, FrameFlag.CUT);
    return;
  }
  const versionAndLength = view.getUint8(at);
  const headerLength = (versionAndLength & 15) * 4;
  if (versionAndLength >> 4 !== 4 || headerLength < IPV4_HEADER) {
    addFlag(frames, row, FrameFlag.MALFORMED);
    return;
  }
  const protocol = view.getUint8(at + 9);
  frames.ipVersion[row] = 4;
  frames.srcIp[row] = view.getInt32(at + 12);
  frames.dstIp[row] = view.getInt32(at + 16);
  frames.protocol[row] = protocol;
  frames.hopLimit[row] = view.getUint8(at + 8);
  frames.ipId[row] = view.getUint16(at + 4);
  if (headerLength > IPV4_HEADER) addFlag(frames, row, FrameFlag.IP_OPTIONS);
  const totalLength = view.getUint16(at + 2);
  // 0: segmentation offload handed the capture a packet whose length does not fit.
  if (totalLength !== 0 && totalLength < headerLength) {
    addFlag(frames, row, FrameFlag.MALFORMED);
    return;
  }
  let ipEnd = totalLength === 0 ? end : at + totalLength;
  if (ipEnd > end) {
    addFlag(frames, row, BEYOND_CAPTURED);
    ipEnd = end;
  }
  const fragment = view.getUint16(at + 6) & 0x3fff;
  if (fragment !== 0) {
    addFlag(frames, row, fragment & 0x1fff ? FrameFlag.FRAGMENT | FrameFlag.LATER_FRAGMENT : FrameFlag.FRAGMENT);
    if (fragment & 0x1fff) return;
  }
  if (protocol === Protocol.AH) decodeExtensions(view, protocol, at + headerLength, ipEnd, end, frames, row, addresses);
  else decodeTransport(view, protocol, at + headerLength, ipEnd, end, frames, row, addresses);
}

/** Reads the IPv6 packet at `at` into row `row`. */
export function decodeIpv6(
  view: DataView,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  if (end - at < IPV6_HEADER) {
    addFlag(frames, row, FrameFlag.CUT);
    return;
  }
  if (view.getUint8(at) >> 4 !== 6) {
    addFlag(frames, row, FrameFlag.MALFORMED);
    return;
  }
  const next = view.getUint8(at + 6);
  frames.ipVersion[row] = 6;
  frames.srcIp[row] = internAt(view, at + 8, addresses);
  frames.dstIp[row] = internAt(view, at + 24, addresses);
  frames.protocol[row] = next;
  frames.hopLimit[row] = view.getUint8(at + 7);
  const payloadLength = view.getUint16(at + 4);
  // 0: a jumbogram (RFC 2675), or segmentation offload of more than 16 bits can say.
  const isJumbo = payloadLength === 0 && (next === Protocol.HOP_BY_HOP || (frames.length[row] ?? 0) > MAX_PAYLOAD);
  let ipEnd = isJumbo ? end : at + IPV6_HEADER + payloadLength;
  if (ipEnd > end) {
    addFlag(frames, row, BEYOND_CAPTURED);
    ipEnd = end;
  }
  if (next === Protocol.TCP || next === Protocol.UDP) {
    decodeTransport(view, next, at + IPV6_HEADER, ipEnd, end, frames, row, addresses);
  } else {
    decodeExtensions(view, next, at + IPV6_HEADER, ipEnd, end, frames, row, addresses);
  }
}

/**
 * Length of the IPv6 extension header of type `header` at `at`, of which at least two bytes are there; 0 when `header`
 * is no extension header (RFC 8200 section 4, RFC 4302, RFC 6275, RFC 7401, RFC 5533).
 */
export function extensionLength(view: DataView, header: number, at: number): number {
  switch (header) {
    case Protocol.HOP_BY_HOP:
    case Protocol.ROUTING:
    case Protocol.DESTINATION:
    case Protocol.MOBILITY:
    case Protocol.HIP:
    case Protocol.SHIM6:
      return (view.getUint8(at + 1) + 1) * 8;
    case Protocol.AH:
      return (view.getUint8(at + 1) + 2) * 4;
    case Protocol.FRAGMENT:
      return 8;
    default:
      return 0;
  }
}

function decodeExtensions(
  view: DataView,
  first: number,
  start: number,
  ipEnd: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  let header = first;
  let at = start;
  // Every extension header takes at least eight bytes, so that the packet's length bounds the loop.
  while (isExtension(header)) {
    if (ipEnd - at < 8) {
      addFlag(frames, row, ipEnd < end ? FrameFlag.MALFORMED : FrameFlag.CUT);
      return;
    }
    const next = view.getUint8(at);
    frames.protocol[row] = next;
    if (header === Protocol.FRAGMENT) {
      const offsetAndMore = view.getUint16(at + 2);
      // Offset 0 and no more: an atomic fragment (RFC 6946), which is a whole packet.
      if (offsetAndMore & 0xfff9) addFlag(frames, row, FrameFlag.FRAGMENT);
      if (offsetAndMore & 0xfff8) {
        addFlag(frames, row, FrameFlag.LATER_FRAGMENT);
        return;
      }
    } else {
      addFlag(frames, row, FrameFlag.IP_OPTIONS);
    }
    at += extensionLength(view, header, at);
    header = next;
  }
  if (at > ipEnd) addFlag(frames, row, ipEnd < end ? FrameFlag.MALFORMED : FrameFlag.CUT);
  else decodeTransport(view, header, at, ipEnd, end, frames, row, addresses);
}

function isExtension(header: number): boolean {
  switch (header) {
    case Protocol.HOP_BY_HOP:
    case Protocol.ROUTING:
    case Protocol.FRAGMENT:
    case Protocol.AH:
    case Protocol.DESTINATION:
    case Protocol.MOBILITY:
    case Protocol.HIP:
    case Protocol.SHIM6:
      return true;
    default:
      return false;
  }
}

function decodeTransport(
  view: DataView,
  protocol: number,
  at: number,
  ipEnd: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  if (at > ipEnd) {
    addFlag(frames, row, ipEnd < end ? FrameFlag.MALFORMED : FrameFlag.CUT);
    return;
  }
  frames.transportOffset[row] = at;
  const available = ipEnd - at;
  let needed = 0;
  switch (protocol) {
    case Protocol.TCP:
      needed = 20;
      if (available >= 14) {
        frames.detail[row] = view.getUint8(at + 13);
        if (view.getUint8(at + 12) < 0x50) addFlag(frames, row, FrameFlag.MALFORMED);
      }
      break;
    case Protocol.UDP:
    case Protocol.UDP_LITE:
      needed = 8;
      break;
    case Protocol.SCTP:
    case Protocol.DCCP:
      needed = 12;
      break;
    case Protocol.ICMP:
      decodeIcmp(view, at, ipEnd, frames, row);
      if (available < 4) addFlag(frames, row, ipEnd < end ? FrameFlag.MALFORMED : FrameFlag.CUT);
      return;
    case Protocol.ICMPV6:
      decodeIcmpv6(view, at, ipEnd, frames, row, addresses);
      if (available < 4) addFlag(frames, row, ipEnd < end ? FrameFlag.MALFORMED : FrameFlag.CUT);
      return;
    default:
      return;
  }
  if (available < needed) addFlag(frames, row, ipEnd < end ? FrameFlag.MALFORMED : FrameFlag.CUT);
  if (available < 4) return;
  const srcPort = view.getUint16(at);
  const dstPort = view.getUint16(at + 2);
  frames.srcPort[row] = srcPort;
  frames.dstPort[row] = dstPort;
  if ((dstPort === 67 || dstPort === 68) && protocol === Protocol.UDP) decodeDhcp(view, at + 8, ipEnd, frames, row);
}

/** ICMP (RFC 792): type and code, the identifier of an echo, and what a redirect says. */
function decodeIcmp(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 2) return;
  const type = view.getUint8(at);
  frames.detail[row] = (type << 8) | view.getUint8(at + 1);
  if ((type === ECHO_REPLY || type === ECHO_REQUEST) && end - at >= 6) {
    frames.srcPort[row] = frames.dstPort[row] = view.getUint16(at + 4);
  }
  const isWhole = end - at >= 8 + IPV4_HEADER && ((frames.flags[row] ?? 0) & FrameFlag.FRAGMENT) === 0;
  if (type === REDIRECT && isWhole && frames.ipVersion[row] === 4 && view.getUint8(at + 8) >> 4 === 4) {
    frames.claim[row] = Claim.REDIRECT;
    frames.claimIpVersion[row] = 4;
    frames.claimIp[row] = view.getInt32(at + 4);
    frames.targetIp[row] = view.getInt32(at + 8 + 16);
    frames.claimMacHigh[row] = frames.claimMacLow[row] = 0;
    frames.claimPrefix[row] = -1;
  }
}

const ECHO_REPLY = 0;
const ECHO_REQUEST = 8;
const REDIRECT = 5;

function addFlag(frames: FrameBatch, row: number, flag: number): void {
  frames.flags[row] = (frames.flags[row] ?? 0) | flag;
}
