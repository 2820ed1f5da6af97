import { CORE } from '#core';
import {
  BYTES,
  BYTES_END,
  COUNTED,
  HEADER_BYTES,
  INTERFACE_BYTES,
  INTERFACES,
  KNOWN_TAPS,
  LEFT,
  MAX_INTERFACES,
  RECORDS,
  ROWS,
  SLOTS,
  SPAN,
  TAP_SLOTS,
} from './core-layout.js';
import type { Room } from './record-list.js';

/** What the core does: see `core/`. Places are bytes in its memory. */
interface CoreExports {
  walkRecords(from: number, end: number, row: number, frame: number, shift: number, maximum: number): number;
  walkBlocks(from: number, end: number, row: number, frame: number, shift: number): number;
  setInterfaces(count: number): void;
  readRecords(from: number, end: number, frame: number, shift: number, maximum: number): number;
  readBlocks(from: number, end: number, frame: number, shift: number): number;
  decode(count: number): number;
  settle(count: number): number;
  add(count: number, legs: number): number;
  find(count: number): void;
  keep(from: number, count: number): number;
  setSlots(at: number, mask: number): void;
  pairUp(from: number, count: number, of: number, next: number): number;
}

interface CoreMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** The part of the WebAssembly interface that is used; TypeScript has it for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => CoreMemory;
  readonly Module: new (binary: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: CoreExports };
};

const PAGE = 0x10000;
const INITIAL_PAGES = 64;
/** As scripts/core.js has it: all that 32 bits reach. */
const MAX_PAGES = 0x10000;
const MEMORY_END = MAX_PAGES * PAGE;

/**
 * The WebAssembly core with its memory, which batches, flow table and addresses live in while it is used. One analysis
 * has one.
 *
 * The memory is shared, as views of such a memory stay valid when it grows; no other thread sees it. Zones are far apart:
 * the system gives memory only for what is written.
 */
export class Core {
  readonly run: CoreExports;
  /** The fixed part of the memory, in which batches lie. */
  readonly fixed: SharedArrayBuffer;
  /** Where captures are read to. */
  readonly bytes: Uint8Array;
  /** Of a walk: the rows in use, and how many frames were counted at once. */
  readonly walked: Int32Array;
  /** Rows of the batch that is in use which were not settled; legs, and room for them. */
  readonly counts: Int32Array;
  /** First and last time of settled frames. */
  readonly span: Float64Array;
  /** `KNOWN_TAPS`, and settled frames by interface. */
  readonly taps: Int32Array;
  readonly counted: Int32Array;
  /** Interfaces of the section, as words and as doubles. */
  readonly interfaceWords: Int32Array;
  readonly interfaceDoubles: Float64Array;
  /** Called when a leg changes its destination MAC; gives the new head of its chain of closed mappings. */
  onClose: (leg: number) => number = () => -1;

  private readonly memory: CoreMemory;
  private slotsEnd = SLOTS;
  private recordsLimit = MEMORY_END;

  /** @throws RangeError where the system has no room for the memory, ReferenceError where there is no WebAssembly */
  constructor() {
    this.memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAX_PAGES, shared: true });
    const imports = { env: { memory: this.memory }, legs: { close: (leg: number) => this.onClose(leg) } };
    this.run = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(CORE, 'base64')), imports).exports;
    const { buffer } = this.memory;
    this.fixed = buffer;
    this.bytes = new Uint8Array(buffer, BYTES, BYTES_END - BYTES);
    this.walked = new Int32Array(buffer, ROWS, 2);
    this.counts = new Int32Array(buffer, LEFT, 3);
    this.span = new Float64Array(buffer, SPAN, 2);
    this.taps = new Int32Array(buffer, KNOWN_TAPS, TAP_SLOTS * 2);
    this.counted = new Int32Array(buffer, COUNTED, MAX_INTERFACES);
    this.interfaceWords = new Int32Array(buffer, INTERFACES, (MAX_INTERFACES * INTERFACE_BYTES) / 4);
    this.interfaceDoubles = new Float64Array(buffer, INTERFACES, (MAX_INTERFACES * INTERFACE_BYTES) / 8);
  }

  /** Words at a place of the fixed part. */
  words(at: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, count);
  }

  /** Room for a `WordTable` whose words begin at `from`, in a zone that ends at `to`. */
  tableRoom(header: number, from: number, to: number): Room {
    let end = from;
    const words = (count: number): Int32Array | undefined => {
      if (!this.reserve(end + count * 4, to)) return undefined;
      end += count * 4;
      return this.words(end - count * 4, count);
    };
    return { header: this.words(header, HEADER_BYTES / 4), words };
  }

  /** Room for a `RecordList` that begins at `from`, in a zone that ends at `to`. */
  listRoom(header: number, from: number, to: number): Room {
    const words = (count: number): Int32Array | undefined =>
      this.reserve(from + count * 4, to) ? this.words(from, count) : undefined;
    return { header: this.words(header, HEADER_BYTES / 4), words };
  }

  /** Zeroed room for the slots of the flow table, which are used from now on; undefined when there is no more. */
  slotRoom(words: number): Int32Array | undefined {
    const at = this.slotsEnd;
    if (!this.reserve(at + words * 4, RECORDS)) return undefined;
    this.slotsEnd = at + words * 4;
    this.run.setSlots(at, words / 2 - 1);
    return this.words(at, words);
  }

  /** Room for the records of the flow table: grows where it is, so that nothing is copied; undefined when there is no more. */
  recordRoom(words: number): { words: Int32Array; doubles: Float64Array } | undefined {
    if (!this.reserve(RECORDS + words * 4, this.recordsLimit)) return undefined;
    return { words: this.words(RECORDS, words), doubles: new Float64Array(this.memory.buffer, RECORDS, words / 2) };
  }

  /** Zeroed room behind records of so many words, which cannot grow any more; undefined when there is none. */
  roomBehindRecords(records: number, words: number): Int32Array | undefined {
    const at = RECORDS + records * 4;
    if (this.recordsLimit < MEMORY_END || !this.reserve(at + words * 4, MEMORY_END)) return undefined;
    this.recordsLimit = at;
    return this.words(at, words);
  }

  private reserve(end: number, limit: number): boolean {
    if (end > limit) return false;
    const pages = Math.ceil((end - this.memory.buffer.byteLength) / PAGE);
    try {
      if (pages > 0) this.memory.grow(pages);
      return true;
    } catch {
      return false;
    }
  }
}

/** A core; undefined where the system has none to give. Everything works without it, only slower. */
export function createCore(): Core | undefined {
  try {
    return new Core();
  } catch {
    return undefined;
  }
}
