import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isGroupMac, parseIpv4 } from '../../src/bytes/address.js';
import { isClusterMac } from '../../src/diagnose/cluster.js';
import { isEui64, type Ipv6Words } from '../../src/redact/ip-map.js';
import { AddressMapping, type MappingOptions } from '../../src/redact/mapping.js';

const KEY = new TextEncoder().encode('a key of some length, for tests');

function mappingOf(options: Partial<MappingOptions> = {}, key = KEY): AddressMapping {
  return new AddressMapping(key, { level: 'default', keepOui: false, ...options });
}

const ip = (text: string): number => parseIpv4(text) ?? NaN;
const ipv4 = fc.nat({ max: 0xffff_ffff });
const word = fc.nat({ max: 0xffff_ffff });
const mac = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffffn }).map(Number);

/** Ranges that must stay themselves, written apart from those of the program. */
const IPV4_CLASSES: readonly (readonly [name: string, first: string, last: string, isPrivate: boolean])[] = [
  ['this network', '0.0.0.0', '0.255.255.255', false],
  ['10/8', '10.0.0.0', '10.255.255.255', true],
  ['shared', '100.64.0.0', '100.127.255.255', true],
  ['loopback', '127.0.0.0', '127.255.255.255', false],
  ['link-local', '169.254.0.0', '169.254.255.255', true],
  ['172.16/12', '172.16.0.0', '172.31.255.255', true],
  ['192.168/16', '192.168.0.0', '192.168.255.255', true],
  ['multicast', '224.0.0.0', '239.255.255.255', false],
  ['reserved', '240.0.0.0', '255.255.255.255', false],
];

function classOf(address: number): string {
  return IPV4_CLASSES.find(([, first, last]) => address >= ip(first) && address <= ip(last))?.[0] ?? 'public';
}

/** An address of any class, those at the borders often. */
const anyIpv4 = fc.oneof(
  ipv4,
  fc
    .constantFrom(...IPV4_CLASSES.flatMap(([, first, last]) => [ip(first), ip(last), ip(first) - 1, ip(last) + 1]))
    .map((n) => Math.min(Math.max(n, 0), 0xffff_ffff)),
  fc
    .tuple(fc.constantFrom(...IPV4_CLASSES), fc.nat({ max: 0xff_ffff }))
    .map(([[, first, last], n]) => Math.min(ip(first) + n, ip(last))),
);

const sharedBits = (a: number, b: number): number => Math.clz32((a ^ b) >>> 0);

