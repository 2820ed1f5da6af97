/**
 * conntrack entries and events as text: `conntrack -L`, `-E`, `-D`, `-G` with any `-o` of `extended`, `id`, `timestamp`,
 * `ktimestamp`, `labels`, `userspace`, and `/proc/net/nf_conntrack`.
 *
 * Grammar: libnetfilter_conntrack src/conntrack/snprintf_default.c, conntrack-tools src/conntrack.c, and the kernel's
 * net/netfilter/nf_conntrack_standalone.c. An offloaded entry of a dump has neither time-out nor TCP state.
 */

import { canonicalIp } from '../bytes/address.js';
import type { ConntrackFact } from '../records/facts.js';
import { emptyEntry, offloadOf, toFact, tupleOf, type ConntrackEntry, type TupleText } from './conntrack-entry.js';
import { changeBase, stateBase, type LineReader, type Section } from './section.js';
import { parseEpochSeconds } from './time-text.js';

export function conntrackReader(): LineReader {
  const cache = new AddressCache();
  return { id: 'conntrack', line: (text, section) => readLine(text, section, cache) };
}

function readLine(text: string, section: Section, cache: AddressCache): boolean {
  const first = text.indexOf('src=');
  if (first < 0) return isTrailer(text);
  const entry = emptyEntry();
  if (!parseHead(text, first, entry) || !parseBody(text, first, entry, cache)) return false;
  if (entry.tuples < 2 || !entry.original.hasDst || !entry.reply.hasDst) return false;
  // A line that stops within its reply tuple may have lost digits of it.
  if (section.cut && entry.endsInTuple) {
    section.say('line-cut', 'The last line stops within a conntrack tuple.', 'It was left out.');
    return true;
  }
  const original = tupleOf(entry.original);
  const reply = tupleOf(entry.reply);
  if (!original || !reply) {
    section.redacted++;
    return true;
  }
  section.emit(makeFact(entry, original, reply, section));
  return true;
}

function makeFact(
  entry: ConntrackEntry,
  original: ConntrackFact['original'],
  reply: ConntrackFact['reply'],
  section: Section,
): ConntrackFact {
  const deleting = entry.event === 'entry' && section.command?.words.includes('-D') === true;
  const base =
    entry.event === 'entry' && !deleting
      ? stateBase(section)
      : changeBase(section, entry.time ?? (deleting ? section.time : undefined));
  return toFact(entry, base, original, reply, deleting ? 'destroy' : entry.event, offloadOf(entry));
}

/** `conntrack v1.4.8 (conntrack-tools): 312 flow entries have been shown.` */
function isTrailer(text: string): boolean {
  return text.startsWith('conntrack v') && text.includes('(conntrack-tools)');
}

/** Everything before the first tuple: time stamp, event, layer 3, protocol, time-out, state. */
function parseHead(text: string, end: number, entry: ConntrackEntry): boolean {
  const words = text.slice(0, end).trim().split(/\s+/);
  if (words.length > 12) return false;
  let at = 0;
  const stamp = words[0] ?? '';
  if (stamp.startsWith('[') && stamp.endsWith(']')) {
    entry.time = parseEpochSeconds(stamp.slice(1, -1));
    if (entry.time !== undefined) at++;
  }
  const event = EVENTS.get(words[at] ?? '');
  if (event !== undefined) {
    entry.event = event;
    at++;
  }
  const layer3 = words[at];
  if (layer3 === 'ipv4' || layer3 === 'ipv6') {
    if (!isNumber(words[at + 1])) return false;
    at += 2;
  }
  const name = words[at];
  const number = words[at + 1];
  if (name === undefined || !isNumber(number) || !/^[a-z][a-z0-9.-]*$/.test(name)) return false;
  entry.protocol = Number(number);
  if (entry.protocol > 255) return false;
  at += 2;
  if (isNumber(words[at])) entry.timeout = Number(words[at++]);
  for (; at < words.length; at++) {
    const word = words[at] ?? '';
    if (/^[A-Z][A-Z_0-9]*$/.test(word)) entry.state = word;
    // The kernel's GRE lines: `timeout=30, stream_timeout=180 `.
    else if (!/^(?:stream_)?timeout=\d+,?$/.test(word)) return false;
  }
  return true;
}

const EVENTS: ReadonlyMap<string, ConntrackFact['event']> = new Map([
  ['[NEW]', 'new'],
  ['[UPDATE]', 'update'],
  ['[DESTROY]', 'destroy'],
]);

