import { closeSync, existsSync, openSync, readSync, writeFileSync } from 'node:fs';
import type { Workload } from './workloads.js';

const LARGEST_FRAME = 1600;
const PCAP_HEADER = 24;
const ENHANCED_PACKET = 6;

/** Writes the first `frames` frames of a generated capture to a file beside it, for tools that are too slow for the whole. */
export function slice(path: string, format: Workload['format'], frames: number): string {
  const target = path.replace(/(\.pcap(?:ng)?)$/, `-first${frames}$1`);
  if (existsSync(target)) return target;
  const bytes = Buffer.alloc(frames * LARGEST_FRAME);
  const file = openSync(path, 'r');
  const have = readSync(file, bytes, 0, bytes.length, 0);
  closeSync(file);
  writeFileSync(target, bytes.subarray(0, endOf(bytes, have, format, frames)));
  return target;
}

/** Where the last of so many frames ends. */
function endOf(bytes: Buffer, have: number, format: Workload['format'], frames: number): number {
  let at = format === 'pcap' ? PCAP_HEADER : 0;
  for (let seen = 0; seen < frames && at + 16 <= have;) {
    let length: number;
    if (format === 'pcap') {
      length = 16 + bytes.readUInt32LE(at + 8);
      seen++;
    } else {
      length = bytes.readUInt32LE(at + 4);
      if (bytes.readUInt32LE(at) === ENHANCED_PACKET) seen++;
    }
    if (at + length > have) break;
    at += length;
  }
  return at;
}
