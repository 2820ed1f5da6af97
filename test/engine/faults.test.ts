import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseMac } from '../../src/bytes/address.js';
import { InputError } from '../../src/errors.js';
import { LegTable } from '../../src/reconstruct/leg-table.js';
import { verdictSentence } from '../../src/render/words.js';
import { analyze, analyzeEvidence, evidenceOf, listedFrames, wrongFrames } from '../support/engine.js';
import { monitorTime, Wire, type Station } from '../support/wire.js';
import { convergenceOf, FAR, forward, judge, newHost, oldHost, other, router, speak, third, wrongOf } from './scene.js';

/** The old host is known, and gets packets until `until`. */
function before(until: number): Wire {
  const wire = new Wire();
  wire.meet(0, router, oldHost);
  forward(wire, oldHost, { from: 1, until });
  return wire;
}

describe('a MAC that had the address before', () => {
  it('is wrong from 100 ms after a gratuitous ARP of the new one', async () => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    const early = forward(wire, oldHost, { from: 10.02, until: 10.1, step: 0.03 });
    const late = forward(wire, oldHost, { from: 10.11, until: 15 });
    const analysis = await judge({ 'lan.pcap': wire });
    expect(analysis.misdeliveries.filter((m) => !m.class)).toMatchObject([
      {
        input: 'lan.pcap',
        srcMac: router.mac,
        dstMac: oldHost.mac,
        dstIp: oldHost.ip,
        expected: [newHost.mac],
        frames: late.length,
      },
    ]);
    expect(analysis.misdeliveries.find((m) => !m.class)?.frameRanges).toEqual([[late[0], late.at(-1)]]);
    expect(convergenceOf(analysis)).toEqual(early);
  });

  it('is wrong on a capture without any claim too, when it holds the same frames as another one', async () => {
    const wires = [before(10), new Wire()];
    const [full, bare] = wires;
    if (!full || !bare) return;
    full.gratuitous(10, newHost);
    const late = forward(full, oldHost, { from: 10.2, until: 15 });
    forward(bare, oldHost, { from: 1.00001, until: 10 });
    const same = forward(bare, oldHost, { from: 10.20001, until: 15 });
    expect(await wrongOf({ 'lan.pcap': full, 'host.pcap': bare })).toEqual({ 'lan.pcap': late, 'host.pcap': same });
    // Another router's frames for an equal address are of another network.
    const elsewhere = new Wire();
    forward(elsewhere, oldHost, { from: 10.2, until: 15, by: { mac: '94:83:c4:00:00:77', ip: '192.168.7.1' } });
    expect(await wrongOf({ 'lan.pcap': full, 'far.pcap': elsewhere })).toEqual({ 'lan.pcap': late });
  });

  it('is wrong in frames with a priority and no VLAN too: they are those of the untagged network', async () => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    wire.tags = [0];
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': late });
  });

  it('is wrong from the moment at which the sender`s neighbour table changed', async () => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    const early = forward(wire, oldHost, { from: 10.05, until: 10.3, step: 0.05 });
    const late = forward(wire, oldHost, { from: 10.31, until: 15 });
    const monitor = [
      `${monitorTime(0.002)} ${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE`,
      `${monitorTime(10.302)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} STALE`,
      `${monitorTime(14)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE`,
    ];
    const analysis = await judge({ 'br-lan.pcap': wire }, { 'monitor.log': `${monitor.join('\n')}\n` });
    expect(analysis.misdeliveries.filter((m) => !m.class)).toMatchObject([{ frameRanges: [[late[0], late.at(-1)]] }]);
    expect(convergenceOf(analysis)).toEqual(early);
  });

  it('is wrong from the first frame with which the sender itself shows that it knows the new one', async () => {
    const wire = before(10);
    wire.request(10, other, newHost.ip);
    wire.reply(10.001, newHost, other);
    const early = forward(wire, oldHost, { from: 10.5, until: 12 });
    forward(wire, newHost, { from: 12, until: 12.1, srcPort: 4001 });
    const late = forward(wire, oldHost, { from: 12.2, until: 15 });
    const analysis = await judge({ 'lan.pcap': wire });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': late });
    expect(convergenceOf(analysis)).toEqual(early);
  });

  it('is not wrong while nothing shows that the sender was told', async () => {
    const wire = before(10);
    wire.request(10, other, newHost.ip);
    wire.reply(10.001, newHost, other);
    const all = forward(wire, oldHost, { from: 10.5, until: 15 });
    const analysis = await judge({ 'lan.pcap': wire });
    expect(analysis.verdict).toBe('delivered');
    expect(convergenceOf(analysis)).toEqual(all);
  });

  it('is wrong after an unsolicited neighbour advertisement', async () => {
    const wire = new Wire();
    const gateway = { mac: router.mac, ip: 'fd00:7::1' };
    const old = { mac: oldHost.mac, ip: 'fd00:7::40' };
    const young = { mac: newHost.mac, ip: 'fd00:7::40' };
    wire.solicit(0, gateway, old.ip);
    wire.advertise(0.001, old, gateway);
    forward(wire, old, { from: 1, until: 10, src: '2001:db8::9' });
    wire.advertise(10, young);
    const late = forward(wire, old, { from: 10.2, until: 15, src: '2001:db8::9' });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': late });
  });

  it('is wrong by what a monitor of the neighbour table wrote, when no ARP was recorded', async () => {
    const wire = new Wire();
    forward(wire, oldHost, { from: 1, until: 10.2 });
    const late = forward(wire, oldHost, { from: 10.4, until: 15 });
    const monitor = [
      `${monitorTime(0)} ${oldHost.ip} dev br-lan lladdr ${oldHost.mac} REACHABLE`,
      `${monitorTime(10.3)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} STALE`,
      `${monitorTime(14)} ${newHost.ip} dev br-lan lladdr ${newHost.mac} REACHABLE`,
    ];
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'monitor.log': `${monitor.join('\n')}\n` })).toEqual({
      'br-lan.pcap': late,
    });
  });

  it('is wrong by dated neighbour tables, from the first with the new one', async () => {
    const wire = new Wire();
    forward(wire, oldHost, { from: 1, until: 12 });
    const late = forward(wire, oldHost, { from: 12.2, until: 15 });
    const snapshot = (at: number, { ip, mac }: Station): string =>
      `# ${1_700_000_000 + at} ${monitorTime(at).slice(1, 20)}Z ip neigh show\n${ip} dev br-lan lladdr ${mac} REACHABLE\n`;
    const log = [0, 4, 8].map((at) => snapshot(at, oldHost)).concat([12, 16].map((at) => snapshot(at, newHost)));
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'ip-neigh.log': log.join('') })).toEqual({ 'br-lan.pcap': late });
  });

  it('is not wrong yet by a dump that was begun before the take-over and printed after it', async () => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    forward(wire, oldHost, { from: 10.05, until: 10.06 });
    const wrong = forward(wire, oldHost, { from: 10.5, until: 15 });
    const row = (at: string, { ip, mac }: Station): string =>
      `# ${at} ip neigh\n${ip} dev br-lan lladdr ${mac} REACHABLE\n`;
    const table = row('1700000005.000000000', oldHost) + row('1700000009.990000000', newHost);
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'ip-neigh.log': table })).toEqual({ 'br-lan.pcap': wrong });
  });

  it('is wrong when the new host asks for its gateway', async () => {
    const wire = before(10);
    wire.request(10, newHost, router.ip);
    wire.reply(10.001, router, newHost);
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': late });
  });

  it('is wrong for each sender from when it was told itself', async () => {
    const wire = before(5);
    wire.meet(1, other, oldHost);
    speak(wire, other, oldHost, { from: 2, until: 10 });
    wire.request(10, router, newHost.ip);
    wire.reply(10.001, newHost, router);
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    speak(wire, other, oldHost, { from: 10.3, until: 15 });
    wire.reply(15, newHost, other);
    const later = speak(wire, other, oldHost, { from: 15.2, until: 18 });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': [...late, ...later] });
  });

  it('is wrong only in the VLAN in which the address moved', async () => {
    const wire = new Wire();
    for (const vlan of [20, 30]) {
      wire.tags = [vlan];
      wire.meet(vlan / 1000, router, oldHost);
      forward(wire, oldHost, { from: 1 + vlan / 1000, until: 10 });
    }
    wire.tags = [20];
    wire.gratuitous(10, newHost);
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    wire.tags = [30];
    forward(wire, oldHost, { from: 10.3, until: 15 });
    const analysis = await judge({ 'trunk.pcap': wire });
    expect(analysis.misdeliveries).toMatchObject([{ vlan: 20, frameRanges: [[late[0], late.at(-1)]] }]);
  });

  it('is right again when it takes the address back', async () => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    wire.reply(16, newHost, router);
    wire.gratuitous(1000, oldHost);
    forward(wire, oldHost, { from: 1001, until: 1003 });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': late });
  });

  it('is wrong for what is behind it when it was a gateway', async () => {
    const wire = new Wire();
    const first: Station = { mac: '00:1b:21:00:00:01', ip: '203.0.113.1' };
    const second: Station = { mac: '00:1b:21:00:00:02', ip: '203.0.113.1' };
    const wan: Station = { mac: router.mac, ip: '203.0.113.2' };
    wire.meet(0, wan, first);
    const out = (at: number, to: Station, srcPort: number): number =>
      wire.udp(at, { from: wan.mac, to: to.mac, src: wan.ip, dst: FAR, hopLimit: 63, srcPort });
    for (let at = 1; at < 10; at++) out(at, first, 4000);
    wire.gratuitous(10, second);
    const late: number[] = [];
    for (let at = 11; at < 20; at++) {
      out(at, second, 4001);
      late.push(out(at + 0.5, first, 4000));
    }
    const analysis = await judge({ 'wan.pcap': wire });
    expect(await wrongOf({ 'wan.pcap': wire })).toEqual({ 'wan.pcap': late });
    expect(analysis.misdeliveries.find((m) => !m.class)?.expected).toEqual([second.mac]);
  });
});

