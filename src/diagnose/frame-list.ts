/**
 * Every misdelivered frame, one after the other. Nothing is kept of single frames while they are judged but the rows of
 * their numbers: who wants them all reads the captures once more, and these rows tell which frames they are.
 */

import { formatMac, macFromWords, type Mac } from '../bytes/address.js';
import type { Examination, MisdeliveredFrames } from '../detect/examine.js';
import { tupleOf, type AffectedFlow } from '../detect/flows.js';
import { viewLeg } from '../detect/legs.js';
import { WantedPackets } from '../detect/wanted.js';
import type { MisdeliveredFrame, MisdeliveredLeg, Misdelivery } from '../model.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { FrameBatch } from '../records/frame-batch.js';
import type { Places } from './scene.js';

interface ListedLeg {
  readonly mac: Mac;
  readonly rows: Rows;
  readonly leg: MisdeliveredLeg;
}

export class FrameList {
  private readonly r: Reconstruction;
  private readonly byInput = new Map<number, Map<number, ListedLeg[]>>();
  private readonly counts = new Map<number, number>();

  constructor(
    r: Reconstruction,
    examination: Examination,
    flowOfLeg: ReadonlyMap<number, AffectedFlow>,
    places: Places,
    misdeliveries: readonly Misdelivery[],
  ) {
    this.r = r;
    const known = new Map(misdeliveries.map((m) => [placeKey(m), m]));
    for (const bucket of examination.misdelivered.values()) {
      if (bucket.class === 'convergence') continue;
      const input = r.taps.all[bucket.view.tap]?.input ?? -1;
      const legs = this.byInput.get(input) ?? new Map<number, ListedLeg[]>();
      this.byInput.set(input, legs);
      this.counts.set(input, (this.counts.get(input) ?? 0) + bucket.frames);
      const place = placeOf(r, bucket, places);
      const m = known.get(placeKey(place));
      const rows = new Rows(bucket.ranges);
      for (const leg of bucket.legs) {
        const flow = flowOfLeg.get(leg)?.id;
        const same: MisdeliveredLeg = {
          misdelivery: m?.id ?? '',
          input: place.input,
          device: place.device,
          ...(place.vlan === undefined ? {} : { vlan: place.vlan }),
          srcMac: place.srcMac,
          dstMac: place.dstMac,
          expected: [...bucket.expected].sort((a, b) => a - b).map(formatMac),
          ...tupleOf(r, viewLeg(r, leg)),
          ...(flow === undefined ? {} : { flow }),
          ...(m?.cause === undefined ? {} : { cause: m.cause }),
        };
        const listed = legs.get(leg) ?? [];
        legs.set(leg, listed);
        listed.push({ mac: bucket.mac, rows, leg: same });
      }
    }
  }

  /** Inputs that hold such frames. */
  inputs(): number[] {
    return [...this.byInput.keys()];
  }

  /** A reading of one of them, which gives its frames in their order. */
  reading(input: number, take: (frame: MisdeliveredFrame) => void): FrameReading {
    const legs = this.byInput.get(input) ?? new Map<number, ListedLeg[]>();
    for (const listed of legs.values()) for (const { rows } of listed) rows.restart();
    return new FrameReading(this.r, legs, this.counts.get(input) ?? 0, take);
  }
}

/** Reads a capture once more, as the second reading does. */
class FrameReading {
  /** Frames that were not there. */
  missing: number;
  private readonly r: Reconstruction;
  private readonly legs: ReadonlyMap<number, readonly ListedLeg[]>;
  private readonly take: (frame: MisdeliveredFrame) => void;

  constructor(
    r: Reconstruction,
    legs: ReadonlyMap<number, readonly ListedLeg[]>,
    count: number,
    take: (frame: MisdeliveredFrame) => void,
  ) {
    this.r = r;
    this.legs = legs;
    this.missing = count;
    this.take = take;
  }

  wanted(): WantedPackets {
    return new WantedPackets(this.r, this.legs.keys());
  }

  add(frames: FrameBatch): void {
    this.r.find(frames);
    for (let i = 0; i < frames.count; i++) {
      const listed = this.legs.get(this.r.legs.row[i] ?? -1);
      if (!listed) continue;
      const frame = frames.frame[i] ?? 0;
      const mac = macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0);
      const one = listed.find((it) => it.mac === mac && it.rows.hold(frame));
      if (!one) continue;
      this.missing--;
      this.take({ frame, time: this.r.epoch.text(frames.time[i] ?? NaN), leg: one.leg });
    }
  }
}

/** Unbroken rows of frame numbers, asked for in ascending order. */
class Rows {
  private readonly ranges: readonly number[];
  private at = 0;

  /** @param ranges first and last number of each, in turn */
  constructor(ranges: readonly number[]) {
    this.ranges = ranges;
  }

  restart(): void {
    this.at = 0;
  }

  hold(frame: number): boolean {
    const { ranges } = this;
    while (this.at < ranges.length && (ranges[this.at + 1] ?? 0) < frame) this.at += 2;
    return (ranges[this.at] ?? Infinity) <= frame;
  }
}

/** Where the frames of a misdelivery were seen, between whom, and how they are wrong: no two have the same. */
export type Place = Pick<Misdelivery, 'input' | 'device' | 'vlan' | 'srcMac' | 'dstMac' | 'dstIp' | 'class'>;

/** Where the frames of a bucket were seen, in the words of the analysis. */
export function placeOf(r: Reconstruction, bucket: MisdeliveredFrames, places: Places): Place {
  const tap = r.taps.all[bucket.view.tap];
  return {
    input: places.inputName(tap?.input ?? 0),
    device: places.deviceName(bucket.view.tap),
    ...(tap && tap.vlan >= 0 ? { vlan: tap.vlan } : {}),
    srcMac: formatMac(bucket.view.transmitter),
    dstMac: formatMac(bucket.mac),
    dstIp: r.addresses.format(bucket.view.dstIp),
    ...(bucket.class ? { class: bucket.class } : {}),
  };
}

/** A place as text. */
export function placeKey(m: Place): string {
  return `${m.input} ${m.device} ${m.vlan ?? ''} ${m.srcMac} ${m.dstIp} ${m.dstMac} ${m.class ?? ''}`;
}
