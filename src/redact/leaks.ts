/**
 * The last check: whether an original address stands in an output after all, as bytes in either order, as the interface
 * identifier made of a MAC, or as text. It knows nothing of formats and repeats nothing of the redaction's own work.
 */

import { formatMac, parseIpv4, parseIpv6Groups } from '../bytes/address.js';
import { type AddressMapping, formatWords, ipv6Key, wordsOf } from './mapping.js';
import { Kind } from './rewrite.js';
import type { Ipv6Words } from './ip-map.js';

const IPV4 = 1;
const MAC = 2;
const IPV6 = 4;
const EUI64 = 8;

export class LeakScan {
  /** Originals that were changed; every key leads to its text. */
  private readonly ipv4s = new Map<number, string>();
  /** Without those in reversed order of bytes, which nobody writes as text. */
  private readonly textIpv4s = new Set<number>();
  private readonly macs = new Map<number, string>();
  private readonly ipv6s = new Map<string, string>();
  /** Those of them that bytes and bare digits are searched for, in both orders of bytes. */
  private readonly byteMacs = new Map<number, string>();
  private readonly byteIpv6s = new Map<string, string>();
  /** What others became: where an image stands, it is that image. */
  private readonly ipv4Images = new Set<number>();
  private readonly macImages = new Set<number>();
  private readonly ipv6Images = new Set<string>();
  /** By the first two bytes: which kinds may begin with them. */
  private readonly filter = new Uint8Array(0x1_0000);

  /** Takes the originals that the mapping has met so far. */
  constructor(mapping: AddressMapping) {
    for (const [original, image] of mapping.ipv4s) this.addIpv4(original, image);
    for (const [original, image] of mapping.macs) this.addMac(original, image);
    for (const [original, image] of mapping.ipv6s) this.addIpv6(original, image);
  }

