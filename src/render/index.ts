/** All renderers, by the name and the file ending of what they make. Each is loaded when it is used. */

import { UsageError } from '../errors.js';
import type { Analysis } from '../model.js';
import type { RenderOptions } from './options.js';

export type { RenderOptions };

type Renderer = (analysis: Analysis, options: RenderOptions) => string;

/** Writes piece by piece what would be too much for one string. */
type Writer = (analysis: Analysis, write: (piece: string) => void) => Promise<void>;

interface Registration {
  readonly endings: readonly string[];
  readonly load?: () => Promise<Renderer>;
  /** In place of `load`, where every misdelivered frame is listed: the analysis must give them. */
  readonly loadWriter?: () => Promise<Writer>;
}

const RENDERERS = {
  text: { endings: ['.txt'], load: async () => (await import('./text.js')).renderText },
  json: { endings: ['.json'], load: async () => (await import('./json.js')).renderJson },
  markdown: { endings: ['.md', '.markdown'], load: async () => (await import('./markdown.js')).renderMarkdown },
  html: { endings: ['.html', '.htm'], load: async () => (await import('./html.js')).renderHtml },
  csv: { endings: ['.csv'], loadWriter: async () => (await import('./csv.js')).writeFramesCsv },
  'findings-csv': { endings: ['.findings.csv'], load: async () => (await import('./csv.js')).renderFindingsCsv },
  'flows-csv': { endings: ['.flows.csv'], load: async () => (await import('./csv.js')).renderFlowsCsv },
  'mappings-csv': { endings: ['.mappings.csv'], load: async () => (await import('./csv.js')).renderMappingsCsv },
} as const satisfies Record<string, Registration>;

export type Format = keyof typeof RENDERERS;

/** All formats of output; the annotated capture is made from the captures, not from the analysis alone. */
export type OutputFormat = Format | 'pcapng';

/** What an analysis alone can be rendered as. */
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

/** Whether a format needs `Analysis.eachFrame`. What it makes is large, then. */
export function listsFrames(format: OutputFormat): boolean {
  return format === 'pcapng' || registrationOf(format).loadWriter !== undefined;
}

/** @throws UsageError when the analysis lacks what the format needs */
export async function render(analysis: Analysis, format: Format, options: RenderOptions): Promise<string> {
  const pieces: string[] = [];
  await renderTo(analysis, format, options, (piece) => pieces.push(piece));
  return pieces.join('');
}

/**
 * The same piece by piece, each of whole lines.
 * @throws UsageError when the analysis lacks what the format needs
 */
export async function renderTo(
  analysis: Analysis,
  format: Format,
  options: RenderOptions,
  write: (piece: string) => void,
): Promise<void> {
  const { load, loadWriter } = registrationOf(format);
  if (load) write((await load())(analysis, options));
  else if (loadWriter) await (await loadWriter())(analysis, write);
}

function registrationOf(format: Format): Registration {
  return RENDERERS[format];
}
