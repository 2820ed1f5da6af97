/**
 * One packet being written anew. It begins as zeros: only what is understood is taken over, as a number or as the image
 * of an address, so that nothing else can be left in it. Offsets are those of the original packet.
 */

import { macFromWords } from '../bytes/address.js';
import type { AddressMapping } from './mapping.js';
import { upperBits } from './keyed.js';

/** What a byte of the new packet is. */
export const Kind = { BLANK: 0, NUMBER: 1, ADDRESS: 2, ADDRESS_START: 3 } as const;

export class Rewrite {
  readonly mapping: AddressMapping;
  /** The original packet; not to be written to. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Bytes of the new packet so far. */
  length = 0;
  /** One `Kind` for each byte of the new packet. */
  kinds = new Uint8Array(0);
  private out = new Uint8Array(0);
  private outView = new DataView(new ArrayBuffer(0));

  constructor(mapping: AddressMapping) {
    this.mapping = mapping;
  }

  begin(packet: Uint8Array): void {
    this.bytes = packet;
    this.view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    this.length = 0;
    if (this.out.length < packet.length) {
      this.out = new Uint8Array(Math.max(packet.length, 2048));
      this.outView = new DataView(this.out.buffer);
      this.kinds = new Uint8Array(this.out.length);
    } else {
      this.out.fill(0, 0, packet.length);
      this.kinds.fill(0, 0, packet.length);
    }
  }

  /** The new packet; valid until the next `begin`. */
  result(): Uint8Array {
    return this.out.subarray(0, this.length);
  }

  /** Cuts the new packet to so many bytes. */
  cut(length: number): void {
    this.out.fill(0, length, this.length);
    this.kinds.fill(0, length, this.length);
    this.length = Math.min(this.length, length);
  }

  /** Takes over up to `count` bytes that tell of no address and no person. */
  number(at: number, count: number): void {
    const end = Math.min(at + count, this.bytes.length);
    if (at >= end) return;
    this.out.set(this.bytes.subarray(at, end), at);
    this.kinds.fill(Kind.NUMBER, at, end);
    this.reach(end);
  }

  /** Leaves zeros in place of up to `count` bytes. */
  blank(at: number, count: number): void {
    this.reach(Math.min(at + count, this.bytes.length));
  }

  /** A field of 8 or 16 bits that is computed or chosen. */
  put8(at: number, value: number): void {
    if (at >= this.bytes.length) return;
    this.out[at] = value;
    this.kinds[at] = Kind.NUMBER;
    this.reach(at + 1);
  }

  put16(at: number, value: number): void {
    if (at + 2 > this.bytes.length) return;
    this.put8(at, value >>> 8);
    this.put8(at + 1, value & 0xff);
  }

  /**
   * @param flag whether the first bit is set, where it is no part of the address
   * @returns false when the MAC is not whole: then nothing of it is taken over
   */
  mac(at: number, flag?: boolean): boolean {
    if (at + 6 > this.bytes.length) return false;
    const mask = flag === undefined ? 0xffff : 0x7fff;
    const image = this.mapping.mac(macFromWords(this.view.getUint16(at) & mask, this.view.getUint32(at + 2)));
    this.outView.setUint16(at, (Math.floor(image / 0x1_0000_0000) & mask) | (flag ? 0x8000 : 0));
    this.outView.setUint32(at + 2, image % 0x1_0000_0000);
    this.address(at, 6);
    return true;
  }

  ipv4(at: number): boolean {
    if (at + 4 > this.bytes.length) return false;
    this.outView.setUint32(at, this.mapping.ipv4(this.view.getUint32(at)));
    this.address(at, 4);
    return true;
  }

  /** @param length of the prefix, where the address is that of a network */
  ipv6(at: number, length = 128): boolean {
    const { view, outView, mapping } = this;
    if (at + 16 > this.bytes.length) return false;
    const image = mapping.ipv6([
      view.getUint32(at),
      view.getUint32(at + 4),
      view.getUint32(at + 8),
      view.getUint32(at + 12),
    ]);
    image.forEach((word, i) => {
      outView.setUint32(at + 4 * i, (word & upperBits(length - 32 * i)) >>> 0);
    });
    this.address(at, 16);
    return true;
  }

  /**
   * The Internet checksum (RFC 1071) of the new bytes from `at` to `end`; what was cut off counts as zeros.
   * @param sum what else is to be summed up, such as a pseudo header
   */
  checksum(at: number, end: number, sum = 0): number {
    const stop = Math.min(end, this.length);
    for (let i = at; i + 1 < stop; i += 2) sum += this.outView.getUint16(i);
    if ((stop - at) % 2 === 1 && stop > at) sum += (this.out[stop - 1] ?? 0) << 8;
    while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
    return ~sum & 0xffff;
  }

  /** The sum of 16-bit words of the new packet, for a pseudo header. */
  sum(at: number, count: number): number {
    let sum = 0;
    for (let i = at; i < at + count; i += 2) sum += this.outView.getUint16(i);
    return sum;
  }

  private address(at: number, count: number): void {
    this.kinds.fill(Kind.ADDRESS, at, at + count);
    this.kinds[at] = Kind.ADDRESS_START;
    this.reach(at + count);
  }

  private reach(end: number): void {
    if (end > this.length) this.length = end;
  }
}
