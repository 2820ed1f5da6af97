/** Text with every address in it replaced: MACs, IPv4 and IPv6 addresses and networks, in all usual spellings. */

import { formatIpv4, formatMac, parseIpv4, parseIpv6Groups, parseMac } from '../bytes/address.js';
import { type AddressMapping, formatWords, wordsOf } from './mapping.js';

/** Everything that may be an address; which it is, if any, is found out then. */
const CANDIDATE = new RegExp(
  [
    // Runs of hexadecimal digits with two colons at least, and perhaps a dotted end.
    '(?<![0-9A-Fa-f:])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]*(?:(?:\\.\\d{1,5}){1,4}(?!\\d))?',
    // Pairs of them with dashes.
    '(?<![0-9A-Fa-f])[0-9A-Fa-f]{1,2}(?:-[0-9A-Fa-f]{1,2}){5,}(?![0-9A-Fa-f])',
    // Groups of four with dots.
    '(?<![0-9A-Fa-f])[0-9A-Fa-f]{4}(?:\\.[0-9A-Fa-f]{4}){2}(?![0-9A-Fa-f])',
    // Dotted numbers.
    '(?<!\\d)\\d{1,3}(?:\\.\\d{1,5}){3,4}(?!\\d)',
    // Long bare hexadecimal numbers, also at the end of a device's name (`enx9483c4100001`).
    '(?<![0-9A-Fa-f])(?:0x)?[0-9A-Fa-f]{8,}(?![0-9A-Fa-f])',
  ].join('|'),
  'g',
);

export class TextRedactor {
  private readonly mapping: AddressMapping;
  private readonly names = new Map<string, string>();
  private namesPattern: RegExp | undefined;

  constructor(mapping: AddressMapping) {
    this.mapping = mapping;
  }

  /** From now on `name` is replaced wherever it stands as a word of its own. */
  addName(name: string, replacement: string): void {
    if (name.length < 2 || this.names.has(name)) return;
    this.names.set(name, replacement);
    this.namesPattern = undefined;
  }

  /** @returns the text with every address replaced by its image in the same spelling, and every known name */
  redact(text: string): string {
    const plain = text.replace(CANDIDATE, (token, at: number) => this.token(token, text, at));
    return this.names.size === 0 ? plain : plain.replace(this.pattern(), (name) => this.names.get(name) ?? name);
  }

  /** @returns the first known name that stands in the bytes */
  nameIn(bytes: Uint8Array): string | undefined {
    if (this.names.size === 0) return undefined;
    const pattern = this.pattern();
    pattern.lastIndex = 0;
    return pattern.exec(new TextDecoder().decode(bytes))?.[0];
  }

  private token(token: string, text: string, at: number): string {
    if (token.includes(':')) return this.colons(token, text, at);
    if (token.includes('-')) return this.pairs(token, '-');
    if (!token.includes('.')) return this.bare(token);
    if (/^[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2}$/.test(token) && parseIpv4(token) === undefined) {
      const digits = this.mac(parseMac(token) ?? 0).replaceAll(':', '');
      return respell(digits.replace(/(....)(?=.)/g, '$1.'), token);
    }
    return this.dotted(token, text, at);
  }

  /** `192.0.2.1`, `192.0.2.1.53` as tcpdump prints a port, `192.0.2.0/24`. */
  private dotted(token: string, text: string, at: number): string {
    const parts = token.split('.');
    const ip = parseIpv4(parts.slice(0, 4).join('.'));
    if (ip === undefined) return token;
    const port = parts.length > 4 ? `.${parts.slice(4).join('.')}` : '';
    const length = port === '' ? prefixLength(text, at + token.length, 32) : undefined;
    // A network is written without the bits of hosts.
    const isNetwork = length !== undefined && length < 32 && ip % 2 ** (32 - length) === 0;
    const image = isNetwork ? this.mapping.ipv4Network(ip, length) : this.mapping.ipv4(ip);
    return `${formatIpv4(image)}${port}`;
  }

  private colons(token: string, text: string, at: number): string {
    // A colon may end a clause, as after an address in the print of tcpdump, or begin a port.
    const head = /^:(?!:)/.test(token) ? ':' : '';
    const tail = /[^:]:$/.test(token) ? ':' : '';
    const core = token.slice(head.length, token.length - tail.length);
    const pairs = core.split(':');
    if (!core.includes('.') && pairs.length >= 6 && pairs.every((pair) => /^[0-9A-Fa-f]{1,2}$/.test(pair))) {
      return head + this.pairs(core, ':') + tail;
    }
    const image = this.ipv6(core, text, at + head.length + core.length) ?? this.ipv6Port(core);
    if (image !== undefined) return head + image + tail;
    // A word or number before an address: `ip:192.0.2.1`.
    const plain = token.replace(/[0-9A-Fa-f]{8,}/g, (digits) => this.bare(digits));
    return plain.replace(/(?<!\d)\d{1,3}(?:\.\d{1,5}){3,4}(?!\d)/g, (dotted, from: number) =>
      this.dotted(dotted, text, at + from),
    );
  }

