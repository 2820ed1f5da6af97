// Puts the page of the HTML report together from report-templates/: its script is bundled and made small, and hashed
// with the style sheet for the content security policy. The result is a module that exports strings.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const templates = fileURLToPath(new URL('../report-templates/', import.meta.url));

/** Writes the module to `file`, whole or not at all. */
export async function writeReportPage(file) {
  const script = await bundle();
  const style = smaller(readFileSync(`${templates}style.css`, 'utf8'));
  const shell = readFileSync(`${templates}shell.html`, 'utf8');
  if (/<\/(script|style)/i.test(script) || script.includes('<!--') || style.includes('</')) {
    throw new Error('the script or the style sheet of the report would end its own element');
  }
  if (/\bnew Function\b|\beval\(/.test(script)) throw new Error('the script of the report evaluates text');
  const page = { SHELL: shell, STYLE: style, SCRIPT: script, STYLE_HASH: hash(style), SCRIPT_HASH: hash(script) };
  const lines = Object.entries(page).map(([name, text]) => `export const ${name} = ${JSON.stringify(text)};\n`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, lines.join(''));
  renameSync(`${file}.${process.pid}`, file);
}

async function bundle() {
  const build = await rolldown({
    input: `${templates}page.ts`,
    platform: 'browser',
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    logLevel: 'warn',
  });
  const { output } = await build.generate({ format: 'iife', minify: true });
  await build.close();
  return `/*\n${d3Licence()}\n*/\n${output[0].code.trim()}`;
}

/** It asks to be in every copy, and each report is one. */
function d3Licence() {
  const licence = readFileSync(new URL('../node_modules/d3/LICENSE', import.meta.url), 'utf8');
  if (licence.includes('*/')) throw new Error('the licence of d3 would end its own comment');
  return `d3\n${licence.trim()}`;
}

function smaller(css) {
  return css
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,]) ?/g, '$1')
    .replaceAll(';}', '}')
    .trim();
}

function hash(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
