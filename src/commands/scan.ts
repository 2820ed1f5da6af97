/** `macscan <evidence...>`: reads, judges, and writes the result. */

import { canonicalIp, parseMac } from '../bytes/address.js';
import { collectEvidence } from '../bytes/evidence.js';
import { OUT_OF_MEMORY, UsageError } from '../errors.js';
import { INPUT_FORMATS, type InputFormat } from '../input-reader.js';
import type { Analysis, Diagnostic } from '../model.js';
import { listsFrames, type OutputFormat } from '../render/index.js';
import { checkFilter, restrict } from '../render/restrict.js';
import { printable, verdictSentence } from '../render/words.js';
import { isLarge, scan, type Evidence, type ScanOptions } from '../scan.js';
import { checkForSaved, type JudgingOptions } from './option-use.js';
import { capturesOf, checkTargets, targetsOf, writeTargets } from './outputs.js';
import { EXIT, interrupted, writeError } from './process.js';
import { Progress } from './progress.js';
import type { Redaction, RedactionOptions } from './redaction.js';
import { readSavedAnalysis } from './saved-analysis.js';
import { Stats } from './stats.js';
import { parseTime } from './time-option.js';
import { vendorNames } from './vendor-names.js';

/** As the command line gives them. */
export interface ScanCommandOptions extends RedactionOptions, JudgingOptions {
  readonly output: readonly string[];
  readonly format: OutputFormat;
  readonly filter?: string;
  readonly onlyEvidence: boolean;
  readonly names: boolean;
  readonly exitCode: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: 'auto' | 'always' | 'never';
  readonly hash: boolean;
  readonly stats: boolean;
}

/**
 * @returns the exit code
 * @throws UsageError, InputError
 */
export async function scanCommand(
  paths: readonly string[],
  options: ScanCommandOptions,
  version: string,
): Promise<number> {
  const targets = targetsOf(options.output, options.format);
  if (options.filter !== undefined) checkFilter(options.filter);
  if (options.onlyEvidence && !targets.some(({ format }) => format === 'pcapng'))
    throw new UsageError('--only-evidence is about an annotated capture (-o FILE.pcapng), and none was asked for');
  const wantsFrames = targets.some(({ format }) => listsFrames(format));
  const redaction = await redactionOf(options);
  const scanOptions = { ...scanOptionsOf(options, version), eachFrame: wantsFrames };
  const { pieces: evidence, errors: problems } = await collectEvidence(paths, {
    signal: interrupted,
    hash: options.hash,
  });
  for (const problem of problems) writeError(printable(problem.message));
  if (evidence.length === 0) return EXIT.FAILED;

  const stats = options.stats ? new Stats() : undefined;
  const saved = await readSavedAnalysis(evidence);
  if (saved) checkForSaved(options);
  const whole = saved ?? (await analyse(evidence, scanOptions, options, stats));
  for (const name of unknownNames(whole, options)) writeError(printable(name));
  const nothing = nothingToJudge(whole);
  if (nothing !== undefined) {
    writeError(printable(nothing));
    return EXIT.FAILED;
  }
  stats?.enter('render');
  const wanted = options.filter === undefined ? whole : restrict(whole, options.filter);
  checkTargets(targets, wanted, evidence);
  const captures = targets.some(({ format }) => format === 'pcapng') ? capturesOf(wanted, evidence) : [];
  if (redaction) for (const capture of captures) await redaction.meet(capture);
  const redacted = await redaction?.apply(wanted);
  const analysis = redacted?.analysis ?? wanted;
  const shown = redaction ? await Promise.all(captures.map((capture) => redaction.capture(capture))) : captures;
  await writeTargets(targets, analysis, shown, {
    ...options,
    color: wantsColor(options.color),
    // What stands for a redacted MAC belongs to nobody.
    names: options.names && !analysis.redacted ? vendorNames : undefined,
    ...(redacted ? { check: redacted.check, checkFile: redacted.checkFile } : {}),
  });
  if (!targets.some(({ file }) => file === '-') && !options.quiet) writeError(printable(verdictSentence(analysis)));
  if (stats) process.stderr.write(stats.report(analysis));
  const short = analysis.diagnostics.find(({ id }) => id === OUT_OF_MEMORY);
  if (short) writeError(printable(outOfMemoryLine(short)));
  else if (analysis.partial) return EXIT.INTERRUPTED;
  if ((problems.length > 0 || short) && analysis.verdict !== 'misdelivered') return options.exitCode ? EXIT.FAILED : 0;
  return options.exitCode ? EXIT_OF_VERDICT[analysis.verdict] : 0;
}

/** How the outputs are redacted; loaded only when that is asked for. */
async function redactionOf(options: RedactionOptions): Promise<Redaction | undefined> {
  if (options.redact === undefined && options.redactKey === undefined && !options.keepOui) return undefined;
  return (await import('./redaction.js')).createRedaction(options);
}

