/**
 * Packets between reader and decoder: a batch of records as columns, so that no object exists per packet.
 *
 * The reader fills up to `BATCH_SIZE` rows over one chunk of bytes, calls the sink, and reuses the batch. Nothing of a
 * batch may be kept after the sink returns.
 */

import * as At from './batch-layout.js';
import { BATCH_SIZE } from './batch-layout.js';
export { BATCH_SIZE };

/** `linkType` of a record that is no packet but carries a frame number in Wireshark (custom block, systemd journal entry). */
export const NOT_A_PACKET = -1;

export class PacketBatch {
  /** Rows in use. */
  count = 0;
  /** The chunk that all packets of this batch lie in. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where each packet's bytes begin in `bytes`. */
  readonly offset: Int32Array;
  /** Bytes captured (checked: `offset + capturedLength` lies within `bytes`). */
  readonly capturedLength: Int32Array;
  /** Bytes on the wire, as the record says (unsigned: read with `>>> 0`). */
  readonly originalLength: Int32Array;
  /** Index into the capture's interfaces, counted over all sections from 0; 0 in pcap. */
  readonly interfaceIndex: Int32Array;
  /** Link type of the packet (a LINKTYPE_ value of the tcpdump registry) or `NOT_A_PACKET`. */
  readonly linkType: Int32Array;
  /** Frame number, from 1, as Wireshark counts. */
  readonly frame: Int32Array;
  /** ns since the analysis epoch; NaN when the record has no time (Simple Packet Block). */
  readonly time: Float64Array;
  /** The time stamp as the file holds it, upper and lower 32 bits in units of the interface's resolution (pcap: seconds and fraction). */
  readonly ticksHigh: Int32Array;
  readonly ticksLow: Int32Array;
  /** `epb_flags` word (draft-ietf-opsawg-pcapng section 4.3.1), 0 when absent. */
  readonly flags: Int32Array;
  /** 1 where the record itself has an `epb_flags` option. */
  readonly hasFlags: Uint8Array;
  /** Byte offset of the record in the (decompressed) input. */
  readonly fileOffset: Float64Array;

  private readonly words: readonly Int32Array[];

  /** A batch in a buffer of its own, or at a place of another one. */
  constructor(buffer: ArrayBufferLike = new ArrayBuffer(At.PACKET_BYTES), base = 0) {
    this.offset = new Int32Array(buffer, base + At.P_OFFSET, BATCH_SIZE);
    this.capturedLength = new Int32Array(buffer, base + At.P_CAPTURED, BATCH_SIZE);
    this.originalLength = new Int32Array(buffer, base + At.P_ORIGINAL, BATCH_SIZE);
    this.interfaceIndex = new Int32Array(buffer, base + At.P_INTERFACE, BATCH_SIZE);
    this.linkType = new Int32Array(buffer, base + At.P_LINK_TYPE, BATCH_SIZE);
    this.frame = new Int32Array(buffer, base + At.P_FRAME, BATCH_SIZE);
    this.ticksHigh = new Int32Array(buffer, base + At.P_TICKS_HIGH, BATCH_SIZE);
    this.ticksLow = new Int32Array(buffer, base + At.P_TICKS_LOW, BATCH_SIZE);
    this.flags = new Int32Array(buffer, base + At.P_FLAGS, BATCH_SIZE);
    this.hasFlags = new Uint8Array(buffer, base + At.P_HAS_FLAGS, BATCH_SIZE);
    this.time = new Float64Array(buffer, base + At.P_TIME, BATCH_SIZE);
    this.fileOffset = new Float64Array(buffer, base + At.P_FILE_OFFSET, BATCH_SIZE);
    this.words = [
      this.offset,
      this.capturedLength,
      this.originalLength,
      this.interfaceIndex,
      this.linkType,
      this.frame,
      this.ticksHigh,
      this.ticksLow,
      this.flags,
    ];
  }

  /** Puts a row in the place of another one. */
  copyRow(from: number, to: number): void {
    const { words, time, fileOffset, hasFlags } = this;
    for (const column of words) column[to] = column[from] ?? 0;
    time[to] = time[from] ?? NaN;
    fileOffset[to] = fileOffset[from] ?? NaN;
    hasFlags[to] = hasFlags[from] ?? 0;
  }
}

/** An interface description: of pcapng as given, of pcap made from the file header. */
export interface CaptureInterface {
  /** Position over all sections, from 0: `PacketBatch.interfaceIndex`. */
  readonly index: number;
  /** Section number from 0, and the interface's number within it. */
  readonly section: number;
  readonly idInSection: number;
  readonly linkType: number;
  /** 0 means unlimited. */
  readonly snapLength: number;
  /** Bytes of frame check sequence at the end of each frame, when the file says so. */
  readonly fcsLength?: number;
  readonly name?: string;
  readonly description?: string;
  readonly filter?: string;
  readonly os?: string;
  readonly hardware?: string;
  /** 48-bit number. */
  readonly mac?: number;
  /** Canonical text with prefix length, as in `192.168.1.1/24` or `2001:db8::1/64`. */
  readonly addresses: readonly string[];
  /** How ticks become time. */
  readonly resolution: TimeResolution;
}

/** Units of a time stamp: `seconds = ticks / base^exponent + offsetSeconds` (pcapng if_tsresol, if_tsoffset). */
export interface TimeResolution {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly offsetSeconds: bigint;
  /** pcap: ticksHigh are whole seconds and ticksLow the fraction, not one 64-bit number. */
  readonly split: boolean;
}

/** What the reader calls while it reads one capture. Calls come in file order; `packets` is synchronous. */
export interface CaptureSink {
  interface(description: CaptureInterface): void;
  packets(batch: PacketBatch): void;
  /** Drops the rows from `from` on that `packets` need not be given, and sets `batch.count`. Without it, all are given. */
  select?(batch: PacketBatch, from: number): void;
  /** Given where nobody wants to see packets that the core can count by itself. */
  readonly straight?: StraightReading | undefined;
  /** A comment of a section, interface or packet (frame 0: not of a packet). Untrusted text. */
  comment(text: string, frame: number): void;
  /** Name resolution record. Untrusted text. */
  name(address: string, names: readonly string[]): void;
  /** Interface statistics: packets that the capturing system dropped, if it says so. */
  statistics(interfaceIndex: number, received: number | undefined, dropped: number | undefined): void;
  diagnostic(diagnostic: InputDiagnostic): void;
}

/** What the core counts by itself while it reads: see `core/read.ts`. */
export interface StraightReading {
  /** Whether it may, with this batch empty; makes room for what it counts. */
  begin(): boolean;
  /** It has counted so many frames, and has settled `rows` more but for `left` of them, if those are any. */
  end(counted: number, rows: number, left: number): void;
}

/** Something about an input that its reader must not hide. */
export interface InputDiagnostic {
  /** Stable id such as `capture-cut-short`, `block-skipped`. */
  readonly id: string;
  /** Wireshark's number of the last good frame before it, if it is about a capture. */
  readonly frame?: number;
  /** Byte offset in the (decompressed) input. */
  readonly offset?: number;
  /** Line number from 1, for text. */
  readonly line?: number;
  /** What is wrong, and what was done: one sentence each, no trailing line break, no untrusted text unescaped. */
  readonly what: string;
  readonly action: string;
}
