/**
 * Turned flows: those of which some MAC handed packets back to the MAC that it got them from, as a gateway on the LAN
 * does that passes them through, and as a loop does. Found in the flow table; which of the two it is, the second reading
 * tells.
 */

import { macFromWords } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { runsOfLeg } from './legs.js';
import { macPairsOf, Many, Pair, PAIR_WORDS, type MacPairs } from './mac-pairs.js';

/** At most this many flow directions are looked at more closely. */
const MAX_TURNED = 5000;

/**
 * The legs of turned flow directions, on all taps: a list for each direction. Those whose legs all have equally many
 * frames are left out: every packet of them went the same way.
 */
export function turnedFlows(r: Reconstruction): number[][] {
  const directions = new Directions(r);
  const wanted = new Set<number>();
  const passed = new PassedOn(r);
  for (const leg of passed.legs()) {
    if (wanted.size >= MAX_TURNED) break;
    if (isTurned(r, leg)) wanted.add(directions.of(leg));
  }
  if (wanted.size === 0) return [];
  const legs = new Map<number, number[]>([...wanted].map((direction) => [direction, []]));
  for (let leg = 0; leg < r.legs.count; leg++) legs.get(directions.of(leg))?.push(leg);
  return [...legs.values()].filter((all) => new Set(all.map((leg) => framesOf(r, leg))).size > 1);
}

/** Bits of a filter over who passes on packets for which address on which tap. */
const FILTER_BITS = 1 << 23;

/**
 * Which legs may have been handed back. Nearly all need no closer look: the MAC that they went to passes nothing on to
 * the one that they came from, or nothing for the same address.
 */
class PassedOn {
  private readonly words: Int32Array;
  private readonly pairs: MacPairs;
  private readonly ways: Ways;
  private readonly filter: Uint8Array;

  constructor(r: Reconstruction) {
    this.words = r.legs.words;
    this.pairs = macPairsOf(r);
    this.ways = waysOf(r, this.pairs);
    this.filter = this.filterOf();
  }

