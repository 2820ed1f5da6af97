/**
 * IP addresses to other IP addresses: one to one, prefix-preserving (two addresses that share n leading bits share
 * exactly n afterwards), and each within its own range: special stays special, private private, public public. Ranges
 * hold because no bit on the way to a special range may be turned.
 *
 * IPv6 addresses are mapped in two halves. The interface identifier is mapped alike in all networks; one that is made of
 * a MAC (EUI-64, RFC 4291 appendix A) becomes that of the mapped MAC, and is the only exception to prefixes beyond 64.
 */

import { Domain, type FixedBit, type Keyed, upperBits } from './keyed.js';

/** Four 32-bit words. */
export type Ipv6Words = readonly [number, number, number, number];

interface Range {
  readonly bits: number;
  readonly length: number;
  /** Private: mapped within itself when everything is to be hidden. */
  readonly private: boolean;
}

const range = (bits: number, length: number, isPrivate: boolean): Range => ({ bits, length, private: isPrivate });

/** RFC 1918, RFC 6598, RFC 3927; this network, loopback, multicast, reserved (RFC 6890). */
const IPV4_RANGES: readonly Range[] = [
  range(0x0a00_0000, 8, true),
  range(0x6440_0000, 10, true),
  range(0xac10_0000, 12, true),
  range(0xc0a8_0000, 16, true),
  range(0xa9fe_0000, 16, true),
  range(0x0000_0000, 8, false),
  range(0x7f00_0000, 8, false),
  range(0xe000_0000, 4, false),
  range(0xf000_0000, 4, false),
];

export class Ipv4Map {
  private readonly keyed: Keyed;
  private readonly strict: boolean;

  constructor(keyed: Keyed, strict: boolean) {
    this.keyed = keyed;
    this.strict = strict;
  }

  /** @param ip 32-bit unsigned */
  map(ip: number): number {
    const home = IPV4_RANGES.find(({ bits, length }) => ((ip ^ bits) & upperBits(length)) === 0);
    if (home && !(home.private && this.strict)) return ip;
    const fixed = (depth: number): FixedBit => {
      if (home ? depth < home.length : isOnWay(IPV4_RANGES, ip, depth)) return 'keep';
      // The address of a subnet's last host is known by its ones: they stay. One bit is always turned, so that no
      // address stays as it is.
      if (depth === 29) return 'turn';
      return depth === 30 || (depth === 31 && (ip & 2) !== 0) ? 'keep' : undefined;
    };
    return this.keyed.tree(Domain.IPV4, 0, ip, 32, fixed)[1];
  }
}

const LINK_LOCAL = range(0xfe80_0000, 10, true);
const UNIQUE_LOCAL = range(0xfc00_0000, 8, true);
const UNIQUE_LOCAL_ASSIGNED = range(0xfd00_0000, 8, true);
const SITE_LOCAL = range(0xfec0_0000, 10, true);
const MULTICAST = range(0xff00_0000, 8, false);
const TEREDO = range(0x2001_0000, 32, false);
const SIX_TO_FOUR = range(0x2002_0000, 16, false);
const NAT64 = range(0x0064_ff9b, 32, false);
/** `::/32`: unspecified, loopback, and what holds an IPv4 address. */
const ZERO = range(0, 32, false);

/** By their first 32 bits. */
const IPV6_RANGES: readonly Range[] = [
  LINK_LOCAL,
  UNIQUE_LOCAL,
  UNIQUE_LOCAL_ASSIGNED,
  SITE_LOCAL,
  MULTICAST,
  TEREDO,
  SIX_TO_FOUR,
  NAT64,
  ZERO,
];

const SOLICITED_NODE = 1;
const NODE_INFORMATION = 2;
/** ISATAP (RFC 5214 section 6.1), with the universal bit off and on. */
const ISATAP: readonly number[] = [0x0000_5efe, 0x0200_5efe];

export interface Ipv6MapOptions {
  readonly strict: boolean;
  readonly ipv4: (ip: number) => number;
  readonly mac: (mac: number) => number;
}

export class Ipv6Map {
  private readonly keyed: Keyed;
  private readonly options: Ipv6MapOptions;

  constructor(keyed: Keyed, options: Ipv6MapOptions) {
    this.keyed = keyed;
    this.options = options;
  }

  map(words: Ipv6Words): Ipv6Words {
    const [a, b, c, d] = words;
    const home = homeOf(a);
    const { ipv4, strict } = this.options;
    if (home === MULTICAST) return this.multicast(words);
    if (home === ZERO || home === NAT64) return b === 0 ? [a, b, c, ipv4(d)] : [a, b, ...this.host(c, d, true)];
    if (home?.private) {
      const [high, low] = strict ? this.network(a, b) : [a, b];
      const [hostHigh, hostLow] = this.host(c, d, strict);
      return [high, low, hostHigh, hostLow];
    }
    return [...this.network(a, b), ...this.host(c, d, true)];
  }

