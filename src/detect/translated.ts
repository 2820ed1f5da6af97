/**
 * Legs that may be an affected flow before or after address translation, where no conntrack entry says so: they share
 * one end with it at the same time. Which of them are is told by their packets (`sameFlow`).
 */

import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { directionOf, type AffectedFlow } from './flows.js';
import { runsOfLeg, viewLeg, type LegView } from './legs.js';
import { legsAbout } from './legs-about.js';
import type { Trace } from './trace.js';

/** Legs that may belong to each flow. */
export type Candidates = ReadonlyMap<AffectedFlow, readonly number[]>;

const TCP = 6;
const UDP = 17;
const MAX_FLOWS = 500;
const MAX_PER_FLOW = 24;
/** Packets with the same fingerprint that make two legs one flow. */
const ENOUGH = 3;

/** First and last frame; ns since the analysis epoch. */
interface Span {
  readonly first: number;
  readonly last: number;
}

interface Wanted extends Span {
  readonly flow: AffectedFlow;
  readonly view: LegView;
  readonly legs: { leg: number; rank: number }[];
}

/** Candidates for the flows without a conntrack entry, those whose other port is the same first. */
export function translatedCandidates(r: Reconstruction, flows: readonly AffectedFlow[]): Candidates {
  const byEnd = new Map<string, Wanted[]>();
  const all: Wanted[] = [];
  const ips = new Set<number>();
  for (const flow of flows) {
    const [leg] = flow.legs;
    if (flow.conntrack.length > 0 || leg === undefined || all.length >= MAX_FLOWS) continue;
    const view = viewLeg(r, leg);
    if (view.protocol !== TCP && view.protocol !== UDP) continue;
    const wanted: Wanted = { flow, view, ...timeOf(r, flow.legs), legs: [] };
    all.push(wanted);
    for (const [ip, port] of endsOf(view)) {
      const key = `${view.protocol} ${ip} ${port}`;
      byEnd.set(key, [...(byEnd.get(key) ?? []), wanted]);
      ips.add(ip);
    }
  }
  if (all.length === 0) return new Map();
  const own = new Set(flows.flatMap((flow) => flow.legs));
  for (const leg of legsAbout(r, ips, 'either')) {
    if (own.has(leg)) continue;
    const view = viewLeg(r, leg);
    let time: Span | undefined;
    for (const [ip, port] of endsOf(view)) {
      for (const wanted of byEnd.get(`${view.protocol} ${ip} ${port}`) ?? []) {
        time ??= timeOf(r, [leg]);
        if (time.first <= wanted.last + AROUND && time.last >= wanted.first - AROUND) {
          wanted.legs.push({ leg, rank: rankOf(view, wanted.view) });
        }
      }
    }
  }
  return new Map(
    all.map(({ flow, legs }) => {
      const best = legs.sort((a, b) => a.rank - b.rank || a.leg - b.leg).slice(0, MAX_PER_FLOW);
      return [flow, [...new Set(best.map(({ leg }) => leg))]];
    }),
  );
}

/**
 * Which candidates are the flow, by leg, and in which direction: their packets are the same ones.
 */
export function sameFlow(trace: Trace, candidates: Candidates, flow: AffectedFlow): Map<number, 'original' | 'reply'> {
  const found = new Map<number, 'original' | 'reply'>();
  const legs = candidates.get(flow) ?? [];
  if (legs.length === 0) return found;
  const directions = new Map<number, 'original' | 'reply'>();
  for (const leg of flow.legs) {
    const direction = directionOf(flow, leg);
    for (const { fingerprint } of trace.ofLeg(leg)) if (fingerprint !== 0) directions.set(fingerprint, direction);
  }
  for (const leg of legs) {
    const shared = new Set<number>();
    for (const { fingerprint } of trace.ofLeg(leg)) if (directions.has(fingerprint)) shared.add(fingerprint);
    const [one] = shared;
    const direction = one === undefined ? undefined : directions.get(one);
    if (direction !== undefined && shared.size >= ENOUGH) found.set(leg, direction);
  }
  return found;
}

/** Captures of several machines have clocks that differ. */
const AROUND = 2e9;

function endsOf(view: LegView): [number, number][] {
  return [
    [view.srcIp, view.srcPort],
    [view.dstIp, view.dstPort],
  ];
}

function rankOf(view: LegView, wanted: LegView): number {
  const ports = [wanted.srcPort, wanted.dstPort];
  return ports.includes(view.srcPort) && ports.includes(view.dstPort) ? 0 : 1;
}

function timeOf(r: Reconstruction, legs: readonly number[]): Span {
  const runs = legs.flatMap((leg) => runsOfLeg(r, leg));
  return {
    first: runs.reduce((min, run) => Math.min(min, run.first), Infinity),
    last: runs.reduce((max, run) => Math.max(max, run.last), -Infinity),
  };
}
