/** The time-line as a static SVG: what is read without JavaScript and printed. */

import { count } from '../words.js';
import { clockAt } from './clock.js';
import type { Context } from './context.js';
import type { ReportData } from './data.js';
import { drawLanes, niceTicks, tickText } from './drawing.js';
import { lanesOf, macText } from './lanes.js';
import { markup, type Markup } from './markup.js';

const WIDTH = 1160;
const LEFT = 190;
const AXIS = 24;
const TICKS = 8;

export function timelineSection({ data, limits }: Context): Markup {
  const shown = data.flows.slice(0, limits.drawnFlows);
  const lanes = lanesOf(data, shown);
  if (lanes.length === 0) return markup``;
  const left = data.flows.length - shown.length;
  const more =
    left > 0
      ? markup`<p class="note" data-lanes-note>Drawn: the ${count(shown.length)} most affected flows of ${count(data.flows.length)}; the filter chooses others.</p>`
      : markup`<p class="note" data-lanes-note hidden></p>`;
  return markup`
<section id="timeline" aria-labelledby="timeline-title">
<h2 id="timeline-title">When <span class="note">UTC${rangeNote(data)}</span></h2>
<div class="static-timeline" tabindex="0" role="region" aria-label="Time-line, can be scrolled">${staticTimeline(data, lanes)}</div>
<div class="live-timeline" data-timeline hidden></div>
${more}
${legend(data)}
</section>`;
}

function staticTimeline(data: ReportData, lanes: ReturnType<typeof lanesOf>): Markup {
  const [from, to] = data.domain;
  const scale = (ms: number): number => LEFT + ((ms - from) / (to - from)) * (WIDTH - LEFT - 10);
  const { content, height } = drawLanes(lanes, { width: WIDTH, left: LEFT, scale, isInteractive: false });
  const midnight = Number((BigInt(data.origin) / 1000n) % 86_400_000_000n) / 1000;
  const ticks = niceTicks(from, to, TICKS, midnight).map((at) => {
    const x = Math.round(scale(at) * 10) / 10;
    return markup`<line class="grid" x1="${x}" x2="${x}" y1="${AXIS - 4}" y2="${AXIS + height}"/><text class="axis-label" x="${x}" y="14">${tickText(data.origin, at)}</text>`;
  });
  const total = AXIS + height;
  return markup`<svg viewBox="0 0 ${WIDTH} ${total}" width="${WIDTH}" height="${total}" role="img" aria-labelledby="timeline-name timeline-summary"><title id="timeline-name">Time-line</title><desc id="timeline-summary">${summaryText(data)}</desc>${ticks}<g transform="translate(0 ${AXIS})">${content}</g></svg>`;
}

function rangeNote(data: ReportData): string {
  return `, ${clockAt(data.origin, data.domain[0]).slice(0, 8)} to ${clockAt(data.origin, data.domain[1]).slice(0, 8)}`;
}

/** The picture in words. */
function summaryText(data: ReportData): string {
  const sentences = data.findings
    .slice(0, 3)
    .map(
      (finding) =>
        `${finding.id}: ${finding.title}, ${clockAt(data.origin, finding.from)} to ${clockAt(data.origin, finding.to)}.`,
    );
  for (const owner of data.owners.slice(0, 3)) {
    const spans = owner.spans.map(
      (span) =>
        `${data.macs[span.mac]?.mac ?? ''}${span.from === undefined ? '' : ` from ${clockAt(data.origin, span.from)}`}`,
    );
    sentences.push(`${owner.ip} is at ${spans.join(', then at ')}.`);
  }
  return sentences.length > 0 ? sentences.join(' ') : 'When each capture was recorded.';
}

function legend(data: ReportData): Markup {
  const used = data.macs.flatMap((mac, index) => (mac.role === 'other' ? [] : [{ ...mac, index }])).slice(0, 8);
  if (used.length === 0) return markup``;
  const items = used.map(
    (mac) => markup`<li>${swatch(mac.swatch)} <b>${mac.role}</b> <code>${macText(data, mac.index)}</code></li>`,
  );
  return markup`<ul class="legend" aria-label="What colours and hatches mean">${items}<li>${markSample()} outlined: misdelivered</li></ul>`;
}

function swatch(index: number): Markup {
  return markup`<svg class="key" width="26" height="14" aria-hidden="true"><rect class="fill swatch-${index}" width="26" height="14"/><rect class="hatch swatch-${index}" width="26" height="14"/></svg>`;
}

function markSample(): Markup {
  return markup`<svg class="key" width="26" height="14" aria-hidden="true"><g class="mark wrong"><rect class="fill bar" x="1" y="1" width="24" height="12"/></g></svg>`;
}
