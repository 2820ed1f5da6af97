/** Findings as cards: what happened, the tests, what was ruled out, what to change, the frames. */

import type { Analysis, ControlTable, EvidenceFrame, Finding, Misdelivery, TestResult } from '../../model.js';
import {
  beginningText,
  claimText,
  clockTime,
  CONFIDENCE_WORDS,
  count,
  counted,
  dateTime,
  endpoint,
  expectedText,
  observedText,
  protocolName,
  rangesText,
  span,
  witnessText,
} from '../words.js';
import type { Context } from './context.js';
import { clipped, type Limits } from './limits.js';
import { markup, type Content, type Markup } from './markup.js';
import { pathDiagram } from './path.js';
import { shownFindings } from './prepare.js';
import { commands, moreNote, originsText, prose, table } from './table.js';
import { captureFilters } from '../wireshark-filter.js';
import { anchorOf } from './verdict.js';

export function findingsSection(ctx: Context): Markup | undefined {
  const { analysis, limits } = ctx;
  const findings = shownFindings(analysis);
  if (findings.length === 0) return undefined;
  const cards = findings.slice(0, limits.findings).map((finding, i) => card(ctx, finding, i));
  return markup`
<section id="findings" aria-labelledby="findings-title">
<h2 id="findings-title">${findings.length === 1 ? 'Finding' : 'Findings'}</h2>
${cards}
${moreNote(findings.length - limits.findings)}
</section>`;
}

function card(ctx: Context, finding: Finding, index: number): Markup {
  const { analysis, limits } = ctx;
  const ids = new Set(finding.explains);
  const own = analysis.misdeliveries.filter((m) => ids.has(m.id));
  const flowIds = new Set(own.flatMap((m) => m.flows));
  const flows = analysis.flows.filter((flow) => flowIds.has(flow.id));
  const id = anchorOf(finding);
  return markup`
<article class="card" id="${id}" data-finding="${index}" aria-labelledby="${id}-title" tabindex="-1">
<h3 id="${id}-title">${finding.title}</h3>
<p><span class="confidence ${finding.confidence}">${CONFIDENCE_WORDS[finding.confidence]}</span> <code>${finding.cause}</code> <span class="note">macscan explain ${finding.cause}</span></p>
<p class="summary">${prose(finding.summary)}</p>
${timesLine(finding)}
${pathDiagram(own, flows)}
${places(own, ctx)}
${beginnings(own)}
${said(own)}
${testsTable(finding, limits)}
${considered(finding, limits)}
${whatToDo(finding)}
${lookAtThem(own, analysis)}
${evidenceList(own, ctx)}
</article>`;
}

function timesLine({ onset, recovery }: Finding): Markup | undefined {
  if (!onset && !recovery) return undefined;
  const began = onset
    ? markup`Began ${dateTime(onset.time)} UTC${onset.since === undefined ? undefined : markup`, ${span(onset.since, onset.time)} after ${ONSET_WORDS[onset.after]}`}.`
    : undefined;
  const ended = recovery
    ? markup` Last wrong frame ${clockTime(recovery.time)}${ENDED_WORDS[recovery.by]}.`
    : undefined;
  return markup`<p class="note">${began}${ended}</p>`;
}

const ONSET_WORDS = {
  'take-over': 'the address moved',
  'route-change': 'the rules or routes changed',
  offload: 'the flow was offloaded',
  unknown: 'something unknown',
} as const;

const ENDED_WORDS = {
  'conntrack-deleted': '; its conntrack entry was deleted then',
  'offload-ended': '; the offload ended then',
  'firewall-reload': '; the firewall was loaded anew then',
  'capture-ended': '; the capture ended then',
  unknown: '',
} as const;

const MAX_PLACES = 100;

function places(own: readonly Misdelivery[], { limits, since }: Context): Markup {
  const shown = own.slice(0, Math.min(limits.rows, MAX_PLACES));
  const rows = shown.map((m): Content[] => [
    markup`${clipped(m.device, 60)}${m.vlan === undefined ? '' : ` vlan ${m.vlan}`}`,
    markup`<code>${clipped(m.input, 120)}</code>`,
    markup`<code>${m.dstIp}</code>`,
    markup`<span class="wrong">${observedText(m)}</span>`,
    markup`<span class="right">${expectedText(m)}</span>`,
    count(m.frames),
    rangesText(m.frameRanges),
    `${clockTime(m.firstTime)} to ${clockTime(m.lastTime)}`,
  ]);
  const columns = ['Device', 'Capture', 'For', 'Went', 'Expected', 'Frames', 'Frame numbers', 'When (UTC)'];
  const times = shown.map((m) => [since(m.firstTime), since(m.lastTime)] as const);
  const places = table({ caption: 'Where it was seen', columns, times }, rows, rows.length);
  return markup`${places}${moreNote(own.length - shown.length)}`;
}

/** How early it may have begun, in each capture. */
function beginnings(own: readonly Misdelivery[]): Markup | undefined {
  const lines = own.flatMap((m) => {
    const begin = beginningText(m);
    return begin === undefined ? [] : [markup`<li><code>${clipped(m.input, 120)}</code>: ${clipped(begin, 400)}</li>`];
  });
  if (lines.length === 0) return undefined;
  const shown = lines.slice(0, 8);
  return markup`<p class="list-title">When it began</p><ul class="said">${shown}</ul>${moreNote(lines.length - shown.length)}`;
}

