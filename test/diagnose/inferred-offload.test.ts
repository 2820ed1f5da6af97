import { describe, expect, it } from 'vitest';
import type { FlowPacket } from '../../src/detect/packets.js';
import type { TracedFrame } from '../../src/detect/trace.js';
import { fasterFrom } from '../../src/diagnose/forwarding.js';
import { triggerPacket } from '../../src/diagnose/trigger.js';
import { unseenSpans } from '../../src/diagnose/unseen.js';
import type { Flow } from '../../src/model.js';
import { u32 } from '../support/build-capture.js';
import { analyze } from '../support/engine.js';
import { FAR, judge, newHost, oldHost, other, router, third } from '../engine/scene.js';
import { Wire, type Station } from '../support/wire.js';

const SYN = 0x02;
const ACK = 0x10;
const FIN = 0x11;

interface Seen {
  direction?: FlowPacket['direction'];
  time: number;
  sequence?: number;
  length?: number;
  detail?: number;
  protocol?: number;
  /** How long the router takes. */
  delay?: number;
}

/** A packet that came in on tap 0 and left on tap 1. */
function packet({
  direction = 'original',
  time,
  sequence = 0,
  length = 0,
  detail = ACK,
  protocol = 6,
  delay = 1e6,
}: Seen): FlowPacket {
  const frame = (tap: number, hopLimit: number, at: number): TracedFrame => ({
    view: {
      leg: tap,
      tap,
      protocol,
      transmitter: 1,
      srcIp: 1,
      dstIp: 2,
      srcPort: 1,
      dstPort: 2,
      laterFragments: false,
    },
    input: 0,
    frame: Math.round(at / 1e6),
    time: at,
    dstMac: 2,
    hopLimit,
    fingerprint: 1,
    detail,
    sequence: sequence >>> 0,
    payloadLength: length,
    message: undefined,
    isFragment: false,
    hasOptions: false,
    verdict: 'delivered',
  });
  return {
    direction,
    time,
    misdelivered: false,
    lost: false,
    sightings: [frame(0, 64, time), frame(1, 63, time + delay)],
  };
}

describe('TCP that goes on while no tap sees it', () => {
  const before = [0, 1, 2].map((i) => packet({ time: i * 1e9, sequence: 4_294_960_000 + i * 1000, length: 1000 }));

  it('was offloaded between the last segment before the gap and the first one after it, to which the FIN ends it', () => {
    const spans = unseenSpans([...before, packet({ time: 30e9, sequence: 100_000, detail: FIN })]);
    expect(spans).toMatchObject([
      {
        kind: 'inferred',
        from: { earliest: 2e9, latest: 30e9, source: 'unseen' },
        to: { source: 'fin', latest: 30e9 },
      },
    ]);
  });

  it('was not when the segments come later, or only some are missing', () => {
    const late = [
      packet({ time: 30e9, sequence: 100_000, length: 1000 }),
      packet({ time: 30.1e9, sequence: 50_000, length: 1000 }),
    ];
    expect(unseenSpans([...before, ...late])).toEqual([]);
    const next = (4_294_960_000 + 3000) >>> 0;
    expect(unseenSpans([...before, packet({ time: 3e9, sequence: next + 5000, length: 1000 })])).toEqual([]);
  });
});

describe('the packet that triggers an offload', () => {
  const tcp = (...seen: Seen[]): number | undefined => triggerPacket(seen.map(packet))?.frame.time;

  it('is the one that completes the handshake, whatever was sent again', () => {
    const handshake: Seen[] = [
      { time: 1, detail: SYN },
      { time: 2, detail: SYN },
      { time: 3, detail: SYN | ACK, direction: 'reply' },
      { time: 4, detail: SYN | ACK, direction: 'reply' },
      { time: 5, detail: ACK },
      { time: 6, detail: ACK },
    ];
    expect(tcp(...handshake)).toBe(5);
    expect(tcp(...handshake.slice(2))).toBeUndefined();
    expect(tcp({ time: 1 }, { time: 2 }, { time: 3 })).toBeUndefined();
  });

  it('is the second one of UDP, in either direction', () => {
    expect(
      tcp({ time: 1, protocol: 17 }, { time: 2, protocol: 17, direction: 'reply' }, { time: 3, protocol: 17 }),
    ).toBe(2);
    expect(tcp({ time: 1, protocol: 17 })).toBeUndefined();
  });
});

