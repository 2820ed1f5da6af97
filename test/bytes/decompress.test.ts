import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompress, sniffCompression } from '../../src/bytes/decompress.js';
import type { ByteSource } from '../../src/bytes/source.js';
import { InputError } from '../../src/errors.js';
import { memorySource } from '../support/collect-capture.js';
import { hasTool, runTool } from '../support/tool.js';

/** Text that compresses a little, runs, and noise: long enough for several blocks of every format. */
const sample = Buffer.concat([
  Buffer.from(Array.from({ length: 60_000 }, (_, i) => `${(i * 7919) % 10_007} line\n`).join('')),
  Buffer.alloc(700_000, 0x61),
  Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i * 31 + (i >>> 3) * 17) & 255)),
]);

interface Packer {
  readonly name: string;
  readonly pack: (bytes: Uint8Array) => Buffer;
}

const packers: Packer[] = [{ name: 'gzip', pack: (bytes) => gzipSync(bytes) }];
for (const [tool, ...variants] of [
  ['zstd', '-1', '-19', '--no-check', '--long=24'],
  ['xz', '-1', '-6', '--check=none', '--check=crc32', '--block-size=100000'],
  ['lz4', '-1', '-9', '-B4', '-BD', '-B7 -BX', '--no-frame-crc', '-l'],
] as const) {
  if (!hasTool(tool)) continue;
  for (const variant of variants) {
    const args = variant.split(' ');
    packers.push({ name: `${tool} ${variant}`, pack: (bytes) => runTool(tool, [...args, '-c'], bytes) });
  }
}

describe.each(packers)('$name', ({ pack }) => {
  const packed = pack(sample);

  it('gives the bytes that were packed', async () => {
    expect((await readAll(memorySource(packed))).bytes.equals(sample)).toBe(true);
  });

  it('does not depend on how the bytes arrive', async () => {
    const { bytes, failure } = await readAll(memorySource(packed, [1, 700, 13, 65_536, 5], true));
    expect(failure).toBeUndefined();
    expect(bytes.equals(sample)).toBe(true);
  });

  it('reads several in a row, and an empty one', async () => {
    const parts = [sample.subarray(0, 1000), Buffer.alloc(0), sample.subarray(1000, 500_000), sample.subarray(500_000)];
    const { bytes, failure } = await readAll(memorySource(Buffer.concat(parts.map(pack))));
    expect(failure).toBeUndefined();
    expect(bytes.equals(sample)).toBe(true);
  });

  it('gives what comes before a cut, and says so', async () => {
    for (const share of [0.02, 0.3, 0.5, 0.9, 0.999]) {
      const cut = packed.subarray(0, Math.max(40, Math.floor(packed.length * share)));
      const { bytes, failure } = await readAll(memorySource(cut));
      expect(failure?.message).toMatch(/^input: the \w+ data end in the middle$/);
      expect(sample.subarray(0, bytes.length).equals(bytes)).toBe(true);
      if (share >= 0.9) expect(bytes.length).toBeGreaterThan(0);
    }
  });

  it('never throws anything but an input error, whatever the bytes', async () => {
    const small = pack(sample.subarray(0, 3000));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(small.length - 1), value: fc.nat(255) }), { minLength: 1, maxLength: 6 }),
        async (changes) => {
          const changed = Buffer.from(small);
          for (const { at, value } of changes) changed[at] = value;
          const { bytes } = await readAll(memorySource(changed), 2 ** 24);
          expect(bytes.length).toBeLessThanOrEqual(2 ** 24);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('can be given up early', async () => {
    const { source } = await decompress(memorySource(packed), 'input');
    expect(await source.read(new Uint8Array(100), 0, 100)).toBeGreaterThan(0);
    source.close();
    expect((await readAll(memorySource(packed))).bytes.equals(sample)).toBe(true);
  });
});

