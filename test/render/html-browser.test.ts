import { AxeBuilder } from '@axe-core/playwright';
import { existsSync, readdirSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Analysis } from '../../src/model.js';
import { renderHtml } from '../../src/render/html.js';
import { TestBrowser } from '../support/browser.js';
import { analyze, folderPieces } from '../support/engine.js';
import { HOSTILE_NAMES, hostileAnalysis } from '../support/hostile.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { hasTool } from '../support/tool.js';

const own = new URL('../../captures/', import.meta.url).pathname;
const cases = [
  ...readdirSync(own).map((name) => ({ name: `captures/${name}`, path: own + name })),
  ...(hasShared ? readdirSync(sharedPath('captures')) : []).map((name) => ({
    name,
    path: sharedPath('captures', name),
  })),
].filter(({ path }) => existsSync(`${path}/truth.json`) || existsSync(`${path}/expected.json`));

describe.skipIf(!hasTool('chromium'))('the report in Chromium', () => {
  let browser: TestBrowser;
  const reports = new Map<string, Promise<{ analysis: Analysis; html: string }>>();

  beforeAll(async () => {
    browser = await TestBrowser.start();
  });
  afterAll(async () => {
    await browser.close();
  });

  async function reportOf(path: string): Promise<{ analysis: Analysis; html: string }> {
    const known = reports.get(path);
    if (known) return known;
    const made = analyze(folderPieces(path, (name) => !/README|expected|truth/.test(name))).then((analysis) => ({
      analysis,
      html: renderHtml(analysis),
    }));
    reports.set(path, made);
    return made;
  }

  describe.each(cases)('of $name', ({ path }) => {
    it('complains of nothing, axe finds nothing serious, and keys lead to the evidence of each finding', async () => {
      const { analysis, html } = await reportOf(path);
      const { page, complaints } = await browser.open(html, {
        colorScheme: analysis.totals.frames % 2 ? 'dark' : 'light',
      });
      expect(await page.locator('.live-timeline svg .lane').count()).toBeGreaterThan(0);
      for (let i = 0; i < shown(analysis); i++) {
        await page.keyboard.press('j');
        await page.keyboard.press('Enter');
        expect(await page.locator(`[data-finding="${i}"] table.evidence tbody tr`).first().isVisible()).toBe(true);
      }
      expect(await seriousFaults(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('shows verdict, findings and time-line with JavaScript off', async () => {
      const { analysis, html } = await reportOf(path);
      const { page, complaints } = await browser.open(html, { javaScriptEnabled: false });
      expect(await page.locator('h1').isVisible()).toBe(true);
      expect(await page.locator('.static-timeline svg .lane').first().isVisible()).toBe(true);
      expect(await page.locator('article[data-finding]:visible').count()).toBe(shown(analysis));
      expect(complaints).toEqual([]);
      await page.context().close();
    });
  });

  describe('of captures/stale-mac', () => {
    const path = `${own}stale-mac`;

    async function open(hash = ''): Promise<{ page: Page; complaints: readonly string[] }> {
      return browser.open((await reportOf(path)).html, {}, hash);
    }

    it('has all that matters above the fold', async () => {
      const { page } = await open();
      for (const selector of [
        'h1',
        '.cause',
        '.parts',
        '.actions button',
        '.identity',
        '.live-timeline .lane-owner',
        '.live-timeline .lane-frames',
      ]) {
        const box = await page.locator(selector).first().boundingBox();
        expect(box ? box.y + box.height : Infinity, selector).toBeLessThan(720);
      }
      await page.context().close();
    });

    it('follows the brush in all tables', async () => {
      const { page, complaints } = await open();
      await page.locator('[data-evidence] summary').click();
      const before = await visibleRows(page);
      await page.locator('.minimap-ground').scrollIntoViewIfNeeded();
      const strip = await page.locator('.minimap-ground').boundingBox();
      if (!strip) throw new Error('the strip is drawn');
      await page.mouse.move(strip.x + strip.width * 0.02, strip.y + 15);
      await page.mouse.down();
      await page.mouse.move(strip.x + strip.width * 0.1, strip.y + 15, { steps: 5 });
      await page.mouse.up();
      const after = await visibleRows(page);
      expect(after.evidence).toBeLessThan(before.evidence);
      expect(after.bindings).toBeLessThanOrEqual(before.bindings);
      await expect.poll(() => page.evaluate("location.hash.includes('from=')")).toBe(true);
      // Back to all, by the key.
      await page.keyboard.press('0');
      expect(await visibleRows(page)).toEqual(before);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('shows the evidence of a mark that is focused, pins it, and lets go', async () => {
      const { page, complaints } = await open();
      await page.locator('[data-mark][tabindex="0"]').focus();
      const inspector = page.locator('.inspector');
      const seen = new Set<string>();
      for (let i = 0; i < 6; i++) {
        seen.add((await inspector.textContent()) ?? '');
        await page.keyboard.press(i % 2 ? 'ArrowRight' : 'ArrowDown');
      }
      expect([...seen].join(' ')).toMatch(/frames? \d+/);
      await page.keyboard.press('Enter');
      await page.evaluate('document.activeElement.blur()');
      expect(await page.locator('.inspector.is-pinned').count()).toBe(1);
      await page.keyboard.press('Escape');
      expect(await page.locator('.inspector.is-pinned').count()).toBe(0);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('filters, says what is wrong with a filter, and keeps it in the address', async () => {
      const { page, complaints } = await open();
      const rows = page.locator('table.flows tbody tr');
      expect(await rows.count()).toBe(1);
      await page.keyboard.press('/');
      await page.keyboard.type('ip:10.9.9.9');
      await expect
        .poll(() => page.evaluate("document.querySelectorAll('table.flows tbody tr').length === 0"))
        .toBe(true);
      expect(await page.locator('article[data-finding]:visible').count()).toBe(0);
      await expect.poll(() => page.evaluate("location.hash.includes('filter=')")).toBe(true);
      const address = page.url();
      await page.keyboard.press('Control+a');
      await page.keyboard.type('is:nonsense');
      await page.waitForSelector('output.error');
      expect(await page.locator('output.error').textContent()).toContain('is:nonsense is none of');
      await page.goto('about:blank');
      await page.goto(address);
      expect(await page.locator('table.flows tbody tr').count()).toBe(0);
      expect(complaints.filter((text) => !text.includes('about:blank'))).toEqual([]);
      await page.context().close();
    });

    it('opens a flow as a ladder, and sorts', async () => {
      const { page } = await open();
      await page.locator('button.expand').first().click();
      expect(await page.locator('table.flows table.ladder tbody tr.run-1').count()).toBeGreaterThan(0);
      await page.getByRole('button', { name: 'First frame (UTC)' }).click();
      expect(await page.locator('th[data-sort="first"]').getAttribute('aria-sort')).toBe('ascending');
      await page.context().close();
    });

    it('copies the summary and the filter', async () => {
      const { page } = await open();
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.keyboard.press('m');
      await page.getByText('Markdown copied').waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^\*\*MISDELIVERED\*\*/);
      await page.keyboard.press('c');
      await page.getByText('Wireshark filter copied').waitFor();
      expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^frame\.number in \{\d+\.\.\d+/);
      await page.context().close();
    });

    it('turns dark by a key, and lists its keys', async () => {
      const { page } = await open();
      const ground = (): Promise<unknown> =>
        page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
      const light = await ground();
      await page.keyboard.press('d');
      expect(await ground()).not.toBe(light);
      expect(await seriousFaults(page)).toEqual([]);
      await page.keyboard.press('?');
      expect(await page.locator('dialog[open] kbd').count()).toBeGreaterThan(10);
      expect(await seriousFaults(page)).toEqual([]);
      await page.context().close();
    });

    it.each([
      { name: 'a phone', width: 360, height: 740 },
      { name: '200 % zoom', width: 640, height: 360 },
    ])('fits $name without scrolling sideways', async ({ width, height }) => {
      const { html } = await reportOf(path);
      const { page, complaints } = await browser.open(html, { viewport: { width, height } });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await seriousFaults(page)).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    it('prints the static time-line and the tables, and no tools', async () => {
      const { page } = await open();
      await page.emulateMedia({ media: 'print' });
      expect(await page.locator('.static-timeline svg').isVisible()).toBe(true);
      expect(await page.locator('.live-timeline').isVisible()).toBe(false);
      expect(await page.locator('.actions').isVisible()).toBe(false);
      expect((await page.pdf({ format: 'A4' })).length).toBeGreaterThan(10_000);
      await page.context().close();
    });
  });

  it('shows the names of strangers as text', async () => {
    for (const name of HOSTILE_NAMES.filter((text) => /[<\n\u202e]/.test(text))) {
      const { page, complaints } = await browser.open(renderHtml(hostileAnalysis(name)));
      await page.keyboard.press('j');
      await page.locator('button.expand').first().click();
      expect(await page.locator('main img, main script, main iframe, main b > x').count()).toBe(0);
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  });

  it('leads to the evidence by the Tab key too', async () => {
    const { html } = await reportOf(`${own}stale-mac`);
    const { page } = await browser.open(html);
    const isThere = "document.activeElement.matches('[data-evidence] > summary')";
    for (let i = 0; i < 60 && !(await page.evaluate(isThere)); i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.locator('table.evidence tbody tr').first().isVisible()).toBe(true);
    await page.context().close();
  });
});

/** Convergence is normal, and told below what is not. */
function shown({ findings }: Analysis): number {
  return findings.filter(({ cause }) => cause !== 'convergence').length;
}

async function visibleRows(page: Page): Promise<{ evidence: number; bindings: number }> {
  return {
    evidence: await page.locator('table.evidence tbody tr:visible').count(),
    bindings: await page.locator('table.bindings tbody tr:visible').count(),
  };
}

/** What axe calls serious or critical, with the place of the first fault. */
async function seriousFaults(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.length} times, first ${nodes[0]?.html ?? ''} ${nodes[0]?.failureSummary ?? ''}`,
    );
}
