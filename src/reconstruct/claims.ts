/**
 * Claims on the wire: who said "this address is mine", where and when. What is kept grows with changes of owner, not with
 * packets. The core keeps the same records (`core/claims.ts`).
 */

import { ipFromWord, isGroupMac, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import {
  ASKER_ROWS,
  ASKER_TABLE,
  HEARD,
  HEARD_LIST,
  PLACES,
  REQUEST_LIST,
  REQUESTS,
  RUN_LIST,
  RUNS,
  VOICES,
  ADDRESSES,
} from '../bytes/core-layout.js';
import { RecordList } from '../bytes/record-list.js';
import { WordTable } from '../bytes/word-table.js';
import { Claim, FrameFlag, type FrameBatch } from '../records/frame-batch.js';
import * as At from './claim-layout.js';
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

/** Shared by all runs that nobody heard. */
const NOBODY: ReadonlyMap<Mac, Heard> = new Map();

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
  readonly last: number;
  readonly lastFrame: number;
  readonly count: number;
  /** First claim that every host of the network heard (broadcast or multicast), NaN when there was none. */
  readonly heardByAll: number;
  readonly heardByAllFrame: number;
  readonly heardByAllKind: number;
  /** First claim sent to one host, by the host's MAC. */
  readonly heardBy: ReadonlyMap<Mac, Heard>;
}

/** ARP requests or neighbour solicitations of one MAC for one address on one tap. */
export interface Requests {
  readonly tap: number;
  readonly mac: Mac;
  readonly target: Ip;
  /** ns since the analysis epoch. */
  readonly first: number;
  readonly firstFrame: number;
  readonly count: number;
}

/** A subnet that a router or DHCP server announced on a tap: addresses in it are on-link there. */
export interface AnnouncedPrefix {
  readonly tap: number;
  /** An address inside the prefix. */
  readonly ip: Ip;
  readonly length: number;
}

const MAX_REQUESTS = 1_000_000;
const MAX_PREFIXES = 4096;
const MAX_GRANTED = 200_000;
const LINK_LOCAL_V4 = 0xa9fe; // 169.254/16

export class Claims {
  readonly prefixes: AnnouncedPrefix[] = [];
  /** MACs that announced themselves as routers. */
  readonly routers = new Set<Mac>();
  /** Claims not kept because a bound was reached. */
  dropped = 0;
  readonly voices: Voices;
  readonly redirects = new Redirects();
  readonly leases = new Grants();
  readonly repeats: Repeats;

  private readonly places: Places;
  private readonly runList: RecordList;
  private readonly heard: RecordList;
  /** Who asked for whom: place of the target, and MAC; and when. */
  private readonly askers: WordTable;
  private readonly requestList: RecordList;
  /** DHCP claims are kept apart, by place: they say what the server granted, not who answers for the address. */
  private readonly granted = new Map<number, ClaimRun & { last: number }>();
  private built:
    { readonly runs: readonly ClaimRun[]; readonly byIp: ReadonlyMap<Ip, readonly ClaimRun[]> } | undefined;

  /** @param core keeps the records in its memory, and hears most claims itself */
  constructor(core?: Core) {
    this.places = new Places(core);
    this.runList = new RecordList(At.RUN_WORDS, core?.listRoom(RUN_LIST, RUNS, HEARD));
    this.heard = new RecordList(At.HEARD_WORDS, core?.listRoom(HEARD_LIST, HEARD, VOICES));
    this.askers = new WordTable(core?.tableRoom(ASKER_TABLE, ASKER_ROWS, PLACES));
    this.requestList = new RecordList(At.REQUEST_WORDS, core?.listRoom(REQUEST_LIST, REQUESTS, ADDRESSES));
    this.voices = new Voices(this.places, core);
    this.repeats = new Repeats(core);
  }

  /** In the order of their first claims; not to be asked for in the middle of an input. */
  get runs(): readonly ClaimRun[] {
    return this.build().runs;
  }

  get grants(): Iterable<ClaimRun> {
    return this.granted.values();
  }

  /** The runs of one address, on every tap. */
  of(ip: Ip): readonly ClaimRun[] {
    return this.build().byIp.get(ip) ?? [];
  }

