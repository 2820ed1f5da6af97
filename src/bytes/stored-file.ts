import { createHash } from 'node:crypto';
import { decompress, type DecompressLimits } from './decompress.js';
import { openFile } from './file.js';
import type { ByteSource } from './source.js';

const CHUNK = 256 * 1024;

/** Larger files are hashed only when asked: SHA-256 of a gigabyte costs as much as its whole analysis. */
export const MAX_HASHED = 128 * 1024 * 1024;

/** A file of the disk, of the user or a spooled one, whose content can be read any number of times. */
export class StoredFile {
  /** What the user calls it; untrusted. */
  readonly name: string;
  readonly size: number;
  private readonly path: string;
  private readonly limits: DecompressLimits;
  private digest: string | undefined;

  /** @param digest SHA-256 of the bytes where it is known already; empty: it shall not be computed */
  constructor(path: string, name: string, size: number, limits: DecompressLimits, digest?: string) {
    this.path = path;
    this.name = name;
    this.size = size;
    this.limits = limits;
    this.digest = digest;
  }

  /** The same file under another name. */
  named(name: string): StoredFile {
    return new StoredFile(this.path, name, this.size, this.limits, this.digest);
  }

  /**
   * The content from its beginning, decompressed.
   * @throws InputError when the file cannot be opened
   */
  async open(): Promise<ByteSource> {
    const { source } = await decompress(this.openHashed(), this.name, this.limits);
    return source;
  }

  /**
   * SHA-256 of the bytes as stored, in hexadecimal digits; empty where it was not to be computed. Costs nothing once the
   * content was read to its end.
   * @throws InputError when the file cannot be read
   */
  sha256(): string {
    if (this.digest === undefined) {
      const source = openFile(this.path, this.name);
      const hash = createHash('sha256');
      const chunk = new Uint8Array(CHUNK);
      try {
        for (let count = source.read(chunk, 0, CHUNK); count > 0; count = source.read(chunk, 0, CHUNK)) {
          hash.update(chunk.subarray(0, count));
        }
      } finally {
        source.close();
      }
      this.digest = hash.digest('hex');
    }
    return this.digest;
  }

  /** The bytes as stored; the first to read them to the end learns their digest. */
  private openHashed(): ByteSource {
    const source = openFile(this.path, this.name);
    if (this.digest !== undefined) return source;
    const hash = createHash('sha256');
    let ended = false;
    return {
      read: (target, start, length): number => {
        const count = source.read(target, start, length);
        if (ended) return count;
        if (count > 0) hash.update(target.subarray(start, start + count));
        else if (length > 0) {
          ended = true;
          this.digest = hash.digest('hex');
        }
        return count;
      },
      close: () => source.close(),
    };
  }
}
