import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { evidenceOf } from './check.js';
import type { Scenario } from './scenario.js';

/** Scenarios in which the router runs what `macscan collect` prints, too. */
const COLLECTED: ReadonlySet<string> = new Set(['stale-mac', 'policy-routing']);

/** Frames at the ends of the collection that one of two captures may have and the other not. */
const SLACK = 5;

/**
 * s: the router of the lab has no `ip monitor` under busybox, and its neighbor table is read about each second, in a slow
 * machine each two. When the router learnt a MAC is known to that, and no frame before may be accused.
 */
const LATE = 3;

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
  const whole = summaryOf(cli, collected.until === undefined ? own : ['--to', collected.until.toFixed(6), ...own]);
  const complaints: string[] = [];
  for (const key of ['verdict', 'causes', 'destinations'] as const) {
    if (whole[key] !== collected[key])
      complaints.push(`collected: ${key} ${collected[key]}, and ${whole[key]} in the lab's evidence`);
  }
  return [...complaints, ...countComplaints(collected, whole)];
}

/** In what the counts differ, beyond what is not known of the onset. */
function countComplaints(collected: Summary, whole: Summary): string[] {
  const { since = 0, until = since } = whole;
  const late = (collected.since ?? since) - since;
  if (late > LATE) return [`collected: frames go wrong ${late.toFixed(1)} s later than in the lab's evidence`];
  const unseen = until > since ? (Math.max(late, 0) * whole.frames) / (until - since) : 0;
  const less = whole.frames - collected.frames;
  if (less >= -SLACK && less <= SLACK + 2 * unseen) return [];
  return [`collected: ${collected.frames} frames went wrong, and ${whole.frames} in the lab's evidence`];
}

interface Summary {
  readonly verdict: string;
  readonly causes: string;
  /** Address, device and MAC of what went wrong. */
  readonly destinations: string;
  readonly frames: number;
  /** Seconds since 1970 of the first and the last frame that went wrong. */
  readonly since: number | undefined;
  readonly until: number | undefined;
}

interface Analysis {
  readonly verdict: string;
  readonly totals: { readonly misdelivered: number };
  readonly findings: readonly { readonly cause: string }[];
  readonly misdeliveries: readonly {
    readonly device: string;
    readonly dstIp: string;
    readonly dstMac: string;
    readonly firstTime: string;
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
    since: wrong.length > 0 ? Math.min(...wrong.map(({ firstTime }) => seconds(firstTime))) : undefined,
    until: wrong.length > 0 ? Math.max(...wrong.map(({ lastTime }) => seconds(lastTime))) : undefined,
  };
}

function listed(texts: readonly string[]): string {
  return [...new Set(texts)].sort().join(', ') || 'none';
}

function seconds(ns: string): number {
  return Number(BigInt(ns) / 1000n) / 1e6;
}
