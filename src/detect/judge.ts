/**
 * The rules of judgement: for a transmitter, a destination address and a destination MAC, which verdict a frame has at
 * each moment, and why.
 */

import { formatMac, isIpv6, type Ip, type Mac } from '../bytes/address.js';
import type { Witness, WitnessKind } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Conduct } from './conduct.js';
import { learnedOf, type Learned } from './learning.js';
import type { Ownership, Tenure, Testimony } from './ownership.js';
import { Rivals } from './rivals.js';
import { virtualRouterOf } from './routers.js';
import { DELIVERED, notJudged, type Ruling, type Stretch } from './ruling.js';
import { Transmitters } from './transmitters.js';
import type { Surroundings } from './witnesses.js';

/** What a former owner still had under way. */
const TAIL = 1e9;

const ALWAYS = -Infinity;

export class Judge {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly conduct: Conduct;
  private readonly map: ReadonlyMap<Ip, Mac>;
  /** Addresses that each MAC ever had, by network. */
  private readonly had: Map<Mac, Ownership[]>[];
  /** Answers of `isWayOut` so far, by network. */
  private readonly waysOut: Map<Mac, boolean>[];
  private readonly rivals: Rivals;
  private readonly transmitters: Transmitters;

  constructor(
    r: Reconstruction,
    around: Surroundings,
    ownerships: ReadonlyMap<number, Ownership>,
    conduct: Conduct,
    map: ReadonlyMap<Ip, Mac>,
  ) {
    this.r = r;
    this.around = around;
    this.ownerships = ownerships;
    this.conduct = conduct;
    this.map = map;
    this.had = around.networks.taps.map(() => new Map<Mac, Ownership[]>());
    this.waysOut = around.networks.taps.map(() => new Map<Mac, boolean>());
    for (const ownership of ownerships.values()) {
      for (const mac of ownership.macs) this.noteOwner(mac, ownership);
    }
    this.transmitters = new Transmitters(r, around, conduct);
    this.rivals = new Rivals(r, around, conduct, (network, mac) => this.addressesOf(network, mac));
  }

  private noteOwner(mac: Mac, ownership: Ownership): void {
    const had = this.had[ownership.network]?.get(mac);
    if (!had) this.had[ownership.network]?.set(mac, [ownership]);
    else if (had.at(-1) !== ownership) had.push(ownership);
  }

  private addressesOf(network: number, mac: Mac): readonly Ownership[] {
    return this.had[network]?.get(mac) ?? [];
  }

  /** The rulings over time for frames of `transmitter` to `ip` that went to `mac`. Never empty; the first holds from the beginning. */
  rule(network: number, transmitter: Mac, ip: Ip, mac: Mac): Stretch[] {
    if (mac === 0) return always(notJudged('zero-mac'));
    const mapped = this.map.get(ip);
    if (mapped !== undefined) return this.ruleByMap(network, transmitter, ip, mac, mapped);
    const ownership = this.ownerships.get(addressKey(network, ip));
    if (!ownership || (ownership.tenures.length === 0 && ownership.weak.length === 0)) {
      return this.ruleOffLink(network, transmitter, ip, mac);
    }
    if (ownership.tenures.length === 0) return always(this.ruleByWeak(ownership, network, transmitter, mac));
    return this.ruleOnLink(ownership, network, transmitter, mac);
  }

  private ruleByMap(network: number, transmitter: Mac, ip: Ip, mac: Mac, mapped: Mac): Stretch[] {
    if (mac === mapped) return always(DELIVERED);
    if (this.transmitters.mayHandOver(transmitter, mac)) return always(DELIVERED);
    if (!this.transmitters.knowsOnLink(network, transmitter, ip, [mapped]))
      return this.ruleOffLink(network, transmitter, ip, mac);
    const because: Witness = { kind: 'map', ip: this.r.addresses.format(ip), mac: formatMac(mapped) };
    return always({ verdict: 'misdelivered', expected: [mapped], because: [because] });
  }

