import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NOT_A_PACKET } from '../../src/records/packet-batch.js';
import { SectionBuilder, u16, u32, u64 } from '../support/build-capture.js';
import { collectCapture, type Collected, memorySource } from '../support/collect-capture.js';

const bytes = Buffer.from('00163e000001020000000002080045', 'hex');
const second = 1_700_000_000n;
const packet = { ticks: second * 1_000_000n + 42n, bytes };

function read(...sections: SectionBuilder[]): Promise<Collected> {
  return collectCapture(memorySource(Buffer.concat(sections.map((section) => section.build()))));
}

describe.each([true, false])('pcapng, little-endian %s', (littleEndian) => {
  const section = (): SectionBuilder => new SectionBuilder(littleEndian);

  it('reads the packets of the enhanced, simple and obsolete blocks', async () => {
    const built = section()
      .interface(1, 10)
      .interface(113)
      .packet(1, { ...packet, original: 2000 })
      .simplePacket(bytes.subarray(0, 10), 15)
      .block(2, u16(littleEndian, 1, 7), u32(littleEndian, 0x0003_a5b7, 42, 4, 60), Buffer.from('abcd'));
    const { packets, diagnostics, summary } = await read(built);
    expect(diagnostics).toEqual([]);
    expect(summary).toMatchObject({ format: 'pcapng', frames: 3, interfaces: 2, cut: false });
    expect(packets.map(({ frame, interfaceIndex, linkType }) => [frame, interfaceIndex, linkType])).toEqual([
      [1, 1, 113],
      [2, 0, 1],
      [3, 1, 113],
    ]);
    expect(packets.map(({ time }) => time)).toEqual([packet.ticks * 1000n, undefined, 0x0003_a5b7_0000_002an * 1000n]);
    expect(packets.map((p) => [p.bytes, p.capturedLength, p.originalLength])).toEqual([
      [bytes.toString('hex'), 15, 2000],
      [bytes.subarray(0, 10).toString('hex'), 10, 15],
      ['61626364', 4, 60],
    ]);
  });

  it('reads all that an interface tells of itself', async () => {
    const s = section();
    s.interface(
      1,
      96,
      s.option(2, 'br-lan'),
      s.option(3, 'the bridge'),
      s.option(4, Buffer.from([192, 168, 1, 1, 255, 255, 255, 0])),
      s.option(4, Buffer.from([10, 0, 0, 1, 255, 255, 255, 255])),
      s.option(5, Buffer.from('20010db800000000000000000000000140', 'hex')),
      s.option(6, Buffer.from('020000000001', 'hex')),
      s.option(8, u64(littleEndian, 1_000_000_000n)),
      s.option(9, Buffer.from([9])),
      s.option(11, Buffer.from('\0port 53')),
      s.option(12, 'Linux 6.6'),
      s.option(13, Buffer.from([4])),
      s.option(14, u64(littleEndian, -5n)),
      s.option(15, 'mt7621'),
      s.option(1, 'note'),
      s.option(2988, Buffer.from([1, 2, 3, 4, 5])),
      s.end(),
    );
    const { interfaces, comments } = await read(s);
    expect(interfaces).toEqual([
      {
        index: 0,
        section: 0,
        idInSection: 0,
        linkType: 1,
        snapLength: 96,
        fcsLength: 4,
        name: 'br-lan',
        description: 'the bridge',
        filter: 'port 53',
        os: 'Linux 6.6',
        hardware: 'mt7621',
        mac: 0x0200_0000_0001,
        addresses: ['192.168.1.1/24', '10.0.0.1/32', '2001:db8::1/64'],
        resolution: { base: 10, exponent: 9, offsetSeconds: -5n, split: false },
      },
    ]);
    expect(comments).toEqual([{ text: 'note', frame: 0 }]);
  });

  it('leaves out options of a wrong length', async () => {
    const s = section();
    s.interface(1, 0, s.option(4, 'abc'), s.option(6, 'abc'), s.option(9, 'ab'), s.option(14, 'abc'), s.end());
    const { interfaces, diagnostics } = await read(s);
    expect(diagnostics).toEqual([]);
    expect(interfaces[0]).toMatchObject({ addresses: [], resolution: { base: 10, exponent: 6, offsetSeconds: 0n } });
    expect(interfaces[0]?.mac).toBeUndefined();
  });

  it('reads flags and comments of packets, and uses a packet whose options are broken', async () => {
    const s = section().interface();
    s.packet(0, packet, s.option(1, 'one'), s.option(2, u32(littleEndian, 2)), s.option(1, 'two'), s.end())
      .packet(0, packet, s.option(2, u32(littleEndian, 1)))
      .packet(0, packet, s.option(2, u32(littleEndian, 5)), u16(littleEndian, 1, 4000));
    const { packets, comments, diagnostics } = await read(s);
    expect(packets.map(({ flags }) => flags)).toEqual([2, 1, 5]);
    expect(comments).toEqual([
      { text: 'one', frame: 1 },
      { text: 'two', frame: 1 },
    ]);
    expect(diagnostics.map(({ id, frame }) => [id, frame])).toEqual([['bad-option', 3]]);
  });

  it('reads names and statistics', async () => {
    const s = section().interface().interface();
    s.block(
      4,
      u16(littleEndian, 1, 18),
      Buffer.from([192, 0, 2, 1]),
      Buffer.from('a.example\0b\0\0\0'),
      Buffer.alloc(2),
      u16(littleEndian, 2, 18),
      Buffer.from('20010db8000000000000000000000002', 'hex'),
      Buffer.from('c\0'),
      Buffer.alloc(2),
      u16(littleEndian, 0, 0),
    );
    s.block(
      5,
      u32(littleEndian, 1, 0, 0),
      s.option(4, u64(littleEndian, 1000n)),
      s.option(5, u64(littleEndian, 7n)),
      s.option(7, u64(littleEndian, 3n)),
      s.end(),
    );
    s.block(5, u32(littleEndian, 0, 0, 0));
    const { names, statistics } = await read(s);
    expect(names).toEqual([
      { address: '192.0.2.1', names: ['a.example', 'b'] },
      { address: '2001:db8::2', names: ['c'] },
    ]);
    expect(statistics).toEqual([
      { interfaceIndex: 1, received: 1000, dropped: 10 },
      { interfaceIndex: 0, received: undefined, dropped: undefined },
    ]);
  });

  it('numbers journal entries and custom blocks, and passes over the rest', async () => {
    const s = section().interface();
    s.block(9, Buffer.from('__REALTIME_TIMESTAMP=1\n')).packet(0, packet);
    s.block(0x0bad, u32(littleEndian, 32_473), Buffer.from('data')).block(0x4000_0bad, u32(littleEndian, 32_473));
    s.block(10, u32(littleEndian, 0x544c_534b, 4), Buffer.from('keys')).block(0x7777, Buffer.from('unknown'));
    s.block(0x8000_0001, u32(littleEndian, 1)).packet(0, packet);
    const { packets, diagnostics } = await read(s);
    expect(diagnostics).toEqual([]);
    expect(packets.map(({ frame, linkType }) => [frame, linkType])).toEqual([
      [1, NOT_A_PACKET],
      [2, 1],
      [3, NOT_A_PACKET],
      [4, NOT_A_PACKET],
      [5, 1],
    ]);
  });

  it('goes on in a section of the other byte order, with interfaces of its own', async () => {
    const first = section().interface(1).interface(113).packet(1, packet);
    const second = new SectionBuilder(!littleEndian, { length: 0n }).interface(276).packet(0, packet);
    const { packets, interfaces } = await read(first, second, first);
    expect(packets.map(({ interfaceIndex, linkType }) => [interfaceIndex, linkType])).toEqual([
      [1, 113],
      [2, 276],
      [4, 113],
    ]);
    expect(interfaces.map((i) => [i.index, i.section, i.idInSection])).toEqual([
      [0, 0, 0],
      [1, 0, 1],
      [2, 1, 0],
      [3, 2, 0],
      [4, 2, 1],
    ]);
  });

  it('reads versions 1.0 and 1.2, and passes over sections of others', async () => {
    const of = (major: number, minor: number): SectionBuilder =>
      new SectionBuilder(littleEndian, { version: [major, minor] }).interface().packet(0, packet);
    const { packets, diagnostics } = await read(of(1, 0), of(1, 1), of(1, 2), of(2, 0), of(0, 1), of(1, 0));
    expect(packets.map(({ frame, interfaceIndex }) => [frame, interfaceIndex])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
    expect(diagnostics.map(({ id }) => id)).toEqual(['capture-version', 'capture-version', 'capture-version']);
  });

  it('skips a block that says what cannot be, and uses its neighbors', async () => {
    const s = section().interface().packet(0, packet).packet(7, packet);
    s.block(6, u32(littleEndian, 0, 0, 0, 5000, 5000), Buffer.from('short')).packet(0, packet);
    s.block(6, u32(littleEndian, 0)).block(2).block(3).block(1).packet(0, packet);
    const { packets, diagnostics, summary } = await read(s);
    expect(packets.map(({ frame }) => frame)).toEqual([1, 2, 3]);
    expect(diagnostics.map(({ id }) => id)).toEqual(Array.from({ length: 6 }, () => 'block-skipped'));
    expect(diagnostics[0]?.what).toBe('A packet names interface 7, which its section does not describe.');
    expect(summary.cut).toBe(true);
  });

  it('finds the next sound block after damage', async () => {
    const broken = section().interface().packet(0, packet).packet(0, packet).packet(0, packet).build();
    const size = 32 + 16;
    const second = broken.length - 2 * size;
    const length = (at: number, value: number): Buffer => {
      const changed = Buffer.from(broken);
      u32(littleEndian, value).copy(changed, at);
      return changed;
    };
    for (const damaged of [length(second + 4, 5), length(second + 4, 0x7fff_fff0), length(second + size - 4, 60)]) {
      const { packets, diagnostics } = await collectCapture(memorySource(damaged));
      expect(packets.map(({ fileOffset }) => fileOffset)).toEqual([second - size, second + size]);
      expect(diagnostics.map(({ id, offset, frame }) => [id, offset, frame])).toEqual([
        ['bad-block', second, 1],
        ['reading-resumed', second + size, 1],
      ]);
    }
  });

  it('goes on with the next section when nothing else follows', async () => {
    const first = section().interface().packet(0, packet).build();
    const junk = Buffer.alloc(4096, 0x5a);
    const other = new SectionBuilder(!littleEndian).interface().packet(0, packet).build();
    const { packets } = await collectCapture(memorySource(Buffer.concat([first, junk, other])));
    expect(packets).toHaveLength(2);
  });

  it('says where a capture ends in the middle, or goes on with nothing sound', async () => {
    const built = section().interface().packet(0, packet).packet(0, packet).build();
    const cut = await collectCapture(memorySource(built.subarray(0, built.length - 7)));
    expect(cut.packets).toHaveLength(1);
    expect(cut.diagnostics.map(({ id, offset, what }) => [id, offset, what])).toEqual([
      ['capture-cut-short', built.length - 48, 'The capture ends 41 bytes into a block.'],
    ]);
    const zeros = await collectCapture(memorySource(Buffer.concat([built, Buffer.alloc(64)])));
    expect(zeros.packets).toHaveLength(2);
    expect(zeros.diagnostics.map(({ id }) => id)).toEqual(['bad-block', 'no-further-block']);
  });

  it('reads blocks larger than its chunks, up to a bound', async () => {
    const large = Buffer.alloc(3_000_000, 9);
    const s = section().interface().packet(0, packet).packet(0, { ticks: 1n, bytes: large }).packet(0, packet);
    const { packets, diagnostics } = await collectCapture(memorySource(s.build(), [0, 5000, 100_000]));
    expect(diagnostics).toEqual([]);
    expect(packets.map(({ capturedLength }) => capturedLength)).toEqual([15, 3_000_000, 15]);
    const huge = section()
      .interface()
      .block(0x7777, Buffer.alloc(17 * 1024 * 1024))
      .packet(0, packet);
    const over = await read(huge);
    expect(over.diagnostics.map(({ id }) => id)).toEqual(['bad-block', 'reading-resumed']);
    expect(over.packets).toHaveLength(1);
  });
});

describe('time stamps', () => {
  const resolutions = [
    0, 1, 3, 6, 7, 9, 10, 12, 15, 16, 19, 0x80, 0x81, 0x8a, 0x90, 0x94, 0x97, 0x98, 0x9e, 0xa0, 0xa1,
  ];

  it.each(resolutions)('of resolution %s are exact', async (resolution) => {
    const perSecond = resolution & 0x80 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
    // Fine ones do not reach to our days with 64 bits.
    const start = second * perSecond < 2n ** 63n ? second : 2n ** 62n / perSecond;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.bigInt({ min: -8_000_000_000_000_000n, max: 8_000_000_000_000_000n }), { minLength: 2 }),
        fc.bigInt({ min: -100_000n, max: 100_000n }),
        async (distances, offset) => {
          const s = new SectionBuilder(true);
          s.interface(1, 0, s.option(9, Buffer.from([resolution])), s.option(14, u64(true, offset)));
          const stamps = distances
            .map((distance) => start * perSecond + (distance * perSecond) / 1_000_000_000n)
            .filter((ticks) => ticks >= 0n && ticks < 2n ** 64n);
          for (const ticks of stamps) s.packet(0, { ticks, bytes });
          const { packets } = await read(s);
          const expected = stamps.map((ticks) => offset * 1_000_000_000n + (ticks * 1_000_000_000n) / perSecond);
          expect(packets.map(({ time }) => time)).toEqual(expected);
          // From the first packet's second, exact as far as a number holds whole ns.
          const first = expected[0] ?? 0n;
          const near = (time: bigint | undefined): boolean =>
            time !== undefined && time - first < 9_007_199_000_000_000n && first - time < 9_007_199_000_000_000n;
          expect(packets.filter(({ time }) => near(time)).map(({ fastTime }) => fastTime)).toEqual(
            expected.filter(near),
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  it('of absurd resolutions read as the beginning of time', async () => {
    const s = new SectionBuilder(true);
    s.interface(1, 0, s.option(9, Buffer.from([127]))).packet(0, packet);
    s.interface(1, 0, s.option(9, Buffer.from([255]))).packet(1, packet);
    const { packets } = await read(s);
    expect(packets.map(({ time, fastTime }) => [time, fastTime])).toEqual([
      [0n, 0n],
      [0n, 0n],
    ]);
  });
});

const step = fc.oneof(
  fc.record({ kind: fc.constant('packet' as const), data: fc.uint8Array({ maxLength: 200 }), flags: fc.nat(7) }),
  fc.record({ kind: fc.constant('simple' as const), data: fc.uint8Array({ maxLength: 50 }) }),
  fc.record({ kind: fc.constant('other' as const), type: fc.constantFrom(5, 10, 0x7777), data: fc.uint8Array() }),
  fc.record({ kind: fc.constant('interface' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function build(sections: { littleEndian: boolean; steps: Step[] }[]): { built: Buffer; data: string[] } {
  const data: string[] = [];
  const parts = sections.map(({ littleEndian, steps }) => {
    const s = new SectionBuilder(littleEndian).interface();
    let count = 1;
    for (const it of steps) {
      if (it.kind === 'interface') {
        s.interface();
        count++;
      } else if (it.kind === 'other') s.block(it.type, Buffer.from(it.data));
      else {
        data.push(Buffer.from(it.data).toString('hex'));
        if (it.kind === 'simple') s.simplePacket(it.data);
        else s.packet(count - 1, { ticks: 1n, bytes: it.data }, s.option(2, u32(littleEndian, it.flags)), s.end());
      }
    }
    return s.build();
  });
  return { built: Buffer.concat(parts), data };
}

const capture = fc
  .array(fc.record({ littleEndian: fc.boolean(), steps: fc.array(step, { maxLength: 40 }) }), {
    minLength: 1,
    maxLength: 3,
  })
  .map(build);

describe('pcapng, for any blocks', () => {
  it('gives back what was written, however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        capture,
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async ({ built, data }, pieces, asynchronous) => {
          const { packets, diagnostics } = await collectCapture(memorySource(built, pieces, asynchronous));
          expect(diagnostics).toEqual([]);
          expect(packets.map((p) => p.bytes)).toEqual(data);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives the packets before a cut at any byte, and no others', async () => {
    await fc.assert(
      fc.asyncProperty(capture, fc.nat(), async ({ built }, place) => {
        const whole = (await collectCapture(memorySource(built))).packets;
        const { packets } = await collectCapture(memorySource(built.subarray(0, place % built.length)));
        expect(packets).toEqual(whole.slice(0, packets.length));
      }),
      { numRuns: 150 },
    );
  });

  it('never fails on changed bytes, and keeps the packets before the first change', async () => {
    await fc.assert(
      fc.asyncProperty(
        capture,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        async ({ built }, changes) => {
          const changed = Buffer.from(built);
          for (const [at, value] of changes) changed[at % built.length] = value;
          const whole = (await collectCapture(memorySource(built))).packets;
          const { packets } = await collectCapture(memorySource(changed));
          const first = Math.min(...changes.map(([at]) => at % built.length));
          const before = whole.filter(
            ({ fileOffset }, i) => (whole[i + 1]?.fileOffset ?? built.length) <= first && fileOffset < first,
          );
          expect(packets.slice(0, before.length)).toEqual(before);
          expect(packets.length).toBeLessThan(200);
        },
      ),
      { numRuns: 200 },
    );
  });
});