describe('a MAC that never had the address', () => {
  const client: Station = { mac: '02:11:22:33:44:55', ip: '192.168.7.2' };
  const vpn: Station = { mac: '02:aa:bb:cc:dd:ee', ip: '192.168.7.3' };

  /** The router sends a client's replies to the VPN gateway, which passes them on. */
  function policyRouting(): { wire: Wire; wrong: number[] } {
    const wire = new Wire();
    wire.meet(0, client, router);
    wire.meet(0.1, router, client);
    wire.meet(0.2, router, vpn);
    forward(wire, client, { from: 1, until: 1.1 });
    const wrong: number[] = [];
    for (let at = 2; at < 10; at++) {
      wire.udp(at, { from: client.mac, to: router.mac, src: client.ip, dst: FAR, srcPort: 5000, dstPort: 4000 });
      wire.udp(at + 0.01, {
        from: router.mac,
        to: vpn.mac,
        src: client.ip,
        dst: FAR,
        hopLimit: 63,
        srcPort: 5000,
        dstPort: 4000,
      });
      wrong.push(...forward(wire, { mac: vpn.mac, ip: client.ip }, { from: at + 0.1, until: at + 0.2 }));
      forward(wire, client, { from: at + 0.11, until: at + 0.2, by: vpn, hopLimit: 59 });
    }
    return { wire, wrong };
  }

  it('is wrong from the first frame, though it passes the packets on', async () => {
    const { wire, wrong } = policyRouting();
    const analysis = await judge({ 'br-lan.pcap': wire });
    expect(await wrongOf({ 'br-lan.pcap': wire })).toEqual({ 'br-lan.pcap': wrong });
    expect(analysis.misdeliveries.map((m) => [m.srcMac, m.dstMac, m.expected])).toEqual([
      [router.mac, vpn.mac, [client.mac]],
    ]);
  });

  it('is wrong though nobody knows whose it is', async () => {
    const wire = before(3);
    const wrong = forward(wire, { mac: '0a:0b:0c:0d:0e:0f', ip: oldHost.ip }, { from: 4, until: 8 });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': wrong });
  });

  it('is wrong in IPv6', async () => {
    const wire = new Wire();
    const [gateway, host, hop] = [router, client, vpn].map(({ mac }, i) => ({ mac, ip: `fd00:7::${i + 1}` }));
    if (!gateway || !host || !hop) throw new Error('three stations');
    for (const station of [host, hop]) {
      wire.solicit(0, gateway, station.ip);
      wire.advertise(0.001, station, gateway);
    }
    forward(wire, host, { from: 1, until: 2, src: '2001:db8::9' });
    const wrong = forward(wire, { mac: hop.mac, ip: host.ip }, { from: 2, until: 5, src: '2001:db8::9' });
    expect(await wrongOf({ 'lan.pcap': wire })).toEqual({ 'lan.pcap': wrong });
  });

  it('is wrong by an undated neighbour table, when no ARP was recorded', async () => {
    const wire = new Wire();
    const right = forward(wire, client, { from: 1, until: 1.1 });
    const wrong = forward(wire, { mac: vpn.mac, ip: client.ip }, { from: 2, until: 5 });
    const table = [client, vpn].map(({ ip, mac }) => `${ip} dev br-lan lladdr ${mac} REACHABLE`).join('\n');
    expect(right).toHaveLength(1);
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'ip-neigh.txt': `${table}\n` })).toEqual({ 'br-lan.pcap': wrong });
    expect(await wrongOf({ 'br-lan.pcap': wire })).toEqual({});
  });

  it('is wrong against a map that the user gives', async () => {
    const wire = new Wire();
    wire.request(0, router, client.ip);
    wire.meet(0.2, router, vpn);
    const wrong = forward(wire, { mac: vpn.mac, ip: client.ip }, { from: 2, until: 5 });
    const pieces = [{ name: 'br-lan.pcap', bytes: wire.pcap() }];
    const map = new Map([[client.ip, parseMac(client.mac) ?? 0]]);
    expect((await analyze(pieces)).misdeliveries).toEqual([]);
    const [only, ...more] = (await analyze(pieces, { map })).misdeliveries;
    expect(more).toEqual([]);
    expect(only).toMatchObject({
      expected: [client.mac],
      frameRanges: [[wrong[0], wrong.at(-1)]],
      because: [{ kind: 'map' }],
    });
  });
});

