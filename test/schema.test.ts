import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { ANALYSIS_VERSION, type Analysis } from '../src/model.js';
import { fullAnalysis } from './support/full-analysis.js';
import { readSchema, schemaErrors } from './support/schema.js';

type Path = readonly (string | number)[];

/** The least that an analysis must have, as the compiler sees it. */
const least: Analysis = {
  version: ANALYSIS_VERSION,
  generator: { name: 'macscan', version: '0.1.0' },
  verdict: 'not-judged',
  totals: { frames: 0, delivered: 0, misdelivered: 0, notJudged: 0 },
  inputs: [],
  misdeliveries: [],
  flows: [],
  bindings: [],
  findings: [],
  observations: [],
  predictions: [],
  notJudged: [],
  diagnostics: [],
};

/** Properties that the type leaves open, by the place where they stand. Everything else is required. */
const optional = new Set([
  'window',
  'window.from',
  'window.to',
  'partial',
  'ruleset',
  'events',
  ...['device', 'ip', 'mac', 'origin.frame', 'origin.line'].map((p) => `events.0.${p}`),
  'impact',
  'clocks',
  'inputs.0.moved',
  'systems',
  ...['kernel', 'distribution', 'board', 'connections', 'flowtables.0.hardware'].map((p) => `systems.0.${p}`),
  'filter',
  'redacted',
  ...['predictions', 'ruleset'].flatMap((list) => ['frame', 'line'].map((p) => `${list}.0.evidence.0.${p}`)),
  ...['frames', 'firstTime', 'lastTime', 'interfaces', 'facts', 'unknownLines'].map((p) => `inputs.0.${p}`),
  ...['filter', 'snapLength', 'dropped'].map((p) => `inputs.0.interfaces.0.${p}`),
  'inputs.0.facts.conntrack',
  'inputs.0.facts.neighbor',
  ...[
    'vlan',
    'cause',
    'confidence',
    'class',
    'because.0.port',
    'because.0.time',
    'because.0.origin',
    'because.0.origin.frame',
    'because.0.origin.line',
    'notBefore',
    ...['port', 'time', 'origin', 'origin.frame', 'origin.line'].map((p) => `notBefore.heard.${p}`),
  ].map((p) => `misdeliveries.0.${p}`),
  ...['srcPort', 'dstPort', 'hopLimit', 'vlan'].map((p) => `misdeliveries.0.evidence.0.${p}`),
  ...[
    'offload.0.to',
    'offload.0.from.earliest',
    'offload.0.from.origin.frame',
    'offload.0.from.origin.line',
    'offload.0.to.earliest',
    'offload.0.to.origin.frame',
    'offload.0.to.origin.line',
    'original.srcPort',
    'original.dstPort',
    'reply.srcPort',
    'reply.dstPort',
    'mappings.0.vlan',
    'mappings.0.folded',
    'impact',
    'forwarding',
    'forwarding.0.classic',
    'forwarding.0.offloaded',
    'transits',
    'transits.0.boomerang',
    ...['vlan', 'misdelivered', 'translated', 'translated.srcPort', 'translated.dstPort'].map(
      (p) => `transits.0.sightings.0.${p}`,
    ),
  ].map((p) => `flows.0.${p}`),
  ...[
    'from',
    'to',
    'conflict',
    'witnesses.0.port',
    'witnesses.0.time',
    'witnesses.0.origin',
    'witnesses.0.origin.frame',
    'witnesses.0.origin.line',
  ].map((p) => `bindings.0.${p}`),
  ...[
    'onset',
    'onset.since',
    'onset.origin.frame',
    'onset.origin.line',
    'recovery',
    'tests.0.table',
    'tests.0.evidence.0.frame',
    'tests.0.evidence.0.line',
    'considered.0.collect',
  ].map((p) => `findings.0.${p}`),
  'observations.0.time',
  'observations.0.evidence.0.frame',
  'observations.0.evidence.0.line',
  'notJudged.0.collect',
  ...['input', 'frame', 'offset', 'line', 'count'].map((p) => `diagnostics.0.${p}`),
]);

