/** The analysis as JSON. */

import type { Analysis } from '../model.js';

export function renderJson(analysis: Analysis): string {
  return `${JSON.stringify(analysis, undefined, 1)}\n`;
}
