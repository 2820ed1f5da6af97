import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** Whether the project's evidence that does not belong to the repository lies next to it. */
export const hasShared = existsSync(root);

if (!hasShared && process.env.CI === 'true') throw new Error(`${root} is missing: the full check needs it`);

export function sharedPath(...parts: string[]): string {
  return root + parts.join('/');
}