  private ruleOnLink(ownership: Ownership, network: number, transmitter: Mac, mac: Mac): Stretch[] {
    const { tenures } = ownership;
    const stretches: Stretch[] = [];
    const first = tenures[0];
    stretches.push({ from: ALWAYS, ruling: first?.macs.includes(mac) ? DELIVERED : notJudged('no-witness-yet') });
    // Who sends to an address that it had itself has given it up, whatever was said of it before.
    const gaveUp = tenures.findLast((tenure) => tenure.macs.includes(transmitter));
    const foreign = tenures.some((tenure) => tenure.macs.includes(mac))
      ? undefined
      : this.ruleForeign(ownership, network, transmitter, mac);
    let formerLearned: Learned | undefined;
    tenures.forEach((tenure, index) => {
      const next = tenures[index + 1];
      if (tenure.macs.includes(mac)) {
        formerLearned = undefined;
        stretches.push({ from: tenure.start, ruling: DELIVERED });
        return;
      }
      if (tenure === gaveUp) {
        stretches.push({ from: tenure.start, ruling: notJudged('owner-later') });
        return;
      }
      const wasOwner = tenures.slice(0, index).some((earlier) => earlier.macs.includes(mac));
      if (wasOwner) {
        const learned = this.learned(ownership, tenure, network, transmitter);
        if (!formerLearned || learned.time < formerLearned.time) formerLearned = learned;
        this.ruleFormer(stretches, ownership, tenure, next, network, transmitter, mac, formerLearned);
      } else if (foreign) {
        stretches.push(...foreign(tenure, next?.start ?? Infinity));
      } else {
        stretches.push({ from: tenure.start, ruling: notJudged('owner-later') });
      }
      // After the old MAC's last word, the next owner may have come at any time.
      if (next?.macs.includes(mac)) stretches.push({ from: tenure.end + 1, ruling: DELIVERED });
    });
    return stretches;
  }

  /** A MAC that had the address before: right until the transmitter could know of the take-over. */
  private ruleFormer(
    stretches: Stretch[],
    ownership: Ownership,
    tenure: Tenure,
    next: Tenure | undefined,
    network: number,
    transmitter: Mac,
    mac: Mac,
    learned: Learned,
  ): void {
    if (this.rivals.spokeFor(network, mac, ownership.ip) > tenure.start + TAIL) {
      stretches.push({ from: tenure.start, ruling: notJudged('speaks-too') });
      return;
    }
    const isHandedOver =
      this.transmitters.mayHandOver(transmitter, mac) && this.hasAddressAt(network, mac, tenure.start);
    if (isHandedOver || this.isSameRouter(mac, tenure.macs)) {
      stretches.push({ from: tenure.start, ruling: DELIVERED });
      return;
    }
    const because = [this.witnessOf(ownership.ip, tenure.testimonies[0]), learned.witness].filter(
      (w) => w !== undefined,
    );
    const after = because.map((witness) => witness.origin).filter((origin) => origin !== undefined);
    const early: Ruling = { verdict: 'delivered', class: 'convergence', expected: tenure.macs, because };
    const late: Ruling = { verdict: 'misdelivered', expected: tenure.macs, because, after };
    if (learned.time > tenure.start) stretches.push({ from: tenure.start, ruling: early });
    const until = next?.start ?? Infinity;
    if (learned.time >= until) return;
    stretches.push({ from: Math.max(learned.time, tenure.start), ruling: late });
    for (const { time, isFormer } of this.transmitters.beliefs(transmitter, ownership.ip, mac)) {
      const isMeanwhile = time > learned.time && time > tenure.start && time < until;
      if (isMeanwhile) stretches.push({ from: time, ruling: isFormer ? notJudged('sender-believes') : late });
    }
  }

