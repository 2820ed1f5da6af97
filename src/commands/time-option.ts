/** Times as users write them. */

import { UsageError } from '../errors.js';

const SECONDS = /^(\d{1,12})(?:\.(\d{1,9}))?$/;
const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/i;

/**
 * Absolute ns since 1970 of `1795247546.41201` or `2026-11-21T07:52:26.5` (UTC, or with `Z` or an offset).
 * @throws UsageError naming the option
 */
export function parseTime(option: string, text: string): bigint {
  const seconds = SECONDS.exec(text);
  if (seconds) return BigInt(seconds[1] ?? 0) * 1_000_000_000n + fraction(seconds[2]);
  const iso = ISO.exec(text);
  const zone = iso?.[5] ?? 'Z';
  const ms = iso ? Date.parse(`${iso[1]}T${iso[2]}:${iso[3] ?? '00'}${zone.toUpperCase()}`) : NaN;
  if (Number.isNaN(ms))
    throw new UsageError(`${option} ${text}: is no time; write 2026-11-21T07:52:26.5 or seconds since 1970`);
  return BigInt(ms) * 1_000_000n + fraction(iso?.[4]);
}

function fraction(digits: string | undefined): bigint {
  return BigInt((digits ?? '').padEnd(9, '0'));
}
