/** A comparison as one static HTML file: no script, nothing loaded. */

import { escapeHtml, markup } from '../html/markup.js';
import { printable } from '../words.js';
import type { Comparison, Row } from './matrix.js';

export const COMPARISON_STYLE =
  ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}' +
  'h1{font-size:1.3rem}table{border-collapse:collapse;width:100%}caption{text-align:left;margin-bottom:.5rem}' +
  'th,td{border:1px solid #767676;padding:.4rem .6rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}' +
  'tr.differs th,tr.differs td{font-weight:700}tr th{font-weight:400}thead th{font-weight:700}';

/** SHA-256 of the style, by which the policy of the page lets it in; a test holds them equal. */
export const COMPARISON_STYLE_HASH = 'sha256-2VMwg337POaHMsfnwg5vpJ6upoELkMg0IM43KWyaN58=';

export function comparisonHtml({ conclusion, sides, rows, generator }: Comparison): string {
  const policy = `default-src 'none'; style-src '${COMPARISON_STYLE_HASH}'; base-uri 'none'; form-action 'none'`;
  const title = escapeHtml(conclusion.length > 200 ? `${conclusion.slice(0, 200)}...` : conclusion);
  const body = markup`
<main>
<h1>${conclusion}</h1>
<table>
<caption>Two cases side by side. Rows in bold, marked with an asterisk, differ.</caption>
<thead><tr><td></td>${sides.map(({ name }) => markup`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${rows.map(rowMarkup)}</tbody>
</table>
<p>Made by macscan ${printable(generator.version)}.</p>
</main>
`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${COMPARISON_STYLE}</style>
</head>
<body>${body.text}</body>
</html>
`;
}

function rowMarkup({ what, values, differs }: Row): ReturnType<typeof markup> {
  const mark = differs ? ' *' : '';
  return markup`<tr class="${differs ? 'differs' : 'same'}"><th scope="row">${what}${mark}</th>${values.map((value) => markup`<td>${value}</td>`)}</tr>
`;
}
