import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { hasShared, sharedPath } from '../support/shared.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const stale = join(root, 'captures/stale-mac');
const healthy = join(root, 'captures/healthy-takeover');
const folder = mkdtempSync(join(tmpdir(), 'macscan-compare-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function compare(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = [join(root, 'dist/cli.js'), 'compare', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

describe('macscan compare', () => {
  it('puts two folders side by side', () => {
    const { status, stdout, stderr } = compare(stale, healthy);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^The fault is there with lan1, lan3, wan in the flowtable and not with br-lan,\nwan\. /);
    expect(stdout).toMatch(/\* Misdelivered +138 \(6\.8 %\) +0\n/);
    expect(stdout).not.toContain(root);
  });

  it('takes saved analyses, and says the same of them', () => {
    const saved = join(folder, 'stale-mac');
    const json = `${saved}.json`;
    spawnSync(process.execPath, [join(root, 'dist/cli.js'), stale, '-o', json]);
    expect(compare(json, healthy, '-q').stdout).toBe(compare(stale, healthy, '-q').stdout);
  });

  it('writes every format, and only what was asked for', () => {
    const files = ['json', 'md', 'html', 'txt'].map((ending) => join(folder, `case.${ending}`));
    const before = readdirSync(folder).length;
    const { status, stdout } = compare(stale, healthy, ...files.flatMap((file) => ['-o', file]));
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(readdirSync(folder).length).toBe(before + 4);
    const [json = '', markdown = '', html = '', text = ''] = files.map((file) => readFileSync(file, 'utf8'));
    expect(JSON.parse(json)).toMatchObject({
      version: '1.0',
      sides: [
        {
          name: 'stale-mac',
          verdict: 'misdelivered',
          causes: [{ cause: 'stale-mac', confidence: 'proven', frames: 138 }],
        },
        { name: 'healthy-takeover', verdict: 'delivered', causes: [] },
      ],
    });
    expect(markdown).toContain('| **Misdelivered** | 138 (6.8 %) | 0 |');
    expect(html).toMatch(/^<!doctype html>/);
    expect(text).toBe(compare(stale, healthy).stdout);
    expect(compare(stale, healthy, '-f', 'json').stdout).toBe(json);
  });

  it('tells alike names apart, and replaces all names and addresses when asked to', () => {
    expect(compare(stale, stale).stdout).toContain('stale-mac (1)');
    const { status, stdout } = compare(stale, healthy, '--redact=strict', '-f', 'json');
    expect(status).toBe(0);
    expect(stdout).not.toMatch(/healthy-takeover|"name": "stale-mac"|192\.168/);
  });

  it('ends with 2 when a case could not be judged, and says which', () => {
    const empty = join(folder, 'nothing.txt');
    writeFileSync(empty, 'nothing of the kind\n');
    const run = compare(stale, empty);
    expect(run.status).toBe(2);
    expect(run.stdout).toContain('nothing.txt could not be judged');
    expect(compare(stale, join(folder, 'missing')).status).toBe(2);
    expect(compare(stale, healthy, '-f', 'csv')).toMatchObject({ status: 2, stdout: '' });
    expect(compare(stale).status).toBe(2);
  });

  it.runIf(hasShared).each([
    ['S1', 'S0', 'The fault is there with offload and not without.'],
    ['S3b', 'S3c', 'The fault is there with offload and not without.'],
    ['S0', 'S2', 'Neither case shows the fault'],
  ])('says of %s and %s what they show', (a, b, words) => {
    const run = compare(sharedPath('captures', a), sharedPath('captures', b), '-q');
    expect(run.status).toBe(0);
    expect(run.stdout).toContain(words);
  });
});
