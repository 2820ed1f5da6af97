/** Flows of misdelivered frames: both directions joined, through NAT where conntrack says how. */

import { formatMac, parseIpv4, parseIpv6Groups } from '../bytes/address.js';
import type { Examination, JudgedRun } from '../detect/examine.js';
import { runsOfLeg, viewLeg, type LegView } from '../detect/legs.js';
import type { Verdicts } from '../detect/verdicts.js';
import type { Flow, Mapping, Tuple } from '../model.js';
import type { ConntrackEntry } from '../reconstruct/conntrack-store.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { ConntrackTuple } from '../records/facts.js';

/** At most this many flows are listed, the most affected ones. */
const MAX_FLOWS = 2000;
const MAX_MAPPINGS_PER_FLOW = 200;

export interface Places {
  inputName(input: number): string;
  deviceName(tap: number): string;
}

export interface FoundFlows {
  readonly flows: Flow[];
  /** Id of the flow of each suspect leg. */
  readonly idOfLeg: Map<number, string>;
}

interface Draft {
  readonly original: Tuple;
  readonly reply: Tuple;
  readonly conntrack: ConntrackEntry | undefined;
  readonly legs: number[];
  first: number;
  misdelivered: number;
}

export function findFlows(r: Reconstruction, examination: Examination, verdicts: Verdicts, places: Places): FoundFlows {
  const wanted = new Map<string, Draft>();
  const affected = [...examination.suspects.values()].filter(({ runs }) => runs.some(isNotable));
  const seeds = affected.map(({ view }) => tupleOf(r, view));
  const entries = entriesOf(r, seeds);
  affected.forEach(({ runs }, i) => {
    const seed = seeds[i];
    if (!seed) return;
    const draft = draftOf(wanted, seed, entries.get(textOf(seed)));
    draft.misdelivered += runs.reduce((sum, run) => sum + (run.ruling.verdict === 'misdelivered' ? run.frames : 0), 0);
  });
  collectLegs(r, wanted);

  const drafts = [...new Set(wanted.values())];
  for (const draft of drafts)
    draft.first = Math.min(...draft.legs.map((leg) => runsOfLeg(r, leg)[0]?.first ?? Infinity));
  drafts.sort((a, b) => a.first - b.first || (textOf(a.original) < textOf(b.original) ? -1 : 1));
  const idOfLeg = new Map<number, string>();
  const flows = drafts.map((draft, i): Flow => {
    const id = `F${i + 1}`;
    for (const leg of draft.legs) idOfLeg.set(leg, id);
    return {
      id,
      original: draft.original,
      reply: draft.reply,
      joinedBy: draft.conntrack ? 'conntrack' : 'addresses',
      ...offloadOf(draft.conntrack),
      misdelivered: draft.misdelivered,
      mappings: mappingsOf(r, draft, id, examination, verdicts, places),
    };
  });
  flows.sort((a, b) => b.misdelivered - a.misdelivered || Number(a.id.slice(1)) - Number(b.id.slice(1)));
  return { flows: flows.slice(0, MAX_FLOWS), idOfLeg };
}

function isNotable(run: JudgedRun): boolean {
  return run.ruling.verdict === 'misdelivered' || run.ruling.class !== undefined;
}

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

