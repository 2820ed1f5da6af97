/** Writes captures record by record: pcapng (draft-ietf-opsawg-pcapng) with all its interfaces, and classic pcap with one. */

import { parseIpv4, parseIpv6Groups } from '../bytes/address.js';
import { InputError } from '../errors.js';
import { exactTime } from '../read/time-scale.js';
import type { CaptureInterface } from '../records/packet-batch.js';

/** A packet as it is to be written. */
export interface PacketRecord {
  readonly source: CaptureInterface;
  readonly bytes: Uint8Array;
  /** Bytes on the wire. */
  readonly originalLength: number;
  /** Bytes that the record held before. */
  readonly capturedLength: number;
  /** As `PacketBatch.ticksHigh` and `ticksLow`; undefined when the record has no time. */
  readonly ticks: readonly [number, number] | undefined;
  /** `epb_flags`, undefined when absent. */
  readonly flags: number | undefined;
}

export interface CaptureWriter {
  interface(description: CaptureInterface): Uint8Array;
  packet(record: PacketRecord): Uint8Array;
  /** A record that is no packet but counts as a frame. */
  notAPacket(): Uint8Array;
  statistics(source: CaptureInterface, received: number | undefined, dropped: number | undefined): Uint8Array;
}

const EMPTY = new Uint8Array(0);
/** A private enterprise number that stands for nobody (RFC 5612), in a custom block without content. */
const NOBODY = 32473;

const BlockType = { SECTION: 0x0a0d0d0a, INTERFACE: 1, SIMPLE: 3, STATISTICS: 5, PACKET: 6, CUSTOM: 0x0bad } as const;

export class PcapngWriter implements CaptureWriter {
  private readonly comment: string;
  private section = -1;

  /** @param comment what each section says of itself */
  constructor(comment: string) {
    this.comment = comment;
  }

  interface(description: CaptureInterface): Uint8Array {
    const { linkType, snapLength, name, mac, addresses, resolution } = description;
    const options: Buffer[] = [];
    if (name !== undefined) options.push(option(2, Buffer.from(name)));
    for (const address of addresses) {
      const value = addressOption(address);
      if (value) options.push(option(value.length === 8 ? 4 : 5, value));
    }
    if (mac !== undefined) options.push(option(6, Buffer.from(mac.toString(16).padStart(12, '0'), 'hex')));
    // Classic captures count whole seconds and a fraction: the same in ticks.
    options.push(option(9, Buffer.from([resolution.exponent | (resolution.base === 2 ? 0x80 : 0)])));
    if (resolution.offsetSeconds !== 0n) {
      const value = Buffer.alloc(8);
      value.writeBigInt64LE(resolution.offsetSeconds);
      options.push(option(14, value));
    }
    const head = Buffer.alloc(8);
    head.writeUInt16LE(linkType, 0);
    head.writeUInt32LE(snapLength >>> 0, 4);
    const before = description.section === this.section ? EMPTY : this.header();
    this.section = description.section;
    return Buffer.concat([before, block(BlockType.INTERFACE, head, ...options, END)]);
  }

  packet(record: PacketRecord): Uint8Array {
    const { source, bytes, originalLength, ticks, flags } = record;
    if (!ticks && source.idInSection === 0) return simplePacket(record);
    const head = Buffer.alloc(20);
    const [high, low] = ticks ?? [0, 0];
    const { split, exponent } = source.resolution;
    const time = split
      ? BigInt(high >>> 0) * 10n ** BigInt(exponent) + BigInt(low >>> 0)
      : (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    head.writeUInt32LE(source.idInSection, 0);
    head.writeUInt32LE(Number(time >> 32n), 4);
    head.writeUInt32LE(Number(time & 0xffff_ffffn), 8);
    head.writeUInt32LE(bytes.length, 12);
    head.writeUInt32LE(originalLength, 16);
    if (flags === undefined) return block(BlockType.PACKET, head, padded(bytes));
    const value = Buffer.alloc(4);
    value.writeInt32LE(flags);
    return block(BlockType.PACKET, head, padded(bytes), option(2, value), END);
  }

  notAPacket(): Uint8Array {
    const number = Buffer.alloc(4);
    number.writeUInt32LE(NOBODY);
    return this.section < 0
      ? Buffer.concat([this.header(), block(BlockType.CUSTOM, number)])
      : block(BlockType.CUSTOM, number);
  }

  statistics(source: CaptureInterface, received: number | undefined, dropped: number | undefined): Uint8Array {
    const head = Buffer.alloc(12);
    head.writeUInt32LE(source.idInSection, 0);
    const options = [countOption(4, received), countOption(5, dropped)].filter((value) => value !== undefined);
    return block(BlockType.STATISTICS, head, ...options, END);
  }

  private header(): Buffer {
    const head = Buffer.alloc(16, 0xff);
    head.writeUInt32LE(0x1a2b3c4d, 0);
    head.writeUInt16LE(1, 4);
    head.writeUInt16LE(0, 6);
    if (this.section < 0) this.section = 0;
    return block(BlockType.SECTION, head, option(1, Buffer.from(this.comment)), END);
  }
}

/** A block without a time tells no captured length but by the snap length: what was cut is filled with zeros. */
function simplePacket({ bytes, originalLength, capturedLength }: PacketRecord): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(originalLength, 0);
  const content = Buffer.alloc(capturedLength);
  content.set(bytes);
  return block(BlockType.SIMPLE, head, padded(content));
}

