/** Packets that two captures both hold, told by what cannot be the same by chance. Read again where clocks are in doubt. */

import { macFromWords, type Mac } from '../bytes/address.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { FrameBatch } from '../records/frame-batch.js';
import type { PacketBatch } from '../records/packet-batch.js';
import { TOGETHER, type ClockSample } from './clock-offset.js';
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
  readonly to: Mac;
  readonly isNumbered: boolean;
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
      if (fingerprint === 0 || (fingerprint >>> 1) % this.every !== 0) continue;
      const number = numberOf(packets, frames, i);
      if (number === 0 && !isTelling(packets, frames, i)) continue;
      const to = macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0);
      const packet = `${key} ${fingerprint} ${number} ${to} ${frames.hopLimit[i]}`;
      const isNumbered = number !== 0 || frames.protocol[i] === TCP;
      this.keep(packet, { leg, to, isNumbered, time: frames.time[i] ?? NaN });
    }
  }

  /** What the packets that both inputs hold, and neither twice, say of their clocks. */
  samples(a: number, b: number): ClockSample[] {
    const [inA, inB] = [this.kept.get(a), this.kept.get(b)];
    const samples: ClockSample[] = [];
    for (const [packet, { leg, to, isNumbered, time }] of inA ?? []) {
      const difference = (inB?.get(packet)?.time ?? NaN) - time;
      const from = viewLeg(this.r, leg).transmitter;
      if (!Number.isNaN(difference)) samples.push({ from, to, isNumbered, at: time, difference });
    }
    return samples;
  }

  /**
   * Whether two inputs, the second one's clock being `offset` ns ahead, saw the same packets of a leg while both saw it at
   * all. Captures of one place at different times, in which something is repeated, did not.
   */
  sawTheSame(a: number, b: number, offset: number): boolean {
    const same = this.samples(a, b).filter(({ difference }) => Math.abs(difference - offset) <= TOGETHER).length;
    const [inA, inB] = [this.timesOf(a, 0), this.timesOf(b, offset)];
    let [countA, countB] = [0, 0];
    for (const [key, one] of inA) {
      const other = inB.get(key);
      if (!other) continue;
      const from = Math.max(lowest(one), lowest(other)) - TOGETHER;
      const until = Math.min(highest(one), highest(other)) + TOGETHER;
      countA += one.filter((time) => time >= from && time <= until).length;
      countB += other.filter((time) => time >= from && time <= until).length;
    }
    return same >= MIN_SAME * Math.min(countA, countB);
  }

  /** When an input, whose clock is `offset` ns ahead, saw packets of the legs that are followed, by what the legs have in common. */
  private timesOf(input: number, offset: number): Map<string, number[]> {
    const legs = this.followed.get(input);
    const times = new Map<string, number[]>();
    for (const { leg, time } of this.kept.get(input)?.values() ?? []) {
      const key = legs?.get(leg) ?? '';
      const known = times.get(key);
      if (Number.isNaN(time)) continue;
      if (known) known.push(time - offset);
      else times.set(key, [time - offset]);
    }
    return times;
  }

  private keep(packet: string, seen: Kept): void {
    const { leg, time } = seen;
    const kept = this.kept.get(this.input) ?? new Map<string, Kept>();
    this.kept.set(this.input, kept);
    const known = kept.get(packet);
    // On a bridge and its port.
    if (known && known.leg !== leg && Math.abs(known.time - time) < MIRRORED) return;
    // Sent again, or a question that is always the same: which of them another place saw is not known.
    if (known) known.time = NaN;
    else if (kept.size < MAX_PACKETS * 4) kept.set(packet, seen);
  }
}

function lowest(times: readonly number[]): number {
  return times.reduce((a, b) => Math.min(a, b), Infinity);
}

function highest(times: readonly number[]): number {
  return times.reduce((a, b) => Math.max(a, b), -Infinity);
}

const TCP = 6;
const PAYLOAD_BYTES = 96;
const MIN_DISTINCT = 8;
/** Offload puts segments together in one capture and not in the other, and captures lose packets: more than this is the same in both. */
const MIN_SAME = 0.5;

/**
 * The number that sets a packet apart from others of the same content: IP identification, or the time stamp of TCP, which
 * probes and segments that are sent again do not share (RFC 7323). 0 for none.
 */
function numberOf({ bytes, offset, capturedLength }: PacketBatch, frames: FrameBatch, i: number): number {
  const identification = frames.ipId[i] ?? 0;
  if (identification !== 0 || frames.protocol[i] !== TCP) return identification;
  const start = frames.transportOffset[i] ?? 0;
  const end = Math.min(start + ((bytes[start + 12] ?? 0) >> 4) * 4, (offset[i] ?? 0) + (capturedLength[i] ?? 0));
  for (let at = start + 20; at + 10 <= end;) {
    const kind = bytes[at] ?? 0;
    if (kind === TCP_TIMESTAMPS) return bytes.subarray(at + 2, at + 6).reduce((word, byte) => word * 256 + byte, 0);
    if (kind === TCP_END) break;
    at += kind === TCP_PADDING ? 1 : Math.max(2, bytes[at + 1] ?? 0);
  }
  return 0;
}

const TCP_END = 0;
const TCP_PADDING = 1;
const TCP_TIMESTAMPS = 8;

/**
 * Whether a packet without a number has a payload that another one of its kind would not have: more than a probe's byte,
 * and no filling. Protocols that say the same again and again, as neighbour discovery does, have none.
 */
function isTelling({ bytes, offset, capturedLength }: PacketBatch, frames: FrameBatch, i: number): boolean {
  const protocol = frames.protocol[i] ?? 0;
  if (REPEATING.includes(protocol)) return false;
  const transport = frames.transportOffset[i] ?? 0;
  const start = transport + (protocol === TCP ? ((bytes[transport + 12] ?? 0) >> 4) * 4 : 8);
  const end = Math.min(start + PAYLOAD_BYTES, (offset[i] ?? 0) + (capturedLength[i] ?? 0));
  return new Set(bytes.subarray(start, end)).size >= (protocol === TCP ? MIN_TCP_DISTINCT : MIN_DISTINCT);
}

/** With sequence numbers, little will do; but padding of short frames is zeros, and a probe holds one byte. */
const MIN_TCP_DISTINCT = 3;
/** ICMP, IGMP, ICMPv6, OSPF, PIM and VRRP (IANA's protocol numbers). */
const REPEATING: readonly number[] = [1, 2, 58, 89, 103, 112];
