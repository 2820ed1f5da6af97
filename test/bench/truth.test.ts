import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { generate } from '../../bench/generate.js';
import { LAN, willMove } from '../../bench/network.js';
import { type Workload, workloads } from '../../bench/workloads.js';
import { analyze, framesOf } from '../support/engine.js';

const folder = mkdtempSync(join(tmpdir(), 'macscan-truth-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const small = workloads(true).map((workload): Workload => ({
  ...workload,
  bytes: 4_000_000,
  frames: Infinity,
  flows: 400,
  hosts: 60,
}));

it.each(small)('finds the frames that the generator sent to an old MAC, and no others ($id)', async (workload) => {
  const name = `${workload.id}.capture`;
  const bytes = readFileSync(generate(workload, folder, 'truth'));
  const stale = workload.format === 'pcapng' ? staleFrames(bytes) : [];
  const { misdeliveries } = await analyze([{ name, bytes }]);
  expect(misdeliveries.flatMap(framesOf).sort((a, b) => a - b)).toEqual(stale);
  expect(stale.length > 0).toBe(workload.stale === true);
});

/** Numbers of the frames that hold no ARP and go to a MAC that its host gave up before, as the bytes of a file say. */
function staleFrames(file: Buffer): number[] {
  const stale: number[] = [];
  let moved = false;
  let frame = 0;
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    if (file.readUInt32LE(at) !== 6) continue;
    frame++;
    const packet = at + 28;
    if (file.readUInt32LE(at + 8) !== LAN) continue;
    moved ||= file.readUInt16BE(packet + 6) === 0x0210 && file.readUInt16BE(packet + 8) === 1;
    const toFirstMac = file.readUIntBE(packet, 4) === 0x0210_0000;
    const isArp = [12, 16].some((type) => file.readUInt16BE(packet + type) === 0x0806);
    if (moved && toFirstMac && !isArp && willMove(file.readUInt16BE(packet + 4))) stale.push(frame);
  }
  return stale;
}
