/** The analysis as Markdown to paste into a thread or a mail: at most 40 lines, and readable as they are. */

import type { Advice, Analysis, Input, Misdelivery } from '../model.js';
import { cell, code, codeBlock, prose } from './markdown-text.js';
import type { RenderOptions } from './options.js';
import { captureFilters } from './wireshark-filter.js';
import {
  CONFIDENCE_WORDS,
  count,
  counted,
  dateTime,
  expectedText,
  filterSentence,
  isNanoseconds,
  isRightMac,
  span,
  verdictSentence,
  witnessText,
} from './words.js';

// Together with what surrounds them these make 40 lines at most.
const MAX_ROWS = 5;
const MAX_COMMANDS = 3;
const MAX_REASONS = 3;
const MAX_INPUTS = 4;

type MarkdownOptions = Pick<RenderOptions, 'names'>;

/** The summary, which ends with a line break. */
export function renderMarkdown(analysis: Analysis, options: MarkdownOptions = {}): string {
  const wrong = analysis.misdeliveries.filter((m) => m.class !== 'convergence');
  const blocks = [
    [`**${analysis.verdict.replace('-', ' ').toUpperCase()}**: ${prose(verdictSentence(analysis))}`],
    [countsLine(analysis) + filterText(analysis)],
    tableLines(analysis, wrong, options),
    analysis.findings.length > 0 || analysis.filter ? causeLines(analysis) : foreseenLines(analysis),
    evidenceLines(analysis, wrong),
    notJudgedLines(analysis),
    inputLines(analysis),
  ];
  const lines = blocks.filter((block) => block.length > 0).flatMap((block, i) => (i === 0 ? block : ['', ...block]));
  return `${lines.join('\n')}\n`;
}

function countsLine({ totals }: Analysis): string {
  const { delivered, misdelivered, notJudged } = totals;
  return `Delivered ${count(delivered)}, misdelivered ${count(misdelivered)}, not judged ${count(notJudged)} of ${counted(totals.frames, 'frame')}.`;
}

function filterText(analysis: Analysis): string {
  const sentence = filterSentence(analysis);
  return sentence === undefined ? '' : ` ${prose(sentence)}`;
}

interface Row {
  readonly label: string;
  readonly group: readonly Misdelivery[];
}

/** One row for each finding and pair of MACs; what several captures saw is one row. */
function rowsOf(analysis: Analysis, wrong: readonly Misdelivery[]): Row[] {
  const rows = new Map<string, { label: string; group: Misdelivery[] }>();
  const explained = new Map(analysis.findings.toReversed().flatMap((f) => f.explains.map((id) => [id, f] as const)));
  for (const m of wrong) {
    const finding = explained.get(m.id);
    const key = JSON.stringify([finding?.id, m.dstMac, m.expected, m.class]);
    const row = rows.get(key) ?? { label: finding?.cause ?? 'unexplained', group: [] };
    row.group.push(m);
    rows.set(key, row);
  }
  return [...rows.values()];
}

/** Where the frames were, when that is what is wrong. */
function placeText(m: Misdelivery): string {
  if (!isRightMac(m)) return '';
  return m.class === 'wrong-port' ? ` on ${code(m.device)}` : ` in VLAN ${m.vlan ?? 0}`;
}

function tableLines(analysis: Analysis, wrong: readonly Misdelivery[], options: MarkdownOptions): string[] {
  const rows = rowsOf(analysis, wrong);
  if (rows.length === 0) return [];
  const cells = rows.slice(0, MAX_ROWS).map(({ label, group }) => {
    const [first] = group;
    if (!first) return [];
    const macs = first.expected.map((mac) => macText(mac, options));
    const expected = isRightMac(first) ? [code(expectedText(first))] : macs;
    return [
      code(label),
      String(new Set(group.flatMap((m) => m.flows)).size),
      framesText(group),
      macText(first.dstMac, options) + placeText(first),
      expected.slice(0, 3).join(' or '),
      whenText(group),
    ].map(cell);
  });
  const header = ['finding', 'flows', 'frames', 'wrong MAC', 'expected MAC', 'when (UTC)'];
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, i) => (row[i] ?? '').padEnd(width)).join(' | ')} |`;
  const more = rows.length - cells.length;
  return [
    line(header),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.map(line),
    ...(more > 0 ? [line([`${count(more)} more in the JSON`])] : []),
  ];
}

/** A frame that two captures saw counts for each. */
function framesText(group: readonly Misdelivery[]): string {
  const captures = new Set(group.map((m) => m.input)).size;
  const frames = count(group.reduce((sum, m) => sum + m.frames, 0));
  return captures > 1 ? `${frames} in ${captures} captures` : frames;
}

function macText(mac: string, { names }: MarkdownOptions): string {
  const vendor = names?.(mac);
  return vendor === undefined ? code(mac) : `${code(mac)} (${prose(vendor)})`;
}

/** First and last moment, to the second, and how long that is. */
function whenText(group: readonly Misdelivery[]): string {
  const times = group.flatMap((m) => [m.firstTime, m.lastTime]).filter(isNanoseconds);
  const sorted = times.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
  const [first = '', last = ''] = [sorted[0], sorted.at(-1)];
  return first === '' ? 'unknown' : `${dateTime(first).replace(/\.\d+$/, '')}, ${span(first, last)}`;
}

/** Of the finding that explains most. */
function causeLines({ findings: [finding] }: Analysis): string[] {
  if (!finding) return [];
  const known =
    finding.cause === 'unexplained'
      ? 'no known cause fits'
      : `${prose(finding.cause)}, ${CONFIDENCE_WORDS[finding.confidence]}; ${explainText(finding.cause)}`;
  return [
    `**Likely cause**: ${prose(finding.title)} (${known}). ${prose(finding.summary)}`,
    ...adviceLines(finding.change),
  ];
}

/** Where no frame shows a fault, but the configuration will cause one. */
function foreseenLines({ predictions: [prediction] }: Analysis): string[] {
  if (!prediction) return [];
  const { cause, title, summary, change } = prediction;
  return [
    `**Foreseen from the configuration**: ${prose(title)} (${prose(cause)}; ${explainText(cause)}). ${prose(summary)}`,
    ...adviceLines(change),
  ];
}

function explainText(cause: string): string {
  return `\`macscan explain ${cause.replaceAll(/[^\w-]/g, '')}\` and docs/causes tell more`;
}

