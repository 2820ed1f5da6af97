/** Affected flows for the page: their runs, which of them are worth a lane, and their offload. */

import type { Flow, Mapping, OffloadSpan } from '../../model.js';
import { flowText, protocolName, tupleText } from '../words.js';
import type { SinceOrigin } from './clock.js';
import type { FlowData, OffloadData, Run } from './data.js';
import type { Limits } from './limits.js';
import type { NameTable } from './name-table.js';

export interface FlowContext {
  readonly names: NameTable;
  readonly since: SinceOrigin;
  readonly limits: Limits;
  readonly findings: readonly number[];
}

export function flowData(flow: Flow, { names, since, limits, findings }: FlowContext): FlowData {
  const kept = keepRuns(flow.mappings, limits.runs);
  const runs = kept.map((mapping) => runOf(mapping, names, since));
  const { original, reply } = flow;
  return {
    id: flow.id,
    text: flow.offload.length > 0 ? flowText({ ...flow, offload: [] }) : flowText(flow),
    protocol: protocolName(original.protocol),
    ips: [...new Set([original.srcIp, original.dstIp, reply.srcIp, reply.dstIp])],
    misdelivered: flow.misdelivered,
    findings,
    runs,
    moreRuns: flow.mappings.length - runs.length,
    lanes: lanesOf(runs),
    offload: flow.offload.slice(0, limits.runs).flatMap((span) => offloadData(span, since) ?? []),
  };
}

/** A flow's short name: its protocol and ends, without what NAT made of them. */
export function flowName(flow: Flow): string {
  return tupleText(flow.original);
}

/** Misdelivered runs first, when not all fit; in order of time. */
function keepRuns(mappings: readonly Mapping[], most: number): readonly Mapping[] {
  if (mappings.length <= most) return mappings;
  const wrong = mappings.filter((mapping) => mapping.misdelivered > 0).slice(0, most);
  const others = mappings.filter((mapping) => mapping.misdelivered === 0).slice(0, most - wrong.length);
  const kept = new Set([...wrong, ...others]);
  return mappings.filter((mapping) => kept.has(mapping));
}

function runOf(mapping: Mapping, names: NameTable, since: SinceOrigin): Run {
  const from = since(mapping.firstTime) ?? 0;
  return [
    mapping.direction === 'original' ? 0 : 1,
    names.tap(mapping.input, mapping.device, mapping.vlan),
    names.mac(mapping.srcMac),
    names.mac(mapping.dstMac),
    mapping.frames,
    mapping.misdelivered,
    mapping.firstFrame,
    mapping.lastFrame,
    from,
    since(mapping.lastTime) ?? from,
    mapping.verdict === 'misdelivered' ? 1 : mapping.verdict === 'delivered' ? 0 : 2,
    mapping.expected.map((mac) => names.mac(mac)),
  ];
}

interface Lane {
  readonly tap: number;
  readonly direction: 0 | 1;
  readonly runs: number[];
  wrong: number;
  /** Before, in and after the fault: whether the sender's frames show there. */
  readonly phases: [boolean, boolean, boolean];
}

const MAX_LANES = 3;

/**
 * The tap that shows most of what went wrong, with what the same sender sent before and after; and further taps as long
 * as they show a part that none before did. Copies of the same frames on other taps are left to the ladder.
 */
function lanesOf(runs: readonly Run[]): FlowData['lanes'] {
  const wrong = runs.filter((run) => run[10] === 1);
  const [first] = wrong;
  if (!first) return [];
  const begin = Math.min(...wrong.map((run) => run[8]));
  const end = Math.max(...wrong.map((run) => run[9]));
  const senders = new Set(wrong.map((run) => `${run[0]} ${run[2]}`));
  const lanes = new Map<string, Lane>();
  runs.forEach((run, index) => {
    if (!senders.has(`${run[0]} ${run[2]}`)) return;
    const key = `${run[0]} ${run[1]}`;
    const lane = lanes.get(key) ?? {
      tap: run[1],
      direction: run[0],
      runs: [],
      wrong: 0,
      phases: [false, false, false],
    };
    lanes.set(key, lane);
    lane.runs.push(index);
    lane.wrong += run[5];
    if (run[8] < begin) lane.phases[0] = true;
    if (run[5] > 0) lane.phases[1] = true;
    if (run[9] > end) lane.phases[2] = true;
  });
  const score = (lane: Lane): number => lane.phases.filter(Boolean).length;
  const ordered = [...lanes.values()].sort(
    (a, b) => Number(b.wrong > 0) - Number(a.wrong > 0) || score(b) - score(a) || b.wrong - a.wrong,
  );
  const seen = new Set<string>();
  return ordered
    .filter((lane) => {
      const parts = lane.phases.flatMap((isThere, i) => (isThere ? [`${lane.direction} ${i}`] : []));
      const isNew = parts.some((part) => !seen.has(part));
      for (const part of parts) seen.add(part);
      return isNew;
    })
    .slice(0, MAX_LANES)
    .map(({ tap, direction, runs: indices }) => ({ tap, direction, runs: indices }));
}

function offloadData(span: OffloadSpan, since: SinceOrigin): OffloadData | undefined {
  const from = since(span.from.time);
  if (from === undefined) return undefined;
  const to = since(span.to?.time);
  return {
    kind: span.kind,
    earliest: since(span.from.earliest) ?? from,
    from,
    fromBy: span.from.source,
    ...(to === undefined ? {} : { toEarliest: since(span.to?.earliest) ?? to, to, toBy: span.to?.source ?? 'unknown' }),
  };
}
