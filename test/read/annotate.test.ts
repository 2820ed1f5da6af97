import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decompress } from '../../src/bytes/decompress.js';
import { type Annotation, annotateCapture } from '../../src/read/annotate.js';
import { NOT_A_PACKET } from '../../src/records/packet-batch.js';
import { buildPcap, type BuiltPacket, SectionBuilder, u16, u32 } from '../support/build-capture.js';
import { type Collected, collectCapture, memorySource } from '../support/collect-capture.js';
import { hasShared, sharedPath } from '../support/shared.js';

const packet = (fill: number, length: number): BuiltPacket => ({
  ticks: 1_795_247_546_000_000n + BigInt(fill),
  bytes: new Uint8Array(length).fill(fill),
  original: length + 7,
});

/** Two sections in both byte orders, with all kinds of packet blocks, options, comments and blocks that are no packets. */
function mixedCapture(): Buffer {
  return Buffer.concat([true, false].map(mixedSection));
}

function mixedSection(le: boolean): Buffer {
  const section = new SectionBuilder(le, { length: le ? 4096n : -1n });
  const { option } = { option: section.option.bind(section) };
  const comments = [option(1, 'one'), option(1, 'two, longer'), option(2, u32(le, 1)), section.end()];
  const flags = option(2, u32(le, 2));
  section.interface(1, 60, option(2, 'eth0'), option(1, 'of the interface'), section.end()).interface(101);
  section.packet(0, packet(1, 61)).packet(1, packet(2, 20), ...comments);
  section.packet(0, packet(3, 0), flags);
  section.block(0x0bad, u32(le, 32473), Buffer.from('custom'));
  section.simplePacket(new Uint8Array(60).fill(4), 100);
  // The obsolete block: interface and drops in 16 bits each.
  section.block(2, u16(le, 1, 3), u32(le, 7, 8, 5, 9), Buffer.from([5, 5, 5, 5, 5, 0, 0, 0]), ...comments);
  section.block(5, u32(le, 0, 1, 2), option(5, Buffer.alloc(8, 0)), section.end());
  section.block(0x1234_5678, Buffer.from('unknown!'));
  return section.build();
}

