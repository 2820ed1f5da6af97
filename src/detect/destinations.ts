/** The destinations that legs have, numbered, with what the judge's short cuts need to know of each. */

import { ipFromWord, type Ip } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { addressKey } from '../reconstruct/address-key.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Ownership } from './ownership.js';
import { isGroupIp } from './routers.js';
import type { Surroundings } from './witnesses.js';

export interface Destination {
  readonly number: number;
  readonly network: number;
  readonly ip: Ip;
  /** Multicast or broadcast. */
  readonly isGroup: boolean;
  /** Undefined when no witness ever spoke of it. */
  readonly ownership: Ownership | undefined;
}

export class Destinations {
  private readonly r: Reconstruction;
  private readonly networkOf: Int32Array;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly table = new WordTable();
  private readonly all: Destination[] = [];

  constructor(r: Reconstruction, around: Surroundings, ownerships: ReadonlyMap<number, Ownership>) {
    this.r = r;
    this.networkOf = around.networks.of;
    this.ownerships = ownerships;
  }

  /** Where a leg goes to. */
  ofLeg(leg: number): Destination {
    const { words } = this.r.legs;
    const w = leg * LEG_WORDS;
    const meta = words[w + Leg.META] ?? 0;
    return this.of(this.networkOf[meta >>> 16] ?? 0, words[w + Leg.DST_IP] ?? 0, meta & LegBit.IPV6 ? 6 : 4);
  }

  /** @param word the address as legs hold it */
  of(network: number, word: number, version: number): Destination {
    const number = this.table.intern(network, version, word, 0);
    return this.all[number] ?? this.add(number, network, ipFromWord(word, version));
  }

  private add(number: number, network: number, ip: Ip): Destination {
    const ownership = this.ownerships.get(addressKey(network, ip));
    const destination = { number, network, ip, isGroup: isGroupIp(this.r, ip), ownership };
    this.all.push(destination);
    return destination;
  }
}
