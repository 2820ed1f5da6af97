// Makes the images of docs/report.md anew from a shipped case: node scripts/report-images.js (after npm run build).
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(`${tmpdir()}/macscan-images-`);
const report = `${folder}/report.html`;
execFileSync(process.execPath, [
  `${root}dist/cli.js`,
  `${root}captures/stale-mac`,
  '-q',
  '--no-exit-code',
  '-o',
  report,
]);

const IMAGES = [
  { name: 'light', width: 1280, height: 720 },
  { name: 'dark', width: 1280, height: 720, colorScheme: 'dark' },
  { name: 'phone', width: 360, height: 740 },
  { name: 'print', width: 794, height: 1123, media: 'print' },
  { name: 'finding', width: 1280, height: 720, finding: true },
];

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
for (const { name, width, height, colorScheme = 'light', media, finding } of IMAGES) {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
  await page.goto(pathToFileURL(report).href);
  if (media) await page.emulateMedia({ media });
  if (finding) await page.keyboard.press('j');
  await page.screenshot({ path: `${root}docs/images/report-${name}.png` });
  await page.close();
}
await browser.close();
rmSync(folder, { recursive: true });
