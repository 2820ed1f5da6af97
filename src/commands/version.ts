/** The version of this package, as its package.json tells it. */

import { readFileSync } from 'node:fs';

const PACKAGE = new URL('../../package.json', import.meta.url);

/** Read at run time: the library and the command are built without it. */
export function packageVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const found = typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined;
  return typeof found === 'string' ? found : '0.0.0';
}
