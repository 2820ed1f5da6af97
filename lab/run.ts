// npm run lab [-- [scenario...] [--list] [--kernel package] [--accelerator kvm] [--machine] [--judge-only] [--samples]]
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { judge, type Judged } from './check.js';
import { collectedComplaints, collectScript, isCollected } from './collect.js';
import { guardFiles } from './guard.js';
import { canRunHere, type MachineOptions, runHere, runInMachine } from './machine.js';
import { DEFAULT_KERNEL, hasCommand } from './packages.js';
import { SAMPLE_PACE, SAMPLES, ship } from './samples.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/index.js';
import { filesOf } from './script.js';
import { heading, row } from './table.js';
import { tellTruth } from './truth.js';

const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const build = `${root}/lab/build`;
const results = `${build}/out`;
const cli = `${root}/dist/cli.js`;

/** Scenarios that run side by side: most of their time they wait. */
const LANES = 3;

/** s between packets of a flow. */
const PACE = 0.05;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    kernel: { type: 'string', default: DEFAULT_KERNEL },
    accelerator: { type: 'string', default: 'tcg' },
    machine: { type: 'boolean', default: false },
    'judge-only': { type: 'boolean', default: false },
    samples: { type: 'boolean', default: false },
  },
});

if (options.list) for (const { name, title } of SCENARIOS) console.log(`${name.padEnd(28)}${title}`);
else process.exitCode = (await lab()) ? 0 : 1;

/** @returns whether everything is as it must be */
async function lab(): Promise<boolean> {
  const wanted = options.samples ? SAMPLES.map(({ scenario }) => scenario) : positionals;
  const chosen = SCENARIOS.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  const unknown = positionals.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`no such scenario: ${unknown.join(', ')}`);
  if (!hasCommand('tshark')) throw new Error('tshark is missing, which counts the truth: apt-get install tshark');
  mkdirSync(build, { recursive: true });
  if (!options['judge-only']) await experiment(chosen);
  console.log(`\n${heading()}`);
  const all = chosen.map((scenario) => {
    const judged = conclude(scenario);
    console.log(typeof judged === 'string' ? `${scenario.name}: ${judged}` : row(judged));
    return judged;
  });
  const failed = all.filter((judged) => typeof judged === 'string' || judged.complaints.length > 0).length;
  console.log(`\n${all.length - failed} of ${all.length} scenarios as they must be`);
  if (options.samples && failed === 0) {
    for (const sample of SAMPLES) ship(sample, `${results}/${sample.scenario}`, `${root}/captures/${sample.name}`);
    console.log('captures/ holds them; now: npm run goldens');
  }
  return failed === 0;
}

async function experiment(scenarios: readonly Scenario[]): Promise<void> {
  const names = new Set(scenarios.flatMap(({ name, guardOf }) => [name, ...(guardOf === undefined ? [] : [guardOf])]));
  const all = SCENARIOS.filter(({ name }) => names.has(name));
  for (const { name } of all) rmSync(`${results}/${name}`, { recursive: true, force: true });
  await runAll(all.filter(({ guardOf }) => guardOf === undefined));
  // What guards them is read off what the others left.
  await runAll(all.filter(({ guardOf }) => guardOf !== undefined));
}

async function runAll(scenarios: readonly Scenario[]): Promise<void> {
  if (scenarios.length === 0) return;
  const isHere = !options.machine && canRunHere();
  const machine: MachineOptions = {
    build,
    kernel: options.kernel,
    accelerator: options.accelerator === 'kvm' ? 'kvm' : 'tcg',
    timeout: 300 + Math.ceil(scenarios.length / LANES) * 600,
  };
  const tell = (line: string): void => console.log(line);
  const payload = payloadOf(scenarios);
  if (isHere) await runHere(payload, results, machine, tell);
  else await runInMachine(payload, results, machine, tell);
}

function payloadOf(scenarios: readonly Scenario[]): Map<string, string> {
  const payload = new Map<string, string>();
  const guest = `${root}/lab/guest`;
  for (const name of readdirSync(guest)) payload.set(name, readFileSync(`${guest}/${name}`, 'utf8'));
  for (const scenario of scenarios) {
    for (const [path, text] of filesOf(scenario, options.samples ? SAMPLE_PACE : PACE)) payload.set(path, text);
    if (scenario.guardOf === undefined) continue;
    for (const [ending, text] of guardFiles(cli, `${results}/${scenario.guardOf}`)) {
      payload.set(`scenarios/${scenario.name}.${ending}`, text);
    }
  }
  if (scenarios.some(isCollected)) payload.set('collect.sh', collectScript(cli));
  payload.set('list', `${scenarios.map(({ name }) => name).join('\n')}\n`);
  payload.set('lanes', `${LANES}\n`);
  payload.set('limit', '600\n');
  return payload;
}

/** What came out of one scenario; in words, when nothing did. */
function conclude(scenario: Scenario): Judged | string {
  const folder = `${results}/${scenario.name}`;
  if (!existsSync(`${folder}/dump-end/uname.txt`)) return `did not run to its end; see ${results}/${scenario.name}.log`;
  try {
    const judged = judge(scenario, folder, tellTruth(scenario, folder), cli);
    return { ...judged, complaints: [...judged.complaints, ...collectedComplaints(scenario, folder, cli)] };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
