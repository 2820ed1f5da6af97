/** Batches, tables and short cuts are held against plain, slow code that does the same with text and maps. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatMac, macFromWords } from '../../src/bytes/address.js';
import { Decoder } from '../../src/decode/frame.js';
import { findNetworks } from '../../src/detect/networks.js';
import { runsOfLeg, viewLeg } from '../../src/detect/legs.js';
import { macPairsOf, Many } from '../../src/detect/mac-pairs.js';
import { PortLocations } from '../../src/detect/ports.js';
import { findRouters } from '../../src/detect/routers.js';
import { Verdicts } from '../../src/detect/verdicts.js';
import { findOwnerships } from '../../src/detect/witnesses.js';
import { readCapture } from '../../src/read/capture.js';
import { isInitialHopLimit } from '../../src/reconstruct/leg-key.js';
import { Reconstruction } from '../../src/reconstruct/reconstruction.js';
import { FrameBatch } from '../../src/records/frame-batch.js';
import { referenceDecode } from '../decode/reference.js';
import { memorySource } from '../support/collect-capture.js';
import { Wire } from '../support/wire.js';

const MACS = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03', '02:00:00:00:00:04'];
const V4 = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '192.0.2.1'];
const V6 = ['2001:db8::1', '2001:db8::2', 'fe80::3'];

interface Step {
  readonly kind: 'udp4' | 'udp6' | 'arp' | 'nd';
  readonly from: number;
  readonly to: number;
  readonly src: number;
  readonly dst: number;
  readonly port: number;
  readonly hopLimit: number;
  readonly tag: number;
  /** A byte that is overwritten, if it lies in the frame. */
  readonly mutation: readonly [at: number, value: number] | undefined;
  readonly repeat: number;
}

const index = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('udp4', 'udp4', 'udp6', 'arp', 'nd'),
  from: index,
  to: index,
  src: index,
  dst: index,
  port: fc.integer({ min: 0, max: 2 }),
  hopLimit: fc.constantFrom(64, 63, 255, 17),
  tag: fc.constantFrom(-1, -1, -1, 10),
  mutation: fc.option(fc.tuple(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 255 })), {
    nil: undefined,
    freq: 4,
  }),
  repeat: fc.constantFrom(1, 1, 2, 70),
});

function of<T>(list: readonly T[], at: number, none: T): T {
  return list[at % list.length] ?? none;
}

/** The packets of some steps, one after the other. */
function packetsOf(steps: readonly Step[]): number[][] {
  const packets: number[][] = [];
  for (const s of steps) {
    const wire = new Wire();
    wire.tags = s.tag < 0 ? [] : [s.tag];
    const [from, to] = [of(MACS, s.from, ''), of(MACS, s.to, '')];
    const ips = s.kind === 'udp6' || s.kind === 'nd' ? V6 : V4;
    const [src, dst] = [of(ips, s.src, ''), of(ips, s.dst, '')];
    if (s.kind === 'arp') wire.reply(0, { mac: from, ip: src }, { mac: to, ip: dst });
    else if (s.kind === 'nd') wire.advertise(0, { mac: from, ip: src }, { mac: to, ip: dst });
    else wire.udp(0, { from, to, src, dst, srcPort: s.port, hopLimit: s.hopLimit });
    const packet = [...wire.pcap().subarray(24 + 16)];
    if (s.mutation && s.mutation[0] < packet.length) packet[s.mutation[0]] = s.mutation[1];
    for (let i = 0; i < s.repeat; i++) packets.push(packet);
  }
  return packets;
}

async function reconstruct(packets: readonly number[][]): Promise<Reconstruction> {
  const wire = new Wire();
  packets.forEach((packet, i) => wire.raw(i / 10, packet));
  const r = new Reconstruction();
  const decoder = new Decoder(r.addresses);
  const frames = new FrameBatch();
  r.beginInput(0);
  await readCapture(memorySource(wire.pcap()), r.epoch, {
    interface: (description) => r.taps.addInterface(description),
    packets: (batch) => {
      decoder.decode(batch, frames);
      r.add(frames);
    },
    comment: () => undefined,
    name: () => undefined,
    statistics: () => undefined,
    diagnostic: () => undefined,
  });
  r.endInput();
  return r;
}

interface Sum {
  frames: number;
  bytes: number;
  first: number;
  last: number;
}

function note(sums: Map<string, Sum>, key: string, frames: number, bytes: number, first: number, last: number): void {
  const sum = sums.get(key);
  if (!sum) sums.set(key, { frames, bytes, first, last });
  else {
    sum.frames += frames;
    sum.bytes += bytes;
    sum.first = Math.min(sum.first, first);
    sum.last = Math.max(sum.last, last);
  }
}

