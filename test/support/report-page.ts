import { fileURLToPath } from 'node:url';

/** Before the tests: the page of the HTML report is put together anew, as `src/render/html.ts` finds it in dist/. */
export async function setup(): Promise<void> {
  const { writeReportPage } = await import('../../scripts/report-page.js');
  await writeReportPage(fileURLToPath(new URL('../../dist/report-page.js', import.meta.url)));
}
