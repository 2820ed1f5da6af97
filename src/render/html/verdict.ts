/** What is read first: the verdict in one sentence, its cause, the three parts, and what was read. */

import type { Analysis, Finding, Misdelivery } from '../../model.js';
import {
  endedEarly,
  clockTime,
  CONFIDENCE_WORDS,
  count,
  counted,
  dateTime,
  expectedText,
  filterSentence,
  observedText,
  span,
  verdictSentence,
} from '../words.js';
import { earliest } from './clock.js';
import type { Context } from './context.js';
import { clipped } from './limits.js';
import { markup, type Markup } from './markup.js';
import { prose } from './table.js';
import { shownFindings, wrongOnes } from './prepare.js';

const MAX_NAMES = 4;

export function verdictSection({ analysis }: Context): Markup {
  const { verdict } = analysis;
  return markup`
<section id="verdict" class="verdict ${verdict}" aria-labelledby="verdict-title">
<p class="badge"><span aria-hidden="true">${SYMBOLS[verdict]}</span> ${BADGES[verdict]}</p>
<h1 id="verdict-title">${verdictSentence(analysis)}</h1>${filterNote(analysis)}
${lead(analysis)}
${partsBar(analysis)}
<div class="actions" data-actions hidden></div>
</section>`;
}

function filterNote(analysis: Analysis): Markup | undefined {
  const sentence = filterSentence(analysis);
  const { from, to } = analysis.window ?? {};
  const bounds = [from === undefined ? '' : `from ${dateTime(from)}`, to === undefined ? '' : `to ${dateTime(to)}`];
  const judged = analysis.window ? `Judged only ${bounds.filter((text) => text !== '').join(' ')} UTC.` : '';
  const text = [judged, sentence ?? ''].filter((part) => part !== '').join(' ');
  return text === '' ? undefined : markup`<p class="note">${text}</p>`;
}

/** The cause of the first finding with what it did, and the others in a line each. */
function lead(analysis: Analysis): Markup | undefined {
  const findings = shownFindings(analysis);
  const [first, ...others] = findings;
  if (!first) return quietLead(analysis);
  const rest = others
    .slice(0, MAX_NAMES)
    .map(
      (other) =>
        markup`<li><a href="#${anchorOf(other)}">${other.title}</a> <span class="note">${CONFIDENCE_WORDS[other.confidence]}</span></li>`,
    );
  const more =
    others.length > MAX_NAMES ? markup`<li>and ${counted(others.length - MAX_NAMES, 'more finding')}</li>` : undefined;
  const ruledOut = first.considered.filter(({ result }) => result === 'ruled-out').length;
  const also = ruledOut > 0 ? markup`; ${counted(ruledOut, 'other cause')} ruled out` : undefined;
  return markup`
<p class="lead">${whatHappened(analysis, first)}</p>
<p class="cause"><span class="confidence ${first.confidence}">${CONFIDENCE_WORDS[first.confidence]}</span> <a href="#${anchorOf(first)}">${first.title}</a> <span class="note"><code>${first.cause}</code>${also}</span></p>
${rest.length > 0 ? markup`<ul class="also">${rest}${more}</ul>` : undefined}`;
}

