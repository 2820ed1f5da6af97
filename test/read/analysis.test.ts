import { describe, expect, it } from 'vitest';
import { parseAnalysis } from '../../src/read/analysis.js';
import { fullAnalysis } from '../support/full-analysis.js';

/** The full analysis with every `"member": value` of one name replaced in its JSON. */
function withMember(name: string, value: unknown): string {
  return JSON.stringify(fullAnalysis, (key, old: unknown) => (key === name ? value : old));
}

describe('a saved analysis of a stranger', () => {
  it('is taken as it was written', () => {
    expect(parseAnalysis(JSON.stringify(fullAnalysis))).toEqual(fullAnalysis);
  });

  it.each([
    ['verdict', '__proto__', 'analysis.verdict is none of the words known here'],
    ['kind', 'constructor', 'analysis.inputs[0].kind is none of the words known here'],
    ['confidence', 'toString', 'analysis.misdeliveries[0].confidence is none of the words known here'],
    ['time', 'soon', 'analysis.misdeliveries[0].because[0].time is no time'],
    ['srcMac', '\u001b[31m', 'analysis.misdeliveries[0].srcMac is no MAC address'],
    ['dstIp', '<b>', 'analysis.misdeliveries[0].dstIp is no IP address'],
    ['sha256', '\u202e', 'analysis.inputs[0].sha256 is no SHA-256'],
    ['id', 'F1\n', 'analysis.misdeliveries[0].id is no id'],
    ['frameRanges', [[]], 'analysis.misdeliveries[0].frameRanges[0] is no range'],
    ['frames', -1, 'analysis.totals.frames is no count'],
    ['uncertainty', '1.5', 'analysis.clocks[0].uncertainty is no time'],
  ])('is refused when %s is %j', (name, value, message) => {
    expect(parseAnalysis(withMember(name, value))).toBe(message);
  });
});