/** Who says that the expected MAC was right. */
function said(own: readonly Misdelivery[]): Markup | undefined {
  const lines = new Set(
    own
      .slice(0, MAX_PLACES)
      .flatMap((m) => m.because.map((witness) => `${claimText(witness)}: ${witnessText(witness)}`)),
  );
  if (lines.size === 0) return undefined;
  const shown = [...lines].slice(0, 8);
  return markup`<p class="list-title">Who says so</p><ul class="said">${shown.map((line) => markup`<li>${clipped(line)}</li>`)}</ul>${moreNote(lines.size - shown.length)}`;
}

const RESULT_WORDS = { yes: '✓ yes', no: '✗ no', unknown: '? unknown' } as const;

function testsTable(finding: Finding, limits: Limits): Markup {
  const rows = finding.tests.map((test): Content[] => [
    markup`${test.id} ${test.title}`,
    markup`<span class="result ${test.result}">${RESULT_WORDS[test.result]}</span>`,
    answer(test),
    originsText(test.evidence, 3),
  ]);
  return table(
    { caption: 'Tests that tell causes apart', columns: ['Test', 'Result', 'Answer', 'Evidence'], name: 'tests' },
    rows,
    limits.rows,
  );
}

function answer(test: TestResult): Markup {
  return markup`${prose(test.what)}${test.table ? control(test.table) : undefined}`;
}

function control(t: ControlTable): Markup {
  const odds = t.probability < 1e-6 ? 'below one in a million' : t.probability.toPrecision(2);
  return markup`<table class="control"><caption>Frames to the same address at the same time; by chance: ${odds}</caption><thead><tr><td></td><th scope="col">right</th><th scope="col">wrong</th></tr></thead><tbody><tr><th scope="row">offloaded</th><td>${count(t.offloadedRight)}</td><td>${count(t.offloadedWrong)}</td></tr><tr><th scope="row">not offloaded</th><td>${count(t.otherRight)}</td><td>${count(t.otherWrong)}</td></tr></tbody></table>`;
}

function considered(finding: Finding, limits: Limits): Markup | undefined {
  if (finding.considered.length === 0) return undefined;
  const rows = finding.considered.map((other): Content[] => [
    markup`<code>${other.cause}</code>`,
    other.result === 'ruled-out' ? '✗ ruled out' : '? not evaluated',
    prose(other.because),
    other.collect === undefined ? '' : markup`<code>${clipped(other.collect)}</code>`,
  ]);
  const columns = ['Cause', 'Result', 'Because', 'What would tell'];
  return markup`<details><summary>Other causes considered (${count(rows.length)})</summary>${table({ caption: 'Other causes considered', columns, isCaptionHidden: true }, rows, limits.rows)}</details>`;
}

function whatToDo(finding: Finding): Markup {
  const change = finding.change.map(
    (advice) => markup`<li>${prose(advice.what)}${commands(advice.commands.map((line) => clipped(line, 2000)))}</li>`,
  );
  const collect = commands(finding.collect.map((line) => clipped(line, 2000)));
  return markup`${change.length > 0 ? markup`<h4>What to change</h4><ol class="advice">${change}</ol>` : undefined}${collect ? markup`<h4>To be surer, record</h4>${collect}` : undefined}`;
}

const MAX_COMMANDS = 3;

/** A line for a shell for each capture that shows these frames. */
function lookAtThem(own: readonly Misdelivery[], { inputs }: Analysis): Markup | undefined {
  const filters = captureFilters(own, inputs);
  if (filters.length === 0) return undefined;
  const left = filters.length - MAX_COMMANDS;
  const lines = commands(filters.slice(0, MAX_COMMANDS).map(({ command }) => command));
  return markup`<details><summary>To look at the frames yourself</summary>${lines}${left > 0 ? markup`<p class="note">And ${counted(left, 'more capture')}.</p>` : undefined}</details>`;
}

/** A list with more rows is printed only if it was opened. */
const PRINTED = 20;

interface Listed {
  readonly misdelivery: Misdelivery;
  readonly frame: EvidenceFrame;
}

function evidenceList(own: readonly Misdelivery[], { limits, since }: Context): Markup {
  const all = own.flatMap((misdelivery): Listed[] => misdelivery.evidence.map((frame) => ({ misdelivery, frame })));
  const most = limits.evidenceFirst + limits.evidenceLast;
  const shown = all.length <= most ? all : [...all.slice(0, limits.evidenceFirst), ...all.slice(-limits.evidenceLast)];
  const rows = shown.map(({ misdelivery, frame }): Content[] => [
    markup`${frame.frame}`,
    clipped(misdelivery.input, 100),
    clockTime(frame.time),
    markup`<code>${frame.srcMac}</code>`,
    markup`<code class="wrong">${frame.dstMac}</code>`,
    markup`<code class="right">${expectedText(misdelivery)}</code>`,
    markup`${protocolName(frame.protocol)} ${endpoint(frame.srcIp, frame.srcPort)} → ${endpoint(frame.dstIp, frame.dstPort)}`,
    frame.hopLimit === undefined ? '' : markup`${frame.hopLimit}`,
    markup`${frame.length}`,
  ]);
  const columns = ['Frame', 'Capture', 'Time (UTC)', 'From MAC', 'To MAC', 'Expected', 'Packet', 'TTL', 'Length'];
  const total = own.reduce((sum, m) => sum + m.frames, 0);
  const left = total - shown.length;
  const rest = left > 0 ? ' The frame numbers of all stand above.' : '';
  return markup`<details class="evidence ${shown.length > PRINTED ? 'long' : ''}" data-evidence><summary>Evidence: ${counted(shown.length, 'frame')} of ${count(total)}</summary>${table({ caption: 'Misdelivered frames', columns, isCaptionHidden: true, name: 'evidence', times: shown.map(({ frame }) => [since(frame.time), undefined]) }, rows, most)}<p class="note">${left > 0 ? `${count(left)} more in the JSON.` : ''}${rest}</p></details>`;
}
