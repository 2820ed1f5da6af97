import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decompress } from '../../src/bytes/decompress.js';
import { sniffCapture } from '../../src/read/capture.js';
import { buildPcap, type BuiltPacket, type PcapForm } from '../support/build-capture.js';
import { collectCapture, memorySource } from '../support/collect-capture.js';

const second = 1_700_000_000n;
const packets: BuiltPacket[] = [
  { ticks: second * 1_000_000n + 123_456n, bytes: Buffer.from('first packet') },
  { ticks: second * 1_000_000n + 999_999n, bytes: Buffer.from('second'), original: 1500 },
  { ticks: (second + 7n) * 1_000_000n, bytes: Buffer.alloc(0) },
];

describe('pcap', () => {
  it.each([
    { littleEndian: true, resolution: 6 },
    { littleEndian: false, resolution: 6 },
    { littleEndian: true, resolution: 9 },
    { littleEndian: false, resolution: 9 },
    { littleEndian: true, resolution: 6, modified: true },
    { littleEndian: false, resolution: 6, modified: true },
  ] satisfies PcapForm[])('is read in the form $0', async (form) => {
    const scale = form.resolution === 9 ? 1000n : 1n;
    const built = buildPcap(
      form,
      packets.map((packet) => ({ ...packet, ticks: packet.ticks * scale })),
    );
    const { packets: read, summary, diagnostics } = await collectCapture(memorySource(built));
    expect(diagnostics).toEqual([]);
    expect(summary).toEqual({ format: 'pcap', frames: 3, bytes: built.length, interfaces: 1, cut: false });
    expect(read.map(({ frame, time, bytes, originalLength }) => ({ frame, time, bytes, originalLength }))).toEqual(
      packets.map(({ ticks, bytes, original }, i) => ({
        frame: i + 1,
        time: ticks * 1000n,
        bytes: Buffer.from(bytes).toString('hex'),
        originalLength: original ?? bytes.length,
      })),
    );
    expect(read.map(({ fastTime }) => fastTime)).toEqual(read.map(({ time }) => time));
    expect(read.every(({ flags }) => flags === (form.modified ? 2 : 0))).toBe(true);
  });

  it('takes the link type and the frame check sequence apart', async () => {
    const of = async (network: number): Promise<unknown[]> => {
      const built = buildPcap({ littleEndian: true, resolution: 6, network }, packets);
      const { interfaces, packets: read, diagnostics } = await collectCapture(memorySource(built));
      return [interfaces[0]?.linkType, interfaces[0]?.fcsLength, read[0]?.linkType, diagnostics.map(({ id }) => id)];
    };
    expect(await of(1)).toEqual([1, undefined, 1, []]);
    expect(await of(0x2400_0001)).toEqual([1, 4, 1, []]);
    expect(await of(0x2000_0001)).toEqual([1, undefined, 1, []]);
    expect(await of(0x0400_0071)).toEqual([113, 0, 113, []]);
    expect(await of(0x0001_0001)).toEqual([1, undefined, 1, ['reserved-bits']]);
  });

  it('puts lengths right that old programs wrote in the other order', async () => {
    const swap = async (major: number, minor: number): Promise<number[][]> => {
      const built = buildPcap({ littleEndian: true, resolution: 6, major, minor }, [
        { ticks: 1n, bytes: Buffer.from('abc'), original: 9 },
      ]);
      const header = built.subarray(24);
      header.writeUInt32LE(9, 8);
      header.writeUInt32LE(3, 12);
      const { packets: read } = await collectCapture(memorySource(built));
      return read.map(({ capturedLength, originalLength }) => [capturedLength, originalLength]);
    };
    expect(await swap(2, 2)).toEqual([[3, 9]]);
    expect(await swap(2, 3)).toEqual([[3, 9]]);
    expect(await swap(543, 0)).toEqual([[3, 9]]);
    expect(await swap(2, 4)).toEqual([]);
  });

  it('refuses versions before 2', async () => {
    const built = buildPcap({ littleEndian: true, resolution: 6, major: 1, minor: 0 }, packets);
    const { diagnostics, summary } = await collectCapture(memorySource(built));
    expect(diagnostics.map(({ id, offset }) => ({ id, offset }))).toEqual([{ id: 'capture-version', offset: 4 }]);
    expect(summary.frames).toBe(0);
  });

  it('says where a capture ends in the middle', async () => {
    const built = buildPcap({ littleEndian: true, resolution: 6 }, packets);
    const { diagnostics, summary } = await collectCapture(memorySource(built.subarray(0, 24 + 28 + 20)));
    expect(diagnostics).toEqual([
      {
        id: 'capture-cut-short',
        frame: 1,
        offset: 52,
        what: 'The capture ends 20 bytes into the record of frame 2.',
        action: 'Everything before it was used.',
      },
    ]);
    expect(summary.cut).toBe(true);
  });

  it('stops at a record that cannot be one', async () => {
    const built = buildPcap({ littleEndian: true, resolution: 6 }, packets);
    built.writeUInt32LE(262_145, 24 + 28 + 8);
    const { diagnostics, packets: read } = await collectCapture(memorySource(built));
    expect(read).toHaveLength(1);
    expect(diagnostics.map(({ id, offset, frame }) => ({ id, offset, frame }))).toEqual([
      { id: 'bad-record', offset: 52, frame: 1 },
    ]);
  });

  it('stops in a file that goes on with zeros for ever', async () => {
    const built = buildPcap({ littleEndian: true, resolution: 6 }, packets);
    let given = 0;
    const source = memorySource(built);
    const endless = {
      read(target: Uint8Array, start: number, length: number): number {
        const count = source.read(target, start, length);
        if (typeof count !== 'number') throw new Error('unexpected');
        given += length;
        if (count > 0) return count;
        target.fill(0, start, start + length);
        return length;
      },
      close: () => undefined,
    };
    const { diagnostics, summary } = await collectCapture(endless);
    expect(diagnostics.map(({ id }) => id)).toEqual(['zeros']);
    expect(summary.frames).toBe(3 + 1024);
    expect(given).toBeLessThan(2_000_000);
  });

  it('stops early in a gzip bomb of zeros', async () => {
    const zeros = gzipSync(Buffer.alloc(32 * 1024 * 1024));
    const bomb = Buffer.concat([
      gzipSync(buildPcap({ littleEndian: true, resolution: 6 }, packets)),
      ...Array.from({ length: 32 }, () => zeros),
    ]);
    const { source } = await decompress(memorySource(bomb), 'bomb');
    const { diagnostics, summary } = await collectCapture(source);
    source.close();
    expect(diagnostics.map(({ id }) => id)).toEqual(['zeros']);
    expect(summary.bytes).toBeLessThan(100_000);
  });

  it('reads packets as large as a packet may be, and the larger ones of D-Bus', async () => {
    const large = Buffer.alloc(262_144, 7);
    const tail = { ticks: 5n, bytes: Buffer.from('x') };
    const ethernet = buildPcap({ littleEndian: true, resolution: 6 }, [{ ticks: 1n, bytes: large }, tail]);
    expect((await collectCapture(memorySource(ethernet))).summary).toMatchObject({ frames: 2, cut: false });
    const dbus = buildPcap({ littleEndian: true, resolution: 6, network: 231 }, [
      { ticks: 1n, bytes: Buffer.alloc(1_000_000) },
      tail,
    ]);
    expect((await collectCapture(memorySource(dbus, [3000]))).summary).toMatchObject({ frames: 2, cut: false });
  });

  it('is told by its magic only', () => {
    expect(sniffCapture(buildPcap({ littleEndian: false, resolution: 9 }, []))).toBe('pcap');
    expect(sniffCapture(Buffer.from([0xff, 0xd8, 0xff, 0xe0]))).toBeUndefined();
    expect(sniffCapture(Buffer.from([0xa1, 0xb2]))).toBeUndefined();
    expect(sniffCapture(Buffer.from('0a0d0d0a1c000000ffffffff', 'hex'))).toBeUndefined();
  });
});

