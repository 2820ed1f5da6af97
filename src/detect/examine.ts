/**
 * Second reading, for suspect legs only: judges each of their frames, and keeps the exact frame numbers of those that
 * were misdelivered.
 */

import { macFromWords, type Mac } from '../bytes/address.js';
import type { MisdeliveryClass, Witness } from '../model.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { FrameBatch } from '../records/frame-batch.js';
import type { PacketBatch } from '../records/packet-batch.js';
import type { AffectedFlow } from './flows.js';
import { DELIVERED, notJudged, type Doubt, type Ruling, type Stretch } from './ruling.js';
import { runsOfLeg, viewLeg, type LegView } from './legs.js';
import type { NextHopFault } from './next-hop-fault.js';
import type { NextHops } from './next-hops.js';
import type { Trace, TracedFrame } from './trace.js';
import type { Verdicts } from './verdicts.js';
import { WantedPackets } from './wanted.js';

/** Frames of one tap, transmitter, destination address, observed MAC and class. Times in ns since the analysis epoch. */
export interface MisdeliveredFrames {
  readonly view: LegView;
  readonly mac: Mac;
  readonly class: MisdeliveryClass | undefined;
  /** How the next hop is wrong, where that is what is wrong. */
  readonly fault: NextHopFault | undefined;
  readonly expected: Set<Mac>;
  readonly because: Map<string, Witness>;
  frames: number;
  /** First and last frame number of each unbroken row, in turn. */
  readonly ranges: number[];
  first: number;
  last: number;
  readonly legs: Set<number>;
  /** The first frames and the last one. */
  readonly evidence: SeenFrame[];
  /** Number of the first frame, and `since` of its ruling. */
  began: number;
  since: number | undefined;
}

/** Frames of one tap, transmitter, destination address, MAC and class that may have gone wrong before others did. */
export interface DoubtfulFrames {
  frame: number;
  time: number;
  frames: number;
  readonly heard: Witness;
}

export interface SeenFrame {
  readonly view: LegView;
  readonly frame: number;
  readonly time: number;
  readonly mac: Mac;
  readonly hopLimit: number;
  readonly length: number;
}

/** A run of a suspect leg's frames to one MAC with one ruling. */
export interface JudgedRun {
  readonly mac: Mac;
  readonly ruling: Ruling;
  frames: number;
  bytes: number;
  readonly firstFrame: number;
  lastFrame: number;
  readonly first: number;
  last: number;
  folded: boolean;
}

const EVIDENCE_HEAD = 5;
const MAX_RUNS_PER_LEG = 48;

/** A frame that is judged when all captures were read again. */
interface Deferred {
  readonly suspect: Suspect;
  readonly seen: SeenFrame;
  readonly ruling: Ruling;
  readonly traced: TracedFrame;
}

interface Suspect {
  readonly view: LegView;
  /** Rulings over time for each MAC that its frames went to. */
  readonly stretches: Map<Mac, readonly Stretch[]>;
  /** Where its frames are counted that are not simply delivered: few, as a leg has few MACs and rulings. */
  readonly counted: { readonly mac: Mac; readonly ruling: Ruling; readonly bucket: MisdeliveredFrames }[];
  readonly runs: JudgedRun[];
}

export class Examination {
  readonly misdelivered = new Map<string, MisdeliveredFrames>();
  readonly suspects = new Map<number, Suspect>();
  private readonly r: Reconstruction;
  private readonly verdicts: Verdicts;
  private readonly trace: Trace;
  private readonly nextHops: NextHops;
  private readonly deferred: Deferred[] = [];
  /** By bucket, and by when its frames are wrong from. */
  private readonly doubtful = new Map<string, Map<number, DoubtfulFrames>>();
  private readonly inputName: (input: number) => string;

  constructor(
    r: Reconstruction,
    verdicts: Verdicts,
    trace: Trace,
    nextHops: NextHops,
    inputName: (input: number) => string,
  ) {
    this.r = r;
    this.trace = trace;
    this.nextHops = nextHops;
    this.inputName = inputName;
    this.verdicts = verdicts;
    for (const leg of verdicts.suspects) {
      this.suspects.set(leg, { view: viewLeg(r, leg), stretches: new Map(), counted: [], runs: [] });
    }
  }

  /** Inputs that must be read again. */
  inputs(): Set<number> {
    const inputs = this.trace.inputs();
    for (const { view } of this.suspects.values()) inputs.add(this.r.taps.all[view.tap]?.input ?? -1);
    return inputs;
  }

