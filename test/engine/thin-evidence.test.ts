import { describe, expect, it } from 'vitest';
import { monitorTime, Wire, type Station } from '../support/wire.js';
import { type Captures, FAR, forward, judge, newHost, oldHost, other, router, speak, third, wrongOf } from './scene.js';

const links = `7: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000
    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff
`;
const addressed = `${links}    inet ${router.ip}/24 brd 192.168.7.255 scope global br-lan\n`;
const row = ({ ip, mac }: Station): string => `${ip} dev br-lan lladdr ${mac} REACHABLE\n`;
const dated = (second: number, rows: string): string => `# ${1_700_000_000 + second}.000000000\n${rows}`;

/** A station's packets for far away, and the answers to them. */
function talk(wire: Wire, by: Station, from: number, until: number): number[] {
  const answers: number[] = [];
  for (let time = from; time < until; time += 0.5) {
    wire.udp(time, { from: by.mac, to: router.mac, src: by.ip, dst: FAR, srcPort: 5000, dstPort: 4000 });
    answers.push(...forward(wire, by, { from: time + 0.1, until: time + 0.2 }));
  }
  return answers;
}

/** Healthy: what the captures and dumps lack may not make anybody guilty. */
async function expectNobody(captures: Captures, texts: Record<string, string> = {}): Promise<void> {
  expect((await judge(captures, texts)).misdeliveries.filter((m) => m.class !== 'convergence')).toEqual([]);
}

describe('without ARP in the captures', () => {
  it('a host that took an address over is right by its own packets, whatever an older table says', async () => {
    const wire = new Wire();
    talk(wire, oldHost, 1, 10);
    talk(wire, newHost, 12, 20);
    await expectNobody({ 'br-lan.pcap': wire }, { 'ip-link.txt': links, 'ip-neigh.txt': dated(2, row(oldHost)) });
  });

  it('a MAC that an older table does not name may have come since', async () => {
    const wire = new Wire();
    forward(wire, oldHost, { from: 1, until: 10 });
    forward(wire, newHost, { from: 12, until: 20 });
    await expectNobody({ 'br-lan.pcap': wire }, { 'ip-link.txt': links, 'ip-neigh.txt': dated(2, row(oldHost)) });
  });

  it('a MAC that has another address is wrong by an older table all the same', async () => {
    const wire = new Wire();
    forward(wire, oldHost, { from: 1, until: 4 });
    const wrong = forward(wire, { ip: oldHost.ip, mac: third.mac }, { from: 5, until: 9 });
    const table = dated(2, row(oldHost) + row(third));
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'ip-link.txt': links, 'ip-neigh.txt': table })).toEqual({
      'br-lan.pcap': wrong,
    });
  });

  it('a host that is gone is not somebody else by its link-local address in a table of later', async () => {
    const wire = new Wire();
    forward(wire, oldHost, { from: 1, until: 10 });
    forward(wire, newHost, { from: 12, until: 20 });
    const linkLocal = { ip: 'fe80::5054:ff:fe00:40', mac: oldHost.mac };
    await expectNobody(
      { 'br-lan.pcap': wire },
      { 'ip-link.txt': links, 'ip-neigh.txt': row(newHost) + row(linkLocal) },
    );
  });

  it('a router that speaks from an address too may have it, and nobody knows when another took it over', async () => {
    const second: Station = { mac: '94:83:c4:00:00:02', ip: oldHost.ip };
    const wire = new Wire();
    // It passes on what others made, so that its own packets are no word on who has an address.
    forward(wire, router, { from: 0, until: 1, src: '10.9.0.5', hopLimit: 63, by: second });
    talk(wire, second, 1, 10);
    speak(wire, { ...newHost, ip: '192.168.7.41' }, router, { from: 1, until: 3 });
    // The newcomer speaks up, and the sender has not heard of it.
    speak(wire, newHost, router, { from: 10, until: 11 });
    forward(wire, second, { from: 10.5, until: 20 });
    forward(wire, newHost, { from: 20, until: 24 });
    await expectNobody({ 'br-lan.pcap': wire }, { 'ip-link.txt': addressed, 'ip-neigh.txt': dated(30, row(newHost)) });
  });

  it('a sender is not told by packets of a host that it knew by another address', async () => {
    const wire = new Wire();
    forward(wire, oldHost, { from: 0, until: 10 });
    speak(wire, { ...newHost, ip: third.ip }, router, { from: 1, until: 3 });
    speak(wire, newHost, router, { from: 10, until: 11 });
    forward(wire, oldHost, { from: 11, until: 20 });
    const late = forward(wire, newHost, { from: 20, until: 24 });
    const stuck = forward(wire, oldHost, { from: 21, until: 24, srcPort: 4001 });
    const table = dated(30, row(newHost) + row({ ...newHost, ip: third.ip }));
    expect(late.length).toBeGreaterThan(0);
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'ip-link.txt': links, 'ip-neigh.txt': table })).toEqual({
      'br-lan.pcap': stuck,
    });
  });
});

