/**
 * `conntrack -o save`: an entry as the option list that would make it (conntrack-tools src/conntrack.c
 * ct_save_snprintf): `-A -t 29 -u SEEN_REPLY -s 192.168.1.20 -d 198.51.100.10 -r 198.51.100.10 -q 203.0.113.2 -p udp
 * --sport 33333 --dport 5300 --reply-port-src 5300 --reply-port-dst 33333`. The status names know no offload.
 */

import { canonicalIp } from '../bytes/address.js';
import type { ConntrackFact } from '../records/facts.js';
import { emptyEntry, lacksAsOffloaded, toFact, tupleOf, type ConntrackEntry } from './conntrack-entry.js';
import { changeBase, stateBase, type LineReader, type Section } from './section.js';
import { isRedacted, wholeNumber, wordsOf } from './tokens.js';

export function conntrackSaveReader(): LineReader {
  return { id: 'conntrack-save', line: readLine };
}

const EVENTS: ReadonlyMap<string, ConntrackFact['event']> = new Map([
  ['-A', 'entry'],
  ['-I', 'entry'],
  ['-U', 'update'],
  ['-D', 'destroy'],
]);

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['tcp', 6],
  ['udp', 17],
  ['dccp', 33],
  ['gre', 47],
  ['icmpv6', 58],
  ['sctp', 132],
  ['udplite', 136],
]);

function readLine(line: string, section: Section): boolean {
  if (!line.startsWith('-')) return false;
  const words = wordsOf(line);
  const event = EVENTS.get(words[0] ?? '');
  if (event === undefined || words.length > 80 || words.length % 2 === 0) return false;
  const entry = emptyEntry();
  entry.event = event;
  entry.protocol = -1;
  let redacted = false;
  for (let at = 1; at < words.length; at += 2) {
    const value = words[at + 1] ?? '';
    if (!readOption(words[at] ?? '', value, entry)) {
      if (!/^-[sdrqgn]$/.test(words[at] ?? '') || !isRedacted(value)) return false;
      redacted = true;
    }
  }
  if (entry.protocol < 0 || (entry.original.src === undefined && !redacted)) return false;
  const original = tupleOf(entry.original);
  entry.reply.src ??= entry.original.dst;
  entry.reply.dst ??= entry.original.src;
  const reply = tupleOf(entry.reply);
  if (redacted || !original || !reply) {
    section.redacted++;
    return true;
  }
  const watching = section.command?.words.includes('-E') === true;
  if (watching && event === 'entry') entry.event = 'new';
  const base = entry.event === 'entry' ? stateBase(section) : changeBase(section, undefined);
  const offload = entry.event === 'entry' && lacksAsOffloaded(entry) ? 'inferred' : 'unknown';
  section.emit(toFact(entry, base, original, reply, entry.event, offload));
  return true;
}

/** @returns false when the value is not of the option's kind */
function readOption(option: string, value: string, entry: ConntrackEntry): boolean {
  const { original, reply } = entry;
  const port = (): number => wholeNumber(value, 65_535) ?? -1;
  switch (option) {
    case '-s':
    case '--src':
    case '--orig-src':
      return (original.src = canonicalIp(value)) !== undefined;
    case '-d':
    case '--dst':
    case '--orig-dst':
      return (original.dst = canonicalIp(value)) !== undefined;
    case '-r':
    case '--reply-src':
    case '-g':
      return (reply.src = canonicalIp(value)) !== undefined;
    case '-q':
    case '--reply-dst':
    case '-n':
      return (reply.dst = canonicalIp(value)) !== undefined;
    case '-p':
      entry.protocol = PROTOCOLS.get(value) ?? wholeNumber(value, 255) ?? -1;
      return entry.protocol >= 0;
    case '--sport':
    case '--orig-port-src':
      return (original.srcPort = port()) >= 0;
    case '--dport':
    case '--orig-port-dst':
      return (original.dstPort = port()) >= 0;
    case '--reply-port-src':
      return (reply.srcPort = port()) >= 0;
    case '--reply-port-dst':
      return (reply.dstPort = port()) >= 0;
    case '--icmp-type':
      return (original.icmpType = wholeNumber(value, 255) ?? -1) >= 0;
    case '--icmp-code':
      return (original.icmpCode = wholeNumber(value, 255) ?? -1) >= 0;
    case '--icmp-id':
      original.icmpId = port();
      reply.icmpId = original.icmpId;
      return original.icmpId >= 0;
    case '-t':
      return (entry.timeout = wholeNumber(value) ?? -1) >= 0;
    case '-u':
      entry.assured = value.split(',').includes('ASSURED');
      entry.unreplied = !value.split(',').includes('SEEN_REPLY');
      return true;
    case '-m':
      return (entry.mark = wholeNumber(value, 0xffff_ffff) ?? -1) >= 0;
    case '-w':
      return (entry.zone = port()) >= 0;
    case '--orig-zone':
      return (original.zone = port()) >= 0;
    case '--reply-zone':
      return (reply.zone = port()) >= 0;
    case '--state':
      entry.state = value;
      return true;
    case '-l':
      entry.labels = value;
      return true;
    default:
      return option.startsWith('-');
  }
}
