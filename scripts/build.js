// Compiles src/ beside dist/ and puts the result in its place, so that no file of an earlier build stays behind and
// nobody meets half a build; makes the command executable. The command is put together into a few files, as loading two
// hundred takes longer than analysing a small capture; those of the library stay as they are. The page of the
// HTML report becomes a module beside them.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { constants, brotliCompressSync } from 'node:zlib';
import { rolldown } from 'rolldown';
import { writeReportPage } from './report-page.js';
import { vendorList } from './vendor-list.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}dist`;
const fresh = `${root}node_modules/.cache/macscan-build-${process.pid}`;

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
  cwd: root,
  stdio: 'inherit',
});
if (existsSync(`${fresh}/cli.js`)) {
  const bundle = await rolldown({ input: `${fresh}/cli.js`, platform: 'node', external: /^[a-z#]/, logLevel: 'warn' });
  await bundle.write({ dir: fresh, format: 'esm', chunkFileNames: 'command/[name].js' });
  await bundle.close();
  await writeReportPage(`${fresh}/report-page.js`);
  chmodSync(`${fresh}/cli.js`, 0o755);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  writeFileSync(`${fresh}/vendors.br`, brotliCompressSync(vendorList(), quality));
}
if (existsSync(fresh)) {
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
}
process.exitCode = status ?? 1;
