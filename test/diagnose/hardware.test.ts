import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { FAR, forward, judge, oldHost, other, router, third } from '../engine/scene.js';
import { Wire } from '../support/wire.js';
import { dumpedEngine, engineDump, stuck, type Evidence } from './samples.js';

const run = ({ captures, texts }: Evidence): Promise<Analysis> => judge(captures, texts);

async function observed(evidence: Evidence, cause: string): Promise<string[]> {
  return (await run(evidence)).observations.filter((seen) => seen.cause === cause).map((seen) => seen.summary);
}

/** conntrack as a poll shows it, second by second. */
function poll(states: readonly (readonly [number, string])[]): string {
  const tuples = `src=${FAR} dst=203.0.113.2 sport=4000 dport=5000 src=${oldHost.ip} dst=${FAR} sport=5000 dport=4000`;
  return states
    .map(([at, flag]) => {
      const timeout = flag === '' ? '149 ' : '';
      return `# ${1_700_000_000 + at}.000000000 conntrack -L\nudp      17 ${timeout}${tuples} ${flag} mark=0 use=2\n`;
    })
    .join('');
}

describe('a hardware entry that outlived a take-over', () => {
  it('explains a case that the wire shows', async () => {
    const analysis = await run(stuck(true, { 'ppe.txt': engineDump(15, oldHost.ip, oldHost.mac) }));
    const [finding] = analysis.findings;
    expect(finding).toMatchObject({ cause: 'stale-hardware-entry' });
    expect(finding?.summary).toContain('ppe.txt line 2');
    expect(finding?.change.flatMap(({ commands }) => commands).join()).toContain('flow_offloading_hw=0');
    expect(analysis.observations.map(({ cause }) => cause)).toContain('stale-hardware-entry');
  });

  it.each([
    ['was dumped before the take-over', engineDump(5, oldHost.ip, oldHost.mac)],
    ['is of another address', engineDump(15, other.ip, oldHost.mac)],
    ['leads into PPPoE', engineDump(15, oldHost.ip, oldHost.mac, '6488')],
  ])('is not one that %s', async (_, dump) => {
    const analysis = await run(stuck(true, { 'ppe.txt': dump }));
    expect(analysis.findings.map(({ cause }) => cause)).toEqual(['stale-mac']);
    expect(analysis.observations.map(({ cause }) => cause)).not.toContain('stale-hardware-entry');
  });

  it('is not one seen at the moment of the take-over', async () => {
    const dump = engineDump(11, oldHost.ip, oldHost.mac);
    expect(await observed(stuck(true, { 'ppe.txt': dump }), 'stale-hardware-entry')).toEqual([]);
  });
});

describe('a hardware entry that outlived its flow', () => {
  const given = (states: readonly (readonly [number, string])[]): Promise<string[]> =>
    observed(dumpedEngine(oldHost.mac, { 'conntrack.txt': poll(states) }), 'stale-hardware-entry');

  it('is seen where conntrack shows the flow no longer offloaded', async () => {
    const [summary] = await given([
      [3, '[HW_OFFLOAD]'],
      [5, ''],
      [7, ''],
      [10, ''],
    ]);
    expect(summary).toContain('conntrack shows it no longer offloaded');
  });

  it.each<[string, readonly (readonly [number, string])[]]>([
    ['that is offloaded', [[3, '[HW_OFFLOAD]'], [10, '[HW_OFFLOAD]']]], // prettier-ignore
    ['that never was offloaded before', [[3, ''], [10, '']]], // prettier-ignore
    ['that ended a moment ago', [[9, '[HW_OFFLOAD]'], [10, '']]], // prettier-ignore
    ['that nobody looked at since', [[1, '[HW_OFFLOAD]'], [2, '']]], // prettier-ignore
    ['that was offloaded again', [[3, '[HW_OFFLOAD]'], [5, ''], [10, '[HW_OFFLOAD]']]], // prettier-ignore
  ])('is not one of a flow %s', async (_, states) => {
    expect(await given(states)).toEqual([]);
  });

  it('is not seen without dates', async () => {
    const undated = (text: string): string => text.replace(/^# .*\n/gm, '');
    const evidence = dumpedEngine(oldHost.mac, {
      'ppe.txt': undated(engineDump(11, oldHost.ip, oldHost.mac)),
      'conntrack.txt': undated(poll([[3, '[HW_OFFLOAD]'], [10, '']])), // prettier-ignore
    });
    expect(await observed(evidence, 'stale-hardware-entry')).toEqual([]);
  });
});

describe('a hardware entry with another MAC', () => {
  const wrong = (texts: Record<string, string>): Promise<string[]> =>
    observed(dumpedEngine(third.mac, texts), 'hardware-l2-wrong');

  it('is seen in dumps alone', async () => {
    expect(await wrong({})).toEqual([
      `The packet engine sends packets for ${oldHost.ip} to ${third.mac}; the neighbour table has ${oldHost.mac} and knows no other.`,
    ]);
  });

  it.each([
    ['dumps of other times', { 'ppe.txt': engineDump(500, oldHost.ip, third.mac) }],
    ['a MAC that had a lease for it', { leases: `1795300000 ${third.mac} ${oldHost.ip} pi *\n` }],
    ["the router's own MAC", { 'ppe.txt': engineDump(11, oldHost.ip, router.mac) }],
    ['a narrower route by a router', { 'route.txt': `${oldHost.ip} via ${third.ip} dev br-lan\n` }],
    [
      'the next hop of a marked table',
      {
        'rule.txt': `0:\tfrom all lookup local\n32765:\tfrom all fwmark 0xff lookup 100\n`,
        'route.txt': `default via ${third.ip} dev br-lan table 100\n`,
        'more-neigh.txt': `# 1700000010.000000000 ip neigh\n${third.ip} dev br-lan lladdr ${third.mac} REACHABLE\n`,
      },
    ],
    ['an address beyond the network', { 'ppe.txt': engineDump(11, '10.9.9.9', third.mac) }],
  ])('is not %s', async (_, texts) => {
    expect(await wrong(texts)).toEqual([]);
  });

  it('explains a case that the wire shows', async () => {
    const wire = new Wire();
    wire.meet(0, router, oldHost);
    wire.meet(0.1, router, third);
    forward(wire, oldHost, { from: 0.5, until: 2 });
    forward(wire, { mac: third.mac, ip: oldHost.ip }, { from: 2, until: 20 });
    forward(wire, oldHost, { from: 2.1, until: 20, srcPort: 4001 });
    const { texts } = dumpedEngine(third.mac, { 'conntrack.txt': poll([[2, '[HW_OFFLOAD]'], [12, '[HW_OFFLOAD]']]) }); // prettier-ignore
    const analysis = await judge({ 'br-lan.pcap': wire }, texts);
    expect(analysis.findings.map(({ cause }) => cause)).toEqual(['hardware-l2-wrong']);
  });
});
