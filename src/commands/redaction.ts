/** The options of redaction, wherever it is asked for. */

import { readFileSync } from 'node:fs';
import { fileError } from '../bytes/file.js';
import { UsageError } from '../errors.js';
import { randomKey } from '../redact/keyed.js';
import { AddressMapping, type RedactionLevel } from '../redact/mapping.js';

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
