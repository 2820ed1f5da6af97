import { realpathSync, statSync } from 'node:fs';

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
