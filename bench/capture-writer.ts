import { closeSync, openSync, writeSync } from 'node:fs';
import { Random } from './random.js';
import type { Workload } from './workloads.js';

const CHUNK = 4 * 1024 * 1024;
const LARGEST_RECORD = 4096;
const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const PCAP_MAGIC = 0xa1b2c3d4;
const ETHERNET = 1;
const SNAP_LENGTH = 262_144;

/** The first packet's time: 2026-03-01 12:00:00 UTC, in s. */
const START = 1_772_366_400;
const START_NS = BigInt(START) * 1_000_000_000n;
const START_HIGH = Number(START_NS >> 32n);
const START_LOW = Number(START_NS & 0xffff_ffffn);

/** Options of an interface of the generated captures. */
export interface InterfaceDescription {
  readonly name: string;
  readonly mac: readonly number[];
  /** Address and mask, 8 bytes. */
  readonly ipv4: readonly number[];
}

/**
 * Writes a capture through one buffer, little-endian: `begin` gives the place for a frame, `end` closes its record. The
 * buffer is full of pseudo-random bytes, which serve as payload.
 */
export class CaptureWriter {
  readonly bytes = new Uint8Array(CHUNK);
  readonly view = new DataView(this.bytes.buffer);
  /** Bytes written, those in the buffer too. */
  written = 0;
  private readonly file: number;
  private readonly pcapng: boolean;
  private used = 0;
  private record = 0;

  constructor(path: string, workload: Workload, interfaces: readonly InterfaceDescription[]) {
    this.file = openSync(path, 'w');
    this.pcapng = workload.format === 'pcapng';
    const random = new Random(1);
    for (let at = 0; at < CHUNK; at += 4) this.view.setInt32(at, random.next());
    if (this.pcapng) this.section(workload, interfaces);
    else this.append([...u32(PCAP_MAGIC), 2, 0, 4, 0, ...u32(0), ...u32(0), ...u32(SNAP_LENGTH), ...u32(ETHERNET)]);
  }

  /** Starts a record; `time` is in ns since the first packet. Returns where in `bytes` the frame goes. */
  begin(interfaceIndex: number, time: number): number {
    if (this.used > CHUNK - LARGEST_RECORD) this.flush();
    const { view } = this;
    const at = this.used;
    this.record = at;
    if (!this.pcapng) {
      view.setUint32(at, START + Math.floor(time / 1e9), true);
      view.setUint32(at + 4, Math.floor((time % 1e9) / 1000), true);
      return at + 16;
    }
    const low = START_LOW + (time % 0x1_0000_0000);
    view.setUint32(at, 6, true);
    view.setUint32(at + 8, interfaceIndex, true);
    view.setUint32(at + 12, START_HIGH + Math.floor(time / 0x1_0000_0000) + Math.floor(low / 0x1_0000_0000), true);
    view.setUint32(at + 16, low % 0x1_0000_0000, true);
    return at + 28;
  }

  /** Closes the record with a frame of `length` bytes. */
  end(length: number): void {
    const { view, record } = this;
    view.setUint32(record + (this.pcapng ? 20 : 8), length, true);
    view.setUint32(record + (this.pcapng ? 24 : 12), length, true);
    let total = 16 + length;
    if (this.pcapng) {
      total = 32 + ((length + 3) & ~3);
      view.setUint32(record + 4, total, true);
      view.setUint32(record + total - 4, total, true);
    }
    this.used += total;
    this.written += total;
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private flush(): void {
    for (let at = 0; at < this.used;) at += writeSync(this.file, this.bytes, at, this.used - at);
    this.used = 0;
  }

  private append(bytes: readonly number[]): void {
    this.bytes.set(bytes, this.used);
    this.used += bytes.length;
    this.written += bytes.length;
  }

  /** A section header, then the interfaces. */
  private section(workload: Workload, interfaces: readonly InterfaceDescription[]): void {
    this.block(SECTION_HEADER, [...u32(BYTE_ORDER_MAGIC), 1, 0, 0, 0, ...Array<number>(8).fill(0xff)]);
    for (const { name, mac, ipv4 } of interfaces) {
      const nanoseconds = [...option(6, mac), ...option(4, ipv4), ...option(9, [9])];
      const options = [...option(2, [...Buffer.from(name)]), ...(workload.plain === true ? [] : nanoseconds)];
      this.block(1, [ETHERNET, 0, 0, 0, ...u32(SNAP_LENGTH), ...options, 0, 0, 0, 0]);
    }
  }

  private block(type: number, body: readonly number[]): void {
    const length = u32(body.length + 12);
    this.append([...u32(type), ...length, ...body, ...length]);
  }
}

function u32(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function option(code: number, value: readonly number[]): number[] {
  const padding = Array<number>(-value.length & 3).fill(0);
  return [code, 0, value.length, 0, ...value, ...padding];
}
