import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressTable } from '../../src/bytes/address.js';
import { HeaderFields } from '../../src/decode/fields.js';
import { Decoder } from '../../src/decode/frame.js';
import { LinkType } from '../../src/decode/link-type.js';
import { FrameBatch } from '../../src/records/frame-batch.js';
import { BATCH_SIZE, NOT_A_PACKET, PacketBatch } from '../../src/records/packet-batch.js';
import { decodePacket, describeFrame, hex } from '../support/decode-packet.js';
import { referenceDecode } from './reference.js';

const bytes = (max: number): fc.Arbitrary<number[]> => fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: max });
const pick = (...texts: string[]): fc.Arbitrary<number[]> => fc.constantFrom(...texts).map((text) => [...hex(text)]);
const chain = (...parts: fc.Arbitrary<number[]>[]): fc.Arbitrary<number[]> =>
  fc.tuple(...parts).map((list) => list.flat());

/** Lengths that are mostly small, so that headers and their ends come near each other. */
const length = fc
  .oneof(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 0, max: 0xffff }))
  .map((n) => [n >> 8, n & 255]);
const exactly = (n: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 0, max: 255 }), { minLength: n, maxLength: n });
const byte = exactly(1);

const ports = pick('03e807d0', '00430044', '12b512b5', '17c117c1', '08680868', '0dd80dd8', '06a506a5', '10f510f5');
const protocol = fc.oneof(
  pick('06', '11', '01', '3a', '2f', '04', '29', '33', '2c', '00', '2b', '3c', '67', '84', '88'),
  byte,
);
const ipv4 = chain(
  fc.oneof(pick('45'), pick('46', '44', '4f', '60')),
  byte,
  length,
  exactly(2),
  pick('0000', '4000', '2000', '0001'),
  byte,
  protocol,
  exactly(10),
  ports,
  bytes(60),
);
const extension = chain(protocol, pick('00', '01', '02', '04'), exactly(6));
const discovery = chain(
  pick('86', '87', '88', '89'),
  pick('00'),
  exactly(22),
  pick('', '0101', '0201', '0304', '0100'),
  bytes(40),
);
const ipv6 = chain(
  fc.oneof(pick('60000000'), exactly(4)),
  length,
  protocol,
  pick('ff', '40'),
  exactly(32),
  fc.oneof(ports, extension, discovery),
  fc.oneof(pick(''), extension, ports),
  bytes(40),
);
const network = fc.oneof(
  chain(pick('0800'), ipv4),
  chain(pick('86dd'), ipv6),
  chain(pick('0806'), pick('0001080006040001', '0001080006040002', '0006080006040001'), bytes(30)),
  chain(pick('8864'), exactly(6), pick('0021', '0057', '57'), fc.oneof(ipv4, ipv6)),
  chain(pick('8847'), pick('00010140', '0001004000020140'), fc.oneof(ipv4, ipv6, bytes(40))),
  chain(pick('0040'), pick('aaaa030000000800', '060603', 'aaaa03'), ipv4),
  chain(pick('88e5', '8926', '88e7', '8903', 'd28b', '894f', '6558'), bytes(60)),
  bytes(60),
);
const tag = chain(pick('8100', '88a8', '9100'), exactly(2));
const tagged = chain(fc.oneof(pick(''), tag, chain(tag, tag), chain(tag, tag, tag)), network);
const frame = chain(exactly(12), tagged);
/** A packet of which a snap length may have left any part, and to which anything may have happened. */
const mutated = fc
  .tuple(frame, fc.nat(), fc.array(fc.tuple(fc.nat(), byte), { maxLength: 3 }))
  .map(([packet, cut, changes]) => {
    const copy = [...packet];
    for (const [at, [value = 0]] of changes) if (copy.length > 0) copy[at % copy.length] = value;
    return cut % 4 === 0 ? copy.slice(0, cut % (copy.length + 1)) : copy;
  });
const linkType = fc.oneof(fc.constantFrom(...Object.values(LinkType)), fc.integer({ min: -1, max: 300 }));

