/** What the configuration foretells, for the text report. */

import type { Analysis, Prediction } from '../model.js';
import { printable } from './words.js';

export interface PredictionLayout {
  readonly verbose: boolean;
  readonly bold: (text: string) => string;
  /** Breaks text into lines. */
  readonly wrap: (text: string, indent: string, hanging?: string) => string[];
}

const MAX_PREDICTIONS = 4;
const MAX_CHECKS = 6;

/** Nothing that a finding says already of frames; of the ruleset only what is wrong, unless there are no frames to speak of. */
export function predictionLines(analysis: Analysis, { verbose, bold, wrap }: PredictionLayout): string[] {
  const found = new Set([...analysis.findings, ...analysis.observations].map(({ cause }) => cause));
  const predictions = analysis.predictions.filter(({ cause }) => verbose || !found.has(cause));
  const isAlone = analysis.totals.frames === 0;
  const checks = (analysis.ruleset ?? []).filter(({ result }) => verbose || isAlone || result === 'fault');
  if (predictions.length === 0 && checks.length === 0) return [];
  const lines = ['', bold('Foreseen from the configuration')];
  for (const prediction of predictions.slice(0, verbose ? undefined : MAX_PREDICTIONS)) {
    lines.push(...predictionBlock(prediction, wrap));
  }
  if (!verbose && predictions.length > MAX_PREDICTIONS) {
    lines.push(`  ... and ${predictions.length - MAX_PREDICTIONS} more (-v shows all)`);
  }
  for (const check of checks.slice(0, verbose ? undefined : MAX_CHECKS)) {
    const [origin] = check.evidence;
    const where = origin
      ? ` (${printable(origin.input)}${origin.line === undefined ? '' : ` line ${origin.line}`})`
      : '';
    lines.push(...wrap(`${WORDS[check.result]}: ${printable(check.what)}${where}`, '  ', '  '));
  }
  if (!verbose && checks.length > MAX_CHECKS) lines.push(`  ... and ${checks.length - MAX_CHECKS} more (-v shows all)`);
  return lines;
}

const WORDS = { fault: 'Ruleset', risk: 'Risk', fine: 'Fine' } as const;

function predictionBlock(
  { cause, title, summary, prove, change }: Prediction,
  wrap: PredictionLayout['wrap'],
): string[] {
  const lines = wrap(printable(`${title} (${cause}): ${summary}`), '  ', '  ');
  // Commands are not wrapped: they are there to be copied.
  for (const command of prove) lines.push(`      ${printable(command)}`);
  for (const { what, commands } of change) {
    lines.push(...wrap(printable(what), '    '), ...commands.map((command) => `      ${printable(command)}`));
  }
  return lines;
}
