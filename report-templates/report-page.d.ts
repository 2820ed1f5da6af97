/** The page of the HTML report, as `scripts/report-page.js` makes it from this folder. */

/** The document, with slots such as `{{body}}`. */
export const SHELL: string;
export const STYLE: string;
export const SCRIPT: string;
/** Sources of the content security policy: `sha256-...` of exactly these texts. */
export const STYLE_HASH: string;
export const SCRIPT_HASH: string;
