import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { errorCode } from './file.js';

/**
 * Temporary files for inputs that cannot be read twice, in a directory of this process that nobody else may enter
 * (mkdtemp makes it with mode 0700). Members of archives lie there under numbers, never under names of their own.
 */
let directory: string | undefined;
let files = 0;
let watching = false;

export interface SpoolFile {
  readonly path: string;
  /** @throws InputError when there is no room */
  write(bytes: Uint8Array): void;
  close(): void;
}

/** @param name the input that is spooled, for messages */
export function createSpool(name: string): SpoolFile {
  let descriptor: number | undefined;
  let path: string;
  try {
    path = temporaryPath();
    descriptor = openSync(path, 'wx', 0o600);
  } catch (error) {
    throw spoolError(name, error);
  }
  return {
    path,
    write(bytes): void {
      try {
        for (let at = 0; at < bytes.length && descriptor !== undefined;) at += writeSync(descriptor, bytes, at);
      } catch (error) {
        throw spoolError(name, error);
      }
    },
    close(): void {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** A path for a temporary file that is not there yet. @throws what the system says when there can be none */
export function temporaryPath(): string {
  if (!watching) {
    // Covers the normal end, process.exit and uncaught errors; signals end a process without it.
    process.once('exit', removeSpools);
    watching = true;
  }
  directory ??= mkdtempSync(join(tmpdir(), 'macscan-'));
  return join(directory, String(files++));
}

/** Removes all temporary files. A command calls it in its handlers for SIGINT, SIGTERM and SIGHUP; at a normal end it is called by itself. */
export function removeSpools(): void {
  if (directory === undefined) return;
  const gone = directory;
  directory = undefined;
  rmSync(gone, { recursive: true, force: true });
}

function spoolError(name: string, error: unknown): InputError {
  const code = errorCode(error);
  const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'there is no room' : `it fails (${code || String(error)})`;
  return new InputError(name, `cannot be kept in a temporary file, as ${why} in ${tmpdir()}`, { cause: error });
}
