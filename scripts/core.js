// Compiles core/ to WebAssembly. The result is a module that exports the binary as text.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { main } from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The memory is that of `src/bytes/core.ts`: shared, with the same limits. */
const OPTIONS = [
  ['--optimizeLevel', '3', '--noAssert', '--runtime', 'stub', '--enable', 'threads,bulk-memory'],
  ['--importMemory', '--sharedMemory', '--initialMemory', '64', '--maximumMemory', '65536'],
].flat();

/** Writes the module to `file`, whole or not at all. */
export async function writeCore(file) {
  const binary = `${file}.${process.pid}.wasm`;
  mkdirSync(dirname(file), { recursive: true });
  const output = { wasm: undefined };
  const { error, stderr } = await main(['core/index.ts', '--baseDir', root, '--outFile', 'core.wasm', ...OPTIONS], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) output.wasm = contents;
    },
  });
  if (error || !output.wasm) throw new Error(`core/ does not compile: ${error?.message}\n${stderr.toString()}`);
  const text = Buffer.from(output.wasm).toString('base64');
  writeFileSync(binary, `/** The WebAssembly core, in base64. */\nexport const CORE = '${text}';\n`);
  renameSync(binary, file);
}
