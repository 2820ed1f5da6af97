/** `macscan analysis.json`: renders a saved analysis, as if it had just been made. */

import { InputError } from '../errors.js';
import { MAX_ANALYSIS_BYTES, looksLikeAnalysis, parseAnalysis } from '../read/analysis.js';
import type { Analysis } from '../model.js';
import type { Evidence } from '../scan.js';

const HEAD = 4096;

/**
 * The analysis, when the only input is one; undefined otherwise.
 * @throws InputError when it is one and broken
 */
export async function readSavedAnalysis(evidence: readonly Evidence[]): Promise<Analysis | undefined> {
  const [only] = evidence;
  if (!only || evidence.length > 1) return undefined;
  if (!looksLikeAnalysis(await readStart(only, HEAD))) return undefined;
  const bytes = await readStart(only, MAX_ANALYSIS_BYTES + 1);
  if (bytes.length > MAX_ANALYSIS_BYTES)
    throw new InputError(only.name, `the saved analysis is larger than ${MAX_ANALYSIS_BYTES} bytes`);
  const result = parseAnalysis(new TextDecoder().decode(bytes));
  if (typeof result === 'string') throw new InputError(only.name, `the saved analysis cannot be used: ${result}`);
  return result;
}

async function readStart(evidence: Evidence, most: number): Promise<Uint8Array> {
  const source = await evidence.open();
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    while (length < most) {
      const part = new Uint8Array(Math.min(65_536, most - length));
      const read = await source.read(part, 0, part.length);
      if (read === 0) break;
      parts.push(part.subarray(0, read));
      length += read;
    }
  } finally {
    source.close();
  }
  return Buffer.concat(parts);
}
