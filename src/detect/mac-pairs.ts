/**
 * Legs by the pair of MACs that they go between. A capture of many flows has few of these: what depends on MACs alone is
 * asked once for each pair, and a walk over the flow table passes by the legs of pairs that it does not want.
 */

import { macFromWords, type Mac } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import { LOOPS, PAIR_LIST, PAIR_ROWS, PAIR_TABLE, PAIRS, PLACE_ROWS } from '../bytes/core-layout.js';
import { RecordList } from '../bytes/record-list.js';
import { WordTable } from '../bytes/word-table.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { LegTable } from '../reconstruct/leg-table.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import * as At from './pair-layout.js';

/** A pair is of one tap, one IP family, and one class of hop limit. */
const KEY_BITS = 0xffff_0000 | LegBit.IPV6 | LegBit.INITIAL_HOP_LIMIT;

/** Words of a pair's key; both of `MACS_HIGH` as in a leg. */
export const Pair = { META: 0, SRC_MAC_LOW: 1, MACS_HIGH: 2, DST_MAC_LOW: 3 } as const;
export const PAIR_WORDS = 4;

/** Whether the legs of a pair have several source or destination addresses. */
export const Many = { SOURCES: 1, DESTINATIONS: 2 } as const;

/** A walk over the flow table is quicker than putting this part of the legs in order. */
const SPARSE = 16;

export class MacPairs {
  /** Pair of each leg, by its sender and the MAC of its open mapping. */
  readonly of: Int32Array;
  /** Legs with closed mappings, in order: those that went to several MACs. */
  readonly changing: number[] = [];
  /** Whether any leg is of packets that went to their own source address. */
  hasLoops = false;
  private readonly table: WordTable;
  private readonly sums: RecordList;
  /** After each leg the next one of its pair. */
  private readonly next: Int32Array;
  private bySender: ReadonlyMap<Mac, readonly number[]> | undefined;

  /** Where the legs lie in the core, it puts them together. */
  constructor({ legs, core }: Reconstruction) {
    const { count } = legs;
    const room = legs.isInCore ? core?.roomBehindRecords(legs.words.length, count * 2) : undefined;
    const inside = room && core;
    this.of = room?.subarray(0, count) ?? new Int32Array(count);
    this.next = room?.subarray(count) ?? new Int32Array(count);
    this.table = new WordTable(inside?.tableRoom(PAIR_TABLE, PAIR_ROWS, PAIRS));
    this.sums = new RecordList(At.SUM_WORDS, inside?.listRoom(PAIR_LIST, PAIRS, PLACE_ROWS));
    if (inside) this.addInCore(inside, legs);
    else this.add(legs.words, 0, count);
    if (legs.closed.count > 0) this.findChanging(legs);
  }

  private addInCore(core: Core, { words, count }: LegTable): void {
    for (let leg = 0; leg < count; leg++) {
      leg = core.run.pairUp(leg, count, this.of.byteOffset, this.next.byteOffset);
      // What stops it is a table that has to grow.
      if (leg < count) this.add(words, leg, leg + 1);
    }
    if (core.words(LOOPS, 1)[0] !== 0) this.hasLoops = true;
  }

  private add(words: Int32Array, from: number, to: number): void {
    const { of, next, table } = this;
    for (let leg = from, w = from * LEG_WORDS; leg < to; leg++, w += LEG_WORDS) {
      const pair = table.intern(
        (words[w + Leg.META] ?? 0) & KEY_BITS,
        words[w + Leg.SRC_MAC_LOW] ?? 0,
        words[w + Leg.MACS_HIGH] ?? 0,
        words[w + Leg.DST_MAC_LOW] ?? 0,
      );
      of[leg] = pair;
      if (pair === this.sums.count) this.sums.add();
      const sums = this.sums.words;
      const s = pair * At.SUM_WORDS;
      const source = words[w + Leg.SRC_IP] ?? 0;
      const destination = words[w + Leg.DST_IP] ?? 0;
      if (sums[s + At.SUM_LEGS] === 0) {
        sums[s + At.SUM_FIRST] = leg;
        sums[s + At.SUM_SOURCE] = source;
        sums[s + At.SUM_DESTINATION] = destination;
      } else {
        next[sums[s + At.SUM_LAST] ?? 0] = leg;
        if (sums[s + At.SUM_SOURCE] !== source) sums[s + At.SUM_MANY] = (sums[s + At.SUM_MANY] ?? 0) | Many.SOURCES;
        if (sums[s + At.SUM_DESTINATION] !== destination)
          sums[s + At.SUM_MANY] = (sums[s + At.SUM_MANY] ?? 0) | Many.DESTINATIONS;
      }
      sums[s + At.SUM_LAST] = leg;
      sums[s + At.SUM_LEGS] = (sums[s + At.SUM_LEGS] ?? 0) + 1;
      sums[s + At.SUM_FRAMES] = (sums[s + At.SUM_FRAMES] ?? 0) + (words[w + Leg.FRAMES] ?? 0);
      if (source === destination) this.hasLoops = true;
    }
  }