describe('the flow table', () => {
  it('counts what a plain decoder and a map count', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const packets = packetsOf(steps).filter((packet) => referenceDecode(packet, packet.length) !== undefined);
        const expected = new Map<string, Sum>();
        for (const [i, packet] of packets.entries()) {
          const frame = referenceDecode(packet, packet.length);
          if (frame?.ip === undefined || frame.protocol === undefined || !frame.src) continue;
          const isPorts = frame.protocol === 17 || frame.protocol === 6;
          const key = `${frame.vlan?.join()} ${frame.src} ${frame.dst} ${frame.ip} ${frame.protocol} ${isPorts ? frame.ports?.join() : ''}`;
          note(expected, key, 1, packet.length, i + 1, i + 1);
        }
        const r = await reconstruct(packets);
        const counted = new Map<string, Sum>();
        for (let leg = 0; leg < r.legs.count; leg++) {
          const view = viewLeg(r, leg);
          const tap = r.taps.all[view.tap];
          const tags = [tap?.vlan ?? -1, tap?.innerVlan ?? -1].filter((id) => id >= 0);
          const vlan = tags.length === 0 ? undefined : tags.join();
          const ports = view.protocol === 17 || view.protocol === 6 ? `${view.srcPort},${view.dstPort}` : '';
          const ip = `${r.addresses.format(view.srcIp)} > ${r.addresses.format(view.dstIp)}`;
          for (const run of runsOfLeg(r, leg)) {
            if (run.mixed) continue;
            const key = `${vlan} ${formatMac(view.transmitter)} ${formatMac(run.mac)} ${ip} ${view.protocol} ${ports}`;
            note(counted, key, run.frames, run.bytes, run.firstFrame, run.lastFrame);
          }
        }
        expect(sorted(counted)).toEqual(sorted(expected));
      }),
      { numRuns: 60 },
    );
  });

  it('keeps the runs of each leg as they came, and exact sums once it folds them', () => {
    const row = fc.record({ flow: index, to: index, port: index, hopLimit: fc.constantFrom(64, 63) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 600 }), (rows) => {
        const r = new Reconstruction();
        r.beginInput(0);
        r.taps.addInterface({
          index: 0,
          section: 0,
          idInSection: 0,
          linkType: 1,
          snapLength: 0,
          addresses: [],
          resolution: { base: 10, exponent: 9, offsetSeconds: 0n, split: true },
        });
        const frames = new FrameBatch();
        const expected = new Map<string, { mac: number; frames: number; first: number; last: number }[]>();
        rows.forEach(({ flow, to, port, hopLimit }, i) => {
          fillRow(frames, frames.count++, i + 1, flow, to, port, hopLimit);
          const key = `${flow} ${port} ${isInitialHopLimit(hopLimit)}`;
          const runs = expected.get(key) ?? [];
          expected.set(key, runs);
          const last = runs.at(-1);
          if (last?.mac === to) Object.assign(last, { frames: last.frames + 1, last: i + 1 });
          else runs.push({ mac: to, frames: 1, first: i + 1, last: i + 1 });
          if (frames.count === 64 || i === rows.length - 1) {
            r.add(frames);
            frames.count = 0;
          }
        });
        expect(r.legs.count).toBe(expected.size);
        for (let leg = 0; leg < r.legs.count; leg++) {
          const view = viewLeg(r, leg);
          const initial = isInitialHopLimit(view.srcPort >= 100 ? 64 : 63);
          const plain = expected.get(`${view.srcIp} ${view.dstPort} ${initial}`) ?? [];
          const runs = runsOfLeg(r, leg).map((run) => ({
            mac: run.mac,
            frames: run.frames,
            first: run.firstFrame,
            last: run.lastFrame,
          }));
          if (plain.length <= 24) expect(runs).toEqual(plain);
          else expect(framesByMac(runs)).toEqual(framesByMac(plain));
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the first judgement', () => {
  it('counts what its rules say of each run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const r = await reconstruct(packetsOf(steps));
        const networks = findNetworks(r, [], () => '');
        const around = {
          hosts: [],
          networks,
          routers: findRouters(r, [], networks),
          networksOf: () => [...new Set(networks.of)],
          inputName: () => 'a',
        };
        const ownerships = findOwnerships(r, around);
        const verdicts = new Verdicts(r, around, ownerships, new Map(), [new PortLocations(r, around, () => '')]);
        verdicts.run();
        let delivered = 0;
        let suspects = 0;
        const reasons = new Map<string, number>();
        for (let leg = 0; leg < r.legs.count; leg++) {
          const view = viewLeg(r, leg);
          const said = runsOfLeg(r, leg).map((run) => {
            const stretches = verdicts.stretches(view, run.mac);
            const touched = stretches.filter(
              (stretch, i) => stretch.from <= run.last && (stretches[i + 1]?.from ?? Infinity) > run.first,
            );
            const kinds = new Set(touched.map(({ ruling }) => `${ruling.verdict} ${ruling.reason} ${ruling.class}`));
            const [ruling] = touched.map((stretch) => stretch.ruling);
            const isPlain = kinds.size === 1 && !run.mixed && ruling?.verdict !== 'misdelivered' && !ruling?.class;
            const isAnswered =
              ruling?.reason === 'unknown-next-hop' &&
              r.legs.hasAnswer(leg, Math.floor(run.mac / 0x1_0000_0000), run.mac | 0);
            return isPlain ? { reason: isAnswered ? undefined : ruling?.reason, frames: run.frames } : undefined;
          });
          if (said.some((one) => one === undefined)) suspects++;
          else
            for (const one of said) {
              if (one?.reason === undefined) delivered += one?.frames ?? 0;
              else reasons.set(one.reason, (reasons.get(one.reason) ?? 0) + one.frames);
            }
        }
        const counts = verdicts.byInput.get(0);
        expect(verdicts.suspects.size).toBe(suspects);
        expect(counts?.delivered ?? 0).toBe(delivered);
        expect(sorted(counts?.notJudged ?? new Map())).toEqual(sorted(reasons));
      }),
      { numRuns: 60 },
    );
  });
});

