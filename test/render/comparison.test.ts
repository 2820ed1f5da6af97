import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Analysis, System } from '../../src/model.js';
import { compare } from '../../src/render/comparison/comparison.js';
import { COMPARISON_STYLE, COMPARISON_STYLE_HASH, comparisonHtml } from '../../src/render/comparison/html.js';
import { comparisonMarkdown, comparisonText } from '../../src/render/comparison/text.js';
import { fullAnalysis } from '../support/full-analysis.js';

const ROUTER: System = { inputs: ['nft.txt'], kernel: '6.6.86', offloads: 'yes', flowtables: [], guards: [] };
const HOSTILE = '<img src=x onerror=alert(1)>|`@name`\u001b[31m\u202e';

const { partial, ...WHOLE } = fullAnalysis;

/** The fault, or everything right, on a router. */
function wrong(system: Partial<System> = {}, change: Partial<Analysis> = {}): Analysis {
  const totals = { frames: 103, delivered: 90, misdelivered: 10, notJudged: 3 };
  return { ...WHOLE, totals, systems: [{ ...ROUTER, ...system }], ...change };
}

function right(system: Partial<System> = {}, change: Partial<Analysis> = {}): Analysis {
  return {
    ...wrong(system),
    verdict: 'delivered',
    totals: { frames: 103, delivered: 100, misdelivered: 0, notJudged: 3 },
    misdeliveries: [],
    flows: [],
    findings: [],
    ...change,
  };
}

function unjudged(): Analysis {
  const totals = { frames: 3, delivered: 0, misdelivered: 0, notJudged: 3 };
  return right({}, { verdict: 'not-judged', totals });
}

function conclusion(a: Analysis, b: Analysis): string {
  return compare(a, b, ['a', 'b'], '0.0.0').conclusion;
}

const table = (...devices: string[]): Partial<System> => ({ flowtables: [{ name: 'inet fw4 ft', devices }] });
const guard = { guards: [{ rule: 'ct status dnat return', effect: 'works' as const }] };
const useless = { guards: [{ rule: 'ct status { dnat } return', effect: 'never' as const }] };

describe('what two cases show together', () => {
  it.each([
    ['offload', wrong(), right({ offloads: 'no' }), 'there with offload and not without.'],
    ['offload, the other way', right(), wrong({ offloads: 'no' }), 'there without offload and not with.'],
    ['the kernel', wrong(), right({ kernel: '6.12.1' }), 'there on Linux 6.6.86 and not on Linux 6.12.1.'],
    ['the guard', wrong(), right(guard), 'there without a guard and not with the guard "ct status dnat return".'],
    [
      'the devices',
      wrong(table('lan1', 'wan')),
      right(table('br-lan', 'wan')),
      'there with lan1, wan in the flowtable and not with br-lan, wan.',
    ],
  ])('names %s when nothing else differs', (_, a, b, words) => {
    expect(conclusion(a, b)).toContain(`The fault is ${words} Nothing else is known to differ`);
  });

  it('names nothing when more differs, or nothing does', () => {
    const several = conclusion(wrong(), right({ ...guard, kernel: '6.12.1', board: 'X' }));
    expect(several).toContain('The fault is there in a and not in b. The two differ in the guard and the kernel');
    expect(several).toContain('is not shown');
    expect(conclusion(wrong(), right())).toContain('what makes it is not shown');
    expect(conclusion(wrong(), right({}, { systems: [] }))).toContain('what makes it is not shown');
    // A guard that never matches is none.
    expect(conclusion(wrong(), right(useless))).toContain('what makes it is not shown');
  });

  it('says when the case without the fault had no occasion for it', () => {
    const without = right({ offloads: 'no' }, { events: [] });
    expect(conclusion(wrong(), without)).toContain('b shows no sign of an address that changed its MAC');
    expect(conclusion(wrong(), right({ offloads: 'no' }))).not.toContain('no sign');
    const few = right({ offloads: 'no' }, { totals: { frames: 9, delivered: 9, misdelivered: 0, notJudged: 0 } });
    expect(conclusion(wrong(), few)).toContain('Only 9 frames of b could be judged, too few');
  });

  it('does not blame what both have, nor clear what neither shows', () => {
    expect(conclusion(wrong(), wrong({ offloads: 'no' }))).toBe(
      'The fault is there with offload, and without offload as well (10 of 100 judged frames, 10 of 100 judged frames): offload does not decide it.',
    );
    const other = fullAnalysis.findings.map((finding) => ({ ...finding, cause: 'wrong-port' }));
    expect(conclusion(wrong(), wrong({ offloads: 'no' }, { findings: other }))).toContain(
      'not for the same cause: stale-mac in a, wrong-port in b',
    );
    expect(conclusion(right(), right())).toContain('That it cannot happen is not shown by that.');
  });

  it('says when a case could not be judged, or was read in part', () => {
    expect(conclusion(unjudged(), unjudged())).toContain('Neither case could be judged');
    expect(conclusion(wrong(), unjudged())).toContain('b could not be judged, so that nothing can be said');
    expect(conclusion(wrong({}, { partial }), right())).toContain('The reading of a was interrupted.');
  });
});

describe('the matrix', () => {
  const comparison = compare(wrong({}, { findings: [] }), right({ board: HOSTILE }), [HOSTILE, 'b'], '0.0.0');

  it('asks both the same, and marks what differs', () => {
    const rows = new Map(
      compare(wrong(), right({ offloads: 'no' }), ['a', 'b'], '0').rows.map((row) => [row.what, row]),
    );
    expect(rows.get('Misdelivered')).toMatchObject({ values: ['10 (10.0 %)', '0'], differs: true });
    expect(rows.get('Kernel')).toMatchObject({ values: ['6.6.86', '6.6.86'], differs: false });
    expect(rows.get('Offload')).toMatchObject({ values: ['on', 'off'], differs: true });
    expect(rows.get('Causes')).toMatchObject({ values: ['stale-mac (proven)', 'none'] });
    expect(rows.get('Began')).toMatchObject({ values: ['500 ms after the take-over', 'none'] });
    expect(rows.get('Ended')).toMatchObject({ values: ['the conntrack entry was deleted', 'none'] });
    expect(rows.has('Board')).toBe(false);
  });

  it('keeps to 80 columns of text', () => {
    const text = comparisonText(comparison);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).not.toMatch(/[\u001b\u202e]/);
  });

  it('lets nothing of a name into Markdown or HTML', () => {
    const markdown = comparisonMarkdown(comparison);
    const [header = ''] = markdown.split('\n').filter((line) => line.startsWith('|'));
    expect(header.replaceAll('\\|', '').split('|').length).toBe(5);
    expect(markdown).not.toMatch(/[\u001b\u202e]/);
    const html = comparisonHtml(comparison);
    expect(html).not.toContain('<img');
    expect(html).not.toMatch(/<script|[\u001b\u202e]/);
  });

  it('lets in no style but its own', () => {
    expect(COMPARISON_STYLE_HASH).toBe(`sha256-${createHash('sha256').update(COMPARISON_STYLE).digest('base64')}`);
    expect(comparisonHtml(comparison)).toContain(`<style>${COMPARISON_STYLE}</style>`);
    expect(comparisonHtml(comparison)).toContain("default-src 'none'");
  });
});