const paths = propertiesOf(fullAnalysis, []);

describe('the schema of the analysis', () => {
  it('is what the package exports', () => {
    const found: unknown = createRequire(import.meta.url)('macscan/schema');
    expect(found).toEqual(readSchema());
  });

  it('accepts an analysis that has everything, and one that has the least', () => {
    expect(schemaErrors(fullAnalysis)).toEqual([]);
    expect(schemaErrors(least)).toEqual([]);
  });

  it.each(paths.map((path) => path.join('.')))('and the type agree on whether %s may be missing', (path) => {
    const changed = edited(path.split('.'), () => undefined);
    expect(schemaErrors(changed).length === 0).toBe(optional.has(path));
  });

  it.each(paths.map((path) => path.join('.')))('knows the kind of %s', (path) => {
    expect(schemaErrors(edited(path.split('.'), () => ({ some: ['thing', 'else'] })))).not.toEqual([]);
  });

  it('knows no other properties, but kinds of facts', () => {
    const objects = new Set(paths.map((path) => path.slice(0, -1).join('.')));
    expect(objects.size).toBeGreaterThan(15);
    for (const path of objects) {
      const changed = edited(path === '' ? [] : path.split('.'), (value) => ({
        ...(isRecord(value) ? value : {}),
        another: 1,
      }));
      expect({ path, accepted: schemaErrors(changed).length === 0 }).toEqual({
        path,
        accepted: path === 'inputs.0.facts',
      });
    }
  });

  it.each([
    ['misdeliveries.0.srcMac', '94:83:C4:10:00:01'],
    ['misdeliveries.0.dstMac', '94-83-c4-10-00-01'],
    ['misdeliveries.0.dstIp', 'router'],
    ['misdeliveries.0.dstIp', ''],
    ['misdeliveries.0.firstTime', '1795247483.5'],
    ['misdeliveries.0.class', 'stale'],
    ['misdeliveries.0.expected', []],
    ['misdeliveries.0.frames', 0],
    ['misdeliveries.0.frameRanges', [[3]]],
    ['misdeliveries.0.frameRanges', [[0, 3]]],
    ['misdeliveries.0.evidence.0.hopLimit', 256],
    ['inputs.0.sha256', 'AB'.repeat(32)],
    ['inputs.0.interfaces.0.frames', 1.5],
    ['totals.delivered', -1],
    ['verdict', 'fine'],
    ['version', '2.0'],
  ])('refuses %s: %j', (path, value) => {
    expect(schemaErrors(edited(path.split('.'), () => value))).not.toEqual([]);
  });

  it.each([
    ['misdeliveries.0.because.0.ip', ''],
    ['misdeliveries.0.dstIp', '2001:db8::1'],
    ['misdeliveries.0.dstIp', '::'],
    ['misdeliveries.0.dstIp', '::ffff:192.0.2.1'],
    ['misdeliveries.0.firstTime', ''],
    ['misdeliveries.0.firstTime', '-1000'],
  ])('accepts %s: %j', (path, value) => {
    expect(schemaErrors(edited(path.split('.'), () => value))).toEqual([]);
  });
});

/** Paths of all properties of objects below a value; of lists only the first item. */
function propertiesOf(value: unknown, at: Path): Path[] {
  if (Array.isArray(value)) return propertiesOf(value[0], [...at, 0]);
  if (!isRecord(value)) return [];
  return Object.keys(value).flatMap((key) => [[...at, key], ...propertiesOf(value[key], [...at, key])]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The full analysis with the value at a path changed; `undefined` takes a property away. */
function edited(path: Path, change: (value: unknown) => unknown): unknown {
  const edit = (value: unknown, rest: Path): unknown => {
    const [key, ...more] = rest;
    if (key === undefined) return change(value);
    if (Array.isArray(value)) return value.map((item: unknown, i) => (i === Number(key) ? edit(item, more) : item));
    if (!isRecord(value)) return value;
    return { ...value, [key]: edit(value[key], more) };
  };
  return JSON.parse(JSON.stringify(edit(fullAnalysis, path)));
}