describe('a sender', () => {
  it('that had the address itself knows that somebody else has it now', async () => {
    const wire = new Wire();
    wire.meet(0, router, oldHost);
    talk(wire, oldHost, 1, 5);
    wire.request(5.5, { mac: oldHost.mac, ip: third.ip }, oldHost.ip);
    // The old owner is a router: it passes on what still comes for the address that it gave away.
    forward(wire, { ip: oldHost.ip, mac: newHost.mac }, { from: 6, until: 12, hopLimit: 59, by: oldHost });
    await expectNobody({ 'br-lan.pcap': wire });
  });

  it('whose table names the old MAC again is deceived, not at fault', async () => {
    const wire = new Wire();
    wire.meet(0, router, oldHost);
    forward(wire, oldHost, { from: 1, until: 5 });
    wire.gratuitous(5, newHost);
    const wrong = forward(wire, oldHost, { from: 6, until: 9 });
    forward(wire, oldHost, { from: 10.1, until: 15 });
    const later = forward(wire, oldHost, { from: 16, until: 19 });
    const event = (time: number, { ip, mac }: Station): string =>
      `${monitorTime(time)} ${ip} dev br-lan lladdr ${mac} STALE\n`;
    const monitor = event(0, oldHost) + event(5, newHost) + event(10, oldHost) + event(15.5, newHost);
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'ip-link.txt': links, 'monitor.log': monitor })).toEqual({
      'br-lan.pcap': [...wrong, ...later],
    });
  });
});

describe('a router that did not believe the first announcement', () => {
  /** The old host answers; the new one announces itself at 10 s. */
  function announced(): Wire {
    const wire = new Wire();
    wire.meet(1, router, oldHost);
    forward(wire, oldHost, { from: 2, until: 10 });
    wire.gratuitous(10, newHost, 2);
    return wire;
  }

  it('goes on to the old MAC while it asks that one alone, which nobody can hold against it', async () => {
    const wire = announced();
    for (const at of [10.5, 11.5, 12.5]) {
      forward(wire, oldHost, { from: at, until: at + 1 });
      wire.request(at + 0.9, router, oldHost.ip, oldHost.mac);
    }
    wire.request(13.6, router, oldHost.ip);
    wire.reply(13.7, newHost, router);
    forward(wire, newHost, { from: 14, until: 20 });
    await expectNobody({ 'br-lan.pcap': wire });
  });

  it('is wrong from the answer on that it got, or from when it asks the new MAC alone', async () => {
    for (const isAnswered of [true, false]) {
      const wire = announced();
      wire.request(11, router, oldHost.ip, oldHost.mac);
      forward(wire, oldHost, { from: 11.1, until: 12 });
      if (isAnswered) wire.reply(12, newHost, router);
      else wire.request(12, router, newHost.ip, newHost.mac);
      const wrong = forward(wire, oldHost, { from: 12.2, until: 20 });
      expect(await wrongOf({ 'br-lan.pcap': wire })).toEqual({ 'br-lan.pcap': wrong });
    }
  });

  it('is wrong by tables that were read now and then, from the first with the new MAC', async () => {
    const wire = announced();
    forward(wire, oldHost, { from: 10.2, until: 12 });
    const wrong = forward(wire, oldHost, { from: 12, until: 20 });
    const tables = [9, 11].map((second) => dated(second, row(oldHost))).join('') + dated(12, row(newHost));
    expect(await wrongOf({ 'br-lan.pcap': wire }, { 'ip-link.txt': links, 'ip-neigh.txt': tables })).toEqual({
      'br-lan.pcap': wrong,
    });
  });

  it('is wrong from the announcement on when it asks the old MAC only while that had the address, before and again', async () => {
    const wire = announced();
    const wrong = forward(wire, oldHost, { from: 10.2, until: 700, step: 10 });
    wire.gratuitous(700, newHost, 2);
    wire.gratuitous(1000, oldHost, 1);
    for (const at of [5, 1010]) wire.request(at, router, oldHost.ip, oldHost.mac);
    expect(await wrongOf({ 'br-lan.pcap': wire })).toEqual({ 'br-lan.pcap': wrong });
  });
});

