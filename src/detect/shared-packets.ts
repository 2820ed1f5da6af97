/** Packets that two captures both hold, told by what cannot be the same by chance. Read again where clocks are in doubt. */

import { macFromWords } from '../bytes/address.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { FrameBatch } from '../records/frame-batch.js';
import type { PacketBatch } from '../records/packet-batch.js';
import type { ClockSample } from './clock-offset.js';
import { viewLeg } from './legs.js';
import type { SharedLeg } from './shared-legs.js';
import { fingerprintOf } from './trace.js';
import { WantedPackets } from './wanted.js';

/** Packets kept of an input; of more, those with certain fingerprints, which are the same ones in every input. */
const MAX_PACKETS = 20_000;

/** A bridge hands a frame to its port within this, ns. */
const MIRRORED = 5e6;

/** A packet as an input saw it; its time is NaN when it saw more than one such. */
interface Kept {
  readonly leg: number;
  time: number;
}

export class SharedPackets {
  private readonly r: Reconstruction;
  /** Keys of the legs to be followed, by input and leg. */
  private readonly followed = new Map<number, Map<number, string>>();
  private readonly kept = new Map<number, Map<string, Kept>>();
  private readonly every: number;
  private input = -1;

  /** @param legs those to be followed, by what their sightings have in common */
  constructor(r: Reconstruction, legs: ReadonlyMap<string, readonly SharedLeg[]>) {
    this.r = r;
    const frames = new Map<number, number>();
    for (const [key, seen] of legs) {
      for (const { input, leg, frames: n } of seen) {
        const known = this.followed.get(input);
        if (known) known.set(leg, key);
        else this.followed.set(input, new Map([[leg, key]]));
        frames.set(input, (frames.get(input) ?? 0) + n);
      }
    }
    this.every = Math.ceil(Math.max(1, ...frames.values()) / MAX_PACKETS);
  }

  /** Inputs to be read again, in order. */
  inputs(): number[] {
    return [...this.followed.keys()].sort((a, b) => a - b);
  }

  /** The packets of an input that are wanted; it is read next. */
  wanted(input: number): WantedPackets {
    this.input = input;
    return new WantedPackets(this.r, this.followed.get(input)?.keys() ?? []);
  }

  /** Takes a batch of the input that is read. Printed captures hold no bytes to tell packets by. */
  add(frames: FrameBatch, packets: PacketBatch | undefined): void {
    const legs = this.followed.get(this.input);
    if (!packets || !legs) return;
    this.r.find(frames);
    for (let i = 0; i < frames.count; i++) {
      const leg = this.r.legs.row[i] ?? -1;
      const key = leg < 0 ? undefined : legs.get(leg);
      if (key === undefined) continue;
      const fingerprint = fingerprintOf(packets, frames, i);
      // Its lowest bit is always set.
      if (fingerprint === 0 || (fingerprint >>> 1) % this.every !== 0 || !isTelling(packets, frames, i)) continue;
      const to = macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0);
      this.keep(`${key} ${fingerprint} ${to} ${frames.hopLimit[i]}`, leg, frames.time[i] ?? NaN);
    }
  }

  /** What the packets that both inputs hold, and neither twice, say of their clocks. */
  samples(a: number, b: number): ClockSample[] {
    const [inA, inB] = [this.kept.get(a), this.kept.get(b)];
    const samples: ClockSample[] = [];
    for (const [packet, { leg, time }] of inA ?? []) {
      const other = inB?.get(packet)?.time ?? NaN;
      if (!Number.isNaN(other - time))
        samples.push({ way: viewLeg(this.r, leg).transmitter, at: time, difference: other - time });
    }
    return samples;
  }

  private keep(packet: string, leg: number, time: number): void {
    const kept = this.kept.get(this.input) ?? new Map<string, Kept>();
    this.kept.set(this.input, kept);
    const known = kept.get(packet);
    // On a bridge and its port.
    if (known && known.leg !== leg && Math.abs(known.time - time) < MIRRORED) return;
    // Sent again, or a question that is always the same: which of them another place saw is not known.
    if (known) known.time = NaN;
    else if (kept.size < MAX_PACKETS * 4) kept.set(packet, { leg, time });
  }
}

const TCP = 6;
const PAYLOAD_BYTES = 96;
const MIN_DISTINCT = 8;

/** Whether a packet has something that another one of its kind would not have: a number of its own, or a payload that is no filling. */
function isTelling({ bytes, offset, capturedLength }: PacketBatch, frames: FrameBatch, i: number): boolean {
  if (frames.protocol[i] === TCP || frames.ipId[i] !== 0) return true;
  const start = (frames.transportOffset[i] ?? 0) + 8;
  const end = Math.min(start + PAYLOAD_BYTES, (offset[i] ?? 0) + (capturedLength[i] ?? 0));
  return new Set(bytes.subarray(start, end)).size >= MIN_DISTINCT;
}
