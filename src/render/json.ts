/** The analysis as JSON. */

import type { Analysis } from '../model.js';

/** The analysis as it is, but for what exists in memory only. */
export function renderJson(analysis: Analysis): string {
  return `${JSON.stringify(analysis, undefined, 1)}\n`;
}