  /** What must be looked at of an input. */
  wanted(input: number): WantedPackets {
    const legs = new Set([...this.suspects.keys(), ...this.trace.legs()]);
    const isOfInput = (leg: number): boolean => this.r.taps.all[viewLeg(this.r, leg).tap]?.input === input;
    return new WantedPackets(this.r, [...legs].filter(isOfInput));
  }

  /** Frames of suspect legs that were not judged, per input: the second reading was interrupted, or could not be made. */
  unexamined(): Map<number, number> {
    const left = new Map<number, number>();
    for (const { view, runs } of this.suspects.values()) {
      const all = runsOfLeg(this.r, view.leg).reduce((sum, run) => sum + run.frames, 0);
      const done = runs.reduce((sum, run) => sum + run.frames, 0);
      const input = this.r.taps.all[view.tap]?.input ?? -1;
      left.set(input, (left.get(input) ?? 0) + all - done);
    }
    return left;
  }

  /** Judges the frames of a batch that belong to suspect legs. `packets` is undefined for printed captures. */
  add(frames: FrameBatch, packets: PacketBatch | undefined): void {
    this.r.find(frames);
    const { row } = this.r.legs;
    for (let i = 0; i < frames.count; i++) {
      const leg = row[i] ?? -1;
      const suspect = this.suspects.get(leg);
      if (!suspect) {
        this.trace.add(packets, frames, i, leg, 'delivered');
        continue;
      }
      const seen = seenFrame(suspect.view, frames, i);
      const ruling = this.judge(suspect, seen);
      const traced = this.trace.add(packets, frames, i, leg, verdictOf(ruling));
      if (traced && this.nextHops.legs.has(leg)) this.deferred.push({ suspect, seen, ruling, traced });
      else this.settle(suspect, seen, ruling);
    }
  }

  /** Settles what could not be judged before all captures were read again. */
  finish(flowOfLeg: ReadonlyMap<number, AffectedFlow>): void {
    const overruled = this.nextHops.judge(this.trace, flowOfLeg);
    for (const { suspect, seen, ruling, traced } of this.deferred) {
      // A plain wrong MAC is wrong whatever the way was.
      const isPlain = ruling.verdict === 'misdelivered' && ruling.class === undefined;
      const found = isPlain ? ruling : (overruled.get(traced) ?? ruling);
      traced.verdict = verdictOf(found);
      this.settle(suspect, seen, found);
    }
    if (this.deferred.length > 0) for (const bucket of this.misdelivered.values()) putInOrder(bucket);
  }

  /** What may have gone wrong as well, just before the first frame of a bucket. */
  doubtsOf({ view, mac, class: kind, since, began }: MisdeliveredFrames): DoubtfulFrames | undefined {
    const found = since === undefined ? undefined : this.doubtful.get(bucketKey(view, mac, kind))?.get(since);
    return found && found.frame < began ? found : undefined;
  }

  private judge(suspect: Suspect, seen: SeenFrame): Ruling {
    let stretches = suspect.stretches.get(seen.mac);
    if (!stretches) {
      stretches = this.verdicts.stretches(suspect.view, seen.mac);
      suspect.stretches.set(seen.mac, stretches);
    }
    const said = stretches[stretchAt(stretches, seen.time)]?.ruling ?? notJudged('no-time');
    if (this.isBefore(suspect.view, seen.frame, said)) return DELIVERED;
    return this.verdicts.settled(suspect.view, seen.mac, said);
  }

  /** Counts a frame by its ruling, and keeps what there is to tell of it. */
  private settle(suspect: Suspect, seen: SeenFrame, ruling: Ruling): void {
    if (ruling.doubt) this.noteDoubt(suspect.view, seen, ruling.doubt);
    extendRuns(suspect.runs, seen, ruling.doubt ? DELIVERED : ruling);
    if (ruling.verdict === 'misdelivered' || ruling.class) {
      const at = suspect.counted.find((one) => one.mac === seen.mac && one.ruling === ruling);
      const bucket = at?.bucket ?? this.bucket(suspect.view, seen.mac, ruling);
      if (!at) suspect.counted.push({ mac: seen.mac, ruling, bucket });
      if (!(bucket.began <= seen.frame)) Object.assign(bucket, { began: seen.frame, since: ruling.since });
      this.note(bucket, seen, suspect.view.leg);
    }
    if (ruling.verdict !== 'misdelivered') this.verdicts.count(suspect.view, ruling, 1);
  }

  /** Whether the frame stands before the witnesses of the take-over in its own capture, whatever its time says. */
  private isBefore(view: LegView, frame: number, ruling: Ruling): boolean {
    if (!ruling.after) return false;
    const input = this.inputName(this.r.taps.all[view.tap]?.input ?? -1);
    return ruling.after.some((origin) => origin.input === input && origin.frame !== undefined && frame < origin.frame);
  }

