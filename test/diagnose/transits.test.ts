import { execFileSync, spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis, Transit } from '../../src/model.js';
import { forward, judge, newHost, oldHost, router } from '../engine/scene.js';
import { analyze, folderPieces, type Piece } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { Wire } from '../support/wire.js';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
const isEvidence = (file: string): boolean => !/truth\.json$|\.jsonl$/.test(file);
const isCapture = (file: string): boolean => /\.pcap(ng)?$/.test(file);

/** A transit by what it saw, without how it was joined. */
function path({ direction, phase, sightings }: Transit): string {
  const seen = sightings.map(({ input, frame }) => `${input}#${frame}`);
  return `${direction} ${phase}: ${seen.join(' ')}`;
}

function transitsOf(analysis: Analysis): Transit[] {
  return analysis.flows.flatMap((flow) => flow.transits ?? []);
}

describe('the way of a packet', () => {
  it('is not made up from one capture of one place', async () => {
    const wire = new Wire();
    wire.meet(0, router, oldHost);
    forward(wire, oldHost, { from: 1, until: 10 });
    wire.gratuitous(10, newHost);
    forward(wire, oldHost, { from: 11, until: 15 });
    const analysis = await judge({ 'lan.pcap': wire });
    expect(analysis.totals.misdelivered).toBeGreaterThan(0);
    expect(transitsOf(analysis)).toEqual([]);
    expect(analysis).not.toHaveProperty('clocks');
  });

  it('joins two captures of one place, and tells how far their clocks are apart', async () => {
    const [wire, late] = [new Wire(), new Wire(1_700_000_007)];
    for (const w of [wire, late]) {
      w.meet(0, router, oldHost);
      forward(w, oldHost, { from: 1, until: 10 });
      w.gratuitous(10, newHost);
      forward(w, oldHost, { from: 11, until: 15 });
    }
    const analysis = await judge({ 'a.pcap': wire, 'b.pcap': late });
    expect(analysis.clocks).toMatchObject([
      {
        input: 'b.pcap',
        against: 'a.pcap',
        offset: '7000000000',
        uncertainty: '1000',
        by: 'frames',
      },
    ]);
    const [said] = analysis.diagnostics.filter(({ id }) => id === 'clock-corrected');
    expect(said?.what).toMatch(/^Its clock shows 7000 ms more than that of a\.pcap, by \d+ packets that both hold\.$/);
    expect(said?.action).toBe('Its times were moved by -7.000 s before anything was judged.');
    for (const { sightings } of transitsOf(analysis)) {
      expect(sightings.map(({ input, frame }) => `${input} ${frame}`)).toEqual([
        `a.pcap ${sightings[0]?.frame}`,
        `b.pcap ${sightings[0]?.frame}`,
      ]);
    }
    expect(transitsOf(analysis).map(({ phase }) => phase)).toEqual(['before', 'misdelivered', 'misdelivered']);
  });
});