  /** A MAC that never had the address, while another one does. */
  private ruleForeign(
    ownership: Ownership,
    network: number,
    transmitter: Mac,
    mac: Mac,
  ): (tenure: Tenure, until: number) => Stretch[] {
    const throughout =
      (ruling: Ruling) =>
      ({ start }: Tenure): Stretch[] => [{ from: start, ruling }];
    if (this.transmitters.mayHandOver(transmitter, mac)) return throughout(DELIVERED);
    if (this.transmitters.believes(transmitter, ownership.ip, mac)) return throughout(notJudged('sender-believes'));
    if (!this.transmitters.knowsOnLink(network, transmitter, ownership.ip, ownersOf(ownership)))
      return throughout(this.around.routers.has(mac) ? DELIVERED : notJudged('sender-may-not-be-on-link'));
    if (this.rivals.mayHave(network, mac, ownership.ip)) return throughout(notJudged('speaks-too'));
    return (tenure, until) => {
      const own = this.conduct.ownFrames(network, transmitter, ownership.ip);
      // The MAC may have had the address before anybody was heard to say so.
      const told = Math.max(this.rivals.toldOf(ownership, tenure, transmitter, own), tenure.start);
      const shown = this.rivals.shownUntil(ownership, tenure, transmitter, mac);
      const because = this.witnessesOf(ownership.ip, tenure);
      const wrong: Ruling = { verdict: 'misdelivered', expected: tenure.macs, because };
      return [
        ...(told > tenure.start ? [{ from: tenure.start, ruling: notJudged('sender-not-told') }] : []),
        ...(told < until && told <= shown ? [{ from: told, ruling: wrong }] : []),
        ...(shown < until ? [{ from: Math.max(shown, tenure.start) + 1, ruling: notJudged('weak-witness') }] : []),
      ];
    };
  }

  /** Undated dumps and leases: enough to confirm, and to accuse only a MAC that is known to be somebody else. */
  private ruleByWeak(ownership: Ownership, network: number, transmitter: Mac, mac: Mac): Ruling {
    const owners = [...new Set(ownership.weak.map((t) => t.mac))];
    // Claims on the wire without times: nobody knows which came first.
    if (owners.length > 1 && ownership.weak.some((t) => WIRE.includes(t.kind))) return notJudged('no-time');
    if (owners.includes(mac) || this.transmitters.mayHandOver(transmitter, mac)) return DELIVERED;
    const known = this.rivals.isSomebodyElses(network, mac, ownership.ip);
    const table = ownership.weak.filter((t) => t.kind === 'neighbor-entry');
    if (
      !known ||
      owners.length !== 1 ||
      table.length === 0 ||
      !this.transmitters.knowsOnLink(network, transmitter, ownership.ip, ownersOf(ownership))
    ) {
      return this.around.routers.has(mac) ? DELIVERED : notJudged('weak-witness');
    }
    const because = [this.witnessOf(ownership.ip, table[0])].filter((w) => w !== undefined);
    return { verdict: 'misdelivered', expected: owners, because };
  }

  /** An address that is not of this network: any router will do, but not a MAC whose addresses all went to another. */
  private ruleOffLink(network: number, transmitter: Mac, ip: Ip, mac: Mac): Stretch[] {
    if (this.isWayOut(network, mac)) return always(DELIVERED);
    const had = this.addressesOf(network, mac);
    // A host that lost its IPv4 address may keep an IPv6 address that no message tells of.
    const isSameFamily = had.some((ownership) => isIpv6(ownership.ip) === isIpv6(ip));
    if (!isSameFamily) return always(notJudged('unknown-next-hop'));
    // Wrong from the moment when the transmitter knows that the last address it had was taken over, and never given back.
    let lost: Stretch[] | undefined;
    for (const ownership of had) {
      const last = ownership.tenures.findLastIndex((tenure) => tenure.macs.includes(mac));
      const taker = ownership.tenures[last + 1];
      if (!taker || !this.transmitters.usesAsNextHop(network, transmitter, ownership.ip)) return always(DELIVERED);
      const stretches: Stretch[] = [{ from: ALWAYS, ruling: DELIVERED }];
      const learned = this.learned(ownership, taker, network, transmitter);
      this.ruleFormer(stretches, ownership, taker, undefined, network, transmitter, mac, learned);
      if (!lost || (stretches.at(-1)?.from ?? 0) > (lost.at(-1)?.from ?? 0)) lost = stretches;
    }
    return lost ?? always(DELIVERED);
  }

