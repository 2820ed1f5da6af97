/** `macscan redact <in> <out>`: captures, dumps and saved analyses without what is private in them. */

import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { collectEvidence } from '../bytes/evidence.js';
import { InputError, UsageError } from '../errors.js';
import { headOf, kindOfHead } from '../input-kind.js';
import type { InputKind } from '../model.js';
import { readCapture } from '../read/capture.js';
import { CaptureRedaction, CaptureSurvey, REDACTED_COMMENT } from '../redact/capture.js';
import { PcapngWriter, PcapWriter, type CaptureWriter } from '../redact/capture-writer.js';
import { redactAnalysis } from '../redact/analysis.js';
import { DumpRedaction } from '../redact/dump.js';
import { LeakScan } from '../redact/leaks.js';
import type { AddressMapping } from '../redact/mapping.js';
import { TextRedactor } from '../redact/text.js';
import { Epoch } from '../records/epoch.js';
import type { CaptureSink } from '../records/packet-batch.js';
import { renderJson } from '../render/json.js';
import { printable } from '../render/words.js';
import type { Evidence } from '../scan.js';
import { checkForLeaks } from './leak-check.js';
import { NewFile } from './new-file.js';
import { notWritten } from './place.js';
import { EXIT, interrupted, writeError, writeOut } from './process.js';
import { createMapping, type RedactionOptions } from './redaction.js';
import { readSavedAnalysis } from './saved-analysis.js';

type Kind = Exclude<InputKind, 'unknown' | 'empty'>;

interface Piece {
  readonly evidence: Evidence;
  readonly kind: Kind;
}

const TEXT_CHUNK = 64 * 1024;

/**
 * Reads everything twice: first to meet every address, then to write. Nothing is left behind unless all of it is free
 * of what was to be hidden.
 * @param input a file, `-`, or a folder or archive, whose files are then written below the folder `output`
 * @returns the exit code
 * @throws UsageError, InputError
 */
export async function redactCommand(input: string, output: string, options: RedactionOptions): Promise<number> {
  const mapping = createMapping(options);
  const { pieces: found, errors } = await collectEvidence([input], { signal: interrupted });
  for (const problem of errors) writeError(printable(problem.message));
  const pieces: Piece[] = [];
  for (const evidence of found) {
    const kind = kindOfHead(await headOf(evidence));
    if (kind !== 'unknown' && kind !== 'empty') pieces.push({ evidence, kind });
    else writeError(printable(`${evidence.name}: is no capture, no text and no saved analysis. It was left out.`));
  }
  const [only] = pieces;
  if (!only) return EXIT.FAILED;
  const isFolder = found.length > 1 || only.evidence.name.includes('/') || output.endsWith('/');
  if (isFolder && output === '-') throw new UsageError(`${input} holds ${found.length} files: name a folder for them`);

  const run = new Redaction(mapping);
  for (const piece of pieces) await run.survey(piece);
  const files: NewFile[] = [];
  try {
    run.ready();
    for (const piece of pieces) {
      const path = isFolder ? join(output, run.nameOf(piece)) : output;
      if (found.some((evidence) => path !== '-' && evidence.liesAt(path)))
        throw new InputError(path, 'is what is to be redacted and was not overwritten');
      if (isFolder) makeFolder(dirname(path));
      const file = new NewFile(path);
      files.push(file);
      await run.write(piece, file);
      run.check(file, piece.evidence.name);
    }
    for (const file of files) await file.publish(writeOut);
  } catch (error) {
    for (const file of files) file.discard();
    throw error;
  }
  return errors.length > 0 || run.problems > 0 ? EXIT.FAILED : EXIT.DELIVERED;
}

class Redaction {
  /** Inputs that could be read in part only. */
  problems = 0;
  private readonly mapping: AddressMapping;
  private readonly text: TextRedactor;
  private leaks: LeakScan | undefined;
  private readonly names = new Set<string>();

  constructor(mapping: AddressMapping) {
    this.mapping = mapping;
    this.text = new TextRedactor(mapping);
  }

  /** Meets the addresses of a piece. */
  async survey({ evidence, kind }: Piece): Promise<void> {
    this.text.redact(evidence.name);
    if (kind === 'pcap' || kind === 'pcapng') await this.read(evidence, new CaptureSurvey(this.mapping, this.text));
    else await this.produce(evidence, kind, () => undefined);
  }

