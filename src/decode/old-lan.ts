/** LANs before Ethernet won: FDDI, Token Ring, ARCNET; and IP over InfiniBand. */

import { type FrameBatch, Link } from '../records/frame-batch.js';
import { cut, follow, setDestination, setSource } from './link-result.js';
import { EtherType } from './shim.js';

/** Frame control, destination, source, LLC. */
export function decodeFddi(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 13) {
    cut(frames, row, Link.ETHERNET);
    return;
  }
  setDestination(view, at + 1, frames, row);
  setSource(view, at + 7, frames, row);
  frames.link[row] = Link.ETHERNET;
  if ((view.getUint8(at) & 0xf0) === 0x50) follow(frames, row, Link.ETHERNET, 0, at + 13);
}

/** Access and frame control, destination, source (its first bit: source routing), LLC. */
export function decodeTokenRing(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 14) {
    cut(frames, row, Link.ETHERNET);
    return;
  }
  setDestination(view, at + 2, frames, row);
  setSource(view, at + 8, frames, row);
  frames.link[row] = Link.ETHERNET;
  let next = at + 14;
  if (view.getUint8(at + 8) & 0x80) {
    frames.srcMacHigh[row] = (frames.srcMacHigh[row] ?? 0) & 0x7fff;
    if (end - next < 2) {
      cut(frames, row, Link.ETHERNET);
      return;
    }
    next += view.getUint8(next) & 0x1f;
  }
  if ((view.getUint8(at + 1) & 0xc0) === 0x40 && next <= end) follow(frames, row, Link.ETHERNET, 0, next);
}

/** RFC 1201 and RFC 1051, with one-byte addresses; Linux (`extra` 2) puts an offset field before the protocol. */
export function decodeArcnet(
  view: DataView,
  at: number,
  extra: number,
  end: number,
  frames: FrameBatch,
  row: number,
): void {
  const protocol = at + 2 + extra;
  if (end - protocol < 4) {
    cut(frames, row, Link.POINT_TO_POINT);
    return;
  }
  frames.link[row] = Link.POINT_TO_POINT;
  switch (view.getUint8(protocol)) {
    case 0xf0:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.IPV4, protocol + 1);
      return;
    case 0xf1:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.ARP, protocol + 1);
      return;
    case 0xd4:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.IPV4, protocol + 4);
      return;
    case 0xd5:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.ARP, protocol + 4);
      return;
    case 0xc4:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.IPV6, protocol + 4);
      return;
  }
}

/** A type that stands after `header` bytes, with two bytes of padding behind it: IP over InfiniBand (RFC 4391). */
export function decodeInfiniband(
  view: DataView,
  at: number,
  header: number,
  end: number,
  frames: FrameBatch,
  row: number,
): void {
  if (end - at < header + 4) {
    cut(frames, row, Link.POINT_TO_POINT);
    return;
  }
  follow(frames, row, Link.POINT_TO_POINT, view.getUint16(at + header), at + header + 4);
}

/** Solaris ipnet: 24 bytes, of which the second is the address family. */
export function decodeIpnet(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 24) {
    cut(frames, row, Link.LOOPBACK);
    return;
  }
  frames.link[row] = Link.LOOPBACK;
  const family = view.getUint8(at + 1);
  if (family === 2 || family === 26)
    follow(frames, row, Link.LOOPBACK, family === 2 ? EtherType.IPV4 : EtherType.IPV6, at + 24);
}
