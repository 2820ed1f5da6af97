import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Analysis, Diagnostic } from '../../src/model.js';
import { analyze, analyzeEvidence, evidenceOf, folderPieces, framesOf, type Piece } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { shiftedLog, shiftedPcap } from '../support/shifted.js';
import { Wire, type Datagram } from '../support/wire.js';
import { FAR, forward, judge, newHost, oldHost, other, router, speak } from './scene.js';

const RUNS = Number(process.env.PROPERTY_RUNS ?? 8);
const TIMEOUT = 5000 + 4000 * RUNS;

const isEvidence = (name: string): boolean => !/truth\.json$|\.jsonl$|router\.multi\.pcapng$/.test(name);
const isPcap = ({ name }: Piece): boolean => name.endsWith('.pcap');
const shared = (name: string): Piece[] => (hasShared ? folderPieces(sharedPath('captures', name), isEvidence) : []);
const faulty = ['S1', 'S3b', 'S8'].map(shared);
const healthy = ['S0', 'S1c', 'S2', 'S3c', 'S4a'].map(shared);

/** us: from 60 ms to more than an hour, either way. */
const anyShift = fc
  .tuple(fc.integer({ min: 60_000, max: 4_000_000_000 }), fc.boolean())
  .map(([us, isBack]) => (isBack ? -us : us));
/** Logs are stamped when they are printed: of them only more than that tells anything. */
const longShift = anyShift.map((us) => us + Math.sign(us) * 1_300_000);

/** Every misdelivered frame, and how it is wrong. */
function wrongOf(analysis: Analysis): string[] {
  return analysis.misdeliveries
    .flatMap((m) => framesOf(m).map((frame) => `${m.input} ${m.device} ${m.dstMac} ${m.class ?? ''} ${frame}`))
    .sort();
}

const baselines = new Map<readonly Piece[], Promise<string[]>>();

function asIs(pieces: readonly Piece[]): Promise<string[]> {
  const known = baselines.get(pieces) ?? analyze(pieces).then(wrongOf);
  baselines.set(pieces, known);
  return known;
}