describe.each(['default', 'strict'] as const)('the mapping of IPv4 addresses, %s', (level) => {
  const mapping = mappingOf({ level });

  it('preserves prefixes exactly, and is one to one with that', () => {
    const near = fc.tuple(anyIpv4, fc.nat({ max: 31 }), ipv4).map(([a, bit, noise]) => {
      const b = (a ^ (1 << (31 - bit)) ^ (noise & ((1 << (31 - bit)) - 1))) >>> 0;
      return [a, b] as const;
    });
    fc.assert(
      fc.property(near, ([a, b]) => {
        expect(sharedBits(mapping.ipv4(a), mapping.ipv4(b))).toBe(sharedBits(a, b));
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps the class of each address, and the private ones as asked', () => {
    fc.assert(
      fc.property(anyIpv4, (a) => {
        const image = mapping.ipv4(a);
        const name = classOf(a);
        expect(classOf(image)).toBe(name);
        const isPrivate = IPV4_CLASSES.find((entry) => entry[0] === name)?.[3];
        const stays = name !== 'public' && (level === 'default' || isPrivate !== true);
        expect(image === a).toBe(stays);
      }),
      { numRuns: 3000 },
    );
  });

  it("keeps the ones at the end by which a subnet's last address is known", () => {
    fc.assert(
      fc.property(anyIpv4, (a) => {
        expect((mapping.ipv4(a) & 3) === 3).toBe((a & 3) === 3);
      }),
    );
  });
});

const wordsFrom = (text: string): Ipv6Words => {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(' ').map((part) => Number.parseInt(part, 16));
  return [a, b, c, d];
};
const anyIpv6 = fc
  .tuple(
    fc.oneof(
      word,
      fc.constantFrom(
        0,
        0x20010db8,
        0x20010000,
        0x2a020000,
        0x2002cb00,
        0xfe800000,
        0xfec00000,
        0xfd000000,
        0xfc000001,
        0x64ff9b,
        0x64ff9c,
        0xff020000,
      ),
    ),
    fc.oneof(word, fc.constant(0)),
    fc.oneof(
      word,
      fc.constantFrom(0, 1, 0xffff, 0x5efe, 0x02005efe),
      word.map((n) => (n | 0xff) >>> 0),
    ),
    fc.oneof(
      word,
      fc.constantFrom(1, 0xff123456),
      word.map((n) => (0xfe000000 | (n & 0xffffff)) >>> 0),
    ),
  )
  .map((words): Ipv6Words => words);

function sharedBits6(a: Ipv6Words, b: Ipv6Words): number {
  for (const i of [0, 1, 2, 3] as const) if (a[i] !== b[i]) return 32 * i + sharedBits(a[i], b[i]);
  return 128;
}

function class6([a, b]: Ipv6Words): string {
  if (a >>> 24 === 0xff) return 'multicast';
  if (a >>> 22 === 0xfe80 >>> 6) return 'link-local';
  if (a >>> 22 === 0xfec0 >>> 6) return 'site-local';
  if (a >>> 25 === 0x7e) return 'unique local';
  if (a === 0x64ff9b) return 'NAT64';
  if (a >>> 16 === 0x2002) return '6to4';
  if (a === 0x20010000) return 'Teredo';
  return a === 0 && b === 0 ? 'zero' : a === 0 ? 'reserved' : 'public';
}

describe.each(['default', 'strict'] as const)('the mapping of IPv6 addresses, %s', (level) => {
  const mapping = mappingOf({ level });

  it('preserves prefixes: up to 64 bits always, beyond for all that are not made of a MAC', () => {
    const near = fc.tuple(anyIpv6, fc.nat({ max: 127 })).map(([a, bit]): [Ipv6Words, Ipv6Words] => {
      const b = a.map((part, i) => (i === bit >> 5 ? (part ^ (1 << (31 - (bit & 31)))) >>> 0 : part));
      return [a, [b[0] ?? 0, b[1] ?? 0, b[2] ?? 0, b[3] ?? 0]];
    });
    fc.assert(
      fc.property(near, ([a, b]) => {
        fc.pre(class6(a) !== 'multicast' && class6(b) !== 'multicast');
        const before = sharedBits6(a, b);
        const after = sharedBits6(mapping.ipv6(a), mapping.ipv6(b));
        const isMade = isEui64(a[2], a[3]) || isEui64(b[2], b[3]);
        // In kept networks identifiers stay where they tell of nothing, next to mapped ones.
        if (before >= 64 && isMade) expect(after).toBeGreaterThanOrEqual(64);
        else expect(after).toBe(before);
      }),
      { numRuns: 5000 },
    );
  });

  it('is one to one and keeps the class', () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(anyIpv6, (a) => {
        const image = mapping.ipv6(a);
        expect(class6(image)).toBe(class6(a));
        if (!['multicast', 'zero', 'NAT64'].includes(class6(a)))
          expect(isEui64(image[2], image[3])).toBe(isEui64(a[2], a[3]));
        if (class6(a) === 'public') expect(image).not.toEqual(a);
        const key = image.join();
        expect(seen.get(key) ?? a.join()).toBe(a.join());
        seen.set(key, a.join());
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['64ff9b 0 0 cb007105', '203.0.113.5', 3],
    ['0 0 ffff cb007105', '203.0.113.5', 3],
    ['fe800000 0 5efe cb007105', '203.0.113.5', 3],
  ])('maps the IPv4 address in %s as such', (text, address, at) => {
    const words = wordsFrom(text);
    const image = mapping.ipv6(words);
    expect(image[at]).toBe(mapping.ipv4(ip(address)));
    expect(image.slice(0, at)).toEqual(words.slice(0, at));
  });

  it('maps the IPv4 address of 6to4', () => {
    const image = mapping.ipv6(wordsFrom('2002cb00 71050001 0 1'));
    const router = mapping.ipv4(ip('203.0.113.5'));
    expect([image[0], image[1]]).toEqual([0x2002_0000 + (router >>> 16), (((router & 0xffff) << 16) | 1) >>> 0]);
  });

  it('makes an EUI-64 identifier that of the mapped MAC, and leaks it nowhere', () => {
    fc.assert(
      fc.property(mac, fc.constantFrom(0xfe80_0000, 0xfd00_0000, 0x2a02_1234), (m, network) => {
        fc.pre(!isGroupMac(m) && m > 0x100_0000_0000);
        const oui = Math.floor(m / 0x100_0000) ^ 0x02_0000;
        const words: Ipv6Words = [network, 0, ((oui << 8) | 0xff) >>> 0, (0xfe00_0000 | (m % 0x100_0000)) >>> 0];
        const [, , high, low] = mapping.ipv6(words);
        const image = ((high >>> 8) ^ 0x02_0000) * 0x100_0000 + (low & 0xff_ffff);
        expect(image).toBe(mapping.mac(m));
      }),
    );
  });
});

describe.each([false, true])('the mapping of MACs, keepOui %s', (keepOui) => {
  const mapping = mappingOf({ keepOui });

  it('is one to one and keeps the universal and the group bit', () => {
    const seen = new Map<number, number>();
    fc.assert(
      fc.property(mac, (m) => {
        const image = mapping.mac(m);
        expect(Math.floor(image / 0x100_0000_0000) & 3).toBe(Math.floor(m / 0x100_0000_0000) & 3);
        expect(seen.get(image) ?? m).toBe(m);
        seen.set(image, m);
        // That of a load balancing cluster holds an IPv4 address from the third byte on, which is mapped.
        if (keepOui && !isClusterMac(m)) expect(Math.floor(image / 0x100_0000)).toBe(Math.floor(m / 0x100_0000));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    0, 0xffff_ffff_ffff, 0x0000_5e00_0101, 0x0000_5e00_0207, 0x0000_0c07_ac0a, 0x0100_5e00_00fb, 0x0180_c200_0000,
    0x3333_0000_0001, 0x0007_b400_0101,
  ])('leaves %s, which means something, as it is', (m) => {
    expect(mapping.mac(m)).toBe(m);
  });

  it('lets groups and clusters follow their addresses', () => {
    expect(mapping.mac(0x02bf_cb00_7105)).toBe(0x02bf_0000_0000 + mapping.ipv4(ip('203.0.113.5')));
    const [, , , group] = mapping.ipv6(wordsFrom('ff020000 0 1 ff123456'));
    expect(mapping.mac(0x3333_ff12_3456)).toBe(0x3333_0000_0000 + group);
    expect(group).not.toBe(0xff12_3456);
  });
});

describe('the key', () => {
  it('decides the mapping alone', () => {
    const address = ip('203.0.113.5');
    const other = new TextEncoder().encode('another key of some length');
    expect(mappingOf().ipv4(address)).toBe(mappingOf().ipv4(address));
    expect(mappingOf().mac(0x9483_c410_0001)).toBe(mappingOf().mac(0x9483_c410_0001));
    expect(mappingOf({}, other).mac(0x9483_c410_0001)).not.toBe(mappingOf().mac(0x9483_c410_0001));
  });
});
