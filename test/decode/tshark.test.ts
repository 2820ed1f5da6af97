import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { decompress } from 'fzstd';
import { describe, expect, it } from 'vitest';
import { FRAME_COLUMNS, FrameTable } from '../../src/commands/frames.js';
import { readCapture } from '../../src/read/capture.js';
import { Epoch } from '../../src/records/epoch.js';
import { memorySource } from '../support/collect-capture.js';
import { normalize, oracleFiles, readOracle } from '../support/oracle.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { exceptions } from './tshark-exceptions.js';

describe.skipIf(!hasShared)('public captures', () => {
  it('are decoded as tshark decodes them, except where it says why not', { timeout: 120_000 }, async () => {
    const found: Record<string, string> = {};
    for (const file of oracleFiles()) {
      const difference = await compare(file);
      if (difference) found[file] = difference;
    }
    const expected = exceptions.flatMap(({ files }) => Object.entries(files));
    expect(found).toEqual(Object.fromEntries(expected));
  });
});

/** How a file differs from tshark's view: the number of frames, the first of them, the columns; or how many packets. */
async function compare(file: string): Promise<string | undefined> {
  const theirs = readOracle(file);
  const mine: string[] = [];
  const sink = new FrameTable(
    (line) => mine.push(line),
    () => undefined,
  );
  await readCapture(memorySource(content(file)), new Epoch(), sink);
  mine.shift();
  let frames = 0;
  let first = '';
  const columns = new Set<string>();
  for (const [at, other] of theirs.entries()) {
    const cells = mine[at]?.split('\t');
    const odd = cells ? FRAME_COLUMNS.filter((name, column) => isDifferent(name, cells[column], other.get(name))) : [];
    if (odd.length === 0) continue;
    if (frames++ === 0) first = other.get('frame.number') ?? '';
    for (const name of odd) columns.add(name);
  }
  const parts: string[] = [];
  if (frames > 0) parts.push(`${frames} from ${first}: ${[...columns].join(' ')}`);
  if (mine.length !== theirs.length) parts.push(`${mine.length} packets for ${theirs.length}`);
  return parts.length > 0 ? parts.join('; ') : undefined;
}

function isDifferent(name: string, mine: string | undefined, theirs: string | undefined): boolean {
  // The record test counts them; tshark counts other blocks too.
  if (name === 'frame.number') return false;
  // A fraction of a second or more overflows in tshark, and shows as too many digits or a sign.
  if (name === 'frame.time_epoch' && theirs !== undefined && /^-|\.\d{10}/.test(theirs)) return false;
  return normalize(name, mine) !== normalize(name, theirs);
}

function content(file: string): Uint8Array {
  const bytes = readFileSync(sharedPath('corpus/files', file));
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes);
  if (bytes.readUInt32LE(0) === 0xfd2fb528) return decompress(bytes);
  return bytes;
}
