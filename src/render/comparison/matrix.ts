/** What a comparison is made of. */

import type { Analysis, Finding, Totals, Verdict } from '../../model.js';
import type { Router } from './router.js';

/** Version of this structure; the major part changes when a field changes its meaning or goes away. */
export const COMPARISON_VERSION = '1.0';

/** What `-f json` prints. All texts may hold names from an input: escape them where they are shown. */
export interface Comparison {
  version: string;
  generator: { name: 'macscan'; version: string };
  /** One or a few sentences, never more than the two cases show. */
  conclusion: string;
  sides: [Side, Side];
  rows: Row[];
}

/** One case in figures. */
export interface Side {
  name: string;
  verdict: Verdict;
  totals: Totals;
  /** Frames to the old MAC that are normal right after a take-over; `totals` counts them as delivered. */
  convergence: number;
  causes: { cause: string; confidence: string; frames: number }[];
  /** The machine that offloads, or the one that was dumped most; missing when no dump says anything of it. */
  router?: Router;
  partial?: true;
}

/** A line of the matrix. */
export interface Row {
  what: string;
  values: [string, string];
  differs: boolean;
}

/** Findings of faults: convergence is none. */
export function faultsOf(analysis: Analysis): Finding[] {
  return analysis.findings.filter((finding) => finding.cause !== 'convergence');
}
