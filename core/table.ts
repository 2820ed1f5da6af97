/** Tables of rows of four words (`src/bytes/word-table.ts`) and lists of records (`src/bytes/record-list.ts`), by their headers. */

import { H_CAPACITY, H_COUNT, H_MASK, H_ROWS, H_SLOTS } from '../src/bytes/core-layout';

const ROW_SHIFT = 4;

/** Whether a table or list takes `more` without growing, which is for the code in src/ to do. */
export function hasRoom(header: i32, more: i32): bool {
  return load<i32>(header, H_COUNT) + more <= load<i32>(header, H_CAPACITY);
}

/** The number of a row, -1 when it was not seen before. */
export function find(header: i32, a: i32, b: i32, c: i32, d: i32): i32 {
  return load<i32>(seek(header, a, b, c, d)) - 1;
}

/** The number of a row, which may be a new one: then there has to be room. */
export function intern(header: i32, a: i32, b: i32, c: i32, d: i32): i32 {
  const slot = seek(header, a, b, c, d);
  const known = load<i32>(slot) - 1;
  if (known >= 0) return known;
  const index = load<i32>(header, H_COUNT);
  const row = load<i32>(header, H_ROWS) + (index << ROW_SHIFT);
  store<i32>(row, a);
  store<i32>(row, b, 4);
  store<i32>(row, c, 8);
  store<i32>(row, d, 12);
  store<i32>(slot, index + 1);
  store<i32>(header, index + 1, H_COUNT);
  return index;
}

/** Appends a record to a list that has room. Returns its number. */
export function append(header: i32): i32 {
  const number = load<i32>(header, H_COUNT);
  store<i32>(header, number + 1, H_COUNT);
  return number;
}

/** Where the slot of a row is, or the free one where it would be put. */
function seek(header: i32, a: i32, b: i32, c: i32, d: i32): i32 {
  const rows = load<i32>(header, H_ROWS);
  const slots = load<i32>(header, H_SLOTS);
  const mask = load<i32>(header, H_MASK);
  let h = ((a ^ (b >>> 15)) * 0x85ebca6b) ^ (b * 0xc2b2ae35) ^ ((c ^ 0x9e3779b9) * 0x27d4eb2f) ^ (d * 0x165667b1);
  h = (h ^ (h >>> 15)) * 0x2c1b3c6d;
  let at = (h ^ (h >>> 13)) & mask;
  let index = load<i32>(slots + (at << 2)) - 1;
  while (index >= 0) {
    const row = rows + (index << ROW_SHIFT);
    if (load<i32>(row) == a && load<i32>(row, 4) == b && load<i32>(row, 8) == c && load<i32>(row, 12) == d) break;
    at = (at + 1) & mask;
    index = load<i32>(slots + (at << 2)) - 1;
  }
  return slots + (at << 2);
}