  private ipv6(core: string, text: string, end: number): string | undefined {
    const groups = core.includes(':') ? parseIpv6Groups(core) : undefined;
    if (!groups) return undefined;
    const words = wordsOf(groups);
    const length = prefixLength(text, end, 128);
    const isNetwork = length !== undefined && length < 128 && hasNoHostBits(words, length);
    const image = formatWords(isNetwork ? this.mapping.ipv6Network(words, length) : this.mapping.ipv6(words));
    const isFull = /^[0-9A-Fa-f]{4}(?::[0-9A-Fa-f]{4}){7}$/.test(core);
    return isFull ? fullForm(image) : image;
  }

  /** `2001:db8::1.53`, as tcpdump prints a port. */
  private ipv6Port(core: string): string | undefined {
    const dot = core.lastIndexOf('.');
    if (dot < 0) return undefined;
    const address = this.ipv6(core.slice(0, dot), '', 0);
    return address === undefined ? undefined : address + core.slice(dot);
  }

  /** A MAC; more pairs are an identifier that may hold one: zeros are left of it. */
  private pairs(token: string, separator: string): string {
    const mac = parseMac(token);
    if (mac === undefined) return token.replace(/[0-9A-Fa-f]+/g, (pair) => '0'.repeat(pair.length));
    return respell(this.mac(mac).replaceAll(':', separator), token);
  }

  /** A bare hexadecimal number that an address was seen to be. */
  private bare(token: string): string {
    const { mapping } = this;
    const prefix = /^0x/i.test(token) ? token.slice(0, 2) : '';
    const digits = token.slice(prefix.length);
    if (digits.length === 8) {
      const value = Number.parseInt(digits, 16);
      const swapped = swap(value);
      if (mapping.ipv4s.has(value)) return prefix + respell(hex(mapping.ipv4(value), 8), digits);
      return mapping.ipv4s.has(swapped) ? prefix + respell(hex(swap(mapping.ipv4(swapped)), 8), digits) : token;
    }
    if (digits.length === 12) {
      const mac = Number.parseInt(digits, 16);
      return mapping.macs.has(mac) ? prefix + respell(hex(mapping.mac(mac), 12), digits) : token;
    }
    if (digits.length === 32) {
      const image = this.ipv6((digits.match(/.{4}/g) ?? []).join(':'), '', 0);
      const isAddress = /^(?:fe[89ab]|f[cd]|ff|2[0-9a-f]|3)/i.test(digits);
      return isAddress && image !== undefined ? prefix + respell(image.replaceAll(':', ''), digits) : token;
    }
    return holdsMac(digits, mapping) ? prefix + '0'.repeat(digits.length) : token;
  }

  private mac(mac: number): string {
    return formatMac(this.mapping.mac(mac));
  }

  private pattern(): RegExp {
    if (!this.namesPattern) {
      const names = [...this.names.keys()].sort((a, b) => b.length - a.length).map(escapePattern);
      this.namesPattern = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${names.join('|')})(?![\\p{L}\\p{N}_])`, 'gu');
    }
    return this.namesPattern;
  }
}

/** Whether a long hexadecimal number (a DUID, say) holds a MAC that was seen, or the identifier made of one. */
function holdsMac(digits: string, { macs }: AddressMapping): boolean {
  const changes = (mac: number): boolean => (macs.get(mac) ?? mac) !== mac;
  for (let i = 0; i + 12 <= digits.length; i++) {
    if (changes(Number.parseInt(digits.slice(i, i + 12), 16))) return true;
    if (digits.slice(i + 6, i + 10).toLowerCase() !== 'fffe') continue;
    const made = Number.parseInt(digits.slice(i, i + 6) + digits.slice(i + 10, i + 16), 16);
    if (changes(made) || changes(flipUniversal(made))) return true;
  }
  return false;
}

function flipUniversal(mac: number): number {
  return Math.floor(mac / 0x0200_0000_0000) % 2 === 1 ? mac - 0x0200_0000_0000 : mac + 0x0200_0000_0000;
}

/** The length in `/24` at `at`, when there is one. */
function prefixLength(text: string, at: number, most: number): number | undefined {
  if (text[at] !== '/') return undefined;
  const digits = /^\d{1,3}(?![\d.])/.exec(text.slice(at + 1, at + 6))?.[0];
  const length = digits === undefined ? NaN : Number(digits);
  return length <= most ? length : undefined;
}

function hasNoHostBits(words: readonly number[], length: number): boolean {
  return words.every((word, i) => {
    const kept = Math.min(Math.max(length - 32 * i, 0), 32);
    return kept === 32 || word % 2 ** (32 - kept) === 0;
  });
}

/** In capitals, if the original was. */
function respell(image: string, original: string): string {
  return /[A-F]/.test(original) ? image.toUpperCase() : image;
}

/** Eight groups of four digits, as /proc/net/nf_conntrack prints them. */
function fullForm(address: string): string {
  return (parseIpv6Groups(address) ?? []).map((group) => hex(group, 4)).join(':');
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

function swap(value: number): number {
  return (((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24)) >>> 0;
}

function escapePattern(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
