/** ARP and neighbour discovery: `src/decode/arp.ts` and `ndp.ts`, for what is whole and sound. */

import { FRAMES } from '../src/bytes/core-layout';
import {
  F_CLAIM,
  F_CLAIM_IP,
  F_CLAIM_MAC_HIGH,
  F_CLAIM_MAC_LOW,
  F_CLAIM_PREFIX,
  F_CLAIM_VERSION,
  F_TARGET_IP,
} from '../src/records/batch-layout';
import { be16, be32 } from './bytes';

// `Claim` of `src/records/frame-batch.ts`.
export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
export const ARP_GRATUITOUS = 3;
export const ARP_PROBE = 4;
export const ND_SOLICITATION = 5;
export const ND_ADVERTISEMENT = 6;
export const ND_UNSOLICITED = 7;
export const ND_WEAK = 13;

export const ARP_LENGTH = 28;
/** The smallest message: header, flags and target. */
export const ND_LENGTH = 24;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const OPTION_SOURCE_MAC = 1;
const OPTION_TARGET_MAC = 2;
const SOLICITED_FLAG = 0x40;
const OVERRIDE_FLAG = 0x20;
const NO_SUCH_OPTION = 0;
const BROKEN_OPTIONS = -1;

/** What the ARP packet at `arp` claims, one of the above; 0 when that is for the plain code to say. */
export function arpClaim(arp: i32): i32 {
  const hardware = be16(arp);
  const operation = be16(arp + 6);
  if ((hardware != 1 && hardware != 6) || be32(arp + 2) != 0x08000604) return 0;
  if (operation != 1 && operation != 2) return 0;
  const sender = be32(arp + 14);
  if (sender == 0) return operation == 1 ? ARP_PROBE : 0;
  if (!isHostMac(be16(arp + 8), be32(arp + 10)) || !isHostIpv4(sender)) return 0;
  if (sender == be32(arp + 24)) return ARP_GRATUITOUS;
  return operation == 1 ? ARP_REQUEST : ARP_REPLY;
}

/** Writes what the ARP packet at `arp` claims into the row whose words stand at `c` of the columns. */
export function putArpClaim(c: i32, arp: i32, claim: i32): void {
  const isProbe = claim == ARP_PROBE;
  putClaim(c, claim, 4, be32(arp + 14), isProbe ? 0 : be16(arp + 8), isProbe ? 0 : be32(arp + 10), be32(arp + 24));
}

/**
 * What the ICMPv6 message at `at`, whose packet begins at `ip`, claims; 0 when that is for the plain code to say. All of the
 * packet is there, up to `end`.
 */
export function ndClaim(ip: i32, at: i32, end: i32): i32 {
  const type = <i32>load<u8>(at);
  if (load<u8>(ip, 7) != 255 || load<u8>(at, 1) != 0 || !isHostIpv6(at + 8)) return 0;
  if (type == SOLICITATION) {
    if (!isHostIpv6(ip + 8)) return 0;
    const option = findOption(at + ND_LENGTH, end, OPTION_SOURCE_MAC);
    return option > 0 && isHostMac(be16(option + 2), be32(option + 4)) ? ND_SOLICITATION : 0;
  }
  if (type != ADVERTISEMENT) return 0;
  const flags = <i32>load<u8>(at, 4);
  const isSolicited = (flags & SOLICITED_FLAG) != 0;
  if (isSolicited && load<u8>(ip, 24) == 0xff) return 0;
  const option = findOption(at + ND_LENGTH, end, OPTION_TARGET_MAC);
  if (option <= 0 || !isHostMac(be16(option + 2), be32(option + 4))) return 0;
  return (flags & OVERRIDE_FLAG) == 0 ? ND_WEAK : isSolicited ? ND_ADVERTISEMENT : ND_UNSOLICITED;
}

/** Writes what the message at `at` claims into a row. `src` and `target`: the numbers of these addresses. */
export function putNdClaim(c: i32, at: i32, end: i32, claim: i32, src: i32, target: i32): void {
  const isSolicitation = claim == ND_SOLICITATION;
  const option = findOption(at + ND_LENGTH, end, isSolicitation ? OPTION_SOURCE_MAC : OPTION_TARGET_MAC);
  putClaim(c, claim, 6, isSolicitation ? src : target, be16(option + 2), be32(option + 4), target);
}

function putClaim(c: i32, claim: i32, version: i32, ip: i32, macHigh: i32, macLow: i32, target: i32): void {
  store<i32>(c, claim, FRAMES + F_CLAIM);
  store<i32>(c, version, FRAMES + F_CLAIM_VERSION);
  store<i32>(c, ip, FRAMES + F_CLAIM_IP);
  store<i32>(c, macHigh, FRAMES + F_CLAIM_MAC_HIGH);
  store<i32>(c, macLow, FRAMES + F_CLAIM_MAC_LOW);
  store<i32>(c, target, FRAMES + F_TARGET_IP);
  store<i32>(c, -1, FRAMES + F_CLAIM_PREFIX);
}

function isHostMac(high: i32, low: i32): bool {
  return (high & 0x100) == 0 && (high | low) != 0;
}

function isHostIpv4(ip: i32): bool {
  const first = ip >>> 24;
  return first != 0 && first != 127 && first < 224;
}

function isHostIpv6(at: i32): bool {
  if (load<u8>(at) == 0xff) return false;
  return (load<i64>(at) | (<i64>load<i32>(at, 8))) != 0 || <u32>be32(at + 12) > 1;
}

/** Where the first option of a type is, when all are sound. */
function findOption(start: i32, end: i32, type: i32): i32 {
  let found = NO_SUCH_OPTION;
  let at = start;
  while (at < end) {
    const length = end - at >= 8 ? (<i32>load<u8>(at, 1)) << 3 : 0;
    if (length == 0 || length > end - at) return BROKEN_OPTIONS;
    if (found == NO_SUCH_OPTION && <i32>load<u8>(at) == type) {
      if (length != 8) return BROKEN_OPTIONS;
      found = at;
    }
    at += length;
  }
  return found;
}
