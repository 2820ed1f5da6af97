/** Tables with caption and scopes, and the lists and command blocks that stand around them. */

import type { Origin } from '../../model.js';
import { count } from '../words.js';
import { clipped } from './limits.js';
import { markup, type Content, type Markup } from './markup.js';

export interface TableShape {
  readonly caption: string;
  readonly columns: readonly string[];
  /** Seen only by screen readers: the heading above says it already. */
  readonly isCaptionHidden?: boolean;
  /** Class of the table. */
  readonly name?: string;
  /** When each row was, as the page counts; rows without a time are never hidden by a choice of time. */
  readonly times?: readonly RowTime[];
}

type RowTime = readonly [from: number | undefined, to: number | undefined];

/** Rows that do not fit into `most` are counted. */
export function table(shape: TableShape, rows: readonly (readonly Content[])[], most: number): Markup {
  const head = shape.columns.map((column) => markup`<th scope="col">${column}</th>`);
  const body = rows.slice(0, most).map(([first, ...cells], i) => {
    const rest = cells.map((cell) => markup`<td>${cell}</td>`);
    return markup`<tr${rowTime(shape.times?.[i])}><th scope="row">${first}</th>${rest}</tr>`;
  });
  const hidden = shape.isCaptionHidden ? 'visually-hidden' : '';
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${shape.caption}"><table class="${shape.name ?? ''}"><caption class="${hidden}"><span>${shape.caption}</span></caption><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table></div>${moreNote(rows.length - most)}`;
}

function rowTime(time: RowTime | undefined): Markup | undefined {
  const [from, to] = time ?? [];
  const start = from ?? to;
  return start === undefined ? undefined : markup` data-from="${start}" data-to="${to ?? start}"`;
}

/** `12 more in the JSON`, where something was left out. */
export function moreNote(left: number): Markup | undefined {
  return left > 0 ? markup`<p class="note more">${count(left)} more in the JSON.</p>` : undefined;
}

/** A sentence of ours, in which backquotes enclose what is typed or printed; what is too long is cut. */
export function prose(text: string, most = 2000): Markup {
  const parts = clipped(text, most).split('`');
  // An odd backquote is one that means itself.
  if (parts.length % 2 === 0) return markup`${clipped(text, most)}`;
  return markup`${parts.map((part, i) => (i % 2 === 0 ? part : markup`<code>${part}</code>`))}`;
}

/** Commands to be copied, one a line. */
export function commands(lines: readonly string[]): Markup | undefined {
  if (lines.length === 0) return undefined;
  return markup`<pre class="commands">${lines.map((line, i) => markup`${i > 0 ? NEWLINE : undefined}<code>${line}</code>`)}</pre>`;
}

const NEWLINE = markup`
`;

/** Where statements stand: `lan3.pcap frame 186`. */
export function originsText(origins: readonly Origin[], most = 5): string {
  const shown = origins.slice(0, most).map((origin) => originText(origin));
  const left = origins.length - shown.length;
  return shown.join(', ') + (left > 0 ? ` and ${count(left)} more` : '');
}

function originText(origin: Origin): string {
  const number =
    origin.frame !== undefined ? ` frame ${origin.frame}` : origin.line !== undefined ? ` line ${origin.line}` : '';
  return clipped(origin.input, 100) + number;
}
