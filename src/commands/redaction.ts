/** The options of redaction, wherever it is asked for. */

import { readFileSync } from 'node:fs';
import { fileError, openFile } from '../bytes/file.js';
import { createSpool } from '../bytes/spool.js';
import { InputError, UsageError } from '../errors.js';
import type { Analysis } from '../model.js';
import { readCapture } from '../read/capture.js';
import { CaptureRedaction, CaptureSurvey, REDACTED_COMMENT } from '../redact/capture.js';
import { PcapngWriter } from '../redact/capture-writer.js';
import { redactAnalysis } from '../redact/analysis.js';
import { randomKey } from '../redact/keyed.js';
import { LeakScan } from '../redact/leaks.js';
import { AddressMapping, type RedactionLevel } from '../redact/mapping.js';
import { TextRedactor } from '../redact/text.js';
import { Epoch } from '../records/epoch.js';
import type { CaptureSink } from '../records/packet-batch.js';
import type { Evidence } from '../scan.js';
import { checkForLeaks } from './leak-check.js';
import type { NewFile } from './new-file.js';

/** As the command line gives them. */
export interface RedactionOptions {
  readonly redact?: RedactionLevel;
  readonly redactKey?: string;
  readonly keepOui?: boolean;
}

const SHORTEST_KEY = 16;
const LONGEST_KEY = 1024 * 1024;

/**
 * The mapping of this run: repeatable with a key file, of its own without one.
 * @throws UsageError when the key is too short, InputError when it cannot be read
 */
export function createMapping(options: RedactionOptions): AddressMapping {
  const key = options.redactKey === undefined ? randomKey() : readKey(options.redactKey);
  return new AddressMapping(key, { level: options.redact ?? 'default', keepOui: options.keepOui ?? false });
}

/**
 * How a scan's outputs are redacted.
 * @throws UsageError when only details of a redaction are given
 */
export function createRedaction(options: RedactionOptions): Redaction {
  if (options.redact !== undefined) return new Redaction(createMapping(options));
  throw new UsageError(
    `--${options.redactKey === undefined ? 'keep-oui' : 'redact-key'} is of no use without --redact`,
  );
}

export class Redaction {
  private readonly mapping: AddressMapping;
  private readonly text: TextRedactor;

  constructor(mapping: AddressMapping) {
    this.mapping = mapping;
    this.text = new TextRedactor(mapping);
  }

  /** Meets every address of a capture; to be called before `apply` for all captures that are written. */
  async meet(capture: Evidence): Promise<void> {
    await this.read(capture, new CaptureSurvey(this.mapping, this.text));
  }

  /** The analysis to render, and what every output made of it must pass. */
  async apply(analysis: Analysis): Promise<RedactedAnalysis> {
    const redacted = redactAnalysis(analysis, this.mapping, this.text);
    // Not every flow is listed: the frames of others hold addresses that nothing else does.
    await redacted.eachFrame?.(() => undefined);
    const leaks = new LeakScan(this.mapping);
    return {
      analysis: redacted,
      check(file, output) {
        const found = leaks.inText(output);
        if (found !== undefined)
          throw new InputError(nameOf(file), `${found} would still stand in it. Nothing was written.`);
      },
      checkFile: (file) => {
        checkForLeaks(file, leaks, this.text, nameOf(file.path));
      },
    };
  }

  /** A capture with everything replaced, its frames numbered as they were; it lies in a temporary file. */
  async capture(capture: Evidence): Promise<Evidence> {
    const spool = createSpool(capture.name);
    const leaks = new LeakScan(this.mapping);
    const write = (bytes: Uint8Array): void => {
      spool.write(bytes);
    };
    const writer = new PcapngWriter(REDACTED_COMMENT);
    await this.read(capture, new CaptureRedaction(this.mapping, this.text, leaks, writer, write));
    spool.close();
    const name = this.text.redact(capture.name);
    return { name, size: capture.size, sha256: () => capture.sha256(), open: () => openFile(spool.path, name) };
  }

  private async read(capture: Evidence, sink: CaptureSink): Promise<void> {
    const source = await capture.open();
    try {
      await readCapture(source, new Epoch(), sink);
    } finally {
      source.close();
    }
  }
}

export interface RedactedAnalysis {
  readonly analysis: Analysis;
  /** Throws an InputError when an original stands in a text. */
  readonly check: (file: string, output: string) => void;
  /** Throws an InputError when an original stands in a capture. */
  readonly checkFile: (file: NewFile) => void;
}

function nameOf(file: string): string {
  return file === '-' ? 'standard output' : file;
}

function readKey(path: string): Uint8Array {
  let key: Uint8Array;
  try {
    key = readFileSync(path);
  } catch (error) {
    throw fileError(path, error);
  }
  if (key.length < SHORTEST_KEY || key.length > LONGEST_KEY)
    throw new UsageError(
      `--redact-key ${path}: holds ${key.length} bytes; a key has ${SHORTEST_KEY} at least (head -c 32 /dev/urandom > ${path})`,
    );
  return key;
}
