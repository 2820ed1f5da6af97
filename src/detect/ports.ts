/**
 * Where a MAC is: on which port of a bridge, from when to when. A frame that its host sends out of another port, though
 * the bridge knows better, was not switched, but took a path that was cached before the MAC moved.
 */

import { formatMac, macFromWords, parseMac, type Mac } from '../bytes/address.js';
import type { Origin, Witness } from '../model.js';
import type { Host } from '../reconstruct/hosts.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Tap } from '../reconstruct/taps.js';
import { DELIVERED, type Ruling, type Stretch } from './ruling.js';
import { runsOfLeg, viewLeg, type LegView } from './legs.js';
import { PacketTimes } from './packet-times.js';
import { overrule } from './stretches.js';
import type { Overlay } from './verdicts.js';
import { frameOrigin, type Surroundings } from './witnesses.js';

/** A MAC was on a port, from its first sighting there to its last one, with none on another port between. */
interface Stay {
  readonly port: string;
  readonly from: number;
  readonly kind: 'fdb-event' | 'fdb-entry' | 'ingress';
  readonly origin: Origin;
  last: number;
  /** Who says that it was there last. */
  lastKind: 'fdb-event' | 'fdb-entry' | 'ingress';
  lastOrigin: Origin;
}

interface Sighting {
  readonly port: string;
  readonly time: number;
  readonly kind: Stay['kind'];
  readonly origin: Origin;
}

/** A leg of a flow on a port. */
interface Copy {
  readonly port: string;
  readonly leg: number;
}

/** A port of a bridge of a host whose dumps are at hand. */
interface BridgePort {
  readonly bridge: string;
  readonly host: Host;
}

/** Time that a bridge may take to act on what it learnt, ns. */
const REACTION = 1e8;
/** What still leaves by the old port after this long was not in a queue when the MAC moved, ns. */
const LINGER = 1e9;
/** A bridge forgets a MAC that is silent this long, and floods what is sent to it (IEEE 802.1Q, default ageing time). */
const AGEING = 300e9;

export class PortLocations implements Overlay {
  private readonly r: Reconstruction;
  private readonly deviceOf: (tap: Tap) => string;
  private readonly ports = new Map<string, BridgePort>();
  /** Stays of each MAC that moved, by VLAN and MAC. */
  private readonly stays = new Map<string, readonly Stay[]>();
  readonly concerned = new Set<Mac>();
  /** The VLAN of what ports send and take without a tag, where their bridge filters VLANs. */
  private untagged: ReadonlyMap<string, number> = new Map();
  private copies: Map<string, Copy[]> | undefined;
  private times: PacketTimes | undefined;

  constructor(r: Reconstruction, around: Surroundings, deviceOf: (tap: Tap) => string) {
    this.r = r;
    this.deviceOf = deviceOf;
    for (const host of around.hosts) {
      for (const { name, master } of host.devices.values()) {
        if (master !== undefined && host.devices.get(master)?.isBridge) this.ports.set(name, { bridge: master, host });
      }
    }
    if (this.ports.size === 0) return;
    const sightings = new Map<string, { mac: Mac; list: Sighting[] }>();
    this.untagged = this.untaggedVlans();
    const note = (mac: Mac, vlan: number, sighting: Sighting): void => {
      const key = stayKey(mac, vlan < 0 ? (this.untagged.get(sighting.port) ?? vlan) : vlan);
      const entry = sightings.get(key);
      if (entry) entry.list.push(sighting);
      else sightings.set(key, { mac, list: [sighting] });
    };
    this.collectFdb(around, note);
    this.collectIngress(around, note);
    for (const [key, { mac, list }] of sightings) {
      const stays = staysOf(list);
      if (stays.length < 2) continue;
      this.stays.set(key, stays);
      this.concerned.add(mac);
    }
  }

