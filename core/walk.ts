/** Records to rows of the packet batch: `src/read/pcap.ts` and `pcapng.ts`. */

import {
  BYTES,
  I_BASE_HIGH,
  I_BASE_LOW,
  I_FACTOR,
  I_INDEX,
  I_LINK_TYPE,
  I_METHOD,
  INTERFACE_BYTES,
  INTERFACES,
  PACKETS,
  ROWS,
} from '../src/bytes/core-layout';
import {
  BATCH_SIZE,
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

/** `TimeMethod` of `src/read/time-scale.ts`. */
const SPLIT = 0;
const MULTIPLY = 1;

const RECORD_HEADER = 16;
const ENHANCED_PACKET = 6;
/** Header, fields and second length. */
const MIN_BLOCK: u32 = 32;
const MAX_BLOCK: u32 = 0x10000000;
const OPTION_END = 0;
const OPTION_COMMENT = 1;
const OPTION_FLAGS = 2;

let interfaces: u32 = 0;

/** How many interfaces of the section are known. */
export function setInterfaces(count: u32): void {
  interfaces = count;
}

/**
 * Walks the little-endian records of a pcap capture from `from` until the batch is full, or a record is odd or lies
 * beyond `end`. `row` rows are in use, `frame` is the number of the last frame, `shift` the file offset of place 0.
 * Returns where it stopped; the rows in use stand at `ROWS`.
 */
export function walkRecords(from: i32, end: i32, row: i32, frame: i32, shift: f64, maximum: u32): i32 {
  let at = from;
  const isKnown = interfaces > 0;
  for (; isKnown && row < BATCH_SIZE && end - at >= RECORD_HEADER; row++) {
    const record = BYTES + at;
    const seconds = load<u32>(record);
    const fraction = load<u32>(record, 4);
    const captured = load<u32>(record, 8);
    const original = load<u32>(record, 12);
    if (captured > maximum || captured > <u32>(end - at - RECORD_HEADER)) break;
    if ((seconds | fraction | captured | original) == 0) break;
    put(row, at, at + RECORD_HEADER, captured, original, seconds, fraction, INTERFACES, ++frame, shift);
    store<i32>(row << 2, 0, PACKETS + P_FLAGS);
    store<u8>(row, 0, PACKETS + P_HAS_FLAGS);
    at += RECORD_HEADER + captured;
  }
  store<i32>(ROWS, row);
  return at;
}

/** Walks Enhanced Packet Blocks of a little-endian section in the same way, up to the first block of another kind. */
export function walkBlocks(from: i32, end: i32, row: i32, frame: i32, shift: f64): i32 {
  let at = from;
  for (; row < BATCH_SIZE && end - at >= <i32>MIN_BLOCK; row++) {
    const block = BYTES + at;
    const length = load<u32>(block, 4);
    if (load<u32>(block) != ENHANCED_PACKET || length < MIN_BLOCK || length > MAX_BLOCK || (length & 3) != 0) break;
    if (length > <u32>(end - at) || load<u32>(block + length - 4) != length) break;
    const number = load<u32>(block, 8);
    const captured = load<u32>(block, 20);
    if (number >= interfaces || captured > length - MIN_BLOCK) break;
    const source = INTERFACES + number * INTERFACE_BYTES;
    const method = load<i32>(source, I_METHOD);
    if (method != SPLIT && method != MULTIPLY) break;
    if (!readOptions(row, block + 28 + ((captured + 3) & ~3), block + length - 4)) break;
    const original = load<u32>(block, 24);
    put(row, at, at + 28, captured, original, load<u32>(block, 12), load<u32>(block, 16), source, ++frame, shift);
    at += length;
  }
  store<i32>(ROWS, row);
  return at;
}

function put(
  row: i32,
  at: i32,
  data: i32,
  captured: u32,
  original: u32,
  high: u32,
  low: u32,
  source: u32,
  frame: i32,
  shift: f64,
): void {
  const c = row << 2;
  store<i32>(c, data, PACKETS + P_OFFSET);
  store<i32>(c, captured, PACKETS + P_CAPTURED);
  store<i32>(c, original, PACKETS + P_ORIGINAL);
  store<i32>(c, load<i32>(source, I_INDEX), PACKETS + P_INTERFACE);
  store<i32>(c, load<i32>(source, I_LINK_TYPE), PACKETS + P_LINK_TYPE);
  store<i32>(c, frame, PACKETS + P_FRAME);
  store<i32>(c, high, PACKETS + P_TICKS_HIGH);
  store<i32>(c, low, PACKETS + P_TICKS_LOW);
  store<f64>(c << 1, <f64>at + shift, PACKETS + P_FILE_OFFSET);
  const words = <f64>high - load<f64>(source, I_BASE_HIGH);
  const factor = load<f64>(source, I_FACTOR);
  const time =
    load<i32>(source, I_METHOD) == SPLIT
      ? words * 1e9 + <f64>low * factor
      : (words * 4294967296.0 + (<f64>low - load<f64>(source, I_BASE_LOW))) * factor;
  store<f64>(c << 1, time, PACKETS + P_TIME);
}

/** The flags of a packet; false when its options hold a comment or are broken. */
function readOptions(row: i32, from: u32, end: u32): bool {
  let flags = 0;
  let isGiven: u8 = 0;
  let at = from;
  while (at + 4 <= end) {
    const code = load<u16>(at);
    const length = <u32>load<u16>(at, 2);
    if (code == OPTION_END) break;
    if (code == OPTION_COMMENT || length > end - at - 4) return false;
    if (code == OPTION_FLAGS && length == 4) {
      flags = load<i32>(at, 4);
      isGiven = 1;
    }
    at += 4 + ((length + 3) & ~3);
  }
  store<i32>(row << 2, flags, PACKETS + P_FLAGS);
  store<u8>(row, isGiven, PACKETS + P_HAS_FLAGS);
  return true;
}