const END = Buffer.alloc(4);

function block(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = 12 + parts.reduce((sum, part) => sum + part.length, 0);
  const result = Buffer.alloc(length);
  result.writeUInt32LE(type, 0);
  result.writeUInt32LE(length, 4);
  let at = 8;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  result.writeUInt32LE(length, length - 4);
  return result;
}

function option(code: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(code, 0);
  head.writeUInt16LE(Math.min(value.length, 0xffff), 2);
  return Buffer.concat([head, padded(value.subarray(0, 0xffff))]);
}

function countOption(code: number, count: number | undefined): Buffer | undefined {
  if (count === undefined) return undefined;
  const value = Buffer.alloc(8);
  value.writeBigUInt64LE(BigInt.asUintN(64, BigInt(Math.trunc(count))));
  return option(code, value);
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const result = new Uint8Array((bytes.length + 3) & ~3);
  result.set(bytes);
  return result;
}

/** The value of an address with a prefix length: eight bytes of IPv4 (with a mask), 17 of IPv6. */
function addressOption(text: string): Buffer | undefined {
  const [address = '', length = ''] = text.split('/');
  const v4 = parseIpv4(address);
  if (v4 !== undefined) {
    const value = Buffer.alloc(8);
    value.writeUInt32BE(v4, 0);
    value.writeUInt32BE(Number(length) === 0 ? 0 : (-1 << (32 - Number(length))) >>> 0, 4);
    return value;
  }
  const groups = parseIpv6Groups(address);
  if (!groups) return undefined;
  const value = Buffer.alloc(17);
  groups.forEach((group, i) => value.writeUInt16BE(group, 2 * i));
  value[16] = Number(length);
  return value;
}

const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;

/** Classic pcap, little endian, in micro- or nanoseconds as the source had it. */
export class PcapWriter implements CaptureWriter {
  private readonly name: string;
  private micro = false;
  private interfaces = 0;

  /** @param name of the output, for messages */
  constructor(name: string) {
    this.name = name;
  }

  /** @throws InputError at the second interface, which the format cannot tell from the first */
  interface({ resolution, snapLength, linkType }: CaptureInterface): Uint8Array {
    if (this.interfaces++ > 0)
      throw new InputError(this.name, 'pcap holds one interface only; end the name in .pcapng');
    this.micro = resolution.base === 10 && resolution.exponent <= 6;
    const head = Buffer.alloc(24);
    head.writeUInt32LE(this.micro ? MICROSECONDS : NANOSECONDS, 0);
    head.writeUInt16LE(2, 4);
    head.writeUInt16LE(4, 6);
    head.writeUInt32LE(snapLength === 0 ? 262_144 : snapLength >>> 0, 16);
    head.writeUInt32LE(linkType & 0xffff, 20);
    return head;
  }

  packet({ source, bytes, originalLength, ticks }: PacketRecord): Uint8Array {
    const head = Buffer.alloc(16);
    const ns = ticks ? exactTime(source.resolution, ticks[0], ticks[1]) : 0n;
    const seconds = ns / 1_000_000_000n;
    const fraction = ns % 1_000_000_000n;
    head.writeUInt32LE(Number(BigInt.asUintN(32, seconds)), 0);
    head.writeUInt32LE(Number(BigInt.asUintN(32, this.micro ? fraction / 1000n : fraction)), 4);
    head.writeUInt32LE(bytes.length, 8);
    head.writeUInt32LE(originalLength, 12);
    return Buffer.concat([head, bytes]);
  }

  notAPacket(): Uint8Array {
    return Buffer.alloc(16);
  }

  statistics(): Uint8Array {
    return EMPTY;
  }
}