describe('any packet', () => {
  it('is decoded from its own bytes alone', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, bytes(200)), linkType, fc.nat(100), (packet, type, more) => {
        const options = { wire: packet.length + more };
        const one = decodePacket(Uint8Array.from(packet), type, { ...options, poison: 0xff });
        expect(decodePacket(Uint8Array.from(packet), type, { ...options, poison: 0x00 })).toEqual(one);
        expect(decodePacket(Uint8Array.from(packet), type, { ...options, poison: 0x45 })).toEqual(one);
        expect(one.flags.filter((flag) => flag.startsWith('unknown'))).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('gives its fields from its own bytes alone', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, bytes(200)), linkType, (packet, type) => {
        const one = fieldsOf(packet, type, 0xff);
        expect(fieldsOf(packet, type, 0x00)).toEqual(one);
        expect(fieldsOf(packet, type, 0x60)).toEqual(one);
      }),
      { numRuns: 3000 },
    );
  });

  it('reads nothing beyond the end of the buffer', () => {
    fc.assert(
      fc.property(fc.oneof(mutated, bytes(200)), linkType, (packet, type) => {
        const packets = onePacket(Uint8Array.from(packet), 0, packet.length, type);
        const addresses = new AddressTable();
        const frames = new FrameBatch();
        new Decoder(addresses).decode(packets, frames);
        new HeaderFields(addresses).collect(packets, frames, 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('says the same as the plain decoder', () => {
    let compared = 0;
    fc.assert(
      fc.property(mutated, fc.constantFrom(0, 1, 70_000), (packet, more) => {
        const reference = referenceDecode(packet, packet.length + more);
        if (!reference) return;
        compared++;
        const { src, dst, vlan, etherType, ip, protocol, ports } = decodePacket(Uint8Array.from(packet), 1, {
          wire: packet.length + more,
        });
        const isPortless = ports !== undefined && protocol !== 6 && protocol !== 17;
        const mine = { src, dst, vlan, etherType, ip, protocol, ports: isPortless ? [0, 0] : ports };
        expect(JSON.stringify(sorted(mine))).toBe(JSON.stringify(sorted({ ...reference })));
      }),
      { numRuns: 5000 },
    );
    expect(compared).toBeGreaterThan(2000);
  });

  it('does not depend on the packet before it in the batch', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(mutated, linkType), { minLength: 1, maxLength: BATCH_SIZE }), (list) => {
        const addresses = new AddressTable();
        const decoder = new Decoder(addresses);
        const frames = new FrameBatch();
        const packets = new PacketBatch();
        packets.bytes = Uint8Array.from(list.flatMap(([packet]) => packet));
        let at = 0;
        for (const [row, [packet, type]] of list.entries()) {
          packets.offset[row] = at;
          packets.capturedLength[row] = packets.originalLength[row] = packet.length;
          packets.linkType[row] = type;
          at += packet.length;
        }
        packets.count = list.length;
        for (let turn = 0; turn < 2; turn++) {
          decoder.decode(packets, frames);
          for (const [row, [packet, type]] of list.entries()) {
            const alone = decodePacket(Uint8Array.from(packet), type);
            expect(describeFrame(frames, row, packets.offset[row] ?? 0, addresses)).toEqual(alone);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('every beginning of a packet', () => {
  it('claims nothing that the whole packet does not', () => {
    const advertisement = hex(
      `3333ff000001 020000000001 86dd 60000000 0028 3a ff fe800000000000000000000000000001 20010db8000000000000000000000002
       8800 0000 60000000 20010db8000000000000000000000002 0201 020000000022 0e01 000000000000`,
    );
    const whole = decodePacket(advertisement).claim;
    expect(whole).toBeDefined();
    for (let end = 0; end < advertisement.length; end++) {
      const { claim } = decodePacket(advertisement.slice(0, end), 1, { wire: advertisement.length });
      expect([undefined, whole]).toContain(claim);
    }
  });
});

function fieldsOf(packet: readonly number[], type: number, poison: number): Record<string, string> {
  const buffer = new Uint8Array(packet.length + 256).fill(poison);
  buffer.set(packet, 128);
  const packets = onePacket(buffer, 128, packet.length, type);
  const addresses = new AddressTable();
  const frames = new FrameBatch();
  new Decoder(addresses).decode(packets, frames);
  return Object.fromEntries(new HeaderFields(addresses).collect(packets, frames, 0));
}

function onePacket(buffer: Uint8Array, offset: number, length: number, type: number): PacketBatch {
  const packets = new PacketBatch();
  packets.count = 1;
  packets.bytes = buffer;
  packets.offset[0] = offset;
  packets.capturedLength[0] = packets.originalLength[0] = length;
  packets.linkType[0] = type < 0 ? NOT_A_PACKET : type;
  return packets;
}

function sorted(values: Record<string, unknown>): [string, unknown][] {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
