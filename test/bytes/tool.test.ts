import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../src/bytes/decompress.js';
import { StoredFile } from '../../src/bytes/stored-file.js';
import { hasTool, runTool } from '../support/tool.js';

const root = mkdtempSync(join(tmpdir(), 'tool-test-'));
const path = process.env['PATH'];
/** More than a program is started for, and no better for being compressed. */
const content = randomBytes(3 * 1024 * 1024);

afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => {
  process.env['PATH'] = path;
});

describe.skipIf(!hasTool('zstd') || !hasTool('xz') || !hasTool('lz4'))('a large compressed file', () => {
  it.each(['zstd', 'xz', 'lz4'])('is the same whether a program or this process takes off %s', async (tool) => {
    const packed = runTool(tool, ['-1', '-c'], content);
    const file = put(`whole.${tool}`, packed);
    expect(await isWhole(file)).toBe(true);
    process.env['PATH'] = '/nowhere';
    expect(await isWhole(file)).toBe(true);
  });

  it.each(['zstd', 'xz', 'lz4'])('gives what there is and one message when %s data are cut', async (tool) => {
    const packed = runTool(tool, ['-1', '-c'], content);
    const file = put(`cut.${tool}`, packed.subarray(0, packed.length / 2));
    const helped = await read(file);
    process.env['PATH'] = '/nowhere';
    const alone = await read(file);
    expect(helped.failure).toBe(alone.failure);
    expect(helped.failure).toMatch(/end in the middle$/);
    // A program may get a little more out of the last block.
    expect(helped.bytes.length).toBeGreaterThanOrEqual(alone.bytes.length);
    expect(helped.bytes.equals(content.subarray(0, helped.bytes.length))).toBe(true);
  });

  it('can be closed before its end', async () => {
    const file = put('early.zst', runTool('zstd', ['-1', '-c'], content));
    const source = await file.open();
    expect(await source.read(new Uint8Array(10), 0, 10)).toBeGreaterThan(0);
    source.close();
    expect(await source.read(new Uint8Array(10), 0, 10)).toBe(0);
  });
});

function put(name: string, bytes: Uint8Array): StoredFile {
  writeFileSync(join(root, name), bytes);
  return new StoredFile(join(root, name), name, bytes.length, DEFAULT_LIMITS);
}

async function isWhole(file: StoredFile): Promise<boolean> {
  const { bytes, failure } = await read(file);
  return failure === undefined && bytes.equals(content);
}

async function read(file: StoredFile): Promise<{ bytes: Buffer; failure: string | undefined }> {
  const source = await file.open();
  const parts: Buffer[] = [];
  let failure: string | undefined;
  try {
    for (;;) {
      const buffer = new Uint8Array(100_000);
      const count = await source.read(buffer, 0, buffer.length);
      if (count === 0) break;
      parts.push(Buffer.from(buffer.subarray(0, count)));
    }
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  source.close();
  return { bytes: Buffer.concat(parts), failure };
}
