import { createGunzip } from 'node:zlib';
import { available, corrupt, cutShort } from './chunks.js';
import { errorCode } from './file.js';
import type { ByteWindow } from './window.js';

/**
 * Compressed bytes given to zlib at a time, at most and at least. Of a piece in which it finds damage zlib gives nothing, so
 * that the first ones are small: an eighth of what it had before.
 */
const PIECE = 64 * 1024;
const SMALLEST_PIECE = 1024;

/**
 * Decompresses gzip (RFC 1952), one or more members. zlib works in its own thread; its output is asked for only as
 * fast as it is taken.
 * @throws InputError when the data are cut or damaged; what was decoded of the pieces before was given
 */
export async function* gunzip(input: ByteWindow, name: string): AsyncGenerator<Uint8Array> {
  // The mark keeps zlib from working ahead: one chunk that waits to be taken is enough.
  const options = { chunkSize: 256 * 1024, readableHighWaterMark: 1 };
  const inflate = createGunzip(options);
  const queue: Uint8Array[] = [];
  let failure: Error | undefined;
  let ended = false;
  let busy = false;
  let given = 0;
  let wake: () => void = () => undefined;
  inflate.on('data', (chunk: Uint8Array) => {
    queue.push(chunk);
    inflate.pause();
    wake();
  });
  inflate.on('error', (error) => {
    failure = error;
    wake();
  });
  inflate.on('end', () => {
    ended = true;
    wake();
  });
  try {
    for (;;) {
      for (let chunk = queue.shift(); chunk; chunk = queue.shift()) yield chunk;
      if (hasFailed()) break;
      if (hasEnded()) return;
      const state = new Promise<void>((resolve) => (wake = resolve));
      if (!isBusy()) await feed();
      inflate.resume();
      await state;
    }
  } finally {
    inflate.destroy();
  }
  if (errorCode(failure) === 'Z_BUF_ERROR') throw cutShort(name, 'gzip');
  throw corrupt(name, 'gzip', input.fileOffset(input.position), failure);

  function hasFailed(): boolean {
    return failure !== undefined;
  }
  function hasEnded(): boolean {
    return ended;
  }
  function isBusy(): boolean {
    return busy;
  }

  /** Gives zlib the next piece; the window stays as it is until zlib is done with it. */
  async function feed(): Promise<void> {
    busy = true;
    if (!(await available(input, 1))) {
      inflate.end();
      return;
    }
    const wanted = Math.min(PIECE, Math.max(SMALLEST_PIECE, Math.floor(given / 8)));
    const length = Math.min(wanted, input.end - input.position);
    given += length;
    const piece = input.bytes.subarray(input.position, input.position + length);
    input.position += length;
    inflate.write(piece, () => {
      busy = false;
      wake();
    });
  }
}
