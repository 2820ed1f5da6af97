/**
 * Where a MAC is: on which port of a bridge, and since when. A frame that leaves another port though the bridge knows
 * better was not sent by the bridge, but by a path that was cached before the host moved.
 */

import { formatMac, macFromWords, parseMac, type Mac } from '../bytes/address.js';
import type { Origin, Witness } from '../model.js';
import type { Host } from '../reconstruct/hosts.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Tap } from '../reconstruct/taps.js';
import type { Ruling, Stretch } from './judge.js';
import { runsOfLeg, viewLeg, type LegView } from './legs.js';
import { frameOrigin, type Surroundings } from './witnesses.js';

/** A MAC was on a port from a moment on. */
interface Sighting {
  readonly port: string;
  readonly time: number;
  readonly kind: 'fdb-event' | 'fdb-entry' | 'ingress';
  readonly origin: Origin;
}

export class PortLocations {
  private readonly r: Reconstruction;
  private readonly deviceOf: (tap: Tap) => string;
  /** Changes of port of each MAC that moved, in order of time; the first is where it was at first. */
  private readonly moves = new Map<Mac, readonly Sighting[]>();
  private readonly bridgeOf = new Map<string, string>();

  constructor(r: Reconstruction, around: Surroundings, deviceOf: (tap: Tap) => string) {
    this.r = r;
    this.deviceOf = deviceOf;
    for (const host of around.hosts)
      for (const device of host.devices.values()) {
        if (device.master !== undefined) this.bridgeOf.set(device.name, device.master);
      }
    if (this.bridgeOf.size === 0) return;
    const sightings = new Map<Mac, Sighting[]>();
    const note = (mac: Mac, sighting: Sighting): void => {
      const list = sightings.get(mac);
      if (list) list.push(sighting);
      else sightings.set(mac, [sighting]);
    };
    this.collectFdb(around, note);
    this.collectIngress(around, note);
    for (const [mac, list] of sightings) {
      list.sort((a, b) => a.time - b.time || RANK.indexOf(a.kind) - RANK.indexOf(b.kind));
      const changes = list.filter((s, i) => s.port !== list[i - 1]?.port);
      if (changes.length > 1) this.moves.set(mac, changes);
    }
  }

  hasMoved(mac: Mac): boolean {
    return this.moves.has(mac);
  }

  /** The rulings for a leg's frames to a MAC, with what leaves a port that the MAC is not on. */
  overlay(view: LegView, mac: Mac, stretches: readonly Stretch[]): readonly Stretch[] {
    const tap = this.r.taps.all[view.tap];
    const port = tap && this.deviceOf(tap);
    const moves = this.moves.get(mac);
    const bridge = port === undefined ? undefined : this.bridgeOf.get(port);
    if (!moves || port === undefined || bridge === undefined) return stretches;
    const result: Stretch[] = [];
    const boundaries = [...new Set([...stretches.map((s) => s.from), ...moves.map((m) => m.time)])];
    const flooded = this.firstCopyElsewhere(view, mac, bridge);
    if (Number.isFinite(flooded)) boundaries.push(flooded);
    for (const from of boundaries.sort((a, b) => a - b)) {
      const below = stretches.findLast((s) => s.from <= from)?.ruling;
      if (!below) continue;
      const at = moves.findLast((m) => m.time <= from);
      const isElsewhere =
        at !== undefined && at !== moves[0] && at.port !== port && this.bridgeOf.get(at.port) === bridge;
      const isWrong = isElsewhere && below.verdict === 'delivered' && !below.class && from < flooded;
      result.push({ from, ruling: isWrong ? this.wrongPort(mac, at) : below });
    }
    return result;
  }

  /** First time that the same flow was sent to the same MAC on another port after the move: it may be flooded from then on. */
  private firstCopyElsewhere(view: LegView, mac: Mac, bridge: string): number {
    const moved = this.moves.get(mac)?.[1]?.time ?? Infinity;
    let first = Infinity;
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const other = viewLeg(this.r, leg);
      if (other.tap === view.tap || other.transmitter !== view.transmitter || !isSameFlow(other, view)) continue;
      const tap = this.r.taps.all[other.tap];
      const port = tap ? this.deviceOf(tap) : '';
      const own = this.r.taps.all[view.tap];
      if (this.bridgeOf.get(port) !== bridge || (own && port === this.deviceOf(own))) continue;
      for (const run of runsOfLeg(this.r, leg))
        if (run.mac === mac && run.last >= moved) first = Math.min(first, Math.max(run.first, moved));
    }
    return first;
  }

  private wrongPort(mac: Mac, at: Sighting): Ruling {
    const witness: Witness = {
      kind: at.kind,
      ip: '',
      mac: formatMac(mac),
      port: at.port,
      time: this.r.epoch.text(at.time),
      origin: at.origin,
    };
    return { verdict: 'misdelivered', class: 'wrong-port', expected: [mac], because: [witness] };
  }

  private collectFdb(around: Surroundings, note: (mac: Mac, sighting: Sighting) => void): void {
    for (const input of this.r.facts.inputs.values()) {
      for (const fact of input.fdb) {
        const mac = parseMac(fact.mac);
        if (mac === undefined || fact.permanent || fact.time === undefined || fact.event === 'deleted') continue;
        if (!this.bridgeOf.has(fact.device)) continue;
        note(mac, {
          port: fact.device,
          time: this.r.epoch.relative(fact.time),
          kind: fact.event ? 'fdb-event' : 'fdb-entry',
          origin: { input: around.inputName(input.input), line: fact.origin.line },
        });
      }
    }
  }

  /** Unicast frames to the bridge's own host come in where their sender is: nothing floods them. */
  private collectIngress(around: Surroundings, note: (mac: Mac, sighting: Sighting) => void): void {
    const own = new Set(around.hosts.flatMap((host: Host) => [...host.macs]));
    const { words } = this.r.legs;
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const w = leg * LEG_WORDS;
      const dst = macFromWords(words[w + Leg.MACS_HIGH] ?? 0, words[w + Leg.DST_MAC_LOW] ?? 0);
      if (!own.has(dst)) continue;
      const view = viewLeg(this.r, leg);
      const tap = this.r.taps.all[view.tap];
      const port = tap ? this.deviceOf(tap) : '';
      if (!this.bridgeOf.has(port) || own.has(view.transmitter)) continue;
      for (const run of runsOfLeg(this.r, leg)) {
        if (!own.has(run.mac) || Number.isNaN(run.first)) continue;
        const kind = 'ingress';
        note(view.transmitter, {
          port,
          time: run.first,
          kind,
          origin: frameOrigin(this.r, around, view.tap, run.firstFrame),
        });
        note(view.transmitter, {
          port,
          time: run.last,
          kind,
          origin: frameOrigin(this.r, around, view.tap, run.lastFrame),
        });
      }
    }
  }
}

const RANK = ['fdb-event', 'ingress', 'fdb-entry'];

function isSameFlow(a: LegView, b: LegView): boolean {
  return (
    a.srcIp === b.srcIp &&
    a.dstIp === b.dstIp &&
    a.protocol === b.protocol &&
    a.srcPort === b.srcPort &&
    a.dstPort === b.dstPort
  );
}
