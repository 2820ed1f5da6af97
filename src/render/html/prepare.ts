/** The analysis as the page's script wants it: tables of names, times as ms, no more than fits. */

import type { Analysis, Binding, Finding, Impact, Misdelivery } from '../../model.js';
import { count, counted, span, witnessText } from '../words.js';
import { earliest, sinceOrigin, type SinceOrigin } from './clock.js';
import type { CaptureMark, EventMark, FindingData, ImpactMark, OwnerLane, OwnerSpan, ReportData } from './data.js';
import { clipped, type Limits } from './limits.js';
import { NameTable } from './name-table.js';
import { flowData } from './prepare-flows.js';
import { FilterSubjects } from '../filter-subjects.js';
import type { FilterSubject } from '../filter.js';
import { renderMarkdown } from '../markdown.js';
import type { RenderOptions } from '../options.js';
import { captureFilters } from '../wireshark-filter.js';
import type { Context } from './context.js';

const MAX_OWNERS = 12;
const MAX_BINS = 240;

export function contextOf(analysis: Analysis, limits: Limits, options: Pick<RenderOptions, 'names'>): Context {
  const since = sinceOrigin(earliest(timesOf(analysis)));
  return { analysis, limits, since, data: prepare(analysis, limits, options) };
}

function prepare(analysis: Analysis, limits: Limits, options: Pick<RenderOptions, 'names'>): ReportData {
  const wrong = wrongOnes(analysis);
  const origin = earliest(timesOf(analysis));
  const since = sinceOrigin(origin);
  const names = new NameTable(wrong, analysis.bindings, options.names);
  const findings = shownFindings(analysis).slice(0, limits.findings);
  const subjects = new FilterSubjects(analysis);
  const findingsOfFlow = flowsByFinding(
    findings.map(({ explains }) => explains),
    analysis.misdeliveries,
  );
  const flows = analysis.flows.slice(0, limits.flows).map((flow) =>
    flowData(flow, {
      names,
      since,
      limits,
      findings: findingsOfFlow.get(flow.id) ?? [],
      subject: subjects.flow(flow),
    }),
  );
  const domain = domainOf(analysis, wrong, since);
  const impact = analysis.impact && impactMarks(analysis.impact, wrong, since, domain);
  return {
    origin,
    domain,
    owners: ownerLanes(analysis.bindings, wrong, names, since),
    events: eventMarks(analysis, since, limits),
    captures: captureMarks(analysis, since),
    ...(impact ? { impact } : {}),
    bins: binsOf(analysis, since, domain),
    flows,
    findings: findings.map((finding) => findingData(finding, { analysis, since, subject: subjects.finding(finding) })),
    copy: copyTexts(analysis, options),
    macs: names.macs,
    taps: names.taps,
  };
}

/** What went wrong; the normal moment after a take-over is none of it. */
export function wrongOnes(analysis: Analysis): Misdelivery[] {
  return analysis.misdeliveries.filter((m) => m.class !== 'convergence');
}

export function shownFindings(analysis: Analysis): Analysis['findings'] {
  return analysis.findings.filter((finding) => finding.cause !== 'convergence');
}

function* timesOf(analysis: Analysis): Generator<string | undefined> {
  for (const input of analysis.inputs) yield input.firstTime;
  for (const m of analysis.misdeliveries) yield m.firstTime;
  for (const flow of analysis.flows) for (const mapping of flow.mappings) yield mapping.firstTime;
  for (const event of analysis.events ?? []) yield event.time;
}

/** From the first to the last frame of affected flows, with a margin; of all captures where no flow is affected. */
function domainOf(analysis: Analysis, wrong: readonly Misdelivery[], since: SinceOrigin): readonly [number, number] {
  let from = Infinity;
  let to = -Infinity;
  const reach = (time: string | undefined): void => {
    const at = since(time);
    if (at === undefined) return;
    from = Math.min(from, at);
    to = Math.max(to, at);
  };
  for (const flow of analysis.flows) {
    for (const mapping of flow.mappings) {
      reach(mapping.firstTime);
      reach(mapping.lastTime);
    }
  }
  for (const m of wrong) {
    reach(m.firstTime);
    reach(m.lastTime);
  }
  if (from > to) {
    for (const input of analysis.inputs) {
      reach(input.firstTime);
      reach(input.lastTime);
    }
  }
  if (from > to) return [0, 1000];
  const margin = Math.max((to - from) * 0.02, 1);
  return [from - margin, to + margin];
}

