import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Kind, Scenario, Wrong } from './scenario.js';

/** Frames of a capture that a filter finds. */
interface Counted {
  readonly count: number;
  readonly first_frame?: number;
  readonly first_time?: number;
  readonly last_frame?: number;
  readonly last_time?: number;
}

/** What is known of a run without macscan. */
export interface Truth {
  /** Numbers of wrong frames by capture. */
  readonly wrong: ReadonlyMap<string, readonly number[]>;
  /** Frames of each kind over all captures. */
  readonly counts: Readonly<Record<Kind, number>>;
  readonly frames: number;
  /** Entries that hold fewer or more frames than they must. */
  readonly complaints: readonly string[];
  /** s since 1970 of the first wrong frame. */
  readonly onset: number | undefined;
}

/**
 * Counts with tshark what went wrong in the captures of a finished run, and writes it to `truth.json` in its folder.
 * @param folder evidence of the run; its events stand beside it, in `<name>.events`
 */
export function tellTruth(scenario: Scenario, folder: string): Truth {
  const events = readEvents(`${folder}.events`);
  const captures = readdirSync(folder)
    .filter((name) => name.endsWith('.pcap'))
    .sort();
  const wrong = new Map<string, number[]>();
  const counts: Record<Kind, number> = {
    wrong_mac: 0,
    wrong_nexthop: 0,
    wrong_port: 0,
    wrong_egress: 0,
    wrong_vlan: 0,
    convergence: 0,
    offlink_arp: 0,
  };
  let onset: number | undefined;
  const complaints: string[] = [];
  const entries = scenario.wrong.map((entry) => {
    const since = momentOf(entry.since, events, folder);
    const until = momentOf(entry.until, events, folder);
    const per: Record<string, Counted> = {};
    for (const capture of captures) {
      if (entry.captures && !entry.captures.includes(capture)) continue;
      const found = findFrames(`${folder}/${capture}`, entry.filter, since, until);
      per[capture] = countedOf(found);
      counts[entry.kind] += found.length;
      if (!isWrong(entry)) continue;
      wrong.set(
        capture,
        [...(wrong.get(capture) ?? []), ...found.map(({ frame }) => frame)].sort((a, b) => a - b),
      );
      const [first] = found;
      if (first && (onset === undefined || first.time < onset)) onset = first.time;
    }
    const total = Object.values(per).reduce((sum, { count }) => sum + count, 0);
    if (total < (entry.least ?? 0) || total > (entry.most ?? Infinity)) {
      complaints.push(`the experiment failed: ${total} ${entry.label}`);
    }
    return {
      label: entry.label,
      kind: entry.kind,
      filter: entry.filter,
      expected_mac: entry.expectedMac ?? null,
      observed_mac: entry.observedMac ?? null,
      since: since ?? null,
      until: until ?? null,
      captures: entry.captures ?? null,
      per_capture: per,
    };
  });
  const frames = captures.reduce((sum, capture) => sum + findFrames(`${folder}/${capture}`, 'frame').length, 0);
  const truth = {
    scenario: scenario.name,
    description: scenario.title,
    cause: scenario.expect.cause ?? null,
    uname: textOf(`${folder}/dump-end/uname.txt`).trim(),
    owners: scenario.owners.map(({ ip, mac, who, port, from, to }) => ({
      ip,
      mac,
      who,
      router_port: port,
      from: momentOf(from, events, folder) ?? null,
      to: momentOf(to, events, folder) ?? null,
    })),
    events: events.map(({ time, what }) => ({ t: time, what })),
    onset: onset ?? null,
    wrong: entries,
  };
  writeFileSync(`${folder}/truth.json`, `${JSON.stringify(truth, null, 1)}\n`);
  return { wrong, counts, frames, complaints, onset };
}

/** Whether macscan has to accuse these frames. */
function isWrong({ kind }: Wrong): boolean {
  return kind !== 'convergence' && kind !== 'offlink_arp';
}

interface Event {
  readonly time: number;
  readonly what: string;
}

function readEvents(file: string): Event[] {
  return textOf(file)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [time = '', ...what] = line.split(' ');
      return { time: Number(time), what: what.join(' ') };
    });
}

/** s since 1970; undefined when there is no bound. */
function momentOf(bound: string | undefined, events: readonly Event[], folder: string): number | undefined {
  if (bound === undefined) return undefined;
  const [said = '', after] = bound.split(' after ');
  const [word, first = '', second = '', third = ''] = said.split(' ');
  const since = after === undefined ? -Infinity : (momentOf(after, events, folder) ?? -Infinity);
  const monitored =
    word === 'neighbor'
      ? monitorTime(`${folder}/ip-monitor-neigh.log`, since, `${first} dev ${third}`, `lladdr ${second}`)
      : word === 'port'
        ? monitorTime(`${folder}/bridge-monitor-fdb.log`, since, first, `dev ${second}`)
        : word === 'rule'
          ? monitorTime(`${folder}/ip-monitor-route.log`, since, 'Deleted', said.slice(5))
          : word === 'route'
            ? monitorTime(`${folder}/ip-monitor-route.log`, since, said.slice(6))
            : undefined;
  const event = events.find(({ what }) => what === said);
  const moment = monitored ?? event?.time;
  if (moment === undefined) throw new Error(`${folder}: nothing tells when "${bound}" was`);
  return moment;
}

/** Time of the first entry, not before `since`, that holds all words: `ip -ts monitor` puts the time before it, `bridge -t monitor` above it. */
function monitorTime(file: string, since: number, ...words: string[]): number | undefined {
  let time: number | undefined;
  for (const line of textOf(file).split('\n')) {
    const short = /^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)\]/.exec(line);
    if (short) time = Date.parse(`${short[1] ?? ''}Z`) / 1000 + Number(short[2]);
    const long = /^Timestamp: (.*) (\d+) usec$/.exec(line);
    if (long) time = Date.parse(`${long[1] ?? ''} UTC`) / 1000 + Number(long[2]) / 1e6;
    const isWanted =
      words.every((word) => line.includes(word)) && line.includes('Deleted') === words.includes('Deleted');
    if (isWanted && time !== undefined && time >= since) return time;
  }
  return undefined;
}

interface Found {
  readonly frame: number;
  readonly time: number;
}

function findFrames(capture: string, filter: string, since?: number, until?: number): Found[] {
  const bounds = [
    ...(since === undefined ? [] : [`frame.time_epoch >= ${since.toFixed(6)}`]),
    ...(until === undefined ? [] : [`frame.time_epoch < ${until.toFixed(6)}`]),
  ];
  const args = ['-n', '-r', capture, '-Y', [`(${filter})`, ...bounds].join(' && ')];
  const output = execFileSync('tshark', [...args, '-T', 'fields', '-e', 'frame.number', '-e', 'frame.time_epoch'], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [frame, time] = line.split('\t');
      return { frame: Number(frame), time: Number(time) };
    });
}

function countedOf(found: readonly Found[]): Counted {
  const [first] = found;
  const last = found.at(-1);
  if (!first || !last) return { count: 0 };
  return {
    count: found.length,
    first_frame: first.frame,
    first_time: first.time,
    last_frame: last.frame,
    last_time: last.time,
  };
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}
