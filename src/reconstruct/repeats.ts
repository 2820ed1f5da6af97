/**
 * Repeats: ARP requests, replies and solicitations that a tap shows twice within a millisecond, bit for bit in what is
 * decoded. No host asks twice that fast: a mirror port or a loop shows each frame more than once.
 */

import type { Core } from '../bytes/core.js';
import { REPEATS } from '../bytes/core-layout.js';
import { doublesOf, increment } from '../bytes/record-list.js';
import { Claim, type FrameBatch } from '../records/frame-batch.js';
import * as At from './claim-layout.js';

export interface TapRepeats {
  /** Messages that could have been repeated. */
  readonly seen: number;
  readonly repeated: number;
  /** The first repeat, and the first and last message of all; ns since the analysis epoch. */
  readonly first: number;
  readonly start: number;
  readonly last: number;
  /** Both frames of the first repeats. */
  readonly frames: readonly number[];
}

export class Repeats {
  /** A record per tap. */
  private words: Int32Array;
  private doubles: Float64Array;
  /** Of the batch that `frames` is: usually the same one all the time. */
  private columns: readonly Int32Array[] = [];
  private frames: FrameBatch | undefined;

  /** @param core keeps the records, and looks at most messages itself */
  constructor(core?: Core) {
    this.words = core?.words(REPEATS, At.REPEAT_TAPS * At.REPEAT_WORDS) ?? new Int32Array(At.REPEAT_WORDS);
    this.doubles = doublesOf(this.words);
  }

  /** What there is to say of taps that showed such messages. */
  get byTap(): ReadonlyMap<number, TapRepeats> {
    const taps = new Map<number, TapRepeats>();
    for (let tap = 0; (tap + 1) * At.REPEAT_WORDS <= this.words.length; tap++) {
      if ((this.words[tap * At.REPEAT_WORDS + At.REPEAT_SEEN] ?? 0) > 0) taps.set(tap, this.tapRepeats(tap));
    }
    return taps;
  }

  /** Takes row `i`, a claim. */
  add(frames: FrameBatch, i: number, tap: number): void {
    const kind = frames.claim[i] ?? Claim.NONE;
    if (kind !== Claim.ARP_REQUEST && kind !== Claim.ARP_REPLY && kind !== Claim.ND_SOLICITATION) return;
    if (tap >= At.REPEAT_TAPS) return;
    if ((tap + 1) * At.REPEAT_WORDS > this.words.length) this.grow(tap);
    if (this.frames !== frames) {
      this.frames = frames;
      this.columns = columnsOf(frames);
    }
    const { words, doubles, columns } = this;
    const w = tap * At.REPEAT_WORDS;
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    if (words[w + At.REPEAT_SEEN] === 0) {
      doubles.fill(NaN, (w + At.REPEAT_FIRST) >> 1, (w + At.REPEAT_LAST + 2) >> 1);
      doubles.fill(NaN, (w + At.REPEAT_TIMES) >> 1, ((w + At.REPEAT_TIMES) >> 1) + At.REPEAT_KEPT);
    }
    increment(words, w + At.REPEAT_SEEN);
    doubles[(w + At.REPEAT_LAST) >> 1] = time;
    if (Number.isNaN(doubles[(w + At.REPEAT_START) >> 1])) doubles[(w + At.REPEAT_START) >> 1] = time;
    for (let slot = 0; slot < At.REPEAT_KEPT; slot++) {
      const age = time - (doubles[((w + At.REPEAT_TIMES) >> 1) + slot] ?? NaN);
      if (!(age >= 0 && age < At.SOON) || !isSame(words, messageAt(w, slot), columns, i)) continue;
      if (words[w + At.REPEAT_REPEATED] === 0) doubles[(w + At.REPEAT_FIRST) >> 1] = time;
      increment(words, w + At.REPEAT_REPEATED);
      notePair(words, w, words[w + At.REPEAT_NUMBERS + slot] ?? 0, frame);
      break;
    }
    const slot = words[w + At.REPEAT_NEXT] ?? 0;
    words[w + At.REPEAT_NEXT] = (slot + 1) % At.REPEAT_KEPT;
    doubles[((w + At.REPEAT_TIMES) >> 1) + slot] = time;
    words[w + At.REPEAT_NUMBERS + slot] = frame;
    for (let c = 0; c < At.REPEAT_COLUMNS; c++) words[messageAt(w, slot) + c] = columns[c]?.[i] ?? 0;
  }

  private grow(tap: number): void {
    const words = new Int32Array(Math.max(this.words.length * 2, (tap + 1) * At.REPEAT_WORDS));
    words.set(this.words);
    this.words = words;
    this.doubles = doublesOf(words);
  }

  private tapRepeats(tap: number): TapRepeats {
    const { words, doubles } = this;
    const w = tap * At.REPEAT_WORDS;
    const frames = w + At.REPEAT_FRAMES;
    return {
      seen: words[w + At.REPEAT_SEEN] ?? 0,
      repeated: words[w + At.REPEAT_REPEATED] ?? 0,
      first: doubles[(w + At.REPEAT_FIRST) >> 1] ?? NaN,
      start: doubles[(w + At.REPEAT_START) >> 1] ?? NaN,
      last: doubles[(w + At.REPEAT_LAST) >> 1] ?? NaN,
      frames: [...words.subarray(frames, frames + (words[w + At.REPEAT_FRAMES_KEPT] ?? 0))],
    };
  }
}

/** Where the message of a slot stands in the record that begins at `w`. */
function messageAt(w: number, slot: number): number {
  return w + At.REPEAT_MESSAGES + slot * At.REPEAT_COLUMNS;
}

function notePair(words: Int32Array, w: number, before: number, frame: number): void {
  const kept = words[w + At.REPEAT_FRAMES_KEPT] ?? 0;
  if (kept >= At.MAX_PAIRED_FRAMES) return;
  words[w + At.REPEAT_FRAMES + kept] = before;
  words[w + At.REPEAT_FRAMES + kept + 1] = frame;
  words[w + At.REPEAT_FRAMES_KEPT] = kept + 2;
}

function columnsOf(frames: FrameBatch): readonly Int32Array[] {
  const { claim, claimIp, claimMacHigh, claimMacLow, targetIp, srcMacHigh, srcMacLow, dstMacHigh, dstMacLow } = frames;
  return [claim, claimIp, claimMacHigh, claimMacLow, targetIp, srcMacHigh, srcMacLow, dstMacHigh, dstMacLow];
}

function isSame(words: Int32Array, at: number, columns: readonly Int32Array[], i: number): boolean {
  for (let c = 0; c < At.REPEAT_COLUMNS; c++) if (words[at + c] !== columns[c]?.[i]) return false;
  return true;
}