describe('captures of one network', () => {
  it('are judged by what was said on any of them', async () => {
    const bridge = new Wire();
    const port = new Wire();
    for (const wire of [bridge, port]) wire.meet(0, router, oldHost);
    forward(bridge, oldHost, { from: 1, until: 2 });
    forward(port, oldHost, { from: 1, until: 10 });
    bridge.gratuitous(10, newHost);
    const late = forward(port, oldHost, { from: 10.2, until: 15 });
    expect(await wrongOf({ 'br-lan.pcap': bridge, 'lan3.pcap': port })).toEqual({ 'lan3.pcap': late });
  });

  it('are joined by the bridge that a dump puts their devices into', async () => {
    const bridge = before(2);
    const port = new Wire();
    forward(port, oldHost, { from: 1, until: 10 });
    bridge.gratuitous(10, newHost);
    const late = forward(port, oldHost, { from: 10.2, until: 15 });
    const links = [
      `4: lan3@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br-lan state UP mode DEFAULT group default qlen 1000`,
      `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff`,
      `7: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000`,
      `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff`,
    ];
    const captures = { 'br-lan.pcap': bridge, 'lan3.pcap': port };
    expect(await wrongOf(captures, { 'ip-link.txt': `${links.join('\n')}\n` })).toEqual({ 'lan3.pcap': late });
    expect(await wrongOf(captures)).toEqual({});
  });
});

