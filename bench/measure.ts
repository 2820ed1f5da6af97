import { spawnSync } from 'node:child_process';

/** What one run of a command took. */
export interface Run {
  /** s, user and system. */
  readonly cpu: number;
  /** s. */
  readonly wall: number;
  /** Peak resident memory, bytes. */
  readonly peak: number;
}

export interface Failure {
  readonly why: 'not installed' | 'failed';
  readonly detail: string;
}

/** Runs a command under `measure` (bench/native/measure.c) and tells what it took, or why it did not work. */
export function measure(measurer: string, command: readonly string[], accepted: readonly number[]): Run | Failure {
  const { stdout, stderr } = spawnSync(measurer, command, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });
  const result: unknown = stdout === '' ? {} : JSON.parse(stdout);
  const status = field(result, 'status');
  if (status === 127) return { why: 'not installed', detail: '' };
  if (!accepted.includes(status)) {
    const lines = stderr.trim().split('\n');
    const message = lines.find((line) => line.includes('Error')) ?? lines.at(-1) ?? '';
    return { why: 'failed', detail: `exit ${status}: ${message}` };
  }
  return { cpu: field(result, 'cpu'), wall: field(result, 'wall'), peak: field(result, 'peak') };
}

/** Without what makes Node start otherwise than by itself: a list of certificates to read takes twice as long as starting. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_EXTRA_CA_CERTS: undefined, NODE_OPTIONS: undefined };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function field(result: unknown, name: string): number {
  const value: unknown = typeof result === 'object' && result !== null ? Reflect.get(result, name) : undefined;
  return typeof value === 'number' ? value : NaN;
}
