/**
 * Networks: taps that see the same layer-2 network. A bridge and its ports, or one port in two captures, share what
 * is said on them: a claim seen on one counts for frames seen on the other.
 */

import { isIpv6, type Ip } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import type { ClaimRun } from '../reconstruct/claim-runs.js';
import { isLinkLocalV4 } from '../reconstruct/claims.js';
import type { Host } from '../reconstruct/hosts.js';
import { Leg, LEG_DOUBLES, LEG_WORDS, LegTime } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Tap } from '../reconstruct/taps.js';
import { macPairsOf, Pair, PAIR_WORDS, type MacPairs } from './mac-pairs.js';

export class Networks {
  /** Network number of each tap, from 0. */
  readonly of: Int32Array;
  /** Taps of each network. */
  readonly taps: number[][] = [];

  constructor(parents: Int32Array) {
    this.of = new Int32Array(parents.length);
    const numbers = new Map<number, number>();
    for (let tap = 0; tap < parents.length; tap++) {
      const root = rootOf(parents, tap);
      let number = numbers.get(root);
      if (number === undefined) {
        number = this.taps.length;
        numbers.set(root, number);
        this.taps.push([]);
      }
      this.of[tap] = number;
      this.taps[number]?.push(tap);
    }
  }
}

/**
 * Joins taps that heard the same (IP, MAC) claim, which no router carries across, taps of devices that a dump puts into
 * one bridge, and taps that no claim joins to any other with those that saw the same frames. Taps of one interface with
 * different VLAN tags stay apart.
 */
export function findNetworks(r: Reconstruction, hosts: readonly Host[], deviceOf: (tap: Tap) => string): Networks {
  const taps = r.taps.all;
  const parents = Int32Array.from(taps, (_, i) => i);
  // Interfaces of each set of taps, so that no join puts two VLANs of one interface into one network.
  const ports = taps.map((tap) => new Set([tap.port]));
  const apart = clocksApart(r);
  const join = (a: number, b: number): void => {
    const into = Math.min(rootOf(parents, a), rootOf(parents, b));
    const from = Math.max(rootOf(parents, a), rootOf(parents, b));
    const [mine, other] = [ports[into], ports[from]];
    if (into === from || !mine || !other || [...other].some((port) => mine.has(port))) return;
    if (areApart(r, apart, mine, other)) return;
    parents[from] = into;
    for (const port of other) mine.add(port);
  };

  const pairs = r.claims.runs.filter((run) => !isLinkLocal(r, run.ip));
  // Equal tags first, so that an untagged port joins the VLAN that it is a member of only where nothing else fits.
  const isTagged = taps.some(({ vlan }) => vlan >= 0);
  for (const tagged of isTagged ? [true, false] : [false]) {
    // By address, MAC and tags.
    const numbers = new WordTable();
    const firstTap: number[] = [];
    for (const { tap, ip, mac } of pairs) {
      const { vlan, innerVlan } = (tagged ? taps[tap] : undefined) ?? UNTAGGED;
      const tags = ((vlan & 0x1fff) << 14) | ((innerVlan & 0x1fff) << 1) | (isIpv6(ip) ? 1 : 0);
      const number = numbers.intern(tags, ip | 0, Math.floor(mac / 0x1_0000_0000), mac | 0);
      const known = firstTap[number];
      if (known === undefined) firstTap.push(tap);
      else join(known, tap);
    }
  }
  joinBridges(taps, hosts, deviceOf, join);
  joinByFrames(r, parents, join);
  return new Networks(parents);
}

/** Stands for the tags where they do not matter. */
const UNTAGGED = { vlan: -1, innerVlan: -1 } as const;

/** Clocks of two captures that differ by more than this make an order of events of nothing. */
const MAX_OFFSET = 1e9;
/** The same frames, seen on two taps: their distance is the same up to this. */
const JITTER = 2e8;

/**
 * Pairs of inputs (as `a b`, the lower one first) that saw the same claims at times which differ too much. Where as many
 * claims begin or end at the same time in both, the others are only those that one of them missed.
 */
