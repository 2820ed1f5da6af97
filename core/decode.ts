/**
 * Plain frames: Ethernet, one VLAN tag or none, and a whole TCP or UDP packet, in PPPoE or not, ARP packet, or message of
 * neighbour discovery. `src/decode/frame.ts` and `ip.ts`.
 */

import { ADDRESS_TABLE, BYTES, FRAMES, PACKETS, PLAIN, SLOW } from '../src/bytes/core-layout';
import {
  F_CLAIM,
  F_DETAIL,
  F_DST_IP,
  F_DST_MAC_HIGH,
  F_DST_MAC_LOW,
  F_DST_PORT,
  F_ETHER_TYPE,
  F_FLAGS,
  F_FRAME,
  F_HOP_LIMIT,
  F_INNER_VLAN,
  F_INTERFACE,
  F_IP_ID,
  F_IP_VERSION,
  F_LENGTH,
  F_LINK,
  F_NETWORK,
  F_PROTOCOL,
  F_SRC_IP,
  F_SRC_MAC_HIGH,
  F_SRC_MAC_LOW,
  F_SRC_PORT,
  F_TIME,
  F_TRANSPORT,
  F_VLAN,
  P_CAPTURED,
  P_FLAGS,
  P_FRAME,
  P_INTERFACE,
  P_LINK_TYPE,
  P_OFFSET,
  P_ORIGINAL,
  P_TIME,
} from '../src/records/batch-layout';
import { be16, be32 } from './bytes';
import {
  ETHERNET,
  ETHERNET_HEADER,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_VLAN,
  IPV4_HEADER,
  IPV6_HEADER,
  VLAN_TAG,
} from './headers';
import { ARP_LENGTH, arpClaim, ND_LENGTH, ndClaim, putArpClaim, putNdClaim } from './neighbors';
import { find, hasRoom, intern } from './table';

/** So much of a frame is there before anything of it is read: link header, tag and the smaller IP header. */
const MIN_CAPTURED = ETHERNET_HEADER + VLAN_TAG + IPV4_HEADER;
const ETHERTYPE_PPPOE = 0x8864;
/** With the two bytes of PPP's protocol (RFC 2516). */
const PPPOE_HEADER = 8;
const PPPOE_PROTOCOL = 6;
const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;

// `FrameFlag` of `src/records/frame-batch.ts`.
const BOTH_MACS = 3;
const IP_OPTIONS = 1 << 4;
const MALFORMED = 1 << 6;
const OUTGOING = 1 << 7;
const INCOMING = 1 << 8;

/** Fills the rows that hold plain frames. Returns how many it left; those stand at `SLOW`. */
export function decode(count: i32): i32 {
  memory.copy(FRAMES + F_FRAME, PACKETS + P_FRAME, count << 2);
  memory.copy(FRAMES + F_INTERFACE, PACKETS + P_INTERFACE, count << 2);
  memory.copy(FRAMES + F_TIME, PACKETS + P_TIME, count << 3);
  let slow = 0;
  for (let row = 0; row < count; row++) {
    store<f64>(row << 3, <f64>load<u32>(row << 2, PACKETS + P_ORIGINAL), FRAMES + F_LENGTH);
    // The plain code numbers the addresses of a row that is left before those of the rows behind it.
    const isPlain = decodeRow(row << 2, slow == 0);
    store<u8>(row, isPlain ? 1 : 0, PLAIN);
    if (!isPlain) {
      store<i32>(slow << 2, row, SLOW);
      slow++;
    }
  }
  return slow;
}

/**
 * `c` is where the row's word stands in a column, `isFirst` whether IPv6 addresses may be new. Nothing is written before
 * the frame is known to be plain.
 */
