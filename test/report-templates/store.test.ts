import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, parseView, Store } from '../../report-templates/store.js';

describe('the view in the address', () => {
  it('comes back as it was', () => {
    const view = fc.record(
      {
        filter: fc.string(),
        range: fc
          .tuple(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 1, max: 1e9 }))
          .map(([from, width]) => [from, from + width] as const),
        finding: fc.nat(1000),
        flow: fc.string(),
        theme: fc.constantFrom('light' as const, 'dark' as const),
      },
      { requiredKeys: ['filter'] },
    );
    fc.assert(
      fc.property(view, (chosen) => {
        expect(parseView(`#${hashOf(chosen)}`)).toEqual(chosen);
      }),
    );
  });

  it.each(['', '#', '#findings', '#from=1', '#from=9&to=3', '#from=x&to=y', '#finding=0', '#finding=-1', '#theme=red'])(
    'is everything for %j',
    (hash) => {
      expect(parseView(hash)).toEqual({ filter: '' });
    },
  );

  it('is never an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseView(text).filter.length).toBeLessThanOrEqual(2000);
      }),
    );
  });
});

describe('the store', () => {
  it('tells what was and what is, and takes parts away', () => {
    const store = new Store({ filter: 'udp', range: [1, 2] });
    const seen: unknown[] = [];
    store.listen((view, before) => seen.push([view, before]));
    store.set({ range: undefined, flow: 'F1' });
    expect(seen).toEqual([
      [
        { filter: 'udp', flow: 'F1' },
        { filter: 'udp', range: [1, 2] },
      ],
    ]);
  });
});
