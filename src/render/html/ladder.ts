/** The flows table and the ladder of a flow's mappings, for the server and for the page's script alike. */

import { count } from '../words.js';
import { clockAt } from './clock.js';
import type { FlowData, ReportData, Run } from './data.js';
import { macText, VERDICT_WORDS } from './lanes.js';
import { markup, type Markup } from './markup.js';
import { moreNote } from './table.js';

/** The columns of the flows table, with what each is sorted by. */
export const FLOW_COLUMNS = [
  { id: 'id', title: 'Flow' },
  { id: 'text', title: 'What' },
  { id: 'misdelivered', title: 'Misdelivered' },
  { id: 'first', title: 'First frame (UTC)' },
  { id: 'offload', title: 'Offload' },
  { id: 'cause', title: 'Cause' },
] as const;

/** A row of the flows table. `index` is the flow's position in `data.flows`. */
export function flowRow(data: ReportData, flow: FlowData, index: number, isOpen: boolean, isLive: boolean): Markup {
  const causes = flow.findings.map((finding) => data.findings[finding]?.cause ?? '').join(', ');
  const offload = [...new Set(flow.offload.map(({ kind }) => kind))].join(', ');
  const name = isLive
    ? markup`<button type="button" class="expand" data-flow="${index}" aria-expanded="${isOpen ? 'true' : 'false'}">${flow.id}</button>`
    : flow.id;
  return markup`<tr><th scope="row">${name}</th><td>${flow.text}</td><td class="number">${count(flow.misdelivered)}</td><td>${clockAt(data.origin, startOf(flow))}</td><td>${offload === '' ? 'not seen' : offload}</td><td>${causes}</td></tr>`;
}

/** ms after the origin of the first frame. */
export function startOf(flow: FlowData): number {
  return flow.runs.reduce((least, run) => Math.min(least, run[8]), Infinity) === Infinity
    ? 0
    : Math.min(...flow.runs.map((run) => run[8]));
}

/** A flow's mappings in order of time. */
export function ladder(data: ReportData, flow: FlowData): Markup {
  const rows = flow.runs.map((run) => ladderRow(data, run));
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Mappings of ${flow.id}"><table class="ladder"><caption>Mappings of ${flow.id}: unbroken runs of frames with one source and one destination MAC</caption><thead><tr><th scope="col">First frame (UTC)</th><th scope="col">Last</th><th scope="col">Direction</th><th scope="col">Device</th><th scope="col">From MAC → to MAC</th><th scope="col">Expected</th><th scope="col">Frames</th><th scope="col">Numbers</th><th scope="col">Verdict</th></tr></thead><tbody>${rows}</tbody></table></div>${moreNote(flow.moreRuns)}`;
}

function ladderRow(data: ReportData, run: Run): Markup {
  const [direction, tap, source, destination, frames, misdelivered, first, last, from, to, verdict, expected] = run;
  const place = data.taps[tap];
  const tone = verdict === 1 ? 'wrong' : verdict === 0 ? 'right' : '';
  const part = misdelivered > 0 && misdelivered < frames ? ` (${count(misdelivered)} of them)` : '';
  return markup`<tr class="run-${verdict}"><th scope="row">${clockAt(data.origin, from)}</th><td>${clockAt(data.origin, to)}</td><td>${direction === 0 ? 'original' : 'reply'}</td><td>${place?.device} <span class="note">${place?.input}</span></td><td><code>${data.macs[source]?.mac}</code> → <code class="${tone}">${data.macs[destination]?.mac}</code></td><td>${expected.map((mac) => macText(data, mac)).join(' or ')}</td><td class="number">${count(frames)}</td><td>${first === last ? String(first) : `${first} to ${last}`}</td><td class="${tone}">${VERDICT_SYMBOLS[verdict]} ${VERDICT_WORDS[verdict]}${part}</td></tr>`;
}

const VERDICT_SYMBOLS = ['✓', '✗', '?'] as const;