  /** Whether any frame to the MAC is right whose destination nobody in the network is known to have, whoever sends it. */
  isWayOut(network: number, mac: Mac): boolean {
    const known = this.waysOut[network]?.get(mac);
    if (known !== undefined) return known;
    const answer = this.neverLost(network, mac);
    this.waysOut[network]?.set(mac, answer);
    return answer;
  }

  /** Whether a MAC is a router's or had an address, and still has one of those it had. */
  private neverLost(network: number, mac: Mac): boolean {
    const had = this.addressesOf(network, mac);
    if (had.length === 0 || virtualRouterOf(mac) !== undefined) return had.length > 0 || this.around.routers.has(mac);
    return had.some((ownership) => {
      if (ownership.owner === mac) return true;
      const { tenures } = ownership;
      const last = tenures.findLastIndex((tenure) => tenure.macs.includes(mac));
      return last === tenures.length - 1 || last < 0;
    });
  }

  /** A virtual router's MAC and the own MAC of the router that plays it belong together. */
  private isSameRouter(mac: Mac, others: readonly Mac[]): boolean {
    // A virtual MAC goes with its address from one router to the next, and a router may answer with its own MAC as well.
    if (virtualRouterOf(mac) !== undefined) return true;
    return (
      others.some((other) => virtualRouterOf(other) !== undefined) &&
      [mac, ...others].every((m) => this.around.routers.has(m))
    );
  }

  private hasAddressAt(network: number, mac: Mac, time: number): boolean {
    return this.addressesOf(network, mac).some((ownership) => {
      const tenure = ownership.tenures.findLast((t) => t.start <= time);
      return tenure?.macs.includes(mac) ?? false;
    });
  }

  private learned(ownership: Ownership, tenure: Tenure, network: number, transmitter: Mac): Learned {
    const own = this.conduct.ownFrames(network, transmitter, ownership.ip);
    return learnedOf(this.r, this.around, ownership, tenure, transmitter, own);
  }

  /** The first witness of a tenure, and the strongest one. */
  private witnessesOf(ip: Ip, tenure: Tenure): Witness[] {
    const chosen = new Set([tenure.testimonies[0], strongest(tenure.testimonies)]);
    return [...chosen].map((testimony) => this.witnessOf(ip, testimony)).filter((w) => w !== undefined);
  }

  private witnessOf(ip: Ip, testimony: Testimony | undefined): Witness | undefined {
    if (!testimony) return undefined;
    return {
      kind: testimony.kind,
      ip: this.r.addresses.format(ip),
      mac: formatMac(testimony.mac),
      ...(Number.isNaN(testimony.first) ? {} : { time: this.r.epoch.text(testimony.first) }),
      ...(testimony.origin ? { origin: testimony.origin } : {}),
    };
  }
}

function ownersOf(ownership: Ownership): Mac[] {
  return [...ownership.tenures.flatMap((tenure) => tenure.macs), ...ownership.weak.map((t) => t.mac)];
}

const WIRE: readonly WitnessKind[] = [
  'arp-reply',
  'arp-gratuitous',
  'arp-request',
  'nd-advertisement',
  'nd-unsolicited',
  'nd-solicitation',
  'nd-router',
  'originated',
];

const STRENGTH = [
  'arp-reply',
  'nd-advertisement',
  'arp-gratuitous',
  'nd-unsolicited',
  'arp-request',
  'nd-solicitation',
  'originated',
];

function strongest(testimonies: readonly Testimony[]): Testimony | undefined {
  const rank = (t: Testimony): number => (STRENGTH.includes(t.kind) ? STRENGTH.indexOf(t.kind) : STRENGTH.length);
  return testimonies.toSorted((a, b) => rank(a) - rank(b) || a.first - b.first)[0];
}

function always(ruling: Ruling): Stretch[] {
  return [{ from: ALWAYS, ruling }];
}
