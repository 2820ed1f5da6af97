/**
 * Repeats: ARP requests, replies and solicitations that a tap shows twice within a millisecond, bit for bit in what is
 * decoded. No host asks twice that fast: a mirror port or a loop shows each frame more than once.
 */

import { Claim, type FrameBatch } from '../records/frame-batch.js';

export interface TapRepeats {
  /** Messages that could have been repeated. */
  seen: number;
  repeated: number;
  /** The first repeat, and the first and last message of all; ns since the analysis epoch. */
  first: number;
  start: number;
  last: number;
  /** Both frames of the first repeats. */
  readonly frames: number[];
}

/** A copy comes within this, ns. */
const SOON = 1e6;
const KEPT = 4;
const COLUMNS = 9;
const MAX_FRAMES = 6;
const MAX_TAPS = 4096;

interface Recent extends TapRepeats {
  readonly words: Int32Array;
  readonly times: Float64Array;
  readonly numbers: Int32Array;
  next: number;
}

export class Repeats {
  private readonly taps = new Map<number, Recent>();
  /** Of the batch that `frames` is: usually the same one all the time. */
  private columns: readonly Int32Array[] = [];
  private frames: FrameBatch | undefined;

  get byTap(): ReadonlyMap<number, TapRepeats> {
    return this.taps;
  }

  /** Takes row `i`, a claim. */
  add(frames: FrameBatch, i: number, tap: number): void {
    const kind = frames.claim[i] ?? Claim.NONE;
    if (kind !== Claim.ARP_REQUEST && kind !== Claim.ARP_REPLY && kind !== Claim.ND_SOLICITATION) return;
    let recent = this.taps.get(tap);
    if (!recent) {
      if (this.taps.size >= MAX_TAPS) return;
      this.taps.set(tap, (recent = newRecent()));
    }
    if (this.frames !== frames) {
      this.frames = frames;
      this.columns = columnsOf(frames);
    }
    const time = frames.time[i] ?? NaN;
    recent.seen++;
    recent.last = time;
    if (Number.isNaN(recent.start)) recent.start = time;
    for (let slot = 0; slot < KEPT; slot++) {
      const age = time - (recent.times[slot] ?? NaN);
      if (!(age >= 0 && age < SOON) || !isSame(recent.words, slot * COLUMNS, this.columns, i)) continue;
      if (recent.repeated === 0) recent.first = time;
      recent.repeated++;
      if (recent.frames.length < MAX_FRAMES) recent.frames.push(recent.numbers[slot] ?? 0, frames.frame[i] ?? 0);
      break;
    }
    const slot = recent.next;
    recent.next = (slot + 1) % KEPT;
    recent.times[slot] = time;
    recent.numbers[slot] = frames.frame[i] ?? 0;
    for (let c = 0; c < COLUMNS; c++) recent.words[slot * COLUMNS + c] = this.columns[c]?.[i] ?? 0;
  }
}

function newRecent(): Recent {
  return {
    seen: 0,
    repeated: 0,
    first: NaN,
    start: NaN,
    last: NaN,
    frames: [],
    words: new Int32Array(KEPT * COLUMNS),
    times: new Float64Array(KEPT).fill(NaN),
    numbers: new Int32Array(KEPT),
    next: 0,
  };
}

function columnsOf(frames: FrameBatch): readonly Int32Array[] {
  const { claim, claimIp, claimMacHigh, claimMacLow, targetIp, srcMacHigh, srcMacLow, dstMacHigh, dstMacLow } = frames;
  return [claim, claimIp, claimMacHigh, claimMacLow, targetIp, srcMacHigh, srcMacLow, dstMacHigh, dstMacLow];
}

function isSame(words: Int32Array, at: number, columns: readonly Int32Array[], i: number): boolean {
  for (let c = 0; c < COLUMNS; c++) if (words[at + c] !== columns[c]?.[i]) return false;
  return true;
}