describe.skipIf(!hasShared)('transits on real evidence', () => {
  let all: Map<string, { whole: Analysis; captures: Analysis; pieces: Piece[] }>;
  beforeAll(async () => {
    all = new Map();
    for (const name of ['S1', 'S3b', 'S8']) {
      const pieces = folderPieces(sharedPath('captures', name), isEvidence);
      const captures = await analyze(pieces.filter((piece) => isCapture(piece.name)));
      all.set(name, { whole: await analyze(pieces), captures, pieces });
    }
  });

  it('are the same by fingerprint alone, through NAT', () => {
    for (const [name, { whole, captures }] of all) {
      const found = captures.flows.flatMap((flow) => flow.transits ?? []);
      expect(found.every(({ joinedBy }) => joinedBy === 'fingerprint')).toBe(true);
      // Without the bridge's table nobody knows of a wrong port.
      if (name === 'S1') expect(found.map(path)).toEqual(transitsOf(whole).map(path));
    }
    const wan = transitsOf(all.get('S1')?.captures ?? fail()).flatMap(({ sightings }) =>
      sightings.filter(({ device }) => device === 'wan'),
    );
    expect(wan.length).toBeGreaterThan(0);
    expect(wan.every(({ translated }) => translated?.dstIp === '203.0.113.2')).toBe(true);
  });

  it('are boomerangs where policy routing sends replies back to the gateway, and nowhere else', () => {
    const wrong = (name: string): Transit[] =>
      transitsOf(all.get(name)?.whole ?? fail()).filter(({ phase }) => phase === 'misdelivered');
    expect(wrong('S3b').length).toBeGreaterThan(2);
    expect(wrong('S3b').every(({ boomerang }) => boomerang)).toBe(true);
    for (const { sightings } of wrong('S3b')) {
      expect(new Set(sightings.map(({ hopLimit }) => hopLimit))).toEqual(new Set([63, 62]));
    }
    for (const name of ['S1', 'S8']) expect(wrong(name).some(({ boomerang }) => boomerang)).toBe(false);
    const right = transitsOf(all.get('S3b')?.whole ?? fail()).filter(({ phase }) => phase !== 'misdelivered');
    expect(right.some(({ boomerang }) => boomerang)).toBe(false);
  });

  it('see clocks of one machine as one', () => {
    for (const { whole } of all.values()) {
      const frames = (whole.clocks ?? []).filter(({ by }) => by === 'frames');
      expect(frames.length).toBeGreaterThan(3);
      for (const { offset } of frames) expect(Math.abs(Number(offset))).toBeLessThan(1e5);
      expect(whole.diagnostics.some(({ id }) => id === 'clock-offset')).toBe(false);
    }
  });

  it.skipIf(!hasTshark)('hold the frames that tshark finds by IP identification and payload', () => {
    const folder = sharedPath('captures', 'S1');
    for (const { sightings } of transitsOf(all.get('S1')?.whole ?? fail())) {
      const contents = sightings.map(({ input, frame, srcMac, dstMac, hopLimit }) => {
        const fields = ['ip.id', 'udp.payload', 'eth.src', 'eth.dst', 'ip.ttl'].flatMap((field) => ['-e', field]);
        const out = execFileSync(
          'tshark',
          [
            '-r',
            `${folder}/${input}`,
            '-Y',
            `frame.number == ${frame}`,
            '--disable-protocol',
            'wg',
            '-T',
            'fields',
            ...fields,
          ],
          { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
        );
        const [id, payload, ...rest] = out.trim().split('\t');
        expect(rest).toEqual([srcMac, dstMac, String(hopLimit)]);
        return `${id} ${payload}`;
      });
      expect(new Set(contents).size).toBe(1);
    }
  });

  it('are found with the clock of one capture set wrong, by as much as is told', async () => {
    const { pieces, captures } = all.get('S1') ?? fail();
    const shifted = pieces
      .filter((piece) => isCapture(piece.name))
      .map((piece) => (piece.name === 'hyp.up0.pcap' ? { ...piece, bytes: later(piece.bytes, 20) } : piece));
    const found = await analyze(shifted);
    const clock = found.clocks?.find(({ input }) => input === 'hyp.up0.pcap');
    expect(Math.abs(Number(clock?.offset) - 20e9)).toBeLessThan(Math.max(1e5, Number(clock?.uncertainty)));
    const wrong = (analysis: Analysis): string[] =>
      transitsOf(analysis)
        .filter(({ phase }) => phase === 'misdelivered')
        .flatMap(({ sightings }) => sightings.map(({ input, frame }) => `${input} ${frame}`));
    expect(wrong(found)).toEqual(wrong(captures));
  });
});

/** The same capture (little endian pcap) with all times some seconds later. */
function later(bytes: Uint8Array, seconds: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  for (let at = 24; at + 16 <= copy.length; at += 16 + view.getUint32(at + 8, true)) {
    view.setUint32(at, view.getUint32(at, true) + seconds, true);
  }
  return copy;
}

function fail(): never {
  throw new Error('there is no such case');
}
