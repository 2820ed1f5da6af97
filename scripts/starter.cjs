#!/usr/bin/env node
// Starts the command; scripts/build.js copies this beside the files of the command. Beside some of these lies what the
// engine made of them at the build (`.code`, see code-cache.js): with that it need not compile them again, which takes
// longer than analysing a small capture. An engine of another version, or with other options, compiles them.
const { existsSync, readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const loaded = new Map();

load('./cli.cjs');

/** What a file of the command exports; any other module as `require` gives it. */
function load(name) {
  if (!name.startsWith('./')) return require(name);
  const known = loaded.get(name);
  if (known) return known;
  const exports = {};
  loaded.set(name, exports);
  const filename = `${__dirname}/${name.slice(2)}`;
  const text = `(function (exports, require, __filename) {${readFileSync(filename, 'utf8')}\n})`;
  const cachedData = existsSync(`${filename}.code`) ? readFileSync(`${filename}.code`) : undefined;
  new Script(text, { filename, cachedData }).runInThisContext()(exports, load, filename);
  return exports;
}
