import { InputError } from '../errors.js';
import { chunkSource } from './chunks.js';
import { isSkippableMagic, LZ4_LEGACY_MAGIC, LZ4_MAGIC, ZSTD_MAGIC } from './magic.js';
import type { ByteSource } from './source.js';
import { ByteWindow } from './window.js';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'lz4';

export interface DecompressLimits {
  /** Compressed within compressed: this many layers are taken off, what is left is given as it is. */
  readonly layers: number;
  /** Bytes of output after which a source fails. */
  readonly bytes: number;
}

export const DEFAULT_LIMITS: DecompressLimits = { layers: 3, bytes: 2 ** 40 };

/** Bytes that tell a compression apart. */
export const COMPRESSION_HEAD = 6;

export interface Decompressed {
  readonly source: ByteSource;
  /** What was taken off, outermost first; empty when the input was not compressed. */
  readonly layers: readonly Compression[];
}

/** Tells a compression by its first bytes. */
export function sniffCompression(head: Uint8Array): Compression | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b && head[2] === 8) return 'gzip';
  if (head.length < 4) return undefined;
  const magic = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(0, true);
  if (magic === ZSTD_MAGIC) return 'zstd';
  // A skippable frame may open both zstd and lz4; zstd writers use it (seekable format, pzstd), lz4 ones do not.
  if (isSkippableMagic(magic)) return 'zstd';
  if (magic === LZ4_MAGIC || magic === LZ4_LEGACY_MAGIC) return 'lz4';
  const isXz = magic === 0x587a37fd && head[4] === 0x5a && head[5] === 0;
  return isXz ? 'xz' : undefined;
}

/**
 * The content of an input, with gzip, zstd, xz and lz4 taken off as its first bytes tell. Everything is decompressed
 * as it is read, in bounded memory. The new source owns the old one.
 * @param name what the user calls the input, for messages
 * @param taken layers that were taken off already
 */
export async function decompress(
  source: ByteSource,
  name: string,
  limits: DecompressLimits = DEFAULT_LIMITS,
  taken: readonly Compression[] = [],
): Promise<Decompressed> {
  const layers = [...taken];
  for (;;) {
    const { head, source: whole } = await peek(source, COMPRESSION_HEAD);
    const compression = layers.length < limits.layers ? sniffCompression(head) : undefined;
    // The xz decoder has one place only, so that the inner of two would wait for the outer for ever.
    if (!compression || (compression === 'xz' && layers.includes('xz'))) return { source: whole, layers };
    layers.push(compression);
    source = bounded(layer(compression, whole, name), name, limits.bytes);
  }
}

/**
 * Looks at the first bytes of a source.
 * @returns up to `length` bytes, and a source that still begins with them
 */
export async function peek(source: ByteSource, length: number): Promise<{ head: Uint8Array; source: ByteSource }> {
  const buffer = new Uint8Array(length);
  let filled = 0;
  let failure: InputError | undefined;
  try {
    while (filled < length) {
      const count = await source.read(buffer, filled, length - filled);
      if (count === 0) break;
      filled += count;
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    failure = error;
  }
  let at = 0;
  return {
    head: buffer.subarray(0, filled),
    source: {
      read(target, start, wanted): number | Promise<number> {
        if (at < filled) {
          const count = Math.min(wanted, filled - at);
          target.set(buffer.subarray(at, at + count), start);
          at += count;
          return count;
        }
        if (failure) throw failure;
        return source.read(target, start, wanted);
      },
      close: () => source.close(),
    },
  };
}

type Decoder = (input: ByteWindow, name: string) => AsyncGenerator<Uint8Array>;

/** Loaded when one is needed. */
const decoders: Readonly<Record<Compression, () => Promise<Decoder>>> = {
  gzip: async () => (await import('./gzip.js')).gunzip,
  zstd: async () => (await import('./zstd.js')).unzstd,
  xz: async () => (await import('./xz.js')).unxz,
  lz4: async () => (await import('./lz4.js')).unlz4,
};

/** One layer taken off. The new source owns the old one. */
export function layer(compression: Compression, source: ByteSource, name: string): ByteSource {
  return chunkSource(decoded(compression, source, name), () => source.close());
}

async function* decoded(compression: Compression, source: ByteSource, name: string): AsyncGenerator<Uint8Array> {
  const decoder = await decoders[compression]();
  yield* decoder(new ByteWindow(source), name);
}

/** The same bytes, but no more than `limit`. */
export function bounded(source: ByteSource, name: string, limit: number): ByteSource {
  let total = 0;
  const count = (bytes: number): number => {
    total += bytes;
    if (total > limit) throw new InputError(name, `decompresses to more than ${limit} bytes`);
    return bytes;
  };
  return {
    read(target, start, length): number | Promise<number> {
      const bytes = source.read(target, start, length);
      return typeof bytes === 'number' ? count(bytes) : bytes.then(count);
    },
    close: () => source.close(),
  };
}
