/**
 * Where a tunnel, a pseudowire or an ICMP error carries another packet.
 *
 * The analysis never looks there: what a tunnel carries is not on this segment. The `frames` command does, since
 * tshark's fields hold the first occurrence in the whole frame.
 */

import type { FrameBatch } from '../records/frame-batch.js';
import { FrameFlag } from '../records/frame-batch.js';
import { Protocol } from './ip.js';
import { LinkType } from './link-type.js';
import { EtherType, labelStackEnd } from './shim.js';

/** A packet inside a packet: the link type that its bytes begin with, and where they begin. */
export interface InnerPacket {
  readonly linkType: number;
  readonly at: number;
}

/** @returns the packet inside row `row`, which ends at `end`; undefined when there is none that can be read */
export function findInner(view: DataView, end: number, frames: FrameBatch, row: number): InnerPacket | undefined {
  const found = findAny(view, end, frames, row);
  return found && found.at < end ? found : undefined;
}

function findAny(view: DataView, end: number, frames: FrameBatch, row: number): InnerPacket | undefined {
  const network = frames.networkOffset[row] ?? -1;
  if (network < 0) return undefined;
  switch (frames.etherType[row]) {
    case EtherType.MPLS:
    case EtherType.MPLS_MULTICAST:
      return insideMpls(view, network, end);
    case EtherType.IPV4:
    case EtherType.IPV6:
      return insideIp(view, end, frames, row);
    case ETHERTYPE_TRANSPARENT_BRIDGING:
      return { linkType: LinkType.ETHERNET, at: network };
    default:
      return undefined;
  }
}

const ETHERTYPE_TRANSPARENT_BRIDGING = 0x6558;

/** What is not IP under a label stack is an Ethernet pseudowire (RFC 4448), with a control word when its first nibble is 0. */
function insideMpls(view: DataView, at: number, end: number): InnerPacket | undefined {
  const payload = labelStackEnd(view, at, end);
  if (payload < 0 || payload >= end) return undefined;
  const nibble = view.getUint8(payload) >> 4;
  if (nibble === 1) return undefined;
  return { linkType: LinkType.ETHERNET, at: nibble === 0 ? payload + 4 : payload };
}

function insideIp(view: DataView, end: number, frames: FrameBatch, row: number): InnerPacket | undefined {
  const at = frames.transportOffset[row] ?? -1;
  if (at < 0 || at >= end || (frames.flags[row] ?? 0) & FrameFlag.LATER_FRAGMENT) return undefined;
  switch (frames.protocol[row]) {
    case Protocol.ICMP:
      return isIcmpError(view.getUint8(at)) ? { linkType: LinkType.RAW, at: at + 8 } : undefined;
    case Protocol.ICMPV6:
      return view.getUint8(at) >= 1 && view.getUint8(at) <= 4 ? { linkType: LinkType.RAW, at: at + 8 } : undefined;
    case PROTOCOL_IPIP:
      return { linkType: LinkType.RAW, at };
    case PROTOCOL_IPV6:
      return { linkType: LinkType.RAW, at };
    case PROTOCOL_GRE:
      return insideGre(view, at, end);
    case PROTOCOL_ETHERIP:
      return { linkType: LinkType.ETHERNET, at: at + 2 };
    case Protocol.UDP:
      return end - at >= 8 ? insideUdp(view, at, end, frames, row) : undefined;
    default:
      return undefined;
  }
}

const PROTOCOL_IPIP = 4;
const PROTOCOL_IPV6 = 41;
const PROTOCOL_GRE = 47;
const PROTOCOL_ETHERIP = 97;

/** Unreachable, source quench, redirect, time exceeded, parameter problem quote the packet they are about (RFC 792). */
function isIcmpError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
}

/** RFC 2784, 2890; version 1 is PPTP (RFC 2637). */
function insideGre(view: DataView, at: number, end: number): InnerPacket | undefined {
  if (end - at < 4) return undefined;
  const flags = view.getUint16(at);
  const protocol = view.getUint16(at + 2);
  let next = at + 4;
  if (flags & 0xc000) next += 4;
  if (flags & 0x2000) next += 4;
  if (flags & 0x1000) next += 4;
  if ((flags & 7) === 1 && flags & 0x80) next += 4;
  switch (protocol) {
    case EtherType.IPV4:
    case EtherType.IPV6:
      return { linkType: LinkType.RAW, at: next };
    case ETHERTYPE_TRANSPARENT_BRIDGING:
      return { linkType: LinkType.ETHERNET, at: next };
    case 0x880b:
      return { linkType: LinkType.PPP, at: next };
    case 0x88be:
      // ERSPAN type II has eight bytes of header, and type I, which has no sequence number, none.
      return { linkType: LinkType.ETHERNET, at: flags & 0x1000 ? next + 8 : next };
    case 0x22eb:
      // ERSPAN type III: twelve bytes, and eight more of platform-specific header with the O bit.
      if (end - next < 12) return undefined;
      return { linkType: LinkType.ETHERNET, at: next + (view.getUint8(next + 11) & 1 ? 20 : 12) };
    default:
      return undefined;
  }
}

function insideUdp(view: DataView, at: number, end: number, frames: FrameBatch, row: number): InnerPacket | undefined {
  const payload = at + 8;
  const isPort = (port: number): boolean => frames.dstPort[row] === port || frames.srcPort[row] === port;
  if (isPort(4789) || isPort(8472)) return { linkType: LinkType.ETHERNET, at: payload + 8 };
  if (isPort(6081) && end - payload >= 8) return insideGeneve(view, payload);
  if (isPort(2152) && end - payload >= 8) return insideGtp(view, payload, end);
  return undefined;
}

/** RFC 8926. */
function insideGeneve(view: DataView, at: number): InnerPacket | undefined {
  const next = at + 8 + (view.getUint8(at) & 0x3f) * 4;
  switch (view.getUint16(at + 2)) {
    case ETHERTYPE_TRANSPARENT_BRIDGING:
      return { linkType: LinkType.ETHERNET, at: next };
    case EtherType.IPV4:
    case EtherType.IPV6:
      return { linkType: LinkType.RAW, at: next };
    default:
      return undefined;
  }
}

/** GTP-U version 1 (3GPP TS 29.281): a G-PDU is a user's packet. */
function insideGtp(view: DataView, at: number, end: number): InnerPacket | undefined {
  const flags = view.getUint8(at);
  if (flags >> 5 !== 1 || view.getUint8(at + 1) !== 0xff) return undefined;
  if ((flags & 7) === 0) return { linkType: LinkType.RAW, at: at + 8 };
  let next = at + 12;
  let extension = next <= end ? view.getUint8(next - 1) : 0;
  while (extension !== 0) {
    if (next >= end) return undefined;
    const length = view.getUint8(next) * 4;
    if (length === 0 || next + length > end) return undefined;
    next += length;
    extension = view.getUint8(next - 1);
  }
  return { linkType: LinkType.RAW, at: next };
}
