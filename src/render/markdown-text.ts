/**
 * Untrusted text in Markdown (GitHub Flavored Markdown). Backslashes do not keep a forge from making links of `@name`,
 * `#1` or `http://...`, as it looks for these in the finished page; only code spans do. So each word of prose that holds
 * a character with a meaning is put into one, and the rest stays readable in a mail.
 */

import { printable } from './words.js';

const MAX_NAME = 100;
const MAX_PROSE = 800;

/** A name, address or filter as a code span. */
export function code(text: string, most = MAX_NAME): string {
  const safe = shortened(printable(text), most);
  if (safe === '') return '(none)';
  const longest = Math.max(0, ...[...safe.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  // A space at each end is taken off again by the reader of the span; it parts backticks from the fence.
  const pad = /^`|`$|^ .* $/.test(safe) ? ' ' : '';
  return `${fence}${pad}${safe}${pad}${fence}`;
}

/** A sentence: words that Markdown or a forge would make something of become code spans. */
export function prose(text: string, most = MAX_PROSE): string {
  return shortened(printable(text), most)
    .split(/ +/)
    .map((word) => {
      const [, open = '', inner = '', close = ''] = /^([("']*)(.*?)([)"'.,;:?!]*)$/.exec(word) ?? [];
      return inner !== '' && isRisky(inner) ? `${open}${code(inner, most)}${close}` : word;
    })
    .join(' ');
}

/** A cell of a table: a bar would end it, even in a code span. */
export function cell(markdown: string): string {
  return markdown.replaceAll('|', '\\|');
}

/** Lines of code between fences that nothing in them can close. */
export function codeBlock(lines: readonly string[], language = ''): string[] {
  const safe = lines.map((line) => printable(line));
  const longest = Math.max(2, ...safe.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length)));
  const fence = '`'.repeat(longest + 1);
  return [`${fence}${language}`, ...safe, fence];
}

/** Marks of Markdown and HTML, links, mentions, references to issues, and colons in pairs, which forges take for pictures. */
function isRisky(word: string): boolean {
  if (/^\d\d:\d\d:\d\d(?:\.\d+)?$/.test(word)) return false;
  return /[\\`*_[\]<>|~&@#$^{}!]|:\/\/|:.*:|^www\.|^GH-\d|^[-+=]+$|^\d+[.)]$/i.test(word);
}

function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 3).replace(/[\uD800-\uDBFF]$/, '')}...` : text;
}
