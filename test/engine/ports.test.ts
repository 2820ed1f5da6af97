import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { framesOf } from '../support/engine.js';
import { monitorTime, Wire, type Station } from '../support/wire.js';
import { forward, judge, oldHost, other, router, speak } from './scene.js';

/** `ip link` of a router with two ports in one bridge (or in something else). */
function links(master = 'br-lan'): string {
  const port = (index: number, name: string): string[] => [
    `${index}: ${name}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master ${master} state UP mode DEFAULT group default qlen 1000`,
    `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff promiscuity 1 minmtu 68 maxmtu 1500 `,
    master.startsWith('bond')
      ? `    bond_slave state ACTIVE mii_status UP link_failure_count 0 perm_hwaddr ${router.mac} queue_id 0 `
      : `    bridge_slave state forwarding priority 32 cost 2 hairpin off guard off root_block off fastleave off learning on flood on `,
  ];
  const own = [
    `2: ${master}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000`,
    `    link/ether ${router.mac} brd ff:ff:ff:ff:ff:ff promiscuity 0 minmtu 68 maxmtu 65535 `,
    master.startsWith('bond')
      ? '    bond mode 802.3ad miimon 100 updelay 0 '
      : '    bridge forward_delay 1500 hello_time 200 max_age 2000 ageing_time 30000 ',
  ];
  return `${[...own, ...port(3, 'lan1'), ...port(4, 'lan2')].join('\n')}\n`;
}

function learnt(time: number, port: string, { mac }: Station, more = ''): string {
  return `${monitorTime(time)} ${more}dev ${port} lladdr ${mac} REACHABLE\n`;
}

/** Frame numbers of the analysis' misdeliveries that are not normal. */
function wrongPorts(analysis: Analysis): Record<string, number[]> {
  const found = analysis.misdeliveries.filter((m) => m.class !== 'convergence');
  return Object.fromEntries(found.map((m) => [`${m.class ?? 'plain'} ${m.input}`, framesOf(m)]));
}

/** The host is known on the first port, and gets packets there. */
function start(): Wire {
  const wire = new Wire();
  wire.meet(0, router, oldHost);
  forward(wire, oldHost, { from: 1, until: 10 });
  return wire;
}

const moved = learnt(0, 'lan1', oldHost) + learnt(10, 'lan2', oldHost);

