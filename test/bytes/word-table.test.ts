import { afterEach, describe, expect, it, vi } from 'vitest';
import { WordTable } from '../../src/bytes/word-table.js';
import { isOutOfMemory } from '../../src/errors.js';

afterEach(() => vi.unstubAllGlobals());

/** From now on the system gives no array of more words than this. */
function leaveRoomFor(words: number): void {
  const Plain = globalThis.Int32Array;
  const Scarce = class extends Plain {
    constructor(length: number) {
      if (length > words) throw new RangeError('Array buffer allocation failed');
      super(length);
    }
  };
  vi.stubGlobal('Int32Array', Scarce);
}

describe('a table of words that gets no more memory', () => {
  it.each([4096, 8192, 16_384])('says so and still holds what it held (%i words)', (words) => {
    const table = new WordTable();
    leaveRoomFor(words);
    let added = 0;
    const fill = (): void => {
      for (let i = added; ; i++) {
        table.intern(i, i * 7, 3, -i);
        added++;
      }
    };
    for (let time = 0; time < 3; time++) {
      let error: unknown;
      try {
        fill();
      } catch (thrown) {
        error = thrown;
      }
      expect(isOutOfMemory(error)).toBe(true);
      expect(table.count).toBe(added);
    }
    for (let i = 0; i < added; i++) expect(table.find(i, i * 7, 3, -i)).toBe(i);
    expect(table.find(added, added * 7, 3, -added)).toBe(-1);
    vi.unstubAllGlobals();
    expect(table.intern(added, added * 7, 3, -added)).toBe(added);
  });
});

it('knows what errors of memory look like, by real ones', () => {
  const thrown = (make: () => unknown): unknown => {
    try {
      return make();
    } catch (error) {
      return error;
    }
  };
  const recurse = (): number => recurse() + 1;
  expect(isOutOfMemory(thrown(() => new Float64Array(2 ** 53 - 1)))).toBe(true);
  expect(isOutOfMemory(thrown(() => new ArrayBuffer(2 ** 52)))).toBe(true);
  expect(isOutOfMemory(thrown(() => 'x'.repeat(2 ** 30)))).toBe(true);
  expect(isOutOfMemory(thrown(recurse))).toBe(false);
  expect(isOutOfMemory(thrown(() => (1).toFixed(200)))).toBe(false);
});
