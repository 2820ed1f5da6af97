/**
 * Clocks of logs against those of captures: conntrack prints NEW when the first packet of a flow has passed, and a
 * monitored neighbour table changes when a host speaks up for an address. What other dumps of a host show tells whether
 * they share the clock of its log.
 */

import { ipFromWord, parseMac, type Ip } from '../bytes/address.js';
import type { ClaimRun } from '../reconstruct/claim-runs.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Host } from '../reconstruct/hosts.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { ConntrackFact, ConntrackTuple } from '../records/facts.js';
import { densest, type ClockEstimate } from './clock-offset.js';
import { runsOfLeg } from './legs.js';

/** A log whose clock shows `offset` ns more than that of `against`, a capture. */
export interface LogOffset extends ClockEstimate {
  readonly input: number;
  readonly against: number;
  /** A router that is busy might print so late; it does not when its other dumps are as late. */
  readonly isSure: boolean;
}

/** What to add to the times of an input, ns. */
export type ShiftOf = (input: number) => number;

/** Entries that are looked up. */
const MAX_ENTRIES = 4096;
/** Events are stamped when the tool prints them: that many ns later on a busy router. */
const PRINTING = 2.5e8;
const MIN_FLOWS = 3;
const MOST = 0.6;
/** Flows that began together agree on any shift. */
const MIN_SPREAD = 2e9;
/** A log that is behind by less than this may be of a router that is busy; ahead of the packets it never is. */
const BUSY = 1e9;
const MIN_SHIFT = 2.5e8;

/** A beginning of a flow: when conntrack printed it, and when a capture saw it. */
export interface Beginning {
  readonly flow: string;
  /** The log, and the time of the event. */
  readonly log: number;
  readonly told: number;
  readonly capture: number;
  readonly seen: number;
}

/** Logs of conntrack whose clock is wrong: several flows that began at different times agree on the shift. */
export function logOffsets(all: readonly Beginning[], shiftOf: ShiftOf): LogOffset[] {
  const offsets: LogOffset[] = [];
  for (const [input, beginnings] of groupBy(all, ({ log }) => log)) {
    const moved = beginnings.map((one) => ({ ...one, seen: one.seen + shiftOf(one.capture) }));
    // Of all captures the one that saw it first.
    const events = groupBy(moved, ({ flow, told }) => `${flow} ${told}`).values();
    const firsts = [...events].flatMap(
      (seen) => seen.toSorted((x, y) => x.seen - y.seen || x.capture - y.capture)[0] ?? [],
    );
    const found = agreedDelay(firsts);
    if (!found || Math.abs(found.delay) < MIN_SHIFT) continue;
    const { delay: offset, flows: pairs, capture: against } = found;
    offsets.push({ input, against, offset, uncertainty: PRINTING, pairs, isSure: offset < 0 || offset >= BUSY });
  }
  return offsets.sort((a, b) => a.input - b.input);
}

/**
 * Captures whose clock is wrong by what a log tells of their flows, while other captures agree with it. Those that share
 * packets with others are not asked for.
 * @param isSettled whether more is known of a capture's clock
 */
export function captureOffsets(
  all: readonly Beginning[],
  shiftOf: ShiftOf,
  isSettled: (capture: number) => boolean,
): LogOffset[] {
  const offsets: LogOffset[] = [];
  for (const [log, beginnings] of groupBy(all, (one) => one.log)) {
    const isRight = ({ told, seen, capture }: Beginning): boolean => isNow(told - seen - shiftOf(capture));
    const agreeing = beginnings.filter((one) => isRight(one));
    if (countFlows(agreeing) < MIN_FLOWS) continue;
    for (const [input, seen] of groupBy(beginnings, ({ capture }) => capture)) {
      const found = isSettled(input) || seen.some((one) => isRight(one)) ? undefined : agreedDelay(seen);
      if (!found || Math.abs(found.delay) < BUSY) continue;
      const { delay, flows: pairs } = found;
      offsets.push({ input, against: log, offset: -delay, uncertainty: PRINTING, pairs, isSure: true });
    }
  }
  return offsets.filter((one, i) => offsets.findIndex(({ input }) => input === one.input) === i);
}

/** How many flows each capture saw begin when a log of conntrack says so, times as they stand. */
export function agreementsOf(beginnings: readonly Beginning[]): Map<number, number> {
  const agreements = new Map<number, number>();
  for (const { capture, told, seen } of beginnings) {
    if (isNow(told - seen)) agreements.set(capture, (agreements.get(capture) ?? 0) + 1);
  }
  return agreements;
}

/** Time stamps of one machine's capture and log are in order to within this, ns. */
const EARLY = 1e7;

function isNow(delay: number): boolean {
  return delay >= -EARLY && delay <= PRINTING;
}