describe('a capture without ARP', () => {
  it('is not judged, and accuses nobody', async () => {
    const wire = new Wire();
    forward(wire, oldHost, { from: 1, until: 5 });
    forward(wire, newHost, { from: 5, until: 9 });
    forward(wire, oldHost, { from: 5.2, until: 9 });
    speak(wire, other, third, { from: 1, until: 3 });
    const analysis = await judge({ 'lan.pcap': wire });
    expect(analysis.verdict).toBe('not-judged');
    expect(analysis.misdeliveries).toEqual([]);
    expect(analysis.notJudged.some((entry) => entry.collect?.includes('arp'))).toBe(true);
  });
});

describe('a capture that cannot be read a second time', () => {
  it('leaves its suspects unjudged, and says so', async () => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    const late = forward(wire, oldHost, { from: 10.5, until: 15 });
    const whole = evidenceOf({ name: 'lan.pcap', bytes: wire.pcap() });
    let opened = 0;
    const vanishing = {
      ...whole,
      open: (head?: 'head') => {
        if (!head && ++opened > 1) throw new InputError('lan.pcap', 'no such file or directory');
        return whole.open(head);
      },
    };
    const analysis = await analyzeEvidence([vanishing]);
    expect(analysis.misdeliveries).toEqual([]);
    const notExamined = analysis.notJudged.find((entry) => entry.reason === 'not-examined');
    expect(notExamined?.frames).toBeGreaterThanOrEqual(late.length);
    const listed = analysis.notJudged.reduce((sum, entry) => sum + entry.frames, 0);
    expect(listed).toBe(analysis.totals.notJudged);
  });
});

