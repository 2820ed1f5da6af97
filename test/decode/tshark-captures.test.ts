import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FRAME_COLUMNS, FrameTable } from '../../src/commands/frames.js';
import { readCapture } from '../../src/read/capture.js';
import { Epoch } from '../../src/records/epoch.js';
import { memorySource } from '../support/collect-capture.js';
import { normalize } from '../support/oracle.js';
import { hasShared, sharedPath } from '../support/shared.js';

const run = promisify(execFile);
const hasTshark = spawnSync('tshark', ['--version']).status === 0;
if (!hasTshark && process.env.CI === 'true') throw new Error('tshark is missing: the full check needs it');

describe.skipIf(!hasShared || !hasTshark)('captures of known faults', () => {
  const captures = hasShared ? capturesBelow('captures') : [];

  it('are decoded as tshark decodes them, on every frame', { timeout: 300_000 }, async () => {
    const odd: string[] = [];
    const queue = [...captures];
    const worker = async (): Promise<void> => {
      for (let capture = queue.pop(); capture !== undefined; capture = queue.pop())
        odd.push(...(await compare(capture)));
    };
    await Promise.all([worker(), worker()]);
    expect(odd).toEqual([]);
    expect(captures.length).toBeGreaterThan(0);
  });
});

function capturesBelow(folder: string): string[] {
  return readdirSync(sharedPath(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.pcap(ng)?$/.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}

/** The frames of a capture that differ, as text. */
async function compare(capture: string): Promise<string[]> {
  const fields = FRAME_COLUMNS.flatMap((name) => ['-e', name]);
  const options = ['-n', '-r', sharedPath(capture), '-T', 'fields', '-E', 'occurrence=f', ...fields];
  const reassembly = ['ip.defragment:FALSE', 'ipv6.defragment:FALSE', 'tcp.desegment_tcp_streams:FALSE'];
  const preferences = reassembly.flatMap((preference) => ['-o', preference]);
  const { stdout } = await run('tshark', [...options, ...preferences], { maxBuffer: 1 << 30 });
  const theirs = stdout.split('\n').slice(0, -1);
  const mine: string[] = [];
  const sink = new FrameTable(
    (line) => mine.push(line),
    () => undefined,
  );
  await readCapture(memorySource(readFileSync(sharedPath(capture))), new Epoch(), sink);
  mine.shift();
  const odd: string[] = [];
  for (const [at, line] of theirs.entries()) {
    const cells = mine[at]?.split('\t');
    if (normalizeLine(line.split('\t')) !== normalizeLine(cells ?? []))
      odd.push(`${capture}: ${line} / ${mine[at] ?? ''}`);
  }
  if (mine.length !== theirs.length) odd.push(`${capture}: ${mine.length} packets for ${theirs.length}`);
  return odd;
}

function normalizeLine(cells: readonly string[]): string {
  return FRAME_COLUMNS.map((name, column) => normalize(name, cells[column])).join('\t');
}
