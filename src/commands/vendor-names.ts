/** The makers of hardware by MAC prefix, from the IEEE's public lists as `scripts/build.js` writes them. */

import { existsSync, readFileSync } from 'node:fs';

const LIST = new URL('../vendors.txt', import.meta.url);
const LINE_FEED = 0x0a;

/** Read at first use. It stays bytes: to make a text of them takes longer than all that is looked up. */
let list: Buffer | undefined;

/** A name for a MAC in lower case with colons. Locally administered addresses and groups belong to nobody. */
export function vendorNames(mac: string): string | undefined {
  list ??= existsSync(LIST) ? readFileSync(LIST) : Buffer.alloc(0);
  return vendorIn(list, mac);
}

/** @param lines of a prefix in hexadecimal digits (9, 7 or 6), a tab and a name in UTF-8, sorted, between line feeds */
export function vendorIn(lines: Buffer, mac: string): string | undefined {
  const digits = mac.replaceAll(':', '');
  if (!/^[0-9a-f][048c][0-9a-f]{10}$/.test(digits)) return undefined;
  // The longest one: parts of some prefixes were given to others.
  for (const length of [9, 7, 6]) {
    const name = restOfLine(lines, `${digits.slice(0, length)}\t`);
    if (name !== undefined) return name;
  }
  return undefined;
}

/** What follows `begin` in the line that begins so, found by halving. */
function restOfLine(lines: Buffer, begin: string): string | undefined {
  const wanted = Buffer.from(begin);
  // Two line feeds, with the line somewhere between them.
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = lines.lastIndexOf(LINE_FEED, middle);
    const end = lines.indexOf(LINE_FEED, middle + 1);
    const order = wanted.compare(lines, start + 1, Math.min(start + 1 + wanted.length, end));
    if (order === 0) return lines.toString('utf8', start + 1 + wanted.length, end);
    if (order > 0) low = end;
    else high = start;
  }
  return undefined;
}