  /** The rulings for a leg's frames to a MAC, with what its host sent out of a port that the MAC was not on. */
  overlay(view: LegView, mac: Mac, stretches: readonly Stretch[]): readonly Stretch[] {
    const tap = this.r.taps.all[view.tap];
    const name = tap ? this.deviceOf(tap) : '';
    const port = this.ports.get(name);
    const vlan = tap?.vlan ?? -1;
    const stays = this.stays.get(stayKey(mac, vlan < 0 ? (this.untagged.get(name) ?? vlan) : vlan));
    if (!port || !stays || !port.host.macs.has(view.transmitter)) return stretches;
    const copies = this.copiesElsewhere(view, name);
    const result: Stretch[] = [...stretches];
    const runs = runsOfLeg(this.r, view.leg).filter((run) => run.mac === mac && !run.mixed);
    for (const [i, stay] of stays.entries()) {
      // What goes on for long was not under way: it is wrong from when the bridge knew.
      const lingers = runs.some((run) => run.first < stay.from && run.last > stay.from + LINGER);
      const from = lingers ? stay.from : stay.from + REACTION;
      const isElsewhere = i > 0 && stay.port !== name && this.ports.get(stay.port)?.bridge === port.bridge;
      if (!isElsewhere) continue;
      const until = Math.min(
        stay.last + AGEING,
        stays[i + 1]?.from ?? Infinity,
        this.firstSince(stay.from, copies, mac),
      );
      if (from >= until) continue;
      overrule(result, from, until, { ...this.wrongPort(mac, stay), since: stay.from });
      const before = stays[i - 1];
      // Between its last word on this port and its first one on the other it was on its way: nobody says when it left.
      if (before?.port === name) overrule(result, before.last + 1, from, this.mayBeWrongPort(mac, before, stay.from));
    }
    return result;
  }

  /**
   * The times of packets that are to be known first: of flows that were sent to a MAC that moved on several ports in the
   * same time, be it the same packets or others.
   */
  timesWanted(): PacketTimes {
    this.copies ??= this.indexCopies();
    const legs = [...this.copies.values()]
      .flatMap((same) => (this.isIntertwined(same) ? same : []))
      .map(({ leg }) => leg);
    const inputOf = (leg: number): number => this.r.taps.all[viewLeg(this.r, leg).tap]?.input ?? 0;
    return (this.times = new PacketTimes(this.r, legs, this.concerned, inputOf));
  }

  private isIntertwined(same: readonly Copy[]): boolean {
    const runs = same.flatMap(({ port, leg }) => runsOfLeg(this.r, leg).map((run) => ({ port, ...run })));
    const until = new Map<string, number>();
    for (const { port, mac, first, last } of runs.toSorted((a, b) => a.first - b.first)) {
      if (!this.concerned.has(mac)) continue;
      if ([...until].some(([other, end]) => other !== port && first < end)) return true;
      until.set(port, Math.max(until.get(port) ?? last, last));
    }
    return false;
  }

  /** Legs of the same flow on other ports of the bridge. */
  private copiesElsewhere(view: LegView, name: string): number[] {
    this.copies ??= this.indexCopies();
    return (this.copies.get(flowKey(view)) ?? [])
      .filter(({ port }) => port !== name && this.ports.get(port)?.bridge === this.ports.get(name)?.bridge)
      .map(({ leg }) => leg);
  }

  /** First time that a copy was sent after the MAC moved: the flow may be flooded from then on. Infinity when none was. */
  private firstSince(moved: number, copies: readonly number[], mac: Mac): number {
    let first = Infinity;
    for (const leg of copies) {
      for (const run of runsOfLeg(this.r, leg)) {
        if (run.mac !== mac || run.last < moved) continue;
        first = Math.min(first, this.times?.firstSince(leg, moved) ?? Math.max(run.first, moved));
      }
    }
    return first;
  }

