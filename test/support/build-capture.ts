/** Builds captures byte by byte, independently of the readers. */

export interface BuiltPacket {
  /** Seconds and fraction for pcap; ticks for pcapng are `ticks`. */
  readonly ticks: bigint;
  readonly bytes: Uint8Array;
  /** Bytes on the wire, when the packet was cut. */
  readonly original?: number;
}

export interface PcapForm {
  readonly littleEndian: boolean;
  /** Fractions of a second that a tick is: 10^6 or 10^9. */
  readonly resolution: 6 | 9;
  readonly modified?: boolean;
  readonly network?: number;
  readonly major?: number;
  readonly minor?: number;
}

export function buildPcap(form: PcapForm, packets: readonly BuiltPacket[]): Buffer {
  const { littleEndian: le, resolution } = form;
  const magic = form.modified ? 0xa1b2cd34 : resolution === 9 ? 0xa1b23c4d : 0xa1b2c3d4;
  const parts = [
    u32(le, magic),
    u16(le, form.major ?? 2),
    u16(le, form.minor ?? 4),
    u32(le, 0, 0, 65_535, form.network ?? 1),
  ];
  const perSecond = 10n ** BigInt(resolution);
  for (const { ticks, bytes, original } of packets) {
    parts.push(u32(le, Number(ticks / perSecond), Number(ticks % perSecond), bytes.length, original ?? bytes.length));
    if (form.modified) parts.push(u32(le, 3), u16(le, 0x0800), Buffer.from([4, 0]));
    parts.push(Buffer.from(bytes));
  }
  return Buffer.concat(parts);
}

/** Blocks of one pcapng section, in one byte order. */
export class SectionBuilder {
  readonly littleEndian: boolean;
  private readonly blocks: Buffer[] = [];

  constructor(littleEndian: boolean, options: { version?: [number, number]; length?: bigint; options?: Buffer } = {}) {
    this.littleEndian = littleEndian;
    const [major, minor] = options.version ?? [1, 0];
    const length = u64(littleEndian, options.length ?? 0xffff_ffff_ffff_ffffn);
    this.block(
      0x0a0d0d0a,
      u32(littleEndian, 0x1a2b3c4d),
      u16(littleEndian, major),
      u16(littleEndian, minor),
      length,
      options.options ?? Buffer.alloc(0),
    );
  }

  block(type: number, ...body: Buffer[]): this {
    const content = padded(Buffer.concat(body));
    const length = content.length + 12;
    this.blocks.push(u32(this.littleEndian, type, length), content, u32(this.littleEndian, length));
    return this;
  }

  option(code: number, value: Uint8Array | string): Buffer {
    const bytes = Buffer.from(value);
    return Buffer.concat([u16(this.littleEndian, code), u16(this.littleEndian, bytes.length), padded(bytes)]);
  }

  end(): Buffer {
    return Buffer.alloc(4);
  }

  interface(linkType = 1, snapLength = 0, ...options: Buffer[]): this {
    const le = this.littleEndian;
    return this.block(1, u16(le, linkType), u16(le, 0), u32(le, snapLength), ...options);
  }

  packet(interfaceId: number, { ticks, bytes, original }: BuiltPacket, ...options: Buffer[]): this {
    const le = this.littleEndian;
    const high = Number(ticks >> 32n);
    const low = Number(ticks & 0xffff_ffffn);
    const head = u32(le, interfaceId, high, low, bytes.length, original ?? bytes.length);
    return this.block(6, head, padded(Buffer.from(bytes)), ...options);
  }

  simplePacket(bytes: Uint8Array, original = bytes.length): this {
    return this.block(3, u32(this.littleEndian, original), Buffer.from(bytes));
  }

  build(): Buffer {
    return Buffer.concat(this.blocks);
  }
}

export function u16(littleEndian: boolean, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => {
    if (littleEndian) buffer.writeUInt16LE(value, i * 2);
    else buffer.writeUInt16BE(value, i * 2);
  });
  return buffer;
}

export function u32(littleEndian: boolean, ...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    if (littleEndian) buffer.writeUInt32LE(value >>> 0, i * 4);
    else buffer.writeUInt32BE(value >>> 0, i * 4);
  });
  return buffer;
}

export function u64(littleEndian: boolean, value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  if (littleEndian) buffer.writeBigUInt64LE(BigInt.asUintN(64, value));
  else buffer.writeBigUInt64BE(BigInt.asUintN(64, value));
  return buffer;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
