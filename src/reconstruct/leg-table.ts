/**
 * The flow table of the first reading: what each transmitter sends of each flow direction on each tap, and to which
 * destination MAC.
 *
 * A *leg* is one flow direction on one tap by one transmitter (source MAC); frames with an initial hop limit (64, 128,
 * 255: the sender made them) and others (a router passed them on) are different legs, so that the copies before and
 * after routing never mix. A leg's frames to one destination MAC in an unbroken row are a mapping; when the MAC changes,
 * the mapping is closed and moved to a log.
 *
 * Layout: one 64-byte record per leg in one Int32Array with a Float64Array view, so that a packet touches one cache
 * line; an open-addressed table of (hash, index) slots finds it. The two grow apart: room for records is taken far ahead,
 * as the system gives memory only for what is written, whereas slots lie close together, as they are hit at random.
 */

import type { Core } from '../bytes/core.js';
import { LEGS } from '../bytes/core-layout.js';
import { FrameFlag, type FrameBatch } from '../records/frame-batch.js';
import { BATCH_SIZE } from '../records/packet-batch.js';
import { hashOf, INITIAL_HOP_LIMITS, isLeg } from './leg-key.js';
import { Leg, LEG_DOUBLES, LEG_WORDS, LegBit, LegTime } from './leg-layout.js';
import { MappingLog } from './mapping-log.js';

/** Large ArrayBuffers begin 16 bytes past a cache line; records that begin 48 bytes on lie on one line each. */
const BASE_BYTES = 48;
/** Both tables begin small, so that they have grown before the compiler takes it that they never do. */
const INITIAL_SLOTS = 64;
const INITIAL_RECORDS = 1024;
const RECORDS_GROW = 4;
/** Bytes of one mapping are counted in 32 bits; a mapping that would overflow is closed and the next one begins. */
const MAX_BYTES = 0xffff_ffff;
const MAX_LENGTH = 0x7fff_ffff;
/** Row of a frame that is no leg. */
const NO_LEG = -1;

export class LegTable {
  count = 0;
  readonly closed = new MappingLog();
  words: Int32Array;
  doubles: Float64Array;
  /** Leg of each row of the last batch, `NO_LEG` for frames that are none (no IP, no MACs). */
  readonly row: Int32Array;

  private slots: Int32Array;
  private core: Core | undefined;
  private readonly hash = new Int32Array(BATCH_SIZE);
  private readonly meta = new Int32Array(BATCH_SIZE);
  private readonly ports = new Int32Array(BATCH_SIZE);
  /** Keeps the touch passes from being optimised away. */
  private touched = 0;

  /** @param core counts the batches that lie in its memory; the tables lie there too, as long as it has room */
  constructor(core?: Core) {
    this.core = core;
    this.row = core?.words(LEGS, BATCH_SIZE) ?? new Int32Array(BATCH_SIZE);
    this.slots = this.newSlots(INITIAL_SLOTS * 2);
    ({ words: this.words, doubles: this.doubles } = this.newRecords(INITIAL_RECORDS * LEG_WORDS));
    if (core) core.onClose = (leg) => this.closed.append(this.words, this.doubles, leg);
  }

  /**
   * Counts a batch of frames. `taps` holds the tap of each row; rows with `skip` set are left out, among them all that
   * lack IP addresses or a MAC.
   */
  add(frames: FrameBatch, taps: Int32Array, skip: Uint8Array): void {
    const core = this.coreFor(frames);
    if (core) {
      this.count = core.run.add(frames.count, this.count);
      return;
    }
    this.prepare(frames, taps);
    const { row } = this;
    for (let i = 0; i < frames.count; i++) {
      if (skip[i] !== 0) {
        row[i] = NO_LEG;
        continue;
      }
      let leg = this.lookup(frames, i);
      if (leg < 0) leg = this.insert(frames, i);
      else this.extend(leg, frames, i);
      row[i] = leg;
    }
  }

