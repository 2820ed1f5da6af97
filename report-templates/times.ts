/** Times of the page as they are typed. */

import { clockAt } from '../src/render/html/clock.js';
import type { ReportData } from '../src/render/html/data.js';

const DAY = 86_400_000;

/** `07:52:26.527668` */
export function typedTime(data: ReportData, ms: number): string {
  return clockAt(data.origin, ms);
}

/** ms after the origin of `7:52:26`, `07:52`, `07:52:26.5`, on the day that is nearest to the data; undefined for others. */
export function parseTypedTime(data: ReportData, text: string): number | undefined {
  const match = /^\s*(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?\s*$/.exec(text);
  if (!match) return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  const ofDay = (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
  const originOfDay = Number((BigInt(data.origin) / 1000n) % BigInt(DAY * 1000)) / 1000;
  const middle = (data.domain[0] + data.domain[1]) / 2;
  const at = ofDay - originOfDay;
  return at + Math.round((middle - at) / DAY) * DAY;
}
