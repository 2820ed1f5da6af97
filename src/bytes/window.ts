import { InputError } from '../errors.js';
import type { ByteSource } from './source.js';

/** Bytes that one read of the source asks for: half of a usual L2 cache. */
const CHUNK = 256 * 1024;

/**
 * Where fresh bytes are put. Large array buffers begin 16 bytes into a page, and the kernel copies into a page-aligned
 * address several times faster than into any other, hence 16 bytes short of a whole page.
 */
const BASE = CHUNK + 4096 - 16;

/** Bytes of a window whose records are no larger than usual. */
const WINDOW_BYTES = BASE + CHUNK;

/**
 * A window that moves over a byte source, in which records lie in one piece.
 *
 * The unread rest of a chunk is carried to just before the base, so that the next chunk always lands on the same
 * aligned address. `bytes` and `view` are replaced when a record asks for more room than there is.
 */
export class ByteWindow {
  bytes: Uint8Array;
  view: DataView;
  /** The unread bytes: `bytes[position]` to `bytes[end - 1]`. The reader advances `position`. */
  position = BASE;
  end = BASE;
  /** The source has no more bytes. */
  ended = false;
  /** Why the source ended early, if it did. */
  failure: InputError | undefined;

  private readonly source: ByteSource;
  /** File offset of `bytes[0]`. */
  private shift = -BASE;

  /** @param bytes where to read to, instead of a buffer of its own: at least `WINDOW_BYTES`, 16 bytes past a page */
  constructor(source: ByteSource, bytes?: Uint8Array) {
    this.source = source;
    this.bytes = bytes ?? new Uint8Array(WINDOW_BYTES);
    this.view = viewOf(this.bytes);
  }

  /** Byte offset in the source of a place in `bytes`. */
  fileOffset(at: number): number {
    return at + this.shift;
  }

  /** Bytes taken from the source so far. */
  get bytesRead(): number {
    return this.end + this.shift;
  }

  /**
   * Reads on until `need` bytes are unread, or `ended`. Everything derived from `bytes`, `position` and `end` is
   * stale afterwards. A failure of the source ends the window and is kept in `failure`.
   */
  fill(need: number): void | Promise<void> {
    if (this.ended || this.end - this.position >= need) return;
    // Bytes that arrive in small pieces are added where they are, so that the unread ones are not moved each time.
    if (this.end === this.bytes.length || this.position + need > this.bytes.length) this.makeRoom(need);
    return this.readUntil(need);
  }

  private makeRoom(need: number): void {
    const tail = this.end - this.position;
    const wanted = Math.max(CHUNK, need - tail);
    let { bytes } = this;
    let base = BASE;
    if (tail > base || bytes.length < base + wanted) {
      while (base < tail) base += 4096;
      bytes = new Uint8Array(base + wanted);
      bytes.set(this.bytes.subarray(this.position, this.end), base - tail);
      this.bytes = bytes;
      this.view = viewOf(bytes);
    } else {
      bytes.copyWithin(base - tail, this.position, this.end);
    }
    this.shift += this.position - (base - tail);
    this.position = base - tail;
    this.end = base;
  }

  private readUntil(need: number): void | Promise<void> {
    while (!this.ended && this.end - this.position < need) {
      let count: number | Promise<number>;
      try {
        count = this.source.read(this.bytes, this.end, Math.min(CHUNK, this.bytes.length - this.end));
      } catch (error) {
        this.fail(error);
        return;
      }
      if (typeof count !== 'number') {
        return count.then(
          (arrived) => {
            this.take(arrived);
            return this.readUntil(need);
          },
          (error: unknown) => this.fail(error),
        );
      }
      this.take(count);
    }
  }

  private take(count: number): void {
    if (count > 0) this.end += count;
    else this.ended = true;
  }

  private fail(error: unknown): void {
    if (!(error instanceof InputError)) throw error;
    this.ended = true;
    this.failure = error;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
