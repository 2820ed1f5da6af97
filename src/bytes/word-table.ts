import { H_CAPACITY, H_COUNT, H_MASK, H_ROWS, H_SLOTS, HEADER_BYTES } from './core-layout.js';
import type { Room } from './record-list.js';

const INITIAL_SLOTS = 1024;

/**
 * Gives every distinct row of four 32-bit words a small index, in order of appearance, so that one word is compared
 * instead of four. Open addressing in typed arrays; 16 bytes and two to four slots of 4 bytes per row, no objects.
 */
export class WordTable {
  /** Four words per row. */
  words: Int32Array;
  /** Index + 1, or 0 for a free slot. */
  private slots: Int32Array;
  private readonly header: Int32Array;
  private room: Room | undefined;

  /** @param room where the table lies until it has outgrown it; gives words at another place each time */
  constructor(room?: Room) {
    this.room = room;
    this.header = room?.header ?? new Int32Array(HEADER_BYTES / 4);
    this.words = this.take(INITIAL_SLOTS * 2);
    this.slots = this.take(INITIAL_SLOTS);
    this.describe();
  }

  /** Rows so far. */
  get count(): number {
    return this.header[H_COUNT / 4] ?? 0;
  }

  /** The index of a row; a new one (`count` grows) when it was not seen before. Words are taken as signed. */
  intern(a: number, b: number, c: number, d: number): number {
    const at = this.seek(a, b, c, d);
    const index = (this.slots[at] ?? 0) - 1;
    return index >= 0 ? index : this.add(at, a, b, c, d);
  }

  /** The index of a row, -1 when it was not seen before. */
  find(a: number, b: number, c: number, d: number): number {
    return (this.slots[this.seek(a, b, c, d)] ?? 0) - 1;
  }

  /** The slot of a row, or the free one where it would be put. */
  private seek(a: number, b: number, c: number, d: number): number {
    const { words, slots } = this;
    const mask = slots.length - 1;
    let at = hashWords(a, b, c, d) & mask;
    for (;;) {
      const index = (slots[at] ?? 0) - 1;
      if (index < 0) return at;
      const w = index * 4;
      if (words[w] === a && words[w + 1] === b && words[w + 2] === c && words[w + 3] === d) return at;
      at = (at + 1) & mask;
    }
  }

  private add(at: number, a: number, b: number, c: number, d: number): number {
    const index = this.count;
    let slot = at;
    // All room is made before anything is changed: there may be none.
    if ((index + 1) * 4 > this.words.length) {
      const words = this.take(this.words.length * 2);
      words.set(this.words);
      this.words = words;
      this.describe();
    }
    if ((index + 1) * 2 > this.slots.length) {
      this.rehash();
      slot = this.seek(a, b, c, d);
    }
    this.header[H_COUNT / 4] = index + 1;
    this.words[index * 4] = a;
    this.words[index * 4 + 1] = b;
    this.words[index * 4 + 2] = c;
    this.words[index * 4 + 3] = d;
    this.slots[slot] = index + 1;
    return index;
  }

  private rehash(): void {
    const slots = this.take(this.slots.length * 2);
    const mask = slots.length - 1;
    for (let index = 0; index < this.count; index++) {
      const w = index * 4;
      let at =
        hashWords(this.words[w] ?? 0, this.words[w + 1] ?? 0, this.words[w + 2] ?? 0, this.words[w + 3] ?? 0) & mask;
      while (slots[at] !== 0) at = (at + 1) & mask;
      slots[at] = index + 1;
    }
    this.slots = slots;
    this.describe();
  }

  private take(words: number): Int32Array {
    const taken = this.room?.words(words);
    if (taken) return taken;
    this.room = undefined;
    return new Int32Array(words);
  }

  /** Says where the table is; once it has moved out, that it is empty and cannot take any more. */
  private describe(): void {
    const { header, words, slots } = this;
    const isInside = this.room !== undefined;
    header[H_ROWS / 4] = isInside ? words.byteOffset : 0;
    header[H_SLOTS / 4] = isInside ? slots.byteOffset : 0;
    header[H_MASK / 4] = isInside ? slots.length - 1 : 0;
    header[H_CAPACITY / 4] = isInside ? Math.min(words.length / 4, slots.length / 2) : 0;
  }
}

function hashWords(a: number, b: number, c: number, d: number): number {
  let h =
    Math.imul(a ^ (b >>> 15), 0x85ebca6b) ^
    Math.imul(b, 0xc2b2ae35) ^
    Math.imul(c ^ 0x9e3779b9, 0x27d4eb2f) ^
    Math.imul(d, 0x165667b1);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}
