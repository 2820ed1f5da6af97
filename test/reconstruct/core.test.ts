/** The WebAssembly core is held against the plain code that it stands in for: the same rows, and the same reconstruction. */

import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpv6Groups, parseMac } from '../../src/bytes/address.js';
import { Core } from '../../src/bytes/core.js';
import { FRAMES } from '../../src/bytes/core-layout.js';
import type { Room } from '../../src/bytes/record-list.js';
import { Decoder } from '../../src/decode/frame.js';
import { WantedPackets } from '../../src/detect/wanted.js';
import { MacPairs, PAIR_WORDS } from '../../src/detect/mac-pairs.js';
import { readCapture, sniffCapture } from '../../src/read/capture.js';
import { Reconstruction } from '../../src/reconstruct/reconstruction.js';
import { BATCH_SIZE } from '../../src/records/batch-layout.js';
import { FrameBatch, FrameFlag } from '../../src/records/frame-batch.js';
import type { PacketBatch } from '../../src/records/packet-batch.js';
import { buildPcap, SectionBuilder } from '../support/build-capture.js';
import { memorySource } from '../support/collect-capture.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { type Station, Wire } from '../support/wire.js';

interface Told {
  readonly rows: string[];
  /** Everything else that was said or reconstructed. */
  readonly rest: unknown;
}

/** Columns of a packet row that mean something. */
function packetRow(p: PacketBatch, i: number): string {
  return [
    p.frame[i],
    p.interfaceIndex[i],
    p.linkType[i],
    p.time[i],
    p.capturedLength[i],
    p.originalLength[i],
    p.ticksHigh[i],
    p.ticksLow[i],
    p.flags[i],
    p.hasFlags[i],
    p.fileOffset[i],
  ].join();
}

/** Columns of a frame row that mean something. */
function frameRow(f: FrameBatch, i: number, base: number): string {
  const flags = f.flags[i] ?? 0;
  const at = (offset: number | undefined): number => (offset === undefined || offset < 0 ? -1 : offset - base);
  return [
    f.frame[i],
    f.interfaceIndex[i],
    f.time[i],
    f.length[i],
    flags,
    f.link[i],
    ...(flags & FrameFlag.SRC_MAC ? [f.srcMacHigh[i], f.srcMacLow[i]] : []),
    ...(flags & FrameFlag.DST_MAC ? [f.dstMacHigh[i], f.dstMacLow[i]] : []),
    f.vlan[i],
    f.innerVlan[i],
    f.etherType[i],
    f.ipVersion[i],
    ...(f.ipVersion[i] === 0 ? [] : [f.srcIp[i], f.dstIp[i]]),
    f.protocol[i],
    f.hopLimit[i],
    f.ipId[i],
    f.srcPort[i],
    f.dstPort[i],
    f.detail[i],
    at(f.networkOffset[i]),
    at(f.transportOffset[i]),
    ...(f.claim[i] === 0
      ? ['-']
      : [f.claim[i], f.claimIpVersion[i], f.claimIp[i], f.claimMacHigh[i], f.claimMacLow[i], f.targetIp[i]]),
  ].join();
}

/**
 * Reads captures as the first reading does, each as an input of one reconstruction; `isStraight`: the core counts by itself
 * what it can, and no rows are seen of that.
 */
