import { available, corrupt, cutShort } from './chunks.js';
import { isSkippableMagic, LZ4_LEGACY_MAGIC, LZ4_MAGIC } from './magic.js';
import type { ByteWindow } from './window.js';
import { skipFrame } from './zstd.js';

const HISTORY = 64 * 1024;
const LEGACY_BLOCK = 8 * 1024 * 1024;
/** Block sizes by the code of the frame descriptor; codes below 4 are not in use. */
const BLOCK_SIZES = [0, 0, 0, 0, 64 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024];

/**
 * Decompresses LZ4 frames (LZ4 Frame Format Description 1.6): any number of them, skippable and legacy ones too.
 * Checksums are not verified.
 * @throws InputError when the data are cut or damaged; what was decoded before was given
 */
export async function* unlz4(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  while (await available(input, 1)) {
    if (!(await available(input, 4))) throw cutShort(name, 'lz4');
    const magic = input.view.getUint32(input.position, true);
    if (isSkippableMagic(magic)) await skipFrame(input, name, 'lz4');
    else if (magic === LZ4_MAGIC) yield* frame(input, name);
    else if (magic === LZ4_LEGACY_MAGIC) yield* legacyFrame(input, name);
    else throw corrupt(name, 'lz4', input.fileOffset(input.position));
  }
}

async function* frame(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  if (!(await available(input, 7))) throw cutShort(name, 'lz4');
  const flags = input.view.getUint8(input.position + 4);
  const blockSize = BLOCK_SIZES[(input.view.getUint8(input.position + 5) >>> 4) & 7] ?? 0;
  if (flags >>> 6 !== 1 || blockSize === 0) throw corrupt(name, 'lz4', input.fileOffset(input.position));
  const linked = (flags & 0x20) === 0;
  const blockChecksum = (flags & 0x10) !== 0 ? 4 : 0;
  const contentChecksum = (flags & 0x04) !== 0 ? 4 : 0;
  const headerLength = 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
  if (!(await available(input, headerLength))) throw cutShort(name, 'lz4');
  input.position += headerLength;

  const buffer = new Uint8Array(HISTORY + blockSize);
  let history = 0;
  for (;;) {
    if (!(await available(input, 4))) throw cutShort(name, 'lz4');
    const word = input.view.getUint32(input.position, true);
    const offset = input.fileOffset(input.position);
    input.position += 4;
    if (word === 0) break;
    const size = word & 0x7fff_ffff;
    if (size > blockSize) throw corrupt(name, 'lz4', offset);
    const whole = await available(input, size + blockChecksum);
    const block = input.bytes.subarray(input.position, Math.min(input.position + size, input.end));
    input.position += block.length;
    const first = HISTORY - history;
    let end: number;
    if (word >>> 31 === 1) {
      buffer.set(block, HISTORY);
      end = HISTORY + block.length;
    } else {
      end = decodeBlock(block, buffer, first, HISTORY, whole);
      if (end < 0) throw corrupt(name, 'lz4', offset);
    }
    yield buffer.subarray(HISTORY, end);
    if (!whole) throw cutShort(name, 'lz4');
    input.position += blockChecksum;
    if (linked) {
      history = Math.min(HISTORY, end - first);
      buffer.copyWithin(HISTORY - history, end - history, end);
    }
  }
  if (contentChecksum > 0 && !(await available(input, contentChecksum))) throw cutShort(name, 'lz4');
  input.position += contentChecksum;
}

/** The format of `lz4 -l`: blocks of 8 MiB, each on its own, until the end or another magic. */
async function* legacyFrame(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  input.position += 4;
  const buffer = new Uint8Array(LEGACY_BLOCK);
  while (await available(input, 1)) {
    if (!(await available(input, 4))) throw cutShort(name, 'lz4');
    const size = input.view.getUint32(input.position, true);
    if (size === LZ4_MAGIC || size === LZ4_LEGACY_MAGIC || isSkippableMagic(size)) return;
    const offset = input.fileOffset(input.position);
    if (size > LEGACY_BLOCK + LEGACY_BLOCK / 255 + 16) throw corrupt(name, 'lz4', offset);
    const whole = await available(input, 4 + size);
    const block = input.bytes.subarray(input.position + 4, Math.min(input.position + 4 + size, input.end));
    input.position += 4 + block.length;
    const end = decodeBlock(block, buffer, 0, 0, whole);
    if (end < 0) throw corrupt(name, 'lz4', offset);
    yield buffer.subarray(0, end);
    if (!whole) throw cutShort(name, 'lz4');
  }
}

/**
 * Decodes one block (LZ4 Block Format Description) into `output` from `start` on; matches may reach back to `first`.
 * @param whole false when the block is cut: then what it begins with is decoded
 * @returns the end of the output, -1 when the block is damaged
 */
function decodeBlock(block: Uint8Array, output: Uint8Array, first: number, start: number, whole: boolean): number {
  let from = 0;
  let to = start;
  while (from < block.length) {
    const token = block[from++] ?? 0;
    let literals = token >>> 4;
    if (literals === 15) {
      for (let byte = 255; byte === 255 && from < block.length; literals += byte) byte = block[from++] ?? 0;
    }
    if (literals > block.length - from) {
      if (whole) return -1;
      literals = block.length - from;
    }
    if (literals > output.length - to) return -1;
    for (const stop = from + literals; from < stop;) output[to++] = block[from++] ?? 0;
    if (from === block.length) return to;
    if (block.length - from < 2) return whole ? -1 : to;
    const distance = (block[from] ?? 0) | ((block[from + 1] ?? 0) << 8);
    from += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      for (let byte = 255; byte === 255; length += byte) {
        if (from === block.length) return whole ? -1 : to;
        byte = block[from++] ?? 0;
      }
    }
    if (distance === 0 || distance > to - first || length > output.length - to) return -1;
    // Byte by byte: a match may overlap what it writes.
    for (const stop = to + length; to < stop; to++) output[to] = output[to - distance] ?? 0;
  }
  return to;
}
