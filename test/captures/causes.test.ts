import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis, Confidence, Finding } from '../../src/model.js';
import { CAUSES } from '../../src/diagnose/causes/index.js';
import { analyze, folderPieces, framesOf, type Piece } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';

/** What the experiment itself knows; times in s since 1970. */
interface Truth {
  wrong: {
    kind: string;
    per_capture?: Record<string, { count: number; first_frame?: number; first_time?: number; last_time?: number }>;
  }[];
  events: { t: number; what: string }[];
  offload?: { first_seen_by_60ms_poll: { flow: string; new: string; t: number }[] };
  mac_change?: { conntrack_destroyed_at?: number };
  port_change?: { conntrack_destroyed_at?: number };
}

/** The cause of each case that has a fault, the explanations of those that have none, and what rules and routes alone foretell. */
const CASES: Readonly<Record<string, { cause?: string; observed: readonly string[]; foretold: readonly string[] }>> = {
  S0: { observed: ['convergence'], foretold: [] },
  S1: { cause: 'stale-mac', observed: [], foretold: [] },
  S1c: { observed: ['convergence', 'flooding'], foretold: [] },
  S2: { observed: ['convergence'], foretold: [] },
  S3b: { cause: 'pbr-next-hop', observed: ['pbr-on-link'], foretold: ['pbr-next-hop', 'pbr-on-link'] },
  S3c: { observed: [], foretold: ['pbr-next-hop', 'pbr-on-link'] },
  S4a: { observed: ['pbr-on-link'], foretold: ['pbr-next-hop', 'pbr-on-link'] },
  S8: { cause: 'wrong-port', observed: [], foretold: [] },
};

/** Causes that blame an offload. */
const OFFLOAD = ['stale-mac', 'pbr-next-hop', 'wrong-port', 'vpn-bypass', 'forwarding-loop', 'stale-route'];
const RANK: readonly Confidence[] = ['suspected', 'strong', 'proven'];
const NOT_EVIDENCE = /(^|\/)truth\.json$|\.jsonl$/;
const CAPTURE = /\.pcap(ng)?$/;

