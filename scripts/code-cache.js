// Runs the built command once, as its user would, and keeps what the engine compiled meanwhile beside each file that was
// loaded (`.code`), for starter.cjs to give back to the engine.
// Usage: node scripts/code-cache.js <folder of the command> <words of the command line>
import { renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import vm from 'node:vm';

const [folder, ...words] = process.argv.slice(2);
const starter = `${folder}/macscan.cjs`;
const scripts = new Map();

vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options);
    scripts.set(options.filename, this);
  }
};

process.on('exit', () => {
  for (const [filename, script] of scripts) {
    writeFileSync(`${filename}.code.tmp`, script.createCachedData());
    renameSync(`${filename}.code.tmp`, `${filename}.code`);
  }
});

process.argv.splice(1, Infinity, starter, ...words);
createRequire(import.meta.url)(starter);