async function read(captures: readonly Uint8Array[], core: Core | undefined, isStraight = false): Promise<Told> {
  const r = new Reconstruction(core);
  const decoder = new Decoder(r.addresses, core);
  const frames = core ? new FrameBatch(core.fixed, FRAMES) : new FrameBatch();
  const rows: string[] = [];
  const said: unknown[] = [];
  for (const [input, bytes] of captures.entries()) {
    r.beginInput(input);
    const straight = {
      begin: () => r.lend(),
      end: (counted: number, count: number, left: number) => {
        frames.count = count;
        r.takeBack(counted, frames, left);
      },
    };
    const sink = {
      straight: isStraight ? straight : undefined,
      interface: (description: Parameters<typeof r.taps.addInterface>[0]) => {
        said.push(String(description.name), description.linkType);
        r.taps.addInterface(description);
      },
      packets: (batch: PacketBatch) => {
        decoder.decode(batch, frames);
        r.add(frames);
        for (let i = 0; i < batch.count; i++) {
          const base = batch.offset[i] ?? 0;
          rows.push(`${packetRow(batch, i)} | ${frameRow(frames, i, base)} | ${r.taps.row[i]} ${r.legs.row[i]}`);
        }
      },
      comment: (text: string, frame: number) => said.push(text, frame),
      name: (address: string) => said.push(address),
      statistics: (...all: unknown[]) => said.push(all),
      diagnostic: (diagnostic: unknown) => said.push(diagnostic),
    };
    said.push(await readCapture(memorySource(bytes), r.epoch, sink, core ? { core } : {}));
    r.endInput();
  }
  const { legs, claims } = r;
  const pairs = new MacPairs(r);
  const rest = {
    said,
    legs: [...legs.words.subarray(0, legs.count * 16)],
    pairs: [pairs.hasLoops, pairs.changing, [...pairs.of], [...pairs.words.subarray(0, pairs.count * PAIR_WORDS)]],
    sums: Array.from({ length: pairs.count }, (_, pair) => [
      ...[pairs.firstLeg(pair), pairs.legCount(pair), pairs.frames(pair), pairs.many(pair)],
      ...[pairs.source(pair), pairs.destination(pair), ...pairs.legsOfPair(pair)],
    ]),
    closed: [...legs.closed.words.subarray(0, legs.closed.count * 8)],
    doubles: [...legs.closed.doubles.subarray(0, legs.closed.count * 3)],
    taps: r.taps.all,
    ports: r.taps.ports.map((port) => [port.id, port.input, port.frames]),
    claims: claims.runs.map((run) => ({ ...run, heardBy: [...run.heardBy] })),
    voices: claims.voices.all.map((voice) => ({ ...voice, carriers: [...voice.carriers] })),
    requests: claims.requestsBy(new Set(MACS.map((mac) => parseMac(mac) ?? 0))),
    polls: MACS.flatMap((mac) => claims.runs.flatMap(({ tap, ip }) => claims.pollsBy([tap], parseMac(mac) ?? 0, ip))),
    repeats: [...claims.repeats.byTap],
    announced: [claims.prefixes, [...claims.routers], claims.dropped],
    frames: [...r.frames],
    spans: [...r.spans],
    unjudged: [...r.unjudged].map(([input, counts]) => [input, ...counts]),
    addresses: r.addresses.size,
  };
  return { rows, rest };
}

async function expectSame(captures: readonly Uint8Array[], create = () => new Core()): Promise<number> {
  const plain = await read(captures, undefined);
  const fast = await read(captures, create());
  const straight = await read(captures, create(), true);
  const differs = fast.rows.findIndex((row, i) => row !== plain.rows[i]);
  expect(fast.rows[differs]).toBe(plain.rows[differs]);
  expect(fast.rows.length).toBe(plain.rows.length);
  expect(fast.rest).toEqual(plain.rest);
  expect(straight.rest).toEqual(plain.rest);
  return plain.rows.length;
}

interface ReadAgain {
  /** Rows of the wanted legs, in a whole reading and in one of wanted packets. */
  readonly sought: string[];
  readonly found: string[];
  /** All packets that a reading of wanted ones is given, and how many there are. */
  readonly kept: string[];
  readonly all: number;
}

