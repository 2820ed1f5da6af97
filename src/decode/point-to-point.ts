/** Serial links, which have no MAC addresses: PPP, Cisco HDLC, Frame Relay. */

import { type FrameBatch, Link } from '../records/frame-batch.js';
import { cut, follow, setDestination, setSource } from './link-result.js';
import { EtherType, etherTypeOfPpp, MAX_802_3_LENGTH, pppHeaderEnd } from './shim.js';

/** PPP with or without HDLC address and control (RFC 1662), or Cisco HDLC on the same link type. */
export function decodePpp(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 2) {
    cut(frames, row, Link.POINT_TO_POINT);
    return;
  }
  const first = view.getUint8(at);
  if (first === 0x0f || first === 0x8f) {
    decodeCiscoHdlc(view, at, end, frames, row);
    return;
  }
  const protocol = view.getUint16(at) === 0xff03 ? at + 2 : at;
  const next = pppHeaderEnd(view, protocol, end);
  if (next < 0) {
    cut(frames, row, Link.POINT_TO_POINT);
    return;
  }
  const etherType = etherTypeOfPpp(view, protocol);
  frames.link[row] = Link.POINT_TO_POINT;
  if (etherType >= 0) follow(frames, row, Link.POINT_TO_POINT, etherType, next);
}

export function decodeCiscoHdlc(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 4) {
    cut(frames, row, Link.POINT_TO_POINT);
    return;
  }
  frames.link[row] = Link.POINT_TO_POINT;
  const etherType = view.getUint16(at + 2);
  if (etherType > MAX_802_3_LENGTH) follow(frames, row, Link.POINT_TO_POINT, etherType, at + 4);
}

/** RFC 2427: Q.922 address, UI, padding, NLPID. */
export function decodeFrameRelay(view: DataView, start: number, end: number, frames: FrameBatch, row: number): void {
  let at = start;
  while (at < end && at < start + 4 && (view.getUint8(at) & 1) === 0) at++;
  at++;
  if (end - at < 2) {
    cut(frames, row, Link.POINT_TO_POINT);
    return;
  }
  frames.link[row] = Link.POINT_TO_POINT;
  if (view.getUint8(at) !== 3) {
    // Cisco's encapsulation has an EtherType here.
    const etherType = view.getUint16(at);
    if (etherType > MAX_802_3_LENGTH) follow(frames, row, Link.POINT_TO_POINT, etherType, at + 2);
    return;
  }
  at++;
  if (view.getUint8(at) === 0) at++;
  if (at >= end) {
    cut(frames, row, Link.POINT_TO_POINT);
    return;
  }
  switch (view.getUint8(at)) {
    case 0xcc:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.IPV4, at + 1);
      return;
    case 0x8e:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.IPV6, at + 1);
      return;
    case 0x80:
      if (end - at < 6) {
        cut(frames, row, Link.POINT_TO_POINT);
        return;
      }
      // Bridged Ethernet (RFC 2427 section 4.2), with or without check sequence.
      if ((view.getUint32(at) & 0xffffff) === BRIDGED && end - at >= 20) {
        decodeBridged(view, at + 6, frames, row);
        return;
      }
      if ((view.getUint32(at) & 0xffffff) === 0)
        follow(frames, row, Link.POINT_TO_POINT, view.getUint16(at + 4), at + 6);
  }
}

const BRIDGED = 0x0080c2;

function decodeBridged(view: DataView, at: number, frames: FrameBatch, row: number): void {
  setDestination(view, at, frames, row);
  setSource(view, at + 6, frames, row);
  follow(frames, row, Link.ETHERNET, view.getUint16(at + 12), at + 14);
}