function flowsByFinding(explained: readonly (readonly string[])[], all: readonly Misdelivery[]): Map<string, number[]> {
  const flowsOf = new Map(all.map((m) => [m.id, m.flows]));
  const found = new Map<string, number[]>();
  explained.forEach((ids, index) => {
    for (const flow of new Set(ids.flatMap((id) => flowsOf.get(id) ?? []))) {
      found.set(flow, [...(found.get(flow) ?? []), index]);
    }
  });
  return found;
}

/** Who had the addresses that frames went wrong for, and which addresses the wrong MACs had. */
function ownerLanes(
  bindings: readonly Binding[],
  wrong: readonly Misdelivery[],
  names: NameTable,
  since: SinceOrigin,
): OwnerLane[] {
  const concerned = new Set(wrong.map((m) => m.dstIp));
  const macs = new Set(wrong.flatMap((m) => [m.dstMac, ...m.expected]));
  const senders = new Set(wrong.map((m) => m.srcMac));
  const lanes = new Map<string, OwnerSpan[]>();
  const isWanted = (b: Binding): boolean => concerned.has(b.ip) || (macs.has(b.mac) && !senders.has(b.mac));
  const wanted = bindings.filter((binding) => isWanted(binding));
  // The addresses themselves first.
  for (const binding of [...wanted.filter((b) => concerned.has(b.ip)), ...wanted.filter((b) => !concerned.has(b.ip))]) {
    const spans = lanes.get(binding.ip) ?? [];
    if (!lanes.has(binding.ip) && lanes.size === MAX_OWNERS) continue;
    lanes.set(binding.ip, spans);
    spans.push(ownerSpan(binding, names, since));
  }
  return [...lanes].map(([ip, spans]) => ({ ip, spans }));
}

const MAX_WITNESS_MARKS = 8;

function ownerSpan(binding: Binding, names: NameTable, since: SinceOrigin): OwnerSpan {
  const from = since(binding.from);
  const to = since(binding.to);
  const shown = binding.witnesses.slice(0, MAX_WITNESS_MARKS).map((witness) => {
    const at = since(witness.time);
    return { ...(at === undefined ? {} : { at }), what: clipped(witnessText(witness)) };
  });
  return {
    mac: names.mac(binding.mac),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    conflict: binding.conflict ?? false,
    witnesses: shown,
    moreWitnesses: binding.witnesses.length - shown.length,
  };
}

function eventMarks(analysis: Analysis, since: SinceOrigin, limits: Limits): EventMark[] {
  const marks: EventMark[] = [];
  for (const event of (analysis.events ?? []).slice(0, limits.rows)) {
    const at = since(event.time);
    if (at === undefined) continue;
    const { origin } = event;
    const number = origin.frame === undefined ? `line ${origin.line ?? 0}` : `frame ${origin.frame}`;
    marks.push({
      at,
      kind: event.kind,
      what: clipped(event.what),
      where: `${clipped(origin.input)} ${number}`,
      ...(event.ip === undefined ? {} : { ip: event.ip }),
      ...(event.mac === undefined ? {} : { mac: event.mac }),
      ...(event.device === undefined ? {} : { device: event.device }),
    });
  }
  return marks;
}

const MAX_CAPTURES = 20;

function captureMarks(analysis: Analysis, since: SinceOrigin): CaptureMark[] {
  const marks: CaptureMark[] = [];
  for (const input of analysis.inputs) {
    const from = since(input.firstTime);
    const to = since(input.lastTime);
    if (from === undefined || to === undefined || marks.length === MAX_CAPTURES) continue;
    marks.push({ name: clipped(input.name), from, to, frames: input.frames ?? 0 });
  }
  return marks;
}

function impactMarks(
  impact: Impact,
  wrong: readonly Misdelivery[],
  since: SinceOrigin,
  domain: readonly [number, number],
): ImpactMark[] | undefined {
  const [first, last] = spanOf(wrong, since) ?? [];
  if (first === undefined || last === undefined) return undefined;
  const part = (name: ImpactMark['part'], from: number, to: number): ImpactMark => {
    const felt = impact[name];
    const words = feltText(felt);
    return {
      part: name,
      from,
      to,
      isBad: words.length > 0,
      what: words.length > 0 ? words.join(', ') : 'nothing amiss',
    };
  };
  return [part('before', domain[0], first), part('during', first, last), part('after', last, domain[1])];
}