/** Reads a capture, and then again: all of it, and the packets that some of its legs may have. */
async function readAgain(capture: Uint8Array, picks: readonly number[], core?: Core): Promise<ReadAgain> {
  const r = new Reconstruction(core);
  const decoder = new Decoder(r.addresses, core);
  const frames = core ? new FrameBatch(core.fixed, FRAMES) : new FrameBatch();
  const read = async (again: boolean, take: (batch: PacketBatch) => void, wanted?: WantedPackets): Promise<void> => {
    const sink = {
      interface: (description: Parameters<typeof r.taps.addInterface>[0]) =>
        again ? undefined : r.taps.addInterface(description),
      packets: (batch: PacketBatch) => {
        decoder.decode(batch, frames);
        take(batch);
      },
      ...(wanted ? { select: (batch: PacketBatch, from: number) => wanted.keep(batch, from) } : {}),
      comment: () => undefined,
      name: () => undefined,
      statistics: () => undefined,
      diagnostic: () => undefined,
    };
    if (again) r.taps.resumeInput(0);
    await readCapture(memorySource(capture), r.epoch, sink, core ? { core } : {});
  };
  r.beginInput(0);
  await read(false, () => {
    r.add(frames);
  });
  r.endInput();
  const legs = new Set(r.legs.count > 0 ? picks.map((pick) => pick % r.legs.count) : []);
  const told: ReadAgain = { sought: [], found: [], kept: [], all: [...r.frames.values()][0] ?? 0 };
  const note = (rows: string[], kept: string[], batch: PacketBatch): void => {
    r.find(frames);
    for (let i = 0; i < batch.count; i++) {
      const leg = r.legs.row[i] ?? -1;
      kept.push(packetRow(batch, i));
      if (legs.has(leg)) rows.push(`${leg} ${packetRow(batch, i)} | ${frameRow(frames, i, batch.offset[i] ?? 0)}`);
    }
  };
  await read(true, (batch) => {
    note(told.sought, [], batch);
  });
  const wanted = new WantedPackets(r, legs);
  await read(
    true,
    (batch) => {
      note(told.found, told.kept, batch);
    },
    wanted,
  );
  return told;
}

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03', '02:00:00:00:00:04'];
const V4 = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '224.0.0.1'];
const V6 = ['2001:db8::1', '2001:db8::2', 'fe80::3', '2001:db8:0:1::4'];
const index = fc.integer({ min: 0, max: 3 });
const byte = fc.integer({ min: 0, max: 255 });

/** One frame: of which kind, between whom, what stands around it, and bytes that are overwritten. */
const step = fc.record({
  kind: fc.constantFrom(
    ...(['udp', 'udp', 'tcp', 'icmp', 'dhcp', 'options', 'fragment', 'hopopts'] as const),
    ...(['arp', 'arp', 'request', 'request', 'gratuitous', 'probe', 'nd', 'nd', 'solicit', 'solicit', 'dad'] as const),
  ),
  v6: fc.boolean(),
  from: index,
  to: index,
  src: index,
  dst: index,
  ports: fc.tuple(fc.constantFrom(1, 53, 68), fc.constantFrom(53, 67, 546, 4000)),
  hopLimit: fc.constantFrom(64, 63, 255, 17),
  tags: fc.constantFrom<number[]>([], [], [], [10], [11], [0], [10, 20]),
  pppoe: fc.constantFrom(0, 0, 0, 0, 0x0021, 0x0057, 0xc021),
  flags: fc.constantFrom(-1, -1, 0, 1, 2, 3),
  comment: fc.constantFrom('', '', '', '', 'a word'),
  interface: fc.constantFrom(0, 0, 1, 2),
  cut: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined, freq: 5 }),
  mutation: fc.option(fc.tuple(fc.integer({ min: 0, max: 70 }), byte), { nil: undefined, freq: 3 }),
  /** By how much the length on the wire, as the record has it, is more than what was captured. */
  beyond: fc.constantFrom(0, 0, 0, 20, -30),
  repeat: fc.constantFrom(1, 1, 2, 70),
  /** Since the frame before, ns: answers and copies come within bounds. */
  wait: fc.constantFrom(997, 997, 2e6, 1.5e9, 4e9),
  /** Whose MAC a claim names, and which flags an advertisement has. */
  named: fc.constantFrom(-1, -1, -1, 0, 1),
  ndFlags: fc.constantFrom(0, 0x20, 0x40, 0x60),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function of(list: readonly string[], at: number): string {
  return list[at % list.length] ?? '';
}

