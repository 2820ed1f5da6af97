/** All renderers, by the name and the file ending of what they make. Each is loaded when it is used. */

import { UsageError } from '../errors.js';
import type { Analysis } from '../model.js';
import type { RenderOptions } from './options.js';

export type { RenderOptions };

type Renderer = (analysis: Analysis, options: RenderOptions) => string;

interface Registration {
  readonly endings: readonly string[];
  readonly load: () => Promise<Renderer>;
  /** It lists every misdelivered frame: the analysis must hold them. */
  readonly eachFrame?: boolean;
}

const RENDERERS = {
  text: { endings: ['.txt'], load: async () => (await import('./text.js')).renderText },
  json: { endings: ['.json'], load: async () => (await import('./json.js')).renderJson },
  markdown: { endings: ['.md', '.markdown'], load: async () => (await import('./markdown.js')).renderMarkdown },
  html: { endings: ['.html', '.htm'], load: async () => (await import('./html.js')).renderHtml },
  csv: { endings: ['.csv'], load: async () => (await import('./csv.js')).renderFramesCsv, eachFrame: true },
  'findings-csv': { endings: ['.findings.csv'], load: async () => (await import('./csv.js')).renderFindingsCsv },
  'flows-csv': { endings: ['.flows.csv'], load: async () => (await import('./csv.js')).renderFlowsCsv },
  'mappings-csv': { endings: ['.mappings.csv'], load: async () => (await import('./csv.js')).renderMappingsCsv },
} as const satisfies Record<string, Registration>;

export type Format = keyof typeof RENDERERS;

/** All formats of output; the annotated capture is made from the captures, not from the analysis alone. */
export type OutputFormat = Format | 'pcapng';

export const FORMATS: readonly Format[] = [
  'text',
  'json',
  'markdown',
  'html',
  'csv',
  'findings-csv',
  'flows-csv',
  'mappings-csv',
];

/**
 * The format that a file's ending asks for.
 * @throws UsageError when it is none of ours
 */
export function formatOfFile(file: string): OutputFormat {
  const endings: { format: OutputFormat; ending: string }[] = [
    ...FORMATS.flatMap((format) => RENDERERS[format].endings.map((ending) => ({ format, ending }))),
    { format: 'pcapng', ending: '.pcapng' },
  ];
  const fitting = endings.filter(({ ending }) => file.toLowerCase().endsWith(ending));
  // The longest one: .csv is a part of .flows.csv.
  const [best] = fitting.toSorted((a, b) => b.ending.length - a.ending.length);
  if (best) return best.format;
  const known = endings.map(({ ending }) => ending).join(', ');
  throw new UsageError(`${file}: the format is told by the ending, which must be one of ${known}`);
}

/** Whether a format needs `Analysis.frames`. */
export function listsFrames(format: OutputFormat): boolean {
  if (format === 'pcapng') return true;
  const registration: Registration = RENDERERS[format];
  return registration.eachFrame ?? false;
}

/** @throws UsageError when the analysis lacks what the format needs */
export async function render(analysis: Analysis, format: Format, options: RenderOptions): Promise<string> {
  const registration: Registration = RENDERERS[format];
  return (await registration.load())(analysis, options);
}
