/** The affected flows as a table, each with its mappings and the packets that were followed from device to device. */

import type { Analysis, Flow, Transit } from '../../model.js';
import { clockTime, count, counted, tupleText } from '../words.js';
import type { Context } from './context.js';
import type { FlowData, ReportData } from './data.js';
import { FLOW_COLUMNS, flowRow, ladder } from './ladder.js';
import { clipped } from './limits.js';
import { markup, type Content, type Markup } from './markup.js';
import { feltText } from './prepare.js';
import { moreNote, table } from './table.js';

export function flowsSection({ analysis, data, limits }: Context): Markup | undefined {
  if (data.flows.length === 0) return undefined;
  const shown = data.flows.slice(0, limits.staticFlows);
  const left = data.flows.length - shown.length;
  const head = FLOW_COLUMNS.map(({ id, title }) => markup`<th scope="col" data-sort="${id}">${title}</th>`);
  const rows = shown.map((flow, index) => flowRow(data, flow, index, false, false));
  const details = data.flows.slice(0, limits.ladders).map((flow, index) => flowDetails(analysis, data, flow, index));
  return markup`
<section id="flows" aria-labelledby="flows-title">
<h2 id="flows-title">Affected flows <span class="note" data-flow-count>${count(analysis.flows.length)}</span></h2>
<div class="scroll" tabindex="0" role="region" aria-label="Affected flows"><table class="flows" data-flows><caption class="visually-hidden">Flows that misdelivered frames belong to, most affected first</caption><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>
<p class="note more" data-flow-more>${left > 0 ? `${counted(left, 'more flow')} with JavaScript.` : ''}</p>
${moreNote(analysis.flows.length - data.flows.length)}
<div class="flow-details" data-flow-details>${details}</div>
</section>`;
}

function flowDetails(analysis: Analysis, data: ReportData, flow: FlowData, index: number): Markup {
  const source = analysis.flows[index];
  return markup`<details data-ladder="${index}"><summary>${flow.id}: ${flow.text}, ${counted(flow.misdelivered, 'misdelivered frame')}</summary>${source ? felt(source) : undefined}${ladder(data, flow)}${source ? transits(source) : undefined}</details>`;
}

function felt({ impact }: Flow): Markup | undefined {
  if (!impact) return undefined;
  const words = (['before', 'during', 'after'] as const).map((part) => {
    const text = feltText(impact[part]).join(', ');
    return markup`<li><b>${part}</b>: ${text === '' ? 'nothing amiss' : text} <span class="note">${counted(impact[part].frames, 'frame')}</span></li>`;
  });
  return markup`<p class="list-title">What its users felt</p><ul>${words}</ul>`;
}

const MAX_TRANSITS = 8;
const MAX_SIGHTINGS = 12;

function transits(flow: Flow): Markup | undefined {
  const all = flow.transits ?? [];
  if (all.length === 0) return undefined;
  return markup`<p class="list-title">Single packets on their way</p>${all.slice(0, MAX_TRANSITS).map((transit) => transitTable(flow, transit))}${moreNote(all.length - MAX_TRANSITS)}`;
}

function transitTable(flow: Flow, transit: Transit): Markup {
  const rows = transit.sightings.map((seen): Content[] => [
    clockTime(seen.time),
    markup`${clipped(seen.device, 60)}${seen.vlan === undefined ? '' : ` vlan ${seen.vlan}`}`,
    markup`${clipped(seen.input, 100)} #${seen.frame}`,
    markup`<code>${seen.srcMac}</code> → <code class="${seen.misdelivered ? 'wrong' : ''}">${seen.dstMac}</code>`,
    markup`${seen.hopLimit}`,
    seen.translated ? tupleText(seen.translated) : '',
    seen.misdelivered ? markup`<span class="wrong">✗ wrong</span>` : '',
  ]);
  const caption = `${flow.id}, ${transit.direction}, ${PHASES[transit.phase]}${transit.boomerang ? ': came back to where it came from' : ''} (joined by ${transit.joinedBy})`;
  return table(
    { caption, columns: ['Time (UTC)', 'Device', 'Frame', 'From MAC → to MAC', 'TTL', 'Translated', 'Verdict'] },
    rows,
    MAX_SIGHTINGS,
  );
}

const PHASES = {
  before: 'before the fault',
  misdelivered: 'misdelivered',
  meanwhile: 'meanwhile',
  after: 'after the fault',
} as const;
