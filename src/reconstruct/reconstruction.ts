/**
 * The reconstruction: everything that was read, accumulated and not judged. Nobody asks "is this MAC right?" here,
 * because the answer may stand later in the file, or in another one.
 */

import { AddressTable } from '../bytes/address.js';
import { Epoch } from '../records/epoch.js';
import { FrameFlag, Link, type FrameBatch } from '../records/frame-batch.js';
import { BATCH_SIZE } from '../records/packet-batch.js';
import { Claims } from './claims.js';
import { FactStore } from './fact-store.js';
import { LegTable } from './leg-table.js';
import { NO_TAP, Taps } from './taps.js';

/** Why frames are no legs, in the order that `Reconstruction.unjudged` counts them. */
export const UNJUDGED = [
  'no-destination-mac',
  'not-ip',
  'cut-short',
  'link-type-unsupported',
  'too-many-interfaces',
] as const;

export type UnjudgedReason = (typeof UNJUDGED)[number];

/** Only frames inside are counted and judged; what others claim is heard all the same. Relative ns. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export class Reconstruction {
  readonly epoch = new Epoch();
  readonly addresses = new AddressTable();
  readonly taps = new Taps();
  readonly legs = new LegTable();
  readonly claims = new Claims();
  readonly facts = new FactStore(this.epoch, this.addresses);
  /** Frames per input that are no legs, by reason (index into `UNJUDGED`). */
  readonly unjudged = new Map<number, Float64Array>();
  /** Frames per input. */
  readonly frames = new Map<number, number>();
  /** First and last time of each input's frames, in or out of the window; ns since the analysis epoch. */
  readonly spans = new Map<number, { first: number; last: number }>();
  /** ns since the analysis epoch; undefined without a window, and before the first frame. */
  window: Window | undefined;

  /** Rows of the current batch that are not to be counted. */
  readonly skip = new Uint8Array(BATCH_SIZE);
  private wanted: { from: bigint | undefined; to: bigint | undefined } | undefined;
  private input = 0;
  private span = { first: NaN, last: NaN };
  private counts = new Float64Array(UNJUDGED.length);

  /** Counts only frames from and to these absolute times (ns since 1970). To be called before the first input. */
  limit(from: bigint | undefined, to: bigint | undefined): void {
    if (from !== undefined || to !== undefined) this.wanted = { from, to };
  }

  beginInput(input: number): void {
    this.input = input;
    this.taps.beginInput(input);
    this.counts = new Float64Array(UNJUDGED.length);
    this.unjudged.set(input, this.counts);
    this.frames.set(input, 0);
    this.span = { first: NaN, last: NaN };
    this.spans.set(input, this.span);
  }

  /** Takes a batch of the current input. */
  add(frames: FrameBatch): void {
    this.openWindow();
    this.taps.resolve(frames, true);
    this.claims.add(frames, this.taps.row);
    const { skip, counts, window } = this;
    const taps = this.taps.row;
    let { first, last } = this.span;
    let seen = 0;
    for (let i = 0; i < frames.count; i++) {
      skip[i] = 1;
      if (frames.link[i] === Link.NONE) continue;
      const time = frames.time[i] ?? NaN;
      if (!(first <= time) && !Number.isNaN(time)) first = time;
      if (!(last >= time) && !Number.isNaN(time)) last = time;
      if (window && !(time >= window.from && time <= window.to)) continue;
      seen++;
      const reason = unjudgedReason(frames, i, taps[i] ?? NO_TAP);
      if (reason < 0) skip[i] = 0;
      else counts[reason] = (counts[reason] ?? 0) + 1;
    }
    this.span.first = first;
    this.span.last = last;
    this.frames.set(this.input, (this.frames.get(this.input) ?? 0) + seen);
    this.legs.add(frames, taps, skip);
  }

  /** Second reading: fills `legs.row` with the legs of a batch that was counted before. */
  find(frames: FrameBatch): void {
    this.taps.resolve(frames, false);
    const { window } = this;
    for (let i = 0; i < frames.count; i++) {
      const time = frames.time[i] ?? NaN;
      const out = frames.link[i] === Link.NONE || (window && !(time >= window.from && time <= window.to));
      this.skip[i] = out || unjudgedReason(frames, i, this.taps.row[i] ?? NO_TAP) >= 0 ? 1 : 0;
    }
    this.legs.find(frames, this.taps.row, this.skip);
  }

  /** The epoch is that of the first frame, so that a window far off does not cost its times their exactness. */
  private openWindow(): void {
    if (!this.wanted || this.epoch.seconds === undefined) return;
    const { from, to } = this.wanted;
    this.window = {
      from: from === undefined ? -Infinity : this.epoch.relative(from),
      to: to === undefined ? Infinity : this.epoch.relative(to),
    };
    this.wanted = undefined;
  }
}

const BOTH_MACS = FrameFlag.SRC_MAC | FrameFlag.DST_MAC;

/** Index into `UNJUDGED` for a frame that is no leg, -1 for one that is. */
function unjudgedReason(frames: FrameBatch, i: number, tap: number): number {
  const flags = frames.flags[i] ?? 0;
  const isIp = (frames.protocol[i] ?? -1) >= 0 && frames.ipVersion[i] !== 0;
  if (tap === NO_TAP) return 4;
  if (isIp && (flags & BOTH_MACS) === BOTH_MACS) return -1;
  if (frames.link[i] === Link.UNSUPPORTED) return 3;
  if (!isIp) return flags & FrameFlag.CUT ? 2 : 1;
  return 0;
}
