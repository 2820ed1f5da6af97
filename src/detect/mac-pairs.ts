/**
 * Legs by the pair of MACs that they go between. A capture of many flows has few of these: what depends on MACs alone is
 * asked once for each pair, and a walk over the flow table passes by the legs of pairs that it does not want.
 */

import { macFromWords, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';

/** A pair is of one tap, one IP family, and one class of hop limit. */
const KEY_BITS = 0xffff_0000 | LegBit.IPV6 | LegBit.INITIAL_HOP_LIMIT;

/** Words of a pair's key; both of `MACS_HIGH` as in a leg. */
export const Pair = { META: 0, SRC_MAC_LOW: 1, MACS_HIGH: 2, DST_MAC_LOW: 3 } as const;
export const PAIR_WORDS = 4;

/** Words of what a pair's legs are: the first and last one, how many, their frames, and the first one's addresses. */
const Sum = { FIRST: 0, LAST: 1, LEGS: 2, FRAMES: 3, SOURCE: 4, DESTINATION: 5, MANY: 6 } as const;
const SUM_WORDS = 8;

/** Whether the legs of a pair have several source or destination addresses. */
export const Many = { SOURCES: 1, DESTINATIONS: 2 } as const;

/** A walk over the flow table is quicker than putting this part of the legs in order. */
const SPARSE = 16;
const INITIAL_PAIRS = 256;

export class MacPairs {
  /** Pair of each leg, by its sender and the MAC of its open mapping. */
  readonly of: Int32Array;
  /** Legs with closed mappings, in order: those that went to several MACs. */
  readonly changing: number[] = [];
  /** Whether any leg is of packets that went to their own source address. */
  hasLoops = false;
  private readonly table = new WordTable();
  private sums = new Int32Array(INITIAL_PAIRS * SUM_WORDS);
  /** After each leg the next one of its pair. */
  private readonly next: Int32Array;
  private bySender: ReadonlyMap<Mac, readonly number[]> | undefined;

  constructor({ legs }: Reconstruction) {
    this.of = new Int32Array(legs.count);
    this.next = new Int32Array(legs.count);
    this.add(legs.words, legs.count);
  }

  private add(words: Int32Array, count: number): void {
    const { of, next, table, changing } = this;
    let { sums } = this;
    for (let leg = 0, w = 0; leg < count; leg++, w += LEG_WORDS) {
      const pair = table.intern(
        (words[w + Leg.META] ?? 0) & KEY_BITS,
        words[w + Leg.SRC_MAC_LOW] ?? 0,
        words[w + Leg.MACS_HIGH] ?? 0,
        words[w + Leg.DST_MAC_LOW] ?? 0,
      );
      of[leg] = pair;
      const s = pair * SUM_WORDS;
      if (s === sums.length) sums = this.grow();
      const source = words[w + Leg.SRC_IP] ?? 0;
      const destination = words[w + Leg.DST_IP] ?? 0;
      if (sums[s + Sum.LEGS] === 0) {
        sums[s + Sum.FIRST] = leg;
        sums[s + Sum.SOURCE] = source;
        sums[s + Sum.DESTINATION] = destination;
      } else {
        next[sums[s + Sum.LAST] ?? 0] = leg;
        if (sums[s + Sum.SOURCE] !== source) sums[s + Sum.MANY] = (sums[s + Sum.MANY] ?? 0) | Many.SOURCES;
        if (sums[s + Sum.DESTINATION] !== destination)
          sums[s + Sum.MANY] = (sums[s + Sum.MANY] ?? 0) | Many.DESTINATIONS;
      }
      sums[s + Sum.LAST] = leg;
      sums[s + Sum.LEGS] = (sums[s + Sum.LEGS] ?? 0) + 1;
      sums[s + Sum.FRAMES] = (sums[s + Sum.FRAMES] ?? 0) + (words[w + Leg.FRAMES] ?? 0);
      if (source === destination) this.hasLoops = true;
      if ((words[w + Leg.CLOSED] ?? -1) >= 0) changing.push(leg);
    }
  }

  private grow(): Int32Array<ArrayBuffer> {
    const sums = new Int32Array(this.sums.length * 2);
    sums.set(this.sums);
    this.sums = sums;
    return sums;
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
    return this.sums[pair * SUM_WORDS + Sum.FIRST] ?? 0;
  }

  legCount(pair: number): number {
    return this.sums[pair * SUM_WORDS + Sum.LEGS] ?? 0;
  }

  /** Frames of the open mappings. */
  frames(pair: number): number {
    return this.sums[pair * SUM_WORDS + Sum.FRAMES] ?? 0;
  }

  /** Source address of the pair's first leg, as a word. */
  source(pair: number): number {
    return this.sums[pair * SUM_WORDS + Sum.SOURCE] ?? 0;
  }

  /** Destination address of the pair's first leg, as a word. */
  destination(pair: number): number {
    return this.sums[pair * SUM_WORDS + Sum.DESTINATION] ?? 0;
  }

  /** Bits of `Many`. */
  many(pair: number): number {
    return this.sums[pair * SUM_WORDS + Sum.MANY] ?? 0;
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
