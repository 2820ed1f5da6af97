import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model.js';
import { ROUTES, ruleList } from '../engine/next-hop-scenes.js';
import { judge, other, router } from '../engine/scene.js';
import { switched } from './samples.js';

/** Frames that the router sends to the next hop of a marked table, and of which captures show how they came in, or do not. */
const TABLES = { 'ip-rule.txt': ruleList(true), 'ip-route.txt': ROUTES };

async function findingOf(isSeen: (i: number) => boolean, change = (text: string): string => text): Promise<Finding> {
  const { captures, texts = {} } = switched(true, isSeen);
  const changed = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, change(text)]));
  const { findings } = await judge(captures, { ...changed, ...TABLES });
  const [finding] = findings;
  if (!finding || findings.length > 1) throw new Error(`${findings.length} findings`);
  return finding;
}

function resultOf({ considered }: Finding, cause: string): string | undefined {
  return considered.find((one) => one.cause === cause)?.result;
}

describe('frames that came in on their way to the right host', () => {
  it.each([1, 2, 3, 4])('were taken off the bridge, whether every one of %d was seen before', async (part) => {
    const { cause } = await findingOf((i) => i % part === 0);
    expect(cause).toBe('bridged-frame-taken');
  });

  it('are not told from others where none was seen coming in, and the flow is not translated', async () => {
    const finding = await findingOf(() => false);
    expect(finding.cause).toBe('unexplained');
    expect([resultOf(finding, 'bridged-frame-taken'), resultOf(finding, 'pbr-next-hop')]).toEqual([
      'not-evaluated',
      'not-evaluated',
    ]);
    expect(finding.collect.some((command) => command.startsWith('tcpdump'))).toBe(true);
  });

  it('are none where the flow is translated: its packets come in for the router', async () => {
    const translated = (text: string): string =>
      text.replaceAll(`dst=${other.ip} sport=5000`, `dst=${router.ip} sport=5000`);
    const finding = await findingOf(() => false, translated);
    expect([finding.cause, resultOf(finding, 'bridged-frame-taken')]).toEqual(['pbr-next-hop', 'ruled-out']);
  });
});
