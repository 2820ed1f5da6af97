import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fisherExact } from '../../src/diagnose/fisher.js';

const count = fc.integer({ min: 0, max: 60 });

describe('the exact test', () => {
  it.each([
    // Fisher's own example of the lady and the tea: all right, and three of four.
    [0, 4, 4, 0, 1 / 70],
    [1, 3, 3, 1, 17 / 70],
    [0, 0, 0, 0, 1],
    [5, 0, 0, 5, 1],
    [0, 0, 7, 3, 1],
  ])('gives for %i %i / %i %i the known probability', (a, b, c, d, expected) => {
    expect(fisherExact(a, b, c, d)).toBeCloseTo(expected, 12);
  });

  it('is what counting all tables with the same sums gives', () => {
    fc.assert(
      fc.property(count, count, count, count, (a, b, c, d) => {
        const [first, column, total] = [a + b, b + d, a + b + c + d];
        let sum = 0n;
        for (let more = b; more <= Math.min(first, column); more++)
          sum += choose(first, more) * choose(total - first, column - more);
        const expected = Number((sum * 10n ** 30n) / choose(total, column)) / 1e30;
        expect(fisherExact(a, b, c, d)).toBeCloseTo(expected, 9);
      }),
    );
  });

  it('stays a probability for many frames', () => {
    fc.assert(
      fc.property(fc.nat(50_000), fc.nat(50_000), fc.nat(500), fc.nat(500), (a, b, c, d) => {
        const p = fisherExact(a, b, c, d);
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
      }),
      { numRuns: 20 },
    );
  });
});

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n;
  let result = 1n;
  for (let i = 1; i <= k; i++) result = (result * BigInt(n - k + i)) / BigInt(i);
  return result;
}
