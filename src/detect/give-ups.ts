/**
 * Addresses that go to and fro: a MAC claims one again after another MAC did. Their claims alone do not tell whether each
 * gave it up to the other, or both have it. But who has given an address up does not answer what it is still sent. That
 * takes the times of single packets, so that captures are read again for such addresses, which are few.
 */

import { macFromWords, type Mac } from '../bytes/address.js';
import type { Origin } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { FrameBatch } from '../records/frame-batch.js';
import { viewLeg } from './legs.js';
import { firstSince } from './order.js';
import type { Silence, Testimony } from './ownership.js';
import type { Testimonies } from './testimonies.js';
import { WantedPackets } from './wanted.js';

/** Addresses looked at; of more, the first ones. */
const MAX_ADDRESSES = 64;
/** Packets kept; where there are more, nothing is said of anybody. */
const MAX_MOMENTS = 500_000;
/** Packets closer than this are one moment, ns. */
const MOMENT = 1e8;
/** What was under way when a host went, ns. */
const TAIL = 1e9;
/** How long before its last word a host's talk is looked at, ns. */
const HABIT = 10e9;
/** Moments at which it talked before, and at which it was sent something in vain. */
const ENOUGH = 5;
/** More are not counted. */
const MANY = 1000;

interface Moment {
  readonly time: number;
  readonly tap: number;
  readonly frame: number;
}

/** What a MAC said from an address, and what it was sent for it. */
interface Talk {
  readonly said: Moment[];
  readonly sent: Moment[];
}

interface Place {
  readonly testimonies: Testimonies;
  readonly talks: ReadonlyMap<Mac, Talk>;
}

export class GiveUps {
  private readonly r: Reconstruction;
  private readonly originOf: (tap: number, frame: number) => Origin;
  private readonly places: Place[] = [];
  /** Legs to be followed by input: from the address, or to it. */
  private readonly followed = new Map<number, Map<number, { place: Place; isFrom: boolean }>>();
  private input = -1;
  private count = 0;

  constructor(
    r: Reconstruction,
    networkOf: Int32Array,
    ownerships: ReadonlyMap<number, Testimonies>,
    originOf: (tap: number, frame: number) => Origin,
  ) {
    this.r = r;
    this.originOf = originOf;
    const places = new Map<number, Place>();
    for (const [key, testimonies] of ownerships) {
      if (places.size >= MAX_ADDRESSES) break;
      if (!testimonies.isClaimedAgain) continue;
      const talks = new Map(testimonies.speakers.map((mac) => [mac, { said: [], sent: [] }]));
      if (talks.size > 0) places.set(key, { testimonies, talks });
    }
    if (places.size === 0) return;
    this.places = [...places.values()];
    for (let leg = 0; leg < r.legs.count; leg++) {
      const { tap, transmitter, srcIp, dstIp } = viewLeg(r, leg);
      const network = networkOf[tap] ?? 0;
      const from = places.get(addressKey(network, srcIp));
      const to = places.get(addressKey(network, dstIp));
      if (from?.talks.has(transmitter)) this.follow(tap, leg, from, true);
      else if (to) this.follow(tap, leg, to, false);
    }
  }

  private follow(tap: number, leg: number, place: Place, isFrom: boolean): void {
    const input = this.r.taps.all[tap]?.input ?? 0;
    const legs = this.followed.get(input);
    if (legs) legs.set(leg, { place, isFrom });
    else this.followed.set(input, new Map([[leg, { place, isFrom }]]));
  }

  /** Inputs to be read again, in order; none where no address went to and fro. */
  inputs(): number[] {
    return [...this.followed.keys()].sort((a, b) => a - b);
  }

  /** The packets of an input that are wanted; it is read next. */
  wanted(input: number): WantedPackets {
    this.input = input;
    return new WantedPackets(this.r, this.followed.get(input)?.keys() ?? []);
  }

