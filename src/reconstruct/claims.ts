/**
 * Claims on the wire: who said "this address is mine", where and when. What is kept grows with changes of owner, not with
 * packets. The core keeps the same records (`core/claims.ts`).
 */

import { ipFromWord, isGroupHigh, isGroupMac, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import { ADDRESSES, ASKER_ROWS, ASKER_TABLE, PLACES, REQUEST_LIST, REQUESTS } from '../bytes/core-layout.js';
import { increment, RecordList } from '../bytes/record-list.js';
import { WordTable } from '../bytes/word-table.js';
import { Claim, FrameFlag, type FrameBatch } from '../records/frame-batch.js';
import * as At from './claim-layout.js';
import { type ClaimRun, ClaimRuns, NOBODY } from './claim-runs.js';
import { Grants } from './grants.js';
import { NO_PLACE, Places } from './places.js';
import { type PollRun, Polls } from './polls.js';
import { Redirects } from './redirects.js';
import { Repeats } from './repeats.js';
import { Voices } from './voices.js';

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
  private readonly claimRuns: ClaimRuns;
  /** Who asked for whom: place of the target, and MAC; and when. */
  private readonly askers: WordTable;
  private readonly requestList: RecordList;
  private readonly polls = new Polls();
  /** DHCP claims are kept apart, by place: they say what the server granted, not who answers for the address. */
  private readonly granted = new Map<number, ClaimRun & { last: number }>();

  /** @param core keeps the records in its memory, and hears most claims itself */
  constructor(core?: Core) {
    this.places = new Places(core);
    this.claimRuns = new ClaimRuns(this.places, core);
    this.askers = new WordTable(core?.tableRoom(ASKER_TABLE, ASKER_ROWS, PLACES));
    this.requestList = new RecordList(At.REQUEST_WORDS, core?.listRoom(REQUEST_LIST, REQUESTS, ADDRESSES));
    this.voices = new Voices(this.places, core);
    this.repeats = new Repeats(core);
  }

  /** In the order of their first claims; not to be asked for in the middle of an input. */
  get runs(): readonly ClaimRun[] {
    return this.claimRuns.all;
  }

  get grants(): Iterable<ClaimRun> {
    return this.granted.values();
  }

  /** The runs of one address, on every tap. */
  of(ip: Ip): readonly ClaimRun[] {
    return this.claimRuns.of(ip);
  }

  /** Whether this MAC ever asked (ARP request, neighbour solicitation) for the address on one of the taps. */
  asked(taps: readonly number[], mac: Mac, ip: Ip): boolean {
    return taps.some((tap) => this.asker(tap, mac, ip) >= 0);
  }

  /** Polls of this MAC for the address on one of the taps, with the tap. */
  pollsBy(taps: readonly number[], mac: Mac, ip: Ip): (PollRun & { tap: number })[] {
    return taps.flatMap((tap) => {
      const asker = this.asker(tap, mac, ip);
      return asker < 0 ? [] : this.polls.of(asker).map((run) => ({ ...run, tap }));
    });
  }

  /** An input was read: what was made of the records before is out of date. */
  endInput(): void {
    this.claimRuns.endInput();
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
      if (!this.claimRuns.add(frames, i, place, kind)) this.dropped++;
      this.voices.add(frames, i, place);
    }
  }

  /** The number of a MAC that asked for the address on a tap, negative when it never did. */
  private asker(tap: number, mac: Mac, ip: Ip): number {
    const place = this.places.find(tap, ip);
    return place === NO_PLACE ? NO_PLACE : this.askers.find(place, Math.floor(mac / 0x1_0000_0000), mac | 0, 0);
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
    increment(requestList.words, w + At.REQUEST_COUNT);
    const isPoll = ((frames.flags[i] ?? 0) & FrameFlag.DST_MAC) !== 0 && !isGroupHigh(frames.dstMacHigh[i] ?? 0);
    if (isPoll) this.polls.add(frames, i, number);
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
