/** A comparison as text for a terminal of 80 columns, and as Markdown. */

import { cell, code, prose } from '../markdown-text.js';
import { printable } from '../words.js';
import type { Comparison } from './matrix.js';

const WIDTH = 80;
const MAX_CELL = 200;

/** The conclusion, then a line or a few for each question; `*` marks what differs. */
export function comparisonText({ conclusion, sides, rows }: Comparison): string {
  const first = Math.min(26, Math.max(...rows.map(({ what }) => what.length)));
  const rest = Math.floor((WIDTH - first - 6) / 2);
  const lines = [...wrapped(printable(conclusion), WIDTH), ''];
  const put = (mark: string, cells: readonly [string, string, string]): void => {
    const [what, a, b] = [wrapped(cells[0], first), wrapped(cells[1], rest), wrapped(cells[2], rest)];
    for (let i = 0; i < Math.max(what.length, a.length, b.length); i++) {
      const columns = [(what[i] ?? '').padEnd(first), (a[i] ?? '').padEnd(rest), b[i] ?? ''];
      lines.push(`${i === 0 ? mark : ' '} ${columns.join('  ')}`.trimEnd());
    }
  };
  put(' ', ['', printable(sides[0].name), printable(sides[1].name)]);
  for (const { what, values, differs } of rows) {
    put(differs ? '*' : ' ', [what, printable(values[0]), printable(values[1])]);
  }
  return `${lines.join('\n')}\n`;
}

/** The same as a table; what differs is set in bold. */
export function comparisonMarkdown({ conclusion, sides, rows, generator }: Comparison): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const value = (text: string): string => cell(prose(text, MAX_CELL));
  return [
    prose(conclusion),
    '',
    line(['', ...sides.map(({ name }) => cell(code(name)))]),
    line(['---', '---', '---']),
    ...rows.map(({ what, values, differs }) => line([differs ? `**${what}**` : what, ...values.map(value)])),
    '',
    `Made by macscan ${printable(generator.version)}.`,
    '',
  ].join('\n');
}

/** Breaks text at spaces, and words that are longer than a line. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length > width) {
      lines.push(line);
      line = '';
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line += (line === '' ? '' : ' ') + rest;
  }
  lines.push(line);
  return lines;
}
