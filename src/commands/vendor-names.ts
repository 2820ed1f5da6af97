/** The makers of hardware by MAC prefix, from the IEEE's public lists as `scripts/build.js` packs them. */

import { existsSync, readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

const LIST = new URL('../vendors.br', import.meta.url);

/** Lines of a prefix in hexadecimal digits (9, 7 or 6), a tab and a name, between line feeds; unpacked at first use. */
let list: string | undefined;

/** A name for a MAC in lower case with colons. Locally administered addresses and groups belong to nobody. */
export function vendorNames(mac: string): string | undefined {
  const digits = mac.replaceAll(':', '');
  if (!/^[0-9a-f][048c][0-9a-f]{10}$/.test(digits)) return undefined;
  list ??= existsSync(LIST) ? brotliDecompressSync(readFileSync(LIST)).toString('utf8') : '';
  // The longest one: parts of some prefixes were given to others.
  for (const length of [9, 7, 6]) {
    const line = `\n${digits.slice(0, length)}\t`;
    const at = list.indexOf(line);
    if (at >= 0) return list.slice(at + line.length, list.indexOf('\n', at + 1));
  }
  return undefined;
}
