/**
 * First judgement, over the flow table: legs whose frames all have one verdict are counted at once; the others are
 * suspects, whose frames the second reading judges one by one.
 */

import { isIpv6, macFromWords, mayBeSubnetBroadcast, type Ip, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { LegConduct } from './conduct.js';
import { Destinations, type Destination } from './destinations.js';
import { Judge } from './judge.js';
import { DELIVERED, notJudged, type JudgeReason, type Ruling, type Stretch } from './ruling.js';
import { runsOfLeg, viewLeg, type LegView, type Run } from './legs.js';
import { macPairsOf, type MacPairs } from './mac-pairs.js';
import type { Networks } from './networks.js';
import type { Ownership } from './ownership.js';
import { PlainLegs } from './plain-legs.js';
import type { Surroundings } from './witnesses.js';

/** Frames counted per input: delivered, and not judged by reason. */
export interface Counts {
  delivered: number;
  readonly notJudged: Map<JudgeReason, number>;
}

/** How the judge rules over frames of one transmitter to one destination and MAC. */
interface Rules {
  readonly stretches: readonly Stretch[];
  /** The one ruling at all times, where there is nothing to examine. */
  readonly only: Ruling | undefined;
}

/** Rulings that depend on more than a destination and a pair of MACs: on the leg, its device, its other runs. */
export interface Overlay {
  /** The MACs that it has anything to say of frames to. */
  readonly concerned: { readonly size: number; has(mac: Mac): boolean };
  /** The rulings for a leg's frames to a MAC, with its own over those that are delivered. */
  overlay(view: LegView, mac: Mac, stretches: readonly Stretch[]): readonly Stretch[];
}

export class Verdicts {
  readonly byInput = new Map<number, Counts>();
  /** Legs that the second reading judges frame by frame. */
  readonly suspects = new Set<number>();
  private readonly r: Reconstruction;
  private readonly networks: Networks;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly map: ReadonlyMap<Ip, Mac>;
  private readonly judge: Judge;
  private readonly overlays: readonly Overlay[];
  private readonly destinations: Destinations;
  /** Rules asked for so far, by destination (or the network, where nobody is known to have the address) and both MACs. */
  private readonly asked = new WordTable();
  private readonly rules: Rules[] = [];

  constructor(
    r: Reconstruction,
    around: Surroundings,
    ownerships: ReadonlyMap<number, Ownership>,
    map: ReadonlyMap<Ip, Mac>,
    overlays: readonly Overlay[],
  ) {
    this.r = r;
    this.networks = around.networks;
    this.ownerships = ownerships;
    this.map = map;
    this.overlays = overlays.filter(({ concerned }) => concerned.size > 0);
    this.destinations = new Destinations(r, around, ownerships);
    this.judge = new Judge(r, around, ownerships, new LegConduct(r, around.networks.of, this.destinations), map);
  }

  /**
   * Judges all legs. Nearly all are plain, and of the others most have one ruling: these cost no object each. The legs
   * given are suspects in any case.
   */
  run(chosen: ReadonlySet<number> = new Set()): void {
    const { words } = this.r.legs;
    const plain = this.plainLegs();
    const delivered = new Float64Array(this.r.taps.all.length);
    const pairs = macPairsOf(this.r);
    for (const leg of pairs.legsOf(this.openPairs(pairs, plain, chosen, delivered))) {
      if (chosen.size > 0 && chosen.has(leg)) {
        this.suspects.add(leg);
      } else if (plain?.has(leg)) {
        const tap = (words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16;
        delivered[tap] = (delivered[tap] ?? 0) + (words[leg * LEG_WORDS + Leg.FRAMES] ?? 0);
      } else {
        this.judgeLeg(leg);
      }
    }
    for (const [tap, frames] of delivered.entries()) if (frames > 0) this.countOnTap(tap, DELIVERED, frames);
  }

  /** Counts the pairs of MACs whose legs all go to one address and are plain. @returns by pair, 1 for the others */
  private openPairs(
    pairs: MacPairs,
    plain: PlainLegs | undefined,
    chosen: ReadonlySet<number>,
    delivered: Float64Array,
  ): Uint8Array {
    const isOpen = new Uint8Array(pairs.count);
    for (const leg of pairs.changing) isOpen[pairs.of[leg] ?? 0] = 1;
    for (const leg of chosen) isOpen[pairs.of[leg] ?? 0] = 1;
    for (let pair = 0; pair < pairs.count; pair++) {
      if (isOpen[pair] === 0 && plain?.hasAll(pair)) {
        delivered[pairs.tap(pair)] = (delivered[pairs.tap(pair)] ?? 0) + pairs.frames(pair);
      } else {
        isOpen[pair] = 1;
      }
    }
    return isOpen;
  }

  /** What needs no judge; undefined where the user vouches for addresses, which may contradict all witnesses. */
  private plainLegs(): PlainLegs | undefined {
    if (this.map.size > 0) return undefined;
    return new PlainLegs(
      this.r,
      this.networks,
      this.ownerships,
      this.overlays.length > 0 ? (mac) => this.isConcerned(mac) : undefined,
      (network, mac) => this.judge.isWayOut(network, mac),
    );
  }

  private judgeLeg(leg: number): void {
    const { words } = this.r.legs;
    const w = leg * LEG_WORDS;
    const only = (words[w + Leg.CLOSED] ?? -1) < 0 ? this.onlyRuling(leg) : undefined;
    if (only) this.countOnTap((words[w + Leg.META] ?? 0) >>> 16, only, words[w + Leg.FRAMES] ?? 0);
    else this.judgeRuns(leg);
  }

  /** The one ruling of a leg with one mapping, if its time does not matter. */
  private onlyRuling(leg: number): Ruling | undefined {
    const { words } = this.r.legs;
    const w = leg * LEG_WORDS;
    const macs = words[w + Leg.MACS_HIGH] ?? 0;
    const macLow = words[w + Leg.DST_MAC_LOW] ?? 0;
    const destination = this.destinations.ofLeg(leg);
    const quick = this.quickRules(destination, words[w + Leg.META] ?? 0, words[w + Leg.PORTS] ?? 0, macs, macLow);
    if (quick) return this.isConcerned(macFromWords(macs, macLow)) ? undefined : quick.only;
    const { only } = this.rulesOf(destination, words[w + Leg.SRC_MAC_LOW] ?? 0, macs, macLow);
    return only?.reason === 'unknown-next-hop' && this.r.legs.isAnswered(leg) ? DELIVERED : only;
  }

  private judgeRuns(leg: number): void {
    const view = viewLeg(this.r, leg);
    const runs = runsOfLeg(this.r, leg);
    const rulings = runs.map((run) => this.rulingOfRun(view, run));
    if (rulings.every((ruling) => ruling !== undefined)) {
      runs.forEach((run, i) => this.count(view, rulings[i] ?? DELIVERED, run.frames));
    } else {
      this.suspects.add(leg);
    }
  }

  /** The rulings over time for frames of a leg to a MAC. */
  stretches(view: LegView, mac: Mac): readonly Stretch[] {
    const { words } = this.r.legs;
    const w = view.leg * LEG_WORDS;
    const macs = ((words[w + Leg.MACS_HIGH] ?? 0) & ~0xffff) | Math.floor(mac / 0x1_0000_0000);
    const macLow = mac | 0;
    const destination = this.destinations.ofLeg(view.leg);
    const { stretches } =
      this.quickRules(destination, words[w + Leg.META] ?? 0, words[w + Leg.PORTS] ?? 0, macs, macLow) ??
      this.rulesOf(destination, words[w + Leg.SRC_MAC_LOW] ?? 0, macs, macLow);
    return this.overlays.reduce(
      (ruled, one) => (one.concerned.has(mac) ? one.overlay(view, mac, ruled) : ruled),
      stretches,
    );
  }

  private isConcerned(mac: Mac): boolean {
    return this.overlays.some(({ concerned }) => concerned.has(mac));
  }

  /** Counts frames that are delivered or not judged. */
  count(view: LegView, ruling: Ruling, frames: number): void {
    this.countOnTap(view.tap, ruling, frames);
  }

  private countOnTap(tap: number, ruling: Ruling, frames: number): void {
    const input = this.r.taps.all[tap]?.input ?? 0;
    let counts = this.byInput.get(input);
    if (!counts) this.byInput.set(input, (counts = { delivered: 0, notJudged: new Map() }));
    if (ruling.reason === undefined) counts.delivered += frames;
    else counts.notJudged.set(ruling.reason, (counts.notJudged.get(ruling.reason) ?? 0) + frames);
  }

  /** The one ruling of all frames of a run; undefined when some may be misdelivered, or rulings differ. */
  private rulingOfRun(view: LegView, run: Run): Ruling | undefined {
    if (run.mixed) return undefined;
    const stretches = this.stretches(view, run.mac);
    const touched = stretchesWithin(stretches, run.first, run.last);
    const first = touched[0]?.ruling;
    if (!first || first.verdict === 'misdelivered' || first.class) return undefined;
    const isOne = touched.every(
      ({ ruling }) => ruling.verdict === first.verdict && ruling.reason === first.reason && !ruling.class,
    );
    if (!isOne) return undefined;
    return this.settled(view, run.mac, first);
  }

  /** A ruling for a leg's frames to a MAC, with what other legs of its flow say. */
  settled(view: LegView, mac: Mac, ruling: Ruling): Ruling {
    return ruling.reason === 'unknown-next-hop' && this.isAnswered(view, mac) ? DELIVERED : ruling;
  }

  /** Whether the MAC sent packets of the same flow back: then it is a way to the destination, whoever it is. */
  private isAnswered(view: LegView, mac: Mac): boolean {
    return this.r.legs.hasAnswer(view.leg, Math.floor(mac / 0x1_0000_0000), mac | 0);
  }

  /** Rulings that need neither witness nor history. MACs as the words of a leg record. */
  private quickRules(to: Destination, meta: number, ports: number, macs: number, macLow: number): Rules | undefined {
    if (macs & GROUP_BIT) {
      const isBroadcast = (macs & 0xffff) === 0xffff && macLow === -1;
      return to.isGroup || (isBroadcast && mayBeSubnetBroadcast(to.ip)) ? ALL_DELIVERED : GROUP_MAC;
    }
    // Wi-Fi turns multicast into unicast; a DHCP server writes to the MAC in the message, before anybody has the address.
    if (to.isGroup) return ALL_DELIVERED;
    const port = ports & 0xffff;
    return (port === 68 || port === 546) && ((meta >>> 8) & 0xff) === UDP ? ALL_DELIVERED : undefined;
  }

  /** What the judge says, asked once for each transmitter and MAC per destination. MACs as the words of a leg record. */
  private rulesOf(to: Destination, srcMacLow: number, macs: number, dstMacLow: number): Rules {
    // Where nobody is known to have the address, only its family matters.
    const isSomebodys = to.ownership !== undefined || this.map.has(to.ip);
    const at = this.asked.intern(
      isSomebodys ? to.number : ~(to.network * 2 + (isIpv6(to.ip) ? 1 : 0)),
      srcMacLow,
      macs,
      dstMacLow,
    );
    return (this.rules[at] ??= this.ask(to, macFromWords(macs >>> 16, srcMacLow), macFromWords(macs, dstMacLow)));
  }

  private ask(to: Destination, transmitter: Mac, mac: Mac): Rules {
    const tenures = this.map.size > 0 ? [] : (to.ownership?.tenures ?? []);
    const stretches =
      tenures.length === 1 && tenures[0]?.macs.includes(mac)
        ? ALL_DELIVERED.stretches
        : this.judge.rule(to.network, transmitter, to.ip, mac);
    const ruling = stretches.length === 1 ? stretches[0]?.ruling : undefined;
    const isPlain = ruling && ruling.verdict !== 'misdelivered' && !ruling.class && !this.isConcerned(mac);
    return { stretches, only: isPlain ? ruling : undefined };
  }
}

const UDP = 17;
/** The group bit of the upper half of a destination MAC. */
const GROUP_BIT = 0x100;

const ALL_DELIVERED: Rules = rulesAlways(DELIVERED);
const GROUP_MAC: Rules = rulesAlways(notJudged('group-mac'));

function rulesAlways(ruling: Ruling): Rules {
  return { stretches: [{ from: -Infinity, ruling }], only: ruling };
}

/** The stretches that a span of time touches; all of them when the time is unknown. */
function stretchesWithin(stretches: readonly Stretch[], first: number, last: number): readonly Stretch[] {
  if (Number.isNaN(first) || Number.isNaN(last)) return stretches;
  return stretches.filter((stretch, i) => stretch.from <= last && (stretches[i + 1]?.from ?? Infinity) > first);
}
