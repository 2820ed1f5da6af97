// Compiles src/ into an empty dist/, so that no file of an earlier build stays behind, and makes the command executable.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';

const root = new URL('..', import.meta.url);
const command = new URL('dist/cli.js', root);

rmSync(new URL('dist', root), { recursive: true, force: true });
const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const { status } = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (existsSync(command)) chmodSync(command, 0o755);
process.exitCode = status ?? 1;
