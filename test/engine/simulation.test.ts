import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Wire, type Station } from '../support/wire.js';
import { FAR, router, wrongOf } from './scene.js';

/** What happens in a network of a router and some hosts; times in ms. */
interface Script {
  readonly hosts: number;
  readonly packets: readonly { at: number; from: number; to: number; flow: number }[];
  /** An address gets another MAC, told by one of several kinds of ARP. */
  readonly moves: readonly { at: number; host: number; by: number }[];
  /** Flows through the router that keep the MAC of their first packet. */
  readonly stuck: readonly number[];
  /** How long each station takes to act on an ARP that reached it. */
  readonly reaction: number;
}

const END = 60_000;
const FLOWS = 4;
const REACTION = 100;

const scripts: fc.Arbitrary<Script> = fc.record({
  hosts: fc.integer({ min: 2, max: 5 }),
  packets: fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: END }),
      from: fc.nat({ max: 5 }),
      to: fc.nat({ max: 5 }),
      flow: fc.nat({ max: FLOWS - 1 }),
    }),
    { minLength: 50, maxLength: 300 },
  ),
  moves: fc.array(
    fc.record({ at: fc.integer({ min: 5000, max: END }), host: fc.nat({ max: 4 }), by: fc.nat({ max: 2 }) }),
    { maxLength: 4 },
  ),
  stuck: fc.subarray([0, 1, 2, 3]),
  reaction: fc.integer({ min: 1, max: REACTION - 5 }),
});

describe('a simulated network', () => {
  it('has exactly the wrong frames of the flows that keep a MAC', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const { wire, wrong } = play(script);

        expect(await wrongOf({ 'lan.pcap': wire })).toEqual(wrong.length > 0 ? { 'lan.pcap': wrong } : {});
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 150), seed: 20_261_123 },
    );
  }, 60_000);

  it('has none when every sender follows what it is told', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const { wire } = play({ ...script, stuck: [] });
        expect(await wrongOf({ 'lan.pcap': wire })).toEqual({});
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 150), seed: 20_261_123 },
    );
  }, 60_000);
});

/** Plays a script on the wire; `wrong` holds the frames that go to a MAC which its sender could know to be old. */
function play(script: Script): { wire: Wire; wrong: number[] } {
  const wire = new Wire();
  const network = new Network(wire, script);
  const moves = script.moves.map((move) => ({ at: move.at, act: () => network.move(move.at, move.host, move.by) }));
  const packets = script.packets.map((packet) => ({ at: packet.at, act: () => network.packet(packet) }));
  for (const { act } of [...moves, ...packets].sort((a, b) => a.at - b.at)) act();
  return { wire, wrong: network.wrong };
}

class Network {
  readonly wrong: number[] = [];
  private readonly wire: Wire;
  private readonly script: Script;
  private readonly stations: Station[];
  /** What each station believes: by asker and address, the MACs with the times from which they hold. */
  private readonly tables = new Map<string, { mac: string; from: number }[]>();
  private readonly frozen = new Map<string, string>();
  /** MACs that an address had before, by address: from when the router can know that they are old. */
  private readonly old = new Map<string, Map<string, number>>();
  private macs = 0;
  private now = 0;

  constructor(wire: Wire, script: Script) {
    this.wire = wire;
    this.script = script;
    this.stations = Array.from({ length: script.hosts }, (_, i) => ({ mac: this.newMac(), ip: `192.168.7.${10 + i}` }));
  }

  move(at: number, index: number, by: number): void {
    const host = this.stations[index % this.stations.length];
    if (!host) return;
    const moved = { mac: this.newMac(), ip: host.ip };
    this.stations[index % this.stations.length] = moved;
    const time = this.tick(at);
    if (by === 0) this.wire.gratuitous(time / 1000, moved, 1);
    else if (by === 1) this.wire.gratuitous(time / 1000, moved, 2);
    else this.wire.request(time / 1000, moved, router.ip);
    for (const [key, entries] of this.tables) {
      if (key.endsWith(` ${host.ip}`)) entries.push({ mac: moved.mac, from: time + this.script.reaction });
    }
    const old = this.old.get(host.ip) ?? new Map<string, number>();
    this.old.set(host.ip, old.set(host.mac, time + REACTION));
  }

  packet({ at, from, to, flow }: Script['packets'][number]): void {
    const target = this.stations[to % this.stations.length];
    if (!target) return;
    const sender = from % (this.stations.length + 1);
    const host = this.stations[sender];
    if (host === target) return;
    if (host && flow === 0) {
      this.wire.udp(this.tick(at) / 1000, { from: host.mac, to: router.mac, src: host.ip, dst: FAR });
      return;
    }
    const by = host ?? router;
    let mac = this.resolve(at, by, target);
    const ports = { srcPort: 4000 + flow, dstPort: 5000 };
    if (host) {
      this.wire.udp(this.tick(at) / 1000, { from: by.mac, to: mac, src: by.ip, dst: target.ip, ...ports });
      return;
    }
    if (this.script.stuck.includes(flow)) {
      const key = `${flow} ${target.ip}`;
      mac = this.frozen.get(key) ?? mac;
      this.frozen.set(key, mac);
    }
    const time = this.tick(at);
    const frame = this.wire.udp(time / 1000, {
      from: by.mac,
      to: mac,
      src: FAR,
      dst: target.ip,
      hopLimit: 57,
      ...ports,
    });
    const old = this.old.get(target.ip) ?? new Map<string, number>();
    if (time >= (old.get(mac) ?? Infinity)) this.wrong.push(frame);
    // Who uses a MAC knows it, and that those before it are old.
    let isOlder = true;
    for (const [before, since] of old) {
      isOlder &&= before !== mac;
      if (isOlder) old.set(before, Math.min(since, time));
    }
  }

  /** The MAC that a station has for an address; it asks when it has none. */
  private resolve(at: number, by: Station, target: Station): string {
    const key = `${by.mac} ${target.ip}`;
    let entries = this.tables.get(key);
    if (!entries) {
      this.wire.meet(this.tick(at) / 1000, by, target);
      this.now += 1;
      entries = [{ mac: target.mac, from: 0 }];
      this.tables.set(key, entries);
    }
    return entries.findLast((entry) => entry.from <= Math.max(at, this.now))?.mac ?? target.mac;
  }

  /** No two frames at one time. */
  private tick(at: number): number {
    this.now = Math.max(at, this.now + 1);
    return this.now;
  }

  private newMac(): string {
    this.macs++;
    return `02:00:00:00:00:${this.macs.toString(16).padStart(2, '0')}`;
  }
}
