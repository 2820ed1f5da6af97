import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMac } from '../../src/bytes/address.js';
import { LinkType } from '../../src/decode/link-type.js';
import { AddressMapping } from '../../src/redact/mapping.js';
import { PacketRedactor } from '../../src/redact/packet.js';
import { redactPieces, TEST_KEY } from '../support/redact-pieces.js';
import { hasTool, runTool } from '../support/tool.js';
import { Wire } from '../support/wire.js';

const A = { mac: '94:83:c4:10:00:01', ip: '203.0.113.77' };
const B = { mac: '52:54:00:a1:b2:40', ip: '198.51.100.10' };
const A6 = { mac: A.mac, ip: '2001:db8:1:2:9683:c4ff:fe10:1' };
const B6 = { mac: B.mac, ip: '2001:db8:7:8::53' };

const bytesOf = (mac: string): number[] => mac.split(':').map((part) => Number.parseInt(part, 16));
const ipBytes = (ip: string): number[] => ip.split('.').map(Number);

/** A little of everything that holds addresses. */
function traffic(): Wire {
  const wire = new Wire();
  wire.meet(0, A, B);
  wire.gratuitous(1, A);
  wire.solicit(2, A6, B6.ip);
  wire.advertise(2.1, B6, A6);
  wire.advertise(2.2, A6);
  wire.dhcp(3, 5, A, B);
  wire.udp(4, { from: A.mac, to: B.mac, src: A.ip, dst: B.ip, payload: [...bytesOf(A.mac), ...ipBytes(B.ip), 1, 2] });
  wire.udp(4.5, { from: A.mac, to: B.mac, src: A6.ip, dst: B6.ip, payload: bytesOf(B.mac) });
  const quoted = [
    0x45,
    0,
    0,
    40,
    0,
    1,
    0,
    0,
    64,
    17,
    0,
    0,
    ...ipBytes(B.ip),
    ...ipBytes(A.ip),
    0,
    53,
    1,
    2,
    0,
    20,
    0,
    0,
  ];
  wire.ip(5, { from: A.mac, to: B.mac, src: A.ip, dst: B.ip }, 1, [3, 1, 0, 0, 0, 0, 0, 0, ...quoted]);
  wire.ip(5.1, { from: A.mac, to: B.mac, src: A.ip, dst: B.ip }, 1, [5, 1, 0, 0, ...ipBytes(B.ip), ...quoted]);
  // A segment with an option of MPTCP that announces an address (RFC 8684 section 3.4.1).
  const segment = [0, 80, 1, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0x70, 0x10, 1, 0, 0, 0, 0, 0, 30, 8, 0x30, 1, ...ipBytes(A.ip)];
  wire.ip(6, { from: A.mac, to: B.mac, src: A.ip, dst: B.ip }, 6, [...segment, 1, 2, 3]);
  wire.ip(7, { from: A.mac, to: B.mac, src: A.ip, dst: B.ip }, 4, quoted);
  wire.ip(8, { from: A.mac, to: '01:00:5e:00:00:16', src: A.ip, dst: '224.0.0.22' }, 2, [
    0x16,
    0,
    0,
    0,
    ...ipBytes('239.1.2.3'),
  ]);
  wire.tags = [20];
  wire.request(9, A, B.ip);
  return wire;
}

const NEVER = [
  ...[A.mac, B.mac].flatMap((mac) => [bytesOf(mac), bytesOf(mac).reverse()]),
  [0x96, 0x83, 0xc4, 0xff, 0xfe, 0x10, 0, 1],
  ipBytes(A.ip),
  ipBytes(B.ip),
  [0x20, 0x01, 0x0d, 0xb8],
].map((bytes) => Buffer.from(bytes));