  /** Whether this MAC ever asked (ARP request, neighbour solicitation) for the address on one of the taps. */
  asked(taps: readonly number[], mac: Mac, ip: Ip): boolean {
    return taps.some((tap) => {
      const place = this.places.find(tap, ip);
      return place !== NO_PLACE && this.askers.find(place, Math.floor(mac / 0x1_0000_0000), mac | 0, 0) >= 0;
    });
  }

  /** An input was read: what was made of the records before is out of date. */
  endInput(): void {
    this.built = undefined;
    this.voices.endInput();
  }

  /** Takes the claim of row `i`, which was seen on `tap`. */
  add(frames: FrameBatch, i: number, tap: number): void {
    const kind = frames.claim[i] ?? Claim.NONE;
    const version = frames.claimIpVersion[i] ?? 4;
    const ip = ipFromWord(frames.claimIp[i] ?? 0, version);
    const mac = macFromWords(frames.claimMacHigh[i] ?? 0, frames.claimMacLow[i] ?? 0);
    if (kind === Claim.REDIRECT) this.redirects.add(frames, i, tap);
    if (kind === Claim.DHCP_ACK || kind === Claim.DHCP_RELEASE) this.leases.add(frames, i, tap);
    if (kind === Claim.DHCP_OTHER || kind === Claim.DHCP_RELEASE || kind === Claim.REDIRECT) return;
    this.repeats.add(frames, i, tap);
    if (kind === Claim.ARP_REQUEST || kind === Claim.ND_SOLICITATION) {
      const asked = this.places.of(tap, version, frames.targetIp[i] ?? 0);
      if (asked !== NO_PLACE) {
        this.request(frames, i, asked);
        this.voices.ask(frames, i, asked);
      }
    }
    if (kind === Claim.ARP_PROBE) return;
    const prefix = frames.claimPrefix[i] ?? -1;
    if (prefix >= 0 && this.prefixes.length < MAX_PREFIXES) {
      const target = ipFromWord(frames.targetIp[i] ?? 0, version);
      this.announce(tap, kind === Claim.ND_ROUTER ? target : ip, prefix);
    }
    if (mac === 0 || isGroupMac(mac) || ip === 0) return;
    if (kind === Claim.ND_ROUTER) this.routers.add(mac);
    const place = this.places.of(tap, version, frames.claimIp[i] ?? 0);
    if (place === NO_PLACE) {
      this.dropped++;
    } else if (kind === Claim.DHCP_ACK) {
      this.grant(frames, i, tap, place, ip, mac);
    } else {
      this.claim(frames, i, place, kind);
      this.voices.add(frames, i, place);
    }
  }

  private claim(frames: FrameBatch, i: number, place: number, kind: number): void {
    const run = this.runOf(frames, i, place, kind);
    if (run < 0) return;
    const { words, doubles } = this.runList;
    const w = run * At.RUN_WORDS;
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    doubles[(w + At.RUN_LAST) >> 1] = time;
    words[w + At.RUN_LAST_FRAME] = frame;
    words[w + At.RUN_COUNT] = (words[w + At.RUN_COUNT] ?? 0) + 1;
    if (((frames.flags[i] ?? 0) & FrameFlag.DST_MAC) === 0) return;
    if ((frames.dstMacHigh[i] ?? 0) & GROUP_BIT) {
      // A multicast solicitation reaches only its target's group, but an advertisement to all nodes reaches everyone.
      if (!Number.isNaN(doubles[(w + At.RUN_ALL) >> 1]) || kind === Claim.ND_SOLICITATION) return;
      doubles[(w + At.RUN_ALL) >> 1] = time;
      words[w + At.RUN_ALL_FRAME] = frame;
      words[w + At.RUN_ALL_KIND] = kind;
    } else {
      this.hear(frames, i, w, kind);
    }
  }

