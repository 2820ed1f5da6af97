import { closeSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.js';
import type { ByteSource } from './source.js';

/** A source whose bytes are always at hand. */
export interface SyncSource extends ByteSource {
  read(target: Uint8Array, start: number, length: number): number;
}

/**
 * Opens a file for reading from its beginning, synchronously.
 * @param name what the user calls it, for messages
 * @param size bytes after which it ends: a file that somebody still writes to must look the same at every reading
 * @throws InputError when it cannot be opened
 */
export function openFile(path: string, name: string, size = Infinity): SyncSource {
  let left = size;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw fileError(name, error);
  }
  return {
    read(target, start, length): number {
      if (descriptor === undefined) return 0;
      try {
        const count = readSync(descriptor, target, start, Math.min(length, left), null);
        left -= count;
        return count;
      } catch (error) {
        throw fileError(name, error);
      }
    },
    close(): void {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** One line about a failed system call on a file, in the user's words. */
export function fileError(name: string, error: unknown): InputError {
  const code = errorCode(error);
  // Node gives what is no UTF-8 as this character, which then names no file.
  const isUnnameable = code === 'ENOENT' && name.includes('\u{fffd}');
  const reason = isUnnameable ? 'its name is no UTF-8; rename it, or give it by standard input' : reasons[code];
  return new InputError(name, reason ?? `cannot be read (${code || String(error)})`, { cause: error });
}

/** The system's code of an error (`ENOENT`), empty when it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'is a directory',
  ENOTDIR: 'no such file or directory',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many open files',
  EIO: 'cannot be read (input/output error)',
};
