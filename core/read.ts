/**
 * Straight through: walks, decodes, settles and counts one batch after the other, as `src/input-reader.ts` has it done step
 * by step, until there is something for the code in src/ to do.
 */

import { LEFT, LEG_COUNT, LEG_ROOM, READ, ROWS } from '../src/bytes/core-layout';
import { decode } from './decode';
import { add } from './legs';
import { settle } from './settle';
import { walkBlocks, walkRecords } from './walk';

/**
 * Reads ordinary records of a pcap capture; the parameters are those of `walkRecords`, with an empty batch. Returns where
 * it stopped. `READ` frames were counted. `ROWS` rows are a batch more: settled but for those at `UNSETTLED` when there are
 * any (`LEFT`), otherwise walked only.
 */
export function readRecords(from: i32, end: i32, frame: i32, shift: f64, maximum: u32): i32 {
  store<i32>(READ, 0);
  let at = from;
  do at = walkRecords(at, end, 0, frame + load<i32>(READ), shift, maximum);
  while (count());
  return at;
}

/** The same for Enhanced Packet Blocks. */
export function readBlocks(from: i32, end: i32, frame: i32, shift: f64): i32 {
  store<i32>(READ, 0);
  let at = from;
  do at = walkBlocks(at, end, 0, frame + load<i32>(READ), shift);
  while (count());
  return at;
}

/** Counts the batch that was walked. False when it is empty, or is not done with. */
function count(): bool {
  const rows = load<i32>(ROWS);
  const legs = load<i32>(LEG_COUNT);
  store<i32>(LEFT, 0);
  if (rows == 0 || legs + rows > load<i32>(LEG_ROOM) || decode(rows) > 0) return false;
  const left = settle(rows);
  store<i32>(LEFT, left);
  if (left > 0) return false;
  store<i32>(LEG_COUNT, add(rows, legs));
  store<i32>(READ, load<i32>(READ) + rows);
  return true;
}