function clocksApart(r: Reconstruction): Set<string> {
  if (r.spans.size < 2) return new Set();
  const seen = new Map<string, ClaimRun[]>();
  for (const run of r.claims.runs) {
    const key = `${run.ip} ${run.mac}`;
    const alike = seen.get(key);
    if (!alike) seen.set(key, [run]);
    else if (alike.length < MAX_COMPARED) alike.push(run);
  }
  /** By pair of inputs: claims at other times less those at the same time. */
  const votes = new Map<string, number>();
  for (const runs of seen.values()) {
    for (const [i, a] of runs.entries()) {
      for (const b of runs.slice(i + 1)) {
        const vote = distantOrNot(r, a, b);
        if (vote === 0) continue;
        const inputs = [inputOf(r, a.tap), inputOf(r, b.tap)].sort((x, y) => x - y).join(' ');
        votes.set(inputs, (votes.get(inputs) ?? 0) + vote);
      }
    }
  }
  return new Set([...votes].filter(([, vote]) => vote > 0).map(([inputs]) => inputs));
}

/** 1 where two inputs saw the same claims at times that differ, -1 where they begin or end at the same time, else 0. */
function distantOrNot(r: Reconstruction, a: ClaimRun, b: ClaimRun): number {
  if (inputOf(r, a.tap) === inputOf(r, b.tap)) return 0;
  const offset = b.first - a.first;
  if (Math.abs(offset) < JITTER || Math.abs(b.last - a.last) < JITTER) return -1;
  const isSame = a.count === b.count && Math.abs(b.last - a.last - offset) < JITTER && Math.abs(offset) > MAX_OFFSET;
  return isSame && wereBothRunning(r, a, b) ? 1 : 0;
}

const MAX_COMPARED = 16;

function areApart(
  r: Reconstruction,
  apart: ReadonlySet<string>,
  a: ReadonlySet<number>,
  b: ReadonlySet<number>,
): boolean {
  if (apart.size === 0) return false;
  const inputs = (ports: ReadonlySet<number>): number[] => [...ports].map((port) => r.taps.ports[port]?.input ?? -1);
  return inputs(a).some((x) => inputs(b).some((y) => apart.has(`${Math.min(x, y)} ${Math.max(x, y)}`)));
}

/** Whether each capture was running when the other one saw the claim: then it would have seen it at that time too. */
function wereBothRunning(r: Reconstruction, a: ClaimRun, b: ClaimRun): boolean {
  const covers = (run: ClaimRun, time: number): boolean => {
    const span = r.spans.get(inputOf(r, run.tap));
    return span !== undefined && span.first <= time && time <= span.last;
  };
  return covers(a, b.first) && covers(b, a.first);
}

function inputOf(r: Reconstruction, tap: number): number {
  return r.taps.all[tap]?.input ?? -1;
}

/** So many taps that stand alone are compared, by so many legs of each. */
const MAX_ALONE = 64;
const MAX_LEGS_ALONE = 32;
/** The same frames, by the clocks of two captures: their first and last are this close. */
const SAME_TIME = 1e9;
/** A stream that goes on after a longer pause may be another one. */
const MAX_PAUSE = 600e9;

