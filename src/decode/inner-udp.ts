/** Tunnels over UDP, told by port as tshark does. */

import type { FrameBatch } from '../records/frame-batch.js';
import { insideGre } from './inner-gre.js';
import { type InnerPacket, linked, nextProtocol, typed } from './inner-packet.js';
import { LinkType } from './link-type.js';
import { EtherType } from './shim.js';

/** @returns the packet inside the UDP datagram at `at`, undefined when its ports name no known tunnel */
export function insideUdp(
  view: DataView,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
): InnerPacket | undefined {
  // Every tunnel header below has at least eight bytes, or is bounded by its packet.
  const payload = at + 8;
  const length = end - at >= 8 ? view.getUint16(at + 4) : 0;
  if (length < 8 || end - payload < 8) return undefined;
  return (
    insidePort(view, frames.dstPort[row] ?? 0, payload, end) ?? insidePort(view, frames.srcPort[row] ?? 0, payload, end)
  );
}

function insidePort(view: DataView, port: number, at: number, end: number): InnerPacket | undefined {
  switch (port) {
    case 1701:
      return insideL2tp(view, at, end);
    case 2152:
      return insideGtp(view, at, end);
    case 3544:
      return insideTeredo(view, at, end);
    case 4341:
      // LISP data (RFC 9300).
      return linked(LinkType.RAW, at + 8, end);
    case 4754:
      return insideGre(view, at, end);
    case 4789:
      return linked(LinkType.ETHERNET, at + 8, end);
    case 4790:
      return nextProtocol(view.getUint8(at + 3), at + 8, end);
    case 5072:
      return insideAyiya(view, at, end);
    case 6081:
      // RFC 8926.
      return typed(view.getUint16(at + 2), at + 8 + (view.getUint8(at) & 0x3f) * 4, end);
    case 6635:
      return typed(EtherType.MPLS, at, end);
    default:
      return undefined;
  }
}

/** A version 2 data message (RFC 2661 section 3.1) carries PPP. */
function insideL2tp(view: DataView, at: number, end: number): InnerPacket | undefined {
  const flags = view.getUint16(at);
  if (flags & 0x8000 || (flags & 15) !== 2) return undefined;
  let next = at + (flags & 0x4000 ? 8 : 6);
  if (flags & 0x0800) next += 4;
  if (flags & 0x0200) {
    if (next + 2 > end) return undefined;
    next += 2 + view.getUint16(next);
  }
  return linked(LinkType.PPP, next, end);
}

/** GTP-U version 1 (3GPP TS 29.281): a G-PDU is a user's packet. */
function insideGtp(view: DataView, at: number, end: number): InnerPacket | undefined {
  const flags = view.getUint8(at);
  if (flags >> 5 !== 1 || view.getUint8(at + 1) !== 0xff) return undefined;
  if ((flags & 7) === 0) return linked(LinkType.RAW, at + 8, end);
  let next = at + 12;
  let extension = next <= end ? view.getUint8(next - 1) : 0;
  while (extension !== 0) {
    if (next >= end) return undefined;
    const length = view.getUint8(next) * 4;
    if (length === 0 || next + length > end) return undefined;
    next += length;
    extension = view.getUint8(next - 1);
  }
  return linked(LinkType.RAW, next, end);
}

/** RFC 4380 section 5.1.1: authentication, then origin indication, both optional, then IPv6. */
function insideTeredo(view: DataView, at: number, end: number): InnerPacket | undefined {
  let next = at;
  if (view.getUint16(next) === 1) next += 13 + view.getUint8(next + 2) + view.getUint8(next + 3);
  if (next + 2 <= end && view.getUint16(next) === 0) next += 8;
  const isIpv6 = next < end && view.getUint8(next) >> 4 === 6;
  return isIpv6 ? typed(EtherType.IPV6, next, end) : undefined;
}

/** draft-massar-v6ops-ayiya: eight bytes, identity and signature of stated lengths, then the packet. */
function insideAyiya(view: DataView, at: number, end: number): InnerPacket | undefined {
  const identityLength = 1 << (view.getUint8(at) >> 4);
  const signatureLength = (view.getUint8(at + 1) >> 4) * 4;
  const next = at + 8 + identityLength + signatureLength;
  const protocol = view.getUint8(at + 3);
  if (protocol === 41) return typed(EtherType.IPV6, next, end);
  return protocol === 4 ? typed(EtherType.IPV4, next, end) : undefined;
}
