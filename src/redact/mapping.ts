/** One mapping for a whole run: every address that any input or output of it holds, and what it became. */

import { formatIpv4, formatIpv6Groups, formatMac, type Mac, parseIpv4, parseIpv6Groups } from '../bytes/address.js';
import { Ipv4Map, Ipv6Map, type Ipv6Words } from './ip-map.js';
import { Keyed, upperBits } from './keyed.js';
import { MacMap } from './mac-map.js';

export type RedactionLevel = 'default' | 'strict';

export interface MappingOptions {
  /** `strict` replaces private addresses (RFC 1918, RFC 6598, RFC 4193, link-local) too, each within its range. */
  readonly level: RedactionLevel;
  /** The first three bytes of MACs stay. */
  readonly keepOui: boolean;
}

/** Memory grows with the number of different addresses and nothing else. */
export class AddressMapping {
  readonly level: RedactionLevel;
  /** What became of each address that was asked for; addresses that stay as they are, are in it too. */
  readonly ipv4s = new Map<number, number>();
  readonly macs = new Map<Mac, Mac>();
  /** Keys are `ipv6Key` of the address. */
  readonly ipv6s = new Map<string, Ipv6Words>();
  private readonly ipv4Map: Ipv4Map;
  private readonly ipv6Map: Ipv6Map;
  private readonly macMap: MacMap;

  /** @param key secret bytes: the same key gives the same mapping */
  constructor(key: Uint8Array, { level, keepOui }: MappingOptions) {
    const keyed = new Keyed(key);
    this.level = level;
    const ipv4 = (ip: number): number => this.ipv4(ip);
    this.ipv4Map = new Ipv4Map(keyed, level === 'strict');
    this.ipv6Map = new Ipv6Map(keyed, { strict: level === 'strict', ipv4, mac: (mac) => this.mac(mac) });
    this.macMap = new MacMap(keyed, { keepOui, ipv4, solicited: (low) => this.ipv6Map.solicited(low) });
  }

  mac(mac: Mac): Mac {
    let image = this.macs.get(mac);
    if (image === undefined) this.macs.set(mac, (image = this.macMap.map(mac)));
    return image;
  }

  /** @param ip 32-bit unsigned */
  ipv4(ip: number): number {
    let image = this.ipv4s.get(ip);
    if (image === undefined) this.ipv4s.set(ip, (image = this.ipv4Map.map(ip)));
    return image;
  }

  ipv6(words: Ipv6Words): Ipv6Words {
    const key = ipv6Key(words);
    let image = this.ipv6s.get(key);
    if (image === undefined) this.ipv6s.set(key, (image = this.ipv6Map.map(words)));
    return image;
  }

  /** The network of `length` bits that the addresses of this one are in afterwards. */
  ipv6Network(words: Ipv6Words, length: number): Ipv6Words {
    const [a, b, c, d] = this.ipv6(words);
    const part = (word: number, position: number): number => (word & upperBits(length - 32 * position)) >>> 0;
    return [part(a, 0), part(b, 1), part(c, 2), part(d, 3)];
  }

  /** The same of an IPv4 network. */
  ipv4Network(ip: number, length: number): number {
    return (this.ipv4(ip) & upperBits(length)) >>> 0;
  }

  /** Canonical text of what a canonical MAC became; text that is none stays. */
  macText(text: string): string {
    return /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(text)
      ? formatMac(this.mac(Number.parseInt(text.replaceAll(':', ''), 16)))
      : text;
  }

  /** Canonical text of what an address in any spelling became; text that is none stays. */
  ipText(text: string): string {
    const v4 = parseIpv4(text);
    if (v4 !== undefined) return formatIpv4(this.ipv4(v4));
    const groups = text.includes(':') ? parseIpv6Groups(text) : undefined;
    return groups ? formatWords(this.ipv6(wordsOf(groups))) : text;
  }
}

/** Key of an address in a map. */
export function ipv6Key([a, b, c, d]: Ipv6Words): string {
  return `${a},${b},${c},${d}`;
}

/** Four words of eight groups. */
export function wordsOf(groups: readonly number[]): Ipv6Words {
  const word = (i: number): number => (((groups[i] ?? 0) << 16) | (groups[i + 1] ?? 0)) >>> 0;
  return [word(0), word(2), word(4), word(6)];
}

/** Canonical text (RFC 5952). */
export function formatWords(words: Ipv6Words): string {
  return formatIpv6Groups(words.flatMap((word) => [word >>> 16, word & 0xffff]));
}
