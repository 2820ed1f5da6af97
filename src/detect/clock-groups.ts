/**
 * Captures whose clocks are one, and how far the clocks of such groups are apart: by what they share (see
 * `shared-legs.ts`), and, where that leaves doubts, by the packets that both hold.
 */

import { constantShift, suggestedShift, type ClockEstimate, type ConstantShift } from './clock-offset.js';
import type { SharedLeg, Sharing, SharingPair } from './shared-legs.js';
import { agree } from './shared-legs.js';
import type { SharedPackets } from './shared-packets.js';

/** What to add to the times of a capture, in ns, so that they are those of another one's clock. */
export interface CaptureShift {
  readonly input: number;
  readonly shift: number;
  /** The capture that it was compared with. */
  readonly against: number;
  /** ns that its clock shows more than that one's. */
  readonly offset: number;
  readonly uncertainty: number;
  readonly pairs: number;
}

/** The clock of `input` may show `offset` ns more than that of `against`. */
export interface Suspicion extends ClockEstimate {
  readonly input: number;
  readonly against: number;
}

/** Pairs that are looked into for two groups, and legs that are followed for a pair. */
const MAX_PAIRS = 3;
const MAX_LEGS = 256;

export class ClockGroups {
  private readonly leader = new Map<number, number>();
  private readonly doubts: SharingPair[] = [];
  private readonly sharing: Sharing;
  private readonly frames: ReadonlyMap<number, number>;

  /** @param frames per input */
  constructor(sharing: Sharing, frames: ReadonlyMap<number, number>) {
    this.sharing = sharing;
    this.frames = frames;
    for (const pair of sharing.pairs) if (agree(pair)) this.join(pair.a, pair.b);
    const pairs = sharing.pairs.toSorted((x, y) => y.frames - x.frames || x.a - y.a || x.b - y.b);
    const taken = new Map<string, number>();
    for (const pair of pairs) {
      const groups = [this.of(pair.a), this.of(pair.b)].sort((x, y) => x - y).join(' ');
      const known = taken.get(groups) ?? 0;
      if (this.of(pair.a) === this.of(pair.b) || known >= MAX_PAIRS) continue;
      taken.set(groups, known + 1);
      this.doubts.push(pair);
    }
  }

  /** The legs whose packets would tell whether clocks differ; none when nothing is in doubt. */
  inDoubt(): Map<string, SharedLeg[]> {
    const wanted = new Map<string, SharedLeg[]>();
    for (const { a, b, keys } of this.doubts) {
      const legs = keys.map((key) => {
        const seen = (this.sharing.legs.get(key) ?? []).filter(({ input }) => input === a || input === b);
        return { key, seen, frames: Math.min(...seen.map(({ frames }) => frames)) };
      });
      legs.sort((x, y) => y.frames - x.frames || (x.key < y.key ? -1 : 1));
      for (const { key, seen } of legs.slice(0, MAX_LEGS)) {
        const known = wanted.get(key) ?? [];
        wanted.set(key, [...known, ...seen.filter(({ leg }) => known.every((other) => other.leg !== leg))]);
      }
    }
    return wanted;
  }

  /**
   * The captures of which the clock is wrong: of two groups whose clocks differ, those of the one that logs agree with
   * less, else of the smaller one.
   * @param agreements what logs and captures agree on, a number by capture
   */
  shifts(packets: SharedPackets, agreements: ReadonlyMap<number, number>): CaptureShift[] {
    const edges: { a: number; b: number; found: ConstantShift }[] = [];
    for (const { a, b } of this.doubts) {
      const found = constantShift(packets.samples(a, b));
      if (found?.isClear && packets.sawTheSame(a, b, found.offset)) edges.push({ a, b, found });
      else if (found?.isOne) this.join(a, b);
    }
    const shifts: CaptureShift[] = [];
    const settled = new Set<number>();
    for (const root of this.inOrder(agreements)) {
      if (settled.has(root)) continue;
      settled.add(root);
      const moved = new Map([[root, 0]]);
      for (const queue = [root]; queue.length > 0;) {
        const from = queue.shift() ?? root;
        for (const [to, along] of this.neighbors(from, edges)) {
          if (settled.has(to)) continue;
          settled.add(to);
          const [first] = along;
          // Two pairs of captures that tell different things: nothing is beyond doubt.
          if (!first || along.some(({ offset }) => Math.abs(offset - first.offset) > SAME)) continue;
          const shift = (moved.get(from) ?? 0) - first.offset;
          moved.set(to, shift);
          queue.push(to);
          // There and back again: it may have been found by way of a capture whose clock is wrong.
          if (Math.abs(shift) <= SAME) continue;
          for (const input of this.members(to)) shifts.push({ ...first, input, shift });
        }
      }
    }
    return shifts.sort((x, y) => x.input - y.input);
  }