function decodeRow(c: i32, isFirst: bool): bool {
  const captured = load<i32>(c, PACKETS + P_CAPTURED);
  if (load<i32>(c, PACKETS + P_LINK_TYPE) != ETHERNET || captured < MIN_CAPTURED) return false;
  const start = load<i32>(c, PACKETS + P_OFFSET);
  const end = start + captured;
  const frame = BYTES + start;
  let etherType = be16(frame + 12);
  let network = start + ETHERNET_HEADER;
  let vlan = -1;
  let isOnSegment = true;
  if (etherType == ETHERTYPE_VLAN) {
    vlan = be16(frame + 14) & 0xfff;
    etherType = be16(frame + 16);
    network += VLAN_TAG;
  }
  if (etherType == ETHERTYPE_PPPOE) {
    if (captured < MIN_CAPTURED + PPPOE_HEADER) return false;
    isOnSegment = false;
    const inside = be16(BYTES + network + PPPOE_PROTOCOL);
    etherType = inside == PPP_IPV4 ? ETHERTYPE_IPV4 : inside == PPP_IPV6 ? ETHERTYPE_IPV6 : 0;
    network += PPPOE_HEADER;
  }
  if (etherType == ETHERTYPE_ARP) return decodeArp(c, start, network, end, vlan);
  const ip = BYTES + network;
  const isIpv4 = etherType == ETHERTYPE_IPV4;
  let flags = BOTH_MACS;
  let protocol: i32;
  let hopLimit: i32;
  let transport: i32;
  let ipEnd: i32;
  if (isIpv4) {
    const versionAndLength = <i32>load<u8>(ip);
    const header = (versionAndLength & 15) << 2;
    const total = be16(ip + 2);
    if (versionAndLength >> 4 != 4 || header < IPV4_HEADER || (total < header && total != 0)) return false;
    const fragment = be16(ip + 6) & 0x3fff;
    if (fragment != 0) return false;
    if (header > IPV4_HEADER) flags |= IP_OPTIONS;
    protocol = <i32>load<u8>(ip, 9);
    hopLimit = <i32>load<u8>(ip, 8);
    transport = network + header;
    ipEnd = total == 0 ? end : network + total;
  } else {
    if (etherType != ETHERTYPE_IPV6 || end - network < IPV6_HEADER || load<u8>(ip) >> 4 != 6) return false;
    const payload = be16(ip + 4);
    if (payload == 0) return false;
    protocol = <i32>load<u8>(ip, 6);
    hopLimit = <i32>load<u8>(ip, 7);
    transport = network + IPV6_HEADER;
    ipEnd = transport + payload;
  }
  const available = min(ipEnd, end) - transport;
  const header = BYTES + transport;
  let detail = 0;
  let claim = 0;
  if (protocol == TCP) {
    if (available < 20 || load<u8>(header, 12) < 0x50) return false;
    detail = <i32>load<u8>(header, 13);
  } else if (protocol == UDP) {
    if (available < 8) return false;
  } else {
    if (protocol != ICMPV6 || isIpv4 || !isOnSegment || available < ND_LENGTH || ipEnd > end) return false;
    claim = ndClaim(ip, header, BYTES + ipEnd);
    if (claim == 0) return false;
    detail = be16(header);
  }
  const ports = claim == 0 ? be32(header) : 0;
  const dstPort = ports & 0xffff;
  if (protocol == UDP && (dstPort == 67 || dstPort == 68)) return false;
  const mayAdd = isFirst && hasRoom(ADDRESS_TABLE, 3);
  const src = isIpv4 ? be32(ip + 12) : addressAt(ip + 8, mayAdd);
  const dst = isIpv4 ? be32(ip + 16) : addressAt(ip + 24, mayAdd);
  if (!isIpv4 && (src < 0 || dst < 0)) return false;
  if (claim != 0) {
    const target = addressAt(header + 8, mayAdd);
    if (target < 0) return false;
    putNdClaim(c, header, BYTES + ipEnd, claim, src, target);
  } else {
    store<i32>(c, 0, FRAMES + F_CLAIM);
  }
  const isMalformed = ipEnd > end && <u32>(ipEnd - start) > load<u32>(c, PACKETS + P_ORIGINAL);
  putLink(c, start, vlan, etherType, network, isMalformed ? flags | MALFORMED : flags);
  store<i32>(c, isIpv4 ? 4 : 6, FRAMES + F_IP_VERSION);
  store<i32>(c, src, FRAMES + F_SRC_IP);
  store<i32>(c, dst, FRAMES + F_DST_IP);
  store<i32>(c, protocol, FRAMES + F_PROTOCOL);
  store<i32>(c, hopLimit, FRAMES + F_HOP_LIMIT);
  store<i32>(c, isIpv4 ? be16(ip + 4) : 0, FRAMES + F_IP_ID);
  store<i32>(c, ports >>> 16, FRAMES + F_SRC_PORT);
  store<i32>(c, dstPort, FRAMES + F_DST_PORT);
  store<i32>(c, detail, FRAMES + F_DETAIL);
  store<i32>(c, transport, FRAMES + F_TRANSPORT);
  return true;
}

function decodeArp(c: i32, start: i32, network: i32, end: i32, vlan: i32): bool {
  const arp = BYTES + network;
  const claim = end - network < ARP_LENGTH ? 0 : arpClaim(arp);
  if (claim == 0) return false;
  putLink(c, start, vlan, ETHERTYPE_ARP, network, BOTH_MACS);
  store<i32>(c, 4, FRAMES + F_IP_VERSION);
  store<i32>(c, be32(arp + 14), FRAMES + F_SRC_IP);
  store<i32>(c, be32(arp + 24), FRAMES + F_DST_IP);
  store<i32>(c, -1, FRAMES + F_PROTOCOL);
  store<i32>(c, 0, FRAMES + F_HOP_LIMIT);
  store<i32>(c, 0, FRAMES + F_IP_ID);
  store<i32>(c, 0, FRAMES + F_SRC_PORT);
  store<i32>(c, 0, FRAMES + F_DST_PORT);
  store<i32>(c, 0, FRAMES + F_DETAIL);
  store<i32>(c, -1, FRAMES + F_TRANSPORT);
  putArpClaim(c, arp, claim);
  return true;
}

function putLink(c: i32, start: i32, vlan: i32, etherType: i32, network: i32, flags: i32): void {
  const frame = BYTES + start;
  const direction = load<i32>(c, PACKETS + P_FLAGS) & 3;
  store<i32>(c, flags | (direction == 2 ? OUTGOING : direction == 1 ? INCOMING : 0), FRAMES + F_FLAGS);
  store<i32>(c, 0, FRAMES + F_LINK);
  store<i32>(c, be16(frame), FRAMES + F_DST_MAC_HIGH);
  store<i32>(c, be32(frame + 2), FRAMES + F_DST_MAC_LOW);
  store<i32>(c, be16(frame + 6), FRAMES + F_SRC_MAC_HIGH);
  store<i32>(c, be32(frame + 8), FRAMES + F_SRC_MAC_LOW);
  store<i32>(c, vlan, FRAMES + F_VLAN);
  store<i32>(c, -1, FRAMES + F_INNER_VLAN);
  store<i32>(c, etherType, FRAMES + F_ETHER_TYPE);
  store<i32>(c, network, FRAMES + F_NETWORK);
}

/** The number of the IPv6 address at `at`; -1 when it is new and may not be. */
function addressAt(at: i32, mayAdd: bool): i32 {
  const a = be32(at);
  const b = be32(at + 4);
  const c = be32(at + 8);
  const d = be32(at + 12);
  return mayAdd ? intern(ADDRESS_TABLE, a, b, c, d) : find(ADDRESS_TABLE, a, b, c, d);
}
