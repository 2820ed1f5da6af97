/** `macscan compare <a> <b>`: two cases side by side, each a folder, an archive, a file or a saved analysis. */

import { basename, dirname, resolve } from 'node:path';
import { collectEvidence } from '../bytes/evidence.js';
import { InputError, UsageError } from '../errors.js';
import type { Analysis } from '../model.js';
import { compare, isComparable } from '../render/comparison/comparison.js';
import type { Comparison } from '../render/comparison/matrix.js';
import type { OutputFormat } from '../render/index.js';
import { printable } from '../render/words.js';
import { scan } from '../scan.js';
import { targetsOf, type PlacedEvidence } from './outputs.js';
import { EXIT, interrupted, writeError, writeFile, writeOut } from './process.js';
import type { RedactedAnalysis, RedactionOptions } from './redaction.js';
import { readSavedAnalysis } from './saved-analysis.js';

/** The options that this command shares with the scan. */
export interface CompareOptions extends RedactionOptions {
  readonly output: readonly string[];
  readonly format: OutputFormat;
  readonly quiet: boolean;
}

/**
 * @returns 0 when both cases could be judged, else 2; whether they differ does not matter
 * @throws UsageError, InputError
 */
export async function compareCommand(
  paths: readonly [string, string],
  options: CompareOptions,
  version: string,
): Promise<number> {
  const targets = targetsOf(options.output, options.format);
  for (const { format } of targets) rendererOf(format);
  const first = await load(paths[0], version);
  const second = await load(paths[1], version);
  for (const { file } of targets) {
    if (file !== '-' && [...first.pieces, ...second.pieces].some((piece) => piece.liesAt(file)))
      throw new InputError(file, 'is evidence of this run and was not overwritten');
  }
  if (interrupted.aborted && (!first.analysis.partial || !second.analysis.partial)) return EXIT.INTERRUPTED;
  const redaction =
    options.redact === undefined && options.redactKey === undefined && !options.keepOui
      ? undefined
      : (await import('./redaction.js')).createRedaction(options);
  const shown = async (analysis: Analysis): Promise<Pick<RedactedAnalysis, 'analysis'> & Partial<RedactedAnalysis>> =>
    (await redaction?.apply(analysis)) ?? { analysis };
  const a = await shown(first.analysis);
  const b = await shown(second.analysis);
  const comparison = compare(a.analysis, b.analysis, redaction ? ['A', 'B'] : namesOf(paths), version);
  const made: { file: string; text: string }[] = [];
  for (const { file, format } of targets) {
    const text =
      options.quiet && file === '-' ? `${printable(comparison.conclusion)}\n` : await rendererOf(format)(comparison);
    for (const { check } of [a, b]) check?.(file, text);
    made.push({ file, text });
  }
  for (const { file, text } of made) {
    if (file === '-') await writeOut(text);
    else writeFile(file, text);
  }
  if (first.hasErrors || second.hasErrors) return EXIT.FAILED;
  return isComparable(comparison) ? EXIT.DELIVERED : EXIT.FAILED;
}

interface Case {
  readonly analysis: Analysis;
  readonly pieces: readonly PlacedEvidence[];
  readonly hasErrors: boolean;
}

async function load(path: string, version: string): Promise<Case> {
  const { pieces, errors } = await collectEvidence([path], { signal: interrupted });
  for (const problem of errors) writeError(printable(problem.message));
  if (pieces.length === 0) throw new InputError(path, 'holds nothing that could be compared');
  const analysis =
    (await readSavedAnalysis(pieces)) ?? (await scan(pieces, { generatorVersion: version, signal: interrupted }));
  return { analysis, pieces, hasErrors: errors.length > 0 };
}

/** The last parts of the paths that tell them apart. */
function namesOf([a, b]: readonly [string, string]): [string, string] {
  const full = [resolve(a), resolve(b)];
  let names = full.map((path) => basename(path));
  let parents = full.map((path) => dirname(path));
  while (names[0] === names[1] && parents[0] !== parents[1]) {
    names = names.map((name, i) => `${basename(parents[i] ?? '')}/${name}`);
    parents = parents.map((path) => dirname(path));
  }
  return names[0] === names[1] ? [`${names[0] ?? ''} (1)`, `${names[1] ?? ''} (2)`] : [names[0] ?? '', names[1] ?? ''];
}

/** @throws UsageError for a format of frames, findings or flows */
function rendererOf(format: OutputFormat): (comparison: Comparison) => Promise<string> {
  switch (format) {
    case 'text':
      return async (comparison) => (await import('../render/comparison/text.js')).comparisonText(comparison);
    case 'markdown':
      return async (comparison) => (await import('../render/comparison/text.js')).comparisonMarkdown(comparison);
    case 'html':
      return async (comparison) => (await import('../render/comparison/html.js')).comparisonHtml(comparison);
    case 'json':
      return (comparison) => Promise.resolve(`${JSON.stringify(comparison, null, 1)}\n`);
    default:
      throw new UsageError(`a comparison can be text, Markdown, HTML or JSON, not ${format}`);
  }
}