describe('an annotated capture', () => {
  it('is the original but for the length of a section, when nothing is to be said', async () => {
    const original = mixedCapture();
    const expected = Buffer.from(original);
    expected.fill(0xff, 16, 24);
    expect(await annotate(original, { comment: () => undefined })).toEqual(expected);
  });

  it('has one comment more on each frame, before the others', async () => {
    const original = mixedCapture();
    const annotated = await annotate(original, { comment: (frame) => `macscan: frame ${frame} \u00e9` });
    const before = await read(original);
    const after = await read(annotated);
    expect(after.diagnostics).toEqual([]);
    expect(essence(after)).toEqual(essence(before).map(timed));
    expect(after.statistics).toEqual(before.statistics);
    expect(commentsOf(before, 2)).toEqual(['one', 'two, longer']);
    for (const { frame, linkType } of before.packets) {
      const own = linkType === NOT_A_PACKET ? [] : [`macscan: frame ${frame} \u00e9`];
      expect(commentsOf(after, frame)).toEqual([...own, ...commentsOf(before, frame)]);
    }
  });

  it('keeps only the frames that are asked for', async () => {
    const annotated = await annotate(mixedCapture(), { comment: (n) => `c${n}`, keep: (n) => n === 2 || n === 8 });
    const { packets, comments, interfaces } = await read(annotated);
    expect(packets.map(({ bytes }) => bytes.slice(0, 2))).toEqual(['02', '02']);
    expect(comments.filter(({ text }) => /^c\d/.test(text)).map(({ text }) => text)).toEqual(['c2', 'c8']);
    expect(interfaces).toHaveLength(4);
  });

  it.each([
    { littleEndian: true, resolution: 6 },
    { littleEndian: false, resolution: 9 },
    { littleEndian: true, resolution: 9, network: 0x2400_0001 },
    { littleEndian: false, resolution: 6, modified: true, network: 113 },
  ] as const)('is made of classic pcap too: %o', async (form) => {
    const ticks = (i: number): bigint => 4_000_000_000n * 10n ** BigInt(form.resolution) + BigInt(i);
    const packets = [0, 1, 2, 3].map((i) => ({ ...packet(i, 50 + i), ticks: ticks(i) }));
    const original = buildPcap(form, packets);
    const after = await read(
      await annotate(original, { comment: (n) => (n === 2 ? 'x' : undefined), device: 'lan<3>' }),
    );
    const before = await read(original);
    expect(after.diagnostics).toEqual([]);
    expect(essence(after)).toEqual(essence(before));
    expect(after.packets.map(({ flags }) => flags)).toEqual(before.packets.map(({ flags }) => flags));
    expect(after.interfaces[0]).toMatchObject({ name: 'lan<3>', linkType: (form.network ?? 1) & 0xffff });
    expect(after.interfaces[0]?.fcsLength).toBe(before.interfaces[0]?.fcsLength);
    expect(after.comments).toEqual([{ text: 'x', frame: 2 }]);
  });

  it('is sound whatever damage the original has', async () => {
    const sound = mixedCapture();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { maxLength: 4 }),
        fc.nat(sound.length),
        async (flips, cut) => {
          const original = Buffer.from(sound.subarray(0, sound.length - (cut % 300)));
          for (const [at, value] of flips) original[at % original.length] = value;
          const before = await read(original);
          const annotated = await annotate(original, { comment: (frame) => `macscan: ${frame}` });
          const after = await read(annotated);
          expect(after.summary.cut && before.summary.format === 'pcapng' ? after.diagnostics : []).toEqual([]);
          expect(after.packets.map(({ bytes }) => bytes)).toEqual(before.packets.map(({ bytes }) => bytes));
          for (const { frame, linkType } of before.packets)
            if (linkType !== NOT_A_PACKET) expect(commentsOf(after, frame)[0]).toBe(`macscan: ${frame}`);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('comes in pieces of any size alike', async () => {
    const original = mixedCapture();
    const annotation: Annotation = { comment: (frame) => `macscan: ${frame}` };
    expect(await annotate(original, annotation, [1, 7, 300])).toEqual(await annotate(original, annotation));
  });
});

describe.skipIf(!hasShared)('captures of other projects', () => {
  const files = hasShared ? readdirSync(sharedPath('corpus/files'), { recursive: true, encoding: 'utf8' }) : [];
  const captures = files.filter((file) => /\.(?:pcapng|ntar|pcap|cap)$/i.test(file)).filter((_, i) => i % 7 === 0);

  it('keep their packets', { timeout: 120_000 }, async () => {
    expect(captures.length).toBeGreaterThan(50);
    for (const file of captures) {
      const { source } = await decompress(memorySource(readFileSync(sharedPath('corpus/files', file))), file);
      const original = await wholeOf(source);
      const before = await read(original);
      if (before.summary.format === undefined) continue;
      const after = await read(await annotate(original, { comment: (frame) => `macscan: ${frame}` }));
      expect(essence(after), file).toEqual(essence(before).map(timed));
    }
  });
});

async function annotate(original: Uint8Array, annotation: Annotation, pieces?: number[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  await annotateCapture(memorySource(original, pieces), annotation, (bytes) => parts.push(Buffer.from(bytes)));
  return Buffer.concat(parts);
}

async function read(bytes: Uint8Array): Promise<Collected> {
  return collectCapture(memorySource(bytes));
}

/** A packet without a time gets one with its comment. */
function timed<P extends { time: bigint | undefined; isPacket: boolean }>(packet: P): P {
  return packet.isPacket ? { ...packet, time: packet.time ?? 0n } : packet;
}

/** All of the packets but where they stand in the file. */
function essence({ packets }: Collected): { time: bigint | undefined; isPacket: boolean }[] {
  return packets.map(({ frame, interfaceIndex, linkType, time, capturedLength, originalLength, bytes }) => {
    const isPacket = linkType !== NOT_A_PACKET;
    return { frame, interfaceIndex, linkType, time, capturedLength, originalLength, bytes, isPacket };
  });
}

function commentsOf({ comments }: Collected, number: number): string[] {
  return comments.filter(({ frame }) => frame === number).map(({ text }) => text);
}

async function wholeOf(source: Awaited<ReturnType<typeof decompress>>['source']): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.alloc(65_536);
    const count = await source.read(part, 0, part.length);
    if (count === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, count));
  }
}
