/** `macscan collect`: prints the shell script that collects on a router what macscan needs. It runs nothing itself. */

import { readFileSync } from 'node:fs';
import { canonicalIp } from '../bytes/address.js';
import { UsageError } from '../errors.js';
import { EXIT, writeOut } from './process.js';

/** As the command line gives them. */
export interface CollectOptions {
  readonly device: readonly string[];
  readonly host: readonly string[];
  readonly duration: string;
  readonly maxSize: string;
}

const SCRIPT = new URL('../../collector/collect.sh', import.meta.url);
/** Seconds, and MiB. */
const LONGEST = 3600;
const LARGEST = 2048;
/** More hosts make a filter that a router's kernel refuses (BPF_MAXINSNS). */
const MOST = 32;

/**
 * Prints the script.
 * @throws UsageError when an option is not what it must be
 */
export async function collectCommand(options: CollectOptions, version: string): Promise<number> {
  await writeOut(collectScript(options, version));
  return EXIT.DELIVERED;
}

/**
 * The script as text. What the options hold goes into it between single quotes, and only after it was found to be plain
 * names, addresses and numbers.
 * @throws UsageError when an option is not what it must be
 */
export function collectScript(options: CollectOptions, version: string): string {
  const devices = [...new Set(options.device.map(deviceName))];
  const hosts = [...new Set(options.host.map(hostAddress))];
  for (const [name, list] of [
    ['--device', devices],
    ['--host', hosts],
  ] as const) {
    if (list.length > MOST) throw new UsageError(`${name} may be given ${MOST} times at most`);
  }
  const values = [
    `DEVICES='${devices.join(' ')}'`,
    `HOSTS='${hosts.join(' ')}'`,
    `DURATION=${wholeNumber('--duration', options.duration, LONGEST, 'seconds')}`,
    `MAX_SIZE=${wholeNumber('--max-size', options.maxSize, LARGEST, 'MiB')}`,
  ];
  return [
    '#!/bin/sh',
    `# Made by macscan ${version.replaceAll(/[^\w.+-]/g, '')}. Read it, then run it on the router and keep what it sends:`,
    '#   ssh root@router sh -s < case.sh > case.tar && macscan case.tar',
    '',
    ...values,
    '',
    readFileSync(SCRIPT, 'utf8'),
  ].join('\n');
}

/** A name that the kernel allows (dev_valid_name, 15 bytes) and that no shell takes for anything else. */
function deviceName(name: string): string {
  if (name === 'any') {
    throw new UsageError('--device any: such a capture holds no destination MAC; name the ports, or leave it out');
  }
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,14}$/.test(name)) {
    throw new UsageError(
      `--device ${name}: is no name of a device (at most 15 letters, digits and _.:-; without the @... that ip adds)`,
    );
  }
  return name;
}

function hostAddress(text: string): string {
  const ip = canonicalIp(text);
  if (ip === undefined || !/^[0-9a-fA-F.:]+$/.test(text)) throw new UsageError(`--host ${text}: is not an IP address`);
  return ip;
}

function wholeNumber(option: string, text: string, most: number, unit: string): number {
  const value = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : NaN;
  if (!(value <= most)) throw new UsageError(`${option} ${text}: is no whole number of ${unit} from 1 to ${most}`);
  return value;
}
