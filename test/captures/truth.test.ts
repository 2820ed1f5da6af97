import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { analyze, folderPieces, framesOf, listedFrames, plainWrong, type Piece, wrongFrames } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';

/** What the experiment itself knows of frames that went wrong; see the README beside the captures. */
interface Wrong {
  kind: string;
  captures: string[] | null;
  filter: string;
  expected_mac: string;
  observed_mac: string;
  since: number | null;
  until: number | null;
  per_capture?: Record<
    string,
    { count: number; first_frame?: number; last_frame?: number; by_interface?: Record<string, number> }
  >;
}

const parseTruth: (text: string) => { wrong: Wrong[] } = JSON.parse;

const NOT_EVIDENCE = /(^|\/)truth\.json$|\.jsonl$/;
const CAPTURE = /\.pcap(ng)?$/;

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
const hasTcpdump = spawnSync('tcpdump', ['--version']).status === 0;
if (process.env.CI === 'true' && !(hasTshark && hasTcpdump)) {
  throw new Error('tshark or tcpdump is missing: the full check needs them');
}

const cases = hasShared
  ? readdirSync(sharedPath('captures'), { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => e.name).sort()
  : [];

describe.skipIf(!hasShared)('cases with a known truth', () => {
  describe.each(cases)('%s', (name) => {
    const folder = sharedPath('captures', name);
    let pieces: Piece[];
    let truth: Wrong[];
    let wrong: Wrong[];
    let whole: Analysis;
    beforeAll(async () => {
      pieces = folderPieces(folder, (file) => !NOT_EVIDENCE.test(file));
      truth = parseTruth(readFileSync(`${folder}/truth.json`, 'utf8')).wrong;
      wrong = truth.filter((entry) => entry.kind === 'wrong_mac');
      whole = await analyze(pieces);
    });

    it('is judged to the frame', () => {
      expect(countsOf(whole)).toEqual(countsOfTruth(wrong));
      const kinds = truth.filter((entry) => entry.kind.startsWith("wrong_"));
      const isWrong = kinds.some((entry) => Object.values(entry.per_capture ?? {}).some(({ count }) => count > 0));
      expect(whole.verdict).toBe(isWrong ? 'misdelivered' : 'delivered');
    });

    it.skipIf(!hasTshark)('names the very frames that tshark finds', () => {
      const found = wrongFrames(whole);
      for (const { name: input } of pieces.filter((piece) => CAPTURE.test(piece.name))) {
        expect({ input, frames: found.get(input) ?? [] }).toEqual({ input, frames: framesByTshark(`${folder}/${input}`, wrong) });
      }
    });

    it.skipIf(!hasTshark)('names the frames that left a wrong port, from when the bridge knew', () => {
      const ports = truth.filter((entry) => entry.kind === 'wrong_port');
      const found = whole.misdeliveries.filter((m) => m.class === 'wrong-port' && m.input.endsWith('.pcap'));
      const inputs = ports.flatMap((entry) => entry.captures ?? []);
      expect(found.map((m) => m.input).sort()).toEqual(inputs.sort());
      for (const m of found) {
        const frames = framesByTshark(`${folder}/${m.input}`, ports);
        const told = framesOf(m);
        expect(told.length).toBeGreaterThan(0);
        expect(told).toEqual(frames.filter((frame) => frame >= (told[0] ?? 0)));
        // What comes before is before the bridge could know: the host had not spoken on its new port.
        const known = m.because.find((witness) => witness.kind === 'fdb-event');
        expect(BigInt(m.firstTime) - BigInt(known?.time ?? 0)).toBeLessThan(500_000_000n);
        // When it really began lies between what is told to be possible and what is told to be proven.
        expect(m.notBefore?.frame).toBeLessThanOrEqual(frames[0] ?? 0);
        expect(frames[0]).toBeLessThanOrEqual(told[0] ?? 0);
        expect(m.notBefore?.frames).toBeGreaterThanOrEqual(frames.length - told.length);
        expect(BigInt(m.notBefore?.heard.time ?? 0)).toBeLessThan(BigInt(m.notBefore?.time ?? 0));
      }
    });

    it('leaves the beginning open only where it is', () => {
      const open = whole.misdeliveries.filter((m) => m.notBefore !== undefined);
      expect(open.every((m) => m.class === 'wrong-port')).toBe(true);
    });

    it('lists every misdelivered frame when it is asked to', async () => {
      const listing = await analyze(pieces, { eachFrame: true });
      const counted = listing.misdeliveries.filter((m) => m.class !== 'convergence');
      const named = (await listedFrames(listing)).map(
        ({ frame, leg }) => `${leg.input} ${frame} ${leg.srcMac} ${leg.dstMac} ${leg.expected.join()}`);
      const wanted = counted.flatMap((m) =>
        framesOf(m).map((frame) => `${m.input} ${frame} ${m.srcMac} ${m.dstMac} ${m.expected.join()}`),
      );
      expect(named.sort()).toEqual(wanted.sort());
    });

    it('is judged the same when the files that are no evidence lie in the folder', async () => {
      expect(countsOf(await analyze(folderPieces(folder)))).toEqual(countsOf(whole));
    });

    it('is judged the same from the captures alone', async () => {
      expect(countsOf(await analyze(capturesOf(pieces)))).toEqual(countsOf(whole));
    });

    it.skipIf(!hasTcpdump)('is judged the same from what tcpdump prints of the captures', async () => {
      const captures = capturesOf(pieces).filter((piece) => /^router\.(lan|br-lan|wan).*\.pcap$/.test(piece.name));
      const want = new Map([...wrongFrames(whole)].filter(([input]) => captures.some((piece) => piece.name === input)));
      const print = (...form: string[]): Piece[] =>
        captures.map((piece) => ({ ...piece, bytes: printedByTcpdump(`${folder}/${piece.name}`, form) }));
      expect(wrongFrames(await analyze(print('-v', '-tttt')))).toEqual(want);
      expect(wrongFrames(await analyze(print('-v', '-tt')))).toEqual(want);
      // Without -v it prints no TTL, so that nobody can tell who made a packet: less can be judged.
      const known = framesBy(want);
      expect(framesBy(wrongFrames(await analyze(print('-tttt')))).filter((frame) => !known.includes(frame))).toEqual([]);
    });

    it('is judged the same under other names, read in another order', async () => {
      const renamed = pieces.map((piece, i) => ({ ...piece, name: `${(i * 7919) % 1009}/${piece.name}` }));
      const found = wrongFrames(await analyze(renamed));
      const names = new Map(renamed.map(({ name }, i) => [name, pieces[i]?.name ?? '']));
      expect(new Map([...found].map(([input, frames]) => [names.get(input), frames]))).toEqual(wrongFrames(whole));
    });

    it('never accuses other frames when only a part of the captures is there', async () => {
      const all = framesBy(wrongFrames(whole));
      const router = pieces.filter((piece) => piece.name.startsWith('router.') || !CAPTURE.test(piece.name));
      const parts = [router, capturesOf(router), ...capturesOf(pieces).map((piece) => [piece])];
      for (const part of parts) {
        const extra = framesBy(wrongFrames(await analyze(part))).filter((frame) => !all.includes(frame));
        expect({ part: part.map((piece) => piece.name), extra }).toMatchObject({ extra: [] });
      }
    });

    it('says of captures on any that the destination MAC was not recorded', async () => {
      for (const piece of pieces.filter((p) => p.name.includes('any-sll'))) {
        const analysis = await analyze([piece]);
        expect(analysis.verdict).toBe('not-judged');
        const entry = analysis.notJudged.find(({ reason }) => reason === 'no-destination-mac');
        expect(entry?.frames).toBeGreaterThan(0);
        expect(entry?.collect).toMatch(/^tcpdump -i (?!any).* -e /);
      }
    });
  });
});

function capturesOf(pieces: readonly Piece[]): Piece[] {
  return pieces.filter((piece) => CAPTURE.test(piece.name));
}

function framesBy(found: Map<string, number[]>): string[] {
  return [...found].flatMap(([input, frames]) => frames.map((frame) => `${input} ${frame}`));
}

/** Per capture (and interface, where it has several): frames, first and last, the observed and the expected MAC. */
function countsOf(analysis: Analysis): string[] {
  const groups = new Map<string, number[]>();
  for (const m of plainWrong(analysis)) {
    const where = m.input.endsWith('.pcapng') ? `${m.input} ${m.device}` : m.input;
    const key = `${where}: ${m.dstMac} instead of ${m.expected.join()}`;
    groups.set(key, [...(groups.get(key) ?? []), ...framesOf(m)].sort((a, b) => a - b));
  }
  return [...groups]
    .map(([key, frames]) => row(key, frames.length, key.includes('.pcapng') ? undefined : frames[0], frames.at(-1)))
    .sort();
}

function countsOfTruth(wrong: readonly Wrong[]): string[] {
  const rows: string[] = [];
  for (const entry of wrong) {
    for (const [capture, seen] of Object.entries(entry.per_capture ?? {})) {
      if (seen.count === 0) continue;
      const macs = `${entry.observed_mac} instead of ${entry.expected_mac}`;
      for (const [device, count] of Object.entries(seen.by_interface ?? {})) rows.push(row(`${capture} ${device}: ${macs}`, count));
      if (!seen.by_interface) rows.push(row(`${capture}: ${macs}`, seen.count, seen.first_frame, seen.last_frame));
    }
  }
  return rows.sort();
}

function row(key: string, count: number, first?: number, last?: number): string {
  return first === undefined ? `${key}: ${count}` : `${key}: ${count}, ${first} to ${last ?? '?'}`;
}

function printedByTcpdump(capture: string, form: readonly string[]): Uint8Array {
  return execFileSync('tcpdump', ['-e', '-n', ...form, '-r', capture], { stdio: ['ignore', 'pipe', 'ignore'] });
}

function framesByTshark(capture: string, wrong: readonly Wrong[]): number[] {
  const frames = new Set<number>();
  for (const { filter, since, until } of wrong) {
    const bounds = [
      ...(since === null ? [] : [`frame.time_epoch >= ${since}`]),
      ...(until === null ? [] : [`frame.time_epoch <= ${until}`]),
    ];
    const display = [`(${filter})`, ...bounds].join(' && ');
    const out = execFileSync('tshark', ['-r', capture, '-Y', display, '-T', 'fields', '-e', 'frame.number'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for (const line of out.split('\n')) if (line !== '') frames.add(Number(line));
  }
  return [...frames].sort((a, b) => a - b);
}
