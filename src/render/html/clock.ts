/** Times of an analysis (ns since 1970 as decimal strings) as ms after an origin, and back. */

import { clockTime } from '../words.js';

/** ms from `origin` to `time`, to the microsecond; undefined for what is no time. */
export type SinceOrigin = (time: string | undefined) => number | undefined;

export function sinceOrigin(origin: string): SinceOrigin {
  const start = isTime(origin) ? BigInt(origin) : 0n;
  return (time) => (isTime(time) ? Number((BigInt(time) - start) / 1000n) / 1000 : undefined);
}

/** The earliest of some times; `0` when there is none. */
export function earliest(times: Iterable<string | undefined>): string {
  let least: bigint | undefined;
  for (const time of times) {
    if (!isTime(time)) continue;
    const value = BigInt(time);
    if (least === undefined || value < least) least = value;
  }
  return (least ?? 0n).toString();
}

/** `07:52:26.527668` in UTC of ms after the origin. */
export function clockAt(origin: string, ms: number): string {
  return clockTime((BigInt(origin) + BigInt(Math.round(ms * 1000)) * 1000n).toString());
}

/** A time that a saved analysis may hold: 1970 to 2286, so that no arithmetic on it surprises. */
function isTime(time: string | undefined): time is string {
  return time !== undefined && /^\d{1,19}$/.test(time);
}