function frameOf(s: Step): number[] {
  const wire = new Wire();
  wire.tags = s.tags;
  const ips = s.v6 || ['nd', 'solicit', 'dad', 'hopopts'].includes(s.kind) ? V6 : V4;
  const d = {
    from: of(MACS, s.from),
    to: s.dst === 3 ? 'ff:ff:ff:ff:ff:ff' : of(MACS, s.to),
    src: of(ips, s.src),
    dst: of(ips, s.dst),
    hopLimit: s.hopLimit,
    srcPort: s.ports[0],
    dstPort: s.ports[1],
  };
  const ports = [0, s.ports[0], s.ports[1] >> 8, s.ports[1] & 255];
  const station = { mac: d.from, ip: of(V4, s.src) };
  switch (s.kind) {
    case 'tcp':
      wire.ip(0, d, 6, [...ports, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 1, 0, 0, 0, 0, 0, 7, 7]);
      break;
    case 'icmp':
      wire.ip(0, d, s.v6 ? 58 : 1, [s.v6 ? 128 : 8, 0, 0, 0, 0, 7, 0, 1, 1, 2, 3]);
      break;
    case 'arp':
      wire.reply(0, station, { mac: d.to, ip: of(V4, s.dst) }, s.named < 0 ? d.from : of(MACS, s.named));
      break;
    case 'request':
      wire.request(0, station, of(V4, s.dst), s.dst === 3 ? d.to : of(MACS, s.to));
      break;
    case 'gratuitous':
      wire.gratuitous(0, station, s.v6 ? 1 : 2);
      break;
    case 'probe':
      wire.probe(0, station);
      break;
    case 'nd':
      wire.ip(0, { ...d, hopLimit: s.hopLimit === 17 ? 17 : 255 }, 58, [
        ...[136, 0, 0, 0, s.ndFlags, 0, 0, 0],
        ...ipv6(s.named < 0 ? d.src : of(V6, s.named)),
        ...(s.beyond < 0 ? [] : [2, 1, ...macBytes(s.named < 0 ? d.from : of(MACS, s.named))]),
      ]);
      break;
    case 'solicit':
      wire.solicit(0, { mac: d.from, ip: d.src }, d.dst);
      break;
    case 'dad':
      wire.solicit(0, { mac: d.from, ip: '::' }, d.dst);
      break;
    case 'dhcp':
      wire.dhcp(0, 5, station, { mac: of(MACS, s.to), ip: of(V4, s.dst) });
      break;
    case 'hopopts':
      wire.ip(0, d, 0, [17, 0, 1, 4, 0, 0, 0, 0, ...ports, 0, 12, 0, 0, 1, 2, 3, 4]);
      break;
    default:
      wire.udp(0, d);
  }
  let bytes = [...wire.pcap().subarray(24 + 16)];
  const network = 14 + 4 * s.tags.length;
  if (s.kind === 'options' && !s.v6) {
    bytes[network] = 0x46;
    bytes.splice(network + 20, 0, 1, 1, 1, 0);
  }
  if (s.kind === 'fragment' && !s.v6) bytes[network + 6] = s.hopLimit & 0x20 ? 0x20 : 0x01;
  if (s.pppoe > 0) {
    bytes.splice(network - 2, 2, 0x88, 0x64, 0x11, 0, 0, 1, 0, bytes.length - network + 2, s.pppoe >> 8, s.pppoe & 255);
  }
  if (s.mutation && s.mutation[0] < bytes.length) bytes[s.mutation[0]] = s.mutation[1];
  if (s.cut !== undefined) bytes = bytes.slice(0, s.cut);
  return bytes;
}

