/** The options of redaction, wherever it is asked for. */

import { readFileSync } from 'node:fs';
import { fileError } from '../bytes/file.js';
import { InputError, UsageError } from '../errors.js';
import type { Analysis } from '../model.js';
import { redactAnalysis } from '../redact/analysis.js';
import { randomKey } from '../redact/keyed.js';
import { LeakScan } from '../redact/leaks.js';
import { AddressMapping, type RedactionLevel } from '../redact/mapping.js';
import { TextRedactor } from '../redact/text.js';

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

  /** The analysis to render, and what every output made of it must pass: it throws when an original stands in it. */
  apply(analysis: Analysis): { analysis: Analysis; check: (file: string, output: string) => void } {
    const redacted = redactAnalysis(analysis, this.mapping, this.text);
    const leaks = new LeakScan(this.mapping);
    const check = (file: string, output: string): void => {
      const found = leaks.inText(output);
      if (found === undefined) return;
      const name = file === '-' ? 'standard output' : file;
      throw new InputError(name, `${found} would still stand in it. Nothing was written.`);
    };
    return { analysis: redacted, check };
  }
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