/** Joins taps that stand alone with those that saw the same frames: no router leaves both MACs of a frame as they are. */
function joinByFrames(r: Reconstruction, parents: Int32Array, join: (a: number, b: number) => void): void {
  const sizes = new Map<number, number>();
  for (let tap = 0; tap < parents.length; tap++) {
    const root = rootOf(parents, tap);
    sizes.set(root, (sizes.get(root) ?? 0) + 1);
  }
  const alone = new Map<number, number>();
  for (const [root, size] of sizes) if (size === 1 && alone.size < MAX_ALONE) alone.set(root, 0);
  if (alone.size === 0 || r.taps.ports.length < 2) return;
  const { words, count } = r.legs;
  const wanted = new Map<number, number[]>();
  const pairs = macPairsOf(r);
  // Nearly all legs are of MACs that no other tap saw.
  const isElsewhere = pairsElsewhere(pairs);
  for (let leg = 0, left = alone.size; leg < count && left > 0; leg++) {
    const tap = (words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16;
    const taken = alone.get(tap) ?? MAX_LEGS_ALONE;
    if (taken >= MAX_LEGS_ALONE || (words[leg * LEG_WORDS + Leg.CLOSED] ?? -1) >= 0) continue;
    alone.set(tap, taken + 1);
    if (taken + 1 === MAX_LEGS_ALONE) left--;
    if (isElsewhere[pairs.of[leg] ?? 0] === 0) continue;
    const key = mixOf(words, leg);
    wanted.set(key, [...(wanted.get(key) ?? []), leg]);
  }
  for (let leg = 0; leg < count && wanted.size > 0; leg++) {
    if (isElsewhere[pairs.of[leg] ?? 0] === 0) continue;
    for (const other of wanted.get(mixOf(words, leg)) ?? []) {
      if (leg !== other && isSameLeg(r, leg, other)) {
        join((words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16, (words[other * LEG_WORDS + Leg.META] ?? 0) >>> 16);
      }
    }
  }
}

/** By pair: whether its MACs, with the same kind of packets, are a pair on another tap too. */
function pairsElsewhere(pairs: MacPairs): Uint8Array {
  const numbers = new WordTable();
  const first: number[] = [];
  const isElsewhere = new Uint8Array(pairs.count);
  for (let pair = 0, p = 0; pair < pairs.count; pair++, p += PAIR_WORDS) {
    const kind = (pairs.words[p + Pair.META] ?? 0) & 0xffff;
    const low = pairs.words[p + Pair.SRC_MAC_LOW] ?? 0;
    const number = numbers.intern(
      kind,
      low,
      pairs.words[p + Pair.MACS_HIGH] ?? 0,
      pairs.words[p + Pair.DST_MAC_LOW] ?? 0,
    );
    const other = first[number];
    if (other === undefined) first.push(pair);
    else isElsewhere[pair] = isElsewhere[other] = 1;
  }
  return isElsewhere;
}

const LEG_CONTENT = [Leg.SRC_IP, Leg.DST_IP, Leg.PORTS, Leg.SRC_MAC_LOW, Leg.MACS_HIGH, Leg.DST_MAC_LOW];

function mixOf(words: Int32Array, leg: number): number {
  const w = leg * LEG_WORDS;
  const ips = Math.imul(words[w + Leg.SRC_IP] ?? 0, 0x9e3779b1) ^ (words[w + Leg.DST_IP] ?? 0);
  return ips ^ (words[w + Leg.PORTS] ?? 0) ^ (words[w + Leg.SRC_MAC_LOW] ?? 0);
}

/**
 * Whether two legs on different taps are of the same frames: addresses, ports, both MACs, and when they were seen. Or of
 * one stream of frames that two captures saw one after the other, as files are that one capture wrote.
 */
function isSameLeg(r: Reconstruction, a: number, b: number): boolean {
  const { words, doubles } = r.legs;
  const [x, y] = [a * LEG_WORDS, b * LEG_WORDS];
  if (((words[x + Leg.META] ?? 0) & 0xffff) !== ((words[y + Leg.META] ?? 0) & 0xffff)) return false;
  if ((words[x + Leg.CLOSED] ?? -1) >= 0 || LEG_CONTENT.some((at) => words[x + at] !== words[y + at])) return false;
  const time = (leg: number, at: number): number => doubles[leg * LEG_DOUBLES + at] ?? NaN;
  const starts = time(a, LegTime.FIRST) - time(b, LegTime.FIRST);
  const ends = time(a, LegTime.LAST) - time(b, LegTime.LAST);
  if (Math.abs(starts) < SAME_TIME && Math.abs(ends) < SAME_TIME) return true;
  const pause = Math.max(
    time(b, LegTime.FIRST) - time(a, LegTime.LAST),
    time(a, LegTime.FIRST) - time(b, LegTime.LAST),
  );
  return (
    pause >= 0 &&
    pause < MAX_PAUSE &&
    inputOf(r, (words[x + Leg.META] ?? 0) >>> 16) !== inputOf(r, (words[y + Leg.META] ?? 0) >>> 16)
  );
}

function joinBridges(
  taps: readonly Tap[],
  hosts: readonly Host[],
  deviceOf: (tap: Tap) => string,
  join: (a: number, b: number) => void,
): void {
  const masters = new Map<string, Set<string>>();
  for (const host of hosts) {
    for (const device of host.devices.values()) {
      const known = masters.get(device.name) ?? new Set();
      masters.set(device.name, known.add(device.master ?? device.name));
    }
  }
  const first = new Map<string, number>();
  for (const tap of taps) {
    const device = deviceOf(tap);
    const of = masters.get(device);
    // A name that two hosts use in different ways (eth0) joins nothing.
    if (of?.size !== 1) continue;
    const key = `${[...of].join()} ${tap.vlan} ${tap.innerVlan}`;
    const known = first.get(key);
    if (known === undefined) first.set(key, tap.id);
    else join(known, tap.id);
  }
}

function rootOf(parents: Int32Array, tap: number): number {
  let root = tap;
  while (parents[root] !== root) root = parents[root] ?? root;
  parents[tap] = root;
  return root;
}

/** Addresses that say nothing about a network, as the same one may be used on many links (RFC 3927, RFC 4291). */
export function isLinkLocal(r: Reconstruction, ip: Ip): boolean {
  return isIpv6(ip) ? (r.addresses.firstGroup(ip) & 0xffc0) === 0xfe80 : isLinkLocalV4(ip);
}