  /** Legs on bridge ports to MACs that moved, by transmitter and flow. */
  private indexCopies(): Map<string, Copy[]> {
    const copies = new Map<string, Copy[]>();
    if (this.concerned.size === 0) return copies;
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const view = viewLeg(this.r, leg);
      const tap = this.r.taps.all[view.tap];
      const port = tap ? this.deviceOf(tap) : '';
      if (!this.ports.has(port) || !runsOfLeg(this.r, leg).some((run) => this.concerned.has(run.mac))) continue;
      const key = flowKey(view);
      const same = copies.get(key);
      if (same) same.push({ port, leg });
      else copies.set(key, [{ port, leg }]);
    }
    return copies;
  }

  private wrongPort(mac: Mac, { kind, port, from, origin }: Stay): Ruling {
    const witness = this.witness(mac, port, kind, from, origin);
    return { verdict: 'misdelivered', class: 'wrong-port', expected: [mac], because: [witness] };
  }

  /**
   * A bridge that filters VLANs puts what comes without a tag into the port's own VLAN, and names that in its forwarding
   * table. It is the only VLAN that the table has for the port, apart from those which captures show as tags there.
   */
  private untaggedVlans(): Map<string, number> {
    const tagged = new Set<string>();
    for (const tap of this.r.taps.all) if (tap.vlan > 0) tagged.add(`${this.deviceOf(tap)} ${tap.vlan}`);
    const found = new Map<string, number | undefined>();
    for (const input of this.r.facts.inputs.values()) {
      for (const { device, vlan } of input.fdb) {
        if (vlan === undefined || !this.ports.has(device) || tagged.has(`${device} ${vlan}`)) continue;
        found.set(device, found.has(device) && found.get(device) !== vlan ? undefined : vlan);
      }
    }
    return new Map([...found].flatMap(([port, vlan]) => (vlan === undefined ? [] : [[port, vlan] as const])));
  }

  private mayBeWrongPort(mac: Mac, { port, lastKind, last, lastOrigin }: Stay, until: number): Ruling {
    const heard = this.witness(mac, port, lastKind, last, lastOrigin);
    return { ...DELIVERED, doubt: { until, class: 'wrong-port', heard } };
  }

  private witness(mac: Mac, port: string, kind: Stay['kind'], time: number, origin: Origin): Witness {
    return { kind, ip: '', mac: formatMac(mac), port, time: this.r.epoch.text(time), origin };
  }

  private collectFdb(around: Surroundings, note: (mac: Mac, vlan: number, sighting: Sighting) => void): void {
    for (const input of this.r.facts.inputs.values()) {
      for (const fact of input.fdb) {
        const mac = parseMac(fact.mac);
        if (mac === undefined || fact.permanent || fact.time === undefined || fact.event === 'deleted') continue;
        if (!this.ports.has(fact.device)) continue;
        note(mac, fact.vlan ?? -1, {
          port: fact.device,
          time: this.r.epoch.relative(fact.time),
          kind: fact.event ? 'fdb-event' : 'fdb-entry',
          origin: { input: around.inputName(input.input), line: fact.origin.line },
        });
      }
    }
  }

  /** Unicast frames to the bridge's own host come in where their sender is: nothing floods them. */
  private collectIngress(around: Surroundings, note: (mac: Mac, vlan: number, sighting: Sighting) => void): void {
    const own = new Set([...this.ports.values()].flatMap(({ host }) => [...host.macs]));
    const { words } = this.r.legs;
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const w = leg * LEG_WORDS;
      if (!own.has(macFromWords(words[w + Leg.MACS_HIGH] ?? 0, words[w + Leg.DST_MAC_LOW] ?? 0))) continue;
      const view = viewLeg(this.r, leg);
      const tap = this.r.taps.all[view.tap];
      const port = tap ? this.deviceOf(tap) : '';
      if (!tap || !this.ports.has(port) || own.has(view.transmitter)) continue;
      for (const run of runsOfLeg(this.r, leg)) {
        if (!own.has(run.mac) || Number.isNaN(run.first)) continue;
        const seen = (time: number, frame: number): void =>
          note(view.transmitter, tap.vlan, {
            port,
            time,
            kind: 'ingress',
            origin: frameOrigin(this.r, around, view.tap, frame),
          });
        seen(run.first, run.firstFrame);
        seen(run.last, run.lastFrame);
      }
    }
  }
}

const RANK = ['fdb-event', 'ingress', 'fdb-entry'];

function staysOf(sightings: Sighting[]): Stay[] {
  sightings.sort((a, b) => a.time - b.time || RANK.indexOf(a.kind) - RANK.indexOf(b.kind));
  const stays: Stay[] = [];
  for (const { port, time, kind, origin } of sightings) {
    const stay = stays.at(-1);
    if (stay?.port === port) Object.assign(stay, { last: time, lastKind: kind, lastOrigin: origin });
    else stays.push({ port, from: time, kind, origin, last: time, lastKind: kind, lastOrigin: origin });
  }
  return stays;
}

function stayKey(mac: Mac, vlan: number): string {
  return `${vlan} ${mac}`;
}

function flowKey(view: LegView): string {
  return `${view.transmitter} ${view.protocol} ${view.srcIp} ${view.srcPort} ${view.dstIp} ${view.dstPort}`;
}
