/** Two cases side by side: what maintainers ask for, the same with one thing changed. */

import type { Analysis, Finding } from '../../model.js';
import { concludes } from './conclusion.js';
import { COMPARISON_VERSION, faultsOf, type Comparison, type Side } from './matrix.js';
import { routerOf } from './router.js';
import { rowsOf } from './rows.js';

export function compare(a: Analysis, b: Analysis, names: readonly [string, string], version: string): Comparison {
  const sides: [Side, Side] = [sideOf(a, names[0]), sideOf(b, names[1])];
  return {
    version: COMPARISON_VERSION,
    generator: { name: 'macscan', version },
    conclusion: concludes(sides, [a, b]),
    sides,
    rows: rowsOf(sides, [a, b]),
  };
}

/** Whether both verdicts are about frames. */
export function isComparable({ sides }: Comparison): boolean {
  return sides.every(({ verdict }) => verdict !== 'not-judged');
}

function sideOf(analysis: Analysis, name: string): Side {
  const router = routerOf(analysis);
  const convergence = analysis.misdeliveries.filter((m) => m.class === 'convergence');
  return {
    name,
    verdict: analysis.verdict,
    totals: analysis.totals,
    convergence: convergence.reduce((sum, m) => sum + m.frames, 0),
    causes: faultsOf(analysis).map((finding) => ({
      cause: finding.cause,
      confidence: finding.confidence,
      frames: framesOf(analysis, finding),
    })),
    ...(router ? { router } : {}),
    ...(analysis.partial ? { partial: true as const } : {}),
  };
}

function framesOf(analysis: Analysis, finding: Finding): number {
  const explained = new Set(finding.explains);
  return analysis.misdeliveries.filter((m) => explained.has(m.id)).reduce((sum, m) => sum + m.frames, 0);
}