describe('decompress', () => {
  it('leaves other bytes as they are', async () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('a'), Buffer.from('plain text\n')]) {
      const { source, layers } = await decompress(memorySource(bytes), 'input');
      expect(layers).toEqual([]);
      expect((await drain(source)).bytes.equals(bytes)).toBe(true);
    }
  });

  it('takes off a few layers and no more', async () => {
    let bytes = Buffer.from('core');
    for (let i = 0; i < 5; i++) bytes = gzipSync(bytes);
    const { source, layers } = await decompress(memorySource(bytes), 'input');
    expect(layers).toEqual(['gzip', 'gzip', 'gzip']);
    expect(sniffCompression((await drain(source)).bytes)).toBe('gzip');
  });

  it('stops at the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const { source } = await decompress(memorySource(bomb), 'input', { layers: 3, bytes: 10_000_000 });
    const { bytes, failure } = await drain(source);
    expect(failure?.message).toBe('input: decompresses to more than 10000000 bytes');
    expect(bytes.length).toBeLessThanOrEqual(10_000_000);
  });

  it('gives what stands before damage, of small gzip files too', async () => {
    const damaged = gzipSync(sample.subarray(0, 60_000));
    const middle = damaged.length >>> 1;
    damaged.fill(0xff, middle, middle + 300);
    const { bytes, failure } = await readAll(memorySource(damaged));
    expect(failure?.message).toMatch(/^input: the gzip data are damaged near byte \d+$/);
    expect(bytes.length).toBeGreaterThan(15_000);
    expect(sample.subarray(0, 15_000).equals(bytes.subarray(0, 15_000))).toBe(true);
  });

  it.skipIf(!hasTool('xz'))('says which xz it cannot read, and finds damage by the checksum', async () => {
    const noise = sample.subarray(-200_000);
    const other = runTool('xz', ['--check=sha256', '-c'], noise);
    expect((await readAll(memorySource(other))).failure?.message).toContain('decompress it with xz -d');
    const damaged = runTool('xz', ['-0', '-c'], Buffer.from('a'.repeat(50)));
    damaged[26] = 0x62;
    expect((await readAll(memorySource(damaged))).failure?.message).toMatch(/the xz data are damaged near byte \d+$/);
  });

  it('skips skippable zstd frames and refuses dictionaries and vast windows', async () => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const raw = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 2, 0x11, 0, 0, 0x68, 0x69]);
    expect((await readAll(memorySource(Buffer.concat([skippable, raw, skippable])))).bytes.toString()).toBe('hi');
    const vast = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x01, 0, 0]);
    expect((await readAll(memorySource(vast))).failure?.message).toContain('bytes of memory');
    // Blocks of one byte for a window of 128 MiB.
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88]);
    const blocks = Buffer.alloc(40_000, Buffer.from([0x0a, 0, 0, 0x61]));
    const limited = await readAll(memorySource(Buffer.concat([header, blocks])), 2 ** 24);
    expect(limited.bytes.length).toBeGreaterThan(0);
    expect(limited.failure?.message).toContain('too small for their window');
    const dictionary = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 2, 0x11, 0, 0, 0x68, 0x69]);
    expect((await readAll(memorySource(dictionary))).failure?.message).toContain('dictionary');
  });
});

interface Drained {
  bytes: Buffer;
  failure: InputError | undefined;
}

async function readAll(compressed: ByteSource, limit = 2 ** 40): Promise<Drained> {
  const { source } = await decompress(compressed, 'input', { layers: 3, bytes: limit });
  return drain(source);
}

async function drain(source: ByteSource): Promise<Drained> {
  const parts: Buffer[] = [];
  let failure: InputError | undefined;
  try {
    for (;;) {
      const target = new Uint8Array(50_000);
      const count = await source.read(target, 0, target.length);
      if (count === 0) break;
      parts.push(Buffer.from(target.subarray(0, count)));
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    failure = error;
  }
  source.close();
  return { bytes: Buffer.concat(parts), failure };
}
