// Compiles src/ beside dist/ and puts the result in its place, so that no file of an earlier build stays behind and
// nobody meets half a build. The library stays as it is compiled. The command is put together into a few files of
// CommonJS below dist/command/: loading two hundred modules takes longer than analysing a small capture, and Node makes
// an ECMAScript module import all of a built-in module (for crypto, fs or stream: much more than is used). starter.cjs
// starts it. The page of the HTML report becomes a module beside them.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { writeCore } from './core.js';
import { writeReportPage } from './report-page.js';
import { vendorList } from './vendor-list.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}dist`;
const fresh = `${root}node_modules/.cache/macscan-build-${process.pid}`;

const STARTER = `#!/usr/bin/env node
// Starts the command for those who name this file. The command itself is CommonJS, which starts in less time.
process.getBuiltinModule('node:module').createRequire(import.meta.url)('./command/macscan.cjs');
`;

// Files of the command that hold all that a module imports, so that there are few to load; what two could hold is in the
// first. Of everything else, bundling makes a file for each module that is loaded when it is needed.
const groups = [
  { name: 'start', test: /\/cli\.js$/, priority: 3 },
  { name: 'capture', test: /\/commands\/frames\.js$/, priority: 2 },
  { name: 'analysis', test: /\/commands\/scan\.js$|\/render\/text\.js$/, priority: 1 },
];

// The parser of options can start other programs as commands, for which it loads much that nobody needs here.
const noPrograms = {
  name: 'no-programs',
  resolveId(id, importer) {
    return id === 'node:child_process' && importer?.includes('/commander/') ? '\0no-programs' : undefined;
  },
  load(id) {
    return id === '\0no-programs' ? 'export {};' : undefined;
  },
};

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
  cwd: root,
  stdio: 'inherit',
});
if (existsSync(`${fresh}/cli.js`)) {
  await writeReportPage(`${fresh}/report-page.js`);
  await writeCore(`${fresh}/core.js`);
  await writeCommand();
  writeFileSync(`${fresh}/vendors.txt`, vendorList());
}
if (existsSync(fresh)) {
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
  const compileOnce = ['scripts/code-cache.js', `${target}/command`, 'captures/stale-mac', '--no-exit-code'];
  spawnSync(process.execPath, compileOnce, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
process.exitCode = status ?? 1;

/** Takes what was compiled of the command, with the parser of options, and puts a starter in the place of cli.js. */
async function writeCommand() {
  const bundle = await rolldown({
    input: `${fresh}/cli.js`,
    platform: 'node',
    external: ['csv-stringify/sync', 'fzstd', 'saxes', 'tar-stream', 'xz-decompress'],
    resolve: { alias: { '#report-page': `${fresh}/report-page.js`, '#core': `${fresh}/core.js` } },
    plugins: [noPrograms],
    logLevel: 'warn',
  });
  await bundle.write({
    dir: `${fresh}/command`,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    dynamicImportInCjs: false,
    codeSplitting: { groups },
  });
  await bundle.close();
  copyFileSync(new URL('starter.cjs', import.meta.url), `${fresh}/command/macscan.cjs`);
  writeFileSync(`${fresh}/cli.js`, STARTER);
  for (const file of ['cli.js', 'command/macscan.cjs']) chmodSync(`${fresh}/${file}`, 0o755);
}
