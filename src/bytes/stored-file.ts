import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { bounded, COMPRESSION_HEAD, decompress, layer, sniffCompression, type DecompressLimits } from './decompress.js';
import { openFile, type SyncSource } from './file.js';
import type { ByteSource } from './source.js';
import type { ToolCompression } from './tool.js';

const CHUNK = 256 * 1024;

/** Smaller files are decompressed here: starting a program takes longer. */
const MIN_FOR_TOOL = 1024 * 1024;

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

  /** Whether it is the file at a path, by whatever name. */
  liesAt(path: string): boolean {
    const [here, there] = [this.path, path].map(identityOf);
    return here !== undefined && here === there;
  }

  /** The same file under another name. */
  named(name: string): StoredFile {
    return new StoredFile(this.path, name, this.size, this.limits, this.digest);
  }

  /**
   * The content from its beginning, decompressed; for large files in another process, where a program for it is
   * installed, unless `head` says that only the first bytes are wanted.
   * @throws InputError when the file cannot be opened
   */
  async open(head?: 'head'): Promise<ByteSource> {
    const { path, name, limits } = this;
    const compression = head || this.size < MIN_FOR_TOOL || limits.layers === 0 ? undefined : this.compression();
    if (!compression) return (await decompress(this.openHashed(), name, limits)).source;
    const { toolSource } = await import('./tool.js');
    const own = (): ByteSource => layer(compression, this.openRaw(), name);
    const outer = bounded(toolSource(path, compression, own), name, limits.bytes);
    return (await decompress(outer, name, limits, [compression])).source;
  }

  /** Up to the size that it had at first; the files of /proc say zero and hold something. */
  private openRaw(): SyncSource {
    return openFile(this.path, this.name, this.size > 0 ? this.size : Infinity);
  }

  /** What a program is to take off. */
  private compression(): ToolCompression | undefined {
    const source = this.openRaw();
    try {
      const head = new Uint8Array(COMPRESSION_HEAD);
      const found = sniffCompression(head.subarray(0, source.read(head, 0, head.length)));
      return found === 'gzip' ? undefined : found;
    } finally {
      source.close();
    }
  }

  /**
   * SHA-256 of the bytes as stored, in hexadecimal digits; empty where it was not to be computed. Costs nothing once the
   * content was read to its end.
   * @throws InputError when the file cannot be read
   */
  sha256(): string {
    if (this.digest === undefined) {
      const source = this.openRaw();
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
    const source = this.openRaw();
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

/** Device and inode; undefined where there is no file, or none that can be looked at. */
function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
