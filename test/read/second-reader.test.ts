import fc from 'fast-check';
import PCAPNGParser from 'pcap-ng-parser';
import { describe, expect, it } from 'vitest';
import { SectionBuilder } from '../support/build-capture.js';
import { collectCapture, memorySource } from '../support/collect-capture.js';

/**
 * What pcap-ng-parser 1.0.0 can read: one section of either byte order, interfaces with a name and nothing else,
 * Enhanced Packet Blocks. It multiplies option lengths by 8, so that the name must be long enough to end the list, and
 * what it takes for the name is not compared.
 */
const packets = fc.array(
  fc.record({
    interfaceId: fc.nat(1),
    ticks: fc.bigInt({ min: 0n, max: 2n ** 62n }),
    data: fc.uint8Array({ minLength: 1, maxLength: 300 }),
    more: fc.nat(2000),
  }),
  { minLength: 1, maxLength: 120 },
);

describe('an independent reader', () => {
  it('reads the same packets', async () => {
    await fc.assert(
      fc.asyncProperty(packets, fc.boolean(), async (list, littleEndian) => {
        const section = new SectionBuilder(littleEndian);
        for (const name of ['br-lan', 'wan0']) section.interface(1, 262_144, section.option(2, name), section.end());
        for (const { interfaceId, ticks, data, more } of list) {
          section.packet(interfaceId, { ticks, bytes: data, original: data.length + more });
        }
        const built = section.build();
        const { packets: ours, interfaces } = await collectCapture(memorySource(built));
        const theirs = await readWithPeer(built);
        expect(ours.map((p) => [p.interfaceIndex, p.time, p.bytes])).toEqual(theirs.packets);
        expect(interfaces.map(({ linkType, snapLength }) => [linkType, snapLength])).toEqual(theirs.interfaces);
      }),
      { numRuns: 50 },
    );
  });
});

async function readWithPeer(bytes: Buffer): Promise<{ packets: unknown[][]; interfaces: unknown[] }> {
  const parser = new PCAPNGParser();
  const read: unknown[][] = [];
  const interfaces: unknown[] = [];
  parser.on('interface', (it: unknown) => interfaces.push([field(it, 'linkType'), field(it, 'snapLen')]));
  parser.on('data', (it: unknown) => {
    const number = (name: string): number => Number(field(it, name));
    const data = field(it, 'data');
    read.push([
      number('interfaceId'),
      ((BigInt(number('timestampHigh')) << 32n) | BigInt(number('timestampLow'))) * 1000n,
      data instanceof Uint8Array ? Buffer.from(data).toString('hex') : undefined,
    ]);
  });
  // It never says that it is done, except by calling this.
  await new Promise((resolve) => {
    parser.on('close', resolve);
    parser.end(bytes);
  });
  return { packets: read, interfaces };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
