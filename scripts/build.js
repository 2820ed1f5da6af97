// Compiles src/ beside dist/ and puts the result in its place, so that no file of an earlier build stays behind and
// nobody meets half a build; makes the command executable.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = `${root}dist`;
const fresh = `${root}node_modules/.cache/macscan-build-${process.pid}`;

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
  cwd: root,
  stdio: 'inherit',
});
if (existsSync(`${fresh}/cli.js`)) chmodSync(`${fresh}/cli.js`, 0o755);
if (existsSync(fresh)) {
  rmSync(target, { recursive: true, force: true });
  renameSync(fresh, target);
}
process.exitCode = status ?? 1;