const parse: (text: string) => Truth = JSON.parse;
const names = hasShared
  ? readdirSync(sharedPath('captures'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort()
  : [];

describe.skipIf(!hasShared)('cases with a known truth', () => {
  it('are all told of here', () => {
    expect(names.filter((name) => !(name in CASES))).toEqual([]);
  });

  describe.each(names.filter((name) => name in CASES))('%s', (name) => {
    const { cause, observed, foretold } = CASES[name] ?? { observed: [], foretold: [] };
    const folder = sharedPath('captures', name);
    let pieces: Piece[];
    let truth: Truth;
    let whole: Analysis;
    beforeAll(async () => {
      pieces = folderPieces(folder, (file) => !NOT_EVIDENCE.test(file));
      truth = parse(readFileSync(`${folder}/truth.json`, 'utf8'));
      whole = await analyze(pieces);
    });
    const without = (pattern: RegExp): Piece[] => pieces.filter((piece) => !pattern.test(piece.name));

    it('has its cause, and its explanation', () => {
      expect(faultsOf(whole)).toEqual(cause === undefined ? [] : [cause]);
      expect(whole.observations.map((seen) => seen.cause).sort()).toEqual(observed);
    });

    it('blames an offload only with a control, an escape or the flag of conntrack', () => {
      expect(CAUSES.map(({ id }) => id)).toEqual(expect.arrayContaining(OFFLOAD));
      for (const finding of whole.findings.filter((one) => OFFLOAD.includes(one.cause))) {
        const shown = finding.tests.filter(({ id, result }) => ['D1', 'D2', 'D9'].includes(id) && result === 'yes');
        expect(shown).not.toEqual([]);
      }
    });

    it.runIf(cause)('begins and ends with the very frames of the experiment', () => {
      const [finding] = whole.findings;
      const seen = truth.wrong
        .filter(({ kind }) => kind.startsWith('wrong_'))
        .flatMap(({ per_capture }) => Object.entries(per_capture ?? {}))
        .filter(([, { count }]) => count > 0);
      const last = Math.max(...seen.map(([, { last_time }]) => last_time ?? 0));
      expect(seconds(finding?.recovery?.time)).toBeCloseTo(last, 5);
      if (cause === 'wrong-port') {
        // The experiment counts from the move on; the bridge knew of it when the station had spoken.
        expect(seconds(finding?.onset?.time)).toBeGreaterThan(Math.min(...seen.map(([, s]) => s.first_time ?? 0)));
        expect(seconds(finding?.onset?.time) - seconds(finding?.onset?.since)).toBeLessThan(0.5);
        return;
      }
      const [input, first] = seen.toSorted((a, b) => (a[1].first_time ?? 0) - (b[1].first_time ?? 0))[0] ?? [];
      expect(finding?.onset?.origin).toEqual({ input, frame: first?.first_frame });
      expect(seconds(finding?.onset?.time)).toBeCloseTo(first?.first_time ?? 0, 5);
    });

    it.runIf(cause)('was offloaded when the experiment saw it so', () => {
      const polled = (truth.offload?.first_seen_by_60ms_poll ?? []).filter((seen) => seen.new === '[OFFLOAD]');
      let checked = 0;
      for (const { original, offload } of whole.flows) {
        const tuple = `src=${original.srcIp} dst=${original.dstIp} sport=${original.srcPort} dport=${original.dstPort} `;
        const seen = polled.find(({ flow }) => flow.split(' ').slice(1).join(' ').startsWith(tuple));
        const from = offload[0]?.from;
        if (!seen || !from) continue;
        expect(seconds(from.earliest ?? from.time)).toBeLessThan(seen.t);
        // The experiment's own eye was slow: it runs in an emulator.
        expect(Math.abs(seconds(from.time) - seen.t)).toBeLessThan(3);
        checked++;
      }
      expect(checked).toBeGreaterThan(0);
    });

    it.runIf(cause)('ends as the experiment ended it', () => {
      const destroyed = (truth.mac_change ?? truth.port_change)?.conntrack_destroyed_at;
      const [finding] = whole.findings;
      if (destroyed === undefined) return;
      expect(finding?.recovery?.by).toBe('conntrack-deleted');
      expect(seconds(finding?.recovery?.time)).toBeLessThan(destroyed);
    });

    it('is judged the same without the logs of conntrack, and as sure as the ladder allows', async () => {
      const less = await analyze(without(/conntrack/));
      expect(wrongOf(less)).toEqual(wrongOf(whole));
      expect(less.verdict).toBe(whole.verdict);
      expect(faultsOf(less)).toEqual(faultsOf(whole));
      less.findings.forEach((finding, i) => {
        const before = whole.findings[i];
        // Only frames that leave the bridge show an offload without conntrack.
        const isSeen = less.flows.some(({ offload }) => offload.some(({ from }) => from.source === 'left-bridge'));
        const d9 = finding.tests.find(({ id }) => id === 'D9')?.result ?? 'unknown';
        expect(isSeen ? ['unknown', 'yes'] : ['unknown']).toContain(d9);
        expect(RANK.indexOf(finding.confidence)).toBeLessThanOrEqual(RANK.indexOf(before?.confidence ?? 'suspected'));
        expect(ladderOf(finding)).toContain(finding.confidence);
      });
    });

    it('leaves the prediction alone when only rules and routes are left', async () => {
      const less = await analyze(pieces.filter((piece) => /ip-rule|ip6?-route/.test(piece.name)));
      expect(less.verdict).toBe('not-judged');
      expect(less.findings).toEqual([]);
      expect(less.observations).toEqual([]);
      expect([...new Set(less.predictions.map((one) => one.cause))].sort()).toEqual(foretold);
    });

    it.runIf(cause === undefined)('stays healthy whichever file of facts is missing', { timeout: 120_000 }, async () => {
      // One capture of all devices holds the same frames once more.
      const some = pieces.filter((piece) => !piece.name.includes('multi'));
      for (const piece of some.filter((one) => !CAPTURE.test(one.name))) {
        const less = await analyze(some.filter((one) => one !== piece));
        expect({ missing: piece.name, verdict: less.verdict }).toEqual({ missing: piece.name, verdict: 'delivered' });
      }
    });
  });
});

function faultsOf(analysis: Analysis): string[] {
  return [...new Set(analysis.findings.map(({ cause }) => cause).filter((cause) => cause !== 'convergence'))];
}

function wrongOf(analysis: Analysis): Record<string, number[]> {
  const found = analysis.misdeliveries.filter((m) => m.class !== 'convergence');
  return Object.fromEntries(found.map((m) => [`${m.input} ${m.device} ${m.dstMac} ${m.class ?? ''}`, framesOf(m)]));
}

/** What the tests of a finding allow it to be at most: an escape proves it, a control makes it strong or better. */
function ladderOf({ tests }: Finding): readonly Confidence[] {
  const says = (id: string): boolean => tests.some((test) => test.id === id && test.result === 'yes');
  if (says('D2')) return ['proven'];
  if (says('D1')) return says('D7') ? ['proven', 'strong'] : ['strong'];
  return ['strong', 'suspected'];
}

/** s since 1970. */
function seconds(time: string | undefined): number {
  return Number(BigInt(time ?? 0) / 1000n) / 1e6;
}
