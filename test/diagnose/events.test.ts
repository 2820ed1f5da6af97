import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Analysis, NetworkEvent } from '../../src/model.js';
import { forward, judge, newHost, oldHost, router } from '../engine/scene.js';
import { analyze, folderPieces } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { Wire } from '../support/wire.js';

const START = 1_700_000_000;

/** A router that goes on to send to the old MAC after the address has moved at 10 s. */
function stale(until = 15): Wire {
  const wire = new Wire();
  wire.meet(0, router, oldHost);
  forward(wire, oldHost, { from: 1, until: 10 });
  wire.gratuitous(10, newHost);
  forward(wire, oldHost, { from: 11, until });
  return wire;
}

function ofKind(analysis: Analysis, kind: NetworkEvent['kind']): NetworkEvent[] {
  return (analysis.events ?? []).filter((event) => event.kind === kind);
}

describe('events', () => {
  it('tell a take-over, and the announcement that told it', async () => {
    const analysis = await judge({ 'lan.pcap': stale() });
    expect(ofKind(analysis, 'take-over')).toMatchObject([
      {
        time: String((START + 10) * 1e9),
        kind: 'take-over',
        what: `${newHost.mac} took ${newHost.ip} over from ${oldHost.mac} (gratuitous ARP).`,
        ip: newHost.ip,
        mac: newHost.mac,
        origin: { input: 'lan.pcap' },
      },
    ]);
    expect(ofKind(analysis, 'arp').map(({ what }) => what)).toContain(
      `${newHost.ip} is at ${newHost.mac} (gratuitous ARP).`,
    );
  });

  it('are told once though two captures show them, and not at all without a misdelivery', async () => {
    const twice = await judge({ 'lan.pcap': stale(), 'lan2.pcap': stale() });
    expect(ofKind(twice, 'take-over')).toHaveLength(1);
    const wire = new Wire();
    wire.meet(0, router, oldHost);
    forward(wire, oldHost, { from: 1, until: 10 });
    expect(await judge({ 'lan.pcap': wire })).not.toHaveProperty('events');
  });

  it('tell which rules and routes differ between two dumps, and what a monitor showed', async () => {
    const dump = (at: number, mark: string, via: string): string =>
      [
        `# ${START + at}.5 ip rule`,
        '0: from all lookup local',
        `1000: from all fwmark ${mark} lookup 100`,
        `# ${START + at}.6 ip route show table all`,
        `default via ${via} dev wan table 100`,
        '192.168.7.0/24 dev br-lan proto kernel scope link src 192.168.7.1',
        '',
      ].join('\n');
    const analysis = await judge(
      { 'lan.pcap': stale() },
      {
        'a/dump.txt': dump(2, '0xff', '192.168.7.9'),
        'b/dump.txt': dump(9, '0x1', '192.168.7.9'),
        'monitor.txt': `Timestamp: Tue Nov 14 22:13:32 2023 250000 usec\nDeleted default via 192.168.7.9 dev wan table 100\n`,
      },
    );
    expect(ofKind(analysis, 'rule').map(({ what, origin }) => `${what} ${origin.input}`)).toEqual([
      'Rule gone by now: 1000: from all fwmark 0xff lookup 100. a/dump.txt',
      'Rule new since the dump before: 1000: from all fwmark 0x1 lookup 100. b/dump.txt',
    ]);
    expect(ofKind(analysis, 'route').map(({ what, time }) => `${time} ${what}`)).toEqual([
      `${START + 12}250000000 Route deleted: 0.0.0.0/0 via 192.168.7.9 dev wan table 100.`,
    ]);
  });

  it('are those of the log that concern the hosts, and what concerns all', async () => {
    const line = (at: number, text: string): string =>
      `${new Date((START + at) * 1000).toString().slice(0, 3)} Nov 14 22:13:${20 + at} 2023 ${text}`;
    const log = [
      line(3, 'daemon.notice hostapd: phy1-ap0: AP-STA-CONNECTED 02:42:00:00:00:40'),
      line(4, 'daemon.notice hostapd: phy1-ap0: AP-STA-CONNECTED 02:42:00:00:00:99'),
      line(14, 'kern.info kernel: [  123.456] br-lan: port 2(lan3) entered disabled state'),
    ].join('\n');
    const analysis = await judge({ 'lan.pcap': stale() }, { 'logread.txt': `${log}\n` });
    expect(ofKind(analysis, 'station').map(({ mac }) => mac)).toEqual(['02:42:00:00:00:40']);
    expect(ofKind(analysis, 'port')).toHaveLength(1);
  });

  it('are at most 500, in order of time', async () => {
    const wire = stale(600);
    for (let at = 20; at < 590; at++) wire.gratuitous(at + 0.2, at % 2 ? oldHost : newHost);
    const analysis = await judge({ 'lan.pcap': wire });
    const times = (analysis.events ?? []).map(({ time }) => BigInt(time));
    expect(times.length).toBeLessThanOrEqual(500);
    expect(times.every((time, i) => i === 0 || time >= (times[i - 1] ?? 0n))).toBe(true);
  });
});

interface Truth {
  mac_change?: { garp_at: number; router_neigh_learnt_at: number; conntrack_destroyed_at: number; new: string };
  port_change?: { joined_at: number; conntrack_destroyed_at: number; to: string };
}

const parseTruth: (text: string) => Truth = JSON.parse;

describe.skipIf(!hasShared)('events of real evidence', () => {
  const load = async (name: string): Promise<{ analysis: Analysis; truth: Truth }> => {
    const folder = sharedPath('captures', name);
    const pieces = folderPieces(folder, (file) => !/truth\.json$|\.jsonl$/.test(file));
    return { analysis: await analyze(pieces), truth: parseTruth(readFileSync(`${folder}/truth.json`, 'utf8')) };
  };
  const seconds = (event: NetworkEvent | undefined): number => Number(event?.time ?? NaN) / 1e9;

  it('are those that the experiment made: take-over, neighbour, deletion', async () => {
    const { analysis, truth } = await load('S1');
    const change = truth.mac_change;
    const [takeOver] = ofKind(analysis, 'take-over');
    expect(takeOver?.mac).toBe(change?.new);
    expect(seconds(takeOver)).toBeGreaterThan(change?.garp_at ?? NaN);
    expect(seconds(takeOver)).toBeLessThanOrEqual(change?.router_neigh_learnt_at ?? NaN);
    const learnt = ofKind(analysis, 'neighbor').find(({ mac }) => mac === change?.new);
    expect(seconds(learnt)).toBeCloseTo(change?.router_neigh_learnt_at ?? NaN, 5);
    const [deleted] = ofKind(analysis, 'conntrack-deleted');
    expect(seconds(deleted)).toBeCloseTo(change?.conntrack_destroyed_at ?? NaN, 5);
  });

  it('tell of the port that a station moved to', async () => {
    const { analysis, truth } = await load('S8');
    const [moved] = ofKind(analysis, 'fdb');
    expect(moved?.device).toBe(truth.port_change?.to);
    expect(seconds(moved)).toBeGreaterThan(truth.port_change?.joined_at ?? NaN);
    expect(seconds(ofKind(analysis, 'conntrack-deleted')[0])).toBeCloseTo(
      truth.port_change?.conntrack_destroyed_at ?? NaN,
      5,
    );
  });
});
