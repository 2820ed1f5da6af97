import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const made: string[] = [];

afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

describe('the import rule', () => {
  it('sees the modules of src/ and finds them in order', async () => {
    const { summary, modules } = await check(root);
    expect(modules.filter(({ source }) => source.startsWith('src/')).length).toBeGreaterThan(10);
    expect(summary.totalDependenciesCruised).toBeGreaterThan(10);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).toEqual([]);
  });

  it.each([
    ['bytes-knows-only-its-left', 'src/bytes/a.ts', 'src/records/b.ts'],
    ['read-knows-only-its-left', 'src/read/a.ts', 'src/decode/b.ts'],
    ['reconstruct-knows-only-its-left', 'src/reconstruct/a.ts', 'src/render/b.ts'],
    ['detect-knows-only-its-left', 'src/detect/a.ts', 'src/scan.ts'],
    ['decode-knows-only-its-left', 'src/decode/a.ts', 'src/commands/b.ts'],
    ['records-are-plain', 'src/records/a.ts', 'src/bytes/lines.ts'],
    ['model-and-errors-import-nothing', 'src/model.ts', 'src/records/b.ts'],
    ['causes-and-renderers-see-no-reader', 'src/render/a.ts', 'src/read/b.ts'],
    ['causes-and-renderers-see-no-reader', 'src/diagnose/a.ts', 'src/decode/b.ts'],
    ['no-new-place', 'src/helpers/a.ts', 'src/bytes/b.ts'],
  ])('objects (%s) when %s imports %s, be it only a type', async (rule, from, to) => {
    expect(await violations({ [from]: importOf(from, to), [to]: 'export interface Thing { a: 1 }\n' })).toContain(rule);
  });

  it('objects to a cycle', async () => {
    const [a, b] = ['src/read/a.ts', 'src/read/b.ts'];
    expect(await violations({ [a]: importOf(a, b), [b]: importOf(b, a) })).toContain('no-cycle');
  });

  it('lets a stage import what lies to its left', async () => {
    const [from, to] = ['src/detect/a.ts', 'src/records/b.ts'];
    expect(await violations({ [from]: importOf(from, to), [to]: 'export interface Thing { a: 1 }\n' })).toEqual([]);
  });
});

function importOf(from: string, to: string): string {
  const path = `${'../'.repeat(from.split('/').length - 2) || './'}${to.replace(/^src\//, '').replace(/ts$/, 'js')}`;
  return `import type { Thing } from '${path}';\nexport interface Other { thing: Thing }\n`;
}

/** Names of the rules that a little program, given as its files, breaks. */
async function violations(files: Record<string, string>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'macscan-imports-'));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const { summary } = await check(folder);
  return summary.violations.map(({ rule }) => rule.name);
}

async function check(baseDir: string): Promise<ICruiseResult> {
  const { forbidden = [], options = {} } = await extractConfig(join(root, '.dependency-cruiser.js'));
  const { tsPreCompilationDeps, doNotFollow, enhancedResolveOptions } = options;
  const { output } = await cruise(['src'], {
    validate: true,
    ruleSet: { forbidden },
    baseDir,
    ...(tsPreCompilationDeps === undefined ? {} : { tsPreCompilationDeps }),
    ...(doNotFollow === undefined ? {} : { doNotFollow }),
    ...(enhancedResolveOptions === undefined ? {} : { enhancedResolveOptions }),
  });
  if (typeof output === 'string') throw new Error('the result is a report, not an object');
  return output;
}