/** What users of a flow felt, in a few words each; empty when all was well. */
export function feltText(felt: Impact['during']): string[] {
  const stall = /^\d+$/.test(felt.longestStall) && Number(felt.longestStall) >= 1e9 ? felt.longestStall : undefined;
  return [
    felt.unanswered > 0 ? `${count(felt.unanswered)} of ${counted(felt.queries, 'query', 'queries')} unanswered` : '',
    felt.retransmissions > 0 ? counted(felt.retransmissions, 'retransmission') : '',
    felt.handshakesRepeated > 0 ? `${counted(felt.handshakesRepeated, 'handshake')} repeated` : '',
    stall === undefined ? '' : `silent for ${span('0', stall)}`,
  ].filter((words) => words !== '');
}

function binsOf(analysis: Analysis, since: SinceOrigin, [from, to]: readonly [number, number]): number[] {
  const bins = new Array<number>(MAX_BINS).fill(0);
  const width = (to - from) / MAX_BINS;
  for (const flow of analysis.flows) {
    for (const mapping of flow.mappings) {
      const first = since(mapping.firstTime);
      const last = since(mapping.lastTime);
      if (mapping.misdelivered === 0 || first === undefined || last === undefined) continue;
      const begin = Math.max(0, Math.min(MAX_BINS - 1, Math.floor((first - from) / width)));
      const end = Math.max(begin, Math.min(MAX_BINS - 1, Math.floor((last - from) / width)));
      const share = mapping.misdelivered / (end - begin + 1);
      for (let i = begin; i <= end; i++) bins[i] = (bins[i] ?? 0) + share;
    }
  }
  return bins.map((frames) => Math.round(frames * 100) / 100);
}

interface FindingParts {
  readonly analysis: Analysis;
  readonly since: SinceOrigin;
  readonly subject: FilterSubject;
}

function findingData(finding: Finding, { analysis, since, subject }: FindingParts): FindingData {
  const own = explainedBy(analysis, finding);
  const [from, to] = spanOf(own, since) ?? [0, 0];
  const distinct = (values: readonly string[]): string[] => [...new Set(values)].slice(0, MAX_WORDS);
  return {
    id: finding.id,
    cause: finding.cause,
    title: finding.title,
    from,
    to,
    ips: distinct(subject.ips),
    macs: distinct(subject.macs),
    devices: distinct(subject.devices).map((device) => clipped(device, 100)),
    flags: distinct(subject.flags),
    flows: distinct(subject.flows),
    filter: captureFilters(own, analysis.inputs)[0]?.filter ?? '',
  };
}

/** From the first to the last wrong frame; undefined when no time is known. */
function spanOf(misdeliveries: readonly Misdelivery[], since: SinceOrigin): readonly [number, number] | undefined {
  let [first, last] = [Infinity, -Infinity];
  for (const m of misdeliveries) {
    first = Math.min(first, since(m.firstTime) ?? Infinity);
    last = Math.max(last, since(m.lastTime) ?? -Infinity);
  }
  return first <= last ? [first, last] : undefined;
}

const MAX_WORDS = 200;

/** The misdeliveries that a finding explains. */
function explainedBy(analysis: Analysis, finding: Finding): Misdelivery[] {
  const ids = new Set(finding.explains);
  return analysis.misdeliveries.filter((m) => ids.has(m.id));
}

/** What the copy buttons give: a summary for a thread, and how to see the frames of the first finding. */
function copyTexts(analysis: Analysis, options: Pick<RenderOptions, 'names'>): ReportData['copy'] {
  const [finding] = shownFindings(analysis);
  const wrong = wrongOnes(analysis);
  const own = finding ? explainedBy(analysis, finding) : wrong;
  const most = own.toSorted((a, b) => b.frames - a.frames);
  const [best] = captureFilters(most.length > 0 ? most : wrong, analysis.inputs);
  return {
    markdown: renderMarkdown(analysis, options),
    ...(best ? { filter: best.filter, tshark: best.command } : {}),
  };
}