describe('packets', () => {
  it('keep no original anywhere', async () => {
    const { pieces } = await redactPieces([{ name: 'a.pcap', bytes: traffic().pcap() }]);
    const bytes = Buffer.from(pieces[0]?.bytes ?? []);
    expect(bytes.length).toBeGreaterThan(1000);
    expect(NEVER.filter((original) => bytes.includes(original)).map((original) => original.toString('hex'))).toEqual(
      [],
    );
  });

  it.skipIf(!hasTool('tshark'))('have checksums that are right', async () => {
    const { pieces } = await redactPieces([{ name: 'a.pcap', bytes: traffic().pcap() }]);
    const names = ['ip', 'tcp', 'udp', 'icmp', 'icmpv6', 'igmp'];
    const args = names.flatMap((name) => ['-e', `${name}.checksum.status`]);
    const checks = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const folder = mkdtempSync(join(tmpdir(), 'macscan-packet-'));
    const file = join(folder, 'redacted.pcapng');
    writeFileSync(file, pieces[0]?.bytes ?? '');
    const lines = runTool('tshark', ['-r', file, ...checks, '-T', 'fields', ...args], new Uint8Array(0));
    rmSync(folder, { recursive: true });
    const statuses = lines
      .toString()
      .split(/[\s,]+/)
      .filter((status) => status !== '');
    // 0 is bad, 1 good, 2 not verified, as the packet is cut.
    expect(statuses).not.toContain('0');
    expect(statuses.filter((status) => status === '1').length).toBeGreaterThan(12);
  });

  it('are never longer, never fail and tell nothing, whatever is done to them', async () => {
    const clean = [...traffic().pcap()];
    const mapping = new AddressMapping(TEST_KEY, { level: 'default', keepOui: false });
    mapping.mac(parseMac(A.mac) ?? 0);
    mapping.mac(parseMac(B.mac) ?? 0);
    const secret = fc.constantFrom(bytesOf(A.mac), bytesOf(B.mac), bytesOf(A.mac).reverse());
    const change = fc.tuple(
      fc.nat({ max: clean.length }),
      fc.oneof(fc.array(fc.nat({ max: 255 }), { maxLength: 4 }), secret),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        const bytes = Uint8Array.from(clean);
        for (const [at, values] of changes) bytes.set(values.slice(0, Math.max(0, bytes.length - at)), at);
        // The headers of the file and of its records stay, so that packets are what is changed.
        const { pieces } = await redactPieces([
          { name: 'a.pcap', bytes: traffic().pcap() },
          { name: 'b.pcap', bytes: withRecords(bytes, clean) },
        ]);
        for (const piece of pieces) {
          const made = Buffer.from(piece.bytes);
          for (const mac of [A.mac, B.mac]) {
            expect(made.includes(Buffer.from(bytesOf(mac)))).toBe(false);
            expect(made.includes(Buffer.from(bytesOf(mac).reverse()))).toBe(false);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('of any link type are rewritten, random or not', () => {
    const redactor = new PacketRedactor(new AddressMapping(TEST_KEY, { level: 'strict', keepOui: true }));
    const linkType = fc.oneof(fc.constantFrom(...Object.values(LinkType)), fc.nat({ max: 300 }));
    const start = fc.constantFrom(
      [],
      [0x45, 0],
      [0x60],
      [0xff, 3, 0, 0x21],
      [0, 0, 0, 2],
      [8, 0, 0, 0],
      [0x88, 1, 0, 0],
    );
    fc.assert(
      fc.property(linkType, start, fc.uint8Array({ maxLength: 200 }), (type, head, tail) => {
        const packet = Uint8Array.from([...head, ...tail]);
        const before = packet.slice();
        const after = redactor.redact(packet, type);
        expect(after.length).toBeLessThanOrEqual(packet.length);
        expect(redactor.kinds.length).toBe(after.length);
        expect(packet).toEqual(before);
      }),
      { numRuns: 5000 },
    );
  });
});

/** The bytes of packets of the one, the headers of the other. */
function withRecords(bytes: Uint8Array, clean: readonly number[]): Uint8Array {
  const result = Uint8Array.from(bytes);
  result.set(clean.slice(0, 24));
  const view = new DataView(Uint8Array.from(clean).buffer);
  for (let at = 24; at + 16 <= clean.length; at += 16 + view.getUint32(at + 8, true))
    result.set(clean.slice(at, at + 16), at);
  return result;
}