/** The id of a finding's card, safe in a link whatever a saved analysis calls it. */
export function anchorOf(finding: Finding): string {
  return `finding-${finding.id.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}

/** `Frames for 192.168.1.240 went to 52:.. instead of 02:.. for 54.2 s ...` */
function whatHappened(analysis: Analysis, finding: Finding): Markup {
  const ids = new Set(finding.explains);
  const own = analysis.misdeliveries.filter((m) => ids.has(m.id));
  const [first] = own;
  if (!first) return prose(finding.summary, 600);
  const from = own.map((m) => m.firstTime).reduce((a, b) => (earlier(b, a) ? b : a));
  const to = own.map((m) => m.lastTime).reduce((a, b) => (earlier(a, b) ? b : a));
  const flows = new Set(own.flatMap((m) => m.flows)).size;
  const ips = listed(own.map((m) => m.dstIp));
  const devices = listed(own.map((m) => m.device));
  return markup`Frames for <b>${ips}</b> ${observed(first)} instead of <b class="right">${expectedText(first)}</b> for ${span(from, to)} (${dateTime(from).slice(0, 19)} to ${clockTime(to).slice(0, 8)} UTC), in ${counted(flows, 'flow')}, sent by <b>${listed(own.map((m) => m.srcMac))}</b>, seen on ${devices}.`;
}

function observed(m: Misdelivery): Markup {
  const text = m.class === 'wrong-port' ? `left on ${clipped(m.device, 60)}` : observedText(m);
  return markup`<b class="wrong">${text}</b>`;
}

function quietLead(analysis: Analysis): Markup | undefined {
  const [reason] = analysis.notJudged.filter((entry) => entry.reason !== 'not-ip');
  const [seen] = analysis.observations;
  const [foreseen] = analysis.predictions;
  const what =
    analysis.verdict === 'not-judged' && reason
      ? prose(reason.what)
      : seen
        ? markup`${seen.title}. ${prose(seen.summary, 600)}`
        : analysis.verdict === 'delivered'
          ? markup`Nothing that was judged went astray.`
          : undefined;
  return markup`${what ? markup`<p class="lead">${what}</p>` : undefined}${foreseen ? markup`<p class="cause"><span class="confidence">foreseen from the configuration</span> <a href="#foreseen">${foreseen.title}</a> <span class="note"><code>${foreseen.cause}</code></span></p>` : undefined}`;
}

function listed(values: readonly string[]): string {
  const distinct = [...new Set(values)];
  const shown = distinct.slice(0, MAX_NAMES).map((value) => clipped(value, 60));
  return distinct.length > MAX_NAMES
    ? `${shown.join(', ')} and ${count(distinct.length - MAX_NAMES)} more`
    : shown.join(', ');
}

function partsBar({ totals }: Analysis): Markup {
  const parts = [
    { name: 'delivered', frames: totals.delivered, tone: 'delivered' },
    { name: 'misdelivered', frames: totals.misdelivered, tone: 'misdelivered' },
    { name: 'not judged', frames: totals.notJudged, tone: 'not-judged' },
  ];
  const all = Math.max(totals.frames, 1);
  // What is there is seen: a part has at least 4 of 1000.
  const widths = parts.map(({ frames }) => (frames > 0 ? Math.max((frames / all) * 1000, 4) : 0));
  const sum = widths.reduce((a, b) => a + b, 0) || 1;
  let x = 0;
  const boxes = parts.map(({ tone }, i) => {
    const width = Math.round(((widths[i] ?? 0) / sum) * 10000) / 10;
    const box = markup`<rect class="fill ${tone}" x="${x}" y="0" width="${width}" height="18"/><rect class="hatch ${tone}" x="${x}" y="0" width="${width}" height="18"/>`;
    x = Math.round((x + width) * 10) / 10;
    return box;
  });
  const words = parts.map(
    ({ name, frames, tone }) =>
      markup`<li class="${tone}"><svg class="key" width="14" height="14" aria-hidden="true"><rect class="fill ${tone}" width="14" height="14"/><rect class="hatch ${tone}" width="14" height="14"/></svg> <b>${count(frames)}</b> ${name} <span class="note">${percent(frames, all)}</span></li>`,
  );
  return markup`<div class="parts"><svg viewBox="0 0 1000 18" preserveAspectRatio="none" height="18" aria-hidden="true">${boxes}</svg><ul aria-label="Frames of all captures">${words}</ul></div>`;
}

function percent(part: number, all: number): string {
  const share = (part / all) * 100;
  if (share > 0 && share < 0.1) return 'below 0.1 %';
  return `${share.toFixed(1)} %`;
}

/** Files, hashes, span and version, in one line. */
export function identityLine(analysis: Analysis): Markup {
  const captures = analysis.inputs.filter((input) => input.frames !== undefined);
  const [wrong] = wrongOnes(analysis).toSorted((a, b) => b.frames - a.frames);
  const main =
    captures.find((input) => input.name === wrong?.input) ??
    captures.toSorted((a, b) => (b.frames ?? 0) - (a.frames ?? 0))[0];
  const first = earliest(captures.map((input) => input.firstTime));
  const last = captures.map((input) => input.lastTime ?? '').reduce((a, b) => (earlier(a, b) ? b : a), '');
  const name = main ?? analysis.inputs[0];
  const others = analysis.inputs.length - 1;
  const file = name
    ? markup`<code>${clipped(name.name, 80)}</code>${name.sha256 === '' ? undefined : markup` sha256 <code>${name.sha256.slice(0, 12)}</code>`}${others > 0 ? markup` and <a href="#inputs">${counted(others, 'more file')}</a>` : undefined}`
    : markup`no input`;
  const time =
    first === '0' || last === ''
      ? undefined
      : markup` · ${dateTime(first).slice(0, 19)} to ${clockTime(last).slice(0, 8)} UTC (${span(first, last)})`;
  const redacted = analysis.redacted === undefined ? 'not redacted' : `redacted (${analysis.redacted})`;
  return markup`${file}${time} · macscan ${clipped(analysis.generator.version, 40)} · <b>${redacted}</b>${analysis.partial ? markup` · <b>${endedEarly(analysis).toLowerCase()}: a part of the evidence</b>` : undefined}`;
}

function earlier(a: string, b: string): boolean {
  return a.length < b.length || (a.length === b.length && a < b);
}

const BADGES = { misdelivered: 'Misdelivered', delivered: 'Delivered', 'not-judged': 'Not judged' } as const;
const SYMBOLS = { misdelivered: '✗', delivered: '✓', 'not-judged': '?' } as const;
