import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, isInitialHopLimit } from '../../src/reconstruct/leg-key.js';
import { LegTable } from '../../src/reconstruct/leg-table.js';
import { LegBit } from '../../src/reconstruct/leg-layout.js';
import { FrameBatch, FrameFlag } from '../../src/records/frame-batch.js';

/** What tells legs apart. */
interface Key {
  readonly tap: number;
  readonly protocol: number;
  readonly version: number;
  readonly hopLimit: number;
  readonly later: boolean;
  readonly src: number;
  readonly dst: number;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly macHigh: number;
  readonly macLow: number;
}

const PLAIN: Key = {
  tap: 0,
  protocol: 17,
  version: 4,
  hopLimit: 64,
  later: false,
  src: 1,
  dst: 2,
  srcPort: 443,
  dstPort: 1024,
  macHigh: 2,
  macLow: 7,
};

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const short = fc.integer({ min: 0, max: 0xffff });
const key: fc.Arbitrary<Key> = fc.record({
  tap: fc.integer({ min: 0, max: 0xfffe }),
  protocol: fc.integer({ min: 0, max: 255 }),
  version: fc.constantFrom(4, 6),
  hopLimit: fc.constantFrom(63, 64),
  later: fc.boolean(),
  src: word,
  dst: word,
  srcPort: short,
  dstPort: short,
  macHigh: short,
  macLow: word,
});

/** Counts a frame of each key, all in one batch. @returns the leg of each */
function legsOf(table: LegTable, keys: readonly Key[], again = false): number[] {
  const frames = new FrameBatch();
  const taps = new Int32Array(64);
  frames.count = keys.length;
  keys.forEach((k, i) => {
    taps[i] = k.tap;
    frames.protocol[i] = k.protocol;
    frames.ipVersion[i] = k.version;
    frames.hopLimit[i] = k.hopLimit;
    frames.flags[i] = k.later ? FrameFlag.LATER_FRAGMENT : 0;
    frames.srcIp[i] = k.src;
    frames.dstIp[i] = k.dst;
    frames.srcPort[i] = k.srcPort;
    frames.dstPort[i] = k.dstPort;
    frames.srcMacHigh[i] = k.macHigh;
    frames.srcMacLow[i] = k.macLow;
  });
  if (again) table.find(frames, taps, new Uint8Array(64));
  else table.add(frames, taps, new Uint8Array(64));
  return [...table.row.subarray(0, keys.length)];
}

function hashOfKey(k: Key): number {
  const meta =
    (k.tap << 16) |
    (k.protocol << 8) |
    (k.version === 6 ? LegBit.IPV6 : 0) |
    (isInitialHopLimit(k.hopLimit) ? LegBit.INITIAL_HOP_LIMIT : 0) |
    (k.later ? LegBit.LATER_FRAGMENT : 0);
  return hashOf(meta, k.src, k.dst, (k.srcPort << 16) | k.dstPort, k.macLow);
}

describe('a leg', () => {
  it('is another one when any part of its key is another', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        for (const part of Object.keys(a)) {
          const mixed: Key = { ...a, ...Object.fromEntries(Object.entries(b).filter(([name]) => name === part)) };
          const isSame = JSON.stringify(mixed) === JSON.stringify(a);
          const table = new LegTable();
          expect(legsOf(table, [a, mixed, a])).toEqual(isSame ? [0, 0, 0] : [0, 1, 0]);
          expect(legsOf(table, [mixed, a], true)).toEqual(isSame ? [0, 0] : [1, 0]);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('is another one though its hash is the same', () => {
    const seen = new Map<number, Key>();
    const pairs: [Key, Key][] = [];
    // A fixed sequence of keys, long enough for pairs of equal hashes.
    let state = 1;
    const next = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) | 0) >>> 8;
    const make = (): Key => ({
      ...PLAIN,
      src: 0x0a00_0000 + (next() & 0xff),
      dst: Math.imul(next(), 0x9e37_79b1),
      dstPort: next() & 0xffff,
    });
    for (let i = 0; i < 300_000; i++) {
      const one = make();
      const hash = hashOfKey(one);
      const other = seen.get(hash);
      if (other && JSON.stringify(other) !== JSON.stringify(one)) pairs.push([other, one]);
      seen.set(hash, one);
    }
    expect(pairs.length).toBeGreaterThan(3);
    for (const [a, b] of pairs) {
      const table = new LegTable();
      expect(legsOf(table, [a, b, a])).toEqual([0, 1, 0]);
      expect(legsOf(table, [b])).toEqual([1]);
      expect(legsOf(table, [b, a], true)).toEqual([1, 0]);
    }
  });

  it('is another one on another tap though its hash is the same', () => {
    // Of the other words, one alone always makes another hash; the tap goes into it twice.
    let pair: [Key, Key] | undefined;
    for (let src = 1; !pair; src++) {
      const seen = new Map<number, number>();
      for (let tap = 0; tap < 0xffff; tap++) {
        const one: Key = { ...PLAIN, src, tap };
        const other = seen.get(hashOfKey(one));
        if (other !== undefined) pair = [{ ...one, tap: other }, one];
        seen.set(hashOfKey(one), tap);
      }
    }
    expect(legsOf(new LegTable(), [...pair, ...pair])).toEqual([0, 1, 0, 1]);
  });

  it('is found again after the table has grown many times', () => {
    const table = new LegTable();
    const keyOf = (i: number): Key => ({ ...PLAIN, tap: i & 3, src: i });
    const batch = (from: number): Key[] => Array.from({ length: 64 }, (_, i) => keyOf(from + i));
    for (let from = 0; from < 40_000; from += 64) legsOf(table, batch(from));
    for (let from = 0; from < 40_000; from += 64) {
      expect(legsOf(table, batch(from), true)).toEqual(Array.from({ length: 64 }, (_, i) => from + i));
    }
  });
});
