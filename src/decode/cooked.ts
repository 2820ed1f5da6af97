/** What Linux gives in place of a link header: the packet's sender and direction, never its destination. */

import { type FrameBatch, FrameFlag, Link } from '../records/frame-batch.js';
import { addFlag, cut, follow, setSource } from './link-result.js';
import { EtherType, MAX_802_3_LENGTH } from './shim.js';

/** tcpdump.org LINKTYPE_LINUX_SLL. */
export function decodeCooked(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 16) {
    cut(frames, row, Link.COOKED);
    return;
  }
  setCookedDirection(view.getUint16(at), frames, row);
  if (view.getUint16(at + 4) === 6) setSource(view, at + 6, frames, row);
  followCooked(view.getUint16(at + 2), view.getUint16(at + 14), at + 16, frames, row);
}

/** tcpdump.org LINKTYPE_LINUX_SLL2. */
export function decodeCooked2(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 20) {
    cut(frames, row, Link.COOKED);
    return;
  }
  setCookedDirection(view.getUint8(at + 10), frames, row);
  if (view.getUint8(at + 11) === 6) setSource(view, at + 12, frames, row);
  followCooked(view.getUint16(at + 8), view.getUint16(at), at + 20, frames, row);
}

function setCookedDirection(packetType: number, frames: FrameBatch, row: number): void {
  if (packetType === 4) addFlag(frames, row, FrameFlag.OUTGOING);
  else if (packetType === 0) addFlag(frames, row, FrameFlag.INCOMING);
  else if (packetType === 3) addFlag(frames, row, FrameFlag.OTHER_HOST);
}

/** The protocol field is an EtherType, except for these devices (ARPHRD_) and values (ETH_P_802_2 and kin). */
function followCooked(hardware: number, protocol: number, at: number, frames: FrameBatch, row: number): void {
  frames.link[row] = Link.COOKED;
  if (hardware === ARPHRD_NETLINK || hardware === ARPHRD_RADIOTAP) return;
  if (protocol === ETH_P_802_2) {
    follow(frames, row, Link.COOKED, 0, at);
    return;
  }
  if (protocol > MAX_802_3_LENGTH) follow(frames, row, Link.COOKED, protocol, at);
}

const ARPHRD_NETLINK = 824;
const ARPHRD_RADIOTAP = 803;
const ETH_P_802_2 = 4;

/** tcpdump.org LINKTYPE_NFLOG: TLVs in the capturing host's byte order, of which one is the packet and one its sender's address. */
export function decodeNflog(view: DataView, start: number, end: number, frames: FrameBatch, row: number): void {
  if (end - start < 4) {
    cut(frames, row, Link.COOKED);
    return;
  }
  frames.link[row] = Link.COOKED;
  const family = view.getUint8(start);
  let at = start + 4;
  // Types are small numbers: read in the wrong order, one is large.
  const little = end - at >= 4 && view.getUint16(at + 2, true) < view.getUint16(at + 2);
  while (end - at >= 4) {
    const length = view.getUint16(at, little);
    const type = view.getUint16(at + 2, little) & 0x7fff;
    if (length < 4) {
      addFlag(frames, row, FrameFlag.MALFORMED);
      return;
    }
    if (type === NFULA_HWADDR && length >= 14 && end - at >= 14 && view.getUint16(at + 4) === 6) {
      setSource(view, at + 8, frames, row);
    }
    if (type === NFULA_PAYLOAD) {
      if (family === 2) follow(frames, row, Link.COOKED, EtherType.IPV4, at + 4);
      else if (family === 10) follow(frames, row, Link.COOKED, EtherType.IPV6, at + 4);
      return;
    }
    at += (length + 3) & ~3;
  }
}

const NFULA_HWADDR = 8;
const NFULA_PAYLOAD = 9;