  /** The run that a claim belongs to, which may be a new one; -1 when it is not to be counted. */
  private runOf(frames: FrameBatch, i: number, place: number, kind: number): number {
    const { runList } = this;
    const p = place * At.PLACE_WORDS;
    const high = frames.claimMacHigh[i] ?? 0;
    const low = frames.claimMacLow[i] ?? 0;
    const newest = (this.places.words[p + At.PLACE_NEWEST] ?? 0) - 1;
    if (newest >= 0) {
      const w = newest * At.RUN_WORDS;
      if (runList.words[w + At.RUN_MAC_HIGH] === high && runList.words[w + At.RUN_MAC_LOW] === low) return newest;
      if (kind === Claim.ND_WEAK) return -1;
    }
    const count = this.places.words[p + At.PLACE_RUNS] ?? 0;
    if (runList.count >= At.MAX_RUNS || count >= At.MAX_RUNS_PER_ADDRESS) {
      this.dropped++;
      return -1;
    }
    const run = runList.add();
    const { words, doubles } = runList;
    const w = run * At.RUN_WORDS;
    words[w + At.RUN_PLACE] = place;
    words[w + At.RUN_MAC_HIGH] = high;
    words[w + At.RUN_MAC_LOW] = low;
    words[w + At.RUN_KIND] = words[w + At.RUN_ALL_KIND] = kind;
    words[w + At.RUN_FIRST_FRAME] = frames.frame[i] ?? 0;
    doubles[(w + At.RUN_FIRST) >> 1] = frames.time[i] ?? NaN;
    doubles[(w + At.RUN_ALL) >> 1] = NaN;
    this.places.words[p + At.PLACE_NEWEST] = run + 1;
    this.places.words[p + At.PLACE_RUNS] = count + 1;
    return run;
  }

  /** Notes which host a claim was sent to. `w`: the words of the run. */
  private hear(frames: FrameBatch, i: number, w: number, kind: number): void {
    const { heard, runList } = this;
    const hearers = runList.words[w + At.RUN_HEARERS] ?? 0;
    if (hearers >= At.MAX_HEARD_BY) return;
    const high = frames.dstMacHigh[i] ?? 0;
    const low = frames.dstMacLow[i] ?? 0;
    const newest = runList.words[w + At.RUN_HEARD] ?? 0;
    for (let at = newest - 1; at >= 0; at = (heard.words[at * At.HEARD_WORDS + At.HEARD_NEXT] ?? 0) - 1) {
      const h = at * At.HEARD_WORDS;
      if (heard.words[h + At.HEARD_MAC_LOW] === low && heard.words[h + At.HEARD_MAC_HIGH] === high) return;
    }
    const at = heard.add();
    const h = at * At.HEARD_WORDS;
    heard.words[h + At.HEARD_MAC_HIGH] = high;
    heard.words[h + At.HEARD_MAC_LOW] = low;
    heard.words[h + At.HEARD_FRAME] = frames.frame[i] ?? 0;
    heard.words[h + At.HEARD_KIND] = kind;
    heard.words[h + At.HEARD_NEXT] = newest;
    heard.doubles[(h + At.HEARD_TIME) >> 1] = frames.time[i] ?? NaN;
    runList.words[w + At.RUN_HEARD] = at + 1;
    runList.words[w + At.RUN_HEARERS] = hearers + 1;
  }

  private grant(frames: FrameBatch, i: number, tap: number, place: number, ip: Ip, mac: Mac): void {
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    const known = this.granted.get(place);
    if (known?.mac === mac) {
      known.last = time;
      return;
    }
    if (this.granted.size >= MAX_GRANTED) return;
    const span = { first: time, firstFrame: frame, last: time, lastFrame: frame, count: 0 };
    const heard = { heardByAll: NaN, heardByAllFrame: 0, heardByAllKind: Claim.DHCP_ACK, heardBy: NOBODY };
    this.granted.set(place, { tap, ip, mac, kind: Claim.DHCP_ACK, ...span, ...heard });
  }

  /** What MACs asked for, on every tap; in the order of the first questions. */
  requestsBy(macs: ReadonlySet<Mac>): Requests[] {
    const { askers, requestList, places } = this;
    const found: Requests[] = [];
    for (let number = 0; number < requestList.count; number++) {
      const mac = macFromWords(askers.words[number * 4 + 1] ?? 0, askers.words[number * 4 + 2] ?? 0);
      if (!macs.has(mac)) continue;
      const w = number * At.REQUEST_WORDS;
      const place = askers.words[number * 4] ?? 0;
      found.push({
        tap: places.tap(place),
        mac,
        target: places.ip(place),
        first: requestList.doubles[(w + At.REQUEST_FIRST) >> 1] ?? NaN,
        firstFrame: requestList.words[w + At.REQUEST_FIRST_FRAME] ?? 0,
        count: requestList.words[w + At.REQUEST_COUNT] ?? 0,
      });
    }
    return found;
  }