function outOfMemoryLine({ input = '', frame, offset }: Diagnostic): string {
  const place = offset === undefined ? '' : ` from about byte ${offset} on, behind frame ${frame ?? 0}`;
  return `${input}: the memory does not suffice to read it${place}. What was read before was judged.`;
}

const EXIT_OF_VERDICT = {
  delivered: EXIT.DELIVERED,
  misdelivered: EXIT.MISDELIVERED,
  'not-judged': EXIT.FAILED,
} as const;

async function analyse(
  evidence: readonly Evidence[],
  scanOptions: ScanOptions,
  options: ScanCommandOptions,
  stats: Stats | undefined,
): Promise<Analysis> {
  const progress = new Progress(evidence, process.stderr.isTTY && !options.quiet);
  const engine = isLarge(evidence) ? await import('./engine.js') : undefined;
  engine?.prepareEngine();
  try {
    return await scan(evidence, {
      ...scanOptions,
      // Ctrl-C ended a live capture: what arrived is judged, and only a second one ends that.
      ...(interrupted.aborted ? { partial: true } : { signal: interrupted }),
      onProgress: (input, bytes) => {
        progress.show(input, bytes);
      },
      ...(stats ? { timing: stats.timing } : {}),
      onStage: (stage, legs) => {
        if (stage === 'judge') engine?.compileLater();
        stats?.enter(stage, legs);
      },
    });
  } finally {
    progress.clear();
  }
}

/** A line for each name given that no input or interface has: most likely it is misspelt. */
function unknownNames({ inputs }: Analysis, { device, as }: ScanCommandOptions): string[] {
  const names = new Set(inputs.map(({ name }) => name));
  const devices = new Set(inputs.flatMap(({ interfaces = [] }) => interfaces.map((known) => known.device)));
  return [
    ...as
      .filter((pair) => !names.has(split('--as', pair)[0]))
      .map((pair) => `--as ${pair}: no input has this name; -v lists them`),
    ...device
      .filter((pair) => !devices.has(split('--device', pair)[1]))
      .map((pair) => `--device ${pair}: no capture and no interface has this name; -v lists the captures`),
  ];
}

/** One line when there is nothing at all that a verdict could be about; undefined when there is. */
function nothingToJudge(analysis: Analysis): string | undefined {
  const useful = analysis.inputs.filter(
    (input) => (input.frames ?? 0) > 0 || Object.keys(input.facts ?? {}).length > 0,
  );
  if (useful.length > 0 || analysis.partial) return undefined;
  const [only] = analysis.inputs;
  if (!only || analysis.inputs.length > 1) {
    return `none of ${analysis.inputs.length} files holds frames or a dump that macscan knows. Nothing was judged.`;
  }
  const failed = analysis.diagnostics[0];
  if (only.kind === 'empty')
    return `${only.name === '-' ? 'standard input' : only.name}: is empty. Nothing was judged.`;
  if (failed)
    return `${only.name}: ${failed.offset === undefined ? '' : `byte ${failed.offset}: `}${failed.what} Nothing was judged.`;
  if (only.frames === 0) return `${only.name}: the capture holds no packets. Nothing was judged.`;
  return `${only.name}: is no capture, no dump that macscan knows and no saved analysis. Nothing was judged.`;
}

function scanOptionsOf(options: ScanCommandOptions, version: string): ScanOptions {
  const from = options.from === undefined ? undefined : parseTime('--from', options.from);
  const to = options.to === undefined ? undefined : parseTime('--to', options.to);
  if (from !== undefined && to !== undefined && to < from)
    throw new UsageError(`--to ${options.to}: is before --from ${options.from}`);
  return {
    generatorVersion: version,
    map: new Map(options.map.map((pair) => mapEntry(pair))),
    devices: new Map(options.device.map((pair) => split('--device', pair))),
    formats: new Map(options.as.map((pair) => formatEntry(pair))),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
  };
}

function mapEntry(pair: string): [string, number] {
  const [left, right] = split('--map', pair);
  const ip = canonicalIp(left);
  const mac = parseMac(right);
  if (ip === undefined) throw new UsageError(`--map ${pair}: ${left} is not an IP address`);
  if (mac === undefined) throw new UsageError(`--map ${pair}: ${right} is not a MAC address`);
  return [ip, mac];
}

function formatEntry(pair: string): [string, InputFormat] {
  const [name, format] = split('--as', pair);
  const known = INPUT_FORMATS.find((candidate) => candidate === format);
  if (!known) throw new UsageError(`--as ${pair}: ${format} is none of ${INPUT_FORMATS.join(', ')}`);
  return [name, known];
}

function split(option: string, pair: string): [string, string] {
  const at = pair.lastIndexOf('=');
  if (at <= 0 || at === pair.length - 1)
    throw new UsageError(`${option} ${pair}: must be two values with = between them`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function wantsColor(when: ScanCommandOptions['color']): boolean {
  if (when !== 'auto') return when === 'always';
  return process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}