it('of an address that changes hands without end not all is followed, which is said, and takes no longer for that', async () => {
  const wire = new Wire();
  wire.meet(1, router, oldHost);
  forward(wire, oldHost, { from: 2, until: 4 });
  const changes = Array.from({ length: 60_000 }, (_, i) => {
    const mac = `52:54:01:${[i >> 8, i & 255].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}:01`;
    return `${monitorTime(10 + i)} ${row({ ip: oldHost.ip, mac })}`;
  });
  const { diagnostics } = await judge({ 'br-lan.pcap': wire }, { 'ip-link.txt': links, 'neigh.log': changes.join('') });
  expect(diagnostics.find(({ id }) => id === 'owner-limit')?.what).toMatch(/^58,000 statements /);
});

it('the virtual MAC of a router that nobody was heard to claim may be of the address that it is used for', async () => {
  const wire = new Wire();
  wire.meet(0, router, oldHost);
  forward(wire, oldHost, { from: 1, until: 2 });
  forward(wire, { ip: oldHost.ip, mac: '00:00:5e:00:01:0a' }, { from: 2, until: 8 });
  await expectNobody({ 'br-lan.pcap': wire });
});

it('two captures that miss claims of one host are of one network all the same', async () => {
  const [bridge, port] = [new Wire(), new Wire()];
  for (const wire of [bridge, port]) wire.gratuitous(0, other);
  bridge.gratuitous(1, oldHost);
  port.gratuitous(8, oldHost);
  for (const wire of [bridge, port]) wire.gratuitous(20, third);
  bridge.gratuitous(25, newHost);
  const late = forward(port, oldHost, { from: 26, until: 30 });
  expect(await wrongOf({ 'br-lan.pcap': bridge, 'lan3.pcap': port })).toEqual({ 'lan3.pcap': late });
});

describe('files that one capture wrote one after the other', () => {
  const ports = ['lan1', 'lan2', 'br-lan'].map(
    (
      name,
      i,
    ) => `${i + 3}: ${name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue${i < 2 ? ' master br-lan' : ''} state UP
    link/ether ${i < 2 ? `94:83:c4:00:01:0${i}` : router.mac} brd ff:ff:ff:ff:ff:ff
`,
  );

  it.each([
    ['lan2_00001_20261121130000.pcap', 'lan2_00002_20261121130100.pcap'],
    ['router.lan2_00001.pcap', 'router.lan2_00002.pcap'],
    ['lan2.pcap0', 'lan2.pcap1'],
    ['2026-11-21_lan2_a.pcap', '2026-11-21_lan2_b.pcap'],
  ])('are of the device that their names hold: %s', async (first, second) => {
    const [one, two] = [new Wire(), new Wire()];
    one.meet(0, router, oldHost);
    forward(one, oldHost, { from: 1, until: 4 });
    forward(two, oldHost, { from: 5, until: 9 });
    const { inputs } = await judge({ [first]: one, [second]: two }, { 'ip-link.txt': ports.join('') });
    const names = inputs.flatMap((input) => input.interfaces ?? []).map(({ device }) => device);
    expect(names).toEqual(['lan2', 'lan2']);
  });

  it('are of no device where their names hold two', async () => {
    const wire = new Wire();
    wire.meet(0, router, oldHost);
    const { inputs } = await judge({ 'lan1-lan2.pcap': wire }, { 'ip-link.txt': ports.join('') });
    expect(inputs.flatMap((input) => input.interfaces ?? []).map(({ device }) => device)).toEqual(['lan1-lan2']);
  });

  it('are of one network, though the second holds no word on who has an address', async () => {
    const [one, two] = [new Wire(), new Wire()];
    one.meet(0, router, other);
    one.meet(0.5, router, third);
    forward(one, other, { from: 1, until: 4 });
    const towards = { ip: other.ip, mac: third.mac };
    const before = forward(one, towards, { from: 5, until: 9, srcPort: 4001 });
    const after = forward(two, towards, { from: 10, until: 14, srcPort: 4001 });
    expect(await wrongOf({ 'eth0_00001.pcap': one, 'eth0_00002.pcap': two })).toEqual({
      'eth0_00001.pcap': before,
      'eth0_00002.pcap': after,
    });
  });
});
