// Measures the HTML report with 2,000 affected flows in Chromium: node scripts/report-speed.js (after npm run build).
// The case is captures/policy-routing with its flow repeated. Prints the least and the middle of ten runs, in ms: until
// something is painted, and from a key or click until the next picture is done.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { render } from '../dist/index.js';

const FLOWS = 2000;
const RUNS = 10;
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(`${tmpdir()}/macscan-speed-`);
const [saved, report] = [`${folder}/case.json`, `${folder}/report.html`];
execFileSync(process.execPath, [
  `${root}dist/cli.js`,
  `${root}captures/policy-routing`,
  '-q',
  '--no-exit-code',
  '-o',
  saved,
]);

const analysis = JSON.parse(readFileSync(saved, 'utf8'));
const [flow] = analysis.flows;
const later = (time, i) => String(BigInt(time) + 20_000_000n * BigInt(i % 500));
analysis.flows = Array.from({ length: FLOWS }, (_, i) => ({
  ...flow,
  id: `F${i + 1}`,
  original: { ...flow.original, srcIp: `10.0.${i >> 8}.${i & 255}`, srcPort: 1024 + i },
  mappings: flow.mappings.map((m) => ({ ...m, firstTime: later(m.firstTime, i), lastTime: later(m.lastTime, i) })),
}));
for (const m of analysis.misdeliveries) m.flows = analysis.flows.map(({ id }) => id);
const begin = performance.now();
const html = await render(analysis, 'html', {});
console.log(
  `rendered in ${Math.round(performance.now() - begin)} ms, ${html.length} bytes, ${flow.mappings.length} mappings a flow`,
);
writeFileSync(report, html);

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const times = new Map();
for (let i = 0; i < RUNS; i++) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.goto(pathToFileURL(report).href);
  await page.waitForTimeout(500);
  for (const [name, ms] of Object.entries(await page.evaluate(measure))) {
    times.set(name, [...(times.get(name) ?? []), ms]);
  }
  await page.close();
}
await browser.close();
rmSync(folder, { recursive: true });
for (const [name, list] of times) {
  list.sort((a, b) => a - b);
  console.log(`${name}: ${Math.round(list[0])}, ${Math.round(list[RUNS / 2])}`);
}

/** Runs in the page. */
async function measure() {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const time = async (act) => {
    await frame();
    const start = performance.now();
    act();
    await frame();
    return performance.now() - start;
  };
  const key = (name) => document.body.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
  return {
    'first paint': performance.getEntriesByType('paint')[0].startTime,
    zoom: await time(() => key('+')),
    pan: await time(() => key('ArrowRight')),
    all: await time(() => key('0')),
    'open a flow': await time(() => document.querySelector('button.expand').click()),
    sort: await time(() => document.querySelector('th[data-sort=text] button').click()),
    filter: await time(() => {
      history.replaceState(null, '', '#filter=ip%3A10.0.3.0%2F24');
      window.dispatchEvent(new HashChangeEvent('hashchange'));
    }),
  };
}
