/** Packets that a second reading wants: `src/detect/wanted.ts`. */

import { BYTES, PACKETS, WANTED, WANTED_BITS } from '../src/bytes/core-layout';
import {
  P_CAPTURED,
  P_FILE_OFFSET,
  P_FLAGS,
  P_FRAME,
  P_HAS_FLAGS,
  P_INTERFACE,
  P_LINK_TYPE,
  P_OFFSET,
  P_ORIGINAL,
  P_TICKS_HIGH,
  P_TICKS_LOW,
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

/** In the place of addresses that do not lie in plain view. */
const HIDDEN = 0;

/** Drops the rows from `from` on whose packets are not wanted. Returns how many rows there are then. */
export function keep(from: i32, count: i32): i32 {
  let kept = from;
  for (let row = from; row < count; row++) {
    if (!isWanted(row << 2)) continue;
    if (kept < row) copy(row, kept);
    kept++;
  }
  return kept;
}

/** `c` is where the row's word stands in a column. */
function isWanted(c: i32): bool {
  if (load<i32>(c, PACKETS + P_LINK_TYPE) != ETHERNET) return true;
  const captured = load<i32>(c, PACKETS + P_CAPTURED);
  if (captured < ETHERNET_HEADER + VLAN_TAG) return false;
  const frame = BYTES + load<i32>(c, PACKETS + P_OFFSET);
  let etherType = be16(frame + 12);
  if (etherType == ETHERTYPE_ARP) return false;
  let network = ETHERNET_HEADER;
  if (etherType == ETHERTYPE_VLAN) {
    etherType = be16(frame + 16);
    network += VLAN_TAG;
  }
  const macHigh = be16(frame + 6);
  const macLow = be32(frame + 8);
  if (etherType == ETHERTYPE_IPV4 && captured >= network + IPV4_HEADER)
    return isSet(hashOf(macHigh, macLow, be32(frame + network + 12), be32(frame + network + 16)));
  if (etherType == ETHERTYPE_IPV6 && captured >= network + IPV6_HEADER)
    return isSet(hashOf(macHigh, macLow, be32(frame + network + 20), be32(frame + network + 36)));
  return isSet(hashOf(macHigh, macLow, HIDDEN, HIDDEN));
}

function hashOf(macHigh: i32, macLow: i32, src: i32, dst: i32): i32 {
  const h = ((macLow ^ (macHigh * 0x9e3779b1)) * 0x85ebca6b) ^ (src * 0xc2b2ae35) ^ (dst * 0x27d4eb2f);
  return ((h ^ (h >>> 15)) * 0x2c1b3c6d) >>> (32 - WANTED_BITS);
}

function isSet(bit: i32): bool {
  return (((<i32>load<u8>(bit >>> 3, WANTED)) >> (bit & 7)) & 1) != 0;
}

function copy(from: i32, to: i32): void {
  const f = from << 2;
  const t = to << 2;
  store<f64>(t << 1, load<f64>(f << 1, PACKETS + P_TIME), PACKETS + P_TIME);
  store<f64>(t << 1, load<f64>(f << 1, PACKETS + P_FILE_OFFSET), PACKETS + P_FILE_OFFSET);
  store<i32>(t, load<i32>(f, PACKETS + P_OFFSET), PACKETS + P_OFFSET);
  store<i32>(t, load<i32>(f, PACKETS + P_CAPTURED), PACKETS + P_CAPTURED);
  store<i32>(t, load<i32>(f, PACKETS + P_ORIGINAL), PACKETS + P_ORIGINAL);
  store<i32>(t, load<i32>(f, PACKETS + P_INTERFACE), PACKETS + P_INTERFACE);
  store<i32>(t, load<i32>(f, PACKETS + P_LINK_TYPE), PACKETS + P_LINK_TYPE);
  store<i32>(t, load<i32>(f, PACKETS + P_FRAME), PACKETS + P_FRAME);
  store<i32>(t, load<i32>(f, PACKETS + P_TICKS_HIGH), PACKETS + P_TICKS_HIGH);
  store<i32>(t, load<i32>(f, PACKETS + P_TICKS_LOW), PACKETS + P_TICKS_LOW);
  store<i32>(t, load<i32>(f, PACKETS + P_FLAGS), PACKETS + P_FLAGS);
  store<u8>(to, load<u8>(from, PACKETS + P_HAS_FLAGS), PACKETS + P_HAS_FLAGS);
}
