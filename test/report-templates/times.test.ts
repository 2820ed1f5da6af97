import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReportData } from '../../src/render/html/data.js';
import { parseTypedTime, typedTime } from '../../report-templates/times.js';

const DAY = 86_400_000;

function dataAt(origin: string, domain: readonly [number, number]): ReportData {
  return {
    origin,
    domain,
    macs: [],
    taps: [],
    owners: [],
    events: [],
    captures: [],
    flows: [],
    findings: [],
    bins: [],
    copy: {},
  };
}

describe('a typed time', () => {
  it('is what is shown, to the microsecond, also over midnight', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 4n * 10n ** 18n }),
        fc.integer({ min: 0, max: DAY / 2 - 1 }),
        (origin, at) => {
          const data = dataAt(((origin / 1000n) * 1000n).toString(), [0, DAY / 2]);
          const parsed = parseTypedTime(data, typedTime(data, at)) ?? NaN;
          expect(Math.abs(parsed - at)).toBeLessThan(0.001);
        },
      ),
    );
  });

  it.each(['', 'noon', '12', '12:5', '99:00:00x', '1:2:3:4'])('is none when it is %j', (text) => {
    expect(parseTypedTime(dataAt('0', [0, 1000]), text)).toBeUndefined();
  });
});
