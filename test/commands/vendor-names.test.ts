import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { vendorIn } from '../../src/commands/vendor-names.js';

const built = readFileSync(new URL('../../dist/vendors.txt', import.meta.url));
const entries = built
  .toString('utf8')
  .slice(1, -1)
  .split('\n')
  .map((line): [string, string] => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)]);

describe('the makers of hardware', () => {
  it('stand in the built list in order, each prefix once', () => {
    expect(entries.length).toBeGreaterThan(30_000);
    const keys = entries.map(([prefix]) => `${prefix}\t`);
    expect(keys).toEqual([...new Set(keys)].sort());
  });

  it('are found by every prefix, the longest one first', () => {
    const names = new Map(entries);
    for (const [prefix] of entries) {
      const digits = prefix.padEnd(12, 'f');
      const longest = [9, 7, 6].map((length) => names.get(digits.slice(0, length))).find((name) => name !== undefined);
      expect(vendorIn(built, digits)).toBe(longest);
    }
  });

  it('are not guessed', () => {
    expect(vendorIn(built, '52:54:00:12:34:56')).toBeUndefined();
    expect(vendorIn(built, '01:00:5e:00:00:01')).toBeUndefined();
    expect(vendorIn(built, 'fc:ff:ff:ff:ff:ff')).toBeUndefined();
    expect(vendorIn(Buffer.alloc(0), '00:00:0c:00:00:00')).toBeUndefined();
    expect(vendorIn(Buffer.from('\n00000c\tCisco\n'), '00:00:0c:00:00:00')).toBe('Cisco');
  });
});
