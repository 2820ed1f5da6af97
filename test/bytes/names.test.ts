import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distinctNames } from '../../src/bytes/names.js';

const part = fc.constantFrom('a', 'b', 'c.pcap', 'd.txt');
const located = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .chain((path) => fc.record({ path: fc.constant(path), shown: fc.integer({ min: 1, max: path.length }) }));

describe('distinctNames', () => {
  it('gives each item a name of its own, whatever their order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(located, { selector: ({ path }) => path.join('/'), maxLength: 12 }),
        fc.nat(),
        (items, turn) => {
          const named = distinctNames(items);
          const names = named.map(({ name }) => name);
          expect(new Set(names).size).toBe(items.length);
          expect(names).toEqual([...names].sort());
          for (const { name, item } of named) {
            expect(item.path.join('/').endsWith(name.replace(/ \(\d+\)$/, ''))).toBe(true);
          }
          const shift = items.length === 0 ? 0 : turn % items.length;
          const turned = [...items.slice(shift), ...items.slice(0, shift)].reverse();
          expect(distinctNames(turned).map(({ name, item }) => [name, item.path])).toEqual(
            named.map(({ name, item }) => [name, item.path]),
          );
        },
      ),
    );
  });

  it('numbers what has the same path twice', () => {
    const twice = { path: ['x.tar', 'a.txt'], shown: 1 };
    expect(distinctNames([twice, twice]).map(({ name }) => name)).toEqual(['x.tar/a.txt', 'x.tar/a.txt (2)']);
  });
});
