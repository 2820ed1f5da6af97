import { realpathSync, statSync } from 'node:fs';
import { InputError } from '../errors.js';

/** Where an output goes. */
export interface Place {
  /** The file itself, where the path given is a link to it. */
  readonly path: string;
  /** A pipe, terminal or device: it is written to, never replaced. */
  readonly isStream: boolean;
}

/** A path that leads nowhere yet, or cannot be looked at, is taken as it is: opening it tells what is wrong. */
export function placeOf(path: string): Place {
  try {
    const found = statSync(path);
    const isStream = !found.isFile() && !found.isDirectory();
    return { path: isStream ? path : realpathSync(path), isStream };
  } catch {
    return { path, isStream: false };
  }
}

/** One line about an output that cannot be written: what the system says of it, without its code, call and path. */
export function notWritten(name: string, error: unknown): InputError {
  const reason =
    error instanceof Error ? error.message.replace(/^\w+: /, '').replace(/, \w+(?: '[^]*)?$/, '') : String(error);
  return new InputError(name, `cannot be written: ${reason}`, { cause: error });
}
