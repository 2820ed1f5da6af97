/** What transmitters did, from the flow table, for the addresses that anybody asks about. */

import { ipFromWord, isIpv6, type Ip, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { Leg, LEG_DOUBLES, LEG_WORDS, LegBit, LegTime } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Destinations } from './destinations.js';
import type { OwnFrame } from './learning.js';
import { runsOfLeg, viewLeg } from './legs.js';
import { macPairsOf } from './mac-pairs.js';

/** What the judge asks of the flow table. */
export interface Conduct {
  /** First frame of the transmitter to each MAC for the address, in this network. */
  ownFrames(network: number, transmitter: Mac, ip: Ip): readonly OwnFrame[];
  /** The source addresses of packets that a MAC made itself, by their hop limit, in this network; and when it last did. */
  spokenFor(network: number, mac: Mac): ReadonlyMap<Ip, number>;
}

export class LegConduct implements Conduct {
  private readonly r: Reconstruction;
  private readonly networkOf: Int32Array;
  private readonly destinations: Destinations;
  /** Rows of destination and transmitter. */
  private readonly pairs = new WordTable();
  /** First leg of each pair, and the next one of each leg: -1 at the end. */
  private readonly first: number[] = [];
  private next: Int32Array | undefined;
  private readonly known = new Map<number, readonly OwnFrame[]>();

  constructor(r: Reconstruction, networkOf: Int32Array, destinations: Destinations) {
    this.r = r;
    this.networkOf = networkOf;
    this.destinations = destinations;
  }

  ownFrames(network: number, transmitter: Mac, ip: Ip): readonly OwnFrame[] {
    const next = (this.next ??= this.chain());
    const destination = this.destinations.of(network, ip | 0, isIpv6(ip) ? 6 : 4);
    const pair = this.pair(destination.number, Math.floor(transmitter / 0x1_0000_0000), transmitter | 0);
    let found = this.known.get(pair);
    if (!found) {
      found = this.framesOf(pair, next);
      this.known.set(pair, found);
    }
    return found;
  }

  spokenFor(network: number, mac: Mac): ReadonlyMap<Ip, number> {
    const { words, doubles } = this.r.legs;
    const pairs = macPairsOf(this.r);
    const times = new Map<Ip, number>();
    for (const pair of pairs.sentBy(mac)) {
      if (!pairs.isInitial(pair) || this.networkOf[pairs.tap(pair)] !== network) continue;
      for (const leg of pairs.legsOfPair(pair)) {
        const version = (words[leg * LEG_WORDS + Leg.META] ?? 0) & LegBit.IPV6 ? 6 : 4;
        const source = ipFromWord(words[leg * LEG_WORDS + Leg.SRC_IP] ?? 0, version);
        const last = doubles[leg * LEG_DOUBLES + LegTime.LAST] ?? NaN;
        if (!((times.get(source) ?? -Infinity) >= last)) times.set(source, last);
      }
    }
    return times;
  }

  private pair(destination: number, macHigh: number, macLow: number): number {
    return this.pairs.intern(destination, macHigh, macLow, 0);
  }

  /** First frames of every run of a pair's legs. */
  private framesOf(pair: number, next: Int32Array): OwnFrame[] {
    const list: OwnFrame[] = [];
    for (let leg = this.first[pair] ?? -1; leg >= 0; leg = next[leg] ?? -1) {
      const { tap } = viewLeg(this.r, leg);
      for (const run of runsOfLeg(this.r, leg)) {
        if (!run.mixed) list.push({ dstMac: run.mac, time: run.first, tap, frame: run.firstFrame });
      }
    }
    return list;
  }

  /** Chains the legs of each pair, in order, of destinations that somebody was seen to own. */
  private chain(): Int32Array {
    const { words, count } = this.r.legs;
    const next = new Int32Array(count).fill(-1);
    for (let leg = count - 1; leg >= 0; leg--) {
      const destination = this.destinations.ofLeg(leg);
      if (!destination.ownership) continue;
      const w = leg * LEG_WORDS;
      const pair = this.pair(
        destination.number,
        (words[w + Leg.MACS_HIGH] ?? 0) >>> 16,
        words[w + Leg.SRC_MAC_LOW] ?? 0,
      );
      next[leg] = this.first[pair] ?? -1;
      this.first[pair] = leg;
    }
    return next;
  }
}
