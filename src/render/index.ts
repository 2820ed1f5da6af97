/** All renderers, by the name and the file ending of what they make. */

import { UsageError } from '../errors.js';
import type { Analysis } from '../model.js';
import { renderJson } from './json.js';
import { renderText, type TextOptions } from './text.js';

export type RenderOptions = TextOptions;

const RENDERERS = {
  text: { endings: ['.txt'], render: renderText },
  json: { endings: ['.json'], render: renderJson },
} as const satisfies Record<
  string,
  { endings: readonly string[]; render: (analysis: Analysis, options: RenderOptions) => string }
>;

export type Format = keyof typeof RENDERERS;

/**
 * The format that a file's ending asks for.
 * @throws UsageError when it is none of ours
 */
export function formatOfFile(file: string): Format {
  for (const format of FORMATS) {
    if (RENDERERS[format].endings.some((ending) => file.toLowerCase().endsWith(ending))) return format;
  }
  const endings = FORMATS.flatMap((format) => [...RENDERERS[format].endings]);
  throw new UsageError(`${file}: the format is told by the ending, which must be one of ${endings.join(', ')}`);
}

export const FORMATS: readonly Format[] = ['text', 'json'];

export function render(analysis: Analysis, format: Format, options: RenderOptions): string {
  return RENDERERS[format].render(analysis, options);
}
