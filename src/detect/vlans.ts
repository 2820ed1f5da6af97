/**
 * Frames that leave with the wrong VLAN tag: the MAC is right, and it is known in another VLAN of the same port, by what
 * it says there and by what the same sender sends it there. Only tags of one interface are compared: many cards take tags
 * off before a capture sees them.
 */

import { formatMac, type Mac } from '../bytes/address.js';
import type { Witness } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Tap } from '../reconstruct/taps.js';
import type { Stretch } from './judge.js';
import { runsOfLeg, viewLeg, type LegView, type Run } from './legs.js';
import type { Ownership, Tenure } from './ownership.js';
import { overrule } from './stretches.js';
import type { Overlay } from './verdicts.js';
import type { Surroundings } from './witnesses.js';

interface Astray {
  readonly mac: Mac;
  readonly tenure: Tenure;
}

interface Sent {
  readonly view: LegView;
  readonly run: Run;
}

export class VlanTags implements Overlay {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly astray = new Map<number, Astray>();
  private readonly macs = new Set<Mac>();

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

  concerns(mac: Mac): boolean {
    return this.macs.has(mac);
  }

  overlay(view: LegView, mac: Mac, stretches: readonly Stretch[]): readonly Stretch[] {
    const found = this.astray.get(view.leg);
    if (found?.mac !== mac) return stretches;
    const [said] = found.tenure.testimonies;
    const witness: Witness = {
      kind: said?.kind ?? 'originated',
      ip: this.r.addresses.format(view.dstIp),
      mac: formatMac(mac),
      ...(said && !Number.isNaN(said.first) ? { time: this.r.epoch.text(said.first) } : {}),
      ...(said?.origin ? { origin: said.origin } : {}),
    };
    const result = [...stretches];
    overrule(result, found.tenure.start, Infinity, {
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
    const speaking = new Set<string>();
    for (const run of this.r.claims.runs) speaking.add(`${run.tap} ${run.mac}`);
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const tap = (this.r.legs.words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16;
      if (!siblings.has(tap)) continue;
      const view = viewLeg(this.r, leg);
      speaking.add(`${tap} ${view.transmitter}`);
      for (const run of runsOfLeg(this.r, leg)) {
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
      if (speaking.has(`${view.tap} ${run.mac}`) || this.ownershipOn(view.tap, view)) continue;
      for (const tap of siblings.get(view.tap) ?? []) {
        const tenure = this.ownershipOn(tap.id, view)?.tenures.find((one) => one.macs.includes(run.mac));
        const home = sent.get(`${tap.id} ${view.transmitter} ${view.dstIp} ${run.mac}`);
        if (tap.id === view.tap || !tenure || !home || !speaking.has(`${tap.id} ${run.mac}`)) continue;
        for (const one of list) {
          if (isCopied(one, home)) continue;
          this.astray.set(one.view.leg, { mac: run.mac, tenure });
          this.macs.add(run.mac);
        }
      }
    }
  }

  private ownershipOn(tap: number, { dstIp }: LegView): Ownership | undefined {
    return this.ownerships.get(addressKey(this.around.networks.of[tap] ?? -1, dstIp));
  }
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