/** A frame of flow `flow` (its source address) from one MAC to MAC `to`. The source port tells the hop limit. */
function fillRow(
  frames: FrameBatch,
  i: number,
  frame: number,
  flow: number,
  to: number,
  port: number,
  hopLimit: number,
): void {
  frames.frame[i] = frame;
  frames.time[i] = frame * 1e6;
  frames.length[i] = 100;
  frames.flags[i] = 3;
  frames.vlan[i] = frames.innerVlan[i] = -1;
  frames.srcMacLow[i] = 7;
  frames.dstMacLow[i] = to;
  frames.ipVersion[i] = 4;
  frames.srcIp[i] = flow;
  frames.dstIp[i] = 0x0a00_0001;
  frames.protocol[i] = 17;
  frames.hopLimit[i] = hopLimit;
  frames.srcPort[i] = hopLimit === 64 ? 100 : 50;
  frames.dstPort[i] = port;
}

function framesByMac(runs: readonly { mac: number; frames: number }[]): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { mac, frames } of runs) sums.set(macFromWords(0, mac), (sums.get(mac) ?? 0) + frames);
  return new Map([...sums].sort(([a], [b]) => a - b));
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('pairs of MACs', () => {
  it('hold the legs that a walk over all of them finds', async () => {
    const mask = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), mask, async (steps, chosen) => {
        const r = await reconstruct(packetsOf(steps));
        const pairs = macPairsOf(r);
        const isWanted = Uint8Array.from({ length: pairs.count }, (_, pair) => (chosen[pair % chosen.length] ? 1 : 0));
        const legs = Array.from({ length: r.legs.count }, (_, leg) => leg);
        expect([...pairs.legsOf(isWanted)]).toEqual(legs.filter((leg) => isWanted[pairs.of[leg] ?? -1] === 1));
        const frames = new Array<number>(pairs.count).fill(0);
        for (const leg of legs) {
          const view = viewLeg(r, leg);
          const pair = pairs.of[leg] ?? -1;
          const open = runsOfLeg(r, leg).at(-1);
          expect([pairs.tap(pair), pairs.from(pair), pairs.to(pair)]).toEqual([view.tap, view.transmitter, open?.mac]);
          frames[pair] = (frames[pair] ?? 0) + (open?.frames ?? 0);
        }
        frames.forEach((count, pair) => {
          const own = legs.filter((leg) => pairs.of[leg] === pair);
          expect([...pairs.legsOfPair(pair)]).toEqual(own);
          expect(pairs.frames(pair)).toBe(count);
          const views = own.map((leg) => viewLeg(r, leg));
          const several = (ips: readonly number[], bit: number): number => (new Set(ips).size > 1 ? bit : 0);
          const sources = views.map(({ srcIp }) => srcIp);
          const destinations = views.map(({ dstIp }) => dstIp);
          expect(pairs.many(pair)).toBe(several(sources, Many.SOURCES) | several(destinations, Many.DESTINATIONS));
        });
        expect(pairs.changing).toEqual(legs.filter((leg) => runsOfLeg(r, leg).length > 1));
      }),
      { numRuns: 60 },
    );
  });

  it('name one owner where the tenures do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60 }), async (steps) => {
        const r = await reconstruct(packetsOf(steps));
        const networks = findNetworks(r, [], () => '');
        const routers = findRouters(r, [], networks);
        const around = { hosts: [], networks, routers, networksOf: () => [0], inputName: () => 'a' };
        for (const ownership of findOwnerships(r, around).values()) {
          // Before the tenures are asked for, as that decides which way the answer takes.
          const { owner, macs } = ownership;
          const { tenures, weak } = ownership;
          const all = tenures.flatMap((tenure) => tenure.macs);
          expect(owner).toBe(tenures.length === 1 && all.length === 1 ? all[0] : undefined);
          expect(new Set(macs)).toEqual(new Set([...all, ...weak.map(({ mac }) => mac)]));
          for (const { testimonies, start, end } of tenures) {
            expect(start).toBe(Math.min(...testimonies.map(({ first }) => first)));
            const last = Math.max(...testimonies.map((testimony) => testimony.last));
            // What the old MAC says right after a take-over is the tail of its tenure, and makes that no longer.
            if (tenures.length === 1) expect(end).toBe(last);
            else expect(end).toBeLessThanOrEqual(last);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
