/** The lanes of the time-line, as the server draws them once and the page's script again for each zoom. */

import { count, counted } from '../words.js';
import { clockAt } from './clock.js';
import type { FlowData, OffloadData, OwnerLane, ReportData, Run } from './data.js';

/** A row of marks. `frames` lanes belong to a flow, and so do `offload` lanes. */
export interface Lane {
  readonly kind: 'owner' | 'frames' | 'offload' | 'events' | 'impact' | 'captures';
  readonly label: string;
  readonly detail: string;
  readonly marks: readonly Mark[];
  readonly flow?: string;
}

/**
 * Something on the time axis. `bar`: full height; `thin`: less sure or less important; `bound`: it began or ended
 * somewhere in here; `tick`: a moment.
 */
export interface Mark {
  readonly shape: 'bar' | 'thin' | 'bound' | 'tick';
  readonly from: number;
  readonly to: number;
  /** Class of its colour and hatch. */
  readonly tone: string;
  /** Written on it where it fits. */
  readonly label: string;
  readonly isWrong?: boolean;
  /** The evidence, a line each. */
  readonly details: readonly string[];
}

/** Lanes of the addresses, of these flows, and of what else happened; of the captures when there is nothing else. */
export function lanesOf(data: ReportData, flows: readonly FlowData[]): Lane[] {
  const lanes = [
    ...data.owners.map((owner) => ownerLane(data, owner)),
    ...flows.flatMap((flow) => flowLanes(data, flow)),
    ...eventLanes(data),
    ...impactLanes(data),
  ];
  return lanes.length > 0 && data.flows.length > 0 ? lanes : [...lanes, ...captureLanes(data)];
}

/** `07:52:26.527668 to 07:53:20.740043` */
function betweenText(data: ReportData, from: number, to: number): string {
  const start = clockAt(data.origin, from);
  return from === to ? start : `${start} to ${clockAt(data.origin, to)}`;
}

/** `02:42:c0:a8:01:f0 (192.168.1.240)` */
export function macText(data: ReportData, index: number): string {
  const entry = data.macs[index];
  if (!entry) return 'unknown';
  const about = [entry.vendor ?? '', ...entry.ips].filter((text) => text !== '');
  return about.length > 0 ? `${entry.mac} (${about.join(', ')})` : entry.mac;
}

/** Verdicts in words, as `Run` numbers them. */
export const VERDICT_WORDS = ['right', 'wrong', 'not judged'] as const;

function ownerLane(data: ReportData, owner: OwnerLane): Lane {
  const spans = [...owner.spans].sort((a, b) => (a.from ?? -Infinity) - (b.from ?? -Infinity));
  const marks: Mark[] = [];
  spans.forEach((span, i) => {
    const from = span.from ?? data.domain[0];
    const to = Math.max(span.to ?? from, from);
    const mac = macOf(data, span.mac);
    const tone = toneOf(data, span.mac);
    const next = spans[i + 1]?.from ?? data.domain[1];
    const witnesses = span.witnesses.map(({ what }) => `said by: ${what}`);
    const more = span.moreWitnesses > 0 ? [`and ${counted(span.moreWitnesses, 'more witness', 'more witnesses')}`] : [];
    const details = [
      `${owner.ip} is at ${mac}${span.conflict ? ' (another MAC claims it too)' : ''}`,
      span.from === undefined
        ? 'undated'
        : `first said at ${clockAt(data.origin, from)}, last at ${clockAt(data.origin, to)}`,
      ...witnesses,
      ...more,
    ];
    // After its last witness an address stays where it was, as far as anybody knows.
    if (next > to) marks.push({ shape: 'thin', from: to, to: next, tone, label: '', details });
    marks.push({ shape: 'bar', from, to, tone, label: mac, details });
    for (const { at, what } of span.witnesses) {
      if (at !== undefined) {
        const said = `${mac} has ${owner.ip}: ${what}`;
        marks.push({ shape: 'tick', from: at, to: at, tone: 'witness', label: '', details: [said] });
      }
    }
  });
  return { kind: 'owner', label: `Who has ${owner.ip}`, detail: 'by ARP, ND, DHCP and tables', marks };
}

function flowLanes(data: ReportData, flow: FlowData): Lane[] {
  const lanes: Lane[] = flow.lanes.map((lane) => {
    const tap = data.taps[lane.tap];
    const direction = lane.direction === 0 ? 'original' : 'reply';
    return {
      kind: 'frames',
      flow: flow.id,
      label: `${flow.id} frames on ${tap?.device ?? 'unknown'}`,
      detail: `${flow.protocol}, ${direction} direction`,
      marks: lane.runs.flatMap((index) => {
        const run = flow.runs[index];
        return run ? [runMark(data, flow, run)] : [];
      }),
    };
  });
  if (flow.offload.length > 0) lanes.push(offloadLane(data, flow));
  return lanes;
}

