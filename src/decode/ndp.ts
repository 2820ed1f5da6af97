/** ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861). */

import type { AddressTable } from '../bytes/address.js';
import { Claim, type FrameBatch, FrameFlag } from '../records/frame-batch.js';
import { isHostIpv6, isHostMac, setClaim } from './claim.js';
import { internAt } from './intern.js';

const ECHO_REQUEST = 128;
const ECHO_REPLY = 129;
const ROUTER_ADVERTISEMENT = 134;
const NEIGHBOR_SOLICITATION = 135;
const NEIGHBOR_ADVERTISEMENT = 136;
const REDIRECT = 137;

const OPTION_SOURCE_MAC = 1;
const OPTION_TARGET_MAC = 2;
const OPTION_PREFIX = 3;

const SOLICITED_FLAG = 0x40;
const OVERRIDE_FLAG = 0x20;
const ON_LINK_FLAG = 0x80;

/** Reads the ICMPv6 message at `at`, which ends at `end`; the IPv6 header stands at the `networkOffset` column. */
export function decodeIcmpv6(
  view: DataView,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  if (end - at < 2) return;
  const type = view.getUint8(at);
  const code = view.getUint8(at + 1);
  frames.detail[row] = (type << 8) | code;
  if ((type === ECHO_REQUEST || type === ECHO_REPLY) && end - at >= 6) {
    frames.srcPort[row] = frames.dstPort[row] = view.getUint16(at + 4);
    return;
  }
  if (type < ROUTER_ADVERTISEMENT || type > REDIRECT) return;
  // Section 6.1.2 and 7.1: what a router may have forwarded is no neighbour's word. RFC 6980: nor is a fragment.
  const isNeighbors = frames.ipVersion[row] === 6 && frames.hopLimit[row] === 255 && code === 0;
  if (!isNeighbors || (frames.flags[row] ?? 0) & FrameFlag.FRAGMENT) return;
  const ip = frames.networkOffset[row] ?? 0;
  switch (type) {
    case ROUTER_ADVERTISEMENT:
      decodeRouterAdvertisement(view, ip, at, end, frames, row);
      break;
    case NEIGHBOR_SOLICITATION:
      decodeSolicitation(view, ip, at, end, frames, row, addresses);
      break;
    case NEIGHBOR_ADVERTISEMENT:
      decodeAdvertisement(view, ip, at, end, frames, row, addresses);
      break;
    case REDIRECT:
      decodeRedirect(view, ip, at, end, frames, row, addresses);
      break;
  }
}

function decodeRouterAdvertisement(
  view: DataView,
  ip: number,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
): void {
  if (!isLinkLocal(view, ip + 8)) return;
  const mac = findOption(view, at + 16, end, OPTION_SOURCE_MAC);
  if (mac < 0) return;
  const macHigh = view.getUint16(mac + 2);
  const macLow = view.getInt32(mac + 4);
  if (!isHostMac(macHigh, macLow)) return;
  setClaim(
    frames,
    row,
    Claim.ND_ROUTER,
    6,
    frames.srcIp[row] ?? 0,
    macHigh,
    macLow,
    0,
    onLinkPrefix(view, at + 16, end),
  );
}

function decodeSolicitation(
  view: DataView,
  ip: number,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  if (end - at < 24 || !isHostIpv6(view, at + 8)) return;
  // The unspecified source of duplicate address detection (RFC 4862) claims nothing.
  if (!isHostIpv6(view, ip + 8)) return;
  const mac = findOption(view, at + 24, end, OPTION_SOURCE_MAC);
  if (mac < 0) return;
  const macHigh = view.getUint16(mac + 2);
  const macLow = view.getInt32(mac + 4);
  if (!isHostMac(macHigh, macLow)) return;
  setClaim(
    frames,
    row,
    Claim.ND_SOLICITATION,
    6,
    frames.srcIp[row] ?? 0,
    macHigh,
    macLow,
    internAt(view, at + 8, addresses),
    -1,
  );
}

function decodeAdvertisement(
  view: DataView,
  ip: number,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  if (end - at < 24 || !isHostIpv6(view, at + 8)) return;
  const isSolicited = (view.getUint8(at + 4) & SOLICITED_FLAG) !== 0;
  if (isSolicited && view.getUint8(ip + 24) === 0xff) return;
  const mac = findOption(view, at + 24, end, OPTION_TARGET_MAC);
  let macHigh = frames.srcMacHigh[row] ?? 0;
  let macLow = frames.srcMacLow[row] ?? 0;
  if (mac >= 0) {
    macHigh = view.getUint16(mac + 2);
    macLow = view.getInt32(mac + 4);
  } else {
    // The option may stand in what a snap length has cut off.
    const isWhole = ip + 40 + view.getUint16(ip + 4) <= end;
    const hasSource = ((frames.flags[row] ?? 0) & FrameFlag.SRC_MAC) !== 0;
    if (mac !== NO_SUCH_OPTION || !isWhole || !hasSource) return;
  }
  if (!isHostMac(macHigh, macLow)) return;
  const target = internAt(view, at + 8, addresses);
  const overrides = (view.getUint8(at + 4) & OVERRIDE_FLAG) !== 0;
  const kind = !overrides ? Claim.ND_WEAK : isSolicited ? Claim.ND_ADVERTISEMENT : Claim.ND_UNSOLICITED;
  setClaim(frames, row, kind, 6, target, macHigh, macLow, target, -1);
}

function decodeRedirect(
  view: DataView,
  ip: number,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
  addresses: AddressTable,
): void {
  if (end - at < 40 || !isLinkLocal(view, ip + 8) || view.getUint8(at + 24) === 0xff) return;
  if (findOption(view, at + 40, end, OPTION_TARGET_MAC) === BROKEN_OPTIONS) return;
  const nextHop = internAt(view, at + 8, addresses);
  setClaim(frames, row, Claim.REDIRECT, 6, nextHop, 0, 0, internAt(view, at + 24, addresses), -1);
}

const NO_SUCH_OPTION = -1;
const BROKEN_OPTIONS = -2;

/**
 * Looks for the first option of a type whose 48-bit address is whole, and checks that all options are sound: length not
 * 0 and none beyond the end (section 4.6 and 7.1).
 * @returns its offset, `NO_SUCH_OPTION`, or `BROKEN_OPTIONS`, which makes the message invalid
 */
function findOption(view: DataView, start: number, end: number, type: number): number {
  let found = NO_SUCH_OPTION;
  let at = start;
  while (at < end) {
    const length = end - at >= 8 ? view.getUint8(at + 1) * 8 : 0;
    if (length === 0 || length > end - at) return BROKEN_OPTIONS;
    if (found === NO_SUCH_OPTION && view.getUint8(at) === type) {
      // An address of another length is of another kind of link.
      if (length !== 8) return BROKEN_OPTIONS;
      found = at;
    }
    at += length;
  }
  return at === end ? found : BROKEN_OPTIONS;
}

/** Length of the first prefix that a router calls on-link, -1 for none; the options are known to be sound. */
function onLinkPrefix(view: DataView, start: number, end: number): number {
  for (let at = start; at < end; at += view.getUint8(at + 1) * 8) {
    if (view.getUint8(at) !== OPTION_PREFIX || view.getUint8(at + 1) !== 4) continue;
    const length = view.getUint8(at + 2);
    if (view.getUint8(at + 3) & ON_LINK_FLAG && length <= 128) return length;
  }
  return -1;
}

function isLinkLocal(view: DataView, at: number): boolean {
  return (view.getUint16(at) & 0xffc0) === 0xfe80;
}
