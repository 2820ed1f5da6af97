import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis, Flow, OffloadSpan } from '../../src/model.js';
import { analyze, folderPieces, type Piece } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;
const isCapture = ({ name }: Piece): boolean => /\.pcap(ng)?$/.test(name);
const isConntrack = ({ name }: Piece): boolean => name.includes('conntrack');

interface Truth {
  offload: {
    event_log_UPDATE_with_OFFLOAD: string[];
    event_log_DESTROY_with_OFFLOAD: string[];
    first_seen_by_60ms_poll: { flow: string; t: number }[];
  };
}

const parseTruth: (text: string) => Truth = JSON.parse;

/** Flows that went wrong, by a port of theirs, and where the packets that may trigger their offload come in. */
const CASES = [
  {
    name: 'S1',
    port: 40000,
    filter: 'udp.port == 40000 && (eth.src == 00:1b:21:aa:bb:01 || eth.src == 94:83:c4:10:00:02)',
    capture: 'router.wan.pcap',
    trigger: 2,
  },
  {
    name: 'S8',
    port: 40000,
    filter: 'udp.port == 40000 && (eth.src == 00:1b:21:aa:bb:01 || eth.src == 94:83:c4:10:00:02)',
    capture: 'router.wan.pcap',
    trigger: 2,
  },
  { name: 'S3b', port: 41001, filter: 'udp.port == 41001', capture: 'client.eth0.pcap', trigger: 2 },
  { name: 'S3b', port: 42000, filter: 'tcp.port == 42000', capture: 'client.eth0.pcap', trigger: 3 },
] as const;

