import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { generate } from '../../bench/generate.js';
import { slice } from '../../bench/slice.js';
import { type Workload, workloads } from '../../bench/workloads.js';
import { hasTool, runTool } from '../support/tool.js';

/** What nothing must match. (tshark also guesses at the payload, which is random; its complaints about that are no matter.) */
const BROKEN =
  'frame.time_delta < 0 || !(arp || tcp || udp || icmpv6) || (_ws.malformed && (arp || icmpv6 || dhcp || dns))';

const folder = mkdtempSync(join(tmpdir(), 'macscan-generate-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const small = workloads(true).map((workload): Workload => ({ ...workload, frames: 3000, flows: 200, hosts: 40 }));

describe.each(small)('the generated capture ($id)', (workload) => {
  it('is the same each time', () => {
    const [first, second] = [generate(workload, folder, 'first'), generate(workload, folder, 'second')];
    expect(sha256(first)).toBe(sha256(second));
  });

  it.skipIf(!hasTool('tshark'))('reads well: nothing malformed, all frames there, times in order', () => {
    const path = generate(workload, folder, 'first');
    expect(tshark(path, ['-Y', BROKEN])).toEqual([]);
    expect(frames(path)).toBeGreaterThanOrEqual(workload.frames);
    expect(frames(path)).toBeLessThan(workload.frames + 10);
  });

  it.skipIf(!hasTool('tshark'))('is cut between frames', () => {
    const path = slice(generate(workload, folder, 'first'), workload.format, 1000);
    expect(frames(path)).toBe(1000);
  });
});

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function tshark(path: string, options: readonly string[]): string[] {
  const output = runTool('tshark', ['-n', '-r', path, ...options], new Uint8Array()).toString();
  return output.split('\n').filter((line) => line !== '');
}

function frames(path: string): number {
  return Number(
    /Number of packets: +([0-9]+)/.exec(runTool('capinfos', ['-Mc', path], new Uint8Array()).toString())?.[1],
  );
}
