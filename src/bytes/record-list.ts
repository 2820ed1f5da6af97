import { H_CAPACITY, H_COUNT, HEADER_BYTES } from './core-layout.js';

/** Where words may lie instead of in buffers of their own. */
export interface Room {
  /** `HEADER_BYTES`, which say where the words are. */
  readonly header: Int32Array;
  /** Words, of which those that were not given before are zero; undefined when there is no more room. */
  words(count: number): Int32Array | undefined;
}

const INITIAL_RECORDS = 256;
const COUNT = H_COUNT / 4;
const CAPACITY = H_CAPACITY / 4;

/** Records of a fixed number of words, in typed arrays that grow; zero until they are written to. */
export class RecordList {
  words: Int32Array;
  /** The same memory: double `i` is words `2 i` and `2 i + 1`. */
  doubles: Float64Array;
  /** Words of a record: an even number. */
  private readonly size: number;
  private readonly header: Int32Array;
  private room: Room | undefined;

  /** @param room gives the records a place that does not change while they grow there */
  constructor(size: number, room?: Room) {
    this.size = size;
    this.room = room;
    this.header = room?.header ?? new Int32Array(HEADER_BYTES / 4);
    this.words = this.take(INITIAL_RECORDS) ?? new Int32Array(INITIAL_RECORDS * size);
    this.doubles = doublesOf(this.words);
  }

  get count(): number {
    return this.header[COUNT] ?? 0;
  }

  /** Appends a record, and gives its number. */
  add(): number {
    const number = this.count;
    if ((number + 1) * this.size > this.words.length) this.grow();
    this.header[COUNT] = number + 1;
    return number;
  }

  private grow(): void {
    const records = (this.words.length / this.size) * 2;
    let words = this.take(records);
    if (!words) {
      words = new Int32Array(records * this.size);
      words.set(this.words);
    }
    this.words = words;
    this.doubles = doublesOf(words);
  }

  private take(records: number): Int32Array | undefined {
    const words = this.room?.words(records * this.size);
    if (!words) this.room = undefined;
    this.header[CAPACITY] = words ? records : 0;
    return words;
  }
}

/** The same memory as doubles. */
export function doublesOf(words: Int32Array): Float64Array {
  return new Float64Array(words.buffer, words.byteOffset, words.length / 2);
}

export function increment(words: Int32Array, at: number): void {
  words[at] = (words[at] ?? 0) + 1;
}
