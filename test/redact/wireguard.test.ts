import { describe, expect, it } from 'vitest';
import { LinkType } from '../../src/decode/link-type.js';
import { AddressMapping } from '../../src/redact/mapping.js';
import { PacketRedactor } from '../../src/redact/packet.js';
import { analyze } from '../support/engine.js';
import { redactPieces, TEST_KEY } from '../support/redact-pieces.js';
import { Wire } from '../support/wire.js';

const router = { mac: '94:83:c4:00:00:01', ip: '192.168.7.1' };
const old = { mac: '52:54:00:00:00:40', ip: '192.168.7.40' };
const young = { mac: '02:42:00:00:00:40', ip: old.ip };
const FAR = '198.51.100.9';
const LENGTH = [0, 148, 92, 64, 128];

/** A WireGuard message of which no byte behind the type is zero. */
function message(type: number, length = LENGTH[type] ?? 0): number[] {
  return [type, 0, 0, 0, ...Array.from({ length: length - 4 }, (_, i) => 1 + ((i * 37 + type) % 255))];
}

/** Handshakes that are answered until the address moves, and begun again and again after that. */
function tunnel(): Wire {
  const wire = new Wire();
  wire.meet(0, router, old);
  const ports = { srcPort: 51820, dstPort: 51820 };
  const toHost = (at: number, payload: number[]): number =>
    wire.udp(at, { from: router.mac, to: old.mac, src: FAR, dst: old.ip, hopLimit: 60, ...ports, payload });
  const back = (at: number, payload: number[]): number =>
    wire.udp(at, { from: old.mac, to: router.mac, src: old.ip, dst: FAR, ...ports, payload });
  for (let at = 1; at < 8; at += 3) {
    toHost(at, message(1));
    back(at + 0.05, message(2));
    toHost(at + 0.1, message(4));
    back(at + 0.2, message(3));
  }
  wire.gratuitous(10, young);
  for (let at = 11; at < 40; at += 5) toHost(at, message(1));
  return wire;
}

describe('handshakes of WireGuard', () => {
  it.each(['default', 'strict'] as const)('are counted alike after redaction: %s', async (level) => {
    const piece = { name: 'lan.pcap', bytes: tunnel().pcap() };
    const before = await analyze([piece]);
    const after = await analyze((await redactPieces([piece], { level })).pieces);
    expect(before.verdict).toBe('misdelivered');
    expect(before.impact?.during.handshakesRepeated).toBeGreaterThan(2);
    expect(after.impact).toEqual(before.impact);
    expect(after.totals).toEqual(before.totals);
  });

  it('keep their type, and nothing else', () => {
    const redactor = new PacketRedactor(new AddressMapping(TEST_KEY, { level: 'default', keepOui: false }));
    const payloadOf = (payload: readonly number[]): number[] => {
      const wire = new Wire();
      wire.udp(0, { from: router.mac, to: old.mac, src: router.ip, dst: old.ip, payload });
      return [...redactor.redact(wire.pcap().subarray(24 + 16), LinkType.ETHERNET)].slice(14 + 20 + 8);
    };
    for (const type of [1, 2, 3, 4]) {
      const kept = payloadOf(message(type));
      expect(kept.slice(0, 4)).toEqual([type, 0, 0, 0]);
      expect(kept.slice(4).every((byte) => byte === 0)).toBe(true);
    }
    const others = [message(1, 147), message(2, 148), message(4, 33), message(5, 148), [1, 0, 1, ...message(1, 145)]];
    for (const payload of others) expect(payloadOf(payload)).toEqual([]);
    expect(payloadOf([1, 0, 0])).toEqual([]);
  });
});