describe.skipIf(!hasShared)('when flows were offloaded', () => {
  const known = new Map<string, { truth: Truth; whole: Analysis; blind: Analysis; captures: Analysis }>();
  beforeAll(async () => {
    for (const name of new Set(CASES.map((c) => c.name))) {
      const folder = sharedPath('captures', name);
      const pieces = folderPieces(folder, (file) => !/truth\.json$|\.jsonl$/.test(file));
      known.set(name, {
        truth: parseTruth(readFileSync(`${folder}/truth.json`, 'utf8')),
        whole: await analyze(pieces),
        blind: await analyze(pieces.filter((piece) => !isConntrack(piece))),
        captures: await analyze(pieces.filter(isCapture)),
      });
    }
  });

  describe.each(CASES)('$name, port $port', ({ name, port, filter, capture, trigger }) => {
    const flowIn = (analysis: Analysis | undefined): Flow | undefined =>
      analysis?.flows.find(({ original }) => original.srcPort === port || original.dstPort === port);

    it('is what conntrack shows, between the packet that triggers it and the first sign of it', () => {
      const { truth, whole } = known.get(name) ?? fail();
      const [span] = flowIn(whole)?.offload ?? [];
      const shown = firstShown(truth, port);
      expect(seconds(span?.from.earliest)).toBeLessThanOrEqual(shown.event ?? shown.poll);
      if (shown.event !== undefined) expect(seconds(span?.from.time)).toBeCloseTo(shown.event, 5);
      expect(span?.kind).toBe('software');
    });

    it('is inferred without conntrack, within bounds that hold the truth', () => {
      const { truth, blind, captures } = known.get(name) ?? fail();
      const shown = firstShown(truth, port);
      for (const analysis of [blind, captures]) {
        const flow = flowIn(analysis);
        // Captures alone do not tell a wrong port.
        if (!flow && name === 'S8') continue;
        const [span] = flow?.offload ?? [];
        expect(span?.kind).toBe('inferred');
        expect(span?.from.source).toBe(name === 'S3b' ? 'trigger' : 'left-bridge');
        if (span?.from.earliest !== undefined)
          expect(seconds(span.from.earliest)).toBeLessThanOrEqual(shown.event ?? shown.poll);
        // The event is printed by another process, some time after.
        expect(seconds(span?.from.time)).toBeGreaterThan((shown.event ?? 0) - 0.1);
        for (const [i, { from, to }] of (flow?.offload ?? []).entries()) {
          expect(BigInt(from.earliest ?? from.time)).toBeLessThanOrEqual(BigInt(from.time));
          if (to) expect(BigInt(to.earliest ?? to.time)).toBeGreaterThanOrEqual(BigInt(from.time));
          const next = flow?.offload[i + 1];
          if (next) expect(BigInt(to?.time ?? 0)).toBeLessThanOrEqual(BigInt(next.from.time));
        }
      }
    });

    it.skipIf(!hasTshark)('begins with the packet that tshark counts as the trigger', () => {
      const { whole } = known.get(name) ?? fail();
      const args = [
        '-r',
        sharedPath('captures', name, capture),
        '-Y',
        filter,
        '-T',
        'fields',
        '-e',
        'frame.time_epoch',
      ];
      const out = execFileSync('tshark', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      const times = out.trim().split('\n').map(Number);
      const earliest = seconds(flowIn(whole)?.offload[0]?.from.earliest);
      // Seen on its way to that tap, the reply is a little older.
      expect(Math.abs(earliest - (times[trigger - 1] ?? NaN))).toBeLessThan(0.02);
    });
  });

  it('ends where the entry was deleted, and begins anew at once', () => {
    for (const name of ['S1', 'S8']) {
      const { truth, whole, blind } = known.get(name) ?? fail();
      const destroyed = Number(/\[([\d.]+)\]/.exec(truth.offload.event_log_DESTROY_with_OFFLOAD[0] ?? '')?.[1]);
      const spans = (analysis: Analysis): OffloadSpan[] => analysis.flows[0]?.offload ?? [];
      expect(seconds(spans(whole)[0]?.to?.time)).toBeCloseTo(destroyed, 5);
      expect(spans(whole)).toHaveLength(2);
      const [first, second] = spans(blind);
      expect(first?.to?.source).toBe('left-bridge');
      // DESTROY is printed when the entry is gone: the first packet after it may have passed by then.
      expect(seconds(first?.to?.earliest)).toBeLessThan(destroyed);
      expect(seconds(first?.to?.time)).toBeGreaterThan(destroyed - 0.1);
      expect(BigInt(second?.from.time ?? 0)).toBeGreaterThan(BigInt(first?.to?.time ?? 0));
    }
  });

  it('is no proof where only the trigger is known, and is one where frames left the bridge', () => {
    const result = (analysis: Analysis | undefined): string[] =>
      (analysis?.findings ?? []).flatMap(({ tests }) =>
        tests.filter(({ id }) => id === 'D9').map((test) => test.result),
      );
    expect(result(known.get('S3b')?.captures)).toEqual(['unknown']);
    expect(result(known.get('S1')?.captures)).toEqual(['yes']);
    expect(result(known.get('S8')?.blind)).toEqual(['yes']);
  });

  it('makes forwarding faster', () => {
    for (const { whole } of known.values()) {
      for (const { forwarding } of whole.flows) {
        for (const { classic, offloaded } of forwarding ?? []) {
          if (classic && offloaded) expect(Number(offloaded.median)).toBeLessThan(Number(classic.median));
        }
      }
    }
  });

  it('is not inferred where nothing is offloaded', async () => {
    for (const name of ['S0', 'S3c']) {
      const pieces = folderPieces(sharedPath('captures', name), (file) => !/truth\.json$|\.jsonl$/.test(file));
      for (const evidence of [pieces, pieces.filter((piece) => !isConntrack(piece)), pieces.filter(isCapture)]) {
        const analysis = await analyze(evidence);
        expect(
          analysis.flows.flatMap(({ offload }) => offload.filter(({ from }) => from.source !== 'latency')),
        ).toEqual([]);
      }
    }
  });
});

/** When the experiment first saw the flow offloaded: by the event that conntrack printed, and by a poll. */
function firstShown({ offload }: Truth, port: number): { event: number | undefined; poll: number } {
  const line = offload.event_log_UPDATE_with_OFFLOAD.find((text) => text.includes(`sport=${port} `));
  const event = line === undefined ? undefined : Number(/\[([\d.]+)\]/.exec(line)?.[1]);
  const poll = offload.first_seen_by_60ms_poll.find(({ flow }) => flow.includes(`sport=${port} `));
  return { event, poll: poll?.t ?? NaN };
}

function seconds(ns: string | undefined): number {
  return Number(ns ?? NaN) / 1e9;
}

function fail(): never {
  throw new Error('there is no such case');
}
