/**
 * Closed mappings of all legs, as chains from the newest to the oldest, in growing typed arrays.
 *
 * A leg that changes its destination MAC more often than `FOLD_AFTER` times is folded: further runs to a MAC that the
 * chain knows are added to that entry (counts stay exact, times become an envelope), so that memory stays bounded by
 * flows. Frames to more than `MAX_CHAIN` different MACs of one leg share one entry that cannot be judged.
 */

import { Leg, LEG_DOUBLES, LEG_WORDS, LegTime } from './leg-layout.js';

const FOLD_AFTER = 24;
const MAX_CHAIN = 64;

/** Words of an entry. */
export const Closed = {
  DST_MAC_HIGH: 0,
  DST_MAC_LOW: 1,
  FRAMES: 2,
  FIRST_FRAME: 3,
  LAST_FRAME: 4,
  /** The entry before, -1 for none. */
  OLDER: 5,
  /** Length of the chain up to and with this entry. */
  DEPTH: 6,
  /** ClosedBit */
  FLAGS: 7,
} as const;

export const ClosedBit = {
  /** Several runs put together. */
  FOLDED: 1,
  /** Several destination MACs put together: `DST_MAC_*` is only the last one. */
  MIXED: 2,
} as const;

/** Doubles of an entry. */
export const ClosedDouble = { FIRST: 0, LAST: 1, BYTES: 2 } as const;

export const CLOSED_WORDS = 8;
export const CLOSED_DOUBLES = 3;

export class MappingLog {
  count = 0;
  words = new Int32Array(256 * CLOSED_WORDS);
  doubles = new Float64Array(256 * CLOSED_DOUBLES);

  /**
   * Closes the open mapping of a leg.
   * @returns the new head of the leg's chain
   */
  append(legWords: Int32Array, legDoubles: Float64Array, leg: number): number {
    const w = leg * LEG_WORDS;
    const head = legWords[w + Leg.CLOSED] ?? 0;
    const depth = head < 0 ? 1 : (this.words[head * CLOSED_WORDS + Closed.DEPTH] ?? 0) + 1;
    const macHigh = (legWords[w + Leg.MACS_HIGH] ?? 0) & 0xffff;
    const macLow = legWords[w + Leg.DST_MAC_LOW] ?? 0;
    if (depth > FOLD_AFTER) {
      const same = this.find(head, macHigh, macLow);
      const target = same >= 0 ? same : depth > MAX_CHAIN ? head : -1;
      if (target >= 0) {
        this.merge(target, legWords, legDoubles, leg, same < 0);
        return head;
      }
    }
    if (this.count * CLOSED_WORDS === this.words.length) this.grow();
    const entry = this.count++;
    const e = entry * CLOSED_WORDS;
    this.words[e + Closed.DST_MAC_HIGH] = macHigh;
    this.words[e + Closed.DST_MAC_LOW] = macLow;
    this.words[e + Closed.FRAMES] = legWords[w + Leg.FRAMES] ?? 0;
    this.words[e + Closed.FIRST_FRAME] = legWords[w + Leg.FIRST_FRAME] ?? 0;
    this.words[e + Closed.LAST_FRAME] = legWords[w + Leg.LAST_FRAME] ?? 0;
    this.words[e + Closed.OLDER] = head;
    this.words[e + Closed.DEPTH] = depth;
    const d = entry * CLOSED_DOUBLES;
    this.doubles[d + ClosedDouble.FIRST] = legDoubles[leg * LEG_DOUBLES + LegTime.FIRST] ?? 0;
    this.doubles[d + ClosedDouble.LAST] = legDoubles[leg * LEG_DOUBLES + LegTime.LAST] ?? 0;
    this.doubles[d + ClosedDouble.BYTES] = (legWords[w + Leg.BYTES] ?? 0) >>> 0;
    return entry;
  }

  private find(head: number, macHigh: number, macLow: number): number {
    for (let entry = head; entry >= 0; entry = this.words[entry * CLOSED_WORDS + Closed.OLDER] ?? -1) {
      const e = entry * CLOSED_WORDS;
      if (
        this.words[e + Closed.DST_MAC_LOW] === macLow &&
        this.words[e + Closed.DST_MAC_HIGH] === macHigh &&
        ((this.words[e + Closed.FLAGS] ?? 0) & ClosedBit.MIXED) === 0
      ) {
        return entry;
      }
    }
    return -1;
  }

  private merge(entry: number, legWords: Int32Array, legDoubles: Float64Array, leg: number, mixed: boolean): void {
    const w = leg * LEG_WORDS;
    const e = entry * CLOSED_WORDS;
    const d = entry * CLOSED_DOUBLES;
    this.words[e + Closed.FRAMES] = (this.words[e + Closed.FRAMES] ?? 0) + (legWords[w + Leg.FRAMES] ?? 0);
    this.words[e + Closed.LAST_FRAME] = legWords[w + Leg.LAST_FRAME] ?? 0;
    this.words[e + Closed.FLAGS] =
      (this.words[e + Closed.FLAGS] ?? 0) | ClosedBit.FOLDED | (mixed ? ClosedBit.MIXED : 0);
    this.doubles[d + ClosedDouble.LAST] = legDoubles[leg * LEG_DOUBLES + LegTime.LAST] ?? 0;
    this.doubles[d + ClosedDouble.BYTES] =
      (this.doubles[d + ClosedDouble.BYTES] ?? 0) + ((legWords[w + Leg.BYTES] ?? 0) >>> 0);
  }

  private grow(): void {
    const words = new Int32Array(this.words.length * 2);
    words.set(this.words);
    this.words = words;
    const doubles = new Float64Array(this.doubles.length * 2);
    doubles.set(this.doubles);
    this.doubles = doubles;
  }
}
