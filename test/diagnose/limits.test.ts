import { describe, expect, it } from 'vitest';
import { traceLimit } from '../../src/diagnose/limits.js';
import { LINKS, MARK_RULE, ROUTES, ruleList, stick, stream } from '../engine/next-hop-scenes.js';
import { judge } from '../engine/scene.js';
import { SAMPLES, type Evidence } from './samples.js';

const skip = SAMPLES.find(({ cause }) => cause === 'bridge-offload-skip');

function without({ captures, texts = {} }: Evidence, name: string): Evidence {
  return { captures, texts: Object.fromEntries(Object.entries(texts).filter(([key]) => key !== name)) };
}

describe('what was not evaluated', () => {
  it('is offload in a bridge without a ruleset, with the command that tells', async () => {
    if (!skip?.near) throw new Error('no sample');
    const { captures, texts } = without(skip.shows(), 'nft-ruleset.txt');
    const { observations, diagnostics } = await judge(captures, texts);
    expect(observations).toEqual([]);
    expect(diagnostics).toMatchObject([
      { id: 'not-evaluated', action: 'To tell, collect: nft list ruleset; bridge vlan show' },
    ]);
    expect(diagnostics[0]?.what).toMatch(/^bridge-offload-skip was not evaluated: Packets of 10\.9\.0\.5 for 192\./);
    const near = without(skip.near.build(), 'nft-ruleset.txt');
    expect((await judge(near.captures, near.texts)).diagnostics).toEqual([]);
  });

  it('is nothing where a ruleset says that the bridge has no flowtable', async () => {
    if (!skip) throw new Error('no sample');
    const { captures, texts = {} } = skip.shows();
    const ruleset = (texts['nft-ruleset.txt'] ?? '').replace('table bridge', 'table inet');
    const { observations, diagnostics } = await judge(captures, { ...texts, 'nft-ruleset.txt': ruleset });
    expect([observations, diagnostics]).toEqual([[], []]);
  });

  it.each([
    ['two dumps', { 'before.txt': ruleList(true), 'after.txt': ruleList(false) }, 1],
    ['a log', { 'rules.txt': ruleList(true), 'monitor.log': `Deleted ${MARK_RULE}\n` }, 1],
    ['two dumps that are the same', { 'before.txt': ruleList(true), 'after.txt': ruleList(true) }, 0],
    [
      'two dumps with times',
      { 'rules.txt': `# 1700000001.0 ip rule show\n${ruleList(true)}# 1700000003.0 ip rule show\n${ruleList(false)}` },
      0,
    ],
  ] as const)('is a flow that keeps its route, by rules in %s', async (_what, texts, missing) => {
    const { captures } = stick(stream(1, 5, 'by'));
    const { diagnostics } = await judge(captures, { 'ip-link.txt': LINKS, 'ip-route.txt': ROUTES, ...texts });
    const own = diagnostics.filter(({ what }) =>
      what.startsWith('stale-route was not evaluated: a rule for table 100'),
    );
    expect(own).toHaveLength(missing);
  });

  it('is the next hop of frames beyond those that are followed one by one', () => {
    expect(traceLimit({ frames: [], dropped: 0 })).toEqual([]);
    expect(traceLimit({ frames: [], dropped: 1234 })[0]?.what).toMatch(/and 1,234 more were not: their next hops/);
  });
});