  /** Takes a batch of the input that is read. */
  add(frames: FrameBatch): void {
    const legs = this.followed.get(this.input);
    if (!legs) return;
    this.r.find(frames);
    for (let i = 0; i < frames.count; i++) {
      const leg = this.r.legs.row[i] ?? -1;
      const found = leg < 0 ? undefined : legs.get(leg);
      const time = frames.time[i] ?? NaN;
      if (!found || Number.isNaN(time)) continue;
      const mac = found.isFrom
        ? macFromWords(frames.srcMacHigh[i] ?? 0, frames.srcMacLow[i] ?? 0)
        : macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0);
      const talk = found.place.talks.get(mac);
      const moments = found.isFrom ? talk?.said : talk?.sent;
      if (!moments || ++this.count > MAX_MOMENTS) continue;
      moments.push({ time, tap: viewLeg(this.r, leg).tap, frame: frames.frame[i] ?? 0 });
    }
  }

  /** Lets the addresses know who gave them up, and when, once all inputs were read again. Nothing changes for others. */
  finish(): void {
    if (this.count > MAX_MOMENTS) return;
    for (const { testimonies, talks } of this.places) {
      const silences: Silence[] = [];
      for (const [mac, talk] of talks) {
        talk.said.sort(byTime);
        talk.sent.sort(byTime);
        silences.push(...silencesOf(mac, talk, testimonies.takeOversFrom(mac)));
      }
      if (silences.length > 0) testimonies.tellSilences(silences, this.wordsOf(talks, silences));
    }
  }

  /** What was said from the address, cut where somebody had given it up. */
  private wordsOf(talks: ReadonlyMap<Mac, Talk>, silences: readonly Silence[]): Testimony[] {
    return [...talks].flatMap(([mac, { said }]) => {
      const cuts = silences.filter((silence) => silence.mac === mac).map(({ until }) => until);
      return [-Infinity, ...cuts].flatMap((from, i): Testimony[] => {
        const first = said[indexAt(said, from)];
        const last = said[indexAt(said, cuts[i] ?? Infinity) - 1];
        if (!first || !last) return [];
        const origin = this.originOf(first.tap, first.frame);
        return [{ mac, first: first.time, last: last.time, kind: 'originated', origin }];
      });
    });
  }
}

/**
 * When a MAC had given the address up: it talked, as its kind of talk is, fell silent before or when another MAC took the
 * address over, and stayed so though it was sent packets for it.
 * @param takeOvers times at which others claimed it
 */
function silencesOf(mac: Mac, { said, sent }: Talk, takeOvers: readonly number[]): Silence[] {
  const silences: Silence[] = [];
  for (const time of takeOvers) {
    const next = indexAt(said, time + TAIL);
    const until = said[next]?.time ?? Infinity;
    const from = said[next - 1]?.time;
    if (from === undefined || silences.at(-1)?.from === from) continue;
    const since = Math.max(from - HABIT, silences.at(-1)?.until ?? -Infinity);
    const before = countIn(said, since, from + 1);
    const asked = countIn(sent, since, from + 1);
    const inVain = countIn(sent, Math.max(from, time) + TAIL, until);
    if (before >= ENOUGH && before * 2 >= asked && inVain >= ENOUGH) silences.push({ mac, from, until });
  }
  return silences;
}

/** Moments from one time to before another. */
function countIn(packets: readonly Moment[], from: number, until: number): number {
  let count = 0;
  for (let at = indexAt(packets, from); count < MANY; count++) {
    const time = packets[at]?.time ?? Infinity;
    if (time >= until) break;
    at = indexAt(packets, time + MOMENT);
  }
  return count;
}

/** Index of the first packet that is not earlier than a time; their number, when all are. */
function indexAt(packets: readonly Moment[], time: number): number {
  return firstSince(packets.length, (i) => packets[i]?.time ?? Infinity, time);
}

function byTime(a: Moment, b: Moment): number {
  return a.time - b.time;
}