describe('misdelivered frames, listed one by one', () => {
  const scene = (): { wire: Wire; late: number[] } => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    return { wire, late: forward(wire, oldHost, { from: 10.5, until: 15 }) };
  };

  it('are listed as often as they are asked for', async () => {
    const { wire, late } = scene();
    const analysis = await analyze([{ name: 'lan.pcap', bytes: wire.pcap() }], { eachFrame: true });
    for (let time = 0; time < 2; time++) expect((await listedFrames(analysis)).map(({ frame }) => frame)).toEqual(late);
  });

  it('are not listed in part when the capture is not there any more as it was', async () => {
    const { wire, late } = scene();
    const whole = evidenceOf({ name: 'lan.pcap', bytes: wire.pcap() });
    const cut = evidenceOf({ name: 'lan.pcap', bytes: wire.pcap().subarray(0, -200) });
    let now = whole;
    const analysis = await analyzeEvidence([{ ...whole, open: (head) => now.open(head) }], { eachFrame: true });
    expect(analysis.totals.misdelivered).toBe(late.length);
    now = cut;
    await expect(listedFrames(analysis)).rejects.toThrow(InputError);
    await expect(listedFrames(analysis)).rejects.toThrow('lan.pcap: is not what it was when it was judged');
  });

  it('are listed though the run was interrupted: those that were judged', async () => {
    const { wire, late } = scene();
    const interrupt = new AbortController();
    const whole = evidenceOf({ name: 'lan.pcap', bytes: wire.pcap() });
    const other = evidenceOf({ name: 'x.pcap', bytes: wire.pcap() });
    let opened = 0;
    const evidence = {
      ...other,
      open: (head?: 'head') => (!head && ++opened > 1 && interrupt.abort(), other.open(head)),
    };
    const analysis = await analyzeEvidence([whole, evidence], { eachFrame: true, signal: interrupt.signal });
    expect(analysis.partial).toBe(true);
    expect((await listedFrames(analysis)).map(({ frame, leg }) => [leg.input, frame])).toEqual(
      late.map((frame) => ['lan.pcap', frame]),
    );
  });
});

describe('a system without memory for all of it', () => {
  afterEach(() => vi.restoreAllMocks());

  it('has what was read before judged, and says where that ended', async () => {
    const wire = before(10);
    wire.gratuitous(10, newHost);
    const late = forward(wire, oldHost, { from: 10.5, until: 100 });
    const plain: (this: LegTable, ...args: Parameters<LegTable['add']>) => void = Reflect.get(
      LegTable.prototype,
      'add',
    );
    let batches = 0;
    vi.spyOn(LegTable.prototype, 'add').mockImplementation(function (this: LegTable, ...args) {
      if (++batches > 2) throw new RangeError('Array buffer allocation failed');
      plain.apply(this, args);
    });
    const analysis = await judge({ 'lan.pcap': wire, 'next.pcap': wire });
    expect(analysis).toMatchObject({ verdict: 'misdelivered', partial: true });
    expect(analysis.totals.frames).toBeGreaterThanOrEqual(128);
    expect(analysis.totals.frames).toBeLessThan(late.length);
    expect(wrongFrames(analysis).get('lan.pcap')).toEqual(late.filter((frame) => frame <= 128));
    expect(analysis.inputs.map(({ frames }) => frames)).toEqual([analysis.totals.frames, 0]);
    expect(analysis.diagnostics.filter(({ id }) => id === 'out-of-memory')).toMatchObject([
      { input: 'lan.pcap', what: 'The memory does not suffice to read on from about here.' },
      { input: 'next.pcap', what: 'It was not read, as the memory did not suffice for what was read before.' },
    ]);
    expect(verdictSentence(analysis)).toContain('The memory did not suffice: this covers only what was read so far.');
  });
});
