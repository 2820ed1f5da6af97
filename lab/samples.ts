import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';

/** What of a scenario is shipped below `captures/`, as somebody would have collected it. */
interface Sample {
  readonly scenario: string;
  readonly name: string;
  /** Captures, by the router's device. */
  readonly devices: readonly string[];
  /** The moment of the dump. */
  readonly dump: string;
}

export const SAMPLES: readonly Sample[] = [
  { scenario: 'stale-mac', name: 'stale-mac', devices: ['lan3', 'br-lan', 'wan'], dump: 'stale' },
  { scenario: 'bridge-in-flowtable', name: 'healthy-takeover', devices: ['lan3', 'br-lan'], dump: 'stale' },
  { scenario: 'policy-routing', name: 'policy-routing', devices: ['lan2', 'br-lan', 'wan'], dump: 'steady' },
  { scenario: 'roaming', name: 'roaming', devices: ['lan1', 'lan2', 'wan'], dump: 'stale' },
  { scenario: 'vpn-bypass', name: 'vpn-bypass', devices: ['lan1', 'lan2', 'wan'], dump: 'steady' },
];

/** s between packets, so that the samples stay small. */
export const SAMPLE_PACE = 0.25;

/** Bytes of a frame that are kept. */
const HEADERS = 80;

const LOGS = ['conntrack-E.log', 'ip-monitor-neigh.log', 'bridge-monitor-fdb.log'];
/** Dumps that say nothing more than others do. */
const LEFT_OUT = ['date.txt', 'proc-net-nf_conntrack.txt', 'bridge-vlan.txt'];

/** Puts the evidence of a run into a folder, in the stead of what is there; README and expected outputs stay. */
export function ship({ devices, dump }: Sample, run: string, target: string): void {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target)) if (!/^(README|expected)\./.test(name)) rmSync(`${target}/${name}`);
  for (const device of devices) {
    const files = [`${run}/router.${device}.pcap`, `${target}/${device}.pcap`];
    execFileSync('editcap', ['-F', 'pcap', '-s', String(HEADERS), ...files]);
  }
  for (const log of LOGS) if (existsSync(`${run}/${log}`)) copyFileSync(`${run}/${log}`, `${target}/${log}`);
  for (const file of readdirSync(`${run}/dump-${dump}`)) {
    if (!LEFT_OUT.includes(file)) copyFileSync(`${run}/dump-${dump}/${file}`, `${target}/${file}`);
  }
}
