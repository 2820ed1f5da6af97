import type { Ip, Mac } from '../bytes/address.js';
import { isOnLinkFor, mayTransmit } from '../reconstruct/hosts.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Conduct } from './conduct.js';
import type { Surroundings } from './witnesses.js';

/** From a time on, ns since the analysis epoch, a neighbour table named a former MAC of an address, or another one. */
interface Belief {
  readonly time: number;
  readonly isFormer: boolean;
}

/** What is known of those who send: how they reach an address, and what their own neighbour tables say of it. */
export class Transmitters {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly conduct: Conduct;
  /** The last answer of `beliefs`, which is asked for one take-over after the other. */
  private last: { transmitter: Mac; ip: Ip; mac: Mac; beliefs: readonly Belief[] } | undefined;

  constructor(r: Reconstruction, around: Surroundings, conduct: Conduct) {
    this.r = r;
    this.around = around;
    this.conduct = conduct;
  }

  /** A host that is no router may hand any destination to a router. */
  mayHandOver(transmitter: Mac, mac: Mac): boolean {
    return this.around.routers.has(mac) && !this.around.routers.has(transmitter);
  }

  /** Whether the transmitter is known to reach the address without a router: it asked for it, or ever sent it to an owner. */
  knowsOnLink(network: number, transmitter: Mac, ip: Ip, owners: readonly Mac[]): boolean {
    if (this.r.claims.asked(this.around.networks.taps[network] ?? [], transmitter, ip)) return true;
    if (this.around.hosts.some((host) => host.macs.has(transmitter) && isOnLinkFor(host, ip))) return true;
    return this.conduct.ownFrames(network, transmitter, ip).some((own) => owners.includes(own.dstMac));
  }

  /** Whether the transmitter is known to have asked for the address, or to hold it in its neighbour table: it may be its next hop. */
  usesAsNextHop(network: number, transmitter: Mac, ip: Ip): boolean {
    if (this.r.claims.asked(this.around.networks.taps[network] ?? [], transmitter, ip)) return true;
    return this.around.hosts.some((host) => mayTransmit(host, transmitter) && host.neighbors.has(ip));
  }

  /** Whether the transmitter's own neighbour table ever named this MAC for the address. */
  believes(transmitter: Mac, ip: Ip, mac: Mac): boolean {
    return this.around.hosts.some(
      (host) => mayTransmit(host, transmitter) && (host.neighbors.get(ip) ?? []).some((run) => run.mac === mac),
    );
  }

  /** What the transmitter's own neighbour table named over time, where it was dumped or monitored: this MAC or another. */
  beliefs(transmitter: Mac, ip: Ip, mac: Mac): readonly Belief[] {
    const known = this.last;
    if (known?.transmitter === transmitter && known.ip === ip && known.mac === mac) return known.beliefs;
    const beliefs = this.findBeliefs(transmitter, ip, mac);
    this.last = { transmitter, ip, mac, beliefs };
    return beliefs;
  }

  private findBeliefs(transmitter: Mac, ip: Ip, mac: Mac): Belief[] {
    return this.around.hosts
      .filter((host) => mayTransmit(host, transmitter))
      .flatMap((host) => host.neighbors.get(ip) ?? [])
      .map((run) => ({ time: run.first, isFormer: run.mac === mac }))
      .filter(({ time }) => !Number.isNaN(time))
      .sort((a, b) => a.time - b.time);
  }
}
