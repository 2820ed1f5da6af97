// npm run bench [-- --quick] [--only a,b] [--rounds N] [--write]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { generate } from './generate.js';
import { type Run, measure } from './measure.js';
import { type Measured, summary, table } from './report.js';
import { slice } from './slice.js';
import { SLICE, type Subject, type Tool, tools } from './tools.js';
import { type Workload, workloads } from './workloads.js';

/** A tool that takes more CPU time than this, in s, runs in the first round only. */
const SLOW = 5;

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const build = `${root}/bench/build`;
const data = `${root}/bench/data`;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});

const rounds = Number(options.rounds ?? (options.quick ? 2 : 5));
const scratch = mkdtempSync(`${tmpdir()}/macscan-bench-`);
try {
  bench();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function bench(): void {
  compile('macbench');
  compile('measure');
  const only = options.only?.split(',');
  const sections = [heading()];
  console.log(sections[0]);
  for (const workload of workloads(options.quick)) {
    if (only !== undefined && !only.includes(workload.id)) continue;
    const subject = prepare(workload);
    const measured = compare(subject);
    const section = `## (${workload.id}) ${workload.title}\n\n${subject.frames} frames\n\n${table(measured)}\n\n${summary(measured)}\n`;
    console.log(section);
    sections.push(section);
  }
  if (existsSync(`${root}/bench/notes.md`)) sections.push(readFileSync(`${root}/bench/notes.md`, 'utf8'));
  if (options.write || (!options.quick && only === undefined)) {
    writeFileSync(`${root}/bench/results.md`, sections.join('\n'));
  }
}

function compile(name: string): void {
  mkdirSync(build, { recursive: true });
  execFileSync('cc', ['-O2', '-o', `${build}/${name}`, `${root}/bench/native/${name}.c`], { stdio: 'inherit' });
}

function heading(): string {
  const [cpu] = cpus();
  const machine = `${cpu?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const load = (loadavg()[0] ?? 0).toFixed(1);
  return `# Benchmark\n
Medians of up to ${rounds} rounds, all tools in turn in each round, warm cache. CPU is user and system time of the
whole process, ratios are medians over rounds. Slow tools run once, or on the first frames only: then their ratios are per
frame. macscan runs all the way to JSON. Machine: ${machine}, Node ${process.versions.node}. Made by \`npm run bench\`
with a load of ${load} at the beginning: where that is more than 1, other work shared the machine, and only CPU time and its
ratios mean something.\n`;
}

/** Makes the capture and its slices, and reads it once, so that it lies in the page cache. */
function prepare(workload: Workload): Subject {
  const edition = options.quick ? 'quick' : 'full';
  const path = generate(workload, data, edition);
  const walked: unknown = JSON.parse(execFileSync(`${build}/macbench`, ['--walk', path], { encoding: 'utf8' }));
  const frames = typeof walked === 'object' && walked !== null && 'packets' in walked ? Number(walked.packets) : NaN;
  const subject = { workload, path, frames, slice: slice(path, workload.format, SLICE) };
  if (workload.format !== 'pcapng') return subject;
  const plain = generate({ ...workload, id: `${workload.id}-plain`, frames: SLICE, plain: true }, data, edition);
  return { ...subject, plainSlice: plain };
}

/** Runs every tool in turn, round after round. */
function compare(subject: Subject): Measured[] {
  const measured = tools(root, scratch).flatMap((tool): Measured[] => {
    const command = tool.command(subject);
    return command === undefined ? [] : [first(tool, command, subject)];
  });
  for (let round = 1; round < rounds; round++) {
    for (const [at, entry] of measured.entries()) {
      const command = entry.tool.command(subject);
      if (entry.failure !== undefined || command === undefined || (entry.runs[0]?.cpu ?? 0) > SLOW) continue;
      const result = measure(`${build}/measure`, command, entry.tool.accepted);
      if ('cpu' in result) measured[at] = { ...entry, runs: [...entry.runs, result] };
    }
  }
  return measured;
}

function first(tool: Tool, command: readonly string[], subject: Subject): Measured {
  const sliced = tool.sliced === true;
  const frames = sliced ? Math.min(SLICE, subject.frames) : subject.frames;
  const result = measure(`${build}/measure`, command, tool.accepted);
  const runs: Run[] = 'cpu' in result ? [result] : [];
  return { tool, frames, sliced, runs, ...('why' in result ? { failure: result } : {}) };
}
