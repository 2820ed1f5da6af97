import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { collectEvidence } from '../../src/bytes/evidence.js';
import { renderJson } from '../../src/render/json.js';
import { renderText } from '../../src/render/text.js';
import type { Evidence } from '../../src/scan.js';
import { analyzeEvidence } from '../support/engine.js';

/** `npm run goldens` writes the expected files anew: read the difference before you keep it. */
const isUpdate = process.env.UPDATE_GOLDENS === '1';
const root = fileURLToPath(new URL('../../captures/', import.meta.url));
const NOT_EVIDENCE = /^(README\.md|expected\..*)$/;

const cases = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'causes')
  .map(({ name }) => name);

describe.each(cases)('captures/%s', (name) => {
  it('gives what is expected', async () => {
    const analysis = await analyzeEvidence(await evidenceOf(name, (file) => !NOT_EVIDENCE.test(file)));
    compare(`${root}${name}/expected.json`, renderJson(analysis));
    compare(`${root}${name}/expected.txt`, renderText(analysis, { color: false, verbose: false, quiet: false }));
  });

  it('has a README, and neither it nor an expected file is taken for evidence', async () => {
    expect(existsSync(`${root}${name}/README.md`)).toBe(true);
    for (const piece of await evidenceOf(name, (file) => NOT_EVIDENCE.test(file))) {
      const { totals, inputs } = await analyzeEvidence([piece]);
      expect(totals.frames).toBe(0);
      expect(inputs.map(({ facts }) => Object.keys(facts ?? {}))).toEqual([[]]);
    }
  });
});

async function evidenceOf(name: string, wanted: (file: string) => boolean): Promise<Evidence[]> {
  const { pieces, errors } = await collectEvidence([root + name]);
  expect(errors).toEqual([]);
  return pieces.filter((piece) => wanted(piece.name));
}

function compare(file: string, text: string): void {
  if (isUpdate) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
