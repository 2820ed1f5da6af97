/** The analysis as text for a terminal of 80 columns: verdict first, evidence, what could not be judged, what to collect. */

import type { Analysis, Flow, Misdelivery, NotJudged } from '../model.js';
import type { RenderOptions } from './options.js';
import { impactLines } from './text-impact.js';
import { predictionLines } from './text-predictions.js';
import { clockLines, eventLines, transitLines } from './text-transits.js';
import {
  beginningText,
  claimText,
  clockTime,
  CONFIDENCE_WORDS,
  count,
  counted,
  dateTime,
  diagnosticPlace,
  expectedText,
  filterSentence,
  flowText,
  frameText,
  macText,
  observedText,
  printable,
  rangesText,
  span,
  verdictSentence,
  witnessText,
} from './words.js';

const WIDTH = 80;
const MAX_BLOCKS = 10;
const MAX_PLACES = 8;
const MAX_DIAGNOSTICS = 10;

/** The report; with `quiet` the verdict alone, with `verbose` everything. */
export function renderText(analysis: Analysis, options: RenderOptions): string {
  const paint = options.color ? COLORED : PLAIN;
  const lines: string[] = [];
  const head = {
    misdelivered: paint.bad('MISDELIVERED'),
    delivered: paint.good('DELIVERED'),
    'not-judged': paint.dim('NOT JUDGED'),
  };
  const sentence = wrap(
    `${analysis.verdict.toUpperCase().replace('-', ' ')}: ${printable(verdictSentence(analysis))}`,
    '',
  );
  lines.push(...sentence.map((line, i) => (i === 0 ? line.replace(/^[A-Z ]+(?=:)/, head[analysis.verdict]) : line)));
  if (options.quiet) return `${lines.join('\n')}\n`;
  const filtered = filterSentence(analysis);
  if (filtered !== undefined) lines.push(...wrap(printable(filtered), ''));

  const wrong = groupAlike(analysis.misdeliveries.filter((m) => m.class !== 'convergence'));
  const convergence = groupAlike(analysis.misdeliveries.filter((m) => m.class === 'convergence'));
  const most = options.verbose ? Infinity : MAX_BLOCKS;
  wrong
    .slice(0, most)
    .forEach((group, i) => lines.push('', ...block(group, `${i + 1}. `, analysis.flows, options, paint)));
  if (wrong.length > most) lines.push('', `... and ${count(wrong.length - most)} more (-v shows all).`);
  if (convergence.length > 0) {
    lines.push('', paint.bold('Normal after a take-over (convergence, counted as delivered)'));
    for (const group of convergence.slice(0, most)) lines.push(...convergenceLines(group));
  }
  const layout = { verbose: options.verbose, bold: paint.bold, wrap };
  lines.push(...impactLines(analysis, layout), ...transitLines(analysis, layout), ...eventLines(analysis, layout));
  lines.push(...findingLines(analysis, options, paint));
  lines.push(...observationLines(analysis, options, paint));
  lines.push(...predictionLines(analysis, layout));
  lines.push(...notJudgedLines(analysis, options, paint), ...collectLines(analysis.notJudged, paint));
  lines.push(...clockLines(analysis, layout), ...diagnosticLines(analysis, options, paint));
  lines.push(...inputLines(analysis, options, paint));
  return `${lines.join('\n')}\n`;
}

/** The same misdelivery, seen in several inputs or on several devices. */
function groupAlike(misdeliveries: readonly Misdelivery[]): Misdelivery[][] {
  const groups = new Map<string, Misdelivery[]>();
  for (const m of misdeliveries) {
    const key = `${m.srcMac} ${m.dstIp} ${m.dstMac} ${m.class ?? ''}`;
    const group = groups.get(key);
    if (group) group.push(m);
    else groups.set(key, [m]);
  }
  return [...groups.values()];
}