describe.skipIf(!hasShared)('a clock that is wrong', () => {
  it('of a capture on "any" is not known, and said to be so where its times are others', async () => {
    const [pieces = []] = faulty;
    const shiftedBy = (us: number): Piece[] =>
      pieces.map((piece) => (piece.name === 'router.any-sll1.pcap' ? shiftedPcap(piece, us) : piece));
    expect(said(await analyze(pieces), 'clock-not-compared')).toEqual([]);
    const told = said(await analyze(shiftedBy(90_000_000)), 'clock-not-compared');
    expect(told.map(({ input }) => input)).toEqual(['router.any-sll1.pcap']);
  });

  it(
    'of one capture changes no frame that is called misdelivered',
    async () => {
      const [s1 = [], s3b = []] = faulty;
      const oneOf = (pieces: Piece[], names: string[]): fc.Arbitrary<[Piece[], Piece]> =>
        fc.constantFrom(...pieces.filter(({ name }) => names.includes(name))).map((piece) => [pieces, piece]);
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(
            oneOf(s1, ['hyp.up0.pcap', 'router.lan3.pcap', 'hostB.eth0.pcap', 'router.br-lan.pcap']),
            oneOf(s3b, ['client.eth0.pcap', 'router.lan1.pcap', 'router.br-lan.pcap', 'vpngw.eth0.pcap']),
          ),
          anyShift,
          fc.boolean(),
          async ([pieces, wrong], us, core) => {
            const shifted = pieces.map((piece) => (piece === wrong ? shiftedPcap(piece, us) : piece));
            const analysis = await analyze(shifted, { core });
            expect(wrongOf(analysis)).toEqual(await asIs(pieces));
            const moved = analysis.inputs.filter((input) => input.moved !== undefined);
            expect(moved.map(({ name }) => name)).toEqual([wrong.name]);
            expect(Number(moved[0]?.moved) / -1000).toBeCloseTo(us, -3);
            expect(said(analysis, 'clock-corrected').map(({ input }) => input)).toEqual([wrong.name]);
          },
        ),
        { numRuns: RUNS, seed: 7 },
      );
    },
    TIMEOUT,
  );

  it(
    'of all captures, or of the log of conntrack, changes none either',
    async () => {
      const shifts: [string, (piece: Piece, us: number) => Piece][] = [
        ['captures', (piece, us) => (isPcap(piece) ? shiftedPcap(piece, us) : piece)],
        ['log', (piece, us) => (piece.name === 'conntrack-E.log' ? shiftedLog(piece, us) : piece)],
      ];
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...faulty),
          fc.constantFrom(...shifts),
          longShift,
          fc.boolean(),
          async (pieces, [, by], us, core) => {
            const shifted = pieces.map((piece) => by(piece, us));
            expect(wrongOf(await analyze(shifted, { core }))).toEqual(await asIs(pieces));
          },
        ),
        { numRuns: RUNS, seed: 7 },
      );
    },
    TIMEOUT,
  );

  it.each([-300_000, 300_000])('of all captures by %i us is told by the log with other dumps', async (us) => {
    const [s1 = []] = faulty;
    const analysis = await analyze(s1.map((piece) => (isPcap(piece) ? shiftedPcap(piece, us) : piece)));
    expect(wrongOf(analysis)).toEqual(await asIs(s1));
    expect(said(analysis, 'clock-corrected').map(({ input }) => input)).toEqual(['conntrack-E.log', undefined]);
  });

  it('of a log that is late by less than a second, and of no other dump, is left to a busy router', async () => {
    const [s1 = []] = faulty;
    const late = s1.map((piece) => (piece.name === 'conntrack-E.log' ? shiftedLog(piece, 300_000) : piece));
    const analysis = await analyze(late);
    expect(said(analysis, 'clock-corrected')).toEqual([]);
    expect(wrongOf(analysis)).toEqual(await asIs(s1));
  });

  it(
    'makes nobody guilty in a healthy case',
    async () => {
      const shifted = fc.constantFrom(...healthy).chain((pieces) =>
        fc
          .tuple(
            fc.oneof(
              fc.constantFrom(...pieces.filter(isPcap)).map((wrong) => (piece: Piece) => piece === wrong),
              fc.constant(isPcap),
            ),
            anyShift,
          )
          .map(([isWrong, us]) => pieces.map((piece) => (isWrong(piece) ? shiftedPcap(piece, us) : piece))),
      );
      await fc.assert(
        fc.asyncProperty(shifted, fc.boolean(), async (pieces, core) => {
          expect((await analyze(pieces, { core })).verdict).not.toBe('misdelivered');
        }),
        { numRuns: RUNS * 2, seed: 7 },
      );
    },
    TIMEOUT,
  );

  it('is moved along with the other dumps of its host, in one line', async () => {
    const [s1 = []] = faulty;
    const analysis = await analyze(s1.map((piece) => (isPcap(piece) ? shiftedPcap(piece, 90_000_000) : piece)));
    const [log, dumps, ...more] = said(analysis, 'clock-corrected');
    expect(more).toEqual([]);
    expect(log).toMatchObject({ input: 'conntrack-E.log' });
    expect(log?.what).toMatch(/^Its clock shows 90\.0 s less than that of .*, by the beginnings of 3 flows\.$/);
    expect(dumps?.what).toMatch(/^Dumps of the same host as conntrack-E\.log share its clock, .* and \d+ more\.$/);
    const moved = new Map(analysis.inputs.map(({ name, moved: by }) => [name, by]));
    expect(moved.get('ip-monitor-neigh.log')).toBe(moved.get('conntrack-E.log'));
    expect(moved.get('hyp.up0.pcap')).toBeUndefined();
  });
});

function said(analysis: Analysis, id: string): Diagnostic[] {
  return analysis.diagnostics.filter((diagnostic) => diagnostic.id === id);
}

/** An address that another host takes over, as a tap sees it whose clock is so many seconds ahead. */
function takeOver(ahead: number): Wire {
  const wire = new Wire(1_700_000_000 + ahead);
  wire.meet(0, router, oldHost);
  forward(wire, oldHost, { from: 1, until: 10 });
  speak(wire, oldHost, router, { from: 1.2, until: 10 });
  wire.gratuitous(10, newHost);
  forward(wire, oldHost, { from: 11, until: 15 });
  return wire;
}

/** What must not be taken for one packet seen twice: nothing is moved. */
async function unmoved(captures: Record<string, Wire>): Promise<Analysis> {
  const analysis = await judge(captures);
  expect(analysis.inputs.filter(({ moved }) => moved !== undefined)).toEqual([]);
  return analysis;
}

