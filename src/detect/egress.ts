/**
 * Frames that leave by the wrong device: the host has the address on one of its networks, and delivers packets of the same
 * flow there, or at the same time of other flows; and it sends these out of another device. The routes say which device it
 * is. Where no packet of the flow was delivered, the flow must be offloaded, or its packets go back to where they came in.
 */

import { formatMac, ipFromWord, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import type { Witness } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { Host, HostDevice } from '../reconstruct/hosts.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import { parsePrefix, prefixContains, type Prefix } from '../reconstruct/prefix.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Tap } from '../reconstruct/taps.js';
import type { FactOrigin } from '../records/facts.js';
import type { Ruling, Stretch } from './ruling.js';
import { runsOfLeg, viewLeg, type LegView } from './legs.js';
import { offloadedLegs } from './offloaded-legs.js';
import type { Ownership } from './ownership.js';
import { overrule } from './stretches.js';
import type { Overlay } from './verdicts.js';
import type { Surroundings } from './witnesses.js';

/** A network of a host, on one device. */
interface Home {
  readonly prefix: Prefix;
  readonly device: string;
  /** Of a route or address. */
  readonly origin: FactOrigin | undefined;
}

interface Astray {
  readonly host: Host;
  readonly home: Home;
  readonly owners: readonly Mac[];
}

/** ns since the analysis epoch. */
interface Gap {
  readonly from: number;
  readonly to: number;
}

/** A monitor prints a change at most so much later, and the route comes and goes with the address. */
const MONITOR_LAG = 1e8;

/** Frames of one run that reached the owner; ns since the analysis epoch. */
interface Delivery {
  readonly mac: Mac;
  readonly first: number;
  readonly last: number;
}

export class EgressDevices implements Overlay {
  private readonly r: Reconstruction;
  private readonly around: Surroundings;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly deviceOf: (tap: Tap) => string;
  private readonly homes = new Map<Host, readonly Home[]>();
  private readonly gaps = new Map<Home, readonly Gap[]>();
  /** Legs that leave by another device than their flow does elsewhere. */
  private readonly astray = new Map<number, Astray>();
  readonly concerned = new Set<Mac>();

  constructor(
    r: Reconstruction,
    around: Surroundings,
    ownerships: ReadonlyMap<number, Ownership>,
    deviceOf: (tap: Tap) => string,
  ) {
    this.r = r;
    this.around = around;
    this.ownerships = ownerships;
    this.deviceOf = deviceOf;
    for (const host of around.hosts) {
      if (host.macs.size > 0 && host.devices.size > 1) this.collect(host, this.homesOf(host));
    }
  }

  overlay(view: LegView, mac: Mac, stretches: readonly Stretch[]): readonly Stretch[] {
    const found = this.astray.get(view.leg);
    // What is copied to a host that watches is no way out.
    if (!found || found.owners.includes(mac) || !this.around.routers.has(mac)) return stretches;
    const { origin, device } = found.home;
    const witness: Witness = {
      kind: 'route-entry',
      ip: this.r.addresses.format(view.dstIp),
      mac: formatMac(found.owners[0] ?? 0),
      port: device,
      ...(origin ? { origin: { input: this.around.inputName(origin.input), line: origin.line } } : {}),
    };
    const result = [...stretches];
    const wrong: Ruling = {
      verdict: 'misdelivered',
      class: 'wrong-egress',
      expected: found.owners,
      because: [witness],
    };
    let from = -Infinity;
    for (const gap of this.gapsOf(found.host, found.home)) {
      if (gap.from > from) overrule(result, from, gap.from, wrong);
      from = Math.max(from, gap.to);
    }
    if (from < Infinity) overrule(result, from, Infinity, wrong);
    return result;
  }