describe('forwarding that becomes faster', () => {
  const delays = (values: number[]): FlowPacket[] =>
    values.map((delay, i) => packet({ time: i * 1e9, delay, protocol: 17 }));

  it('is told by where long delays give way to short ones', () => {
    const moment = fasterFrom(
      delays([9e5, 8e5, 1e6, 9e5, 7e5, 1e5, 9e4, 1e5, 1.1e5, 1e5, 9e5, 1e5, 1e5, 1e5, 1e5, 1e5, 1e5]),
    );
    expect(moment).toMatchObject({ earliest: 4e9, latest: 5e9, source: 'latency' });
  });

  it('is none when delays only vary, become longer, or are too few', () => {
    expect(fasterFrom(delays([9e5, 1e5, 9e5, 1e5, 9e5, 1e5, 9e5, 1e5, 9e5, 1e5, 9e5, 1e5]))).toBeUndefined();
    expect(fasterFrom(delays([1e5, 1e5, 1e5, 1e5, 1e5, 1e5, 9e5, 9e5, 9e5, 9e5, 9e5, 9e5]))).toBeUndefined();
    expect(fasterFrom(delays([9e5, 9e5, 9e5, 1e5, 1e5, 1e5]))).toBeUndefined();
    expect(fasterFrom(delays([3e5, 3e5, 3e5, 3e5, 3e5, 2e5, 2e5, 2e5, 2e5, 2e5]))).toBeUndefined();
  });
});

describe('frames that leave the bridge', () => {
  /** When other frames pass the bridge. */
  const OTHERS = Array.from({ length: 20 }, (_, i) => 2.7 + i * 3);

  /** Packets of a flow that moves to a new MAC at 20 s and goes on to the old one; seen on bridge and port. */
  function scene(
    passesBridge: (at: number) => boolean,
    times: number[] = steps(1, 60),
    others: readonly number[] = OTHERS,
  ): Record<string, Wire> {
    const [bridge, port, second] = [new Wire(), new Wire(), new Wire()];
    const all = [bridge, port];
    for (const wire of all) wire.meet(0, router, oldHost);
    for (const wire of [bridge, second]) {
      wire.meet(0.5, router, third);
      talk(wire, 0.7, third, router, 'to');
    }
    for (const [i, at] of others.entries()) {
      for (const wire of [bridge, second]) wire.meet(at, router, { mac: third.mac, ip: `192.168.7.${100 + i}` });
    }
    let told = false;
    for (const at of times) {
      if (at >= 20 && !told) {
        for (const wire of all) wire.gratuitous(20, newHost);
        told = true;
      }
      // The identification is the frame number in a capture: raw frames must be equal in both.
      for (const wire of passesBridge(at) ? all : [port]) talk(wire, at, router, oldHost, 'from');
    }
    // A capture is known to run until its last frame.
    bridge.request(90, third, router.ip);
    return { 'br-lan.pcap': bridge, 'lan3.pcap': port, 'lan1.pcap': second };
  }

  /** As loss leaves them: this part of the frames, with no order. */
  function some(part: number): (at: number) => boolean {
    return (at) => (Math.imul(Math.round(at * 10), 0x9e3779b1) >>> 0) / 2 ** 32 < part;
  }

  /** One UDP packet whose identification follows from its time. */
  function talk(wire: Wire, at: number, from: Station, to: Station, way: 'from' | 'to'): void {
    const id = Math.round(at * 10);
    const ips = way === 'from' ? [FAR, newHost.ip] : [from.ip, FAR];
    const octets = ips.flatMap((ip) => ip.split('.').map(Number));
    const mac = (text: string): number[] => text.split(':').map((part) => parseInt(part, 16));
    const head = [0x45, 0, 0, 32, id >> 8, id & 255, 0, 0, way === 'from' ? 60 : 64, 17, 0, 0, ...octets];
    wire.raw(at, [...mac(to.mac), ...mac(from.mac), 8, 0, ...head, 19, 136, 15, 160, 0, 12, 0, 0, 1, 2, 3, 4]);
  }

  function steps(from: number, until: number): number[] {
    return Array.from({ length: (until - from) * 2 }, (_, i) => from + i / 2);
  }

  async function offloadOf(captures: Record<string, Wire>): Promise<Flow['offload']> {
    const { flows } = await judge(captures);
    expect(flows).toHaveLength(1);
    return flows[0]?.offload ?? [];
  }

  it('show an offload from the second packet on, found without any dump', async () => {
    const [span, ...others] = await offloadOf(scene((at) => at < 2));
    expect(others).toEqual([]);
    expect(span).toMatchObject({
      kind: 'inferred',
      from: { time: '1700000002000000000', earliest: '1700000001500000000', source: 'left-bridge' },
    });
    expect(span).not.toHaveProperty('to');
  });

  it('show its end when they come back, and its next beginning', async () => {
    const spans = await offloadOf(scene((at) => at < 2 || (at >= 50 && at < 52)));
    expect(spans).toMatchObject([
      { to: { time: '1700000050000000000', earliest: '1700000049500000000', source: 'left-bridge' } },
      { from: { time: '1700000052000000000', earliest: '1700000051500000000' } },
    ]);
  });

  it('show none when a capture dropped one or two of them, or all go over the bridge', async () => {
    const isOffload = (spans: Flow['offload']): boolean => spans.some(({ from }) => from.source === 'left-bridge');
    expect(isOffload(await offloadOf(scene((at) => at !== 5 && at !== 5.5 && at !== 40)))).toBe(false);
    expect(isOffload(await offloadOf(scene(() => true)))).toBe(false);
  });

  it.each([0.99, 0.95, 0.7, 0.3])('show none when the capture has %d of them, here and there', async (part) => {
    const spans = await offloadOf(scene(some(part)));
    expect(spans.filter(({ from }) => from.source === 'left-bridge')).toEqual([]);
  });

  it.each([
    ['its capture saw nothing meanwhile', scene((at) => at < 2, undefined, [])],
    [
      'its capture lost many at a time',
      scene(
        (at) => at % 20 < 10,
        undefined,
        OTHERS.filter((at) => at % 20 < 10),
      ),
    ],
  ])('show none when %s', async (_what, captures) => {
    const spans = await offloadOf(captures);
    expect(spans.filter(({ from }) => from.source === 'left-bridge')).toEqual([]);
  });

  it.each([
    [0, 1],
    [115, 1],
    [116, 0],
    [2_000, 0],
  ])('show as much as the capture leaves open that says it dropped %d packets', async (dropped, spans) => {
    const { 'br-lan.pcap': bridge, ...ports } = scene((at) => at < 2, undefined, []);
    const pieces = Object.entries(ports).map(([name, wire]) => ({ name, bytes: wire.pcap() }));
    const { flows } = await analyze([...pieces, { name: 'br-lan.pcapng', bytes: pcapng(bridge, dropped) }]);
    const left = flows.flatMap(({ offload }) => offload).filter(({ from }) => from.source === 'left-bridge');
    expect(left).toHaveLength(spans);
  });

  /** The frames of a capture, with statistics of its interface. */
  function pcapng(wire: Wire | undefined, dropped: number): Uint8Array {
    const file = wire?.pcap() ?? new Uint8Array();
    const view = new DataView(file.buffer);
    const blocks = [
      block(0x0a0d0d0a, [...le32(0x1a2b3c4d), 1, 0, 0, 0, ...le32(-1), ...le32(-1)]),
      block(1, [1, 0, 0, 0, ...le32(0), 9, 0, 1, 0, 9, 0, 0, 0, ...le32(0)]),
    ];
    for (let at = 24; at < file.length;) {
      const [seconds, ns, length] = [0, 4, 8].map((i) => view.getUint32(at + i, true));
      const time = BigInt(seconds ?? 0) * 1_000_000_000n + BigInt(ns ?? 0);
      const bytes = [...file.subarray(at + 16, at + 16 + (length ?? 0))];
      const pad = new Array<number>((4 - (bytes.length % 4)) % 4).fill(0);
      blocks.push(
        block(6, [...le32(0), ...stamp(time), ...le32(bytes.length), ...le32(bytes.length), ...bytes, ...pad]),
      );
      at += 16 + (length ?? 0);
    }
    blocks.push(block(5, [...le32(0), ...stamp(0n), 5, 0, 8, 0, ...le32(dropped), ...le32(0), ...le32(0)]));
    return Uint8Array.from(blocks.flat());
  }

  function block(type: number, body: readonly number[]): number[] {
    return [...le32(type), ...le32(body.length + 12), ...body, ...le32(body.length + 12)];
  }

  function stamp(time: bigint): number[] {
    return [...le32(Number(time >> 32n)), ...le32(Number(time & 0xffff_ffffn))];
  }

  function le32(value: number): number[] {
    return [...u32(true, value >>> 0)];
  }

  it('are forgotten by the router when nothing comes for 30 s', async () => {
    const times = [...steps(1, 25), ...steps(70, 80)];
    const [span] = await offloadOf(scene((at) => at < 2 || (at >= 70 && at < 71), times));
    expect(span?.to).toMatchObject({ source: 'idle', time: '1700000055500000000', earliest: '1700000054500000000' });
  });
});

