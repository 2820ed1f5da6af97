/** `macscan explain`: prints the page of a cause, or the list of all causes. */

import { readdirSync, readFileSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { EXIT, writeOut } from './process.js';

const PAGES = new URL('../../docs/causes/', import.meta.url);

/**
 * Prints the page of a cause as plain text; without an id, all ids with their titles.
 * @throws UsageError when there is no such cause
 */
export async function explainCommand(cause: string | undefined): Promise<number> {
  await writeOut(cause === undefined ? listOfCauses() : pageOf(cause));
  return EXIT.DELIVERED;
}

/** All ids that have a page, in order. */
function causeIds(): string[] {
  return readdirSync(PAGES)
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.slice(0, -'.md'.length))
    .sort();
}

/** One line for each cause: its id and its title. */
export function listOfCauses(): string {
  const ids = causeIds();
  const width = Math.max(...ids.map((id) => id.length));
  return ids.map((id) => `${id.padEnd(width)}  ${titleOf(readPage(id))}\n`).join('');
}

/**
 * The page of a cause as text for a terminal.
 * @throws UsageError that names the nearest id, when there is no such cause
 */
export function pageOf(cause: string): string {
  const ids = causeIds();
  if (ids.includes(cause)) return plainText(readPage(cause));
  const [nearest = ''] = ids.toSorted(
    (a, b) => Number(b.includes(cause)) - Number(a.includes(cause)) || distance(a, cause) - distance(b, cause),
  );
  const isLike = nearest.includes(cause) || distance(nearest, cause) <= nearest.length / 2;
  const hint = isLike ? `; the nearest is "${nearest}"` : '';
  throw new UsageError(`there is no cause "${cause}"${hint}. macscan explain lists all of them`);
}

function readPage(id: string): string {
  return readFileSync(new URL(`${id}.md`, PAGES), 'utf8');
}

/** The first line of a page is `# id: Title`. */
function titleOf(page: string): string {
  return /^# [\w-]+: (.*)$/m.exec(page)?.[1] ?? '';
}

/** Takes the few marks of the pages away: headings, code blocks, code spans. */
function plainText(page: string): string {
  let isCode = false;
  const lines: string[] = [];
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) isCode = !isCode;
    else if (isCode) lines.push(`    ${line}`);
    else if (line.startsWith('# ')) lines.push(line.slice(2), '='.repeat(line.length - 2));
    else if (line.startsWith('## ')) lines.push(line.slice(3).toUpperCase());
    else lines.push(line.replaceAll('`', ''));
  }
  return lines.join('\n');
}

/** How many letters must be put in, left out or changed to make one word of the other. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (b[j] === a[i] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