  private request(frames: FrameBatch, i: number, place: number): void {
    const { askers, requestList } = this;
    const high = frames.claimMacHigh[i] ?? 0;
    const low = frames.claimMacLow[i] ?? 0;
    if (requestList.count >= MAX_REQUESTS && askers.find(place, high, low, 0) < 0) return;
    const number = askers.intern(place, high, low, 0);
    const w = number * At.REQUEST_WORDS;
    if (number === requestList.count) {
      requestList.add();
      requestList.words[w + At.REQUEST_FIRST_FRAME] = frames.frame[i] ?? 0;
      requestList.doubles[(w + At.REQUEST_FIRST) >> 1] = frames.time[i] ?? NaN;
    }
    requestList.words[w + At.REQUEST_COUNT] = (requestList.words[w + At.REQUEST_COUNT] ?? 0) + 1;
  }

  private announce(tap: number, ip: Ip, length: number): void {
    if (!this.prefixes.some((known) => known.tap === tap && known.ip === ip && known.length === length)) {
      this.prefixes.push({ tap, ip, length });
    }
  }

  private build(): NonNullable<Claims['built']> {
    if (this.built) return this.built;
    const runs = Array.from({ length: this.runList.count }, (_, run) => this.run(run));
    const byIp = new Map<Ip, ClaimRun[]>();
    for (const run of runs) {
      const same = byIp.get(run.ip);
      if (same) same.push(run);
      else byIp.set(run.ip, [run]);
    }
    return (this.built = { runs, byIp });
  }

  private run(run: number): ClaimRun {
    const { words, doubles } = this.runList;
    const w = run * At.RUN_WORDS;
    const place = words[w + At.RUN_PLACE] ?? 0;
    return {
      tap: this.places.tap(place),
      ip: this.places.ip(place),
      mac: macFromWords(words[w + At.RUN_MAC_HIGH] ?? 0, words[w + At.RUN_MAC_LOW] ?? 0),
      kind: words[w + At.RUN_KIND] ?? 0,
      first: doubles[(w + At.RUN_FIRST) >> 1] ?? NaN,
      firstFrame: words[w + At.RUN_FIRST_FRAME] ?? 0,
      last: doubles[(w + At.RUN_LAST) >> 1] ?? NaN,
      lastFrame: words[w + At.RUN_LAST_FRAME] ?? 0,
      count: words[w + At.RUN_COUNT] ?? 0,
      heardByAll: doubles[(w + At.RUN_ALL) >> 1] ?? NaN,
      heardByAllFrame: words[w + At.RUN_ALL_FRAME] ?? 0,
      heardByAllKind: words[w + At.RUN_ALL_KIND] ?? 0,
      heardBy: this.hearers((words[w + At.RUN_HEARD] ?? 0) - 1),
    };
  }

  /** Those who heard a run, first to last, by the record of the last. */
  private hearers(newest: number): ReadonlyMap<Mac, Heard> {
    if (newest < 0) return NOBODY;
    const { words, doubles } = this.heard;
    const hearers: [Mac, Heard][] = [];
    for (let at = newest; at >= 0; at = (words[at * At.HEARD_WORDS + At.HEARD_NEXT] ?? 0) - 1) {
      const h = at * At.HEARD_WORDS;
      const time = doubles[(h + At.HEARD_TIME) >> 1] ?? NaN;
      const mac = macFromWords(words[h + At.HEARD_MAC_HIGH] ?? 0, words[h + At.HEARD_MAC_LOW] ?? 0);
      hearers.push([mac, { time, frame: words[h + At.HEARD_FRAME] ?? 0, kind: words[h + At.HEARD_KIND] ?? 0 }]);
    }
    return new Map(hearers.reverse());
  }
}

/** Of the upper 16 bits of a MAC: it is a group's. */
const GROUP_BIT = 0x100;

/** Addresses that say nothing about a network: the same one is used on many links. */
export function isLinkLocalV4(ip: Ip): boolean {
  return ip <= 0xffff_ffff && Math.floor(ip / 0x1_0000) === LINK_LOCAL_V4;
}