  /**
   * Looks into bytes.
   * @param kinds what each byte is, where that is known: numbers may look like an IPv4 address by chance, which is four
   * bytes only. Without it, IPv4 addresses are not looked for.
   * @returns the first original found, as text
   */
  inBytes(bytes: Uint8Array, kinds?: Uint8Array): string | undefined {
    const { filter } = this;
    for (let i = 0; i + 4 <= bytes.length; i++) {
      const wanted = filter[((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)] ?? 0;
      if (wanted === 0) continue;
      const found = this.at(bytes, i, wanted, kinds);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Looks into text. @returns the first original found */
  inText(text: string): string | undefined {
    for (const [token] of text.matchAll(/\d{1,3}(?:\.\d{1,5}){3,}/g)) {
      const parts = token.split('.');
      for (let i = 0; i + 4 <= parts.length; i++) {
        const ip = parseIpv4(parts.slice(i, i + 4).join('.'));
        if (ip !== undefined && this.textIpv4s.has(ip) && !this.ipv4Images.has(ip)) return this.ipv4s.get(ip);
      }
    }
    for (const [token] of text.matchAll(/[0-9a-f]{1,2}(?:[:-][0-9a-f]{1,2}){5,}/gi)) {
      const pairs = token.split(/[:-]/);
      for (let i = 0; i + 6 <= pairs.length; i++) {
        const found = this.mac(pairs.slice(i, i + 6).reduce((mac, pair) => mac * 256 + Number.parseInt(pair, 16), 0));
        if (found !== undefined) return found;
      }
    }
    for (const [token] of text.matchAll(/[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}|[0-9a-f]{12,}/gi)) {
      const found = this.inDigits(token.replaceAll('.', ''));
      if (found !== undefined) return found;
    }
    for (const [token] of text.matchAll(/[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}/gi)) {
      const groups = parseIpv6Groups(token.replace(/(?<!:):$/, '').replace(/^:(?!:)/, ''));
      const found = groups && this.ipv6(ipv6Key(wordsOf(groups)));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private inDigits(digits: string): string | undefined {
    for (let i = 0; i + 12 <= digits.length; i++) {
      if (((this.filter[Number.parseInt(digits.slice(i, i + 4), 16)] ?? 0) & (MAC | IPV6)) === 0) continue;
      const mac = Number.parseInt(digits.slice(i, i + 12), 16);
      if (this.byteMacs.has(mac) && !this.macImages.has(mac)) return this.byteMacs.get(mac);
      if (i + 32 > digits.length) continue;
      const groups = (digits.slice(i, i + 32).match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16));
      const key = ipv6Key(wordsOf(groups));
      if (this.byteIpv6s.has(key) && !this.ipv6Images.has(key)) return this.byteIpv6s.get(key);
    }
    return undefined;
  }

  private at(bytes: Uint8Array, i: number, wanted: number, kinds: Uint8Array | undefined): string | undefined {
    const isStart = kinds === undefined || kinds[i] === Kind.ADDRESS_START;
    const left = bytes.length - i;
    if (wanted & MAC && left >= 6) {
      const mac = be(bytes, i, 2) * 0x1_0000_0000 + be(bytes, i + 2, 4);
      const found = this.byteMacs.get(mac);
      if (found !== undefined && !(isStart && this.macImages.has(mac))) return found;
    }
    if (wanted & EUI64 && left >= 8 && bytes[i + 3] === 0xff && bytes[i + 4] === 0xfe) {
      const mac = (be(bytes, i, 3) ^ 0x02_0000) * 0x100_0000 + be(bytes, i + 5, 3);
      const found = this.byteMacs.get(mac);
      if (found !== undefined && !this.macImages.has(mac)) return found;
    }
    if (wanted & IPV6 && left >= 16) {
      const key = ipv6Key([be(bytes, i, 4), be(bytes, i + 4, 4), be(bytes, i + 8, 4), be(bytes, i + 12, 4)]);
      const found = this.byteIpv6s.get(key);
      if (found !== undefined && !(isStart && this.ipv6Images.has(key))) return found;
    }
    if (wanted & IPV4 && kinds !== undefined) {
      const ip = be(bytes, i, 4);
      const found = this.ipv4s.get(ip);
      if (found !== undefined && !(isStart && this.ipv4Images.has(ip)) && !isKnown(bytes, kinds, i)) return found;
    }
    return undefined;
  }

  private mac(mac: number): string | undefined {
    return this.macImages.has(mac) ? undefined : this.macs.get(mac);
  }

  private ipv6(key: string): string | undefined {
    return this.ipv6Images.has(key) ? undefined : this.ipv6s.get(key);
  }

  private addIpv4(original: number, image: number): void {
    this.ipv4Images.add(image);
    if (image === original) return;
    const text = [24, 16, 8, 0].map((shift) => (original >>> shift) & 255).join('.');
    this.textIpv4s.add(original);
    for (const value of [original, reversed(original, 4)]) {
      this.ipv4s.set(value, text);
      this.want(Math.floor(value / 0x1_0000), IPV4);
    }
  }

  private addMac(original: number, image: number): void {
    this.macImages.add(image);
    if (image === original) return;
    const text = formatMac(original);
    this.macs.set(original, text);
    if (distinctBytes([original]) <= PLAIN) return;
    for (const value of [original, reversed(original, 6)]) {
      this.byteMacs.set(value, text);
      this.want(Math.floor(value / 0x1_0000_0000), MAC);
    }
    this.want(Math.floor(original / 0x1_0000_0000) ^ 0x0200, EUI64);
  }

  private addIpv6(original: string, image: Ipv6Words): void {
    const imageKey = ipv6Key(image);
    this.ipv6Images.add(imageKey);
    if (imageKey === original) return;
    const [a = 0, b = 0, c = 0, d = 0] = original.split(',').map(Number);
    const words: Ipv6Words = [a, b, c, d];
    const backwards: Ipv6Words = [reversed(d, 4), reversed(c, 4), reversed(b, 4), reversed(a, 4)];
    const text = formatWords(words);
    this.ipv6s.set(original, text);
    if (distinctBytes(words) <= PLAIN) return;
    for (const value of [words, backwards]) {
      this.byteIpv6s.set(ipv6Key(value), text);
      this.want(value[0] >>> 16, IPV6);
    }
  }

  private want(start: number, kind: number): void {
    this.filter[start] = (this.filter[start] ?? 0) | kind;
  }
}

/**
 * Addresses with no more different bytes than these, apart from 0 and 255: numbers look like them every now and then, so
 * that bytes are not searched for them.
 */
const PLAIN = 2;

function distinctBytes(values: readonly number[]): number {
  const found = new Set<number>();
  for (const value of values) {
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) found.add(rest % 256);
  }
  found.delete(0);
  found.delete(255);
  return found.size;
}

/** Whether all of four bytes were written as numbers or images, or left as zeros. */
function isKnown(bytes: Uint8Array, kinds: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 4; i++) if ((kinds[i] ?? Kind.BLANK) === Kind.BLANK && bytes[i] !== 0) return false;
  return true;
}

/** `count` bytes as a big-endian number. */
function be(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

function reversed(value: number, count: number): number {
  let result = 0;
  for (let i = 0, rest = value; i < count; i++, rest = Math.floor(rest / 256)) result = result * 256 + (rest % 256);
  return result;
}