  /** When the host had no address in a network of its own, by its monitor: without one, it has no route there. In order. */
  private gapsOf(host: Host, home: Home): readonly Gap[] {
    const known = this.gaps.get(home);
    if (known) return known;
    const changes = host.inputs
      .flatMap((input) => this.r.facts.inputs.get(input)?.addresses ?? [])
      .flatMap(({ device, ip: text, event, time }) => {
        const ip = event && device === home.device ? this.r.addresses.parse(text) : undefined;
        if (ip === undefined || time === undefined || !prefixContains(home.prefix, ip)) return [];
        return [{ time: this.r.epoch.relative(time), isGone: event === 'deleted' }];
      })
      .sort((a, b) => a.time - b.time);
    const gaps = changes.flatMap(({ time, isGone }, i): Gap[] => {
      if (!isGone) return [];
      const back = changes.slice(i + 1).find((later) => !later.isGone)?.time ?? Infinity;
      return [{ from: time - MONITOR_LAG, to: back + MONITOR_LAG }];
    });
    this.gaps.set(home, gaps);
    return gaps;
  }

  /** Networks of the host's own devices that no other route of it leads to. */
  private homesOf(host: Host): readonly Home[] {
    const homes: Home[] = [];
    for (const route of host.routes) {
      const [hop] = route.nextHops;
      const prefix = parsePrefix(route.prefix, this.r.addresses);
      const isConnected = route.type === 'unicast' && route.event !== 'deleted' && hop?.via === undefined;
      if (!isConnected || hop?.device === undefined || hop.device === 'lo' || !prefix || prefix.length === 0) continue;
      homes.push({ prefix, device: hop.device, origin: route.origin });
    }
    this.homes.set(host, homes);
    return homes;
  }

  /** The one network of the host that an address is of; undefined when other routes than defaults lead to it too. */
  private homeOf(host: Host, ip: Ip): Home | undefined {
    const [home, ...more] = (this.homes.get(host) ?? []).filter(({ prefix }) => prefixContains(prefix, ip));
    if (!home || more.some(({ device }) => device !== home.device)) return undefined;
    const others = host.routes.some((route) => {
      if (route.type !== 'unicast' || route.nextHops.every((hop) => hop.via === undefined)) return false;
      const prefix = parsePrefix(route.prefix, this.r.addresses);
      return prefix !== undefined && prefix.length > 0 && prefixContains(prefix, ip);
    });
    return others ? undefined : home;
  }

  private collect(host: Host, homes: readonly Home[]): void {
    if (homes.length === 0) return;
    const { words, count } = this.r.legs;
    // Each destination on each tap is asked for once: whether it is at home there, elsewhere, or nowhere.
    const asked = new WordTable();
    const places: ('here' | 'elsewhere' | 'nowhere')[] = [];
    const strays: number[] = [];
    const delivered = new Map<string, Set<Mac>>();
    const atHome: number[] = [];
    const arrivals: number[] = [];
    for (let leg = 0; leg < count; leg++) {
      const w = leg * LEG_WORDS;
      const meta = words[w + Leg.META] ?? 0;
      const number = asked.intern(words[w + Leg.DST_IP] ?? 0, meta >>> 16, meta & LegBit.IPV6, 0);
      places[number] ??= this.placeOf(
        host,
        meta >>> 16,
        ipFromWord(words[w + Leg.DST_IP] ?? 0, meta & LegBit.IPV6 ? 6 : 4),
      );
      if (places[number] === 'nowhere') continue;
      const isOwn = host.macs.has(
        macFromWords((words[w + Leg.MACS_HIGH] ?? 0) >>> 16, words[w + Leg.SRC_MAC_LOW] ?? 0),
      );
      if (isOwn) (places[number] === 'here' ? atHome : strays).push(leg);
      else if (places[number] === 'elsewhere') arrivals.push(leg);
    }
    if (strays.length === 0) return;
    const others = new Map<Ip, Delivery[]>();
    for (const leg of atHome) {
      const view = viewLeg(this.r, leg);
      const owners = this.ownersOf(view);
      for (const run of runsOfLeg(this.r, leg)) {
        if (run.mixed || !owners.includes(run.mac)) continue;
        const key = flowKey(view);
        delivered.set(key, (delivered.get(key) ?? new Set()).add(run.mac));
        const list = others.get(view.dstIp);
        if (list) list.push(run);
        else others.set(view.dstIp, [run]);
      }
    }
    const note = (leg: number, { dstIp }: LegView, owners: ReadonlySet<Mac>): void => {
      const home = this.homeOf(host, dstIp);
      if (!home || owners.size === 0) return;
      this.astray.set(leg, { host, home, owners: [...owners].sort((a, b) => a - b) });
      for (const run of runsOfLeg(this.r, leg)) this.concerned.add(run.mac);
    };
    const undelivered: number[] = [];
    for (const leg of strays) {
      const view = viewLeg(this.r, leg);
      const owners = delivered.get(flowKey(view));
      if (owners) note(leg, view, owners);
      else if (others.has(view.dstIp)) undelivered.push(leg);
    }
    if (undelivered.length === 0) return;
    const offloaded = offloadedLegs(this.r, undelivered);
    const returned = this.returnedLegs(undelivered, arrivals);
    for (const leg of undelivered) {
      const view = viewLeg(this.r, leg);
      const list = others.get(view.dstIp) ?? [];
      const isMeanwhile = runsOfLeg(this.r, leg).some((run) => list.some((other) => isWithin(other, run)));
      const shown = [isMeanwhile, offloaded.has(leg), returned.has(leg)].filter(Boolean).length;
      if (shown >= 2) note(leg, view, new Set(list.map(({ mac }) => mac)));
    }
  }

