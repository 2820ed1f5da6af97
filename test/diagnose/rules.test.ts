import { describe, expect, it } from 'vitest';
import type { Analysis, Considered, Finding } from '../../src/model.js';
import { FAR, forward, judge, newHost, oldHost, other, router, speak, third } from '../engine/scene.js';
import { monitorTime, type Station } from '../support/wire.js';
import {
  doubleAnswers,
  ipBytes,
  lan,
  repeater,
  spoofing,
  spoofer,
  stuck,
  vrid,
  vrrp,
  type Evidence,
} from './samples.js';

async function run({ captures, texts }: Evidence): Promise<Analysis> {
  return judge(captures, texts);
}

/** The only finding of evidence. */
async function findingOf(evidence: Evidence): Promise<Finding> {
  const { findings } = await run(evidence);
  expect(findings.length).toBe(1);
  const [finding] = findings;
  if (!finding) throw new Error('nothing was found');
  return finding;
}

async function summaryOf(cause: string, evidence: Evidence): Promise<string> {
  const { observations } = await run(evidence);
  return observations.find((seen) => seen.cause === cause)?.summary ?? '';
}

function considered(finding: Finding, cause: string): Considered | undefined {
  return finding.considered.find((one) => one.cause === cause);
}

describe('what is ruled out', () => {
  it('of a stale MAC: convergence, spoofing, a second machine', async () => {
    const finding = await findingOf(stuck(true));
    expect(finding.cause).toBe('stale-mac');
    expect(considered(finding, 'convergence')).toMatchObject({ result: 'ruled-out' });
    expect(considered(finding, 'convergence')?.because).toMatch(/until 9\.5 s after 192\.168\.7\.40 moved/);
    expect(considered(finding, 'arp-spoofing')).toMatchObject({ result: 'ruled-out' });
    expect(considered(finding, 'duplicate-address')).toMatchObject({ result: 'ruled-out' });
    expect(considered(finding, 'nd-spoofing')).toBeUndefined();
    expect(considered(finding, 'mac-translation')).toBeUndefined();
  });

  it('of a stale MAC after a new lease: the lease, which only says why the address moved', async () => {
    const evidence = stuck(true);
    const [wire] = Object.values(evidence.captures);
    wire?.dhcp(20.1, 5, router, oldHost);
    wire?.dhcp(20.2, 5, router, newHost);
    const finding = await findingOf(evidence);
    expect(finding.cause).toBe('stale-mac');
    expect(considered(finding, 'dhcp-reassignment')).toMatchObject({ result: 'ruled-out' });
  });

  it('offload is never named without a sign of it', async () => {
    const finding = await findingOf(stuck(false));
    expect(finding.cause).toBe('unexplained');
    expect(considered(finding, 'stale-mac')).toMatchObject({ result: 'not-evaluated' });
    expect(considered(finding, 'stale-mac')?.collect).toContain('conntrack');
  });
});

describe('a host that was redirected', () => {
  const hop: Station = { mac: '94:83:c4:00:00:02', ip: '192.168.7.3' };

  function redirected(destination: string, next: string): Evidence {
    return lan((wire) => {
      wire.meet(0, other, third);
      wire.meet(0.1, router, hop);
      wire.meet(0.2, other, router);
      speak(wire, other, third, { from: 0.5, until: 2 });
      const inner = [0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0, 0, ...ipBytes(other.ip), ...ipBytes(destination)];
      wire.ip(2.5, { from: router.mac, to: other.mac, src: router.ip, dst: other.ip }, 1, [
        ...[5, 1, 0, 0, ...ipBytes(next)],
        ...[...inner, 0, 80, 0, 80, 0, 12, 0, 0],
      ]);
      speak(wire, other, { mac: hop.mac, ip: third.ip }, { from: 3, until: 8 });
    });
  }

  it('does what it was told', async () => {
    const finding = await findingOf(redirected(third.ip, hop.ip));
    expect(finding).toMatchObject({ cause: 'icmp-redirect', confidence: 'strong' });
    expect(finding.summary).toContain(`by way of ${hop.ip}`);
    expect(finding.change[0]?.commands[0]).toContain('send_redirects');
  });

  it('was not told this', async () => {
    const finding = await findingOf(redirected(third.ip, '192.168.7.9'));
    expect(finding.cause).not.toBe('icmp-redirect');
    expect(considered(finding, 'icmp-redirect')).toMatchObject({ result: 'ruled-out' });
  });

  it('was told of another destination', async () => {
    const finding = await findingOf(redirected(FAR, hop.ip));
    expect(finding.cause).not.toBe('icmp-redirect');
    expect(considered(finding, 'icmp-redirect')).toBeUndefined();
  });
});

describe('a station behind a repeater', () => {
  it('is reached by its own MAC on its own side', async () => {
    const evidence = repeater(2);
    const [wire] = Object.values(evidence.captures);
    if (wire) forward(wire, { mac: '3c:22:fb:00:00:00', ip: '192.168.7.91' }, { from: 15, until: 20 });
    const finding = await findingOf(evidence);
    expect(finding).toMatchObject({ cause: 'mac-translation', confidence: 'suspected' });
    expect(finding.summary).toContain('behind the repeater b0:be:76:00:00:01');
  });
});

describe('what is observed', () => {
  it('names who claims, what, and who has it', async () => {
    const summary = await summaryOf('arp-spoofing', spoofing(8));
    expect(summary).toBe(
      `${spoofer.mac} told hosts 8 times, unasked, that it has ${router.ip}, which ${router.mac} answers for.`,
    );
  });

  it('calls no frame to a contested address wrong', async () => {
    for (const evidence of [spoofing(8), doubleAnswers(4)]) expect((await run(evidence)).verdict).toBe('delivered');
  });

  it('names the routers that played a virtual one, and its ports', async () => {
    const learnt = (time: number, port: string): string =>
      `${monitorTime(time)} dev ${port} lladdr ${vrid} REACHABLE\n`;
    const evidence = vrrp({ 'monitor.log': learnt(0, 'lan2') + learnt(4, 'lan2') + learnt(8, 'lan3') });
    expect(await summaryOf('virtual-router', evidence)).toBe(
      `${vrid} is a virtual MAC of VRRP or CARP, group 5, which has ${router.ip}. 192.168.7.2 and 192.168.7.3 played it in turn. It moved from lan2 to lan3.`,
    );
  });

  it('takes a second card for a bond only beside the first', async () => {
    const card: Station = { mac: '52:54:00:00:00:41', ip: oldHost.ip };
    const one = lan((wire) => {
      for (let time = 0; time < 30; time += 10) wire.meet(time, router, oldHost);
      speak(wire, card, router, { from: 1, until: 20 });
    });
    expect(await summaryOf('bonding', one)).toContain('two cards of one machine');
    const apart = lan((wire) => {
      wire.meet(0, router, { mac: router.mac, ip: router.ip });
      speak(wire, card, router, { from: 1, until: 20 });
    });
    const [second] = Object.values(apart.captures);
    const alone = lan((wire) => {
      for (let time = 0; time < 30; time += 10) wire.meet(time, router, oldHost);
    });
    const [first] = Object.values(alone.captures);
    if (!second || !first) throw new Error('no capture');
    const analysis = await judge({ 'a.pcap': first, 'b.pcap': second });
    expect(analysis.observations).toEqual([]);
  });

  it('is the same whatever the order of the inputs', async () => {
    const { captures, texts } = stuck(true);
    const turned = Object.fromEntries(Object.entries(texts ?? {}).reverse());
    expect(await judge(captures, turned)).toEqual(await judge(captures, texts));
  });
});
