/** Where the result goes: files by `-o`, and standard output. */

import { InputError, UsageError } from '../errors.js';
import type { Analysis, Input } from '../model.js';
import {
  formatOfFile,
  listsFrames,
  render,
  renderTo,
  type Format,
  type OutputFormat,
  type RenderOptions,
} from '../render/index.js';
import type { Evidence } from '../scan.js';
import type { NewFile } from './new-file.js';
import { writeFile, writeOut } from './process.js';

export interface Target {
  /** `-` is standard output. */
  readonly file: string;
  readonly format: OutputFormat;
}

/** Evidence of the disk. */
export interface PlacedEvidence extends Evidence {
  /** Whether it is the file at a path. */
  liesAt(path: string): boolean;
}

/**
 * What `-o` and `-f` ask for, each once; standard output when nothing is.
 * @throws UsageError when a file's ending is none of ours
 */
export function targetsOf(files: readonly string[], format: OutputFormat): Target[] {
  const all = files.length > 0 ? files : ['-'];
  return [...new Set(all)].map((file) => ({ file, format: file === '-' ? format : formatOfFile(file) }));
}

/**
 * Says what would go wrong before anything is written.
 * @throws UsageError when a format needs more than a saved analysis holds, InputError when a file is evidence itself
 */
export function checkTargets(
  targets: readonly Target[],
  analysis: Analysis,
  evidence: readonly PlacedEvidence[],
): void {
  for (const { file, format } of targets) {
    if (listsFrames(format) && !analysis.eachFrame) {
      const what = format === 'pcapng' ? 'the captures, which' : 'every frame, which';
      throw new UsageError(`${file}: needs ${what} a saved analysis does not hold; give the evidence itself`);
    }
    if (file === '-') continue;
    const same = evidence.find((piece) => piece.liesAt(file));
    const input = same && analysis.inputs.find(({ name }) => name === same.name);
    // What is no input of the analysis is the analysis itself, as it was saved.
    if (same && (!input || isEvidence(input)))
      throw new InputError(file, 'is evidence of this run and was not overwritten');
  }
}

/** Not so what an earlier run wrote into the folder: it tells no fact. */
function isEvidence(input: Input): boolean {
  if (input.kind === 'text') return input.frames !== undefined || Object.keys(input.facts ?? {}).length > 0;
  return input.kind === 'pcap' || input.kind === 'pcapng';
}

/** The pieces that an annotated capture is made of. */
export function capturesOf<Piece extends Evidence>(analysis: Analysis, evidence: readonly Piece[]): Piece[] {
  const kinds = new Map(analysis.inputs.map(({ name, kind }) => [name, kind]));
  return evidence.filter(({ name }) => kinds.get(name)?.startsWith('pcap'));
}

export interface WriteOptions extends RenderOptions {
  readonly onlyEvidence: boolean;
  /** Throws when a text must not be written. */
  readonly check?: (file: string, text: string) => void;
  /** Throws when a capture must not be written. */
  readonly checkFile?: (file: NewFile) => void;
}

/**
 * Makes and looks at all of them before any is written; what goes to standard output comes last.
 * @param captures what an annotated capture is made of
 * @throws what the checks throw, InputError, UsageError
 */
export async function writeTargets(
  targets: readonly Target[],
  analysis: Analysis,
  captures: readonly Evidence[],
  options: WriteOptions,
): Promise<void> {
  const files: NewFile[] = [];
  try {
    const made: { file: string; content: string | NewFile }[] = [];
    for (const { file, format } of targets) {
      const fitting = file === '-' ? options : { ...options, color: false, verbose: true, quiet: false };
      if (format === 'pcapng' || listsFrames(format)) {
        const { NewFile } = await import('./new-file.js');
        const content = new NewFile(file);
        files.push(content);
        if (format === 'pcapng') await makeCapture(content, analysis, captures, options);
        else await makeListing(content, format, analysis, fitting);
        made.push({ file, content });
      } else {
        const content = await render(analysis, format, fitting);
        options.check?.(file, content);
        made.push({ file, content });
      }
    }
    for (const { file, content } of made.toSorted((a, b) => Number(a.file === '-') - Number(b.file === '-'))) {
      if (typeof content !== 'string') await content.publish(writeOut);
      else if (file === '-') await writeOut(content);
      else writeFile(file, content);
    }
  } finally {
    for (const file of files) file.discard();
  }
}

async function makeCapture(
  content: NewFile,
  analysis: Analysis,
  captures: readonly Evidence[],
  { onlyEvidence, checkFile }: WriteOptions,
): Promise<void> {
  const { makeAnnotatedCapture } = await import('./annotated-capture.js');
  await makeAnnotatedCapture(content, analysis, captures, onlyEvidence);
  checkFile?.(content);
}

/** What lists every frame never stands in memory as a whole. */
async function makeListing(content: NewFile, format: Format, analysis: Analysis, options: WriteOptions): Promise<void> {
  const encoder = new TextEncoder();
  await renderTo(analysis, format, options, (lines) => {
    options.check?.(content.path, lines);
    content.write(encoder.encode(lines));
  });
}