  /** The last 24 bits of a solicited-node group (RFC 4291 section 2.7.1). */
  solicited(low: number): number {
    return this.keyed.tree(Domain.SOLICITED, 0, low, 24, noRule)[1];
  }

  /** The upper 64 bits. */
  private network(a: number, b: number): readonly [number, number] {
    const home = homeOf(a);
    const { ipv4, strict } = this.options;
    if (home?.private && (!strict || home === LINK_LOCAL)) return [a, b];
    if (home === TEREDO) return [a, ipv4(b)];
    if (home === SIX_TO_FOUR) {
      const router = ipv4((((a & 0xffff) << 16) | (b >>> 16)) >>> 0);
      return [(0x2002_0000 | (router >>> 16)) >>> 0, (((router & 0xffff) << 16) | (b & 0xffff)) >>> 0];
    }
    const fixed = (depth: number): FixedBit => {
      if (home ? depth < home.length : depth < 32 && isOnWay(IPV6_RANGES, a, depth)) return 'keep';
      return depth === 63 ? 'turn' : undefined;
    };
    return this.keyed.tree(Domain.IPV6_NETWORK, a, b, 64, fixed);
  }

  /** The interface identifier; `hide`: also one that tells of no MAC. */
  private host(high: number, low: number, hide: boolean): readonly [number, number] {
    if (isEui64(high, low)) return this.eui64(high, low);
    if (ISATAP.includes(high)) return [high, this.options.ipv4(low)];
    if (!hide) return [high, low];
    const fixed = (depth: number): FixedBit => {
      if (depth === 63) return 'turn';
      const onIsatap = depth < 32 && ISATAP.some((mark) => ((mark ^ high) & upperBits(depth)) === 0);
      return onIsatap || (depth >= 24 && depth < 40 && isOnEui64(high, low, depth)) ? 'keep' : undefined;
    };
    return this.keyed.tree(Domain.IPV6_HOST, high, low, 64, fixed);
  }

  private eui64(high: number, low: number): readonly [number, number] {
    const mac = ((high >>> 8) ^ 0x02_0000) * 0x100_0000 + (low & 0xff_ffff);
    const image = this.options.mac(mac);
    const oui = Math.floor(image / 0x100_0000) ^ 0x02_0000;
    return [((oui << 8) | 0xff) >>> 0, (0xfe00_0000 | (image % 0x100_0000)) >>> 0];
  }

  private multicast([a, b, c, d]: Ipv6Words): Ipv6Words {
    const isHostGroup = b === 0 && (c === SOLICITED_NODE || c === NODE_INFORMATION) && d >>> 24 === 0xff;
    if (isHostGroup) return [a, b, c, (0xff00_0000 | this.solicited(d & 0xff_ffff)) >>> 0];
    // Groups that are made of a network's prefix (RFC 3306, RFC 3956).
    if ((a & 0x0020_0000) === 0) return [a, b, c, d];
    const length = Math.min(a & 0xff, 64);
    const [high, low] = this.network(b, c);
    const upper = upperBits(length);
    const lower = upperBits(length - 32);
    return [a, ((high & upper) | (b & ~upper)) >>> 0, ((low & lower) | (c & ~lower)) >>> 0, d];
  }
}

/** Whether an interface identifier is made of a MAC. */
export function isEui64(high: number, low: number): boolean {
  return (high & 0xff) === 0xff && low >>> 24 === 0xfe;
}

function noRule(): FixedBit {
  return undefined;
}

function homeOf(first: number): Range | undefined {
  return IPV6_RANGES.find(({ bits, length }) => ((first ^ bits) & upperBits(length)) === 0);
}

/** Whether a range begins with the first `depth` bits of the address and goes on: the next bit parts them. */
function isOnWay(ranges: readonly Range[], address: number, depth: number): boolean {
  return ranges.some(({ bits, length }) => depth < length && ((address ^ bits) & upperBits(depth)) === 0);
}

/** Whether the bits from 24 up to `depth` (at most 40) begin as the mark of EUI-64, `ff:fe`. */
function isOnEui64(high: number, low: number, depth: number): boolean {
  const middle = ((high & 0xff) << 8) | (low >>> 24);
  const seen = depth - 24;
  return ((middle ^ 0xfffe) & 0xffff) >>> (16 - seen) === 0;
}
