/** Which addresses and MACs a claim may be about. */

import { isGroupHigh } from '../bytes/address.js';
import type { FrameBatch } from '../records/frame-batch.js';

/** Writes a claim into row `row`; `prefix` -1 and `target` 0 when the message has none. */
export function setClaim(
  frames: FrameBatch,
  row: number,
  claim: number,
  ipVersion: number,
  ip: number,
  macHigh: number,
  macLow: number,
  target: number,
  prefix: number,
): void {
  frames.claim[row] = claim;
  frames.claimIpVersion[row] = ipVersion;
  frames.claimIp[row] = ip;
  frames.claimMacHigh[row] = macHigh;
  frames.claimMacLow[row] = macLow;
  frames.targetIp[row] = target;
  frames.claimPrefix[row] = prefix;
}

/** Tells of a message that it is there, and claims nothing. */
export function setNoClaim(frames: FrameBatch, row: number, claim: number, ipVersion: number, target: number): void {
  setClaim(frames, row, claim, ipVersion, 0, 0, 0, target, -1);
}

/** A host can have it: not zero, not a group (which includes broadcast). */
export function isHostMac(high: number, low: number): boolean {
  return !isGroupHigh(high) && (high !== 0 || low !== 0);
}

/** A host can have it: not in 0/8, not loopback, not multicast or above (RFC 1122 section 3.2.1.3). */
export function isHostIpv4(ip: number): boolean {
  const first = ip >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

/** A host can have the IPv6 address at `at`: not unspecified, not loopback, not multicast (RFC 4291 section 2). */
export function isHostIpv6(view: DataView, at: number): boolean {
  if (view.getUint8(at) === 0xff) return false;
  const isShort = view.getInt32(at) === 0 && view.getInt32(at + 4) === 0 && view.getInt32(at + 8) === 0;
  return !(isShort && view.getUint32(at + 12) <= 1);
}
