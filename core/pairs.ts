/** Pairs of MACs: `src/detect/mac-pairs.ts`, whose table and sums these are. */

import { LOOPS, PAIR_LIST, PAIR_TABLE, PAIRS, RECORDS } from '../src/bytes/core-layout';
import {
  SUM_DESTINATION,
  SUM_FIRST,
  SUM_FRAMES,
  SUM_LAST,
  SUM_LEGS,
  SUM_MANY,
  SUM_SOURCE,
  SUM_WORDS,
} from '../src/detect/pair-layout';
import { append, hasRoom, intern } from './table';

// Bytes of a leg's record: `src/reconstruct/leg-layout.ts`.
const RECORD_SHIFT = 6;
const R_META = 0;
const R_SRC_IP = 4;
const R_DST_IP = 8;
const R_SRC_MAC_LOW = 16;
const R_MACS_HIGH = 20;
const R_DST_MAC_LOW = 24;
const R_FRAMES = 28;

/** Tap, IP family, and whether the hop limit is an initial one. */
const KEY_BITS = 0xffff0003;
// `Many` of `src/detect/mac-pairs.ts`.
const SOURCES = 1;
const DESTINATIONS = 2;

/**
 * Puts the legs from `from` to `count - 1` into pairs: writes the pair of each to `pairOf`, and after each leg the next one of
 * its pair to `next`. Returns the leg at which it stopped for lack of room.
 */
export function pairUp(from: i32, count: i32, pairOf: i32, next: i32): i32 {
  let leg = from;
  for (; leg < count && hasRoom(PAIR_TABLE, 1) && hasRoom(PAIR_LIST, 1); leg++) {
    const r = RECORDS + (leg << RECORD_SHIFT);
    const meta = load<i32>(r, R_META) & KEY_BITS;
    const macsHigh = load<i32>(r, R_MACS_HIGH);
    const pair = intern(PAIR_TABLE, meta, load<i32>(r, R_SRC_MAC_LOW), macsHigh, load<i32>(r, R_DST_MAC_LOW));
    store<i32>(pairOf + (leg << 2), pair);
    const sum = PAIRS + pair * (SUM_WORDS << 2);
    const source = load<i32>(r, R_SRC_IP);
    const destination = load<i32>(r, R_DST_IP);
    const legs = load<i32>(sum, SUM_LEGS << 2);
    if (legs == 0) {
      append(PAIR_LIST);
      store<i32>(sum, leg, SUM_FIRST << 2);
      store<i32>(sum, source, SUM_SOURCE << 2);
      store<i32>(sum, destination, SUM_DESTINATION << 2);
    } else {
      store<i32>(next + (load<i32>(sum, SUM_LAST << 2) << 2), leg);
      let many = load<i32>(sum, SUM_MANY << 2);
      if (load<i32>(sum, SUM_SOURCE << 2) != source) many |= SOURCES;
      if (load<i32>(sum, SUM_DESTINATION << 2) != destination) many |= DESTINATIONS;
      store<i32>(sum, many, SUM_MANY << 2);
    }
    store<i32>(sum, leg, SUM_LAST << 2);
    store<i32>(sum, legs + 1, SUM_LEGS << 2);
    store<i32>(sum, load<i32>(sum, SUM_FRAMES << 2) + load<i32>(r, R_FRAMES), SUM_FRAMES << 2);
    if (source == destination) store<i32>(LOOPS, 1);
  }
  return leg;
}