  private bucket(view: LegView, mac: Mac, ruling: Ruling): MisdeliveredFrames {
    const key = bucketKey(view, mac, ruling.class);
    let bucket = this.misdelivered.get(key);
    if (!bucket) {
      bucket = {
        view,
        mac,
        class: ruling.class,
        fault: ruling.fault,
        expected: new Set(),
        because: new Map(),
        frames: 0,
        ranges: [],
        first: NaN,
        last: NaN,
        legs: new Set(),
        evidence: [],
        began: NaN,
        since: undefined,
      };
      this.misdelivered.set(key, bucket);
    }
    for (const expected of ruling.expected) bucket.expected.add(expected);
    for (const witness of ruling.because) bucket.because.set(JSON.stringify(witness), witness);
    return bucket;
  }

  private noteDoubt(view: LegView, { mac, frame, time }: SeenFrame, { until, class: kind, heard }: Doubt): void {
    const key = bucketKey(view, mac, kind);
    const times = this.doubtful.get(key) ?? new Map<number, DoubtfulFrames>();
    this.doubtful.set(key, times);
    const known = times.get(until);
    if (!known) times.set(until, { frame, time, frames: 1, heard });
    else {
      known.frames++;
      if (frame < known.frame) Object.assign(known, { frame, time });
    }
  }

  private note(bucket: MisdeliveredFrames, seen: SeenFrame, leg: number): void {
    bucket.frames++;
    bucket.legs.add(leg);
    if (bucket.ranges.at(-1) === seen.frame - 1) bucket.ranges[bucket.ranges.length - 1] = seen.frame;
    else bucket.ranges.push(seen.frame, seen.frame);
    if (!(bucket.first <= seen.time)) bucket.first = seen.time;
    if (!(bucket.last >= seen.time)) bucket.last = seen.time;
    if (bucket.evidence.length > EVIDENCE_HEAD) bucket.evidence.pop();
    bucket.evidence.push(seen);
  }
}

function bucketKey(view: LegView, mac: Mac, kind: MisdeliveryClass | undefined): string {
  return `${view.tap} ${view.transmitter} ${view.dstIp} ${mac} ${kind ?? ''}`;
}

/** Frames that were settled at the end belong between those that were settled at once. */
function putInOrder(bucket: MisdeliveredFrames): void {
  const { ranges, evidence } = bucket;
  const pairs: [number, number][] = [];
  for (let i = 0; i + 1 < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0]);
  if (pairs.every(([from], i) => i === 0 || from > (pairs[i - 1]?.[1] ?? 0) + 1)) return;
  pairs.sort((a, b) => a[0] - b[0]);
  ranges.length = 0;
  for (const [from, to] of pairs) {
    if (ranges.at(-1) === from - 1) ranges[ranges.length - 1] = to;
    else ranges.push(from, to);
  }
  evidence.sort((a, b) => a.frame - b.frame);
}

function seenFrame(view: LegView, frames: FrameBatch, i: number): SeenFrame {
  return {
    view,
    frame: frames.frame[i] ?? 0,
    time: frames.time[i] ?? NaN,
    mac: macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0),
    hopLimit: frames.hopLimit[i] ?? 0,
    length: frames.length[i] ?? 0,
  };
}

function verdictOf(ruling: Ruling): TracedFrame['verdict'] {
  return ruling.class === 'convergence' ? 'convergence' : ruling.verdict;
}

/** The stretch that holds at a time; -1 when the time is unknown and it matters. */
function stretchAt(stretches: readonly Stretch[], time: number): number {
  if (stretches.length === 1) return 0;
  if (Number.isNaN(time)) return -1;
  let at = 0;
  while (at + 1 < stretches.length && (stretches[at + 1]?.from ?? Infinity) <= time) at++;
  return at;
}

function extendRuns(runs: JudgedRun[], seen: SeenFrame, ruling: Ruling): void {
  const matches = (run: JudgedRun): boolean => run.mac === seen.mac && run.ruling === ruling;
  let run = runs.at(-1);
  if (!run || !matches(run)) {
    run = runs.length >= MAX_RUNS_PER_LEG ? runs.find(matches) : undefined;
    if (run) {
      run.folded = true;
    } else {
      runs.push({
        mac: seen.mac,
        ruling,
        frames: 1,
        bytes: seen.length,
        firstFrame: seen.frame,
        lastFrame: seen.frame,
        first: seen.time,
        last: seen.time,
        folded: false,
      });
      return;
    }
  }
  run.frames++;
  run.bytes += seen.length;
  run.lastFrame = seen.frame;
  run.last = seen.time;
}