function ipv6(text: string): number[] {
  return (parseIpv6Groups(text) ?? []).flatMap((group) => [group >> 8, group & 255]);
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function macBytes(text: string): number[] {
  return text.split(':').map((part) => Number.parseInt(part, 16));
}

interface Form {
  readonly littleEndian: boolean;
  readonly resolution: 6 | 9;
  readonly pcapng: boolean;
}

const form: fc.Arbitrary<Form> = fc.record({
  littleEndian: fc.constantFrom(true, true, true, false),
  resolution: fc.constantFrom(6, 9),
  pcapng: fc.boolean(),
});

function captureOf({ littleEndian, resolution, pcapng }: Form, steps: readonly Step[]): Buffer {
  const once = steps.flatMap((s) => {
    const bytes = Uint8Array.from(frameOf(s));
    const original = Math.max(0, bytes.length + s.beyond);
    return Array.from({ length: s.repeat }, () => ({ s, bytes, original }));
  });
  // The first batch makes the taps known: what the core does by itself begins with the second.
  const packets = Array.from({ length: once.length + 2 * BATCH_SIZE }, (_, i) => once[i % once.length]).filter(
    (packet) => packet !== undefined,
  );
  let ticks = 1_700_000_000n * 10n ** BigInt(resolution);
  const timed = packets.map((packet) => ({
    ...packet,
    ticks: (ticks += BigInt(Math.ceil(resolution === 9 ? packet.s.wait : packet.s.wait / 1000))),
  }));
  if (!pcapng) return buildPcap({ littleEndian, resolution }, timed);
  const section = new SectionBuilder(littleEndian);
  for (const unit of [resolution, 9, 0x80 | 20]) section.interface(1, 0, section.option(9, Uint8Array.of(unit)));
  for (const packet of timed) {
    const { flags, comment } = packet.s;
    const word = littleEndian ? [flags, 0, 0, 0] : [0, 0, 0, flags];
    const options = [
      ...(flags >= 0 ? [section.option(2, Uint8Array.from(word))] : []),
      ...(comment === '' ? [] : [section.option(1, comment)]),
    ];
    section.packet(packet.s.interface, packet, ...options);
  }
  return section.build();
}

const NO_HOSTS = ['127.0.0.1', '0.0.0.7', '240.0.0.1', '224.0.0.5'];

/** One message of ARP or neighbour discovery; few stations, so that they contradict each other. */
const talk = fc.record({
  kind: fc.constantFrom(
    'request',
    'request',
    'reply',
    'reply',
    'gratuitous',
    'probe',
    'solicit',
    'advertise',
    'advertise',
  ),
  from: fc.constantFrom(0, 0, 1, 2),
  src: fc.constantFrom(0, 1),
  to: fc.constantFrom(0, 1, 3, 3),
  dst: fc.constantFrom(0, 1, 2),
  /** Seconds since the message before. */
  wait: fc.constantFrom(0.0004, 0.0004, 0.3, 1.2, 3.5),
  isTagged: fc.constantFrom(false, false, false, true),
  /** Of an advertisement: its flags, and the length of its option in units of eight bytes. */
  flags: fc.constantFrom(0, 0x20, 0x40, 0x60),
  option: fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 1, 1, 2),
  /** A frame that the plain code has to look at, and all claims of the batch behind it. */
  isOdd: fc.constantFrom(...new Array<boolean>(120).fill(false), true),
});
type Talk = typeof talk extends fc.Arbitrary<infer T> ? T : never;

function say(wire: Wire, at: number, t: Talk): void {
  wire.tags = t.isTagged ? [10] : [];
  const station = {
    mac: of(MACS, t.from),
    ip: t.isOdd && t.kind === 'gratuitous' ? of(NO_HOSTS, t.to) : of(V4, t.src),
  };
  const isToAll = t.to === 3;
  const other = { mac: isToAll ? 'ff:ff:ff:ff:ff:ff' : of(MACS, t.to), ip: of(V4, t.dst) };
  const v6 = { from: station.mac, src: of(V6, t.src), hopLimit: 255 };
  switch (t.kind) {
    case 'request':
      wire.request(at, station, other.ip, other.mac);
      break;
    case 'reply':
      wire.reply(at, station, other, t.isOdd ? of(MACS, 3) : station.mac);
      break;
    case 'gratuitous':
      wire.gratuitous(at, station, t.isTagged ? 1 : 2);
      break;
    case 'probe':
      wire.probe(at, station);
      break;
    case 'solicit':
      wire.solicit(at, { mac: station.mac, ip: v6.src }, t.isOdd ? `2001:db8:f::${at.toFixed(0)}` : of(V6, t.dst));
      break;
    default: {
      const to = isToAll ? { to: '33:33:00:00:00:01', dst: 'ff02::1' } : { to: other.mac, dst: of(V6, t.dst) };
      const filling = new Array<number>(8 * (t.option - 1)).fill(0);
      const option = [2, t.option, ...macBytes(station.mac), ...filling];
      wire.ip(at, { ...v6, ...to }, 58, [136, 0, 0, 0, t.flags, 0, 0, 0, ...ipv6(v6.src), ...option]);
    }
  }
}

