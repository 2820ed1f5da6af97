/** The flow table: `src/reconstruct/leg-table.ts` and `leg-key.ts`, whose records and slots these are. */

import { FRAMES, HASH, LEGS, META, PORTS, RECORDS, SKIP, TAPS } from '../src/bytes/core-layout';
import {
  F_DST_IP,
  F_DST_MAC_HIGH,
  F_DST_MAC_LOW,
  F_DST_PORT,
  F_FLAGS,
  F_FRAME,
  F_HOP_LIMIT,
  F_IP_VERSION,
  F_LENGTH,
  F_PROTOCOL,
  F_SRC_IP,
  F_SRC_MAC_HIGH,
  F_SRC_MAC_LOW,
  F_SRC_PORT,
  F_TIME,
} from '../src/records/batch-layout';

// Bytes of a record: `src/reconstruct/leg-layout.ts`. The halves of MACS_HIGH lie the other way round in memory.
const RECORD_SHIFT = 6;
const R_META = RECORDS;
const R_SRC_IP = RECORDS + 4;
const R_DST_IP = RECORDS + 8;
const R_PORTS = RECORDS + 12;
const R_SRC_MAC_LOW = RECORDS + 16;
const R_DST_MAC_HIGH = RECORDS + 20;
const R_SRC_MAC_HIGH = RECORDS + 22;
const R_DST_MAC_LOW = RECORDS + 24;
const R_FRAMES = RECORDS + 28;
const R_BYTES = RECORDS + 32;
const R_FIRST_FRAME = RECORDS + 36;
const R_LAST_FRAME = RECORDS + 40;
const R_CLOSED = RECORDS + 44;
const R_FIRST = RECORDS + 48;
const R_LAST = RECORDS + 56;
/** Words of a slot: hash, and leg + 1. */
const SLOT_SHIFT = 3;
const SLOT_LEG = 4;

const LATER_FRAGMENT = 1 << 3;
const MAX_LENGTH: u32 = 0x7fffffff;
const NO_LEG = -1;

/** Closes the open mapping of a leg, in the log. Returns the new head of the leg's chain. */
declare function close(leg: i32): i32;

let slots = 0;
let slotMask = 0;

/** Where the slots are. */
export function setSlots(at: i32, mask: i32): void {
  slots = at;
  slotMask = mask;
}

/** Counts a batch. There are `legs` legs, and room for one more of each row. Returns how many there are then. */
export function add(count: i32, legs: i32): i32 {
  prepare(count);
  for (let row = 0; row < count; row++) {
    const c = row << 2;
    let leg = NO_LEG;
    if (load<u8>(row, SKIP) == 0) {
      leg = lookup(c);
      if (leg >= 0) {
        extend(leg << RECORD_SHIFT, leg, c);
      } else {
        leg = legs++;
        insert(leg, c);
      }
    }
    store<i32>(c, leg, LEGS);
  }
  return legs;
}

/** Finds the legs of a batch without counting it. */
export function find(count: i32): void {
  prepare(count);
  for (let row = 0; row < count; row++) {
    const c = row << 2;
    store<i32>(c, load<u8>(row, SKIP) == 0 ? lookup(c) : NO_LEG, LEGS);
  }
}

/** Keeps the touching loads from being optimised away. */
let touched = 0;

/** Hashes, touches slots, finds them, and touches records, in passes of their own: the misses of a batch overlap. */
function prepare(count: i32): void {
  const end = count << 2;
  for (let c = 0; c < end; c += 4) {
    const hopLimit = load<i32>(c, FRAMES + F_HOP_LIMIT);
    const isInitial = (<i32>(hopLimit == 64)) | (<i32>(hopLimit == 128)) | (<i32>(hopLimit == 255));
    const meta =
      (load<i32>(c, TAPS) << 16) |
      (load<i32>(c, FRAMES + F_PROTOCOL) << 8) |
      ((load<i32>(c, FRAMES + F_IP_VERSION) >> 1) & 1) |
      (isInitial << 1) |
      ((load<i32>(c, FRAMES + F_FLAGS) & LATER_FRAGMENT) >> 1);
    const ports = (load<i32>(c, FRAMES + F_SRC_PORT) << 16) | load<i32>(c, FRAMES + F_DST_PORT);
    const src = load<i32>(c, FRAMES + F_SRC_IP);
    const dst = load<i32>(c, FRAMES + F_DST_IP);
    store<i32>(c, meta, META);
    store<i32>(c, ports, PORTS);
    store<i32>(c, hashOf(meta, src, dst, ports, load<i32>(c, FRAMES + F_SRC_MAC_LOW)), HASH);
  }
  let seen = 0;
  for (let c = 0; c < end; c += 4) seen ^= load<i32>(slots + ((load<i32>(c, HASH) & slotMask) << SLOT_SHIFT));
  for (let c = 0; c < end; c += 4) {
    const hash = load<i32>(c, HASH);
    let at = hash & slotMask;
    let leg = load<i32>(slots + (at << SLOT_SHIFT), SLOT_LEG);
    while (leg != 0 && load<i32>(slots + (at << SLOT_SHIFT)) != hash) {
      at = (at + 1) & slotMask;
      leg = load<i32>(slots + (at << SLOT_SHIFT), SLOT_LEG);
    }
    store<i32>(c, leg - 1, LEGS);
  }
  for (let c = 0; c < end; c += 4) seen ^= load<i32>(max(load<i32>(c, LEGS), 0) << RECORD_SHIFT, R_META);
  touched ^= seen;
}

