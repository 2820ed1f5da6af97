import { readdirSync, readFileSync, statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Analysis, Observation } from '../../src/model.js';
import { forward, judge, newHost, oldHost, other, router, speak, third } from '../engine/scene.js';
import { analyze, folderPieces } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { Wire, type Station } from '../support/wire.js';

/** What is ordinary: nothing of it is worth a word. */
const ORDINARY: Readonly<Record<string, (wire: Wire) => void>> = {
  'hosts that talk through their router': (wire) => {
    for (const host of [oldHost, other, third]) {
      wire.meet(0, router, host);
      wire.meet(0.5, host, router);
      forward(wire, host, { from: 1, until: 5 });
      speak(wire, host, router, { from: 1, until: 5 });
    }
  },
  'questions that are repeated and answered again': (wire) => {
    for (let time = 0; time < 300; time += 30) {
      for (const host of [oldHost, other, third]) {
        wire.request(time, router, host.ip);
        wire.request(time + 0.9, router, host.ip);
        wire.reply(time + 0.901, host, router);
      }
    }
  },
  'a host that announces its address five times in a row': (wire) => {
    for (let i = 0; i < 5; i++) wire.gratuitous(i / 10_000, oldHost, 2);
    wire.meet(1, router, oldHost);
    forward(wire, oldHost, { from: 2, until: 5 });
  },
  'a service address that fails over and back with announcements': (wire) => {
    const [a, b]: Station[] = [
      { mac: '52:54:00:00:01:02', ip: '192.168.7.2' },
      { mac: '02:42:00:00:01:03', ip: '192.168.7.3' },
    ];
    if (!a || !b) return;
    for (const node of [a, b]) wire.meet(0, router, node);
    for (let round = 0; round < 4; round++) {
      const owner = { mac: (round % 2 === 0 ? a : b).mac, ip: '192.168.7.100' };
      for (let i = 0; i < 5; i++) wire.gratuitous(10 + round * 60 + i / 1000, owner, 2);
      for (let i = 0; i < 3; i++) {
        wire.request(12 + round * 60 + i * 10, router, owner.ip);
        wire.reply(12.001 + round * 60 + i * 10, owner, router);
      }
      forward(wire, owner, { from: 11 + round * 60, until: 60 + round * 60, step: 5 });
    }
  },
  'one answer of another MAC, once': (wire) => {
    wire.request(0, router, oldHost.ip);
    wire.reply(0.001, oldHost, router);
    wire.reply(0.002, newHost, router);
    for (let time = 1; time < 60; time += 10) wire.meet(time, router, oldHost);
  },
  'a host with ten addresses of its own': (wire) => {
    for (let i = 0; i < 10; i++) {
      const host = { mac: oldHost.mac, ip: `192.168.7.${100 + i}` };
      wire.meet(i, router, host);
      speak(wire, host, router, { from: i + 1, until: i + 3 });
    }
  },
  'a server that gives leases and renews them': (wire) => {
    for (let time = 0; time < 100; time += 20) {
      for (const host of [oldHost, other, third]) wire.dhcp(time, 5, router, host);
    }
  },
};

describe('ordinary traffic', () => {
  it.each(Object.keys(ORDINARY))('%s', async (name) => {
    const wire = new Wire();
    ORDINARY[name]?.(wire);
    const analysis = await judge({ 'lan.pcap': wire });
    expect(analysis.observations).toEqual([]);
    expect(analysis.findings.filter(({ cause }) => cause !== 'convergence')).toEqual([]);
  });
});

/** What the cases of real evidence show besides their fault. */
const SEEN: Readonly<Record<string, readonly string[]>> = {
  S0: ['convergence'],
  S1: [],
  S1c: ['convergence', 'flooding'],
  S2: ['convergence'],
  S3b: ['pbr-on-link'],
  S3c: [],
  S4a: ['pbr-on-link'],
  S8: [],
};

describe.skipIf(!hasShared)('cases with a known truth', () => {
  it.each(Object.entries(SEEN))('%s shows %j', async (name, causes) => {
    const pieces = folderPieces(sharedPath('captures', name), (file) => !/truth\.json$|\.jsonl$/.test(file));
    const { observations } = await analyze(pieces);
    expect(observations.map(({ cause }) => cause).sort()).toEqual(causes);
    for (const { time, evidence } of observations) {
      expect(time).toMatch(/^\d+$/);
      expect(evidence.length).toBeGreaterThan(0);
    }
  });
});

describe.skipIf(!hasShared)('public captures', () => {
  const found: { file: string; seen: Observation }[] = [];
  beforeAll(async () => {
    const root = hasShared ? sharedPath('corpus', 'files') : '';
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
    for (const file of names) {
      const stat = statSync(`${root}/${file}`);
      if (!stat.isFile() || stat.size > 4_000_000) continue;
      const analysis: Analysis = await analyze([{ name: 'capture', bytes: readFileSync(`${root}/${file}`) }]);
      for (const seen of analysis.observations) found.push({ file, seen });
    }
  }, 120_000);

  it('give few observations', () => {
    expect(found.length).toBeLessThan(50);
  });

  it('show no spoofers, no duplicates, no moves', () => {
    const serious = ['arp-spoofing', 'nd-spoofing', 'duplicate-address', 'convergence', 'mac-translation', 'bonding'];
    expect(found.filter(({ seen }) => serious.includes(seen.cause))).toEqual([]);
  });

  it('show the virtual routers that are in them', () => {
    const files = new Set(found.filter(({ seen }) => seen.cause === 'virtual-router').map(({ file }) => file));
    for (const name of ['tcpdump/HSRP_failover.pcap', 'tcpdump/vrrp.pcap', 'libpcap/tests/filter/carp.pcap'])
      expect(files).toContain(name);
  });
});
