import { describe, expect, it } from 'vitest';
import { collectEvidence } from '../../src/bytes/evidence.js';
import { analyzeEvidence } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';

/** Most time for one file, ms: a gzip bomb and a capture of 400,000 equal frames are among them. */
const SLOW = 30_000;

/** Files with frames that really went to a wrong MAC, each looked at by hand. None so far. */
const JUSTIFIED: readonly string[] = [];

describe.skipIf(!hasShared)('public captures', () => {
  it('are judged without a failure and without a false alarm', async () => {
    const root = sharedPath('corpus/files');
    const { pieces, errors } = await collectEvidence([root]);
    expect(errors).toEqual([]);
    expect(pieces.length).toBeGreaterThan(2000);
    const failed: string[] = [];
    const alarms: string[] = [];
    let judged = 0;
    for (const piece of pieces) {
      const started = performance.now();
      try {
        const analysis = await analyzeEvidence([piece]);
        if (analysis.verdict === 'misdelivered') alarms.push(piece.name);
        if (analysis.verdict !== 'not-judged') judged++;
      } catch (error) {
        failed.push(`${piece.name}: ${String(error)}`);
      }
      if (performance.now() - started > SLOW) failed.push(`${piece.name}: too slow`);
    }
    expect(failed).toEqual([]);
    expect(alarms).toEqual(JUSTIFIED);
    expect(judged).toBeGreaterThan(500);
  }, 300_000);
});