describe('a log', () => {
  it('ends an offload when it tells that the firewall was loaded anew', async () => {
    const wire = new Wire(1_795_247_520);
    wire.meet(0, router, oldHost);
    wire.meet(0.5, router, other);
    const send = (at: number, to: Station): number =>
      wire.udp(at, {
        from: router.mac,
        to: to.mac,
        src: FAR,
        dst: oldHost.ip,
        srcPort: 5000,
        dstPort: 4000,
        hopLimit: 60,
      });
    for (let at = 1; at < 10; at++) send(at, oldHost);
    wire.gratuitous(10, newHost);
    for (let at = 11; at < 20; at++) send(at, oldHost);
    for (let at = 21; at < 25; at++) send(at, newHost);
    const line = `[1795247522.000000]\t [UPDATE] udp      17 86400 src=${FAR} dst=${oldHost.ip} sport=5000 dport=4000 src=${oldHost.ip} dst=${FAR} sport=4000 dport=5000 [OFFLOAD]`;
    const log = 'Sat Nov 21 07:52:20 2026 user.notice firewall: Reloading firewall due to ifup of wan (eth1)';
    const { flows } = await judge({ 'lan.pcap': wire }, { 'conntrack-E.log': `${line}\n`, 'logread.txt': `${log}\n` });
    expect(flows[0]?.offload).toMatchObject([
      { kind: 'software', from: { source: 'event' }, to: { source: 'reload', earliest: '1795247540000000000' } },
    ]);
  });
});
