/**
 * Frames that leave with the wrong VLAN tag: the MAC is right, and it is known in another VLAN of the same port, by what
 * it says there and by what the same sender sends it there. It never spoke in the VLAN of the frames, or left it: it has
 * spoken in the other one only ever since. Only tags of one interface are compared: many cards take tags off before a
 * capture sees them.
 */

import { formatMac, type Mac } from '../bytes/address.js';
import type { Witness } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Tap } from '../reconstruct/taps.js';
import type { Stretch } from './ruling.js';
import { runsOfLeg, viewLeg, type LegView, type Run } from './legs.js';
import type { Ownership, Tenure } from './ownership.js';
import { overrule } from './stretches.js';
import type { Overlay } from './verdicts.js';
import type { Surroundings } from './witnesses.js';

interface Astray {
  readonly mac: Mac;
  readonly tenure: Tenure;
  /** The right VLAN. */
  readonly vlan: number;
  /** From when on the frames are wrong, ns since the analysis epoch. */
  readonly from: number;
}

/** When a MAC spoke on a tap, ns since the analysis epoch. */
interface Speech {
  first: number;
  last: number;
}

/** Frames must go on to a VLAN for longer than this after the MAC left it: others were under way. */
const LINGER = 1e9;

interface Sent {
  readonly view: LegView;
  readonly run: Run;
}

export class VlanTags implements Overlay {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly astray = new Map<number, Astray>();
  readonly concerned = new Set<Mac>();

  constructor(r: Reconstruction, around: Surroundings, ownerships: ReadonlyMap<number, Ownership>) {
    this.r = r;
    this.around = around;
    this.ownerships = ownerships;
    const ports = new Map<number, Tap[]>();
    // VLAN 0 is a priority and no network.
    for (const tap of r.taps.all) if (tap.vlan > 0) ports.set(tap.port, [...(ports.get(tap.port) ?? []), tap]);
    const trunks = [...ports.values()].filter((taps) => taps.length > 1);
    if (trunks.length > 0) this.compare(trunks);
  }

  overlay(view: LegView, mac: Mac, stretches: readonly Stretch[]): readonly Stretch[] {
    const found = this.astray.get(view.leg);
    if (found?.mac !== mac) return stretches;
    const { testimonies } = found.tenure;
    const said = testimonies.find(({ first }) => first >= found.from) ?? testimonies[0];
    const witness: Witness = {
      kind: said?.kind ?? 'originated',
      ip: this.r.addresses.format(view.dstIp),
      mac: formatMac(mac),
      port: `VLAN ${found.vlan}`,
      ...(said && !Number.isNaN(said.first) ? { time: this.r.epoch.text(said.first) } : {}),
      ...(said?.origin ? { origin: said.origin } : {}),
    };
    const result = [...stretches];
    overrule(result, found.from, Infinity, {
      verdict: 'misdelivered',
      class: 'wrong-egress',
      expected: [mac],
      because: [witness],
    });
    return result;
  }

  private compare(trunks: readonly (readonly Tap[])[]): void {
    const siblings = new Map<number, readonly Tap[]>();
    for (const taps of trunks) for (const tap of taps) siblings.set(tap.id, taps);
    /** What was sent to a MAC for an address on a tap. */
    const sent = new Map<string, Sent[]>();
    const speech = new Map<string, Speech>();
    const note = (tap: number, mac: Mac, { first, last }: Speech): void => {
      const known = speech.get(`${tap} ${mac}`);
      if (!known) speech.set(`${tap} ${mac}`, { first, last });
      else Object.assign(known, { first: Math.min(known.first, first), last: Math.max(known.last, last) });
    };
    /** When a MAC first said on a tap that it has an address. */
    const claimed = new Map<string, number>();
    for (const run of this.r.claims.runs) {
      if (!siblings.has(run.tap)) continue;
      note(run.tap, run.mac, run);
      const key = `${run.tap} ${run.mac} ${run.ip}`;
      claimed.set(key, Math.min(claimed.get(key) ?? Infinity, run.first));
    }
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const tap = (this.r.legs.words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16;
      if (!siblings.has(tap)) continue;
      const view = viewLeg(this.r, leg);
      for (const run of runsOfLeg(this.r, leg)) {
        note(tap, view.transmitter, run);
        const key = `${tap} ${view.transmitter} ${view.dstIp} ${run.mac}`;
        const list = sent.get(key);
        if (list) list.push({ view, run });
        else sent.set(key, [{ view, run }]);
      }
    }
    for (const list of sent.values()) {
      const [first] = list;
      if (!first || first.run.mixed) continue;
      const { view, run } = first;
      const here = speech.get(`${view.tap} ${run.mac}`);
      // Whoever never spoke here has no address here either.
      if (!here && this.ownershipOn(view.tap, view)) continue;
      for (const tap of siblings.get(view.tap) ?? []) {
        const tenure = this.ownershipOn(tap.id, view)?.tenures.find((one) => one.macs.includes(run.mac));
        const home = sent.get(`${tap.id} ${view.transmitter} ${view.dstIp} ${run.mac}`);
        const there = speech.get(`${tap.id} ${run.mac}`);
        if (tap.id === view.tap || !tenure || !home || !there) continue;
        const known = claimed.get(`${tap.id} ${run.mac} ${view.dstIp}`) ?? home[0]?.run.first ?? NaN;
        const from = here ? Math.max(tenure.start, known) : tenure.start;
        if (here && !hasMoved(here, there, from, home)) continue;
        for (const one of list) {
          if (isCopied(one, home) || (here && !(one.run.last > from + LINGER))) continue;
          this.astray.set(one.view.leg, { mac: run.mac, tenure, vlan: tap.vlan, from });
          this.concerned.add(run.mac);
        }
      }
    }
  }

  private ownershipOn(tap: number, { dstIp }: LegView): Ownership | undefined {
    return this.ownerships.get(addressKey(this.around.networks.of[tap] ?? -1, dstIp));
  }
}

/** Whether a MAC left a VLAN for another one, and its sender followed with some of what it sends. */
function hasMoved(here: Speech, there: Speech, from: number, home: readonly Sent[]): boolean {
  return here.last < there.first && home.some(({ run }) => run.last >= from);
}

/** Whether the packets are in the right VLAN as well: a switch copies what it watches into a VLAN of its own. */
function isCopied({ view, run }: Sent, home: readonly Sent[]): boolean {
  return home.some(
    (other) =>
      other.view.protocol === view.protocol &&
      other.view.srcIp === view.srcIp &&
      other.view.srcPort === view.srcPort &&
      other.view.dstPort === view.dstPort &&
      other.run.frames * 2 >= run.frames &&
      other.run.last >= run.first &&
      other.run.first <= run.last,
  );
}