  private findChanging({ words, count }: LegTable): void {
    for (let leg = 0; leg < count; leg++) if ((words[leg * LEG_WORDS + Leg.CLOSED] ?? -1) >= 0) this.changing.push(leg);
  }

  get count(): number {
    return this.table.count;
  }

  /** `PAIR_WORDS` words of each pair. */
  get words(): Int32Array {
    return this.table.words;
  }

  /** The legs of the pairs that are not 0 in `isWanted`, in order. */
  legsOf(isWanted: Uint8Array): Int32Array {
    let size = 0;
    for (let pair = 0; pair < this.count; pair++) if (isWanted[pair] !== 0) size += this.legCount(pair);
    const legs = new Int32Array(size);
    let at = 0;
    if (size > this.of.length / SPARSE) {
      for (let leg = 0; leg < this.of.length; leg++) if (isWanted[this.of[leg] ?? 0] !== 0) legs[at++] = leg;
      return legs;
    }
    for (let pair = 0; pair < this.count && at < size; pair++) {
      if (isWanted[pair] === 0) continue;
      let leg = this.firstLeg(pair);
      for (let left = this.legCount(pair); left > 0; left--) {
        legs[at++] = leg;
        leg = this.next[leg] ?? 0;
      }
    }
    return legs.sort();
  }

  firstLeg(pair: number): number {
    return this.sums.words[pair * At.SUM_WORDS + At.SUM_FIRST] ?? 0;
  }

  legCount(pair: number): number {
    return this.sums.words[pair * At.SUM_WORDS + At.SUM_LEGS] ?? 0;
  }

  /** Frames of the open mappings. */
  frames(pair: number): number {
    return this.sums.words[pair * At.SUM_WORDS + At.SUM_FRAMES] ?? 0;
  }

  /** Source address of the pair's first leg, as a word. */
  source(pair: number): number {
    return this.sums.words[pair * At.SUM_WORDS + At.SUM_SOURCE] ?? 0;
  }

  /** Destination address of the pair's first leg, as a word. */
  destination(pair: number): number {
    return this.sums.words[pair * At.SUM_WORDS + At.SUM_DESTINATION] ?? 0;
  }

  /** Bits of `Many`. */
  many(pair: number): number {
    return this.sums.words[pair * At.SUM_WORDS + At.SUM_MANY] ?? 0;
  }

  /** The legs of one pair, in order. */
  *legsOfPair(pair: number): Iterable<number> {
    let leg = this.firstLeg(pair);
    for (let left = this.legCount(pair); left > 0; left--) {
      yield leg;
      leg = this.next[leg] ?? 0;
    }
  }

  /** The pairs of a sender, on all taps. */
  sentBy(mac: Mac): readonly number[] {
    this.bySender ??= this.indexSenders();
    return this.bySender.get(mac) ?? [];
  }

  private indexSenders(): Map<Mac, number[]> {
    const bySender = new Map<Mac, number[]>();
    for (let pair = 0; pair < this.count; pair++) {
      const mac = this.from(pair);
      const own = bySender.get(mac);
      if (own) own.push(pair);
      else bySender.set(mac, [pair]);
    }
    return bySender;
  }

  tap(pair: number): number {
    return (this.words[pair * PAIR_WORDS + Pair.META] ?? 0) >>> 16;
  }

  /** Whether the sender made the packets itself, by their hop limit. */
  isInitial(pair: number): boolean {
    return ((this.words[pair * PAIR_WORDS + Pair.META] ?? 0) & LegBit.INITIAL_HOP_LIMIT) !== 0;
  }

  from(pair: number): Mac {
    const p = pair * PAIR_WORDS;
    return macFromWords((this.words[p + Pair.MACS_HIGH] ?? 0) >>> 16, this.words[p + Pair.SRC_MAC_LOW] ?? 0);
  }

  to(pair: number): Mac {
    const p = pair * PAIR_WORDS;
    return macFromWords(this.words[p + Pair.MACS_HIGH] ?? 0, this.words[p + Pair.DST_MAC_LOW] ?? 0);
  }
}

const memo = new WeakMap<Reconstruction, MacPairs>();

/** The pairs of a reconstruction that nothing is added to any more. */
export function macPairsOf(r: Reconstruction): MacPairs {
  let pairs = memo.get(r);
  if (pairs?.of.length !== r.legs.count) memo.set(r, (pairs = new MacPairs(r)));
  return pairs;
}
