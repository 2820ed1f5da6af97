/** How every command ends: exit codes, broken pipes, interrupts, and errors in one line. */

import { CommanderError } from 'commander';
import { InputError, UsageError } from '../errors.js';
import { printable } from '../render/words.js';

export const EXIT = { DELIVERED: 0, MISDELIVERED: 1, FAILED: 2, INTERRUPTED: 130 } as const;

/** Writes to standard output and waits until it is taken. A reader that closes the pipe has seen enough: success. */
export async function writeOut(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (!error) resolve();
      else if (isBrokenPipe(error)) process.exit(0);
      else reject(error);
    });
  });
}

export function writeError(line: string): void {
  process.stderr.write(`macscan: ${line}\n`);
}

/** Ends the program with a code once standard output is written. */
export async function finish(code: number): Promise<void> {
  await writeOut('');
  process.exitCode = code;
}

/** Ends the program with what went wrong: one line for the user's errors, a stack for a bug. */
export async function fail(error: unknown): Promise<void> {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : EXIT.FAILED;
    return;
  }
  if (isBrokenPipe(error)) {
    process.exitCode = 0;
    return;
  }
  if (error instanceof InputError || error instanceof UsageError) writeError(printable(error.message));
  else if (isSystemError(error)) writeError(printable(`${error.path ?? ''}: ${error.message}`.replace(/^: /, '')));
  else process.stderr.write(`macscan: this is a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  await finish(EXIT.FAILED);
}

process.stdout.on('error', (error) => {
  if (isBrokenPipe(error)) process.exit(0);
});
process.stderr.on('error', () => {
  // Nobody reads messages: nothing to be said.
});

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function isBrokenPipe(error: unknown): boolean {
  return isSystemError(error) && error.code === 'EPIPE';
}