  /** Finds the legs of a batch that was counted before, without counting it again: fills `row`. */
  find(frames: FrameBatch, taps: Int32Array, skip: Uint8Array): void {
    const core = this.coreFor(frames);
    if (core) {
      core.run.find(frames.count);
      return;
    }
    this.prepare(frames, taps);
    for (let i = 0; i < frames.count; i++) this.row[i] = skip[i] === 0 ? this.lookup(frames, i) : NO_LEG;
  }

  /** Whether a leg's destination MAC sent packets of the same flow back, on the same tap. */
  isAnswered(leg: number): boolean {
    const w = leg * LEG_WORDS;
    const { words } = this;
    return this.hasAnswer(leg, words[w + Leg.MACS_HIGH] ?? 0, words[w + Leg.DST_MAC_LOW] ?? 0);
  }

  /** Whether a MAC sent packets of a leg's flow back, on the same tap. */
  hasAnswer(leg: number, macHigh: number, macLow: number): boolean {
    const { words } = this;
    const w = leg * LEG_WORDS;
    const meta = words[w + Leg.META] ?? 0;
    const ports = words[w + Leg.PORTS] ?? 0;
    const turned = (ports << 16) | (ports >>> 16);
    const src = words[w + Leg.DST_IP] ?? 0;
    const dst = words[w + Leg.SRC_IP] ?? 0;
    const passed = meta & ~LegBit.INITIAL_HOP_LIMIT;
    const made = meta | LegBit.INITIAL_HOP_LIMIT;
    const high = macHigh & 0xffff;
    return (
      this.seek(hashOf(passed, src, dst, turned, macLow), passed, src, dst, turned, high, macLow) >= 0 ||
      this.seek(hashOf(made, src, dst, turned, macLow), made, src, dst, turned, high, macLow) >= 0
    );
  }

  /**
   * The leg by which a MAC sent the packets of a leg's flow direction on, on the same tap and with a hop limit that is
   * no initial one; -1 when there is none.
   */
  passedOnBy(leg: number, macHigh: number, macLow: number): number {
    const { words } = this;
    const w = leg * LEG_WORDS;
    const meta = (words[w + Leg.META] ?? 0) & ~LegBit.INITIAL_HOP_LIMIT;
    const src = words[w + Leg.SRC_IP] ?? 0;
    const dst = words[w + Leg.DST_IP] ?? 0;
    const ports = words[w + Leg.PORTS] ?? 0;
    return this.seek(hashOf(meta, src, dst, ports, macLow), meta, src, dst, ports, macHigh & 0xffff, macLow);
  }

  /**
   * Hashes each row, touches the slots, finds each row's slot, and touches the records: passes of a few instructions, so
   * that the cache misses of a batch overlap. Leaves in `row` the leg whose hash is equal, or `NO_LEG`.
   */
  private prepare(frames: FrameBatch, taps: Int32Array): void {
    const { hash, meta, ports, row, slots, words } = this;
    const { count, flags, ipVersion, protocol, hopLimit, srcPort, dstPort, srcIp, dstIp, srcMacLow } = frames;
    for (let i = 0; i < count; i++) {
      const m =
        ((taps[i] ?? 0) << 16) |
        ((protocol[i] ?? 0) << 8) |
        (((ipVersion[i] ?? 0) >> 1) & LegBit.IPV6) |
        (INITIAL_HOP_LIMITS[hopLimit[i] ?? 0] ?? 0) |
        (((flags[i] ?? 0) & FrameFlag.LATER_FRAGMENT) >> 1);
      const p = ((srcPort[i] ?? 0) << 16) | (dstPort[i] ?? 0);
      meta[i] = m;
      ports[i] = p;
      hash[i] = hashOf(m, srcIp[i] ?? 0, dstIp[i] ?? 0, p, srcMacLow[i] ?? 0);
    }
    const mask = slots.length - 2;
    let touched = 0;
    for (let i = 0; i < count; i++) touched ^= slots[((hash[i] ?? 0) << 1) & mask] ?? 0;
    for (let i = 0; i < count; i++) {
      const h = hash[i] ?? 0;
      let at = (h << 1) & mask;
      let leg = slots[at + 1] ?? 0;
      while (leg !== 0 && slots[at] !== h) {
        at = (at + 2) & mask;
        leg = slots[at + 1] ?? 0;
      }
      row[i] = leg - 1;
    }
    for (let i = 0; i < count; i++) touched ^= words[Math.max(row[i] ?? 0, 0) * LEG_WORDS] ?? 0;
    this.touched ^= touched;
  }