function runMark(data: ReportData, flow: FlowData, run: Run): Mark {
  const [direction, tap, source, destination, frames, misdelivered, first, last, from, to, verdict, expected] = run;
  const place = data.taps[tap];
  const numbers = first === last ? `frame ${first}` : `frames ${first} to ${last}`;
  const wrong =
    misdelivered > 0 && misdelivered < frames
      ? `${count(misdelivered)} of ${counted(frames, 'frame')}`
      : counted(frames, 'frame');
  return {
    shape: verdict === 1 ? 'bar' : 'thin',
    from,
    to,
    // The right MAC on a wrong port: what is wrong cannot be seen by the MAC.
    tone: verdict === 1 && expected.includes(destination) ? 'misdelivered' : toneOf(data, destination),
    label: verdict === 1 ? `${wrong} to the wrong place` : '',
    isWrong: verdict === 1,
    details: [
      `${flow.id} ${direction === 0 ? 'original' : 'reply'}: ${counted(frames, 'frame')} to ${macText(data, destination)}: ${VERDICT_WORDS[verdict]}`,
      ...(expected.length > 0 ? [`expected: ${expected.map((mac) => macText(data, mac)).join(' or ')}`] : []),
      `${place?.device ?? ''} (${place?.input ?? ''}), ${numbers}`,
      `sent by ${macText(data, source)}, ${betweenText(data, from, to)}`,
    ],
  };
}

function offloadLane(data: ReportData, flow: FlowData): Lane {
  const begin = Math.min(...flow.runs.map((run) => run[8]));
  const marks: Mark[] = [];
  if (flow.runs.length > 0) {
    const seen = `${flow.id}: first frame seen at ${clockAt(data.origin, begin)}`;
    marks.push({ shape: 'tick', from: begin, to: begin, tone: 'event', label: '', details: [seen] });
  }
  for (const span of flow.offload) marks.push(...offloadMarks(data, flow, span));
  const isHardware = flow.offload.some(({ kind }) => kind === 'hardware');
  return {
    kind: 'offload',
    flow: flow.id,
    label: `${flow.id} offloaded`,
    detail: isHardware ? 'in hardware; hatched ends are bounds' : 'hatched ends are bounds',
    marks,
  };
}

function offloadMarks(data: ReportData, flow: FlowData, span: OffloadData): Mark[] {
  const end = span.to === undefined ? 'nothing shows its end' : `until ${endText(data, span)}`;
  const start =
    span.earliest < span.from
      ? `between ${clockAt(data.origin, span.earliest)} and ${clockAt(data.origin, span.from)}`
      : clockAt(data.origin, span.from);
  const details = [
    `${flow.id} is offloaded (${span.kind})`,
    `since ${start}, by ${MOMENT_WORDS[span.fromBy] ?? span.fromBy}`,
    end,
  ];
  const close = span.toEarliest ?? data.domain[1];
  const marks: Mark[] = [];
  const tone = span.kind === 'hardware' ? 'offload-hardware' : 'offload';
  if (span.earliest < span.from) {
    marks.push({ shape: 'bound', from: span.earliest, to: span.from, tone, label: '', details });
  }
  marks.push({
    shape: 'bar',
    from: span.from,
    to: Math.max(close, span.from),
    tone,
    label: `offloaded (${span.kind})`,
    details,
  });
  if (span.to !== undefined && span.to > close) {
    marks.push({ shape: 'bound', from: close, to: span.to, tone, label: '', details });
  }
  return marks;
}

function endText(data: ReportData, span: OffloadData): string {
  const to = clockAt(data.origin, span.to ?? 0);
  const by = MOMENT_WORDS[span.toBy ?? ''] ?? 'unknown';
  const bound = span.toEarliest !== undefined && span.to !== undefined && span.toEarliest < span.to;
  return `${bound ? `between ${clockAt(data.origin, span.toEarliest)} and ` : ''}${to}, by ${by}`;
}

const MOMENT_WORDS: Readonly<Record<string, string>> = {
  event: 'a conntrack event',
  snapshot: 'a conntrack dump',
  destroyed: 'the end of the conntrack entry',
  trigger: 'the packet that triggers it',
  'left-bridge': 'frames that no longer pass the bridge',
  unseen: 'frames that no tap sees',
  latency: 'forwarding that became faster',
  idle: 'silence of the flow',
  fin: 'FIN or RST',
};

function eventLanes(data: ReportData): Lane[] {
  if (data.events.length === 0) return [];
  const marks = data.events.map((event) => ({
    shape: 'tick' as const,
    from: event.at,
    to: event.at,
    tone: event.kind === 'take-over' ? 'take-over' : 'event',
    label: event.kind === 'take-over' ? 'moves' : '',
    details: [`${clockAt(data.origin, event.at)} ${event.kind}: ${event.what}`, event.where],
  }));
  return [{ kind: 'events', label: 'Events', detail: counted(marks.length, 'event'), marks }];
}

function impactLanes(data: ReportData): Lane[] {
  if (!data.impact) return [];
  const marks = data.impact.map((part) => ({
    shape: 'bar' as const,
    from: part.from,
    to: part.to,
    tone: part.isBad && part.part === 'during' ? 'impact-bad' : 'impact',
    label: part.what,
    details: [`${part.part} the fault: ${part.what}`, betweenText(data, part.from, part.to)],
  }));
  return [{ kind: 'impact', label: 'What users felt', detail: 'all affected flows', marks }];
}

function captureLanes(data: ReportData): Lane[] {
  return data.captures.map((capture) => ({
    kind: 'captures',
    label: capture.name,
    detail: counted(capture.frames, 'frame'),
    marks: [
      {
        shape: 'bar',
        from: capture.from,
        to: capture.to,
        tone: 'capture',
        label: '',
        details: [`${capture.name}: ${counted(capture.frames, 'frame')}`, betweenText(data, capture.from, capture.to)],
      },
    ],
  }));
}

function macOf(data: ReportData, index: number): string {
  return data.macs[index]?.mac ?? 'unknown';
}

function toneOf(data: ReportData, index: number): string {
  return `swatch-${data.macs[index]?.swatch ?? 0}`;
}
