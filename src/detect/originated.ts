/**
 * Frames that an on-link address itself made say who has it: the sender's hop limit is an initial value, and the sender
 * is not known to pass on what others made.
 */

import { ipFromWord, type Ip, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import type { Origin } from '../model.js';
import { Leg, LEG_DOUBLES, LEG_WORDS, LegBit, LegTime } from '../reconstruct/leg-layout.js';
import { Closed, CLOSED_DOUBLES, CLOSED_WORDS, ClosedDouble } from '../reconstruct/mapping-log.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { macPairsOf, Many, type MacPairs } from './mac-pairs.js';
import type { Testimony } from './ownership.js';
import type { Testimonies } from './testimonies.js';

/** Addresses of networks, and what is known of them. */
export interface AddressBook {
  /** What was said of an address of the network; undefined for one that is not known to be of it. */
  find(network: number, ip: Ip): Testimonies | undefined;
  /** Takes an address that only its own packets speak of. */
  keep(testimonies: Testimonies): void;
}

/**
 * What senders made themselves, by pair of MACs and source address. Each of these is known by its first leg, its maker;
 * nearly always, a pair has one source.
 */
export class Originated {
  private readonly r: Reconstruction;
  private readonly pairs: MacPairs;
  private readonly originOf: (tap: number, frame: number) => Origin;
  private readonly makers: Int32Array;
  /** For pairs of several sources: after each leg the next one of its source, 0 at the end. */
  private chain: Int32Array | undefined;

  constructor(r: Reconstruction, originOf: (tap: number, frame: number) => Origin) {
    this.r = r;
    this.pairs = macPairsOf(r);
    this.originOf = originOf;
    const makers: number[] = [];
    const isMixed = new Uint8Array(this.pairs.count);
    for (let pair = 0; pair < this.pairs.count; pair++) {
      if (!this.pairs.isInitial(pair)) continue;
      if (this.hasManySources(pair)) isMixed[pair] = 1;
      else makers.push(this.pairs.firstLeg(pair));
    }
    if (isMixed.includes(1)) this.divide(isMixed, makers);
    this.makers = Int32Array.from(makers).sort();
  }

  /** Adds to the testimonies of each address the makers that speak for it. */
  addTo(book: AddressBook, networkOf: Int32Array, routers: ReadonlySet<Mac>): void {
    const { words } = this.r.legs;
    const table = new WordTable();
    const sources: (Testimonies | undefined)[] = [];
    for (const leg of this.makers) {
      const meta = words[leg * LEG_WORDS + Leg.META] ?? 0;
      const word = words[leg * LEG_WORDS + Leg.SRC_IP] ?? 0;
      const network = networkOf[meta >>> 16] ?? 0;
      const number = table.intern(network, meta & LegBit.IPV6, word, 0);
      if (number === sources.length) {
        const ip = ipFromWord(word, meta & LegBit.IPV6 ? 6 : 4);
        sources.push(ip === 0 ? undefined : book.find(network, ip));
      }
      const source = sources[number];
      if (!source) continue;
      const mac = this.pairs.from(this.pairs.of[leg] ?? 0);
      if (!source.isClaimedBy(mac) && routers.has(mac)) continue;
      if (source.makerCount === 0) book.keep(source);
      source.addMaker(leg, mac, !Number.isNaN(this.r.legs.doubles[leg * LEG_DOUBLES + LegTime.FIRST]));
    }
  }

  /** What the legs of makers say of the address that they are from, in order. */
  testimonies(makers: readonly number[]): Testimony[] {
    const legs: number[] = [];
    for (const maker of makers) {
      const pair = this.pairs.of[maker] ?? 0;
      if (!this.hasManySources(pair)) for (const leg of this.pairs.legsOfPair(pair)) legs.push(leg);
      else this.follow(maker, legs);
    }
    const said: OwnWord[] = [];
    for (const leg of legs.sort((a, b) => a - b)) this.note(leg, said);
    return said;
  }

  private follow(maker: number, legs: number[]): void {
    legs.push(maker);
    for (let leg = this.chain?.[maker] ?? 0; leg !== 0; leg = this.chain?.[leg] ?? 0) legs.push(leg);
  }

  private hasManySources(pair: number): boolean {
    return (this.pairs.many(pair) & Many.SOURCES) !== 0;
  }

  /** Chains the legs of pairs by source, and adds the first one of each chain to the makers. */
  private divide(isMixed: Uint8Array, makers: number[]): void {
    const { words, count } = this.r.legs;
    const table = new WordTable();
    const last: number[] = [];
    const chain = new Int32Array(count);
    for (const leg of this.pairs.legsOf(isMixed)) {
      const number = table.intern(this.pairs.of[leg] ?? 0, words[leg * LEG_WORDS + Leg.SRC_IP] ?? 0, 0, 0);
      if (number === last.length) makers.push(leg);
      else chain[last[number] ?? 0] = leg;
      last[number] = leg;
    }
    this.chain = chain;
  }

  /** Adds a testimony, or widens the one before it when they overlap: a busy host has many flows at a time. */
  private note(leg: number, said: OwnWord[]): void {
    const mac = this.pairs.from(this.pairs.of[leg] ?? 0);
    const { first, last, firstFrame } = spanOf(this.r, leg);
    const before = said.at(-1);
    const overlaps = before?.mac === mac && first <= before.last && before.first <= last;
    if (overlaps && last > before.last) before.last = last;
    if (overlaps && first >= before.first) return;
    const origin = this.originOf((this.r.legs.words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16, firstFrame);
    if (overlaps) Object.assign(before, { first, origin });
    else said.push({ mac, first, last, kind: 'originated', origin });
  }
}

/** A testimony that may still be widened. */
interface OwnWord {
  readonly mac: Mac;
  readonly kind: 'originated';
  first: number;
  last: number;
  origin: Origin;
}

/** First and last time of all frames of a leg. */
function spanOf(r: Reconstruction, leg: number): { first: number; last: number; firstFrame: number } {
  const { words, doubles, closed } = r.legs;
  let first = doubles[leg * LEG_DOUBLES + LegTime.FIRST] ?? NaN;
  let firstFrame = words[leg * LEG_WORDS + Leg.FIRST_FRAME] ?? 0;
  const last = doubles[leg * LEG_DOUBLES + LegTime.LAST] ?? NaN;
  for (let entry = words[leg * LEG_WORDS + Leg.CLOSED] ?? -1; entry >= 0;) {
    first = closed.doubles[entry * CLOSED_DOUBLES + ClosedDouble.FIRST] ?? first;
    firstFrame = closed.words[entry * CLOSED_WORDS + Closed.FIRST_FRAME] ?? firstFrame;
    entry = closed.words[entry * CLOSED_WORDS + Closed.OLDER] ?? -1;
  }
  return { first, last, firstFrame };
}
