import { InputError } from '../errors.js';
import type { ByteSource } from './source.js';
import type { ByteWindow } from './window.js';

/**
 * Makes `need` bytes available in a window.
 * @returns whether there are that many
 * @throws InputError when the source below failed
 */
export async function available(window: ByteWindow, need: number): Promise<boolean> {
  const filled = window.fill(need);
  if (filled) await filled;
  if (window.end - window.position >= need) return true;
  if (window.failure) throw window.failure;
  return false;
}

/**
 * The bytes of a sequence of chunks as a source. A chunk may be reused by its giver once the next one is asked for.
 * @param close what to do when the reader is done, early or not
 */
export function chunkSource(chunks: AsyncGenerator<Uint8Array>, close: () => void): ByteSource {
  let chunk: Uint8Array = new Uint8Array(0);
  let at = 0;
  let ended = false;
  const take = (target: Uint8Array, start: number, length: number): number => {
    const count = Math.min(length, chunk.length - at);
    target.set(at === 0 && count === chunk.length ? chunk : chunk.subarray(at, at + count), start);
    at += count;
    return count;
  };
  const next = async (target: Uint8Array, start: number, length: number): Promise<number> => {
    while (!ended && at === chunk.length) {
      const result: IteratorResult<Uint8Array, unknown> = await chunks.next();
      if (result.done) ended = true;
      else {
        chunk = result.value;
        at = 0;
      }
    }
    return take(target, start, length);
  };
  return {
    read: (target, start, length) => (at < chunk.length ? take(target, start, length) : next(target, start, length)),
    close(): void {
      ended = true;
      chunk = new Uint8Array(0);
      at = 0;
      // The generator may be waiting for bytes; whatever it still says concerns nobody.
      chunks.return(undefined).catch(() => undefined);
      close();
    },
  };
}

/** The error of a compressed stream that stops in the middle. */
export function cutShort(name: string, format: string): InputError {
  return new InputError(name, `the ${format} data end in the middle`);
}

/** The error of a compressed stream that cannot be decoded at a place. */
export function corrupt(name: string, format: string, offset: number, cause?: unknown): InputError {
  return new InputError(name, `the ${format} data are damaged near byte ${offset}`, { cause });
}