const packet = fc.record({
  ticks: fc.bigInt({ min: second * 1_000_000_000n, max: (second + 8_000_000n) * 1_000_000_000n }),
  bytes: fc.uint8Array({ maxLength: 300 }),
});
const form = fc.record({
  littleEndian: fc.boolean(),
  resolution: fc.constant(9 as const),
});

describe('pcap, for any packets', () => {
  it('gives back what was written, however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        form,
        fc.array(packet, { maxLength: 150 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (shape, list, pieces, asynchronous) => {
          const built = buildPcap(shape, list);
          const { packets: read } = await collectCapture(memorySource(built, pieces, asynchronous));
          expect(read.map(({ bytes }) => bytes)).toEqual(list.map(({ bytes }) => Buffer.from(bytes).toString('hex')));
          expect(read.map(({ time }) => time)).toEqual(list.map(({ ticks }) => ticks));
          expect(read.map(({ fastTime }) => fastTime)).toEqual(list.map(({ ticks }) => ticks));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives the packets before a cut at any byte, and no others', async () => {
    const built = buildPcap({ littleEndian: true, resolution: 6 }, packets);
    const whole = (await collectCapture(memorySource(built))).packets;
    for (let length = 0; length < built.length; length++) {
      const { packets: read, summary } = await collectCapture(memorySource(built.subarray(0, length)));
      expect(read).toEqual(whole.slice(0, read.length));
      const onBoundary = [24, 52, 74].includes(length);
      expect(summary.cut).toBe(length >= 4 && !onBoundary);
    }
  });

  it('never fails on changed bytes', async () => {
    const built = buildPcap({ littleEndian: true, resolution: 6 }, [...packets, ...packets, ...packets]);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(built.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async (changes) => {
          const changed = Buffer.from(built);
          for (const [at, value] of changes) changed[at] = value;
          const { packets: read } = await collectCapture(memorySource(changed));
          expect(read.length).toBeLessThan(100);
        },
      ),
      { numRuns: 200 },
    );
  });
});
