import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { evidenceOf } from './check.js';
import type { Scenario } from './scenario.js';

/** Scenarios in which the router runs what `macscan collect` prints, too. */
const COLLECTED: ReadonlySet<string> = new Set(['stale-mac', 'policy-routing']);

/** Frames at the ends of the collection that one of two captures may have and the other not. */
const SLACK = 5;

export function isCollected({ name }: Scenario): boolean {
  return COLLECTED.has(name);
}

/** The script, for longer than any scenario lasts: the guest ends it early. */
export function collectScript(cli: string): string {
  return execFileSync(process.execPath, [cli, 'collect', '--duration', '580'], { encoding: 'utf8' });
}

/** In what the collected archive is judged otherwise than the lab's evidence on the router's own devices. */
export function collectedComplaints(scenario: Scenario, folder: string, cli: string): string[] {
  if (!isCollected(scenario)) return [];
  const archive = `${folder}.case.tar`;
  if (!existsSync(archive)) return ['nothing was collected'];
  const own = evidenceOf(folder).filter((file) => !file.endsWith('.pcap') || /\/router\.[^/]*\.pcap$/.test(file));
  const collected = summaryOf(cli, [archive]);
  // The collector ends before the lab's own captures do.
  const whole = summaryOf(cli, collected.until === undefined ? own : ['--to', collected.until, ...own]);
  const complaints: string[] = [];
  for (const key of ['verdict', 'causes', 'destinations'] as const) {
    if (whole[key] !== collected[key])
      complaints.push(`collected: ${key} ${collected[key]}, and ${whole[key]} in the lab's evidence`);
  }
  if (Math.abs(whole.frames - collected.frames) > SLACK)
    complaints.push(`collected: ${collected.frames} frames went wrong, and ${whole.frames} in the lab's evidence`);
  return complaints;
}

interface Summary {
  readonly verdict: string;
  readonly causes: string;
  /** Address, device and MAC of what went wrong. */
  readonly destinations: string;
  readonly frames: number;
  /** Seconds since 1970 of the last frame that went wrong. */
  readonly until: string | undefined;
}

interface Analysis {
  readonly verdict: string;
  readonly totals: { readonly misdelivered: number };
  readonly findings: readonly { readonly cause: string }[];
  readonly misdeliveries: readonly {
    readonly device: string;
    readonly dstIp: string;
    readonly dstMac: string;
    readonly lastTime: string;
    readonly class?: string;
  }[];
}

function summaryOf(cli: string, args: readonly string[]): Summary {
  const { stdout } = spawnSync(process.execPath, [cli, '-f', 'json', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  const parse: (text: string) => Analysis = JSON.parse;
  const { verdict, totals, findings, misdeliveries } = parse(stdout);
  const wrong = misdeliveries.filter((one) => one.class !== 'convergence');
  return {
    verdict,
    causes: listed(findings.map(({ cause }) => cause).filter((cause) => cause !== 'convergence')),
    destinations: listed(wrong.map(({ device, dstIp, dstMac }) => `${dstIp} ${dstMac} ${device}`)),
    frames: totals.misdelivered,
    until: wrong
      .map(({ lastTime }) => lastTime.replace(/(?=\d{9}$)/, '.'))
      .sort()
      .at(-1),
  };
}

function listed(texts: readonly string[]): string {
  return [...new Set(texts)].sort().join(', ') || 'none';
}
