/**
 * Claims on the wire: who said "this address is mine", where and when. ARP, neighbour discovery and DHCP are rare
 * enough for objects; what is kept grows with changes of owner, not with packets.
 */

import { BROADCAST_MAC, ipFromWord, isGroupMac, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { Claim, FrameFlag, type FrameBatch } from '../records/frame-batch.js';
import { Grants } from './grants.js';
import { NO_PLACE, Places } from './places.js';
import { Redirects } from './redirects.js';
import { Repeats } from './repeats.js';
import { Voices } from './voices.js';

/** A claim that reached somebody. ns since the analysis epoch; kind: one of `Claim`. */
export interface Heard {
  readonly time: number;
  readonly frame: number;
  readonly kind: number;
}

/** Shared by all runs that nobody heard; never added to. */
const NOBODY = new Map<Mac, Heard>();

/** Claims of one address by one MAC on one tap, with no other MAC's claim of it between them on that tap. */
export interface ClaimRun {
  readonly tap: number;
  readonly ip: Ip;
  readonly mac: Mac;
  /** One of `Claim`: the first one's. */
  readonly kind: number;
  /** ns since the analysis epoch. */
  readonly first: number;
  readonly firstFrame: number;
  last: number;
  lastFrame: number;
  count: number;
  /** First claim that every host of the network heard (broadcast or multicast), NaN when there was none. */
  heardByAll: number;
  heardByAllFrame: number;
  heardByAllKind: number;
  /** First claim sent to one host, by the host's MAC. */
  heardBy: Map<Mac, Heard>;
}

/** ARP requests or neighbour solicitations of one MAC for one address on one tap. */
export interface Requests {
  readonly tap: number;
  readonly mac: Mac;
  readonly target: Ip;
  /** ns since the analysis epoch. */
  readonly first: number;
  readonly firstFrame: number;
  count: number;
}

/** A subnet that a router or DHCP server announced on a tap: addresses in it are on-link there. */
export interface AnnouncedPrefix {
  readonly tap: number;
  /** An address inside the prefix. */
  readonly ip: Ip;
  readonly length: number;
}

const MAX_RUNS = 200_000;
const MAX_RUNS_PER_ADDRESS = 512;
const MAX_HEARD_BY = 64;
const MAX_REQUESTS = 1_000_000;
const MAX_PREFIXES = 4096;
const LINK_LOCAL_V4 = 0xa9fe; // 169.254/16

export class Claims {
  readonly runs: ClaimRun[] = [];
  readonly prefixes: AnnouncedPrefix[] = [];
  /** MACs that announced themselves as routers. */
  readonly routers = new Set<Mac>();
  /** Claims not kept because a bound was reached. */
  dropped = 0;
  readonly voices = new Voices();
  readonly redirects = new Redirects();
  readonly leases = new Grants();
  readonly repeats = new Repeats();

  private readonly byIp = new Map<Ip, ClaimRun[]>();
  private readonly places = new Places();
  /** By place: the newest run, and how many there are. */
  private readonly newest: (ClaimRun | undefined)[] = [];
  private readonly runsAt: number[] = [];
  /** Who asked for whom: place of the target, and MAC. */
  private readonly askers = new WordTable();
  private readonly requests: Requests[] = [];
  /** DHCP claims are kept apart, by place: they say what the server granted, not who answers for the address. */
  private readonly granted = new Map<number, ClaimRun>();

  get grants(): Iterable<ClaimRun> {
    return this.granted.values();
  }

  /** The runs of one address, on every tap. */
  of(ip: Ip): readonly ClaimRun[] {
    return this.byIp.get(ip) ?? [];
  }

  /** Whether this MAC ever asked (ARP request, neighbour solicitation) for the address on one of the taps. */
  asked(taps: readonly number[], mac: Mac, ip: Ip): boolean {
    return taps.some((tap) => {
      const place = this.places.find(tap, ip);
      return place !== NO_PLACE && this.askers.find(place, Math.floor(mac / 0x1_0000_0000), mac | 0, 0) >= 0;
    });
  }

  /** Takes the claim of row `i`, which was seen on `tap`. */
  add(frames: FrameBatch, i: number, tap: number): void {
    const kind = frames.claim[i] ?? Claim.NONE;
    const version = frames.claimIpVersion[i] ?? 4;
    const ip = ipFromWord(frames.claimIp[i] ?? 0, version);
    const mac = macFromWords(frames.claimMacHigh[i] ?? 0, frames.claimMacLow[i] ?? 0);
    const target = ipFromWord(frames.targetIp[i] ?? 0, version);
    if (kind === Claim.REDIRECT) this.redirects.add(frames, i, tap);
    if (kind === Claim.DHCP_ACK || kind === Claim.DHCP_RELEASE) this.leases.add(frames, i, tap);
    if (kind === Claim.DHCP_OTHER || kind === Claim.DHCP_RELEASE || kind === Claim.REDIRECT) return;
    this.repeats.add(frames, i, tap);
    if (kind === Claim.ARP_REQUEST || kind === Claim.ND_SOLICITATION) {
      const asked = this.placeOf(tap, version, frames.targetIp[i] ?? 0);
      if (asked !== NO_PLACE) {
        this.request(frames, i, tap, asked, mac, target);
        this.voices.ask(frames, i, asked);
      }
    }
    if (kind === Claim.ARP_PROBE) return;
    const prefix = frames.claimPrefix[i] ?? -1;
    if (prefix >= 0 && this.prefixes.length < MAX_PREFIXES)
      this.announce(tap, kind === Claim.ND_ROUTER ? target : ip, prefix);
    if (mac === 0 || isGroupMac(mac) || ip === 0) return;
    if (kind === Claim.ND_ROUTER) this.routers.add(mac);
    const place = this.placeOf(tap, version, frames.claimIp[i] ?? 0);
    if (place === NO_PLACE) {
      this.dropped++;
    } else if (kind === Claim.DHCP_ACK) {
      this.grant(frames, i, tap, place, ip, mac);
    } else {
      this.claim(frames, i, tap, place, ip, mac, kind);
      this.voices.add(frames, i, tap, place, ip, mac);
    }
  }

  private placeOf(tap: number, ipVersion: number, word: number): number {
    const place = this.places.of(tap, ipVersion, word);
    if (place === this.newest.length) {
      this.newest.push(undefined);
      this.runsAt.push(0);
    }
    return place;
  }

  private claim(frames: FrameBatch, i: number, tap: number, place: number, ip: Ip, mac: Mac, kind: number): void {
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    let run = this.newest[place];
    if (kind === Claim.ND_WEAK && run && run.mac !== mac) return;
    if (run?.mac !== mac) {
      const runs = this.runsAt[place] ?? 0;
      if (this.runs.length >= MAX_RUNS || runs >= MAX_RUNS_PER_ADDRESS) {
        this.dropped++;
        return;
      }
      run = newRun(tap, ip, mac, kind, time, frame);
      this.runs.push(run);
      const same = this.byIp.get(ip);
      if (same) same.push(run);
      else this.byIp.set(ip, [run]);
      this.newest[place] = run;
      this.runsAt[place] = runs + 1;
    }
    run.last = time;
    run.lastFrame = frame;
    run.count++;
    if (((frames.flags[i] ?? 0) & FrameFlag.DST_MAC) === 0) return;
    const to = macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0);
    if (to === BROADCAST_MAC || isGroupMac(to)) {
      // A multicast solicitation reaches only its target's group, but an advertisement to all nodes reaches everyone.
      if (Number.isNaN(run.heardByAll) && kind !== Claim.ND_SOLICITATION) {
        run.heardByAll = time;
        run.heardByAllFrame = frame;
        run.heardByAllKind = kind;
      }
    } else if (run.heardBy.size < MAX_HEARD_BY && !run.heardBy.has(to)) {
      if (run.heardBy === NOBODY) run.heardBy = new Map();
      run.heardBy.set(to, { time, frame, kind });
    }
  }

  private grant(frames: FrameBatch, i: number, tap: number, place: number, ip: Ip, mac: Mac): void {
    const known = this.granted.get(place);
    if (known?.mac === mac) {
      known.last = frames.time[i] ?? NaN;
      return;
    }
    if (this.granted.size >= MAX_RUNS) return;
    this.granted.set(place, newRun(tap, ip, mac, Claim.DHCP_ACK, frames.time[i] ?? NaN, frames.frame[i] ?? 0));
  }

  /** What MACs asked for, on every tap; in the order of the first questions. */
  requestsBy(macs: ReadonlySet<Mac>): Requests[] {
    return this.requests.filter(({ mac }) => macs.has(mac));
  }

  private request(frames: FrameBatch, i: number, tap: number, place: number, mac: Mac, target: Ip): void {
    const { askers, requests } = this;
    const macHigh = frames.claimMacHigh[i] ?? 0;
    const macLow = frames.claimMacLow[i] ?? 0;
    if (requests.length >= MAX_REQUESTS && askers.find(place, macHigh, macLow, 0) < 0) return;
    const number = askers.intern(place, macHigh, macLow, 0);
    const known = requests[number];
    if (known) known.count++;
    else requests.push({ tap, mac, target, first: frames.time[i] ?? NaN, firstFrame: frames.frame[i] ?? 0, count: 1 });
  }

  private announce(tap: number, ip: Ip, length: number): void {
    if (!this.prefixes.some((known) => known.tap === tap && known.ip === ip && known.length === length)) {
      this.prefixes.push({ tap, ip, length });
    }
  }
}

/** Addresses that say nothing about a network: the same one is used on many links. */
export function isLinkLocalV4(ip: Ip): boolean {
  return ip <= 0xffff_ffff && Math.floor(ip / 0x1_0000) === LINK_LOCAL_V4;
}

function newRun(tap: number, ip: Ip, mac: Mac, kind: number, time: number, frame: number): ClaimRun {
  return {
    tap,
    ip,
    mac,
    kind,
    first: time,
    firstFrame: frame,
    last: time,
    lastFrame: frame,
    count: 0,
    heardByAll: NaN,
    heardByAllFrame: 0,
    heardByAllKind: kind,
    heardBy: NOBODY,
  };
}
