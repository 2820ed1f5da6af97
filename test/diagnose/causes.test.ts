import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { judge } from '../engine/scene.js';
import { SAMPLES, type Evidence } from './samples.js';

describe.each(SAMPLES)('$cause', ({ cause, shows, near }) => {
  it('is named where it is', async () => {
    const analysis = await run(shows());
    expect(named(analysis), JSON.stringify(analysis.findings, null, 1)).toContain(cause);
    for (const seen of analysis.observations) {
      expect(seen.evidence.length, seen.summary).toBeGreaterThan(0);
      expect(seen.summary).toMatch(/\.$/);
    }
  });

  it.runIf(near)('is not named where it is not', async () => {
    if (near) expect(named(await run(near.build())), near.what).not.toContain(cause);
  });
});

async function run({ captures, texts }: Evidence): Promise<Analysis> {
  return judge(captures, texts);
}

function named(analysis: Analysis): string[] {
  return [...analysis.findings, ...analysis.observations].map(({ cause }) => cause);
}
