import { InputError } from '../errors.js';
import { available, corrupt, cutShort } from './chunks.js';
import { isSkippableMagic, ZSTD_MAGIC } from './magic.js';
import type { ByteWindow } from './window.js';

/** The largest window that is decoded: what `zstd -d` allows without asking. */
const MAX_WINDOW = 128 * 1024 * 1024;
const MAX_BLOCK = 128 * 1024;

/** The decoder moves its whole window at every block: bytes moved that are allowed in any case, and per byte of output. */
const MOVES_AT_LEAST = 2 ** 34;
const MOVES_PER_BYTE = 16_384;

/**
 * Decompresses Zstandard (RFC 8878): any number of frames, skippable ones among them. The decoder is given one block
 * at a time, so that a few bytes which stand for many are never expanded all at once. Checksums are not verified.
 * @throws InputError when the data are cut or damaged; what was decoded before was given
 */
export async function* unzstd(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  while (await available(input, 1)) {
    if (!(await available(input, 4))) throw cutShort(name, 'zstd');
    const magic = input.view.getUint32(input.position, true);
    if (isSkippableMagic(magic)) await skipFrame(input, name, 'zstd');
    else if (magic === ZSTD_MAGIC) yield* frame(input, name);
    else throw corrupt(name, 'zstd', input.fileOffset(input.position));
  }
}

export async function skipFrame(input: ByteWindow, name: string, format: string): Promise<void> {
  if (!(await available(input, 8))) throw cutShort(name, format);
  let rest = 8 + input.view.getUint32(input.position + 4, true);
  while (rest > 0) {
    if (!(await available(input, 1))) throw cutShort(name, format);
    const step = Math.min(rest, input.end - input.position);
    input.position += step;
    rest -= step;
  }
}

/** One frame: header, blocks, checksum (section 3.1.1). */
async function* frame(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  const output: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => output.push(chunk));
  const header = await frameHeader(input, name);
  let prefix: Uint8Array | undefined = header.bytes;
  let budget = MOVES_AT_LEAST;
  for (let last = false; !last;) {
    if (!(await available(input, 3))) throw cutShort(name, 'zstd');
    const word = input.view.getUint16(input.position, true) | (input.view.getUint8(input.position + 2) << 16);
    last = (word & 1) !== 0;
    const type = (word >>> 1) & 3;
    const size = word >>> 3;
    const offset = input.fileOffset(input.position);
    if (type === 3 || size > MAX_BLOCK) throw corrupt(name, 'zstd', offset);
    // A repeated byte is stored once, whatever its count; the checksum goes with the last block.
    const length = 3 + (type === 1 ? 1 : size) + (last && header.checksum ? 4 : 0);
    if (!(await available(input, length))) throw cutShort(name, 'zstd');
    const block = input.bytes.subarray(input.position, input.position + length);
    input.position += length;
    try {
      decoder.push(prefix ? joined(prefix, block) : block, last);
    } catch (error) {
      throw corrupt(name, 'zstd', offset, error);
    }
    prefix = undefined;
    for (let chunk = output.shift(); chunk; chunk = output.shift()) {
      budget += chunk.length * MOVES_PER_BYTE;
      if (chunk.length > 0) yield chunk;
    }
    budget -= header.window;
    if (budget < 0) {
      throw new InputError(name, 'the zstd blocks are too small for their window; decompress it with zstd -d');
    }
  }
}

/** Reads a frame header (section 3.1.1.1) and checks that the window it asks for is affordable. */
async function frameHeader(
  input: ByteWindow,
  name: string,
): Promise<{ bytes: Uint8Array; checksum: boolean; window: number }> {
  if (!(await available(input, 6))) throw cutShort(name, 'zstd');
  const descriptor = input.view.getUint8(input.position + 4);
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSizeLength = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;
  const dictionaryLength = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const length = 5 + (singleSegment ? 0 : 1) + dictionaryLength + contentSizeLength;
  if (!(await available(input, length))) throw cutShort(name, 'zstd');
  const { view, position } = input;
  if (dictionaryLength > 0) throw new InputError(name, 'the zstd data need a dictionary');
  let window: number;
  if (singleSegment) {
    const at = position + length - contentSizeLength;
    window =
      contentSizeLength === 8
        ? Number(view.getBigUint64(at, true))
        : contentSizeLength === 4
          ? view.getUint32(at, true)
          : contentSizeLength === 2
            ? view.getUint16(at, true) + 256
            : view.getUint8(at);
  } else {
    const byte = view.getUint8(position + 5);
    const base = 2 ** (10 + (byte >>> 3));
    window = base + (base / 8) * (byte & 7);
  }
  if (window > MAX_WINDOW) {
    throw new InputError(name, `the zstd data need ${window} bytes of memory, more than the ${MAX_WINDOW} allowed`);
  }
  const bytes = input.bytes.slice(position, position + length);
  input.position += length;
  return { bytes, checksum: (descriptor & 4) !== 0, window };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
