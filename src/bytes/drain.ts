import { fstatSync, readSync } from 'node:fs';

const PIECE = 64 * 1024;
/** Other tasks get a turn after so many bytes. */
const PER_TURN = 16 * 1024 * 1024;

/**
 * Reads a pipe, or whatever else an open descriptor is, to its end, through one buffer: the memory does not grow with what
 * comes. Waiting for a pipe can be given up, which reading it as a file does not allow.
 * @param take is given each piece, which is overwritten afterwards; returns whether to go on
 * @param signal aborting it ends the reading; what arrived by then was given
 * @throws what the system says when it cannot be read
 */
export async function drain(
  descriptor: number,
  take: (piece: Uint8Array) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const buffer = new Uint8Array(PIECE);
  const stats = fstatSync(descriptor);
  if (stats.isFIFO() || stats.isSocket()) {
    await drainSocket(descriptor, buffer, take, signal);
    return;
  }
  for (let total = 0; !signal?.aborted;) {
    const count = readSync(descriptor, buffer, 0, PIECE, null);
    if (count === 0 || !take(buffer.subarray(0, count))) return;
    total += count;
    if (total % PER_TURN < PIECE) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function drainSocket(
  fd: number,
  buffer: Uint8Array,
  take: (piece: Uint8Array) => boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { Socket } = await import('node:net');
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const callback = (count: number, piece: Uint8Array): boolean => {
      try {
        if (!signal?.aborted && !take(piece.subarray(0, count))) socket.destroy();
      } catch (error) {
        failure = error instanceof Error ? error : new Error('the bytes could not be taken', { cause: error });
        socket.destroy();
      }
      return true;
    };
    const options = { fd, readable: true, writable: false, onread: { buffer, callback } };
    const socket = new Socket(options);
    const giveUp = (): void => {
      socket.destroy();
    };
    socket.on('error', reject);
    socket.on('close', () => {
      signal?.removeEventListener('abort', giveUp);
      if (failure) reject(failure);
      else resolve();
    });
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
    socket.resume();
  });
}
