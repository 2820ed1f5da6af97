import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { CaptureWriter } from './capture-writer.js';
import { FrameWriter } from './frames.js';
import { Network, willMove } from './network.js';
import { Random } from './random.js';
import type { Workload } from './workloads.js';

/** Part of the names of generated files: raise it with every change of what is generated. */
const VERSION = 6;

const INTERFACES = [
  { name: 'br-lan', mac: [0x02, 0xaa, 0, 0, 0, 1], ipv4: [10, 0, 0, 1, 255, 255, 0, 0] },
  { name: 'wan', mac: [0x02, 0xaa, 0, 0, 0, 2], ipv4: [203, 0, 113, 2, 255, 255, 255, 0] },
];

/** Makes the capture of a workload, unless it is there from an earlier run. Returns its path. */
export function generate(workload: Workload, folder: string, edition: string): string {
  const path = `${folder}/${workload.id}-${edition}-v${VERSION}.${workload.format}`;
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.part`;
  const out = new CaptureWriter(partial, workload, INTERFACES);
  write(workload, out);
  out.close();
  renameSync(partial, path);
  return path;
}

function write(workload: Workload, out: CaptureWriter): void {
  const random = new Random(workload.id.charCodeAt(0) * 7919);
  const network = new Network(workload, random);
  const frames = new FrameWriter(out, network);
  let time = 0;
  let count = 0;
  let untilChatter = workload.chatter;
  let host = 0;
  let moved = false;

  for (; host < network.hosts; host++) {
    time += 1000;
    frames.arp(host, time, true);
    frames.ndp(host, time);
    count += 4;
  }
  while (count < workload.frames && out.written < workload.bytes) {
    time += 1 + random.below(2 * workload.gap);
    if (workload.stale === true && !moved && out.written >= workload.bytes / 2) {
      moved = true;
      count += moveHosts(network, frames, time);
    }
    if (--untilChatter === 0) {
      untilChatter = workload.chatter;
      host = (host + 1) % network.hosts;
      count += chat(workload, frames, host, time);
    } else {
      const flow = random.below(workload.flows);
      frames.flow(flow, random.below(2) === 0 ? 0 : 1, workload.length(random), time, count);
      count++;
    }
  }
}

/** Neighbor traffic that keeps the bindings fresh. Returns how many frames it wrote. */
function chat(workload: Workload, frames: FrameWriter, host: number, time: number): number {
  switch (host % 10) {
    case 0:
      frames.dhcpAck(host, time);
      return 1;
    case 1:
    case 2:
    case 3:
      frames.ndp(host, time);
      return 2;
    case 4:
      if (workload.format === 'pcapng') frames.arpGateway(time);
      else frames.arp(host, time, true);
      return 2;
    default:
      frames.arp(host, time, host % 2 === 0);
      return 2;
  }
}

/** Some hosts come back with another MAC, and say so. Returns how many frames it took. */
function moveHosts(network: Network, frames: FrameWriter, time: number): number {
  let count = 0;
  for (let host = 0; host < network.hosts; host++) {
    if (!willMove(host)) continue;
    network.macVersion[host] = 1;
    frames.arp(host, time, true);
    frames.ndp(host, time);
    count += 4;
  }
  return count;
}