  /** The legs to look at more closely, in order. */
  *legs(): Iterable<number> {
    const { words, filter, pairs } = this;
    const { isReturned } = this.ways;
    const wanted = Uint8Array.from(isReturned);
    for (const leg of pairs.changing) wanted[pairs.of[leg] ?? 0] = 1;
    for (const leg of pairs.legsOf(wanted)) {
      const w = leg * LEG_WORDS;
      const bit = bitOf(words[w + Leg.META] ?? 0, words[w + Leg.DST_IP] ?? 0, words[w + Leg.DST_MAC_LOW] ?? 0);
      const isPassed = ((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0 && isReturned[pairs.of[leg] ?? 0] !== 0;
      if (isPassed || (words[w + Leg.CLOSED] ?? -1) >= 0) yield leg;
    }
  }

  private filterOf(): Uint8Array {
    const filter = new Uint8Array(FILTER_BITS / 8);
    const { words } = this;
    for (const leg of this.pairs.legsOf(this.ways.isBack)) {
      const w = leg * LEG_WORDS;
      const bit = bitOf(words[w + Leg.META] ?? 0, words[w + Leg.DST_IP] ?? 0, words[w + Leg.SRC_MAC_LOW] ?? 0);
      filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
    }
    return filter;
  }
}

/** By pair: whether its packets may have come back by the pair the other way, and whether it may be that one. */
interface Ways {
  readonly isReturned: Uint8Array;
  readonly isBack: Uint8Array;
}

function waysOf(r: Reconstruction, pairs: MacPairs): Ways {
  const ways = waysBack(pairs);
  const changing = changingWays(r, pairs);
  const isReturned = new Uint8Array(pairs.count);
  const isBack = new Uint8Array(pairs.count);
  for (const leg of pairs.changing) isBack[pairs.of[leg] ?? 0] = 1;
  const { words } = pairs;
  for (let pair = 0, p = 0; pair < pairs.count; pair++, p += PAIR_WORDS) {
    const high = words[p + Pair.MACS_HIGH] ?? 0;
    if (high & GROUP_BIT) continue;
    const kind = (words[p + Pair.META] ?? 0) & ~LegBit.INITIAL_HOP_LIMIT;
    const low = words[p + Pair.SRC_MAC_LOW] ?? 0;
    const other = words[p + Pair.DST_MAC_LOW] ?? 0;
    if (changing.count > 0 && changing.find(kind, low, high, other) >= 0) isReturned[pair] = 1;
    const back = ways.pairs[ways.table.find(kind, low, high, other)];
    if (back === undefined || !mayShare(pairs, pair, back)) continue;
    isReturned[pair] = 1;
    isBack[back] = 1;
  }
  return { isReturned, isBack };
}

/** Pairs that pass packets on, by the words of the pair the other way. */
function waysBack(pairs: MacPairs): { table: WordTable; pairs: number[] } {
  const ways = { table: new WordTable(), pairs: new Array<number>() };
  const { words } = pairs;
  for (let pair = 0, p = 0; pair < pairs.count; pair++, p += PAIR_WORDS) {
    if (pairs.isInitial(pair)) continue;
    const high = words[p + Pair.MACS_HIGH] ?? 0;
    const turned = (high << 16) | (high >>> 16);
    const meta = words[p + Pair.META] ?? 0;
    ways.table.intern(meta, words[p + Pair.DST_MAC_LOW] ?? 0, turned, words[p + Pair.SRC_MAC_LOW] ?? 0);
    ways.pairs.push(pair);
  }
  return ways;
}

/** The same for all MACs that legs with several of them went to. */
function changingWays(r: Reconstruction, pairs: MacPairs): WordTable {
  const ways = new WordTable();
  for (const leg of pairs.changing) {
    const pair = pairs.of[leg] ?? 0;
    if (pairs.isInitial(pair)) continue;
    const meta = pairs.words[pair * PAIR_WORDS + Pair.META] ?? 0;
    const from = pairs.from(pair);
    for (const { mac } of runsOfLeg(r, leg)) {
      const high = (Math.floor(mac / 0x1_0000_0000) << 16) | Math.floor(from / 0x1_0000_0000);
      ways.intern(meta, mac | 0, high, from | 0);
    }
  }
  return ways;
}

/**
 * Whether packets of two pairs may be of one flow direction. A host that sends from one address only, and gets packets
 * for the same one, is sent nothing of what it made.
 */
function mayShare(pairs: MacPairs, there: number, back: number): boolean {
  if (pairs.hasLoops) return true;
  const many = pairs.many(there);
  const manyBack = pairs.many(back);
  const isOwnSource = !(many & Many.SOURCES) && !(manyBack & Many.DESTINATIONS);
  if (isOwnSource && pairs.source(there) === pairs.destination(back)) return false;
  const isOwnDestination = !(many & Many.DESTINATIONS) && !(manyBack & Many.SOURCES);
  return !(isOwnDestination && pairs.destination(there) === pairs.source(back));
}

function bitOf(meta: number, dstIp: number, macLow: number): number {
  const h = Math.imul(dstIp ^ (meta >>> 16), 0x9e3779b1) ^ Math.imul(macLow, 0x85ebca6b);
  return (h ^ (h >>> 15)) & (FILTER_BITS - 1);
}

/** Whether the MAC that the leg's frames went to sent them back. What was made by its sender is left to the other leg of the two. */
function isTurned(r: Reconstruction, leg: number): boolean {
  const { legs } = r;
  const w = leg * LEG_WORDS;
  const macs = legs.words[w + Leg.MACS_HIGH] ?? 0;
  const low = legs.words[w + Leg.DST_MAC_LOW] ?? 0;
  if (macs & GROUP_BIT) return false;
  const sender = macFromWords(macs >>> 16, legs.words[w + Leg.SRC_MAC_LOW] ?? 0);
  const goesBack = (back: number): boolean =>
    back >= 0 && back !== leg && runsOfLeg(r, back).some((run) => run.mac === sender && !run.mixed);
  if (goesBack(legs.passedOnBy(leg, macs, low))) return true;
  if ((legs.words[w + Leg.CLOSED] ?? -1) < 0) return false;
  return runsOfLeg(r, leg).some(
    (run) => !run.mixed && goesBack(legs.passedOnBy(leg, Math.floor(run.mac / 0x1_0000_0000), run.mac | 0)),
  );
}

/** The group bit of the upper half of a destination MAC. */
const GROUP_BIT = 0x100;

function framesOf(r: Reconstruction, leg: number): number {
  return runsOfLeg(r, leg).reduce((sum, run) => sum + run.frames, 0);
}

/** Numbers flow directions: addresses, ports and protocol, on whatever tap. */
class Directions {
  private readonly r: Reconstruction;
  private readonly table = new WordTable();

  constructor(r: Reconstruction) {
    this.r = r;
  }

  of(leg: number): number {
    const { words } = this.r.legs;
    const w = leg * LEG_WORDS;
    const meta = words[w + Leg.META] ?? 0;
    const kind = meta & (0xff00 | LegBit.IPV6 | LegBit.LATER_FRAGMENT);
    return this.table.intern(words[w + Leg.SRC_IP] ?? 0, words[w + Leg.DST_IP] ?? 0, words[w + Leg.PORTS] ?? 0, kind);
  }
}
