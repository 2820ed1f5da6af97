import type { Random } from './random.js';
import type { Workload } from './workloads.js';

export const VLAN = 10;
/** The interfaces of a generated capture: a router's two sides. */
export const LAN = 0;
export const WAN = 1;

/** What a flow is like, as bits of `Network.traits`. */
export const Trait = {
  IPV6: 1,
  /** Seen on the WAN side, behind the router's address. */
  WAN: 2,
  PPPOE: 4,
  UDP: 8,
  /** Between two hosts of the LAN. */
  ON_LINK: 16,
  /** Queries to the router. */
  DNS: 32,
  /** Frames to a host that has moved still go to its old MAC; or to the old and the new in turns. */
  STALE: 64,
  FLAPPING: 128,
} as const;

/**
 * The made-up network: the hosts of a LAN, a router, servers beyond it, and the flows between them. 10 % of the flows are
 * IPv6, 5 % of the hosts sit in a VLAN, 1 % of the flows are PPPoE where there is a WAN side.
 */
export class Network {
  readonly hosts: number;
  readonly flows: number;
  readonly host: Int32Array;
  /** The other end: a host (`ON_LINK`), else the number of a server. */
  readonly peer: Int32Array;
  readonly hostPort: Uint16Array;
  readonly peerPort: Uint16Array;
  readonly traits: Uint8Array;
  /** Next TCP sequence number, of both directions in turn. */
  readonly sequence: Uint32Array;
  /** 0, or 1 once a host has changed its MAC. */
  readonly macVersion: Uint8Array;

  constructor(workload: Workload, random: Random) {
    const { flows, hosts } = workload;
    this.hosts = hosts;
    this.flows = flows;
    this.host = new Int32Array(flows);
    this.peer = new Int32Array(flows);
    this.hostPort = new Uint16Array(flows);
    this.peerPort = new Uint16Array(flows);
    this.traits = new Uint8Array(flows);
    this.sequence = new Uint32Array(flows * 2);
    this.macVersion = new Uint8Array(hosts);
    for (let flow = 0; flow < flows; flow++) this.makeFlow(flow, workload, random);
  }

  private makeFlow(flow: number, workload: Workload, random: Random): void {
    const host = random.below(this.hosts);
    const wan = workload.format === 'pcapng' && random.below(10) < 3;
    let traits = random.below(10) === 0 ? Trait.IPV6 : 0;
    if (wan) traits |= Trait.WAN | (random.below(30) === 0 ? Trait.PPPOE : 0);
    else if (random.below(50) === 0) traits = Trait.DNS | Trait.UDP;
    else if (random.below(10) === 0) traits |= Trait.ON_LINK;
    if (random.below(4) === 0) traits |= Trait.UDP;
    if (workload.stale === true && !wan && willMove(host)) {
      if (flow % 4 === 0) traits |= Trait.STALE;
      else if (flow % 50 === 1) traits |= Trait.FLAPPING;
    }
    this.host[flow] = host;
    this.peer[flow] =
      traits & Trait.ON_LINK ? (host + 20 * (1 + random.below(this.hosts / 20 - 1))) % this.hosts : flow;
    this.hostPort[flow] = 1024 + random.below(64_000);
    this.peerPort[flow] = traits & Trait.DNS ? 53 : 443;
    this.traits[flow] = traits;
  }
}

/** Hosts in the VLAN. */
export function isTagged(host: number): boolean {
  return host % 20 === 19;
}

/** Hosts that change their MAC half way through a workload with stale flows. */
export function willMove(host: number): boolean {
  return host % 20 === 7;
}
