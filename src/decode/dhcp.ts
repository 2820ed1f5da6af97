/** DHCPv4 (RFC 2131, options RFC 2132): which address a server gives to which MAC. */

import { Claim, type FrameBatch, FrameFlag } from '../records/frame-batch.js';
import { isHostIpv4, isHostMac, setClaim, setNoClaim } from './claim.js';

const OPTIONS = 240;
const MAGIC_COOKIE = 0x63825363;
const BOOT_REQUEST = 1;
const BOOT_REPLY = 2;
const ACK = 5;
const RELEASE = 7;
const SERVER_PORT = 67;
const CLIENT_PORT = 68;

const PAD = 0;
const SUBNET_MASK = 1;
const ROUTER = 3;
const MESSAGE_TYPE = 53;
const END = 255;

/**
 * Reads the UDP payload at `at` if it is DHCP; the port columns are set. Only an ACK to a client on this segment claims
 * (not one to a relay); a cut message or one with broken options claims nothing.
 */
export function decodeDhcp(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if ((frames.flags[row] ?? 0) & FrameFlag.FRAGMENT) return;
  if (end - at < OPTIONS || view.getUint32(at + 236) !== MAGIC_COOKIE) return;
  const srcPort = frames.srcPort[row];
  if (srcPort !== 67 && srcPort !== 68) return;
  setNoClaim(frames, row, Claim.DHCP_OTHER, 4, 0);
  const operation = view.getUint8(at);
  const isToClient = operation === BOOT_REPLY && frames.dstPort[row] === CLIENT_PORT;
  const isToServer = operation === BOOT_REQUEST && frames.dstPort[row] === SERVER_PORT;
  if ((!isToClient && !isToServer) || frames.ipVersion[row] !== 4) return;
  // Hardware type Ethernet, six bytes of address.
  if (view.getUint16(at + 1) !== 0x0106) return;

  let messageType = 0;
  let prefix = -1;
  let router = 0;
  let option = at + OPTIONS;
  for (;;) {
    if (option >= end) return;
    const code = view.getUint8(option);
    if (code === END) break;
    if (code === PAD) {
      option++;
      continue;
    }
    if (option + 1 >= end) return;
    const length = view.getUint8(option + 1);
    const value = option + 2;
    if (value + length > end) return;
    if (code === MESSAGE_TYPE && length === 1) messageType = view.getUint8(value);
    else if (code === SUBNET_MASK && length === 4) prefix = prefixOfMask(view.getInt32(value));
    else if (code === ROUTER && length >= 4) router = view.getInt32(value);
    option = value + length;
  }
  const macHigh = view.getUint16(at + 28);
  const macLow = view.getInt32(at + 30);
  if (isToServer) {
    const given = view.getInt32(at + 12);
    if (messageType === RELEASE && isHostMac(macHigh, macLow) && isHostIpv4(given))
      setClaim(frames, row, Claim.DHCP_RELEASE, 4, given, macHigh, macLow, 0, -1);
    return;
  }
  const ip = view.getInt32(at + 16);
  if (messageType !== ACK || !isHostMac(macHigh, macLow) || !isHostIpv4(ip)) return;
  setClaim(frames, row, Claim.DHCP_ACK, 4, ip, macHigh, macLow, router, prefix);
}

/** -1 when the ones are not all in front. */
function prefixOfMask(mask: number): number {
  const length = Math.clz32(~mask);
  return length === 32 || mask << length === 0 ? length : -1;
}
