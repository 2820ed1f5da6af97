/** Reads a saved analysis (our own JSON). It may come from a stranger, so its shape is checked before it is believed. */

import { ANALYSIS_VERSION, type Analysis } from '../model.js';
import { ANALYSIS } from './analysis-shape.js';
import { mismatch } from './shape.js';

export const MAX_ANALYSIS_BYTES = 256 * 1024 * 1024;

/** Tells a saved analysis by the first bytes of a file. */
export function looksLikeAnalysis(head: Uint8Array): boolean {
  const text = new TextDecoder().decode(head.subarray(0, 512));
  return /^\s*\{\s*"version"\s*:\s*"[\d.]+"\s*,\s*"generator"\s*:\s*\{\s*"name"\s*:\s*"macscan"/.test(text);
}

/** @returns the analysis, or a sentence about why it is none */
export function parseAnalysis(text: string): Analysis | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is no complete JSON';
  }
  const wrong = mismatch(value, ANALYSIS, 'analysis');
  if (wrong !== undefined) return wrong;
  if (!isAnalysis(value)) return 'it is no analysis';
  const major = value.version.split('.')[0];
  if (major !== ANALYSIS_VERSION.split('.')[0])
    return `it has version ${value.version}, this program reads ${ANALYSIS_VERSION}`;
  return value;
}

function isAnalysis(value: unknown): value is Analysis {
  return mismatch(value, ANALYSIS, 'analysis') === undefined;
}
