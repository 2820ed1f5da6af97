/** How every command ends: exit codes, broken pipes, interrupts, and errors in one line. */

import { CommanderError } from 'commander';
import { closeSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { removeSpools } from '../bytes/spool.js';
import { InputError, isOutOfMemory, UsageError } from '../errors.js';
import { printable } from '../render/words.js';
import { notWritten, placeOf } from './place.js';

export const EXIT = { DELIVERED: 0, MISDELIVERED: 1, FAILED: 2, INTERRUPTED: 130 } as const;

const controller = new AbortController();

/** Aborted at the first Ctrl-C (or SIGTERM, SIGHUP); the second one ends the program at once. */
export const interrupted: AbortSignal = controller.signal;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted.aborted) {
      removeSpools();
      process.exit(EXIT.INTERRUPTED);
    }
    controller.abort();
  });
}

process.stdout.on('error', (error) => {
  if (isBrokenPipe(error)) process.exit(0);
});
process.stderr.on('error', () => {
  // Nobody reads messages: nothing is to be said.
});

/**
 * Writes to standard output and waits until it is taken. A reader that closes the pipe has seen enough: success.
 * @throws InputError when it cannot be written to
 */
export async function writeOut(text: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
      else if (isBrokenPipe(error)) process.exit(0);
      else reject(notWritten('standard output', error));
    });
  });
}

/**
 * Writes a file whole or not at all; pipes and devices are written to.
 * @throws InputError when it cannot be written
 */
export function writeFile(path: string, text: string): void {
  const place = placeOf(path);
  const temporary = `${place.path}.${process.pid}.tmp`;
  let descriptor: number | undefined;
  try {
    if (place.isStream) {
      writeFileSync(place.path, text);
      return;
    }
    descriptor = openSync(temporary, 'wx', 0o666);
    writeFileSync(descriptor, text);
    renameSync(temporary, place.path);
  } catch (error) {
    // What could not be opened is not there, or is somebody else's.
    if (descriptor !== undefined) rmSync(temporary, { force: true });
    throw notWritten(path, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Says something on standard error, in the form of all messages. The caller escapes what comes from an input (`printable`). */
export function writeError(line: string): void {
  process.stderr.write(`macscan: ${line}\n`);
}

/** Ends the program with a code once standard output is written. */
export async function finish(code: number): Promise<void> {
  await writeOut('');
  process.exitCode = code;
}

/** Ends the program with what went wrong: one line for the user's errors, a stack for a bug. */
export function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.FAILED;
    return;
  }
  if (interrupted.aborted) {
    process.exitCode = EXIT.INTERRUPTED;
    return;
  }
  if (isBrokenPipe(error)) {
    process.exitCode = 0;
    return;
  }
  process.exitCode = EXIT.FAILED;
  if (error instanceof InputError || error instanceof UsageError) writeError(printable(error.message));
  else if (isFailedWrite(error)) writeError(printable(notWritten('standard output', error).message));
  else if (isOutOfMemory(error))
    writeError(
      'the memory does not suffice for so much evidence at once; --from and --to, or fewer captures, need less',
    );
  else {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    writeError(`this is a bug, please report it: ${stack.split('\n').map(printable).join('\n')}`);
  }
}

/** Other places tell of theirs by an InputError. */
function isFailedWrite(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write';
}

function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
