/**
 * The reconstruction: everything that was read, accumulated and not judged. Nobody asks "is this MAC right?" here,
 * because the answer may stand later in the file, or in another one.
 */

import { AddressTable } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import { ADDRESS_TABLE, ADDRESSES, NOT_IP, SKIP, SLOTS, UNSETTLED } from '../bytes/core-layout.js';
import { Epoch } from '../records/epoch.js';
import { Claim, FrameFlag, Link, type FrameBatch } from '../records/frame-batch.js';
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
  readonly addresses: AddressTable;
  readonly taps: Taps;
  readonly legs: LegTable;
  readonly claims: Claims;
  readonly facts: FactStore;
  /** Does the same for batches that lie in its memory; undefined: everything is done here. */
  readonly core: Core | undefined;
  /** Frames per input that are no legs, by reason (index into `UNJUDGED`). */
  readonly unjudged = new Map<number, Float64Array>();
  /** Frames per input. */
  readonly frames = new Map<number, number>();
  /** First and last time of each input's frames, in or out of the window; ns since the analysis epoch. */
  readonly spans = new Map<number, { first: number; last: number }>();
  /** ns since the analysis epoch; undefined without a window, and before the first frame. */
  window: Window | undefined;

  /** Rows of the current batch that are not to be counted. */
  readonly skip: Uint8Array;
  /** Rows that the core leaves, and how many of those that it took are not IP. */
  private readonly unsettled: Int32Array | undefined;
  private readonly notIp: Int32Array | undefined;
  private wanted: { from: bigint | undefined; to: bigint | undefined } | undefined;
  private input = 0;
  private seen = 0;
  /** First and last time. */
  private readonly span: Float64Array;
  private counts = new Float64Array(UNJUDGED.length);

  constructor(core?: Core) {
    this.core = core;
    this.addresses = new AddressTable(core?.tableRoom(ADDRESS_TABLE, ADDRESSES, SLOTS));
    this.claims = new Claims(core);
    this.taps = new Taps(core);
    this.legs = new LegTable(core);
    this.facts = new FactStore(this.epoch, this.addresses);
    this.skip = core ? new Uint8Array(core.fixed, SKIP, BATCH_SIZE) : new Uint8Array(BATCH_SIZE);
    this.unsettled = core?.words(UNSETTLED, BATCH_SIZE);
    this.notIp = core?.words(NOT_IP, 1);
    this.span = core?.span ?? new Float64Array(2);
  }

  /** Counts only frames from and to these absolute times (ns since 1970). To be called before the first input. */
  limit(from: bigint | undefined, to: bigint | undefined): void {
    if (from !== undefined || to !== undefined) this.wanted = { from, to };
  }

  beginInput(input: number): void {
    this.input = input;
    this.taps.beginInput(input);
    this.counts = new Float64Array(UNJUDGED.length);
    this.unjudged.set(input, this.counts);
    this.seen = 0;
    this.notIp?.fill(0);
    this.span.fill(NaN);
  }

  /** Takes a batch of the current input. */
  add(frames: FrameBatch): void {
    this.openWindow();
    const { core } = this;
    if (core && !this.window && frames.isIn(core.fixed)) {
      this.finish(frames, core.run.settle(frames.count));
      return;
    }
    for (let i = 0; i < frames.count; i++) this.settle(frames, i);
    this.legs.add(frames, this.taps.row, this.skip);
  }

  /** Counts a batch that the core has settled but for `left` rows. */
  private finish(frames: FrameBatch, left: number): void {
    this.seen += frames.count - left;
    for (let i = 0; i < left; i++) this.settle(frames, this.unsettled?.[i] ?? 0);
    this.legs.add(frames, this.taps.row, this.skip);
  }

  /** Whether the core may count frames by itself; makes room for them. */
  lend(): boolean {
    return this.core !== undefined && !this.window && !this.wanted && this.legs.lend();
  }

  /**
   * Takes over what the core has counted by itself: so many frames, and the `frames` that it has settled but for `left`
   * rows, if those are any.
   */
  takeBack(counted: number, frames: FrameBatch, left: number): void {
    this.legs.takeBack();
    this.seen += counted;
    if (left > 0) this.finish(frames, left);
  }

  /** Finds the tap of a frame, hears its claim, and tells whether it is to be counted as part of a leg. */
  private settle(frames: FrameBatch, i: number): void {
    const { skip, span, window } = this;
    const tap = this.taps.resolve(frames, i, true);
    if (frames.claim[i] !== Claim.NONE) this.claims.add(frames, i, tap);
    skip[i] = 1;
    if (frames.link[i] === Link.NONE) return;
    const time = frames.time[i] ?? NaN;
    if (!((span[0] ?? NaN) <= time) && !Number.isNaN(time)) span[0] = time;
    if (!((span[1] ?? NaN) >= time) && !Number.isNaN(time)) span[1] = time;
    if (window && !(time >= window.from && time <= window.to)) return;
    this.seen++;
    const reason = unjudgedReason(frames, i, tap);
    if (reason < 0) skip[i] = 0;
    else this.counts[reason] = (this.counts[reason] ?? 0) + 1;
  }

  /** The current input was read to its end. */
  endInput(): void {
    this.taps.endInput();
    this.claims.endInput();
    this.counts[NO_IP] = (this.counts[NO_IP] ?? 0) + (this.notIp?.[0] ?? 0);
    this.frames.set(this.input, this.seen);
    this.spans.set(this.input, { first: this.span[0] ?? NaN, last: this.span[1] ?? NaN });
  }

  /** Second reading: fills `legs.row` with the legs of a batch that was counted before. */
  find(frames: FrameBatch): void {
    const { window } = this;
    for (let i = 0; i < frames.count; i++) {
      const tap = this.taps.resolve(frames, i, false);
      const time = frames.time[i] ?? NaN;
      const out = frames.link[i] === Link.NONE || (window && !(time >= window.from && time <= window.to));
      this.skip[i] = out || unjudgedReason(frames, i, tap) >= 0 ? 1 : 0;
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

/** Indices into `UNJUDGED`. */
const NO_DESTINATION_MAC = 0;
const NO_IP = 1;
const CUT_SHORT = 2;
const UNSUPPORTED_LINK = 3;
const TOO_MANY_INTERFACES = 4;

const BOTH_MACS = FrameFlag.SRC_MAC | FrameFlag.DST_MAC;

/** Index into `UNJUDGED` for a frame that is no leg, -1 for one that is. */
function unjudgedReason(frames: FrameBatch, i: number, tap: number): number {
  const flags = frames.flags[i] ?? 0;
  const isIp = (frames.protocol[i] ?? -1) >= 0 && frames.ipVersion[i] !== 0;
  if (tap === NO_TAP) return TOO_MANY_INTERFACES;
  if (isIp && (flags & BOTH_MACS) === BOTH_MACS) return -1;
  if (frames.link[i] === Link.UNSUPPORTED) return UNSUPPORTED_LINK;
  if (!isIp) return flags & FrameFlag.CUT ? CUT_SHORT : NO_IP;
  return NO_DESTINATION_MAC;
}