function block(
  group: readonly Misdelivery[],
  label: string,
  flows: readonly Flow[],
  options: RenderOptions,
  paint: Paint,
): string[] {
  const first = group[0];
  if (!first) return [];
  const indent = ' '.repeat(label.length);
  const lines = [
    `${label}${paint.bold(`${printable(first.dstIp)}: frames ${observedText(first, options.names)}`)}`,
    `${indent}${paint.bold(`instead of ${expectedText(first, options.names)}`)}`,
  ];
  lines.push(
    ...wrap(
      `sent by ${macText(first.srcMac, options.names)}, ${dateTime(first.firstTime)} to ${clockTime(first.lastTime)} UTC (${span(first.firstTime, first.lastTime)})`,
      indent,
    ),
  );
  const places = group.slice(0, options.verbose ? group.length : MAX_PLACES);
  for (const m of places) {
    lines.push(
      ...wrap(`${place(m)}: ${counted(m.frames, 'frame')}, number ${rangesText(m.frameRanges)}`, indent, '  '),
    );
  }
  if (group.length > places.length)
    lines.push(`${indent}... and ${counted(group.length - places.length, 'more place')}`);
  for (const m of options.verbose ? group : []) {
    const begin = beginningText(m);
    if (begin !== undefined) lines.push(...wrap(`${place(m)}: ${begin}`, indent, '  '));
  }
  const ids = new Set(group.flatMap((m) => m.flows));
  const concerned = flows.filter((flow) => ids.has(flow.id));
  for (const flow of concerned.slice(0, options.verbose ? concerned.length : 4))
    lines.push(...wrap(`flow ${printable(flow.id)}: ${flowText(flow)}`, indent, '  '));
  if (concerned.length > 4 && !options.verbose)
    lines.push(`${indent}... and ${counted(concerned.length - 4, 'more flow')}`);
  for (const witness of first.because) {
    lines.push(...wrap(`${claimText(witness)}: ${witnessText(witness)}`, indent, '  '));
  }
  const evidence = options.verbose
    ? first.evidence
    : [...first.evidence.slice(0, 2), ...first.evidence.slice(2).slice(-1)];
  lines.push(`${indent}${paint.dim(`evidence in ${printable(first.input)}:`)}`);
  for (const frame of evidence) {
    lines.push(
      ...wrap(`#${frame.frame} ${frameText(frame)}`, `${indent}  `, '     '),
      `${indent}       ${paint.bad(`expected > ${expectedText(first)}`)}`,
    );
  }
  return lines;
}

function place(m: Misdelivery): string {
  const vlan = m.vlan === undefined ? '' : ` vlan ${m.vlan}`;
  return `${printable(m.device)}${vlan} (${printable(m.input)})`;
}

function convergenceLines(group: readonly Misdelivery[]): string[] {
  const first = group[0];
  if (!first) return [];
  const where = group.map((m) => `${place(m)} ${counted(m.frames, 'frame')}`).join(', ');
  return wrap(
    `${printable(`${first.dstIp}: ${first.dstMac}`)} before ${expectedText(first)} was known to ${printable(first.srcMac)}: ${where}`,
    '  ',
    '  ',
  );
}

function findingLines(analysis: Analysis, options: RenderOptions, paint: Paint): string[] {
  const lines: string[] = [];
  const findings = analysis.findings.filter((finding) => finding.cause !== 'convergence');
  for (const finding of findings.slice(0, options.verbose ? findings.length : MAX_FINDINGS)) {
    lines.push('', ...wrap(paint.bold(`Cause: ${printable(finding.title)}`), ''));
    lines.push(
      ...wrap(
        `${printable(finding.cause)}, ${CONFIDENCE_WORDS[finding.confidence]}. ${printable(finding.summary)}`,
        '  ',
      ),
    );
    for (const test of finding.tests) {
      if (options.verbose || (test.result !== 'unknown' && SHOWN_TESTS.includes(test.id))) {
        lines.push(
          ...wrap(
            `${printable(`${test.id} ${test.title}`)} ${paint.bold(test.result)}: ${printable(test.what)}`,
            '  ',
            '   ',
          ),
        );
      }
    }
    if (options.verbose) {
      for (const other of finding.considered) {
        lines.push(
          ...wrap(`not ${printable(other.cause)} (${other.result}): ${printable(other.because)}`, '  ', '   '),
        );
      }
    }
    for (const { what, commands } of finding.change) {
      lines.push(...wrap(printable(what), '  '), ...commands.map((command) => `    ${printable(command)}`));
    }
    for (const command of finding.collect) lines.push('  To be surer, record', `    ${printable(command)}`);
  }
  if (findings.length > MAX_FINDINGS && !options.verbose) {
    lines.push('', `... and ${counted(findings.length - MAX_FINDINGS, 'more finding')} (-v shows all).`);
  }
  return lines;
}

const MAX_FINDINGS = 3;
/** The tests that decide; the others are shown with -v. */
const SHOWN_TESTS: readonly string[] = ['D1', 'D2', 'D3', 'D4', 'D9'];