/** The delay that most flows agree on, and one capture that shows it; undefined when they are too few, or began together. */
function agreedDelay(
  beginnings: readonly Beginning[],
): { readonly delay: number; readonly flows: number; readonly capture: number } | undefined {
  const delayOf = ({ told, seen }: Beginning): number => told - seen;
  const best = densest(beginnings, PRINTING, delayOf);
  const [first] = best;
  const flows = countFlows(best);
  if (!first || flows < MIN_FLOWS || flows < MOST * countFlows(beginnings)) return undefined;
  const agreed = new Set(best);
  const rest = beginnings.filter((one) => !agreed.has(one));
  const times = best.map(({ seen }) => seen);
  const isSpread = Math.max(...times) - Math.min(...times) >= MIN_SPREAD;
  const isClear = countFlows(densest(rest, PRINTING, delayOf)) * 2 <= flows;
  return isSpread && isClear ? { delay: delayOf(first), flows, capture: first.capture } : undefined;
}

function countFlows(beginnings: readonly Beginning[]): number {
  return new Set(beginnings.map(({ flow }) => flow)).size;
}

function groupBy<T, Key>(list: readonly T[], keyOf: (one: T) => Key): Map<Key, T[]> {
  const groups = new Map<Key, T[]>();
  for (const one of list) {
    const known = groups.get(keyOf(one));
    if (known) known.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}

/** Each NEW of a log with the first packet of its flow in each capture, times as they stand. */
export function beginningsOf(r: Reconstruction): Beginning[] {
  const events: { flow: string; log: number; told: number }[] = [];
  const forms = new Map<string, string[]>();
  const made = r.facts.conntrack.entries.filter((entry) => entry.made && !Number.isNaN(entry.made.time));
  for (const entry of made.slice(0, MAX_ENTRIES)) {
    // Of one text with its own frames, nothing could be moved against them.
    if (!entry.made || (r.frames.get(entry.made.origin.input) ?? 0) > 0) continue;
    const flow = noteForms(r, forms, entry.first, entry.protocol);
    if (flow !== undefined) events.push({ flow, log: entry.made.origin.input, told: entry.made.time });
  }
  const firsts = firstsOf(r, forms, () => 0);
  return events.flatMap((event) =>
    [...(firsts.get(event.flow) ?? [])].map(([capture, seen]) => ({ ...event, capture, seen })),
  );
}

/** Adds the forms in which packets of an entry's original direction are seen, before and after translation. @returns the flow */
function noteForms(
  r: Reconstruction,
  forms: Map<string, string[]>,
  { original, reply }: ConntrackFact,
  protocol: number,
): string | undefined {
  const plain = formOf(r, protocol, original, false);
  const translated = formOf(r, protocol, reply, true);
  if (plain === undefined || translated === undefined) return undefined;
  for (const form of new Set([plain, translated])) {
    const flows = forms.get(form) ?? [];
    if (!flows.includes(plain)) forms.set(form, [...flows, plain]);
  }
  return plain;
}

/** A flow with one packet in so many ns may be forgotten in between, and begin again with the next one: which is not known. */
const SELDOM = 1e10;

/** When each capture saw the flows first, clocks of captures set right. */
function firstsOf(
  r: Reconstruction,
  forms: ReadonlyMap<string, readonly string[]>,
  shiftOf: ShiftOf,
): Map<string, Map<number, number>> {
  const firsts = new Map<string, Map<number, number>>();
  if (forms.size === 0) return firsts;
  const parts = [...forms.keys()].map((form) => form.split(' ').map(Number));
  const addresses = new Set(parts.flatMap(([, src = 0, dst = 0]) => [src, dst]));
  const bothPorts = new Set(parts.map(([, , , srcPort = 0, dstPort = 0]) => (srcPort << 16) | dstPort | 0));
  const { words } = r.legs;
  for (let leg = 0; leg < r.legs.count; leg++) {
    const w = leg * LEG_WORDS;
    const ports = words[w + Leg.PORTS] ?? 0;
    if (!bothPorts.has(ports)) continue;
    const meta = words[w + Leg.META] ?? 0;
    const version = meta & LegBit.IPV6 ? 6 : 4;
    const src = ipFromWord(words[w + Leg.SRC_IP] ?? 0, version);
    if (!addresses.has(src)) continue;
    const dst = ipFromWord(words[w + Leg.DST_IP] ?? 0, version);
    if (!addresses.has(dst)) continue;
    const flows = forms.get(formText((meta >>> 8) & 0xff, src, dst, ports >>> 16, ports & 0xffff)) ?? [];
    if (flows.length === 0) continue;
    const runs = runsOfLeg(r, leg);
    const [first, last] = [runs[0]?.first ?? NaN, runs.at(-1)?.last ?? NaN];
    const frames = runs.reduce((sum, run) => sum + run.frames, 0);
    if (last - first > SELDOM * (frames - 1)) continue;
    const input = r.taps.all[meta >>> 16]?.input ?? -1;
    const time = first + shiftOf(input);
    for (const flow of flows) {
      const seen = firsts.get(flow) ?? new Map<number, number>();
      firsts.set(flow, seen);
      if (!Number.isNaN(time) && !((seen.get(input) ?? Infinity) <= time)) seen.set(input, time);
    }
  }
  return firsts;
}

/** The addresses and ports of a direction; `turned` gives those of the opposite one. */
function formOf(
  r: Reconstruction,
  protocol: number,
  { src, dst, srcPort, dstPort, icmpId }: ConntrackTuple,
  turned: boolean,
): string | undefined {
  const [from, to] = [r.addresses.parse(src), r.addresses.parse(dst)];
  if (from === undefined || to === undefined) return undefined;
  const [a, b] = [srcPort ?? icmpId ?? 0, dstPort ?? icmpId ?? 0];
  return turned ? formText(protocol, to, from, b, a) : formText(protocol, from, to, a, b);
}

function formText(protocol: number, src: Ip, dst: Ip, srcPort: number, dstPort: number): string {
  return `${protocol} ${src} ${dst} ${srcPort} ${dstPort}`;
}

/** A table changes this long before (time stamps are not exact) or after a host spoke up, ns. */
const BEFORE = 2e7;
const AFTER = 1e8;

/** How much of what an input of a host says fits what captures saw, when its times are moved by `shift`: a number of statements. */
export function fitOf(r: Reconstruction, host: Host, input: number, shiftOf: ShiftOf, shift: number): number {
  return changesHeard(r, host, input, shiftOf, shift) + entriesFitting(r, input, shiftOf, shift);
}

/** Changes of a monitored neighbour or forwarding table that follow what captures heard. */
function changesHeard(r: Reconstruction, host: Host, input: number, shiftOf: ShiftOf, shift: number): number {
  const isHeard = (claims: readonly ClaimRun[], changed: number): boolean =>
    claims.some((claim) => {
      const moved = shiftOf(r.taps.all[claim.tap]?.input ?? -1);
      const spoken = [claim.first, claim.heardByAll, ...[...claim.heardBy.values()].map(({ time }) => time)];
      return spoken.some((time) => changed + shift >= time + moved - BEFORE && changed + shift <= time + moved + AFTER);
    });
  let heard = 0;
  for (const [ip, runs] of host.neighbors) {
    // The first entry of an address says since when it is monitored, not when it changed.
    const told = runs.filter((run) => run.input === input && run.byEvent).slice(1);
    for (const { mac, first } of told) {
      const claims = r.claims.of(ip).filter((claim) => claim.mac === mac);
      if (isHeard(claims, first)) heard++;
    }
  }
  for (const { event, mac: text, time } of (r.facts.inputs.get(input)?.fdb ?? []).slice(0, MAX_CHANGES)) {
    const mac = parseMac(text);
    if (event === undefined || event === 'deleted' || time === undefined || mac === undefined) continue;
    const claims = r.claims.runs.slice(0, MAX_CLAIMS).filter((claim) => claim.mac === mac);
    if (isHeard(claims, r.epoch.relative(time))) heard++;
  }
  return heard;
}

/** Changes of a forwarding table, and claims, that are compared. */
const MAX_CHANGES = 200;
const MAX_CLAIMS = 20_000;

/** Conntrack entries that a dump first shows after their first packet, while the dump before it was made too early for that. */
function entriesFitting(r: Reconstruction, input: number, shiftOf: ShiftOf, shift: number): number {
  const dumps = r.facts.conntrack.snapshots.filter((dump) => dump.input === input).map(({ time }) => time);
  if (dumps.length < 2) return 0;
  const shown: { flow: string; after: number; until: number }[] = [];
  const forms = new Map<string, string[]>();
  for (const entry of r.facts.conntrack.entries.slice(0, MAX_ENTRIES)) {
    const until = entry.flags.find(({ origin }) => origin.input === input)?.first ?? NaN;
    const after = dumps.filter((time) => time < until).reduce((a, b) => Math.max(a, b), -Infinity);
    if (!Number.isFinite(after)) continue;
    const flow = noteForms(r, forms, entry.first, entry.protocol);
    if (flow !== undefined) shown.push({ flow, after, until });
  }
  const firsts = firstsOf(r, forms, shiftOf);
  return shown.filter(({ flow, after, until }) => {
    const time = Math.min(...(firsts.get(flow)?.values() ?? []));
    return time > after + shift - BEFORE && time < until + shift + BEFORE;
  }).length;
}
