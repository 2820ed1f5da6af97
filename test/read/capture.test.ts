import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/bytes/source.js';
import { InputError } from '../../src/errors.js';
import { sniffCapture } from '../../src/read/capture.js';
import { buildPcap, SectionBuilder } from '../support/build-capture.js';
import { collectCapture, memorySource } from '../support/collect-capture.js';
import { hasShared, sharedPath } from '../support/shared.js';

const packets = Array.from({ length: 200 }, (_, i) => ({ ticks: BigInt(i), bytes: Buffer.alloc(100, i) }));
const pcap = buildPcap({ littleEndian: true, resolution: 6 }, packets);

describe('readCapture', () => {
  it('gives nothing for what is no capture', async () => {
    for (const text of ['', 'abc', 'plain text, longer than a header of either format']) {
      const { summary, diagnostics } = await collectCapture(memorySource(Buffer.from(text)));
      expect(summary).toMatchObject({ format: undefined, frames: 0, cut: false });
      expect(diagnostics).toEqual([]);
    }
  });

  it('keeps what came before its input fails, and says why without naming the input', async () => {
    const failing = (bytes: Uint8Array, asynchronous: boolean): ByteSource => {
      const source = memorySource(bytes, [1000], asynchronous);
      return {
        async read(target, start, length) {
          const count = await source.read(target, start, length);
          if (count === 0) throw new InputError('\u001b[31mevil', 'the gzip data end in the middle');
          return count;
        },
        close: () => undefined,
      };
    };
    for (const asynchronous of [true, false]) {
      const { summary, diagnostics } = await collectCapture(
        failing(pcap.subarray(0, 24 + 116 * 50 + 60), asynchronous),
      );
      expect(summary).toMatchObject({ frames: 50, cut: true });
      expect(diagnostics.map(({ id, what }) => [id, what])).toEqual([
        ['capture-cut-short', 'The capture ends 60 bytes into the record of frame 51.'],
        ['input-failed', 'The input fails here: the gzip data end in the middle.'],
      ]);
    }
  });

  it('passes other errors on', async () => {
    const source = { read: (): number => raise(new TypeError('a bug')), close: () => undefined };
    await expect(collectCapture(source)).rejects.toThrow(TypeError);
  });

  it('stops when it is told to, and tells how far it is', async () => {
    const large = buildPcap(
      { littleEndian: true, resolution: 6 },
      Array.from({ length: 400 }, () => ({ ticks: 1n, bytes: Buffer.alloc(100_000) })),
    );
    const progress: number[] = [];
    await collectCapture(memorySource(large), { onProgress: (bytes) => progress.push(bytes) }, false);
    expect(progress.length).toBe(2);
    const controller = new AbortController();
    const reading = collectCapture(
      memorySource(large),
      { signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) },
      false,
    );
    await expect(reading).rejects.toThrow('enough');
  });

  it('bounds the diagnostics of one kind', async () => {
    const section = new SectionBuilder(true).interface();
    for (let i = 0; i < 50; i++) section.packet(9, { ticks: 1n, bytes: Buffer.alloc(4) });
    const { diagnostics } = await collectCapture(memorySource(section.build()));
    expect(diagnostics).toHaveLength(11);
    expect(diagnostics[10]?.what).toBe('The same happened 40 more times in this capture.');
  });
});

describe.skipIf(!hasShared)('captures of routers', () => {
  it('are read to the end without a complaint', async () => {
    const root = sharedPath('captures/');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.pcap(ng)?$/.test(name));
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) {
      const bytes = readFileSync(root + file);
      expect(sniffCapture(bytes)).toBeDefined();
      const { diagnostics, summary, packets: read } = await collectCapture(memorySource(bytes));
      expect(diagnostics).toEqual([]);
      expect(summary).toMatchObject({ bytes: bytes.length, cut: false });
      expect(read.filter(({ time, fastTime }) => time !== fastTime)).toEqual([]);
    }
  });
});

function raise(error: Error): never {
  throw error;
}