function observationLines(analysis: Analysis, options: RenderOptions, paint: Paint): string[] {
  if (analysis.observations.length === 0) return [];
  const lines = ['', paint.bold('Also seen')];
  const shown = analysis.observations.slice(0, options.verbose ? undefined : MAX_OBSERVATIONS);
  for (const seen of shown) lines.push(...wrap(printable(`${seen.title}: ${seen.summary}`), '  ', '  '));
  const left = analysis.observations.length - shown.length;
  if (left > 0) lines.push(`  ... and ${count(left)} more (-v shows all)`);
  return lines;
}

const MAX_OBSERVATIONS = 6;

function notJudgedLines(analysis: Analysis, options: RenderOptions, paint: Paint): string[] {
  if (analysis.notJudged.length === 0) return [];
  const lines = ['', paint.bold('Not judged')];
  for (const entry of analysis.notJudged) {
    const inputs =
      options.verbose || entry.inputs.length <= 3
        ? entry.inputs
        : [...entry.inputs.slice(0, 2), `${entry.inputs.length - 2} more`];
    lines.push(
      ...wrap(
        `${counted(entry.frames, 'frame')}: ${printable(entry.what)} (${inputs.map(printable).join(', ')})`,
        '  ',
        '  ',
      ),
    );
  }
  return lines;
}

function collectLines(notJudged: readonly NotJudged[], paint: Paint): string[] {
  const commands = [...new Set(notJudged.map((entry) => entry.collect).filter((command) => command !== undefined))];
  if (commands.length === 0) return [];
  // Commands are not wrapped: they are there to be copied.
  return ['', paint.bold('To judge these, record'), ...commands.map((command) => `  ${printable(command)}`)];
}

function diagnosticLines(analysis: Analysis, options: RenderOptions, paint: Paint): string[] {
  if (analysis.diagnostics.length === 0) return [];
  const lines = ['', paint.bold('Limits of the inputs')];
  const shown = options.verbose ? analysis.diagnostics : analysis.diagnostics.slice(0, MAX_DIAGNOSTICS);
  for (const d of shown) {
    const where = [d.input === undefined ? '' : printable(d.input), diagnosticPlace(d)]
      .filter((text) => text !== '')
      .join(': ');
    const times = d.count !== undefined && d.count > 1 ? ` (${count(d.count)} times)` : '';
    lines.push(
      ...wrap(`${where}${where === '' ? '' : ': '}${printable(d.what)} ${printable(d.action)}${times}`, '  ', '  '),
    );
  }
  const left = analysis.diagnostics.length - shown.length;
  if (left > 0) lines.push(`  ... and ${count(left)} more (-v shows all)`);
  return lines;
}

function inputLines(analysis: Analysis, options: RenderOptions, paint: Paint): string[] {
  if (!options.verbose) {
    const captures = analysis.inputs.filter((input) => input.frames !== undefined).length;
    const texts = analysis.inputs.filter((input) => input.kind === 'text' && input.frames === undefined).length;
    const rest = analysis.inputs.length - captures - texts;
    const parts = [
      counted(captures, 'capture'),
      counted(texts, 'dump'),
      rest > 0 ? `${counted(rest, 'file')} without evidence` : '',
    ];
    return ['', ...wrap(`Read: ${parts.filter((part) => part !== '').join(', ')} (-v lists them).`, '')];
  }
  const lines = ['', paint.bold('Inputs')];
  for (const input of analysis.inputs) {
    const frames = input.frames === undefined ? '' : `, ${counted(input.frames, 'frame')}`;
    const facts = Object.entries(input.facts ?? {}).map(([kind, n]) => `${count(n)} ${printable(kind)}`);
    const what = `${printable(input.name)}: ${input.kind}${frames}${facts.length > 0 ? `, ${facts.join(', ')}` : ''}${input.sha256 === '' ? '' : `, sha256 ${input.sha256.slice(0, 12)}`}`;
    lines.push(...wrap(what, '  ', '  '));
  }
  return lines;
}

/** Breaks text at spaces so that no line is wider than `WIDTH`, if words allow. */
function wrap(text: string, indent: string, hanging = ''): string[] {
  const lines: string[] = [];
  let line = indent;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + hanging + word;
    } else {
      line += isEmpty ? word : ` ${word}`;
    }
    isEmpty = false;
  }
  lines.push(line);
  return lines;
}

interface Paint {
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
}

const same = (text: string): string => text;
const sgr =
  (on: number, off: number) =>
  (text: string): string =>
    `\x1b[${on}m${text}\x1b[${off}m`;

const PLAIN: Paint = { bad: same, good: same, bold: same, dim: same };
const COLORED: Paint = { bad: sgr(31, 39), good: sgr(32, 39), bold: sgr(1, 22), dim: sgr(2, 22) };