  /** The leg of row `i`; nearly always the one that `prepare` found. */
  private lookup(frames: FrameBatch, i: number): number {
    const { words } = this;
    const found = this.row[i] ?? NO_LEG;
    const meta = this.meta[i] ?? 0;
    const src = frames.srcIp[i] ?? 0;
    const dst = frames.dstIp[i] ?? 0;
    const ports = this.ports[i] ?? 0;
    const macHigh = (frames.srcMacHigh[i] ?? 0) & 0xffff;
    const macLow = frames.srcMacLow[i] ?? 0;
    if (found >= 0 && isLeg(words, found, meta, src, dst, ports, macHigh, macLow)) return found;
    return this.seek(this.hash[i] ?? 0, meta, src, dst, ports, macHigh, macLow);
  }

  private seek(
    h: number,
    meta: number,
    src: number,
    dst: number,
    ports: number,
    macHigh: number,
    macLow: number,
  ): number {
    const { slots, words } = this;
    const mask = slots.length - 2;
    for (let at = (h << 1) & mask; ; at = (at + 2) & mask) {
      const leg = (slots[at + 1] ?? 0) - 1;
      if (leg < 0) return NO_LEG;
      if (slots[at] === h && isLeg(words, leg, meta, src, dst, ports, macHigh, macLow)) return leg;
    }
  }

  private extend(leg: number, frames: FrameBatch, i: number): void {
    const { words, doubles } = this;
    const w = leg * LEG_WORDS;
    const bytes = ((words[w + Leg.BYTES] ?? 0) >>> 0) + Math.min(frames.length[i] ?? 0, MAX_LENGTH);
    const sameMac =
      words[w + Leg.DST_MAC_LOW] === frames.dstMacLow[i] &&
      (((words[w + Leg.MACS_HIGH] ?? 0) ^ (frames.dstMacHigh[i] ?? 0)) & 0xffff) === 0;
    if (!sameMac || bytes > MAX_BYTES) {
      words[w + Leg.CLOSED] = this.closed.append(words, doubles, leg);
      this.open(leg, frames, i);
      return;
    }
    words[w + Leg.FRAMES] = (words[w + Leg.FRAMES] ?? 0) + 1;
    words[w + Leg.BYTES] = bytes;
    words[w + Leg.LAST_FRAME] = frames.frame[i] ?? 0;
    doubles[leg * LEG_DOUBLES + LegTime.LAST] = frames.time[i] ?? NaN;
  }

  private insert(frames: FrameBatch, i: number): number {
    if (this.count * LEG_WORDS === this.words.length) this.growRecords();
    if (this.count * 4 === this.slots.length) this.growSlots();
    const leg = this.count++;
    const w = leg * LEG_WORDS;
    const { words } = this;
    words[w + Leg.META] = this.meta[i] ?? 0;
    words[w + Leg.SRC_IP] = frames.srcIp[i] ?? 0;
    words[w + Leg.DST_IP] = frames.dstIp[i] ?? 0;
    words[w + Leg.PORTS] = this.ports[i] ?? 0;
    words[w + Leg.SRC_MAC_LOW] = frames.srcMacLow[i] ?? 0;
    words[w + Leg.MACS_HIGH] = (frames.srcMacHigh[i] ?? 0) << 16;
    words[w + Leg.CLOSED] = -1;
    this.open(leg, frames, i);
    occupy(this.slots, this.hash[i] ?? 0, leg);
    return leg;
  }

