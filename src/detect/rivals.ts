/** Of a MAC that nobody was heard to claim an address for: what it may have to do with it all the same. */

import { isIpv6, type Ip, type Mac } from '../bytes/address.js';
import { mayTransmit } from '../reconstruct/hosts.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Conduct } from './conduct.js';
import { toldOf, type OwnFrame } from './learning.js';
import { isLinkLocal } from './networks.js';
import type { Ownership, Tenure } from './ownership.js';
import { virtualRouterOf } from './routers.js';
import type { Surroundings } from './witnesses.js';

export class Rivals {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly conduct: Conduct;
  private readonly addressesOf: (network: number, mac: Mac) => readonly Ownership[];
  /** Addresses that routers spoke for, by network. */
  private readonly spoke: Map<Mac, ReadonlyMap<Ip, number>>[] = [];

  /** @param addressesOf the addresses that a MAC ever had in a network */
  constructor(
    r: Reconstruction,
    around: Surroundings,
    conduct: Conduct,
    addressesOf: (network: number, mac: Mac) => readonly Ownership[],
  ) {
    this.r = r;
    this.around = around;
    this.conduct = conduct;
    this.addressesOf = addressesOf;
  }

  /** Whether the MAC may have the address without a word: it is a virtual router's, or a router that speaks from it. */
  mayHave(network: number, mac: Mac, ip: Ip): boolean {
    if (virtualRouterOf(mac) !== undefined && this.addressesOf(network, mac).length === 0) return true;
    return !Number.isNaN(this.spokeFor(network, mac, ip));
  }

  /** When the transmitter first knew of a tenure, ns since the analysis epoch; Infinity when nothing shows it. */
  toldOf(ownership: Ownership, tenure: Tenure, transmitter: Mac, ownFrames: readonly OwnFrame[]): number {
    const told = toldOf(this.r, this.around, ownership, tenure, transmitter, ownFrames);
    return Math.min(told, this.firstSpoke(ownership, tenure));
  }

  /** Whether a MAC has another address of the kind: a host's link-local addresses stay with it, whatever others it loses. */
  isSomebodyElses(network: number, mac: Mac, ip: Ip): boolean {
    return this.addressesOf(network, mac).some(
      (had) => had.ip !== ip && isIpv6(had.ip) === isIpv6(ip) && !isLinkLocal(this.r, had.ip),
    );
  }

  /**
   * How long a tenure is shown, ns since the analysis epoch: one that only neighbour tables speak of may have ended after
   * that without a word, unless the MAC is somebody else's. Infinity for others.
   */
  shownUntil({ ip, network }: Ownership, tenure: Tenure, transmitter: Mac, mac: Mac): number {
    if (this.isSomebodyElses(network, mac, ip)) return Infinity;
    if (tenure.testimonies.some(({ kind }) => kind !== 'neighbor-entry' && kind !== 'neighbor-event')) return Infinity;
    const monitors = this.around.hosts.filter((host) => mayTransmit(host, transmitter));
    return monitors.reduce((last, { monitored }) => Math.max(last, monitored.last), tenure.end);
  }

  /**
   * When a MAC of the tenure first sent a packet, if it has this address alone: to send any it had to ask for somebody's MAC,
   * and everybody who knew its address heard the question. Infinity when nothing shows that.
   */
  private firstSpoke({ ip, network }: Ownership, tenure: Tenure): number {
    const isSole = (mac: Mac): boolean =>
      this.addressesOf(network, mac).every((other) => other.ip === ip || isIpv6(other.ip) !== isIpv6(ip));
    return tenure.testimonies
      .filter(({ kind, mac }) => kind === 'originated' && isSole(mac))
      .reduce((first, testimony) => Math.min(first, testimony.first), Infinity);
  }

  /**
   * When a router's MAC last sent a packet from the address that it made itself, by its hop limit; NaN when it never did.
   * That is no word on who has the address, as some routers set the hop limit of what they pass on.
   */
  spokeFor(network: number, mac: Mac, ip: Ip): number {
    if (!this.around.routers.has(mac)) return NaN;
    const known = (this.spoke[network] ??= new Map());
    let times = known.get(mac);
    if (!times) known.set(mac, (times = this.conduct.spokenFor(network, mac)));
    return times.get(ip) ?? NaN;
  }
}
