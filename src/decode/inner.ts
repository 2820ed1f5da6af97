/**
 * Where a tunnel, a pseudowire or an ICMP error carries another packet.
 *
 * The analysis never looks there: what a tunnel carries is not on this segment. The `frames` command does, since
 * tshark's fields hold the first occurrence in the whole frame.
 */

import { type FrameBatch, FrameFlag, Link } from '../records/frame-batch.js';
import { insideGre } from './inner-gre.js';
import { type InnerPacket, linked, nextProtocol, TRANSPARENT_BRIDGING, typed } from './inner-packet.js';
import { insideUdp } from './inner-udp.js';
import { Protocol } from './ip.js';
import { LinkType } from './link-type.js';
import { EtherType, labelStackEnd, MAX_802_3_LENGTH } from './shim.js';

/** @returns the packet inside row `row`, which ends at `end`; undefined when there is none that can be read */
export function findInner(view: DataView, end: number, frames: FrameBatch, row: number): InnerPacket | undefined {
  const network = frames.networkOffset[row] ?? -1;
  if (network < 0 || network >= end) return undefined;
  const etherType = frames.etherType[row] ?? -1;
  const isIp = etherType === EtherType.IPV4 || etherType === EtherType.IPV6;
  const inner = isIp ? insideIp(view, end, frames, row) : insideShim(view, etherType, network, end, frames, row);
  return inner && inner.at < inner.end ? inner : undefined;
}

/** Tags that the analysis does not look behind. */
function insideShim(
  view: DataView,
  etherType: number,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
): InnerPacket | undefined {
  const available = end - at;
  switch (etherType) {
    case EtherType.MPLS:
    case EtherType.MPLS_MULTICAST:
      return insideMpls(view, at, end);
    case TRANSPARENT_BRIDGING:
      return linked(LinkType.ETHERNET, at, end);
    case 0x8926:
      // VN-Tag (IEEE 802.1BR's forerunner): four bytes, then a type.
      return available >= 6 ? typed(view.getUint16(at + 4), at + 6, end) : undefined;
    case 0x88e7:
      // Provider backbone bridging (IEEE 802.1ah): four bytes of I-TAG, then the customer's frame.
      return linked(LinkType.ETHERNET, at + 4, end);
    case 0x8903:
      // FabricPath: two bytes of tag and TTL, then the frame.
      return linked(LinkType.ETHERNET, at + 2, end);
    case 0xd28b:
      return insideAristaTimestamp(view, at, end);
    case 0x88e5:
      return insideMacsec(view, at, end);
    case 0x894f:
      return insideNsh(view, at, end);
    default:
      return isInterSwitchLink(frames, row)
        ? linked(LinkType.ETHERNET, at + (etherType === 0 ? 4 : 12), end)
        : undefined;
  }
}

/**
 * Cisco's ISL: a header of 26 bytes whose first address is this group, before the frame. `networkOffset` is 14 bytes
 * into it, or 22 when what follows looked like SNAP.
 */
export function isInterSwitchLink(frames: FrameBatch, row: number): boolean {
  const high = frames.dstMacHigh[row];
  const isLength = (frames.etherType[row] ?? 0) <= MAX_802_3_LENGTH && frames.link[row] === Link.ETHERNET;
  return isLength && (high === 0x0100 || high === 0x0c00) && (frames.dstMacLow[row] ?? 0) >>> 8 === 0x0c0000;
}

/** What is not IP under a label stack is an Ethernet pseudowire (RFC 4448), with a control word when its first nibble is 0. */
function insideMpls(view: DataView, at: number, end: number): InnerPacket | undefined {
  const payload = labelStackEnd(view, at, end);
  if (payload < 0 || payload >= end) return undefined;
  const nibble = view.getUint8(payload) >> 4;
  if (nibble === 1) return undefined;
  return linked(LinkType.ETHERNET, nibble === 0 ? payload + 4 : payload, end);
}

