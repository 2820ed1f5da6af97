import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Scenario } from './scenario.js';
import type { Truth } from './truth.js';

/** Of the JSON that macscan prints, what is looked at here; see schema/analysis.schema.json. */
interface Analysis {
  readonly misdeliveries: readonly {
    readonly input: string;
    readonly class?: string;
    readonly frameRanges: readonly (readonly [number, number])[];
    readonly firstTime: string;
  }[];
  readonly findings: readonly { readonly cause: string }[];
}

/** What macscan says of a run, beside the truth. */
export interface Judged {
  readonly scenario: Scenario;
  readonly truth: Truth;
  /** Frames that macscan accuses. */
  readonly found: number;
  /** Wrong frames that it does not. */
  readonly missed: number;
  /** Frames that it accuses, and are right. */
  readonly accused: number;
  readonly causes: readonly string[];
  /** ms between the first wrong frame and what macscan says is it. */
  readonly onsetError: number | undefined;
  /** What is not as it must be; empty when all is well. */
  readonly complaints: readonly string[];
}

/** Runs the built macscan on the evidence of a run. */
export function judge(scenario: Scenario, folder: string, truth: Truth, cli: string): Judged {
  const analysis = analyze(cli, evidenceOf(folder));
  const accusations = new Map<string, Set<number>>();
  let onset: number | undefined;
  for (const one of analysis.misdeliveries) {
    if (one.class === 'convergence') continue;
    const frames = accusations.get(one.input) ?? new Set<number>();
    accusations.set(one.input, frames);
    for (const [from, to] of one.frameRanges) for (let frame = from; frame <= to; frame++) frames.add(frame);
    const first = Number(BigInt(one.firstTime) / 1000n) / 1e6;
    if (onset === undefined || first < onset) onset = first;
  }
  let [found, missed, accused] = [0, 0, 0];
  for (const capture of new Set([...accusations.keys(), ...truth.wrong.keys()])) {
    const said = accusations.get(capture) ?? new Set<number>();
    const wrong = new Set(truth.wrong.get(capture));
    found += said.size;
    missed += [...wrong].filter((frame) => !said.has(frame)).length;
    accused += [...said].filter((frame) => !wrong.has(frame)).length;
  }
  const causes = [...new Set(analysis.findings.map(({ cause }) => cause))];
  const onsetError =
    onset === undefined || truth.onset === undefined ? undefined : Math.round((onset - truth.onset) * 1000);
  return {
    scenario,
    truth,
    found,
    missed,
    accused,
    causes,
    onsetError,
    complaints: complaintsOf(scenario, truth, missed, accused, causes),
  };
}

function complaintsOf(
  { expect }: Scenario,
  truth: Truth,
  missed: number,
  accused: number,
  causes: readonly string[],
): string[] {
  const wrong = [...truth.wrong.values()].reduce((sum, frames) => sum + frames.length, 0);
  const complaints = [...truth.complaints];
  if (expect.wrongFrames === 0 && wrong > 0) complaints.push(`a control, yet ${wrong} frames went wrong`);
  if (wrong < expect.wrongFrames) complaints.push(`the fault does not show: ${wrong} of ${expect.wrongFrames} frames`);
  if (missed > 0) complaints.push(`macscan misses ${missed} frames`);
  if (accused > 0) complaints.push(`macscan wrongly accuses ${accused} frames`);
  if (expect.cause !== undefined && !causes.includes(expect.cause)) {
    complaints.push(`macscan says ${causes.join(', ') || 'nothing'}, and not ${expect.cause}`);
  }
  return complaints;
}

/** All files of a run but its truth. */
export function evidenceOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'truth.json')
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();
}

function analyze(cli: string, files: readonly string[]): Analysis {
  const parse: (text: string) => Analysis = JSON.parse;
  return parse(
    execFileSync(process.execPath, [cli, '-f', 'json', '--no-exit-code', ...files], {
      encoding: 'utf8',
      maxBuffer: 1 << 30,
    }),
  );
}