  /**
   * Captures whose clocks may be apart, though nothing is beyond doubt; those with the most packets of two groups.
   * @param moved inputs of which more is known
   */
  suspicions(packets: SharedPackets, moved: ReadonlySet<number>): Suspicion[] {
    const found = new Map<string, Suspicion>();
    for (const { a, b } of this.doubts) {
      if (
        this.of(a) === this.of(b) ||
        this.members(a)
          .concat(this.members(b))
          .some((input) => moved.has(input))
      )
        continue;
      const samples = packets.samples(a, b);
      const suggested = constantShift(samples)?.isClear ? undefined : suggestedShift(samples);
      const shift = suggested && packets.sawTheSame(a, b, suggested.offset) ? suggested : undefined;
      const groups = [this.of(a), this.of(b)].sort((x, y) => x - y).join(' ');
      if (!shift || (found.get(groups)?.pairs ?? 0) >= shift.pairs) continue;
      // The smaller group is the one to look at.
      const isB = this.members(b).length <= this.members(a).length;
      const [input, against] = isB ? [b, a] : [a, b];
      found.set(groups, { ...shift, input, against, offset: isB ? shift.offset : -shift.offset });
    }
    return [...found.values()].sort((x, y) => x.input - y.input || x.against - y.against);
  }

  /** The inputs whose clock is that of this one. */
  members(input: number): number[] {
    return [...this.frames.keys()].filter((other) => this.of(other) === this.of(input)).sort((a, b) => a - b);
  }

  /** The groups, the one whose clock is most likely right first. */
  private inOrder(agreements: ReadonlyMap<number, number>): number[] {
    const leaders = [...new Set([...this.frames.keys()].map((input) => this.of(input)))];
    return leaders
      .map((leader) => {
        const members = this.members(leader);
        const sum = (of: ReadonlyMap<number, number>): number => members.reduce((all, m) => all + (of.get(m) ?? 0), 0);
        return { leader, agreed: sum(agreements), size: members.length, frames: sum(this.frames) };
      })
      .sort((x, y) => y.agreed - x.agreed || y.size - x.size || y.frames - x.frames || x.leader - y.leader)
      .map(({ leader }) => leader);
  }

  /** Groups next to one, and what says how far their clocks are ahead of its clock. */
  private neighbors(
    from: number,
    edges: readonly { a: number; b: number; found: ConstantShift }[],
  ): Map<number, Omit<CaptureShift, 'input' | 'shift'>[]> {
    const next = new Map<number, Omit<CaptureShift, 'input' | 'shift'>[]>();
    for (const { a, b, found } of edges) {
      const { offset, uncertainty, pairs } = found;
      const [groupA, groupB] = [this.of(a), this.of(b)];
      if (groupA === groupB || (groupA !== from && groupB !== from)) continue;
      const [to, against, ahead] = groupA === from ? [groupB, a, offset] : [groupA, b, -offset];
      const known = next.get(to) ?? [];
      next.set(to, [...known, { against, offset: ahead, uncertainty, pairs }]);
    }
    return next;
  }

  private of(input: number): number {
    const leader = this.leader.get(input) ?? input;
    return leader === input ? input : this.of(leader);
  }

  private join(a: number, b: number): void {
    const [low, high] = [this.of(a), this.of(b)].sort((x, y) => x - y);
    if (low !== undefined && high !== undefined && low !== high) this.leader.set(high, low);
  }
}

/** Two pairs of captures of the same clocks tell the same to within this, ns. */
const SAME = 2e7;