/** Arista's time stamp: subtype 1, then a version whose lower byte is 0x10 for 64 bits of time, 0x20 for 48. */
function insideAristaTimestamp(view: DataView, at: number, end: number): InnerPacket | undefined {
  if (end - at < 4 || view.getUint16(at) !== 1) return undefined;
  const version = view.getUint8(at + 3);
  const type = at + (version === 0x10 ? 12 : 10);
  if ((version !== 0x10 && version !== 0x20) || type + 2 > end) return undefined;
  return typed(view.getUint16(type), type + 2, end);
}

/** IEEE 802.1AE: readable when neither the encryption nor the changed-text bit is set; 16 bytes of check value follow. */
function insideMacsec(view: DataView, at: number, end: number): InnerPacket | undefined {
  const control = view.getUint8(at);
  if (control & 0x0c) return undefined;
  const type = at + (control & 0x20 ? 14 : 6);
  return type + 2 <= end ? typed(view.getUint16(type), type + 2, end) : undefined;
}

/** RFC 8300. */
function insideNsh(view: DataView, at: number, end: number): InnerPacket | undefined {
  if (end - at < 8) return undefined;
  return nextProtocol(view.getUint8(at + 3), at + (view.getUint16(at) & 0x3f) * 4, end);
}

function insideIp(view: DataView, packetEnd: number, frames: FrameBatch, row: number): InnerPacket | undefined {
  const network = frames.networkOffset[row] ?? 0;
  if (frames.ipVersion[row] === 0) {
    // IPv6 under IPv4's EtherType: tshark goes by the version.
    const isIpv6 = frames.etherType[row] === EtherType.IPV4 && view.getUint8(network) >> 4 === 6;
    return isIpv6 ? typed(EtherType.IPV6, network, packetEnd) : undefined;
  }
  const at = frames.transportOffset[row] ?? -1;
  const end = ipEnd(view, network, packetEnd, frames, row);
  if (at < 0 || at >= end || (frames.flags[row] ?? 0) & FrameFlag.LATER_FRAGMENT) return undefined;
  switch (frames.protocol[row]) {
    case Protocol.ICMP:
      return isIcmpError(view.getUint8(at)) ? typed(EtherType.IPV4, at + 8, end) : undefined;
    case Protocol.ICMPV6:
      return insideIcmpv6(view, at, end);
    case 4:
      return typed(EtherType.IPV4, at, end);
    case 41:
      return typed(EtherType.IPV6, at, end);
    case 47:
      return insideGre(view, at, end);
    case 97:
      // EtherIP (RFC 3378).
      return linked(LinkType.ETHERNET, at + 2, end);
    case 103:
      // PIM register (RFC 7761 section 4.9.3).
      return view.getUint8(at) === 0x21 ? linked(LinkType.RAW, at + 8, end) : undefined;
    case 137:
      return typed(EtherType.MPLS, at, end);
    case Protocol.UDP:
      return insideUdp(view, at, end, frames, row);
    default:
      return undefined;
  }
}

function ipEnd(view: DataView, network: number, end: number, frames: FrameBatch, row: number): number {
  const length = frames.ipVersion[row] === 4 ? view.getUint16(network + 2) : view.getUint16(network + 4);
  if (length === 0) return end;
  return Math.min(end, network + length + (frames.ipVersion[row] === 4 ? 0 : 40));
}

/** Unreachable, source quench, redirect, time exceeded, parameter problem quote the packet they are about (RFC 792). */
function isIcmpError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** Errors quote the packet (RFC 4443); a redirect may in its option 4 (RFC 4861 section 4.6.3). */
function insideIcmpv6(view: DataView, at: number, end: number): InnerPacket | undefined {
  const type = view.getUint8(at);
  if (type >= 1 && type <= 4) return typed(EtherType.IPV6, at + 8, end);
  if (type !== 137) return undefined;
  for (let option = at + 40; option + 8 <= end;) {
    if (view.getUint8(option) === 4) return typed(EtherType.IPV6, option + 8, end);
    const length = view.getUint8(option + 1) * 8;
    if (length === 0) return undefined;
    option += length;
  }
  return undefined;
}