describe('clocks of captures', () => {
  it('are set right when they are years apart', async () => {
    const analysis = await judge({ 'a.pcap': takeOver(0), 'b.pcap': takeOver(0), 'c.pcap': takeOver(-1_699_990_000) });
    expect(analysis.inputs.map(({ moved }) => moved)).toEqual([undefined, undefined, '1699990000000000000']);
    const ranges = analysis.misdeliveries.map(({ input, frameRanges }) => [input, frameRanges]);
    expect(ranges.map(([input]) => input)).toEqual(['a.pcap', 'b.pcap', 'c.pcap']);
    expect(new Set(ranges.map(([, frames]) => JSON.stringify(frames))).size).toBe(1);
  });

  it('are not touched, nor looked into by another reading, when they agree', async () => {
    const calm = (): Wire => {
      const wire = new Wire();
      wire.meet(0, router, oldHost);
      forward(wire, oldHost, { from: 1, until: 10 });
      speak(wire, oldHost, router, { from: 1.2, until: 10 });
      return wire;
    };
    const opened: string[] = [];
    const evidence = ['a.pcap', 'b.pcap'].map((name) => {
      const made = evidenceOf({ name, bytes: calm().pcap() });
      return { ...made, open: (head?: 'head') => (head ?? opened.push(name), made.open()) };
    });
    const analysis = await analyzeEvidence(evidence);
    expect(analysis.verdict).toBe('delivered');
    expect(opened).toEqual(['a.pcap', 'b.pcap']);
    expect(analysis.diagnostics).toEqual([]);
  });

  it('are not told by packets that were sent again', async () => {
    // The same traffic twice, as a replay makes it: no packet tells which of the two another tap saw.
    const [once, again] = [new Wire(), new Wire(1_700_000_090)];
    for (const wire of [once, again]) {
      for (const from of [0, 30]) {
        for (let i = 0; i < 20; i++) wire.udp(from + i, numbered(i));
      }
    }
    await unmoved({ 'a.pcap': once, 'b.pcap': again });
  });

  it('are not told by questions that are always the same', async () => {
    const ping = (start: number): Wire => {
      const wire = new Wire(start);
      for (let i = 0; i < 20; i++) {
        wire.ip(i, { from: oldHost.mac, to: router.mac, src: '2001:db8::40', dst: '2001:db8::9' }, 58, echo(i));
      }
      return wire;
    };
    const analysis = await unmoved({ 'a.pcap': ping(1_700_000_000), 'b.pcap': ping(1_700_000_600) });
    expect(said(analysis, 'no-common-time').map(({ what }) => what)).toEqual([
      'No other capture is of the time of a.pcap, b.pcap, and no packet shows that a clock is wrong.',
    ]);
  });

  it('are not told by questions that are asked again in the next file of a capture', async () => {
    const [first, second] = [new Wire(), new Wire()];
    for (let i = 0; i < 10; i++) {
      const question = { ...numbered(i), srcPort: 40_000 + i, dstPort: 53 };
      first.udp(1 + i * 0.37, question);
      second.udp(6 + i * 0.37 + (i % 3) * 0.001, question);
    }
    await unmoved({ 'a.pcap': first, 'b.pcap': second });
  });

  it('are not told by probes of connections that idle', async () => {
    const files = [new Wire(), new Wire(), new Wire()];
    for (const [turn, wire] of files.entries()) {
      for (let i = 0; i < 12; i++) {
        wire.ip(turn * 15 + i, there, 6, segment(50_000 + i, 443, i));
        wire.ip(turn * 15 + i + 0.02, back, 6, segment(443, 50_000 + i, i));
      }
    }
    await unmoved(Object.fromEntries(files.map((wire, i) => [`${i}.pcap`, wire])));
  });

  it('are not told by addresses of a host that a router asks for again after the same time', async () => {
    const files = [new Wire(), new Wire(1_700_000_033)];
    for (const wire of files) {
      for (let i = 0; i < 6; i++) {
        const host = { mac: oldHost.mac, ip: `2001:db8::5${i}` };
        const option = [1, 1, ...octets(router.mac)];
        const question = [135, 0, 0, 0, 0, 0, 0, 0, 0x20, 1, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 0x50 + i];
        const asker = { from: router.mac, to: host.mac, src: '2001:db8::1', dst: host.ip, hopLimit: 255 };
        wire.ip(i * 3, asker, 58, [...question, ...option]);
        wire.advertise(i * 3 + 0.001, host, { mac: router.mac, ip: '2001:db8::1' });
      }
    }
    await unmoved({ 'a.pcap': files[0] ?? new Wire(), 'b.pcap': files[1] ?? new Wire() });
  });

  it.each([
    ['are not told by what is sent again, as other packets are not', 1, 0],
    ['are told by packets of which a capture lost some', 0, 1],
  ])('%s', async (_, isAgain, isMoved) => {
    const [a, b] = [new Wire(), new Wire(1_700_000_000, 30_000 * isAgain)];
    for (let i = 0; i < 40; i++) {
      const others = { from: oldHost.mac, to: router.mac, src: oldHost.ip, dst: FAR };
      a.udp(i * 0.05, others);
      if (i % 3 > 0 || isAgain) b.udp(3 + i * 0.05, others);
      else b.udp(3 + i * 0.05, { ...others, srcPort: 4444 });
      if (i % 4 > 0) continue;
      for (const wire of [a, b]) {
        const from = wire === a ? 0.01 : 3.01;
        wire.ip(from + i * 0.05, there, 6, segment(50_000 + i, 443, i, 'GET /'));
        wire.ip(from + i * 0.05 + 0.01, back, 6, segment(443, 50_000 + i, i, '200 OK'));
      }
    }
    const analysis = await judge({ 'a.pcap': a, 'b.pcap': b });
    expect(analysis.inputs.filter(({ moved }) => moved !== undefined)).toHaveLength(isMoved);
  });

  it('are not told by a delay that packets of several senders have the same way', async () => {
    const [near, far] = [new Wire(), new Wire()];
    for (let i = 0; i < 80; i++) {
      const by = i % 2 > 0 ? oldHost : other;
      near.udp(i / 2, { from: by.mac, to: router.mac, src: by.ip, dst: FAR });
      far.udp(i / 2 + 0.3 + (i % 5) * 0.003, { from: by.mac, to: router.mac, src: by.ip, dst: FAR });
    }
    await unmoved({ 'a.pcap': near, 'b.pcap': far });
  });

  it('are not told by a queue that holds up one way only', async () => {
    const [near, far] = [new Wire(), new Wire()];
    for (let i = 0; i < 80; i++) {
      near.udp(i / 2, { from: oldHost.mac, to: router.mac, src: oldHost.ip, dst: FAR, srcPort: 4000 + (i % 4) });
      far.udp(i / 2 + 2 + (i % 5) * 0.003, {
        from: oldHost.mac,
        to: router.mac,
        src: oldHost.ip,
        dst: FAR,
        srcPort: 4000 + (i % 4),
      });
    }
    for (let i = 0; i < 5; i++) {
      const answer = { from: router.mac, to: oldHost.mac, src: FAR, dst: oldHost.ip, hopLimit: 60 };
      far.udp(50 + i, answer);
      near.udp(50.01 + i, answer);
    }
    await unmoved({ 'a.pcap': near, 'b.pcap': far });
  });

  it('are not told by a log that begins later, of flows that conntrack forgets in between', async () => {
    const wire = new Wire();
    let log = '';
    for (let i = 0; i < 24; i++) {
      const [at, port] = [Math.floor(i / 4) * 60 + (i % 4) * 7, 5140 + (i % 4)];
      wire.udp(at, { from: oldHost.mac, to: router.mac, src: oldHost.ip, dst: FAR, srcPort: 514, dstPort: port });
      const answer = `src=${FAR} dst=${oldHost.ip} sport=${port} dport=514`;
      const flow = `src=${oldHost.ip} dst=${FAR} sport=514 dport=${port} [UNREPLIED] ${answer}`;
      if (at >= 180 && at < 240) log += `[${1_700_000_000 + at}.005000]\t    [NEW] ipv4     2 udp      17 30 ${flow}\n`;
    }
    const analysis = await judge({ 'a.pcap': wire }, { 'conntrack.log': log });
    expect(analysis.inputs.filter(({ moved }) => moved !== undefined)).toEqual([]);
  });

  it('are not told by clocks that drift', async () => {
    const drifting = new Wire(1_700_000_005);
    const steady = new Wire();
    for (let i = 0; i < 60; i++) {
      const packet = { from: router.mac, to: oldHost.mac, src: FAR, dst: oldHost.ip, hopLimit: 60 };
      steady.udp(i, packet);
      drifting.udp(i * 1.01, packet);
    }
    await unmoved({ 'a.pcap': drifting, 'b.pcap': steady });
  });

  it('are only suspected by few packets', async () => {
    const [many, few] = [new Wire(), new Wire(1_700_000_020)];
    forward(many, oldHost, { from: 1, until: 10 });
    forward(few, oldHost, { from: 1, until: 2.5 });
    const analysis = await unmoved({ 'a.pcap': many, 'b.pcap': few });
    expect(said(analysis, 'clock-suspected').map(({ input, what }) => `${input}: ${what}`)).toEqual([
      'b.pcap: Its clock may show 20.0 s more than that of a.pcap, by 3 packets that seem to be the same.',
    ]);
  });

  it.each([-90, 20])('are told by the log where a capture shares no packet with others (%i s)', async (ahead) => {
    const [lan, wan] = [new Wire(), new Wire(1_700_000_000 + ahead)];
    const [outside, provider] = ['94:83:c4:00:00:02', '00:1b:21:00:00:01'];
    const log = [1, 4, 8, 12].map((at, i) => {
      const packet = { src: other.ip, dst: FAR, srcPort: 4001 + i };
      lan.udp(at, { ...packet, from: other.mac, to: router.mac });
      wan.udp(at + 0.001, { ...packet, from: outside, to: provider, hopLimit: 63 });
      const [there, back] = [`src=${other.ip} dst=${FAR} sport=${4001 + i} dport=5000`, `dport=${4001 + i}`];
      return `[${1_700_000_000 + at}.010000]\t    [NEW] ipv4     2 udp      17 30 ${there} [UNREPLIED] src=${FAR} dst=${other.ip} sport=5000 ${back}\n`;
    });
    const analysis = await judge({ 'lan.pcap': lan, 'wan.pcap': wan }, { 'conntrack.log': log.join('') });
    expect(analysis.inputs.map(({ name, moved }) => [name, Number(moved ?? 0)])).toEqual([
      ['conntrack.log', 0],
      ['lan.pcap', 0],
      ['wan.pcap', expect.closeTo(-ahead * 1e9, -8)],
    ]);
    expect(said(analysis, 'clock-corrected')[0]?.what).toMatch(
      / than that of conntrack\.log, by the beginnings of 4 flows\.$/,
    );
  });

  it('may be told by a delay only when it is longer than the way can be', async () => {
    const [near, far] = [new Wire(), new Wire()];
    for (let i = 0; i < 40; i++) {
      const packet = { from: router.mac, to: oldHost.mac, src: FAR, dst: oldHost.ip, hopLimit: 60 };
      near.udp(i, packet);
      far.udp(i + 0.3 + (i % 5) * 0.003, packet);
    }
    await unmoved({ 'a.pcap': near, 'b.pcap': far });
  });
});

/** A packet without an identification whose payload is like no other one's. */
function numbered(number: number): Datagram {
  const payload = Array.from({ length: 16 }, (_, i) => number * 16 + i);
  return { from: oldHost.mac, to: router.mac, src: '2001:db8::40', dst: '2001:db8::9', payload };
}

const there = { from: oldHost.mac, to: router.mac, src: '2001:db8::40', dst: '2001:db8::9' };
const back = { from: router.mac, to: oldHost.mac, src: '2001:db8::9', dst: '2001:db8::40', hopLimit: 60 };

function octets(mac: string): number[] {
  return mac.split(':').map((byte) => parseInt(byte, 16));
}

/** A segment of TCP without options. */
function segment(srcPort: number, dstPort: number, sequence: number, payload = ''): number[] {
  const ports = [srcPort >> 8, srcPort & 255, dstPort >> 8, dstPort & 255];
  return [...ports, 0, 0, 0, sequence, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0, ...Buffer.from(payload)];
}

/** An echo request of ICMPv6 with the same filling each time, and so many of one number. */
function echo(number: number): number[] {
  return [128, 0, 0, 0, 0, 1, 0, number, ...new Array<number>(48).fill(0)];
}
