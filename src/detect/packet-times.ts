/** Times of the packets of some legs, where it is not enough to know when a leg began and ended: read again for that. */

import { macFromWords, type Mac } from '../bytes/address.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { FrameBatch } from '../records/frame-batch.js';
import { firstSince } from './order.js';
import { WantedPackets } from './wanted.js';

/** Packets kept; where there are more, no leg's times are known. */
const MAX_PACKETS = 500_000;

export class PacketTimes {
  private readonly r: Reconstruction;
  private readonly macs: ReadonlySet<Mac>;
  private readonly times = new Map<number, number[]>();
  private readonly legs = new Map<number, number[]>();
  private isWhole = false;
  private count = 0;
  private input = -1;

  /** @param macs those that packets count to */
  constructor(r: Reconstruction, legs: Iterable<number>, macs: ReadonlySet<Mac>, inputOf: (leg: number) => number) {
    this.r = r;
    this.macs = macs;
    for (const leg of legs) {
      const input = inputOf(leg);
      this.times.set(leg, []);
      const known = this.legs.get(input);
      if (known) known.push(leg);
      else this.legs.set(input, [leg]);
    }
  }

  /** Inputs to be read again, in order. */
  inputs(): number[] {
    return [...this.legs.keys()].sort((a, b) => a - b);
  }

  /** The packets of an input that are wanted; it is read next. */
  wanted(input: number): WantedPackets {
    this.input = input;
    return new WantedPackets(this.r, this.legs.get(input) ?? []);
  }

  /** Takes a batch of the input that is read. */
  add(frames: FrameBatch): void {
    if (!this.legs.has(this.input)) return;
    this.r.find(frames);
    for (let i = 0; i < frames.count; i++) {
      const times = this.times.get(this.r.legs.row[i] ?? -1);
      const time = frames.time[i] ?? NaN;
      if (!times || Number.isNaN(time)) continue;
      if (!this.macs.has(macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0))) continue;
      if (++this.count <= MAX_PACKETS) times.push(time);
    }
  }

  /** To be called when all inputs were read again. */
  finish(): void {
    this.isWhole = this.count <= MAX_PACKETS;
    for (const times of this.times.values()) times.sort((a, b) => a - b);
  }

  /** First packet of a leg that is not earlier than a time, ns since the analysis epoch; undefined when it is not known. */
  firstSince(leg: number, time: number): number | undefined {
    const times = this.isWhole ? this.times.get(leg) : undefined;
    if (!times) return undefined;
    return times[firstSince(times.length, (i) => times[i] ?? Infinity, time)] ?? Infinity;
  }
}