describe('the core', () => {
  it('reads as the plain code does, whatever the frames', async () => {
    await fc.assert(
      fc.asyncProperty(form, fc.array(step, { minLength: 1, maxLength: 40 }), async (f, steps) => {
        await expectSame([captureOf(f, steps)]);
      }),
      { numRuns: 150 },
    );
  });

  it('reads as the plain code does, whatever happened to the capture', async () => {
    const damage = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), byte), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(form, fc.array(step, { minLength: 1, maxLength: 12 }), damage, async (f, steps, bytes) => {
        const capture = captureOf(f, steps);
        for (const [where, value] of bytes) capture[24 + Math.floor(where * (capture.length - 25))] = value;
        await expectSame([capture]);
      }),
      { numRuns: 150 },
    );
  });

  it('hears claims as the plain code does, however they follow each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(talk, { minLength: 20, maxLength: 150 }), async (talks) => {
        const wire = new Wire();
        // The taps and addresses are known after the first batch: the core hears what comes behind it.
        for (const ip of V6) wire.solicit(0, { mac: of(MACS, 0), ip }, of(V6, 0));
        for (let i = 0; i < BATCH_SIZE; i++) {
          wire.tags = i & 1 ? [10] : [];
          wire.udp(0, { from: of(MACS, 0), to: of(MACS, 1), src: of(V4, 0), dst: of(V4, 1) });
        }
        let at = 1;
        for (const t of talks) say(wire, (at += t.wait), t);
        await expectSame([wire.pcap()]);
      }),
      { numRuns: 300 },
    );
  });

  it('goes on over chunks, inputs and growing tables', async () => {
    const steps = fc.sample(step, { numRuns: 400, seed: 7 });
    const wire = new Wire();
    for (let i = 0; i < 30_000; i++) {
      const host = `10.${(i >> 8) & 127}.${i & 255}.1`;
      const d = {
        from: of(MACS, i),
        to: of(MACS, i >> 13),
        srcPort: i & 1023,
        payload: new Array<number>(i % 200).fill(1),
      };
      if (i % 5 === 0) wire.udp(i / 1000, { ...d, src: '2001:db8::1', dst: `2001:db8::${(i >> 2).toString(16)}` });
      else wire.udp(i / 1000, { ...d, src: host, dst: '10.0.0.9' });
    }
    const many = captureOf({ littleEndian: true, resolution: 9, pcapng: true }, steps);
    expect(await expectSame([wire.pcap(), many, wire.pcap()])).toBeGreaterThan(60_000);
  });

  it('keeps the packets that the plain code keeps for a second reading, and all that are wanted', async () => {
    let dropped = 0;
    await fc.assert(
      fc.asyncProperty(
        form,
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
        async (f, steps, picks) => {
          const capture = captureOf(f, steps);
          const [plain, fast] = [await readAgain(capture, picks), await readAgain(capture, picks, new Core())];
          expect(fast).toEqual(plain);
          expect(plain.found).toEqual(plain.sought);
          dropped += plain.all - plain.kept.length;
        },
      ),
      { numRuns: 150 },
    );
    expect(dropped).toBeGreaterThan(1000);
  });

  it('remembers nothing of its own rows when a block is too large for its memory', async () => {
    const wire = new Wire();
    const stations = [0, 1].map((at) => ({ mac: of(MACS, at), ip: of(V4, at) }));
    const [asker = { mac: '', ip: '' }, answerer = asker] = stations;
    const udp = wire.udp(0, { from: asker.mac, to: answerer.mac, src: asker.ip, dst: answerer.ip });
    const arp = wire.reply(1, asker, answerer);
    const records = Buffer.from(wire.pcap().subarray(24));
    const second = 16 + records.readUInt32LE(8);
    const frames = [records.subarray(16, second), records.subarray(second + 16)];
    const section = new SectionBuilder(true).interface(1, 0);
    const add = (frame: number, count: number): void => {
      for (let i = 0; i < count; i++) section.packet(0, { ticks: BigInt(i), bytes: frames[frame - 1] ?? records });
    };
    add(udp, 200);
    section.block(0x0bad, Buffer.alloc(700_000));
    add(arp, 100);
    expect(await expectSame([section.build(), section.build()])).toBe(602);
  });

  it('keeps the bounds of what is known of claims', async () => {
    const wire = new Wire();
    const router = { mac: of(MACS, 0), ip: '10.1.0.1' };
    const host = (i: number): Station => ({
      mac: `02:00:00:01:${hex(i >> 8)}:${hex(i & 255)}`,
      ip: `10.2.${i >> 8}.${i & 255}`,
    });
    for (let i = 0; i < 80; i++) wire.meet(i / 10, host(i), router);
    for (let i = 0; i < 80; i++) wire.reply(100 + i * 5, router, host(i));
    for (let i = 0; i < 40; i++) wire.reply(900 + i / 1000, { mac: host(i).mac, ip: '10.1.0.2' }, router);
    for (let i = 0; i < 600; i++) wire.gratuitous(1000 + i, { mac: host(i & 1).mac, ip: '10.1.0.3' });
    expect(await expectSame([wire.pcap()])).toBe(880);
  });

  it('is left when it has no more room', async () => {
    const wire = new Wire();
    for (let i = 0; i < 5000; i++) {
      wire.udp(i, { from: of(MACS, i), to: of(MACS, 1), src: `2001:db8::${i.toString(16)}`, dst: '2001:db8::1' });
    }
    const neighbors = new Wire();
    for (let i = 0; i < 3000; i++) {
      const station = { mac: `02:00:00:01:${hex(i >> 8)}:${hex(i & 255)}`, ip: `10.1.${i >> 8}.${i & 255}` };
      neighbors.meet(i, station, { mac: of(MACS, i), ip: `10.2.${i >> 7}.${i & 127}` });
    }
    for (const few of [0, 2000, 20_000, 100_000]) {
      for (const room of ['slotRoom', 'recordRoom'] as const) {
        await expectSame([wire.pcap(), neighbors.pcap()], () => {
          const core = new Core();
          const take = core[room].bind(core);
          Object.assign(core, { [room]: (words: number) => (words > few + 5000 ? undefined : take(words)) });
          return core;
        });
      }
      for (const room of ['tableRoom', 'listRoom'] as const) {
        await expectSame([wire.pcap(), neighbors.pcap()], () => {
          const core = new Core();
          const take = core[room].bind(core);
          const limited = (...place: [number, number, number]): Room => {
            const whole = take(...place);
            return { header: whole.header, words: (count) => (count > few ? undefined : whole.words(count)) };
          };
          Object.assign(core, { [room]: limited });
          return core;
        });
      }
    }
  });

  it.skipIf(!hasShared)('reads public captures and real evidence as the plain code does', async () => {
    const files = [...below(sharedPath('corpus/files')), ...below(sharedPath('captures'))];
    let frames = 0;
    for (const file of files) {
      const bytes = readFileSync(file);
      if (sniffCapture(bytes.subarray(0, 12))) frames += await expectSame([bytes]);
    }
    expect(frames).toBeGreaterThan(50_000);
  });
});

function below(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
}
