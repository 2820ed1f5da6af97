/** Words of a line of text, and the words that stand where an address was made unreadable. */

import { canonicalIp } from '../bytes/address.js';

/** The words of a line; `<my gateway>` stays one word. */
export function wordsOf(text: string): string[] {
  const joined = text.includes('<') ? text.replace(/<[^<>,]{1,60}>/g, (name) => name.replaceAll(/\s/g, '_')) : text;
  const trimmed = joined.trim();
  return trimmed === '' ? [] : trimmed.split(/\s+/);
}

/** Whether a word stands for an address that its reporter hid: `x.x.x.x`, `192.168.x.x`, `aa:bb:xx:xx:xx:xx`, `<gateway>`, `REDACTED`. */
export function isRedacted(word: string): boolean {
  if (word.length > 80) return false;
  if (/^<.*>$/.test(word) || /redact|hidden|masked|removed/i.test(word)) return true;
  return /[x*]/i.test(word) && /^[0-9a-fx*.:/_-]+$/i.test(word) && !/^0x[0-9a-f]+$/i.test(word);
}

/**
 * A prefix in canonical text with its length: `10.0.0.0/24`; a single address gets /32 or /128.
 * @returns undefined when the word is no prefix
 */
export function canonicalPrefix(word: string): string | undefined {
  const slash = word.indexOf('/');
  const ip = canonicalIp(slash < 0 ? word : word.slice(0, slash));
  if (ip === undefined) return undefined;
  const longest = ip.includes(':') ? 128 : 32;
  const length = slash < 0 ? longest : wholeNumber(word.slice(slash + 1), longest);
  return length === undefined ? undefined : `${ip}/${length}`;
}

/** A decimal number of digits only, at most `limit`; undefined for anything else. */
export function wholeNumber(word: string | undefined, limit = Number.MAX_SAFE_INTEGER): number | undefined {
  if (word === undefined || !/^\d{1,16}$/.test(word)) return undefined;
  const value = Number(word);
  return value <= limit ? value : undefined;
}

/** The number of leading ones of an IPv4 mask (a 32-bit number); undefined when ones follow a zero. */
export function prefixLengthOf(mask: number): number | undefined {
  const length = Math.clz32(~mask);
  return mask === (length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0) ? length : undefined;
}

/** A decimal or `0x` number of at most 32 bits, as marks are printed. */
export function markNumber(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  if (/^0x[0-9a-f]{1,8}$/i.test(word)) return Number.parseInt(word, 16);
  return wholeNumber(word, 0xffff_ffff);
}
