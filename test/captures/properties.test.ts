import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { renderJson } from '../../src/render/json.js';
import { collectCapture, memorySource } from '../support/collect-capture.js';
import { analyze, folderPieces, framesOf, type Piece } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';

/** Runs of each property; more of them find more. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 40);
const seed = process.env.PROPERTY_SEED === undefined ? 20_261_121 : Number(process.env.PROPERTY_SEED);
const TIMEOUT = 2000 * RUNS;
const SLOW = 5000;

const CAPTURE = /\.pcap(ng)?$/;
const NOT_EVIDENCE = /(^|\/)truth\.json$|\.jsonl$/;

const folders = hasShared
  ? readdirSync(sharedPath('captures'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  : [];
const cases = folders.map(({ name }) => ({
  name,
  pieces: folderPieces(sharedPath('captures', name), (file) => !NOT_EVIDENCE.test(file)),
  isHealthy: !hasWrong(readFileSync(sharedPath('captures', name, 'truth.json'), 'utf8')),
}));
const anyCase = fc.constantFrom(...cases);

/** A case and one of its captures. */
const anyCapture = anyCase.chain(({ pieces }) =>
  fc.record({ pieces: fc.constant(pieces), capture: fc.constantFrom(...pieces.filter(({ name }) => CAPTURE.test(name))) }),
);

describe.skipIf(!hasShared)('the engine', () => {
  it('gives the same bytes in any order of inputs', async () => {
    await check(
      anyCase.chain(({ pieces }) => fc.tuple(fc.constant(pieces), fc.shuffledSubarray(pieces, { minLength: 2 }))),
      async ([all, some]) => {
        const sorted = all.filter((piece) => some.includes(piece));
        expect(renderJson(await analyze(some))).toBe(renderJson(await analyze(sorted)));
      },
      RUNS / 2,
    );
  }, TIMEOUT);

  it('finds nothing in a part of a capture that it does not find in the whole', async () => {
    await check(
      fc.tuple(anyCapture, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true })),
      async ([{ pieces, capture }, withFacts, share]) => {
        const facts = withFacts ? pieces.filter(({ name }) => !CAPTURE.test(name)) : [];
        const cut = { ...capture, bytes: capture.bytes.subarray(0, Math.floor(share * capture.bytes.length)) };
        expect(await extra([cut, ...facts], [capture, ...facts])).toEqual([]);
      },
    );
  }, TIMEOUT);

  it('finds nothing in a part of the files that it does not find in all of them', async () => {
    await check(
      anyCase.chain(({ pieces }) => fc.tuple(fc.constant(pieces), fc.subarray(pieces, { minLength: 1 }))),
      async ([all, some]) => {
        expect(await extra(some, all)).toEqual([]);
      },
    );
  }, TIMEOUT);

  it('accuses nobody in a healthy case of which one file is missing', async () => {
    const healthy = cases.filter(({ isHealthy }) => isHealthy);
    expect(healthy.length).toBeGreaterThan(0);
    await check(
      fc.constantFrom(...healthy).chain(({ pieces }) => fc.tuple(fc.constant(pieces), fc.constantFrom(...pieces))),
      async ([pieces, missing]) => {
        expect((await analyze(pieces.filter((piece) => piece !== missing))).verdict).not.toBe('misdelivered');
      },
    );
  }, TIMEOUT);

  it('judges in a window of time what it judges there without one', async () => {
    const faulty = cases.filter(({ isHealthy }) => !isHealthy);
    const share = fc.integer({ min: 0, max: 1000 }).map(BigInt);
    await check(
      fc.tuple(fc.constantFrom(...faulty), share, share),
      async ([{ pieces }, a, b]) => {
        const whole = await analyze(pieces);
        const times = whole.inputs.flatMap(({ firstTime, lastTime }) => [firstTime, lastTime]).filter(Boolean).map((t) => BigInt(t ?? 0));
        const [first, last] = [times.reduce((x, y) => (x < y ? x : y)), times.reduce((x, y) => (x > y ? x : y))];
        const at = (thousandths: bigint): bigint => first + ((last - first) * thousandths) / 1000n;
        const [from, to] = a < b ? [at(a), at(b)] : [at(b), at(a)];
        const known = new Set(framesOfAll(whole));
        const found = framesOfAll(await analyze(pieces, { from, to }));
        expect(found.filter((frame) => !known.has(frame))).toEqual([]);
        expect(found).toHaveLength(await countWithin(pieces, known, from, to));
      },
      RUNS / 2,
    );
  }, TIMEOUT);

  it('survives damaged files, in time', async () => {
    const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
      minLength: 1,
      maxLength: 60,
    });
    await check(
      fc.tuple(anyCapture, damage).chain(([{ pieces, capture }, hits]) =>
        fc.record({
          pieces: fc.constant([capture, ...pieces.filter(({ name }) => !CAPTURE.test(name))]),
          victims: fc.subarray(pieces, { minLength: 1 }).map((some) => new Set([...some, capture])),
          hits: fc.constant(hits),
        }),
      ),
      async ({ pieces, victims, hits }) => {
        const started = performance.now();
        await analyze(pieces.map((piece) => (victims.has(piece) ? damaged(piece, hits) : piece)));
        expect(performance.now() - started).toBeLessThan(SLOW);
      },
    );
  }, TIMEOUT);
});

function hasWrong(text: string): boolean {
  const parse: (text: string) => { wrong: { kind: string; per_capture: Record<string, { count: number }> }[] } = JSON.parse;
  const wrong = parse(text).wrong.filter(({ kind }) => kind.startsWith('wrong_'));
  return wrong.some((entry) => Object.values(entry.per_capture).some(({ count }) => count > 0));
}

async function check<T>(values: fc.Arbitrary<T>, holds: (value: T) => Promise<void>, numRuns = RUNS): Promise<void> {
  await fc.assert(fc.asyncProperty(values, holds), { numRuns, seed, endOnFailure: true });
}

function framesOfAll(analysis: Analysis): string[] {
  return analysis.misdeliveries
    .filter((m) => m.class !== 'convergence')
    .flatMap((m) => framesOf(m).map((frame) => `${m.input} ${frame}`));
}

/** How many of the named frames lie within a window. */
async function countWithin(pieces: readonly Piece[], names: ReadonlySet<string>, from: bigint, to: bigint): Promise<number> {
  let count = 0;
  for (const { name, bytes } of pieces.filter((piece) => CAPTURE.test(piece.name))) {
    const { packets } = await collectCapture(memorySource(bytes));
    count += packets.filter(({ frame, time }) => names.has(`${name} ${frame}`) && time !== undefined && time >= from && time <= to).length;
  }
  return count;
}

/** What is found in a part and not in the whole. */
async function extra(part: readonly Piece[], whole: readonly Piece[]): Promise<string[]> {
  const known = new Set(await namesOfWrong(whole));
  return (await namesOfWrong(part)).filter((frame) => !known.has(frame));
}

async function namesOfWrong(pieces: readonly Piece[]): Promise<string[]> {
  return framesOfAll(await analyze(pieces));
}

/** A piece with some bytes changed, each at a share of its length. */
function damaged(piece: Piece, hits: readonly (readonly [number, number])[]): Piece {
  const bytes = Uint8Array.from(piece.bytes);
  for (const [share, value] of hits) if (bytes.length > 0) bytes[Math.floor(share * (bytes.length - 1))] = value;
  return { name: piece.name, bytes };
}
