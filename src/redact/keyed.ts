/** The keyed pseudo-random function behind all mappings: AES-256 under a key derived from the user's key. */

import { createCipheriv, createHmac, randomBytes } from 'node:crypto';

/** What separates the trees and permutations, so that none says anything about another. */
export const Domain = { IPV4: 1, IPV6_NETWORK: 2, IPV6_HOST: 3, SOLICITED: 4, MAC: 5, MAC_OUI: 6, NAME: 7 } as const;

/** What happens to a bit whatever the key: it stays, or it is turned; undefined where the key decides. */
export type FixedBit = 'keep' | 'turn' | undefined;

const BLOCK = 16;
const KEY_LABEL = 'macscan redaction 1';

/** A key that nobody can know or repeat. */
export function randomKey(): Uint8Array {
  return randomBytes(32);
}

export class Keyed {
  private readonly cipher: ReturnType<typeof createCipheriv>;
  private readonly blocks = Buffer.alloc(64 * BLOCK);

  /** @param key secret bytes of any length; the same bytes give the same mappings */
  constructor(key: Uint8Array) {
    const derived = createHmac('sha256', key).update(KEY_LABEL).digest();
    // ECB gives the bare block cipher, which is what a pseudo-random function of one block is made of.
    this.cipher = createCipheriv('aes-256-ecb', derived, null);
    this.cipher.setAutoPadding(false);
  }

  /** 32 pseudo-random bits of up to ten bytes of input. */
  word(domain: number, round: number, tweak: number, value: number): number {
    const { blocks } = this;
    blocks.fill(0, 0, BLOCK);
    blocks[0] = domain;
    blocks[1] = round;
    blocks.writeUInt32BE(tweak >>> 0, 4);
    blocks.writeUInt32BE(value >>> 0, 8);
    return this.cipher.update(blocks.subarray(0, BLOCK)).readUInt32BE(0);
  }

  /**
   * A prefix-preserving permutation of numbers of `width` bits (up to 64, the upper ones in `high`), after Xu, Fan,
   * Ammar and Moon ("Prefix-preserving IP address anonymization", 2002): whether a bit is turned depends on the bits
   * before it only. `fixed` says of each bit by its depth from 0 whether the key may decide; it may depend on the bits
   * before that one, and on nothing else.
   * @returns upper and lower 32 bits
   */
  tree(
    domain: number,
    high: number,
    low: number,
    width: number,
    fixed: (depth: number) => FixedBit,
  ): readonly [number, number] {
    const { blocks } = this;
    const first = 64 - width;
    blocks.fill(0, 0, width * BLOCK);
    for (let depth = 0; depth < width; depth++) {
      const at = depth * BLOCK;
      const kept = first + depth;
      blocks[at] = domain;
      blocks[at + 1] = depth;
      blocks.writeUInt32BE((high & upperBits(kept)) >>> 0, at + 8);
      blocks.writeUInt32BE((low & upperBits(kept - 32)) >>> 0, at + 12);
    }
    const drawn = this.cipher.update(blocks.subarray(0, width * BLOCK));
    let turnHigh = 0;
    let turnLow = 0;
    for (let depth = 0; depth < width; depth++) {
      const rule = fixed(depth);
      if (rule === 'keep' || (rule === undefined && ((drawn[depth * BLOCK] ?? 0) & 1) === 0)) continue;
      const bit = 63 - first - depth;
      if (bit >= 32) turnHigh |= 1 << (bit - 32);
      else turnLow |= 1 << bit;
    }
    return [(high ^ turnHigh) >>> 0, (low ^ turnLow) >>> 0];
  }
}

/** A word whose upper `count` bits are set: none for 0 and below, all for 32 and above. */
export function upperBits(count: number): number {
  if (count <= 0) return 0;
  return count >= 32 ? -1 : -1 << (32 - count);
}
