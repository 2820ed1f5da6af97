/** What may stand between link header and network header: VLAN tags, LLC/SNAP, PPPoE session, MPLS. */

import { type FrameBatch, FrameFlag } from '../records/frame-batch.js';

/** EtherTypes (IEEE registry) that the decoder acts on. */
export const EtherType = {
  IPV4: 0x0800,
  ARP: 0x0806,
  VLAN: 0x8100,
  IPV6: 0x86dd,
  MPLS: 0x8847,
  MPLS_MULTICAST: 0x8848,
  PPPOE_SESSION: 0x8864,
  PROVIDER_BRIDGE: 0x88a8,
  QINQ: 0x9100,
  QINQ_2: 0x9200,
  QINQ_3: 0x9300,
} as const;

/** Type/length values up to this are the length of an LLC frame (IEEE 802.3 section 3.2.6). */
export const MAX_802_3_LENGTH = 1500;

/**
 * Steps over tags and shims from the `etherType` and `networkOffset` columns, and writes both anew: the type of what
 * follows and where it begins (-1 when cut).
 * @returns false when it went through PPPoE or MPLS, so that the packet inside does not belong to this segment
 */
export function skipShims(view: DataView, end: number, frames: FrameBatch, row: number): boolean {
  let etherType = frames.etherType[row] ?? -1;
  let at = frames.networkOffset[row] ?? -1;
  let onSegment = true;
  let tags = 0;
  // Every turn takes at least three bytes, so that the packet's length bounds the loop.
  for (;;) {
    let next: number;
    switch (etherType) {
      case EtherType.VLAN:
      case EtherType.PROVIDER_BRIDGE:
      case EtherType.QINQ:
      case EtherType.QINQ_2:
      case EtherType.QINQ_3:
        if (end - at < 4) return stop(frames, row, etherType, onSegment);
        if (tags === 0 && frames.vlan[row] === -1) frames.vlan[row] = view.getUint16(at) & 0xfff;
        else if (frames.innerVlan[row] === -1) frames.innerVlan[row] = view.getUint16(at) & 0xfff;
        tags++;
        etherType = view.getUint16(at + 2);
        next = at + 4;
        break;
      case EtherType.PPPOE_SESSION:
        // RFC 2516: version/type, code, session, length; then PPP without address and control.
        if (end - at < 6) return stop(frames, row, etherType, onSegment);
        onSegment = false;
        next = pppHeaderEnd(view, at + 6, end);
        if (next < 0) return stop(frames, row, etherType, onSegment);
        etherType = etherTypeOfPpp(view, at + 6);
        break;
      case EtherType.MPLS:
      case EtherType.MPLS_MULTICAST:
        next = labelStackEnd(view, at, end);
        if (next < 0 || next >= end) return stop(frames, row, etherType, false);
        onSegment = false;
        if (view.getUint8(next) >> 4 === 4) etherType = EtherType.IPV4;
        else if (view.getUint8(next) >> 4 === 6) etherType = EtherType.IPV6;
        else return finish(frames, row, etherType, at, false);
        break;
      default:
        if (etherType < 0 || etherType > MAX_802_3_LENGTH) return finish(frames, row, etherType, at, onSegment);
        next = llcHeaderEnd(view, at, end);
        if (next < 0) return finish(frames, row, etherType, at, onSegment);
        etherType = etherTypeOfLlc(view, at);
        if (etherType <= MAX_802_3_LENGTH) return finish(frames, row, etherType, next, onSegment);
    }
    at = next;
  }
}

/** EtherType of a PPP packet whose protocol field begins at `at`; -1 for protocols that carry no packet. */
export function etherTypeOfPpp(view: DataView, at: number): number {
  const first = view.getUint8(at);
  switch (first & 1 ? first : view.getUint16(at)) {
    case 0x0021:
      return EtherType.IPV4;
    case 0x0057:
      return EtherType.IPV6;
    case 0x0281:
      return EtherType.MPLS;
    case 0x0283:
      return EtherType.MPLS_MULTICAST;
    default:
      return -1;
  }
}

/** Where a PPP protocol field of one (compressed, RFC 1661 section 6.5) or two bytes ends; -1 when it is cut. */
export function pppHeaderEnd(view: DataView, at: number, end: number): number {
  if (at >= end) return -1;
  const length = view.getUint8(at) & 1 ? 1 : 2;
  return at + length <= end ? at + length : -1;
}

/** Where the MPLS label stack at `at` ends (RFC 3032 section 2.1); -1 when it is cut. */
export function labelStackEnd(view: DataView, at: number, end: number): number {
  for (let label = at; label + 4 <= end; label += 4) {
    if (view.getUint8(label + 2) & 1) return label + 4;
  }
  return -1;
}

/** Where the LLC header (with SNAP) at `at` ends when it leads to a known type; else -1. */
export function llcHeaderEnd(view: DataView, at: number, end: number): number {
  if (end - at < 3) return -1;
  const sap = view.getUint16(at);
  if (view.getUint8(at + 2) !== LLC_UI) return -1;
  if (sap === LLC_IP) return at + 3;
  return sap === LLC_SNAP && end - at >= 8 ? at + 8 : -1;
}

/** The EtherType that the LLC header at `at` names; `llcHeaderEnd` has found it whole. 0 for another organisation's protocol. */
export function etherTypeOfLlc(view: DataView, at: number): number {
  if (view.getUint16(at) === LLC_IP) return EtherType.IPV4;
  const organisation = view.getUint32(at + 2) & 0xffffff;
  return organisation === 0 || organisation === BRIDGE_TUNNEL ? view.getUint16(at + 6) : 0;
}

const LLC_UI = 0x03;
const LLC_SNAP = 0xaaaa;
const LLC_IP = 0x0606;
/** RFC 1042 encapsulation has organisation 0, bridge tunnel (802.1H) this one. */
const BRIDGE_TUNNEL = 0x0000f8;

function finish(frames: FrameBatch, row: number, etherType: number, at: number, onSegment: boolean): boolean {
  frames.etherType[row] = etherType;
  frames.networkOffset[row] = at;
  return onSegment;
}

function stop(frames: FrameBatch, row: number, etherType: number, onSegment: boolean): boolean {
  frames.flags[row] = (frames.flags[row] ?? 0) | FrameFlag.CUT;
  return finish(frames, row, etherType, -1, onSegment);
}
