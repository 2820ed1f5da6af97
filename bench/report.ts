import { type Failure, type Run, median } from './measure.js';
import { MACSCAN, NATIVE, PREFETCH, type Tool } from './tools.js';

/** The runs of one tool on one capture, one per round. */
export interface Measured {
  readonly tool: Tool;
  /** Frames that it was given, and whether these are not all. */
  readonly frames: number;
  readonly sliced: boolean;
  readonly runs: readonly Run[];
  readonly failure?: Failure;
}

const COLUMNS = ['', 'CPU s', 'wall s', 'peak MiB', 'frames/s', 'CPU per frame: native = 1', 'macscan = 1'] as const;

/** Those that the summary speaks of. */
const PEERS = ['tcpdump -q -t -nn -e', 'tcpdump -nn -e', 'nfpcapd', 'argus', 'tshark -T fields'];

/** A table of one capture as Markdown, which reads well on a terminal too. */
export function table(measured: readonly Measured[]): string {
  const native = measured.find(({ tool }) => tool.name === NATIVE);
  const macscan = measured.find(({ tool }) => tool.name === MACSCAN);
  const rows = measured.map((entry) => row(entry, native, macscan));
  const widths = COLUMNS.map((title, at) => Math.max(title.length, ...rows.map((cells) => (cells[at] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const failures = measured.flatMap(({ tool, failure }) =>
    failure === undefined || failure.detail === '' ? [] : [`\n${tool.name}: ${failure.detail}`],
  );
  return [line(COLUMNS), line(rule), ...rows.map(line), ...failures].join('\n');
}

/** macscan next to the yardsticks, in a line; empty when it did not run. */
export function summary(measured: readonly Measured[]): string {
  const find = (name: string): Measured | undefined => measured.find(({ tool }) => tool.name === name);
  const macscan = find(MACSCAN);
  if (macscan === undefined || macscan.runs.length === 0) return '';
  const yardsticks = [NATIVE, PREFETCH].map((name) => [ratio(macscan, find(name)), name] as const);
  const peers = PEERS.map((name) => [ratio(find(name), macscan), name] as const);
  const list = (pairs: readonly (readonly [value: string, name: string])[]): string =>
    pairs.flatMap(([value, name]) => (value === '' ? [] : [`${value} (${name})`])).join(', ');
  return `CPU per frame: macscan takes ${list(yardsticks)} times as much as the yardsticks; others take ${list(peers)} times as much as macscan.`;
}

function row(entry: Measured, native: Measured | undefined, macscan: Measured | undefined): string[] {
  const name = entry.sliced ? `${entry.tool.name} (first ${entry.frames} frames)` : entry.tool.name;
  if (entry.failure !== undefined) return [name, entry.failure.why, '', '', '', '', ''];
  const cpu = median(entry.runs.map((run) => run.cpu));
  const wall = median(entry.runs.map((run) => run.wall));
  const peak = Math.max(...entry.runs.map((run) => run.peak));
  return [
    name,
    cpu.toFixed(2),
    wall.toFixed(2),
    (peak / 1024 / 1024).toFixed(0),
    Math.round(entry.frames / wall).toLocaleString('en'),
    ratio(entry, native),
    ratio(entry, macscan),
  ];
}

/** CPU per frame of one next to the other: the median over the rounds in which both ran, so that noise cancels. */
function ratio(one: Measured | undefined, other: Measured | undefined): string {
  if (one === undefined || other === undefined) return '';
  const pairs = Math.min(one.runs.length, other.runs.length);
  const values: number[] = [];
  for (let round = 0; round < pairs; round++) {
    const perFrame = (one.runs[round]?.cpu ?? NaN) / one.frames;
    values.push(perFrame / ((other.runs[round]?.cpu ?? NaN) / other.frames));
  }
  if (values.length === 0) return '';
  const value = median(values);
  return Number.isFinite(value) ? value.toPrecision(value < 10 ? 3 : Math.max(3, Math.ceil(Math.log10(value)))) : '';
}
