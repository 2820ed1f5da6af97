import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Decoder } from '../../src/decode/frame.js';
import { WantedPackets } from '../../src/detect/wanted.js';
import { readCapture } from '../../src/read/capture.js';
import { Reconstruction } from '../../src/reconstruct/reconstruction.js';
import { FrameBatch } from '../../src/records/frame-batch.js';
import type { PacketBatch } from '../../src/records/packet-batch.js';
import { memorySource } from '../support/collect-capture.js';
import { Wire } from '../support/wire.js';

const host = fc.integer({ min: 0, max: 9 });
const packet = fc.record({ from: host, to: host, src: host, dst: host, times: fc.constantFrom(1, 2, 70) });

it('keeps every packet of the wanted legs, in order, and drops most others', async () => {
  let dropped = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(packet, { minLength: 1, maxLength: 120 }),
      fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
      async (packets, picks) => {
        const wire = new Wire();
        let time = 0;
        for (const { from, to, src, dst, times } of packets) {
          for (let i = 0; i < times; i++) {
            time += 0.001;
            wire.udp(time, { from: mac(from), to: mac(to), src: `10.0.0.${src + 1}`, dst: `10.0.0.${dst + 1}` });
          }
        }
        const capture = wire.pcap();
        const r = new Reconstruction();
        r.beginInput(0);
        const frames = new FrameBatch();
        const decoder = new Decoder(r.addresses);
        const read = async (take: (batch: PacketBatch) => void, first = false): Promise<void> => {
          await readCapture(memorySource(capture), r.epoch, {
            interface: (description) => (first ? r.taps.addInterface(description) : undefined),
            packets: take,
            comment: () => undefined,
            name: () => undefined,
            statistics: () => undefined,
            diagnostic: () => undefined,
          });
        };
        await read((batch) => {
          decoder.decode(batch, frames);
          r.add(frames);
        }, true);

        const legs = new Set(picks.map((pick) => pick % r.legs.count));
        const wanted = new WantedPackets(r, legs);
        const all: string[] = [];
        const kept: string[] = [];
        let keptRows = 0;
        const note = (list: string[], batch: PacketBatch): void => {
          decoder.decode(batch, frames);
          r.find(frames);
          for (let i = 0; i < batch.count; i++) {
            const leg = r.legs.row[i] ?? -1;
            if (legs.has(leg)) list.push(`${leg} ${frames.frame[i]} ${frames.time[i]} ${frames.length[i]}`);
          }
        };
        r.taps.resumeInput(0);
        await read((batch) => {
          note(all, batch);
          wanted.keep(batch);
          keptRows += batch.count;
          note(kept, batch);
        });
        expect(kept).toEqual(all);
        expect(all.at(-1)?.split(' ')[1]).toBe(String(wanted.last));
        dropped += packets.reduce((sum, { times }) => sum + times, 0) - keptRows;
      },
    ),
    { numRuns: 40 },
  );
  expect(dropped).toBeGreaterThan(0);
});

function mac(number: number): string {
  return `02:00:00:00:00:0${number}`;
}