function textOf(tuple: Tuple): string {
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
function formsOf(original: Tuple, reply: Tuple): Tuple[] {
  return [original, turned(reply), reply, turned(original)];
}

/** Conntrack entries of the given tuples. */
function entriesOf(r: Reconstruction, seeds: readonly Tuple[]): Map<string, ConntrackEntry> {
  const found = new Map<string, ConntrackEntry>();
  if (seeds.length === 0) return found;
  const wanted = new Set(seeds.map(textOf));
  for (const entry of r.facts.conntrack.entries) {
    const original = tupleOfConntrack(entry.first.original, entry.protocol);
    const reply = tupleOfConntrack(entry.first.reply, entry.protocol);
    for (const form of formsOf(original, reply).map(textOf))
      if (wanted.has(form) && !found.has(form)) found.set(form, entry);
  }
  return found;
}

function draftOf(wanted: Map<string, Draft>, seed: Tuple, entry: ConntrackEntry | undefined): Draft {
  const known = wanted.get(textOf(seed));
  if (known) return known;
  const original = entry ? tupleOfConntrack(entry.first.original, entry.protocol) : seed;
  const reply = entry ? tupleOfConntrack(entry.first.reply, entry.protocol) : turned(seed);
  const draft: Draft = { original, reply, conntrack: entry, legs: [], first: Infinity, misdelivered: 0 };
  for (const form of formsOf(original, reply)) wanted.set(textOf(form), draft);
  return draft;
}

/** Finds all legs of the wanted flows, on every tap. */
function collectLegs(r: Reconstruction, wanted: ReadonlyMap<string, Draft>): void {
  if (wanted.size === 0) return;
  const ips = new Set<number>();
  for (const draft of wanted.values()) {
    for (const text of [draft.original.srcIp, draft.original.dstIp, draft.reply.srcIp, draft.reply.dstIp]) {
      if (parseIpv4(text) !== undefined || parseIpv6Groups(text)) ips.add(r.addresses.parse(text) ?? -1);
    }
  }
  for (let leg = 0; leg < r.legs.count; leg++) {
    const view = viewLeg(r, leg);
    if (!ips.has(view.srcIp) || !ips.has(view.dstIp)) continue;
    wanted.get(textOf(tupleOf(r, view)))?.legs.push(leg);
  }
}

function offloadOf(entry: ConntrackEntry | undefined): { offload?: 'software' | 'hardware' | 'inferred' } {
  const offload = entry?.offload;
  return offload === 'software' || offload === 'hardware' || offload === 'inferred' ? { offload } : {};
}

function mappingsOf(
  r: Reconstruction,
  draft: Draft,
  flow: string,
  examination: Examination,
  verdicts: Verdicts,
  places: Places,
): Mapping[] {
  const forward = new Set([textOf(draft.original), textOf(turned(draft.reply))]);
  const rows = draft.legs.flatMap((leg) => {
    const view = viewLeg(r, leg);
    const judged = examination.suspects.get(leg)?.runs ?? settledRuns(r, view, verdicts);
    return judged.map((run) => ({ view, run }));
  });
  rows.sort((a, b) => a.run.first - b.run.first || a.view.tap - b.view.tap || a.run.firstFrame - b.run.firstFrame);
  return rows.slice(0, MAX_MAPPINGS_PER_FLOW).map(({ view, run }, i): Mapping => {
    const tap = r.taps.all[view.tap];
    const { verdict } = run.ruling;
    return {
      id: `${flow}.${i + 1}`,
      direction: forward.has(textOf(tupleOf(r, view))) ? 'original' : 'reply',
      input: places.inputName(tap?.input ?? 0),
      device: places.deviceName(view.tap),
      ...(tap && tap.vlan >= 0 ? { vlan: tap.vlan } : {}),
      srcMac: formatMac(view.transmitter),
      dstMac: formatMac(run.mac),
      frames: run.frames,
      bytes: run.bytes,
      firstFrame: run.firstFrame,
      lastFrame: run.lastFrame,
      firstTime: r.epoch.text(run.first),
      lastTime: r.epoch.text(run.last),
      ...(run.folded ? { folded: true as const } : {}),
      verdict,
      delivered: verdict === 'delivered' ? run.frames : 0,
      misdelivered: verdict === 'misdelivered' ? run.frames : 0,
      notJudged: verdict === 'not-judged' ? run.frames : 0,
      expected: run.ruling.expected.map(formatMac),
    };
  });
}

/** Runs of a leg that the first judgement settled. */
function settledRuns(r: Reconstruction, view: LegView, verdicts: Verdicts): JudgedRun[] {
  return runsOfLeg(r, view.leg).map((run) => {
    const stretches = verdicts.stretches(view, run.mac);
    const ruling = stretches.findLast(({ from }) => !(from > run.first))?.ruling ?? stretches[0]?.ruling;
    return { ...run, ruling: ruling ?? { verdict: 'delivered', expected: [], because: [] } };
  });
}
