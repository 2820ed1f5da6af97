import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listOfCauses, pageOf } from '../../src/commands/explain.js';
import { CAUSES } from '../../src/diagnose/causes/index.js';
import { UsageError } from '../../src/errors.js';
import { SAMPLES } from './samples.js';

const FOLDER = new URL('../../docs/causes/', import.meta.url);
const HEADINGS = ['What happens', 'How it looks', 'What tells it apart', 'What to do', 'What to collect', 'Sources'];

/** Pages that stand alone: nothing in the code looks for these yet, and the pages say so. */
const BY_HAND: readonly string[] = [];
const SAYS_SO = 'macscan does not look for this by itself.';

const titles = new Map([
  ...CAUSES.map(({ id, title }) => [id, title] as const),
  ['unexplained', 'Misdelivery, cause undetermined'] as const,
]);
const pages = readdirSync(FOLDER)
  .map((name) => name.replace(/\.md$/, ''))
  .sort();

describe('causes, pages and samples', () => {
  it('have the same ids', () => {
    expect(new Set(CAUSES.map(({ id }) => id)).size).toBe(CAUSES.length);
    expect(pages).toEqual([...titles.keys(), ...BY_HAND].sort());
    expect(SAMPLES.map(({ cause }) => cause).sort()).toEqual([...titles.keys()].sort());
  });

  it.each(pages)('%s has a page with all headings, its title, and no empty section', (id) => {
    const page = readFileSync(new URL(`${id}.md`, FOLDER), 'utf8');
    const [, heading, title] = /^# ([\w-]+): (.*)\n/.exec(page) ?? [];
    expect(heading).toBe(id);
    if (titles.has(id)) expect(title).toBe(titles.get(id));
    const sections = page.split(/^## /m).slice(1);
    expect(sections.map((section) => section.split('\n')[0])).toEqual(HEADINGS);
    for (const section of sections) expect(section.split('\n').slice(1).join('').trim().length).toBeGreaterThan(5);
    expect(page.includes(SAYS_SO)).toBe(BY_HAND.includes(id));
    expect(page).toContain(`\nA sample: \`macscan captures/causes/${id}\`\n`);
    for (const line of page.split('\n')) expect(line.length, line).toBeLessThanOrEqual(100);
    for (const [, other] of page.matchAll(/see `([\w-]+)`/g)) expect(pages).toContain(other);
  });
});

describe('macscan explain', () => {
  it('lists every cause with its title', () => {
    const lines = listOfCauses().trimEnd().split('\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(pages);
    for (const line of lines) expect(line).toMatch(/^[\w-]+ {2,}\S.*$/);
  });

  it.each(pages)('prints %s without marks', (id) => {
    const text = pageOf(id);
    expect(text.startsWith(`${id}: `)).toBe(true);
    expect(text).not.toMatch(/[`]|^#/m);
    expect(text.endsWith('\n')).toBe(true);
    for (const heading of HEADINGS) expect(text).toContain(`\n${heading.toUpperCase()}\n`);
  });

  it.each([
    ['stale mac', 'stale-mac'],
    ['arp', 'proxy-arp'],
    ['stale', 'stale-mac'],
    ['pbr-nexthop', 'pbr-next-hop'],
    ['duplicate-ip', 'duplicate-address'],
    ['../formats', undefined],
    ['', undefined],
  ])('knows no %j and names the nearest', (asked, nearest) => {
    expect(() => pageOf(asked)).toThrow(UsageError);
    if (nearest !== undefined) expect(() => pageOf(asked)).toThrow(`"${nearest}"`);
  });
});
