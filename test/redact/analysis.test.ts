import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { redactAnalysis } from '../../src/redact/analysis.js';
import { LeakScan } from '../../src/redact/leaks.js';
import { AddressMapping, type RedactionLevel } from '../../src/redact/mapping.js';
import { TextRedactor } from '../../src/redact/text.js';
import { FORMATS, render } from '../../src/render/index.js';
import { renderJson } from '../../src/render/json.js';
import { fullAnalysis } from '../support/full-analysis.js';
import { listing } from '../support/engine.js';
import { TEST_KEY } from '../support/redact-pieces.js';

const MAC = '94:83:c4:10:00:01';
const PUBLIC = ['198.51.100.10', '203.0.113.2'];

/** Every string of the analysis says an address too many. */
function hostile(): Analysis {
  const text = `at ${MAC}, 203.0.113.2/32 (enx9483c4100001) and 2001:db8::9683:c4ff:fe10:1.`;
  const spoil = (key: string, value: unknown): unknown =>
    typeof value === 'string' &&
    ['what', 'summary', 'title', 'because', 'action', 'collect', 'name', 'input', 'device', 'filter', 'port'].includes(
      key,
    )
      ? `${value} ${text}`
      : value;
  const parse: (json: string) => Analysis = JSON.parse;
  return parse(JSON.stringify({ ...fullAnalysis, redacted: undefined }, spoil));
}

describe.each<RedactionLevel>(['default', 'strict'])('an analysis, redacted: %s', (level) => {
  const mapping = new AddressMapping(TEST_KEY, { level, keepOui: false });
  const before = hostile();
  const frozen = JSON.stringify(before);
  const after = redactAnalysis(before, mapping, new TextRedactor(mapping));
  const leaks = new LeakScan(mapping);

  it('leaves the given one alone and says what it is', () => {
    expect(JSON.stringify(before)).toBe(frozen);
    expect(after.redacted).toBe(level);
  });

  it('maps every field and every word alike', () => {
    const [m] = after.misdeliveries;
    expect(m?.srcMac).toBe(mapping.macText(MAC));
    expect(m?.dstIp).toBe(mapping.ipText('192.168.1.240'));
    expect(after.flows[0]?.original.dstIp).toBe(mapping.ipText('203.0.113.2'));
    expect(after.findings[0]?.summary).toContain(mapping.macText(MAC));
    expect(after.inputs[0]?.sha256).toBe(fullAnalysis.inputs[0]?.sha256);
    expect(JSON.stringify(after.inputs)).not.toContain('"filter"');
    expect(after.misdeliveries[0]?.firstTime).toBe(fullAnalysis.misdeliveries[0]?.firstTime);
  });

  it.each(FORMATS)('leaves nothing in %s', async (format) => {
    const leg = {
      input: `wan ${MAC}`,
      device: 'lan3',
      srcMac: MAC,
      dstMac: MAC,
      expected: [MAC],
      srcIp: '198.51.100.10',
      dstIp: '203.0.113.2',
      protocol: 17,
      misdelivery: 'M1',
    };
    const whole = redactAnalysis(
      { ...before, eachFrame: listing([{ frame: 3, time: '1795247483000000000', leg }]) },
      mapping,
      new TextRedactor(mapping),
    );
    const output = await render(whole, format, { color: false, verbose: true, quiet: false });
    expect(leaks.inText(output)).toBeUndefined();
    for (const original of [
      MAC,
      '9483c4100001',
      '52:54:00:a1:b2:40',
      'c4ff:fe10',
      ...PUBLIC,
      ...(level === 'strict' ? ['192.168.1.240', 'fd00::240'] : []),
    ]) {
      expect(output.includes(original), original).toBe(false);
    }
  });

  it('is an analysis that can be saved and redacted again', () => {
    expect(renderJson(redactAnalysis(after, mapping, new TextRedactor(mapping)))).toContain(`"redacted": "${level}"`);
  });
});