  private open(leg: number, frames: FrameBatch, i: number): void {
    const { words, doubles } = this;
    const w = leg * LEG_WORDS;
    words[w + Leg.MACS_HIGH] = ((words[w + Leg.MACS_HIGH] ?? 0) & ~0xffff) | ((frames.dstMacHigh[i] ?? 0) & 0xffff);
    words[w + Leg.DST_MAC_LOW] = frames.dstMacLow[i] ?? 0;
    words[w + Leg.FRAMES] = 1;
    words[w + Leg.BYTES] = Math.min(frames.length[i] ?? 0, MAX_LENGTH);
    words[w + Leg.FIRST_FRAME] = frames.frame[i] ?? 0;
    words[w + Leg.LAST_FRAME] = frames.frame[i] ?? 0;
    doubles[leg * LEG_DOUBLES + LegTime.FIRST] = frames.time[i] ?? NaN;
    doubles[leg * LEG_DOUBLES + LegTime.LAST] = frames.time[i] ?? NaN;
  }

  /** The core, for a batch in its memory, with room for a leg of each row; undefined when it cannot do it. */
  private coreFor(frames: FrameBatch): Core | undefined {
    return this.core && frames.isIn(this.core.fixed) ? this.withRoom(frames.count) : undefined;
  }

  /** The core, with room for so many legs more; undefined when it has none. */
  private withRoom(legs: number): Core | undefined {
    if (!this.core) return undefined;
    const most = this.count + legs;
    if (most * LEG_WORDS > this.words.length) this.growRecords();
    while (most * 4 > this.slots.length) this.growSlots();
    return this.core;
  }

  /** Whether the records lie in the core. */
  get isInCore(): boolean {
    return this.core !== undefined;
  }

  /** Makes room in the core for what it counts by itself; false when this has left it. */
  lend(): boolean {
    const core = this.withRoom(BATCH_SIZE);
    if (!core) return false;
    core.counts[1] = this.count;
    core.counts[2] = Math.min(this.words.length / LEG_WORDS, this.slots.length / 4);
    return true;
  }

  /** Takes over what the core has counted. */
  takeBack(): void {
    this.count = this.core?.counts[1] ?? this.count;
  }

  private growRecords(): void {
    const before = this.words;
    const { words, doubles } = this.newRecords(before.length * RECORDS_GROW);
    if (!this.core) words.set(before);
    this.words = words;
    this.doubles = doubles;
  }

  private growSlots(): void {
    const before = this.slots;
    const slots = this.newSlots(before.length * 2);
    for (let at = 0; at < before.length; at += 2) {
      const leg = (before[at + 1] ?? 0) - 1;
      if (leg >= 0) occupy(slots, before[at] ?? 0, leg);
    }
    this.slots = slots;
  }

  private newSlots(words: number): Int32Array {
    const taken = this.core?.slotRoom(words);
    if (!taken) this.leaveCore();
    return taken ?? new Int32Array(words);
  }

  /** Those in the core begin with the ones that are there. */
  private newRecords(words: number): { words: Int32Array; doubles: Float64Array } {
    const taken = this.core?.recordRoom(words);
    if (taken) return taken;
    this.leaveCore();
    const buffer = new ArrayBuffer(BASE_BYTES + words * 4);
    return { words: new Int32Array(buffer, BASE_BYTES), doubles: new Float64Array(buffer, BASE_BYTES) };
  }

  /** The core has no more room: from now on the plain code counts. */
  private leaveCore(): void {
    this.core = undefined;
  }
}

function occupy(slots: Int32Array, h: number, leg: number): void {
  const mask = slots.length - 2;
  let at = (h << 1) & mask;
  while (slots[at + 1] !== 0) at = (at + 2) & mask;
  slots[at] = h;
  slots[at + 1] = leg + 1;
}
