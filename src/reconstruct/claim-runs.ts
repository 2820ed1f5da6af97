/** Runs of equal claims, each with who heard it: records, of which objects are made when somebody asks. */

import { isGroupHigh, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import { HEARD, HEARD_LIST, RUN_LIST, RUNS, VOICES } from '../bytes/core-layout.js';
import { RecordList } from '../bytes/record-list.js';
import { Claim, FrameFlag, type FrameBatch } from '../records/frame-batch.js';
import * as At from './claim-layout.js';
import type { Places } from './places.js';

/** A claim that reached somebody. ns since the analysis epoch; kind: one of `Claim`. */
export interface Heard {
  readonly time: number;
  readonly frame: number;
  readonly kind: number;
}

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

/** Shared by all runs that nobody heard. */
export const NOBODY: ReadonlyMap<Mac, Heard> = new Map();

/** A host that knows another MAC does not heed the claim. */
const NOT_HEEDED = -1;
const TOO_MANY = -2;

interface Built {
  readonly runs: readonly ClaimRun[];
  readonly byIp: ReadonlyMap<Ip, readonly ClaimRun[]>;
}

export class ClaimRuns {
  private readonly places: Places;
  private readonly runList: RecordList;
  private readonly heard: RecordList;
  private built: Built | undefined;

  /** @param core keeps the records, and hears most claims itself */
  constructor(places: Places, core?: Core) {
    this.places = places;
    this.runList = new RecordList(At.RUN_WORDS, core?.listRoom(RUN_LIST, RUNS, HEARD));
    this.heard = new RecordList(At.HEARD_WORDS, core?.listRoom(HEARD_LIST, HEARD, VOICES));
  }

  /** In the order of their first claims. */
  get all(): readonly ClaimRun[] {
    return this.build().runs;
  }

  /** The runs of one address, on every tap. */
  of(ip: Ip): readonly ClaimRun[] {
    return this.build().byIp.get(ip) ?? [];
  }

  /** An input was read: what was made of the records before is out of date. */
  endInput(): void {
    this.built = undefined;
  }

  /** Takes row `i`, a claim of the address of a place. False: it was not kept, as there are too many runs. */
  add(frames: FrameBatch, i: number, place: number, kind: number): boolean {
    const run = this.runOf(frames, i, place, kind);
    if (run >= 0) this.extend(frames, i, run, kind);
    return run !== TOO_MANY;
  }

  private extend(frames: FrameBatch, i: number, run: number, kind: number): void {
    const { words, doubles } = this.runList;
    const w = run * At.RUN_WORDS;
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    doubles[(w + At.RUN_LAST) >> 1] = time;
    words[w + At.RUN_LAST_FRAME] = frame;
    words[w + At.RUN_COUNT] = (words[w + At.RUN_COUNT] ?? 0) + 1;
    if (((frames.flags[i] ?? 0) & FrameFlag.DST_MAC) === 0) return;
    if (isGroupHigh(frames.dstMacHigh[i] ?? 0)) {
      // A multicast solicitation reaches only its target's group, but an advertisement to all nodes reaches everyone.
      if (!Number.isNaN(doubles[(w + At.RUN_ALL) >> 1]) || kind === Claim.ND_SOLICITATION) return;
      doubles[(w + At.RUN_ALL) >> 1] = time;
      words[w + At.RUN_ALL_FRAME] = frame;
      words[w + At.RUN_ALL_KIND] = kind;
    } else {
      this.hear(frames, i, w, kind);
    }
  }

  /** The run that a claim belongs to, which may be a new one; `NOT_HEEDED` or `TOO_MANY` when there is none. */
  private runOf(frames: FrameBatch, i: number, place: number, kind: number): number {
    const { runList } = this;
    const p = place * At.PLACE_WORDS;
    const high = frames.claimMacHigh[i] ?? 0;
    const low = frames.claimMacLow[i] ?? 0;
    const newest = (this.places.words[p + At.PLACE_NEWEST] ?? 0) - 1;
    if (newest >= 0) {
      const w = newest * At.RUN_WORDS;
      if (runList.words[w + At.RUN_MAC_HIGH] === high && runList.words[w + At.RUN_MAC_LOW] === low) return newest;
      if (kind === Claim.ND_WEAK) return NOT_HEEDED;
    }
    const count = this.places.words[p + At.PLACE_RUNS] ?? 0;
    if (runList.count >= At.MAX_RUNS || count >= At.MAX_RUNS_PER_ADDRESS) return TOO_MANY;
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

  private build(): Built {
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
