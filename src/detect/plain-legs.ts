/**
 * Legs that need no thought: their frames went to the only MAC that ever had the address, or, where nobody is known to
 * have it, to a MAC that is right for any such address. Told by a look at a small table, without an object for each leg.
 */

import { isIpv6, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { macPairsOf, Many, Pair, PAIR_WORDS, type MacPairs } from './mac-pairs.js';
import type { Networks } from './networks.js';
import type { Ownership } from './ownership.js';

/** The group bit of the upper half of a destination MAC. */
const GROUP_BIT = 0x100;
/** Whether a pair's frames to addresses that nobody is known to have are right. */
const Way = { UNASKED: 0, OUT: 1, TO_JUDGE: 2 } as const;
/** An upper half that no MAC has. */
const NO_MAC = -1;

export class PlainLegs {
  private readonly words: Int32Array;
  private readonly pairs: MacPairs;
  private readonly networkOf: Int32Array;
  /** By pair: whether each of its legs must be judged. */
  private readonly isOdd: Uint8Array;
  private readonly isWayOut: (network: number, mac: Mac) => boolean;
  /** By pair, one of `Way`. */
  private readonly ways: Uint8Array;
  /** Rows of network, IP version and address that a witness spoke of, and the one MAC that had it. */
  private readonly owned = new WordTable();
  private readonly ownerHigh: Int32Array;
  private readonly ownerLow: Int32Array;

  /**
   * @param isConcerned whether frames to a MAC need more than a judge, whatever their address; undefined when none do
   * @param isWayOut whether frames to a MAC of a network are right where nobody is known to have their address
   */
  constructor(
    r: Reconstruction,
    networks: Networks,
    ownerships: ReadonlyMap<number, Ownership>,
    isConcerned: ((mac: Mac) => boolean) | undefined,
    isWayOut: (network: number, mac: Mac) => boolean,
  ) {
    this.words = r.legs.words;
    this.pairs = macPairsOf(r);
    this.networkOf = networks.of;
    this.isOdd = new Uint8Array(this.pairs.count);
    this.isWayOut = isWayOut;
    this.ways = new Uint8Array(this.pairs.count);
    for (let pair = 0; pair < this.pairs.count; pair++) {
      const high = this.pairs.words[pair * PAIR_WORDS + Pair.MACS_HIGH] ?? 0;
      const isZero = (high & 0xffff) === 0 && this.pairs.to(pair) === 0;
      if ((high & GROUP_BIT) !== 0 || isZero || isConcerned?.(this.pairs.to(pair))) this.isOdd[pair] = 1;
    }
    this.ownerHigh = new Int32Array(ownerships.size);
    this.ownerLow = new Int32Array(ownerships.size);
    for (const ownership of ownerships.values()) this.own(ownership);
  }

  private own({ network, ip, owner: mac }: Ownership): void {
    const at = this.owned.intern(network, isIpv6(ip) ? 6 : 4, ip | 0, 0);
    this.ownerHigh[at] = mac === undefined ? NO_MAC : Math.floor(mac / 0x1_0000_0000);
    this.ownerLow[at] = mac === undefined ? 0 : mac | 0;
  }

  /** Whether all legs of a pair are delivered, as they go to one address; `has` tells of the others one by one. */
  hasAll(pair: number): boolean {
    return (this.pairs.many(pair) & Many.DESTINATIONS) === 0 && this.has(this.pairs.firstLeg(pair));
  }

  /** Whether all frames of a leg are delivered; false when that takes thought. */
  has(leg: number): boolean {
    const { words } = this;
    const w = leg * LEG_WORDS;
    const pair = this.pairs.of[leg] ?? 0;
    if (this.isOdd[pair] !== 0 || (words[w + Leg.CLOSED] ?? -1) >= 0) return false;
    const meta = words[w + Leg.META] ?? 0;
    const network = this.networkOf[meta >>> 16] ?? 0;
    const owner = this.owned.find(network, meta & LegBit.IPV6 ? 6 : 4, words[w + Leg.DST_IP] ?? 0, 0);
    if (owner < 0) {
      const way = this.ways[pair] ?? Way.UNASKED;
      return (way === Way.UNASKED ? this.ask(pair, network) : way) === Way.OUT;
    }
    const macs = words[w + Leg.MACS_HIGH] ?? 0;
    return this.ownerLow[owner] === words[w + Leg.DST_MAC_LOW] && this.ownerHigh[owner] === (macs & 0xffff);
  }

  private ask(pair: number, network: number): number {
    const way = this.isWayOut(network, this.pairs.to(pair)) ? Way.OUT : Way.TO_JUDGE;
    this.ways[pair] = way;
    return way;
  }
}
