import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Analysis } from '../../src/model.js';
import { code, codeBlock, prose } from '../../src/render/markdown-text.js';
import { renderMarkdown } from '../../src/render/markdown.js';
import { analyze, folderPieces } from '../support/engine.js';
import { fullAnalysis } from '../support/full-analysis.js';
import { HOSTILE_NAMES, hostileAnalysis, INVISIBLE } from '../support/hostile.js';

const root = new URL('../../captures/', import.meta.url).pathname;

const withoutFilter: Analysis = { ...fullAnalysis };
delete withoutFilter.filter;

describe('Markdown of a case', () => {
  it('says what a maintainer asks first', async () => {
    const pieces = folderPieces(`${root}stale-mac`, (name) => !/README|expected/.test(name));
    const text = renderMarkdown(await analyze(pieces));
    expect(text.split('\n')[0]).toBe(
      '**MISDELIVERED**: 138 of 2,022 judged frames went to the right IP address and the wrong MAC.',
    );
    expect(text).toContain('Delivered 1,884, misdelivered 138, not judged 55 of 2,077 frames.');
    expect(text).toMatch(
      /^\| `stale-mac` +\| 1 +\| 138 +\| `52:54:00:7d:02:40` \| `02:42:c0:a8:01:f0` \| 2026-11-21 13:27:19, 34.2 s \|$/m,
    );
    expect(text).toContain('`lan3.pcap`, frames 285, 286, 287,');
    expect(text).toContain('`frame.number in {285..295, 300..320, 323..366, 369..430}`');
    expect(text).toMatch(/^conntrack -D /m);
    expect(text).toMatch(/- `lan3\.pcap`: pcap, 622 frames, SHA-256 `[0-9a-f]{12}`/);
    expect(linesOf(text)).toBeLessThanOrEqual(40);
    // A name of a vendor follows its MAC.
    const named = renderMarkdown(await analyze(pieces), {
      names: (mac) => (mac.startsWith('52:54:00') ? 'A_B <c>' : undefined),
    });
    expect(named).toContain('`52:54:00:7d:02:40` (`A_B` `<c>`)');
  });

  it('has at most 40 lines however much there is', () => {
    const many = <T>(list: readonly T[], n: number): T[] => Array.from({ length: n }, () => list).flat();
    const [m] = fullAnalysis.misdeliveries;
    const [finding] = fullAnalysis.findings;
    if (!m || !finding) throw new Error('there is one');
    const huge: Analysis = {
      ...fullAnalysis,
      inputs: many(fullAnalysis.inputs, 50),
      misdeliveries: Array.from({ length: 60 }, (_, i) => ({
        ...m,
        id: `M${i}`,
        expected: [`02:00:00:00:00:${i + 10}`],
      })),
      findings: many([{ ...finding, change: many([{ what: 'x', commands: many(['y'], 30) }], 9) }], 40),
      notJudged: many(fullAnalysis.notJudged, 20),
    };
    expect(linesOf(renderMarkdown(huge))).toBe(40);
    expect(renderMarkdown(huge)).toContain('55 more in the JSON');
  });

  it('tells what a configuration foreshadows when no frame shows a fault', () => {
    const text = renderMarkdown({ ...withoutFilter, findings: [], misdeliveries: [] });
    expect(text).toContain('**Foreseen from the configuration**: Offloaded replies will go');
    expect(text).toContain('ip route add 192.168.1.0/24 dev br-lan table 100');
  });

  it.each(HOSTILE_NAMES.map((name) => [JSON.stringify(name), name]))('keeps %s harmless', (_shown, name) => {
    const text = renderMarkdown(hostileAnalysis(name));
    expect(text).not.toMatch(INVISIBLE);
    expect(linesOf(text)).toBeLessThanOrEqual(40);
    expect(text.split('\n').filter((line) => line.startsWith('|'))).toHaveLength(3);
    for (const line of text.split('\n').filter((candidate) => candidate.startsWith('|')))
      expect(line.replaceAll('\\|', '').match(/\|/g)).toHaveLength(7);
    expect(active(text.replace(/<details><summary>[\w ,.+-]*<\/summary>/, '').replace('</details>', ''))).toEqual([]);
  });
});

describe('text in Markdown', () => {
  it('never has a mark outside of code', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[`|@#<:* "a\n]*$/)), (text) => {
        expect(active(prose(text))).toEqual([]);
        expect(active(code(text))).toEqual([]);
        expect(active(codeBlock([text, text]).join('\n'))).toEqual([]);
      }),
    );
  });

  it('leaves plain words alone', () => {
    const plain =
      'The capture (on "any", raw IP, or text without -e) has 1,234 frames; 50 % of 10.0.0.1/24 went right.';
    expect(prose(plain)).toBe(plain);
    expect(prose('It asked br-lan for fd00::1, twice.')).toBe('It asked br-lan for `fd00::1`, twice.');
  });
});

function linesOf(text: string): number {
  return text.trimEnd().split('\n').length;
}

/** What Markdown or a forge would make something of, outside of code blocks and spans (as CommonMark pairs them). */
function active(text: string): string[] {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of text.split('\n')) {
    const [, run] = /^(`{3,})[\w]*$/.exec(line) ?? [];
    if (fence !== undefined) fence = line === fence ? undefined : fence;
    else if (run !== undefined) fence = run;
    else lines.push(line);
  }
  if (fence !== undefined) return ['a fence stays open'];
  const outside = lines.join('\n').replaceAll(/(?<!`)(`+)(?!`)[^]*?(?<!`)\1(?!`)/g, 'code');
  return (
    outside
      .replaceAll(/\*\*[\w ]+\*\*/g, '')
      .replaceAll(/^\|.*\|$/gm, (row) => row.replaceAll(/ \| |^\||\|$/g, ' '))
      .match(/[`*_<>[\]~&@#|\\]|:\/\/|www\.\w|GH-\d/g) ?? []
  );
}