describe('a MAC that moved to another port', () => {
  it('is misdelivered on the old one', async () => {
    const wire = start();
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'monitor.log': moved });
    expect(wrongPorts(analysis)).toEqual({ 'wrong-port lan1.pcap': late });
  });

  it.each([
    ['in the VLAN of both', 1, 1, true],
    ['of another VLAN', 1, 2, false],
  ])('is misdelivered on the old one without tags, where the new port is %s', async (_, before, after, isWrong) => {
    const wire = start();
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    const entry = (time: number, port: string, vlan: number): string =>
      `${monitorTime(time)} ${oldHost.mac} dev ${port} vlan ${vlan} master br-lan \n`;
    const texts = { 'ip-link.txt': links(), 'fdb.log': entry(0, 'lan1', before) + entry(10, 'lan2', after) };
    const analysis = await judge({ 'lan1.pcap': wire }, texts);
    expect(wrongPorts(analysis)).toEqual(isWrong ? { 'wrong-port lan1.pcap': late } : {});
  });

  it('may have been gone since its last word on the old one', async () => {
    const begun = async (lastWord: number, firstSent: number): Promise<unknown> => {
      const wire = new Wire();
      wire.meet(0, router, oldHost);
      const spoken = speak(wire, oldHost, router, { from: 1, until: lastWord, step: 0.25 });
      const sent = forward(wire, oldHost, { from: firstSent, until: 15 });
      const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'monitor.log': moved });
      const [found, ...more] = analysis.misdeliveries;
      expect(more).toEqual([]);
      const early = sent.filter((frame) => frame < (found?.frameRanges[0]?.[0] ?? 0));
      const open = found?.notBefore && {
        frame: found.notBefore.frame,
        frames: found.notBefore.frames,
        port: found.notBefore.heard.port,
        origin: found.notBefore.heard.origin,
      };
      const origin = { input: 'lan1.pcap', frame: spoken.at(-1) };
      expect(open).toEqual(
        early.length > 0 ? { frame: early[0], frames: early.length, port: 'lan1', origin } : undefined,
      );
      return early.length;
    };
    expect(await begun(6, 6)).toBe(8);
    expect(await begun(9, 10.2)).toBe(0);
  });

  it('is not misdelivered by what was under way', async () => {
    const wire = start();
    forward(wire, oldHost, { from: 10.001, until: 10.01, step: 0.004 });
    const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'monitor.log': moved });
    expect(wrongPorts(analysis)).toEqual({});
  });

  it('is not misdelivered by hosts behind the old port, whose frames come in there', async () => {
    const wire = start();
    wire.meet(1, other, oldHost);
    wire.meet(1.1, other, router);
    speak(wire, other, router, { from: 2, until: 9 });
    speak(wire, other, oldHost, { from: 10.2, until: 15 });
    const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'monitor.log': moved });
    expect(wrongPorts(analysis)).toEqual({});
  });

  it('is not misdelivered when the bridge forgot it, and floods', async () => {
    const wire = start();
    forward(wire, oldHost, { from: 400, until: 405 });
    const forgotten = moved + learnt(320, 'lan2', oldHost, 'Deleted ');
    const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'monitor.log': forgotten });
    expect(wrongPorts(analysis)).toEqual({});
  });

  it('is not misdelivered when it may have been forgotten', async () => {
    const wire = start();
    forward(wire, oldHost, { from: 400, until: 405 });
    const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'monitor.log': moved });
    expect(wrongPorts(analysis)).toEqual({});
  });

  it('is not misdelivered on the ports of a bond, which share the load', async () => {
    const [first, second] = [start(), new Wire()];
    speak(first, oldHost, router, { from: 1, until: 8 });
    speak(second, oldHost, router, { from: 9, until: 30, srcPort: 4001 });
    forward(first, oldHost, { from: 10.2, until: 30 });
    const analysis = await judge({ 'lan1.pcap': first, 'lan2.pcap': second }, { 'ip-link.txt': links('bond0') });
    expect(wrongPorts(analysis)).toEqual({});
  });

  it('is not misdelivered in another VLAN, in which it is on the old port', async () => {
    const wire = new Wire();
    wire.tags = [10];
    wire.meet(0, router, oldHost);
    forward(wire, oldHost, { from: 1, until: 20 });
    const events = [10, 20].map(
      (vlan, i) => `${monitorTime(i * 5)} ${oldHost.mac} dev lan${i + 1} vlan ${vlan} master br-lan\n`,
    );
    const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'fdb.log': events.join('') });
    expect(wrongPorts(analysis)).toEqual({});
  });

  it('is right again where it comes back', async () => {
    const wire = start();
    const late = forward(wire, oldHost, { from: 10.2, until: 15 });
    forward(wire, oldHost, { from: 20.2, until: 25 });
    const back = moved + learnt(20, 'lan1', oldHost);
    const analysis = await judge({ 'lan1.pcap': wire }, { 'ip-link.txt': links(), 'monitor.log': back });
    expect(wrongPorts(analysis)).toEqual({ 'wrong-port lan1.pcap': late });
  });

  it('is misdelivered on the new one, once it went back to the old one', async () => {
    const [first, second] = [start(), new Wire(undefined, 1000)];
    const late = forward(first, oldHost, { from: 10.2, until: 15 });
    forward(second, oldHost, { from: 15.2, until: 20 });
    const back = forward(second, oldHost, { from: 20.2, until: 25 });
    const analysis = await judge(
      { 'lan1.pcap': first, 'lan2.pcap': second },
      { 'ip-link.txt': links(), 'monitor.log': moved + learnt(20, 'lan1', oldHost) },
    );
    expect(wrongPorts(analysis)).toEqual({ 'wrong-port lan1.pcap': late, 'wrong-port lan2.pcap': back });
  });

  it('is misdelivered on the new one, until the flow follows it back', async () => {
    const [first, second] = [start(), new Wire(undefined, 1000)];
    const late = forward(first, oldHost, { from: 10.2, until: 15 });
    forward(second, oldHost, { from: 15.2, until: 20 });
    const back = forward(second, oldHost, { from: 20.2, until: 25 });
    forward(first, oldHost, { from: 25.2, until: 30 });
    const analysis = await judge(
      { 'lan1.pcap': first, 'lan2.pcap': second },
      { 'ip-link.txt': links(), 'monitor.log': moved + learnt(20, 'lan1', oldHost) },
    );
    expect(wrongPorts(analysis)).toEqual({ 'wrong-port lan1.pcap': late, 'wrong-port lan2.pcap': back });
  });

  it('is not misdelivered where it went back to, while the bridge floods', async () => {
    const [first, second] = [start(), new Wire()];
    for (const wire of [first, second]) forward(wire, oldHost, { from: 20.2, until: 25 });
    const analysis = await judge(
      { 'lan1.pcap': first, 'lan2.pcap': second },
      { 'ip-link.txt': links(), 'monitor.log': moved + learnt(20, 'lan1', oldHost) },
    );
    expect(wrongPorts(analysis)).toEqual({});
  });
});
