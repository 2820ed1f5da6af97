import { ReadableStream } from 'node:stream/web';
import { crc32 } from 'node:zlib';
import { InputError } from '../errors.js';
import { available, corrupt, cutShort } from './chunks.js';
import type { ByteWindow } from './window.js';

/** Compressed bytes given to the decoder at a time: few, as the end of a stream must be looked for in the last of them. */
const PIECE = 4096;
const FOOTER = 12;

/**
 * Decompresses xz (The .xz File Format 1.2.1): one or more streams, with padding. The decoder tells that a stream has
 * ended but not where; its footer tells that. Only one xz stream can be read at a time in a process.
 * @throws InputError when the data are cut or damaged; what was decoded before was given
 */
export async function* unxz(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  do {
    yield* stream(input, name);
    while ((await available(input, 1)) && input.bytes[input.position] === 0) input.position++;
  } while (await available(input, 1));
}

async function* stream(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  const begin = input.fileOffset(input.position);
  const state: { failure?: Error; ended: boolean } = { ended: false };
  /** The last piece given, with the end of the one before it. */
  let recent = new Uint8Array(0);
  const compressed = new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        try {
          if (!(await available(input, 1))) {
            // Not yet a failure: the decoder may still hold output.
            state.ended = true;
            controller.close();
            return;
          }
          const piece = input.bytes.slice(input.position, input.position + Math.min(PIECE, input.end - input.position));
          input.position += piece.length;
          const tail = recent.subarray(-FOOTER);
          recent = new Uint8Array(tail.length + piece.length);
          recent.set(tail);
          recent.set(piece, tail.length);
          controller.enqueue(piece);
        } catch (error) {
          if (error instanceof Error) state.failure = error;
          controller.error(error);
        }
      },
    },
    { highWaterMark: 0 },
  );
  const { default: xz } = await import('xz-decompress');
  const reader = new xz.XzReadableStream(compressed).getReader();
  let open = true;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (value.length > 0) yield value;
    }
    open = false;
  } catch (error) {
    open = false;
    if (state.ended) throw cutShort(name, 'xz');
    throw state.failure ?? decoderError(name, input.fileOffset(input.position), error);
  } finally {
    // Only a stream that is given up early: the decoder frees itself at the end and at an error.
    if (open) await reader.cancel().catch(() => undefined);
  }
  const end = streamEnd(recent, (input.fileOffset(input.position) - recent.length - begin) & 3);
  if (end < 0) throw corrupt(name, 'xz', input.fileOffset(input.position));
  input.position -= recent.length - end;
}

/** Results of the decoder (xz-embedded, enum xz_ret) that do not mean damage: check type, memory and options it does not support. */
const UNSUPPORTED = /error code [2346]$/;

function decoderError(name: string, offset: number, error: unknown): InputError {
  if (!(error instanceof Error) || !UNSUPPORTED.test(error.message)) return corrupt(name, 'xz', offset, error);
  return new InputError(name, 'uses a form of xz that cannot be read here; decompress it with xz -d', { cause: error });
}

/**
 * Where the stream that ends within `bytes` does so: behind a footer (section 2.1.2) whose checksum is right.
 * @param phase distance of `bytes[0]` from the begin of the stream, modulo 4
 * @returns the offset, -1 when there is none
 */
function streamEnd(bytes: Uint8Array, phase: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let end = FOOTER; end <= bytes.length; end++) {
    if (((end + phase) & 3) !== 0 || bytes[end - 2] !== 0x59 || bytes[end - 1] !== 0x5a) continue;
    if (crc32(bytes.subarray(end - 8, end - 2)) === view.getUint32(end - FOOTER, true)) return end;
  }
  return -1;
}