/** What helps most. */
function adviceLines([advice]: readonly Advice[]): string[] {
  if (!advice) return [];
  const commands = advice.commands.slice(0, MAX_COMMANDS);
  return ['', `**What to change**: ${prose(advice.what)}`, ...(commands.length > 0 ? codeBlock(commands, 'sh') : [])];
}

function evidenceLines(analysis: Analysis, wrong: readonly Misdelivery[]): string[] {
  const [finding] = analysis.findings;
  const ids = new Set(finding?.explains);
  const explained = wrong.filter((m) => ids.has(m.id));
  const shown = explained.length > 0 ? explained : wrong;
  const [first] = shown;
  if (!first) return [];
  const numbers = first.frameRanges
    .slice(0, 3)
    .flatMap(([from, to]) => [from, from + 1, from + 2].filter((n) => n <= to));
  const frames = numbers.slice(0, 3).map(String).join(', ');
  const [by] = first.because;
  const witness = by ? ` What was right is known from: ${prose(witnessText(by))}.` : '';
  const lines = [
    `**First evidence**: ${code(first.input)}, frames ${frames}, sent by ${code(first.srcMac)} to ${code(first.dstIp)}.${witness}`,
  ];
  const [best] = captureFilters(
    shown.filter((m) => m.input === first.input),
    analysis.inputs,
  );
  if (best) lines.push(`Wireshark filter${best.exact ? '' : ' (by addresses and time)'}: ${code(best.filter, 1000)}`);
  return lines;
}

function notJudgedLines({ notJudged }: Analysis): string[] {
  if (notJudged.length === 0) return [];
  const lines = notJudged.map(({ frames, what }) => `- ${counted(frames, 'frame')}: ${prose(what, 300)}`);
  if (lines.length <= MAX_REASONS) return ['**Not judged**', ...lines];
  const more = `- ${counted(lines.length - MAX_REASONS, 'more reason')} in the JSON`;
  return ['**Not judged**', ...lines.slice(0, MAX_REASONS), more];
}

/** The inputs that findings name first, then the others. */
function inputLines({ inputs, misdeliveries, generator, redacted }: Analysis): string[] {
  const named = new Set(misdeliveries.flatMap((m) => [m.input, ...m.because.map((by) => by.origin?.input ?? '')]));
  const rank = (input: Input): number =>
    named.has(input.name) ? 0 : input.frames !== undefined ? 1 : input.kind === 'text' ? 2 : 3;
  const sorted = inputs.toSorted((a, b) => rank(a) - rank(b));
  const lines = sorted.slice(0, MAX_INPUTS).map((input) => {
    const frames = input.frames === undefined ? '' : `, ${counted(input.frames, 'frame')}`;
    const hash = input.sha256 === '' ? '' : `, SHA-256 ${code(input.sha256.slice(0, 12))}`;
    return `- ${code(input.name)}: ${prose(input.kind, 20)}${frames}${hash}`;
  });
  const more = inputs.length - lines.length;
  const version =
    generator.version.replaceAll(/[^\w.+-]/g, '').slice(0, 40) + (redacted ? ', addresses and names replaced' : '');
  return [
    `<details><summary>${counted(inputs.length, 'input')}, read by macscan ${version}</summary>`,
    '',
    ...lines,
    ...(more > 0 ? [`- and ${count(more)} more in the JSON`] : []),
    '',
    '</details>',
  ];
}