function hashOf(meta: i32, src: i32, dst: i32, ports: i32, macLow: i32): i32 {
  let h = ((src ^ (meta >>> 16)) * 0x9e3779b1) ^ (dst * 0x85ebca6b);
  h = (h ^ (h >>> 15) ^ ports) * 0xc2b2ae35;
  h = (h ^ (h >>> 13) ^ macLow ^ meta) * 0x27d4eb2f;
  return h ^ (h >>> 16);
}

/** The leg of a row; nearly always the one that `prepare` found. */
function lookup(c: i32): i32 {
  const found = load<i32>(c, LEGS);
  if (found >= 0 && isLeg(found << RECORD_SHIFT, c)) return found;
  const hash = load<i32>(c, HASH);
  let at = hash & slotMask;
  let leg = load<i32>(slots + (at << SLOT_SHIFT), SLOT_LEG) - 1;
  while (leg >= 0) {
    if (load<i32>(slots + (at << SLOT_SHIFT)) == hash && isLeg(leg << RECORD_SHIFT, c)) return leg;
    at = (at + 1) & slotMask;
    leg = load<i32>(slots + (at << SLOT_SHIFT), SLOT_LEG) - 1;
  }
  return NO_LEG;
}

function isLeg(r: i32, c: i32): bool {
  return (
    load<i32>(r, R_META) == load<i32>(c, META) &&
    load<i32>(r, R_SRC_IP) == load<i32>(c, FRAMES + F_SRC_IP) &&
    load<i32>(r, R_DST_IP) == load<i32>(c, FRAMES + F_DST_IP) &&
    load<i32>(r, R_PORTS) == load<i32>(c, PORTS) &&
    load<i32>(r, R_SRC_MAC_LOW) == load<i32>(c, FRAMES + F_SRC_MAC_LOW) &&
    load<u16>(r, R_SRC_MAC_HIGH) == load<u16>(c, FRAMES + F_SRC_MAC_HIGH)
  );
}

function extend(r: i32, leg: i32, c: i32): void {
  const bytes = <u64>load<u32>(r, R_BYTES) + <u64>lengthOf(c);
  const isSameMac =
    load<i32>(r, R_DST_MAC_LOW) == load<i32>(c, FRAMES + F_DST_MAC_LOW) &&
    load<u16>(r, R_DST_MAC_HIGH) == load<u16>(c, FRAMES + F_DST_MAC_HIGH);
  if (!isSameMac || bytes > <u64>u32.MAX_VALUE) {
    store<i32>(r, close(leg), R_CLOSED);
    open(r, c);
    return;
  }
  store<i32>(r, load<i32>(r, R_FRAMES) + 1, R_FRAMES);
  store<i32>(r, <i32>bytes, R_BYTES);
  store<i32>(r, load<i32>(c, FRAMES + F_FRAME), R_LAST_FRAME);
  store<f64>(r, load<f64>(c << 1, FRAMES + F_TIME), R_LAST);
}

function insert(leg: i32, c: i32): void {
  const r = leg << RECORD_SHIFT;
  store<i32>(r, load<i32>(c, META), R_META);
  store<i32>(r, load<i32>(c, FRAMES + F_SRC_IP), R_SRC_IP);
  store<i32>(r, load<i32>(c, FRAMES + F_DST_IP), R_DST_IP);
  store<i32>(r, load<i32>(c, PORTS), R_PORTS);
  store<i32>(r, load<i32>(c, FRAMES + F_SRC_MAC_LOW), R_SRC_MAC_LOW);
  store<u16>(r, load<u16>(c, FRAMES + F_SRC_MAC_HIGH), R_SRC_MAC_HIGH);
  store<i32>(r, -1, R_CLOSED);
  open(r, c);
  const hash = load<i32>(c, HASH);
  let at = hash & slotMask;
  while (load<i32>(slots + (at << SLOT_SHIFT), SLOT_LEG) != 0) at = (at + 1) & slotMask;
  store<i32>(slots + (at << SLOT_SHIFT), hash);
  store<i32>(slots + (at << SLOT_SHIFT), leg + 1, SLOT_LEG);
}

function open(r: i32, c: i32): void {
  const frame = load<i32>(c, FRAMES + F_FRAME);
  const time = load<f64>(c << 1, FRAMES + F_TIME);
  store<u16>(r, load<u16>(c, FRAMES + F_DST_MAC_HIGH), R_DST_MAC_HIGH);
  store<i32>(r, load<i32>(c, FRAMES + F_DST_MAC_LOW), R_DST_MAC_LOW);
  store<i32>(r, 1, R_FRAMES);
  store<i32>(r, <i32>lengthOf(c), R_BYTES);
  store<i32>(r, frame, R_FIRST_FRAME);
  store<i32>(r, frame, R_LAST_FRAME);
  store<f64>(r, time, R_FIRST);
  store<f64>(r, time, R_LAST);
}

function lengthOf(c: i32): u32 {
  return min<u32>(<u32>load<f64>(c << 1, FRAMES + F_LENGTH), MAX_LENGTH);
}
