import { describe, expect, it } from 'vitest';
import { renderText } from '../../src/render/text.js';
import { fullAnalysis } from '../support/full-analysis.js';
import { HOSTILE_NAMES, hostileAnalysis, INVISIBLE } from '../support/hostile.js';

const options = { color: false, verbose: true, quiet: false };

describe('text for a terminal', () => {
  it.each(HOSTILE_NAMES.map((name) => [JSON.stringify(name), name]))(
    'shows %s as it is, and no more',
    (_shown, name) => {
      const text = renderText(hostileAnalysis(name), options);
      expect(text).not.toMatch(INVISIBLE);
      const lines = (name: string): number =>
        renderText(hostileAnalysis(name), { ...options, quiet: true }).split('\n').length;
      expect(lines(name)).toBeLessThanOrEqual(lines('x') + 2);
    },
  );

  it('survives times that are none', () => {
    const [m] = fullAnalysis.misdeliveries;
    if (!m) throw new Error('there is one');
    const odd = { ...fullAnalysis, misdeliveries: [{ ...m, firstTime: 'x', lastTime: '-1' }] };
    expect(renderText(odd, options)).toContain('unknown time');
  });

  it('says how early it may have begun, when it is asked for all', () => {
    const text = renderText(fullAnalysis, options).replace(/\s+/g, ' ');
    expect(text).toContain('proven from frame 3 on; may have begun at frame 1 (07:51:22.600000, 2 frames earlier)');
    expect(text).toContain('52:54:00:a1:b2:40 was on lan1: frames that came in there at 07:51:22.550000');
    expect(renderText(fullAnalysis, { ...options, verbose: false })).not.toContain('may have begun');
  });

  it('counts what it leaves out', () => {
    const many = (count: number) => ({
      ...fullAnalysis,
      diagnostics: Array.from({ length: count }, (_, i) => ({
        id: 'x',
        what: `What ${i}.`,
        action: 'Done.',
        line: i + 1,
      })),
    });
    const short = { ...options, verbose: false };
    expect(renderText(many(15), short)).toContain('... and 5 more (-v shows all)');
    expect(renderText(many(11), short)).toContain('... and 1 more (-v shows all)');
    expect(renderText(many(15), options)).toContain('  line 15: What 14. Done.');
  });

  it('shows spans of hours without a sixtieth minute', () => {
    const [m] = fullAnalysis.misdeliveries;
    if (!m) throw new Error('there is one');
    const long = { ...m, firstTime: '1000000000', lastTime: String(1_000_000_000n + 10_799_000_000_000n) };
    expect(renderText({ ...fullAnalysis, misdeliveries: [long] }, options)).toContain('(3 h 0 min)');
  });

  it('names makers of hardware after MACs, if it is given names', () => {
    const names = (mac: string): string | undefined =>
      mac.startsWith('94:83:c4') ? 'GL\u001b Technologies' : undefined;
    expect(renderText(fullAnalysis, { ...options, names })).toContain(
      'sent by 94:83:c4:10:00:01 (GL\\x1b Technologies),',
    );
  });
});
