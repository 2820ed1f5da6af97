import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FilterSubjects } from '../../src/render/filter-subjects.js';
import { FILTER_FLAGS, type FilterSubject, parseFilter } from '../../src/render/filter.js';
import { renderMarkdown } from '../../src/render/markdown.js';
import { restrict } from '../../src/render/restrict.js';
import { renderText } from '../../src/render/text.js';
import { analyze, folderPieces, listedFrames } from '../support/engine.js';

const subject: FilterSubject = {
  ips: ['10.0.0.2', '198.51.100.10', 'fd00::a:1', '::ffff:c000:201'],
  macs: ['94:83:c4:10:00:01', '02:42:c0:a8:01:f0'],
  devices: ['br-lan', 'lan3 (port)'],
  flags: ['misdelivered', 'wrong-mac', 'proven'],
  causes: ['stale-mac'],
  flows: ['F1', 'F2'],
  text: 'M1 router.br-lan.pcap UDP F1',
};

describe('a filter', () => {
  it.each([
    ['', true],
    ['ip:10.0.0.2', true],
    ['ip:10.0.0.20', false],
    ['ip:10.0.0.0/24', true],
    ['ip:10.0.1.0/24', false],
    ['ip:10.0.0.3/31', true],
    ['ip:0.0.0.0/0', true],
    ['ip:fd00:0:0::a:1', true],
    ['ip:FD00::/8', true],
    ['ip:fd00::a:2', false],
    ['ip:::ffff:192.0.2.1', true],
    ['ip:192.0.2.1', false],
    ['ip:8.8.8.8,10.0.0.2', true],
    ['mac:94:83:c4', true],
    ['mac:94-83-C4-10-00-01', true],
    ['mac:83:c4', false],
    ['dev:br-lan', true],
    ['dev:br', false],
    ['dev:br*', true],
    ['dev:*lan', true],
    ['dev:b*l*n', true],
    ['dev:b*n*n', false],
    ['dev:"lan3 (port)"', true],
    ['"dev:lan3 (port)"', true],
    ['is:misdelivered', true],
    ['is:wrong-port', false],
    ['is:wrong-port,wrong-mac', true],
    ['cause:stale-mac', true],
    ['cause:stale', false],
    ['CAUSE:STALE-*', true],
    ['flow:F2', true],
    ['flow:F', false],
    ['udp', true],
    ['!tcp', true],
    ['!udp', false],
    ['!ip:10.0.0.2', false],
    ['ip:10.0.0.2 dev:br-lan is:proven !dev:wan', true],
    ['ip:10.0.0.2 dev:wan', false],
    ['router.br', true],
    ['fd00::9', false],
  ])('%s', (expression, fits) => {
    const filter = parseFilter(expression);
    expect(filter).toMatchObject({ ok: true });
    expect(filter.ok && filter.matches(subject)).toBe(fits);
  });

  it.each([
    ['ip:banana', 'ip:banana is no address and no prefix'],
    ['ip:10.0.0.0/33', 'ip:10.0.0.0/33 is no address and no prefix'],
    ['ip:1::2::3', 'ip:1::2::3 is no address and no prefix'],
    ['mac:zz', 'mac:zz is no MAC and no beginning of one'],
    ['is:bad', `is:bad is none of ${FILTER_FLAGS.join(', ')}`],
    ['dev:', 'dev: needs a value'],
    ['host:a', 'host: is none of ip: mac: dev: is: cause: flow:'],
    ['a ! b', '! stands before nothing'],
    ['a '.repeat(65), 'it has more than 64 words'],
  ])('%s is refused', (expression, message) => {
    expect(parseFilter(expression)).toEqual({ ok: false, message });
  });

  it('never throws', () => {
    const piece = fc.constantFrom('ip:', 'mac:', 'dev:', 'is:', ' ', '!', '"', '*', ':', '::', '/', ',', '.', '1', 'f');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (expression) => {
          const filter = parseFilter(expression);
          if (filter.ok) filter.matches(subject);
        },
      ),
    );
  });
});

describe('a filtered analysis', () => {
  const root = new URL('../../captures/', import.meta.url).pathname;
  const pieces = folderPieces(`${root}policy-routing`, (name) => !/README|expected/.test(name));

  it('lists less and judges the same', async () => {
    const whole = await analyze(pieces, { eachFrame: true });
    const one = restrict(whole, 'flow:F2');
    expect(one.totals).toEqual(whole.totals);
    expect(one.flows.map(({ id }) => id)).toEqual(['F2']);
    const listed = await listedFrames(one);
    expect(listed).toEqual((await listedFrames(whole)).filter(({ leg }) => leg.flow === 'F2'));
    expect(listed.length).toBeGreaterThan(0);
    const text = renderText(one, { color: false, verbose: false, quiet: false });
    expect(text.split('\n').slice(0, 2)).toEqual(
      renderText(whole, { color: false, verbose: false, quiet: false }).split('\n').slice(0, 2),
    );
    expect(text.replaceAll('\n', ' ')).toContain(
      'Only what fits the filter "flow:F2" is listed: 1 of 1 finding, 1 of 2 flows',
    );
    expect(renderMarkdown(one)).toContain('Only what fits the filter "flow:F2" is listed');

    const none = restrict(whole, 'dev:nowhere');
    expect([none.misdeliveries, none.flows, none.findings, await listedFrames(none)]).toEqual([[], [], [], []]);
    expect(renderText(none, { color: false, verbose: false, quiet: true })).toBe(
      renderText(whole, { color: false, verbose: false, quiet: true }),
    );
    const twice = restrict(one, 'udp');
    expect(twice.filter).toMatchObject({ expression: 'flow:F2 udp', flows: whole.flows.length });
  });

  it('finds everything by what it has', async () => {
    const whole = await analyze(pieces, { eachFrame: true });
    const subjects = new FilterSubjects(whole);
    const all = [
      ...whole.misdeliveries.map((m) => subjects.misdelivery(m)),
      ...whole.flows.map((flow) => subjects.flow(flow)),
      ...whole.findings.map((finding) => subjects.finding(finding)),
      ...(await listedFrames(whole)).map(({ leg }) => subjects.leg(leg)),
    ];
    for (const one of all) {
      for (const key of ['ip', 'mac', 'dev', 'is', 'cause', 'flow'] as const) {
        const list = {
          ip: one.ips,
          mac: one.macs,
          dev: one.devices,
          is: one.flags,
          cause: one.causes,
          flow: one.flows,
        };
        expect(list[key].length, key).toBeGreaterThan(0);
        for (const value of list[key]) {
          const filter = parseFilter(`"${key}:${value}"`);
          expect(filter.ok && filter.matches(one), `${key}:${value}`).toBe(true);
        }
      }
    }
  });
});