  /** Legs whose packets came in on the same tap, from the MAC that they go to. */
  private returnedLegs(strays: readonly number[], arrivals: readonly number[]): Set<number> {
    const key = (view: LegView, mac: Mac): string => `${view.tap} ${mac} ${flowKey(view)}`;
    const came = new Set<string>();
    for (const leg of arrivals) {
      const view = viewLeg(this.r, leg);
      came.add(key(view, view.transmitter));
    }
    return new Set(
      strays.filter((leg) => runsOfLeg(this.r, leg).some((run) => came.has(key(viewLeg(this.r, leg), run.mac)))),
    );
  }

  private placeOf(host: Host, tap: number, ip: Ip): 'here' | 'elsewhere' | 'nowhere' {
    const home = this.homeOf(host, ip);
    const found = this.r.taps.all[tap];
    const device = found ? host.devices.get(this.deviceOf(found)) : undefined;
    if (!home || !device || !found) return 'nowhere';
    const own = host.devices.get(home.device);
    if (device.name === home.device || isPartOf(host, device, home.device) || isPartOf(host, own, device.name))
      return 'here';
    // A device that nothing says is one of the host's ways out may be of a network that was not told of.
    return device.addresses.length > 0 || host.routes.some((route) => leavesBy(route.nextHops, device.name))
      ? 'elsewhere'
      : 'nowhere';
  }

  private ownersOf(view: LegView): readonly Mac[] {
    const network = this.around.networks.of[view.tap] ?? 0;
    const tenures = this.ownerships.get(addressKey(network, view.dstIp))?.tenures ?? [];
    return tenures.flatMap((tenure) => tenure.macs);
  }
}

function leavesBy(hops: readonly { readonly device?: string }[], device: string): boolean {
  return hops.some((hop) => hop.device === device);
}

/** Whether a device carries the frames of another one: a port of its bridge, or what lies below it. */
function isPartOf(host: Host, device: HostDevice | undefined, whole: string): boolean {
  const upper = host.devices.get(whole);
  if (!device || !upper) return false;
  const below = new Set([whole, upper.lower].filter((name) => name !== undefined));
  return [device.name, device.master, device.lower].some((name) => name !== undefined && below.has(name));
}

/** Whether some frame of the one was sent between the first and the last of the other. */
function isWithin(one: Delivery, other: Delivery): boolean {
  return [one.first, one.last].some((time) => time >= other.first && time <= other.last);
}

function flowKey({ protocol, srcIp, dstIp, srcPort, dstPort }: LegView): string {
  return `${protocol} ${srcIp} ${srcPort} ${dstIp} ${dstPort}`;
}
