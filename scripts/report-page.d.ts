/** Writes the page of the HTML report to `file`, as a module that exports strings (report-templates/report-page.d.ts). */
export function writeReportPage(file: string): Promise<void>;
