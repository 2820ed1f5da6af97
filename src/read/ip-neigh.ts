/**
 * `ip neigh`, `ip -s neigh`, `ip monitor neigh` (iproute2 ip/ipneigh.c).
 *
 * `10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 [router] [proxy] ... [ref N] [used a/b/c] [probes N] STATE [proto X]`;
 * no space divides the ages from `probes`. Of a bridge port a monitor prints `dev lan3 lladdr 02:... REACHABLE`, which
 * is an entry of the forwarding table.
 */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type { FdbFact, NeighborFact } from '../records/facts.js';
import { commandArgument } from './command-line.js';
import { monitorBase, splitMonitorPrefix, type MonitorPrefix } from './monitor-prefix.js';
import type { LineReader, Mutable, Section } from './section.js';
import { isRedacted, wholeNumber, wordsOf } from './tokens.js';

export function ipNeighReader(): LineReader {
  return { id: 'ip-neigh', line: readLine };
}

const STATES = new Set([
  'INCOMPLETE',
  'REACHABLE',
  'STALE',
  'DELAY',
  'PROBE',
  'FAILED',
  'NOARP',
  'PERMANENT',
  'NONE',
  'nud',
]);
const FLAGS = new Set(['managed', 'extern_learn', 'offload', 'extern_valid']);

function readLine(line: string, section: Section): boolean {
  const prefix = splitMonitorPrefix(line, section);
  if (prefix.label !== undefined && prefix.label !== 'NEIGH') return false;
  const entry = parseEntry(wordsOf(prefix.text), section);
  if (!entry) return false;
  if (entry.redacted) section.redacted++;
  else if (entry.ip !== undefined) emitNeighbor(entry.ip, entry, prefix, section);
  else if (entry.mac !== undefined && entry.device !== undefined)
    emitFdb(entry.mac, entry.device, entry, prefix, section);
  return true;
}

interface Entry {
  ip: string | undefined;
  device: string | undefined;
  mac: string | undefined;
  states: string[];
  router: boolean;
  proxy: boolean;
  ages: { used: number; confirmed: number; updated: number } | undefined;
  redacted: boolean;
}

function parseEntry(words: readonly string[], section: Section): Entry | undefined {
  if (words.length < 2 || words.length > 40) return undefined;
  const entry: Entry = {
    ip: undefined,
    device: undefined,
    mac: undefined,
    states: [],
    router: false,
    proxy: false,
    ages: undefined,
    redacted: false,
  };
  let at = 0;
  const first = words[0] ?? '';
  if (first !== 'dev') {
    at = 1;
    entry.ip = canonicalIp(first);
    if (entry.ip === undefined && !isRedacted(first)) return undefined;
    entry.redacted = entry.ip === undefined;
  }
  for (; at < words.length; at++) {
    const next = parseAttribute(words, at, entry);
    if (next === undefined) return undefined;
    at = next;
  }
  entry.device ??= commandArgument(section.command, 'dev');
  const known = entry.states.length > 0 || entry.proxy;
  return known && (entry.device !== undefined || entry.mac !== undefined) ? entry : undefined;
}

/** Reads the attribute at `at`. @returns the index of its last word, undefined when the word is not of this format */
function parseAttribute(words: readonly string[], at: number, entry: Entry): number | undefined {
  const word = words[at] ?? '';
  const value = words[at + 1];
  if (STATES.has(word)) {
    if (word !== 'nud') entry.states.push(word);
    return at;
  }
  if (FLAGS.has(word)) return at;
  switch (word) {
    case 'router':
      entry.router = true;
      return at;
    case 'proxy':
      entry.proxy = true;
      return at;
    case 'dev':
      if (value === undefined || entry.device !== undefined) return undefined;
      entry.device = value;
      return at + 1;
    case 'lladdr':
      return readMac(value, entry) ? at + 1 : undefined;
    case 'used':
      return readAges(value, entry) ? at + 1 + (value?.endsWith('probes') ? 1 : 0) : undefined;
    case 'ref':
    case 'probes':
      return wholeNumber(value) === undefined ? undefined : at + 1;
    case 'proto':
    case 'protocol':
      return value === undefined ? undefined : at + 1;
    default:
      return undefined;
  }
}

function readMac(value: string | undefined, entry: Entry): boolean {
  if (value === undefined || entry.mac !== undefined) return false;
  entry.mac = canonicalMac(value);
  if (entry.mac !== undefined) return true;
  // Tunnels have an IP address as link-layer address: the entry is sound, but names no MAC.
  if (canonicalIp(value) !== undefined) return true;
  entry.redacted = isRedacted(value);
  return entry.redacted;
}

function readAges(value: string | undefined, entry: Entry): boolean {
  const match = /^(\d{1,12})\/(\d{1,12})\/(\d{1,12})(?:probes)?$/.exec(value ?? '');
  if (!match) return false;
  entry.ages = { used: Number(match[1]), confirmed: Number(match[2]), updated: Number(match[3]) };
  return true;
}

function emitNeighbor(ip: string, entry: Entry, prefix: MonitorPrefix, section: Section): void {
  const fact: Mutable<NeighborFact> = { kind: 'neighbor', ...monitorBase(prefix, section), ip, states: entry.states };
  if (entry.device !== undefined) fact.device = entry.device;
  const unresolved = entry.states.includes('FAILED') || entry.states.includes('INCOMPLETE');
  if (entry.mac !== undefined && !unresolved) fact.mac = entry.mac;
  if (prefix.event !== undefined) fact.event = prefix.event;
  if (entry.router) fact.router = true;
  if (entry.proxy) fact.proxy = true;
  if (entry.ages) fact.ages = entry.ages;
  section.emit(fact);
}

function emitFdb(mac: string, device: string, entry: Entry, prefix: MonitorPrefix, section: Section): void {
  const fact: Mutable<FdbFact> = {
    kind: 'fdb',
    ...monitorBase(prefix, section),
    mac,
    device,
    permanent: entry.states.includes('PERMANENT') || entry.states.includes('NOARP'),
    flags: entry.states.map((state) => state.toLowerCase()),
  };
  if (prefix.event !== undefined) fact.event = prefix.event === 'deleted' ? 'deleted' : 'changed';
  section.emit(fact);
}
