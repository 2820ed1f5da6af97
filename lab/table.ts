import type { Judged } from './check.js';

const COLUMNS = ['scenario', 'frames', 'misdelivered', 'found', 'wrongly accused', 'cause', 'onset error'];
const WIDTHS = [28, 8, 13, 7, 16, 24, 12];

export function heading(): string {
  return line(COLUMNS);
}

/** One line, and one for each complaint. */
export function row({ scenario, truth, found, accused, causes, onsetError, complaints }: Judged): string {
  const wrong = [...truth.wrong.values()].reduce((sum, frames) => sum + frames.length, 0);
  const cells = [
    scenario.name,
    String(truth.frames),
    String(wrong),
    String(found),
    String(accused),
    causes.join(', ') || '-',
    onsetError === undefined ? '-' : `${onsetError} ms`,
  ];
  return [line(cells), ...complaints.map((complaint) => `  FAILED: ${complaint}`)].join('\n');
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join(' ')
    .trimEnd();
}