/** From the first tuple on: words of the form `key=value` and flags in brackets. */
function parseBody(text: string, start: number, entry: ConntrackEntry, cache: AddressCache): boolean {
  let tuple = entry.original;
  let at = start;
  const length = text.length;
  while (at < length) {
    if (text.charCodeAt(at) === SPACE) {
      at++;
      continue;
    }
    let end = text.indexOf(' ', at);
    if (end < 0) end = length;
    const equals = text.indexOf('=', at);
    entry.endsInTuple = false;
    if (text.charCodeAt(at) === OPEN_BRACKET) {
      // `[start=Sat Nov 21 07:52:41 2026]` and `[stop=...]` hold spaces.
      if (text.startsWith('[start=', at) || text.startsWith('[stop=', at)) {
        const close = text.indexOf(']', at);
        end = close < 0 ? length : close + 1;
      } else readFlag(text.slice(at, end), entry);
    } else if (equals > 0 && equals < end) {
      const key = text.slice(at, equals);
      if (key === 'src') {
        if (++entry.tuples > 2) return false;
        tuple = entry.tuples === 1 ? entry.original : entry.reply;
      }
      const value = text.slice(equals + 1, end);
      if (!readValue(key, value, tuple, entry, cache)) return false;
    } else if (!entry.labelled) return false;
    at = end + 1;
  }
  return true;
}

const SPACE = 0x20;
const OPEN_BRACKET = 0x5b;

function readFlag(flag: string, entry: ConntrackEntry): void {
  if (flag === '[UNREPLIED]') entry.unreplied = true;
  else if (flag === '[ASSURED]') entry.assured = true;
  else if (flag === '[OFFLOAD]') entry.offload = 'software';
  else if (flag === '[HW_OFFLOAD]') entry.offload = 'hardware';
}

/** @returns false when the value of a known key is no such value */
function readValue(key: string, value: string, tuple: TupleText, entry: ConntrackEntry, cache: AddressCache): boolean {
  switch (key) {
    case 'src':
      tuple.src = cache.get(value);
      entry.endsInTuple = true;
      return value !== '';
    case 'dst':
      tuple.dst = cache.get(value);
      tuple.hasDst = true;
      entry.endsInTuple = true;
      return value !== '';
    case 'sport':
      entry.endsInTuple = true;
      return (tuple.srcPort = numberOf(value, 65_535)) >= 0;
    case 'dport':
      entry.endsInTuple = true;
      return (tuple.dstPort = numberOf(value, 65_535)) >= 0;
    case 'packets':
      return (tuple.packets = numberOf(value)) >= 0;
    case 'bytes':
      return (tuple.bytes = numberOf(value)) >= 0;
    case 'type':
      entry.endsInTuple = true;
      return (tuple.icmpType = numberOf(value, 255)) >= 0;
    case 'code':
      entry.endsInTuple = true;
      return (tuple.icmpCode = numberOf(value, 255)) >= 0;
    case 'id':
      if (tuple.icmpType < 0 || tuple.icmpId >= 0) return (entry.id = numberOf(value)) >= 0;
      entry.endsInTuple = true;
      return (tuple.icmpId = numberOf(value, 65_535)) >= 0;
    case 'srckey':
      return (tuple.srcKey = hexOf(value)) >= 0;
    case 'dstkey':
      return (tuple.dstKey = hexOf(value)) >= 0;
    case 'zone-orig':
      return (entry.original.zone = numberOf(value, 65_535)) >= 0;
    case 'zone-reply':
      return (entry.reply.zone = numberOf(value, 65_535)) >= 0;
    case 'zone':
      return (entry.zone = numberOf(value, 65_535)) >= 0;
    case 'mark':
      return (entry.mark = numberOf(value, 0xffff_ffff)) >= 0;
    case 'delta-time':
      return (entry.age = numberOf(value)) >= 0;
    case 'use':
      return (entry.use = numberOf(value)) >= 0;
    case 'helper':
      entry.helper = value;
      return true;
    case 'labels':
      entry.labels = value;
      entry.labelled = true;
      return true;
    case 'progname':
    case 'secctx':
      entry.labelled = true;
      return true;
    default:
      return true;
  }
}

function isNumber(word: string | undefined): word is string {
  return word !== undefined && /^\d{1,10}$/.test(word);
}

/** The value of a word of digits, -1 for anything else or beyond `limit`. */
function numberOf(text: string, limit = Number.MAX_SAFE_INTEGER): number {
  if (text.length === 0 || text.length > 16) return -1;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= limit ? value : -1;
}

function hexOf(text: string): number {
  return /^0x[0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text, 16) : -1;
}

const CACHED_ADDRESSES = 65_536;

/** Canonical texts of the addresses seen: dumps repeat them by the thousand. */
class AddressCache {
  private readonly known = new Map<string, string | undefined>();

  get(text: string): string | undefined {
    const known = this.known.get(text);
    if (known !== undefined || this.known.has(text)) return known;
    if (this.known.size >= CACHED_ADDRESSES) this.known.clear();
    const ip = canonicalIp(text);
    this.known.set(text, ip);
    return ip;
  }
}
