/**
 * MAC and IP addresses: numbers inside, text only at the edges.
 *
 * A MAC is a 48-bit number (0 to 2^48 - 1). An IP address is an `Ip`, one number for both families: an IPv4 address is
 * its 32-bit value, an IPv6 address is 2^32 plus its index in an `AddressTable`.
 */

import type { Room } from './record-list.js';
import { WordTable } from './word-table.js';

/** A 48-bit MAC address as a number. */
export type Mac = number;

/** An IP address: below 2^32 the IPv4 address itself, from 2^32 on an index into the analysis' `AddressTable`. */
export type Ip = number;

const IPV6_BASE = 0x1_0000_0000;

export function isIpv6(ip: Ip): boolean {
  return ip >= IPV6_BASE;
}

/** The `Ip` of a 32-bit word of a frame batch, which is an address (`ipVersion` 4) or an interned index (6). */
export function ipFromWord(word: number, ipVersion: number): Ip {
  return (ipVersion === 6 ? IPV6_BASE : 0) + (word >>> 0);
}

/** The 48-bit MAC whose upper 16 and lower 32 bits are given (either may be a signed word). */
export function macFromWords(high: number, low: number): Mac {
  return (high & 0xffff) * 0x1_0000_0000 + (low >>> 0);
}

/** A MAC in lower case with colons, as everything that macscan writes has it. */
export function formatMac(mac: Mac): string {
  let text = '';
  for (let rest = mac, i = 0; i < 6; i++) {
    const byte = rest % 256;
    rest = (rest - byte) / 256;
    text = `${HEX[byte] ?? ''}${i === 0 ? '' : ':'}${text}`;
  }
  return text;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * Reads a MAC in any usual form: `02:0:5e:…` (leading zeros may lack), `02-00-…`, `0200.5e00.0001`.
 * @returns undefined when the text is not a whole MAC, in particular for a redacted one (`aa:bb:xx:xx:xx:xx`)
 */
export function parseMac(text: string): Mac | undefined {
  if (/^[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(\1[0-9a-f]{1,2}){4}$/i.test(text)) {
    return text.split(/[:-]/).reduce((mac, byte) => mac * 256 + Number.parseInt(byte, 16), 0);
  }
  if (/^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i.test(text)) return Number.parseInt(text.replaceAll('.', ''), 16);
  return undefined;
}

/** Whether a MAC is a group's (multicast or broadcast): the lowest bit of its first byte (IEEE 802). */
export function isGroupMac(mac: Mac): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) === 1;
}

/** The same for a MAC whose upper 16 bits are given. */
export function isGroupHigh(high: number): boolean {
  return (high & 0x100) !== 0;
}

/** Frames to it go to everybody. */
export const BROADCAST_MAC: Mac = 0xffff_ffff_ffff;

/**
 * Whether an address may be the broadcast address of a subnet whose mask is not known: that ends in ones. A frame to it and
 * to the broadcast MAC went to everybody in any case.
 */
export function mayBeSubnetBroadcast(ip: Ip): boolean {
  return !isIpv6(ip) && (ip & 3) === 3;
}

/** @returns the 32-bit value of a dotted quad, undefined when the text is none */
export function parseIpv4(text: string): Ip | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let value = 0;
  for (let i = 1; i <= 4; i++) {
    const byte = Number(match[i]);
    if (byte > 255) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

/** The dotted quad of a 32-bit address. */
export function formatIpv4(ip: Ip): string {
  return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
}

/** @returns the address as eight 16-bit groups, undefined when the text is not an IPv6 address (RFC 4291 section 2.2); a zone (`%eth0`) is ignored */
export function parseIpv6Groups(text: string): number[] | undefined {
  let rest = text.replace(/%.*$/s, '');
  const dotted = /^(.*:)(\d{1,3}(?:\.\d{1,3}){3})$/.exec(rest);
  if (dotted) {
    const v4 = parseIpv4(dotted[2] ?? '');
    if (v4 === undefined) return undefined;
    rest = `${dotted[1]}${(v4 >>> 16).toString(16)}:${(v4 & 0xffff).toString(16)}`;
  }
  const halves = rest.split('::');
  if (halves.length > 2) return undefined;
  const groupsOf = (half: string): number[] =>
    half === ''
      ? []
      : half.split(':').map((group) => (/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : NaN));
  const head = groupsOf(halves[0] ?? '');
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '') : [];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(halves.length === 2 ? missing : 0).fill(0), ...tail];
  return groups.some(Number.isNaN) ? undefined : groups;
}

/** The canonical text of RFC 5952: lower case, the longest run of zero groups shortened. */
export function formatIpv6Groups(groups: readonly number[]): string {
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < groups.length; i++) {
    let end = i;
    while (end < groups.length && groups[end] === 0) end++;
    if (end - i > bestLength) {
      bestStart = i;
      bestLength = end - i;
    }
    if (end > i) i = end;
  }
  const text = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (bestStart < 0) return text(groups);
  return `${text(groups.slice(0, bestStart))}::${text(groups.slice(bestStart + bestLength))}`;
}

/** Canonical text of an address in any spelling (`2001:DB8:0::1` becomes `2001:db8::1`), undefined for anything else. */
export function canonicalIp(text: string): string | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return formatIpv4(v4);
  const groups = text.includes(':') ? parseIpv6Groups(text) : undefined;
  return groups && formatIpv6Groups(groups);
}

/** Canonical text of a MAC in any spelling, undefined for anything else. */
export function canonicalMac(text: string): string | undefined {
  const mac = parseMac(text);
  return mac === undefined ? undefined : formatMac(mac);
}

/** Gives every IPv6 address of an analysis a small index, so that the hot path compares one word instead of four. */
export class AddressTable {
  private readonly table: WordTable;

  /** @param room where its words may lie */
  constructor(room?: Room) {
    this.table = new WordTable(room);
  }

  get size(): number {
    return this.table.count;
  }

  /** The index of the address of four big-endian words; a new one when it was not seen before. */
  intern(a: number, b: number, c: number, d: number): number {
    return this.table.intern(a, b, c, d);
  }

  /** The `Ip` of a text in either family, undefined when it is not an address. */
  parse(text: string): Ip | undefined {
    const v4 = parseIpv4(text);
    if (v4 !== undefined) return v4;
    const groups = text.includes(':') ? parseIpv6Groups(text) : undefined;
    if (!groups) return undefined;
    const word = (i: number): number => ((groups[i] ?? 0) << 16) | (groups[i + 1] ?? 0);
    return IPV6_BASE + this.intern(word(0), word(2), word(4), word(6));
  }

  format(ip: Ip): string {
    return isIpv6(ip) ? formatIpv6Groups(this.groups(ip)) : formatIpv4(ip);
  }

  /** The upper 16 bits of an IPv6 address. */
  firstGroup(ip: Ip): number {
    return (this.table.words[(ip - IPV6_BASE) * 4] ?? 0) >>> 16;
  }

  /** The last 32 bits of an address, signed. */
  lastWord(ip: Ip): number {
    return isIpv6(ip) ? (this.table.words[(ip - IPV6_BASE) * 4 + 3] ?? 0) : ip | 0;
  }

  /** The eight 16-bit groups of an IPv6 address. */
  groups(ip: Ip): number[] {
    const base = (ip - IPV6_BASE) * 4;
    const groups: number[] = [];
    for (let i = 0; i < 4; i++) {
      const word = this.table.words[base + i] ?? 0;
      groups.push(word >>> 16, word & 0xffff);
    }
    return groups;
  }
}
