/** Options that would do nothing are refused: who gives one expects that it does something. */

import type { Command, Option } from 'commander';
import { UsageError } from '../errors.js';

/**
 * Options of the program may stand behind a command's name; each command uses some of them.
 * @param used attribute names of the options that the command uses
 * @throws UsageError when another one was given
 */
export function checkOptions(program: Command, command: string, used: readonly string[]): void {
  const other = program.options.find((option) => isGiven(program, option) && !used.includes(option.attributeName()));
  if (other) throw new UsageError(`${other.long ?? other.flags} is of no use with macscan ${command}`);
}

/** @throws UsageError when a format was asked for on standard output, and nothing goes there */
export function checkFormat(program: Command, outputs: readonly string[]): void {
  if (program.getOptionValueSource('format') !== 'cli' || outputs.length === 0 || outputs.includes('-')) return;
  throw new UsageError('--format is about standard output, where -o leaves nothing; add -o - for both');
}

/** Options that say how evidence is to be judged. */
export interface JudgingOptions {
  readonly map: readonly string[];
  readonly device: readonly string[];
  readonly as: readonly string[];
  readonly from?: string;
  readonly to?: string;
}

/** @throws UsageError when a saved analysis, which is rendered as it is, is to be judged otherwise */
export function checkForSaved({ map, device, as, from, to }: JudgingOptions): void {
  const given = [
    map.length > 0 && '--map',
    device.length > 0 && '--device',
    as.length > 0 && '--as',
    from !== undefined && '--from',
    to !== undefined && '--to',
  ].find((flag) => flag !== false);
  if (given === undefined) return;
  throw new UsageError(
    `${given} is of no use with a saved analysis, which was judged already; give the evidence itself`,
  );
}

/** A help text that does not tell the default of switches and lists, which is that they were not given. */
export function optionDescription(option: Option): string {
  const { defaultValueDescription, argChoices, description } = option;
  const defaultValue: unknown = option.defaultValue;
  const notes: string[] = [];
  if (argChoices) notes.push(`choices: ${argChoices.join(', ')}`);
  if (typeof defaultValue === 'string') notes.push(`default: ${defaultValueDescription ?? defaultValue}`);
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function isGiven(program: Command, option: Option): boolean {
  return program.getOptionValueSource(option.attributeName()) === 'cli';
}
