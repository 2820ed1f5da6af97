/**
 * First judgement, over the flow table: legs whose frames all have one verdict are counted at once; the others are
 * suspects, whose frames the second reading judges one by one.
 */

import { BROADCAST_MAC, isGroupMac, isIpv6, type Ip, type Mac } from '../bytes/address.js';
import { addressKey } from '../reconstruct/claims.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { DELIVERED, Judge, notJudged, type Conduct, type JudgeReason, type Ruling, type Stretch } from './judge.js';
import type { OwnFrame } from './learning.js';
import { runsOfLeg, viewLeg, type LegView, type Run } from './legs.js';
import type { Ownership } from './ownership.js';
import type { PortLocations } from './ports.js';
import { isGroupIp } from './routers.js';
import type { Surroundings } from './witnesses.js';

/** Frames counted per input: delivered, and not judged by reason. */
export interface Counts {
  delivered: number;
  readonly notJudged: Map<JudgeReason, number>;
}

export class Verdicts {
  readonly byInput = new Map<number, Counts>();
  /** Legs that the second reading judges frame by frame. */
  readonly suspects = new Set<number>();
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly map: ReadonlyMap<Ip, Mac>;
  private readonly judge: Judge;
  private readonly ports: PortLocations;
  private readonly cache = new Map<string, readonly Stretch[]>();

  constructor(
    r: Reconstruction,
    around: Surroundings,
    ownerships: ReadonlyMap<number, Ownership>,
    map: ReadonlyMap<Ip, Mac>,
    ports: PortLocations,
  ) {
    this.r = r;
    this.around = around;
    this.ownerships = ownerships;
    this.map = map;
    this.ports = ports;
    this.judge = new Judge(r, around, ownerships, new LegConduct(r, around, ownerships), map);
  }

  /** Judges all legs. */
  run(): void {
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const view = viewLeg(this.r, leg);
      const runs = runsOfLeg(this.r, leg);
      const rulings = runs.map((run) => this.rulingOfRun(view, run));
      if (rulings.every((ruling) => ruling !== undefined)) {
        runs.forEach((run, i) => this.count(view, rulings[i] ?? DELIVERED, run.frames));
      } else {
        this.suspects.add(leg);
      }
    }
  }

  /** The rulings over time for frames of a leg to a MAC. */
  stretches(view: LegView, mac: Mac): readonly Stretch[] {
    const stretches = this.byAddress(view, mac);
    return this.ports.hasMoved(mac) ? this.ports.overlay(view, mac, stretches) : stretches;
  }

  private byAddress(view: LegView, mac: Mac): readonly Stretch[] {
    const quick = this.quickRuling(view, mac);
    if (quick) return [{ from: -Infinity, ruling: quick }];
    const network = this.around.networks.of[view.tap] ?? 0;
    const key = `${network} ${view.transmitter} ${view.dstIp} ${mac}`;
    let stretches = this.cache.get(key);
    if (!stretches) {
      stretches = this.judge.rule(network, view.transmitter, view.dstIp, mac);
      this.cache.set(key, stretches);
    }
    return stretches;
  }

  /** Counts frames that are delivered or not judged. */
  count(view: LegView, ruling: Ruling, frames: number): void {
    const input = this.r.taps.all[view.tap]?.input ?? 0;
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
    return first.reason === 'unknown-next-hop' && this.isAnswered(view, run.mac) ? DELIVERED : first;
  }

  /** Whether the MAC sent packets of the same flow back: then it is a way to the destination, whoever it is. */
  private isAnswered(view: LegView, mac: Mac): boolean {
    return this.r.legs.hasAnswer(view.leg, Math.floor(mac / 0x1_0000_0000), mac | 0);
  }

  /** Rulings that need no history. */
  private quickRuling(view: LegView, mac: Mac): Ruling | undefined {
    if (isGroupMac(mac)) {
      return isGroupIp(this.r, view.dstIp) || (mac === BROADCAST_MAC && isSubnetBroadcast(view.dstIp))
        ? DELIVERED
        : notJudged('group-mac');
    }
    // Wi-Fi turns multicast into unicast; a DHCP server writes to the MAC in the message, before anybody has the address.
    if (isGroupIp(this.r, view.dstIp)) return DELIVERED;
    if (view.protocol === 17 && (view.dstPort === 68 || view.dstPort === 546)) return DELIVERED;
    if (this.map.size > 0) return undefined;
    const ownership = this.ownerships.get(addressKey(this.around.networks.of[view.tap] ?? 0, view.dstIp));
    return ownership?.tenures.length === 1 && ownership.tenures[0]?.macs.includes(mac) ? DELIVERED : undefined;
  }
}

/** The stretches that a span of time touches; all of them when the time is unknown. */
function stretchesWithin(stretches: readonly Stretch[], first: number, last: number): readonly Stretch[] {
  if (Number.isNaN(first) || Number.isNaN(last)) return stretches;
  return stretches.filter((stretch, i) => stretch.from <= last && (stretches[i + 1]?.from ?? Infinity) > first);
}

/** Without the mask: the last address of a subnet ends in ones. A frame to it went to everyone in any case. */
function isSubnetBroadcast(ip: Ip): boolean {
  return !isIpv6(ip) && (ip & 3) === 3;
}

/** What transmitters did, from the flow table, for the addresses that anybody asks about. */
class LegConduct implements Conduct {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private index: Map<string, OwnFrame[]> | undefined;

  constructor(r: Reconstruction, around: Surroundings, ownerships: ReadonlyMap<number, Ownership>) {
    this.r = r;
    this.around = around;
    this.ownerships = ownerships;
  }

  ownFrames(network: number, transmitter: Mac, ip: Ip): readonly OwnFrame[] {
    this.index ??= this.build();
    return this.index.get(`${network} ${transmitter} ${ip}`) ?? [];
  }

  /** First frames of every run to an address that somebody was seen to own. */
  private build(): Map<string, OwnFrame[]> {
    const index = new Map<string, OwnFrame[]>();
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const view = viewLeg(this.r, leg);
      const network = this.around.networks.of[view.tap] ?? 0;
      if (!this.ownerships.has(addressKey(network, view.dstIp))) continue;
      const key = `${network} ${view.transmitter} ${view.dstIp}`;
      let list = index.get(key);
      if (!list) index.set(key, (list = []));
      for (const run of runsOfLeg(this.r, leg)) {
        if (!run.mixed) list.push({ dstMac: run.mac, time: run.first, tap: view.tap, frame: run.firstFrame });
      }
    }
    return index;
  }
}
