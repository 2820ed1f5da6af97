/** Affected flows for the page: their runs, which of them are worth a lane, and their offload. */

import type { Flow, Mapping, OffloadSpan } from '../../model.js';
import { flowText, protocolName } from '../words.js';
import type { FilterSubject } from '../filter.js';
import type { SinceOrigin } from './clock.js';
import type { FlowData, OffloadData, Run } from './data.js';
import type { Limits } from './limits.js';
import type { NameTable } from './name-table.js';

export interface FlowContext {
  readonly names: NameTable;
  readonly since: SinceOrigin;
  readonly limits: Limits;
  readonly findings: readonly number[];
  readonly subject: FilterSubject;
}

export function flowData(flow: Flow, { names, since, limits, findings, subject }: FlowContext): FlowData {
  const kept = keepRuns(flow.mappings, limits.runs);
  const runs = kept.map((mapping) => runOf(mapping, names, since));
  const { original, reply } = flow;
  return {
    id: flow.id,
    text: flow.offload.length > 0 ? flowText({ ...flow, offload: [] }) : flowText(flow),
    protocol: protocolName(original.protocol),
    ips: [...new Set([original.srcIp, original.dstIp, reply.srcIp, reply.dstIp])],
    misdelivered: flow.misdelivered,
    flags: [...new Set(subject.flags)],
    findings,
    runs,
    moreRuns: flow.mappings.length - runs.length,
    lanes: lanesOf(runs),
    offload: flow.offload.slice(0, limits.runs).flatMap((span) => offloadData(span, since) ?? []),
  };
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
  /** The same sender's frames before, in and after the fault. */
  readonly phases: [before: number, wrong: number, after: number];
}

const MAX_LANES = 3;

/**
 * The tap that shows most of what went wrong, with what the same sender sent before and after; and further taps as long
 * as they show a part that none before did. Copies of the same frames on other taps are left to the ladder.
 */
function lanesOf(runs: readonly Run[]): FlowData['lanes'] {
  const wrong = runs.filter((run) => run[10] === 1);
  const begin = Math.min(...wrong.map((run) => run[8]));
  const end = Math.max(...wrong.map((run) => run[9]));
  const senders = new Set(wrong.map((run) => `${run[0]} ${run[2]}`));
  const lanes = new Map<string, Lane>();
  runs.forEach((run, index) => {
    const [direction, tap, source, , frames, misdelivered, , , from, to] = run;
    if (!senders.has(`${direction} ${source}`)) return;
    const key = `${direction} ${tap}`;
    const lane = lanes.get(key) ?? { tap, direction, runs: [], phases: [0, 0, 0] };
    lanes.set(key, lane);
    lane.runs.push(index);
    lane.phases[1] += misdelivered;
    if (misdelivered === 0 && to <= begin) lane.phases[0] += frames;
    if (misdelivered === 0 && from >= end) lane.phases[2] += frames;
  });
  const parts = (lane: Lane): number => lane.phases.filter((frames) => frames > 0).length;
  const best = (a: Lane, b: Lane): number => parts(b) - parts(a) || b.phases[1] - a.phases[1];
  const chosen: Lane[] = [];
  for (const phase of [1, 0, 2]) {
    const isShown = chosen.some((lane) => (lane.phases[phase] ?? 0) > 0);
    if (isShown || chosen.length === MAX_LANES) continue;
    const fitting = [...lanes.values()].filter((lane) => (lane.phases[phase] ?? 0) > 0);
    const [next] = fitting.sort((a, b) => (phase === 1 ? best(a, b) : (b.phases[phase] ?? 0) - (a.phases[phase] ?? 0)));
    if (next) chosen.push(next);
  }
  return chosen.map(({ tap, direction, runs: indices }) => ({ tap, direction, runs: indices }));
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
