import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TracedFrame } from '../../src/detect/trace.js';
import { StallWatch } from '../../src/diagnose/stalls.js';
import { TcpWatch } from '../../src/diagnose/tcp-watch.js';
import { FAR, judge, newHost, oldHost, router } from '../engine/scene.js';
import { analyze, folderPieces } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { Wire, type Datagram } from '../support/wire.js';

const hasTshark = spawnSync('tshark', ['--version']).status === 0;

/** A router that goes on to send to the old MAC once the address has moved at 10 s; seen on its LAN. */
function scene(): { wire: Wire; ask: Talk; answer: Talk; lose: Talk } {
  const wire = new Wire();
  wire.meet(0, router, oldHost);
  const talk =
    (d: Omit<Datagram, 'payload'>): Talk =>
    (at, payload, ports) =>
      wire.udp(at, { ...d, ...ports, payload });
  const ports = { srcPort: 40000, dstPort: 53 };
  const back = { from: router.mac, src: FAR, dst: newHost.ip, hopLimit: 60, srcPort: 53, dstPort: 40000 };
  return {
    wire,
    ask: (at, payload, other) =>
      talk({ from: at < 10 ? oldHost.mac : newHost.mac, to: router.mac, src: newHost.ip, dst: FAR, ...ports })(
        at,
        payload,
        other,
      ),
    answer: talk({ ...back, to: oldHost.mac }),
    lose: talk({ ...back, to: oldHost.mac }),
  };
}

type Talk = (at: number, payload: readonly number[], ports?: { srcPort: number; dstPort: number }) => number;

const dns = (id: number, isAnswer: boolean): number[] => [
  0,
  id,
  isAnswer ? 0x81 : 1,
  0,
  0,
  1,
  0,
  0,
  0,
  0,
  0,
  0,
  1,
  97,
  0,
  0,
  1,
  0,
  1,
];
const handshake = (index: number): number[] => [1, 0, 0, 0, index, 0, 0, 0, ...new Array<number>(140).fill(7)];
const handshakeAnswer = (index: number): number[] => [
  2,
  0,
  0,
  0,
  9,
  9,
  9,
  9,
  index,
  0,
  0,
  0,
  ...new Array<number>(80).fill(8),
];

describe('impact of what went wrong', () => {
  it('counts DNS questions whose answers went to the wrong MAC, each once', async () => {
    const { wire, ask, answer, lose } = scene();
    for (const id of [1, 2, 3]) {
      ask(id, dns(id, false));
      answer(id + 0.02, dns(id, true));
    }
    wire.gratuitous(10, newHost);
    for (const id of [11, 12, 13, 14]) {
      ask(id, dns(id, false));
      lose(id + 0.02, dns(id, true));
      // Asked again, with the same id: one query.
      if (id === 12) ask(id + 0.5, dns(id, false));
    }
    ask(20, dns(20, false));
    wire.udp(20.02, {
      from: router.mac,
      to: newHost.mac,
      src: FAR,
      dst: newHost.ip,
      srcPort: 53,
      dstPort: 40000,
      hopLimit: 60,
      payload: dns(20, true),
    });
    ask(25, dns(25, false));
    const { impact, flows } = await judge({ 'lan.pcap': wire, 'again.pcap': wire });
    expect(impact).toMatchObject({
      before: { queries: 3, unanswered: 0 },
      during: { queries: 4, unanswered: 4 },
      after: { queries: 1, unanswered: 0 },
    });
    expect(flows).toHaveLength(1);
    expect(flows[0]?.impact).toEqual(impact);
  });

  it('counts WireGuard handshakes that were begun again', async () => {
    const { wire, ask, answer, lose } = scene();
    const ports = { srcPort: 51820, dstPort: 51820 };
    ask(1, handshake(1), ports);
    answer(1.02, handshakeAnswer(1), ports);
    ask(5, handshake(2), ports);
    answer(5.02, handshakeAnswer(2), ports);
    wire.gratuitous(10, newHost);
    for (const index of [3, 4, 5]) {
      ask(index * 5, handshake(index), ports);
      lose(index * 5 + 0.02, handshakeAnswer(index), ports);
    }
    lose(30, [1, 2, 3, 4], ports);
    const { impact } = await judge({ 'lan.pcap': wire });
    expect(impact?.before).toMatchObject({ handshakesRepeated: 0 });
    expect(impact?.during).toMatchObject({ handshakesRepeated: 2, queries: 0, longestStall: '9980000000' });
  });

  it('says nothing where no frame was misdelivered', async () => {
    const { wire, ask, answer } = scene();
    ask(1, dns(1, false));
    answer(1.02, dns(1, true));
    expect(await judge({ 'lan.pcap': wire })).not.toHaveProperty('impact');
  });
});

