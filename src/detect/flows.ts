/** Flows that suspects belong to: both directions joined on every tap, through NAT where conntrack says how. */

import { parseIpv4, parseIpv6Groups } from '../bytes/address.js';
import type { Tuple } from '../model.js';
import type { ConntrackEntry } from '../reconstruct/conntrack-store.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { ConntrackTuple } from '../records/facts.js';
import { runsOfLeg, viewLeg, type LegView } from './legs.js';
import { legsAbout } from './legs-about.js';

export interface AffectedFlow {
  /** `F1`, `F2`, ... in order of the first frame. */
  readonly id: string;
  readonly original: Tuple;
  readonly reply: Tuple;
  /** Its conntrack entries, one after the other; empty without conntrack. */
  readonly conntrack: readonly ConntrackEntry[];
  /** Its legs on every tap. */
  readonly legs: readonly number[];
  /** Those whose packets go the way of the original direction, before or after translation. */
  readonly originals: ReadonlySet<number>;
  /** First frame, ns since the analysis epoch. */
  readonly first: number;
}

interface Draft {
  readonly original: Tuple;
  readonly reply: Tuple;
  readonly conntrack: ConntrackEntry[];
  readonly legs: number[];
  readonly originals: Set<number>;
}

/** What packets of a flow look like, with addresses and ports, before or after translation. */
interface Form {
  readonly draft: Draft;
  readonly isOriginal: boolean;
}

/** The flows of the given legs. */
export function flowsOfLegs(r: Reconstruction, suspects: Iterable<number>): AffectedFlow[] {
  const seeds = [...suspects].map((leg) => tupleOf(r, viewLeg(r, leg)));
  const entries = entriesOf(r, seeds);
  const byForm = new Map<string, Form>();
  for (const seed of seeds) addDraft(byForm, seed, entries.get(textOfTuple(seed)) ?? []);
  collectLegs(r, byForm);

  const firstOf = (draft: Draft): number =>
    Math.min(...draft.legs.map((leg) => runsOfLeg(r, leg)[0]?.first ?? Infinity));
  return [...new Set([...byForm.values()].map(({ draft }) => draft))]
    .map((draft) => ({ ...draft, first: firstOf(draft) }))
    .sort((a, b) => a.first - b.first || (textOfTuple(a.original) < textOfTuple(b.original) ? -1 : 1))
    .map((draft, i) => ({ id: `F${i + 1}`, ...draft }));
}

/** The direction of a flow that one of its legs is of. */
export function directionOf(flow: AffectedFlow, leg: number): 'original' | 'reply' {
  return flow.originals.has(leg) ? 'original' : 'reply';
}

/** Addresses, protocol and ports of a leg as the analysis has them. */
export function tupleOf(r: Reconstruction, view: LegView): Tuple {
  const ports = view.srcPort !== 0 || view.dstPort !== 0;
  return {
    srcIp: r.addresses.format(view.srcIp),
    dstIp: r.addresses.format(view.dstIp),
    protocol: view.protocol,
    ...(ports ? { srcPort: view.srcPort, dstPort: view.dstPort } : {}),
  };
}

function turned(tuple: Tuple): Tuple {
  const { srcIp, dstIp, protocol, srcPort, dstPort } = tuple;
  const ports = srcPort !== undefined && dstPort !== undefined ? { srcPort: dstPort, dstPort: srcPort } : {};
  return { srcIp: dstIp, dstIp: srcIp, protocol, ...ports };
}

function textOfTuple(tuple: Tuple): string {
  return `${tuple.protocol} ${tuple.srcIp} ${tuple.srcPort ?? 0} ${tuple.dstIp} ${tuple.dstPort ?? 0}`;
}

function tupleOfConntrack(tuple: ConntrackTuple, protocol: number): Tuple {
  const echo = tuple.icmpId !== undefined ? { srcPort: tuple.icmpId, dstPort: tuple.icmpId } : {};
  const ports =
    tuple.srcPort !== undefined && tuple.dstPort !== undefined
      ? { srcPort: tuple.srcPort, dstPort: tuple.dstPort }
      : echo;
  return { srcIp: tuple.src, dstIp: tuple.dst, protocol, ...ports };
}

/** The four forms in which an entry's packets are seen: both directions, before and after translation. */
function formsOf(original: Tuple, reply: Tuple): string[] {
  return [original, turned(reply), reply, turned(original)].map(textOfTuple);
}

/** Conntrack entries by the forms of the given tuples. */
function entriesOf(r: Reconstruction, seeds: readonly Tuple[]): Map<string, ConntrackEntry[]> {
  const found = new Map<string, ConntrackEntry[]>();
  if (seeds.length === 0) return found;
  const wanted = new Set(seeds.map(textOfTuple));
  for (const entry of r.facts.conntrack.entries) {
    const original = tupleOfConntrack(entry.first.original, entry.protocol);
    const reply = tupleOfConntrack(entry.first.reply, entry.protocol);
    for (const form of new Set(formsOf(original, reply))) {
      if (wanted.has(form)) found.set(form, [...(found.get(form) ?? []), entry]);
    }
  }
  return found;
}

function addDraft(byForm: Map<string, Form>, seed: Tuple, entries: readonly ConntrackEntry[]): void {
  const known = byForm.get(textOfTuple(seed))?.draft;
  if (known) {
    for (const entry of entries) if (!known.conntrack.includes(entry)) known.conntrack.push(entry);
    return;
  }
  const [entry] = entries;
  const original = entry ? tupleOfConntrack(entry.first.original, entry.protocol) : seed;
  const reply = entry ? tupleOfConntrack(entry.first.reply, entry.protocol) : turned(seed);
  const draft: Draft = { original, reply, conntrack: [...entries], legs: [], originals: new Set() };
  const originals = [original, turned(reply)].map(textOfTuple);
  for (const form of [...formsOf(original, reply), textOfTuple(seed), textOfTuple(turned(seed))]) {
    if (!byForm.has(form)) byForm.set(form, { draft, isOriginal: originals.includes(form) });
  }
}

/** Finds all legs of the wanted flows, on every tap. */
function collectLegs(r: Reconstruction, byForm: ReadonlyMap<string, Form>): void {
  const ips = new Set<number>();
  for (const { draft } of byForm.values()) {
    for (const text of [draft.original.srcIp, draft.original.dstIp, draft.reply.srcIp, draft.reply.dstIp]) {
      if (parseIpv4(text) !== undefined || parseIpv6Groups(text)) ips.add(r.addresses.parse(text) ?? -1);
    }
  }
  for (const leg of legsAbout(r, ips, 'both')) {
    const form = byForm.get(textOfTuple(tupleOf(r, viewLeg(r, leg))));
    form?.draft.legs.push(leg);
    if (form?.isOriginal) form.draft.originals.add(leg);
  }
}
