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
import { changeBase, stampedBase, type LineReader, type Section } from './section.js';
import { parseEpochSeconds, parseIsoTime } from './time-text.js';

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
      ? stampedBase(section, entry.time)
      : changeBase(section, entry.time ?? (deleting ? section.time : undefined));
  return toFact(entry, base, original, reply, deleting ? 'destroy' : entry.event, offloadOf(entry));
}

/** `conntrack v1.4.8 (conntrack-tools): 312 flow entries have been shown.` */
function isTrailer(text: string): boolean {
  return text.startsWith('conntrack v') && text.includes('(conntrack-tools)');
}

/** Everything before the first tuple: time stamp, event, layer 3, protocol, time-out, state. */
function parseHead(text: string, end: number, entry: ConntrackEntry): boolean {
  const words = headWords(text, end);
  if (words.length > MAX_HEAD_WORDS) return false;
  let at = 0;
  const stamp = words[0] ?? '';
  const first = stamp.charCodeAt(0);
  if (first === OPEN_BRACKET || (first >= DIGIT_0 && first <= DIGIT_9)) {
    entry.time = stampOf(stamp);
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

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

/** `[1712662404.591802]` of `-o timestamp`, or what a filter such as `ts %.s` puts before each line. */
function stampOf(word: string): bigint | undefined {
  const bare = word.startsWith('[') && word.endsWith(']') ? word.slice(1, -1) : word;
  return parseEpochSeconds(bare) ?? parseIsoTime(bare)?.time;
}

const MAX_HEAD_WORDS = 12;

/** The words before `end`; splitting by hand, as this is done for every line of dumps of any size. */
function headWords(text: string, end: number): string[] {
  const words: string[] = [];
  let start = -1;
  for (let i = 0; i <= end && words.length <= MAX_HEAD_WORDS; i++) {
    const c = i < end ? text.charCodeAt(i) : SPACE;
    if (c === SPACE || c === TAB) {
      if (start >= 0) words.push(text.slice(start, i));
      start = -1;
    } else if (start < 0) start = i;
  }
  return words;
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
      if (equals === at + 3 && text.startsWith('src', at)) {
        if (++entry.tuples > 2) return false;
        tuple = entry.tuples === 1 ? entry.original : entry.reply;
      }
      if (!readValue(text, at, equals, end, tuple, entry, cache)) return false;
    } else if (!entry.labelled) return false;
    at = end + 1;
  }
  return true;
}

const SPACE = 0x20;
const TAB = 0x09;
const OPEN_BRACKET = 0x5b;

function readFlag(flag: string, entry: ConntrackEntry): void {
  if (flag === '[UNREPLIED]') entry.unreplied = true;
  else if (flag === '[ASSURED]') entry.assured = true;
  else if (flag === '[OFFLOAD]') entry.offload = 'software';
  else if (flag === '[HW_OFFLOAD]') entry.offload = 'hardware';
}

/**
 * Reads the word `key=value` that lies at `at`, `equals` and `end` of `text`. The keys of most lines are told by length
 * and first letters, without a string for each.
 * @returns false when the value of a known key is no such value
 */
function readValue(
  text: string,
  at: number,
  equals: number,
  end: number,
  tuple: TupleText,
  entry: ConntrackEntry,
  cache: AddressCache,
): boolean {
  const from = equals + 1;
  switch (equals - at) {
    case 2:
      if (!text.startsWith('id', at)) return true;
      if (tuple.icmpType < 0 || tuple.icmpId >= 0) return (entry.id = numberAt(text, from, end)) >= 0;
      entry.endsInTuple = true;
      return (tuple.icmpId = numberAt(text, from, end, 65_535)) >= 0;
    case 3:
      if (text.startsWith('use', at)) return (entry.use = numberAt(text, from, end)) >= 0;
      if (text.startsWith('src', at)) tuple.src = cache.get(text.slice(from, end));
      else if (text.startsWith('dst', at)) {
        tuple.dst = cache.get(text.slice(from, end));
        tuple.hasDst = true;
      } else return true;
      entry.endsInTuple = true;
      return from < end;
    case 4:
      if (text.startsWith('mark', at)) return (entry.mark = numberAt(text, from, end, 0xffff_ffff)) >= 0;
      if (text.startsWith('zone', at)) return (entry.zone = numberAt(text, from, end, 65_535)) >= 0;
      entry.endsInTuple = true;
      if (text.startsWith('type', at)) return (tuple.icmpType = numberAt(text, from, end, 255)) >= 0;
      if (text.startsWith('code', at)) return (tuple.icmpCode = numberAt(text, from, end, 255)) >= 0;
      entry.endsInTuple = false;
      return true;
    case 5:
      if (text.startsWith('bytes', at)) return (tuple.bytes = numberAt(text, from, end)) >= 0;
      entry.endsInTuple = true;
      if (text.startsWith('sport', at)) return (tuple.srcPort = numberAt(text, from, end, 65_535)) >= 0;
      if (text.startsWith('dport', at)) return (tuple.dstPort = numberAt(text, from, end, 65_535)) >= 0;
      entry.endsInTuple = false;
      return true;
    case 7:
      if (text.startsWith('packets', at)) return (tuple.packets = numberAt(text, from, end)) >= 0;
      return true;
    default:
      return readRareValue(text.slice(at, equals), text.slice(from, end), tuple, entry);
  }
}

function readRareValue(key: string, value: string, tuple: TupleText, entry: ConntrackEntry): boolean {
  const zone = (): number => numberAt(value, 0, value.length, 65_535);
  switch (key) {
    case 'srckey':
      return (tuple.srcKey = hexOf(value)) >= 0;
    case 'dstkey':
      return (tuple.dstKey = hexOf(value)) >= 0;
    case 'zone-orig':
      return (entry.original.zone = zone()) >= 0;
    case 'zone-reply':
      return (entry.reply.zone = zone()) >= 0;
    case 'delta-time':
      return (entry.age = numberAt(value, 0, value.length)) >= 0;
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

/** The value of the digits from `from` to `end`, -1 for anything else or beyond `limit`. */
function numberAt(text: string, from: number, end: number, limit = Number.MAX_SAFE_INTEGER): number {
  if (from >= end || end - from > 16) return -1;
  let value = 0;
  for (let i = from; i < end; i++) {
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