  /** All addresses have been met. */
  ready(): void {
    this.leaks = new LeakScan(this.mapping);
  }

  async write({ evidence, kind }: Piece, file: NewFile): Promise<void> {
    const write = (bytes: Uint8Array): void => {
      file.write(bytes);
    };
    if (kind !== 'pcap' && kind !== 'pcapng') {
      await this.produce(evidence, kind, (text) => {
        write(new TextEncoder().encode(text));
      });
      return;
    }
    const leaks = this.leaks ?? new LeakScan(this.mapping);
    const redaction = new CaptureRedaction(this.mapping, this.text, leaks, writerFor(file.path, kind), write);
    await this.read(evidence, redaction, (what) => {
      this.problems++;
      writeError(printable(`${evidence.name}: ${what}`));
    });
    if (redaction.shortened > 0) {
      writeError(
        printable(
          `${evidence.name}: ${redaction.shortened} packets were cut to their link header, as an address stood among their numbers.`,
        ),
      );
    }
  }

  /** @throws InputError when something that was to be hidden stands in the file */
  check(file: NewFile, name: string): void {
    checkForLeaks(file, new LeakScan(this.mapping), this.text, name);
  }

  /** The path of a piece below the folder of outputs: without compression, and without addresses. */
  nameOf({ evidence, kind }: Piece): string {
    const plain = below(this.text.redact(evidence.name.replace(/\.(?:gz|zst|xz|lz4)$/i, '')));
    const ending = kind === 'pcapng' && !/\.(?:pcapng|ntar)$/i.test(plain) ? '.pcapng' : '';
    let name = `${plain}${ending}`;
    // A file and its compressed copy would have one name.
    for (let n = 2; this.names.has(name); n++) name = `${plain.replace(/(\.[^./]*)?$/, `-${n}$1`)}${ending}`;
    this.names.add(name);
    return name;
  }

  private async read(evidence: Evidence, sink: CaptureSink, tell?: (what: string) => void): Promise<void> {
    const source = await evidence.open();
    try {
      await readCapture(
        source,
        new Epoch(),
        {
          interface: (description) => sink.interface(description),
          packets: (batch) => sink.packets(batch),
          statistics: (index, received, dropped) => sink.statistics(index, received, dropped),
          comment: () => undefined,
          name: () => undefined,
          diagnostic: ({ what, action }) => tell?.(`${what} ${action}`),
        },
        { signal: interrupted },
      );
    } finally {
      source.close();
    }
  }

  /** Hands over the new text of a dump or a saved analysis. */
  private async produce(evidence: Evidence, kind: Kind, write: (text: string) => void): Promise<void> {
    if (kind === 'analysis') {
      const analysis = await readSavedAnalysis([evidence]);
      if (analysis) write(renderJson(redactAnalysis(analysis, this.mapping, this.text)));
      return;
    }
    const dump = new DumpRedaction(this.text, write);
    const source = await evidence.open();
    const buffer = new Uint8Array(TEXT_CHUNK);
    try {
      for (;;) {
        interrupted.throwIfAborted();
        const read = await source.read(buffer, 0, buffer.length);
        if (read === 0) break;
        dump.chunk(buffer.subarray(0, read));
      }
    } finally {
      source.close();
    }
    dump.end();
  }
}

/** @throws InputError when it cannot be made */
function makeFolder(path: string): void {
  try {
    makeFolders(path);
  } catch (error) {
    throw notWritten(path, error);
  }
}

/** Node's `recursive` never ends where a folder cannot be made though the one above is there, as in /proc. */
function makeFolders(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeFolders(dirname(path));
  mkdirSync(path);
}

/** A path that cannot lead out of the folder that it is put below: names of an archive's members are anybody's. */
function below(path: string): string {
  return path
    .split('/')
    .map((part) => (/^\.{0,2}$/.test(part) ? '_' : part.replaceAll('\0', '_')))
    .join('/');
}

/** By the ending of the output; without one that tells, as the input was. */
function writerFor(path: string, kind: 'pcap' | 'pcapng'): CaptureWriter {
  const wanted = /\.(pcapng|ntar)$/i.test(path) ? 'pcapng' : /\.(pcap|cap|dmp)$/i.test(path) ? 'pcap' : kind;
  return wanted === 'pcap' ? new PcapWriter(path) : new PcapngWriter(REDACTED_COMMENT);
}