describe('segments sent again', () => {
  const segment = (sequence: number, payloadLength: number, time: number, detail = 0x10): TracedFrame => ({
    view: {
      leg: 0,
      tap: 0,
      protocol: 6,
      transmitter: 1,
      srcIp: 1,
      dstIp: 2,
      srcPort: 1,
      dstPort: 2,
      laterFragments: false,
    },
    input: 0,
    frame: 1,
    time,
    dstMac: 2,
    hopLimit: 64,
    fingerprint: 1,
    detail,
    sequence: sequence >>> 0,
    payloadLength,
    message: undefined,
    isFragment: false,
    hasOptions: false,
    verdict: 'delivered',
  });

  it('are those whose first octet was seen, or that come late, wherever the numbers begin', () => {
    const lengths = fc.array(fc.record({ at: fc.nat(40), length: fc.integer({ min: 2, max: 8 }) }), { maxLength: 30 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.boolean(), (segments, base, isLate) => {
        const watch = new TcpWatch();
        const seen = new Set<number>();
        let next = -1;
        for (const [i, { at, length }] of segments.entries()) {
          const isBelow = at < next;
          const expected = isBelow && (isLate || seen.has(at) || at < (segments[0]?.at ?? 0));
          expect(watch.isSentAgain(segment(base + at, length, i * (isLate ? 1e9 : 1e3)))).toBe(expected);
          for (let octet = at; octet < at + length; octet++) seen.add(octet);
          next = Math.max(next, at + length);
        }
      }),
    );
  });

  it('are no keep-alives and no bare acknowledgements', () => {
    const watch = new TcpWatch();
    expect(watch.isSentAgain(segment(100, 10, 0))).toBe(false);
    expect(watch.isSentAgain(segment(109, 1, 1e9))).toBe(false);
    expect(watch.isSentAgain(segment(109, 0, 2e9))).toBe(false);
    expect(watch.isSentAgain(segment(90, 0, 2e9))).toBe(false);
    expect(watch.isSentAgain(segment(100, 10, 3e9))).toBe(true);
  });
});

describe('a stall', () => {
  it('lasts from the first packet without an answer to the next arrival, and needs more than one packet', () => {
    const watch = new StallWatch();
    watch.add('original', 0, false);
    watch.add('reply', 5, false);
    watch.add('original', 10, false);
    watch.add('original', 20, false);
    watch.add('reply', 25, true);
    watch.add('reply', 40, false);
    expect(watch.longest(0, 100)).toBe(30);
    expect(watch.longest(0, 22)).toBe(12);
    expect(watch.longest(50, 60)).toBe(0);
  });
});

describe.skipIf(!hasShared || !hasTshark)('impact on real evidence', () => {
  it('counts what tshark counts of a TCP flow whose answers went astray', async () => {
    const folder = sharedPath('captures', 'S3b');
    const analysis = await analyze(folderPieces(folder, (file) => !/truth\.json$|\.jsonl$/.test(file)));
    const flow = analysis.flows.find(({ original }) => original.protocol === 6);
    const sender = 'tcp.port == 42000 && eth.src == 94:83:c4:10:00:01';
    const again =
      'tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission';
    const count = (filter: string): number =>
      execFileSync('tshark', ['-r', `${folder}/router.br-lan.pcap`, '-Y', filter], {
        stdio: ['ignore', 'pipe', 'ignore'],
      })
        .toString()
        .split('\n').length - 1;
    const { before, during, after } = flow?.impact ?? {};
    expect((before?.frames ?? 0) + (during?.frames ?? 0) + (after?.frames ?? 0)).toBe(count(sender));
    expect(during?.retransmissions).toBe(count(`${sender} && (${again})`));
    expect(before?.retransmissions).toBe(0);
    expect(Number(during?.longestStall)).toBeGreaterThan(40e9);
  });
});
