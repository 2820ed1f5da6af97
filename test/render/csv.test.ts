import { describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { renderFindingsCsv, renderFlowsCsv, renderMappingsCsv, writeFramesCsv } from '../../src/render/csv.js';
import { formatOfFile } from '../../src/render/index.js';
import { analyze, folderPieces, listing } from '../support/engine.js';
import { HOSTILE_NAMES, hostileAnalysis, INVISIBLE } from '../support/hostile.js';

const root = new URL('../../captures/', import.meta.url).pathname;
const tables = [
  ['frames', framesCsv],
  ['findings', renderFindingsCsv],
  ['flows', renderFlowsCsv],
  ['mappings', renderMappingsCsv],
] as const;

async function framesCsv(analysis: Analysis): Promise<string> {
  let text = '';
  await writeFramesCsv(analysis, (rows) => {
    text += rows;
  });
  return text;
}

describe('CSV of a case', () => {
  it('has a row for each thing, and the rows agree', async () => {
    const pieces = folderPieces(`${root}policy-routing`, (name) => !/README|expected/.test(name));
    const analysis = await analyze(pieces, { eachFrame: true });
    const made: Record<string, string>[][] = [];
    for (const [, make] of tables) made.push(records(await make(analysis)));
    const [frames = [], findings = [], flows = [], mappings = []] = made;
    expect(frames).toHaveLength(analysis.totals.misdelivered);
    expect(findings.map((row) => [row['finding'], row['cause'], row['frames'], row['flows']])).toEqual([
      [
        'C1',
        'pbr-next-hop',
        String(analysis.totals.misdelivered),
        analysis.flows
          .map(({ id }) => id)
          .sort()
          .join(' '),
      ],
    ]);
    expect(flows.map((row) => row['flow'])).toEqual(analysis.flows.map(({ id }) => id));
    expect(mappings).toHaveLength(analysis.flows.reduce((sum, flow) => sum + flow.mappings.length, 0));
    const wrong = mappings.reduce((sum, row) => sum + Number(row['misdelivered']), 0);
    expect(wrong).toBe(frames.length);
    expect(flows.reduce((sum, row) => sum + Number(row['misdelivered']), 0)).toBe(frames.length);
  });

  it.each(HOSTILE_NAMES.map((name) => [JSON.stringify(name), name]))('keeps %s in its cell', async (_shown, name) => {
    const analysis = withFrame(hostileAnalysis(name));
    for (const [what, make] of tables) {
      const text = await make(analysis);
      expect(text, what).not.toMatch(INVISIBLE);
      const rows = records(text);
      expect(rows, what).toHaveLength(1);
      for (const value of Object.values(rows[0] ?? {})) expect(value, what).not.toMatch(/^[=+\-@\t\r]/);
    }
  });
});

it('is chosen by the longest ending', () => {
  expect(['a.csv', 'a.findings.csv', 'A.FLOWS.CSV', 'a.b.mappings.csv', 'findings.csv', 'a.md', 'a.txt'].map(formatOfFile)).toEqual(
    ['csv', 'findings-csv', 'flows-csv', 'mappings-csv', 'csv', 'markdown', 'text'],
  ); // prettier-ignore
});

function withFrame(analysis: Analysis): Analysis {
  const [m] = analysis.misdeliveries;
  const [flow] = analysis.flows;
  if (!m || !flow) throw new Error('there is one');
  const { input, device, srcMac, dstMac, expected } = m;
  const leg = {
    misdelivery: m.id,
    ...flow.reply,
    input,
    device,
    srcMac,
    dstMac,
    expected,
  };
  return { ...analysis, eachFrame: listing([{ frame: 3, time: m.firstTime, leg: { ...leg, cause: m.cause ?? '' } }]) };
}

/** Reads CSV as RFC 4180 has it: quotes may hold anything, and are doubled within. */
function records(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
    if (end === '' && quoted === undefined && plain === '') break;
    rows.at(-1)?.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'));
    if (end === '\n') rows.push([]);
  }
  const [header = [], ...body] = rows.filter((row) => row.length > 0);
  for (const row of body) expect(row).toHaveLength(header.length);
  return body.map((row) => Object.fromEntries(header.map((title, i) => [title, row[i] ?? ''])));
}
