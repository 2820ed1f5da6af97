/**
 * The words that choose what is listed, on the command line (`--filter`) and in the report's filter box:
 *
 *   ip:192.168.1.23      an address of the frames or of their flow, or a prefix such as 10.0.0.0/24
 *   mac:02:42:c0         a MAC, or how one begins: sender, wrong one or expected one
 *   dev:br-lan           a device; * stands for anything
 *   is:misdelivered      a verdict, class or confidence, or offloaded
 *   cause:stale-mac      the id of a cause; * stands for anything
 *   flow:F1              the id of a flow
 *   udp                  any other word: text that occurs in what is listed
 *
 * All words must fit. Values with commas between fit if one of them does; `!` before a word turns it around; quotes keep
 * spaces together. This module imports nothing, so that the report's page can have it as it is.
 */

/** What a filter is asked about: one misdelivery, flow, finding or frame. */
export interface FilterSubject {
  /** Canonical text. */
  readonly ips: readonly string[];
  /** Lower case with colons. */
  readonly macs: readonly string[];
  readonly devices: readonly string[];
  /** Of `FILTER_FLAGS`. */
  readonly flags: readonly string[];
  readonly causes: readonly string[];
  readonly flows: readonly string[];
  /** All that bare words are looked for in. */
  readonly text: string;
}

export type ParsedFilter =
  | { readonly ok: true; readonly matches: (subject: FilterSubject) => boolean }
  /** `message` is one sentence for the user. */
  | { readonly ok: false; readonly message: string };

/** What `is:` may say. */
export const FILTER_FLAGS: readonly string[] = [
  'misdelivered',
  'delivered',
  'not-judged',
  'convergence',
  'wrong-mac',
  'wrong-next-hop',
  'wrong-port',
  'wrong-egress',
  'offloaded',
  'proven',
  'strong',
  'suspected',
];

type Test = (subject: FilterSubject) => boolean;

const MAX_WORDS = 64;

/** An empty expression fits everything. */
export function parseFilter(expression: string): ParsedFilter {
  const tests: Test[] = [];
  for (const word of wordsOf(expression)) {
    if (tests.length === MAX_WORDS) return { ok: false, message: `it has more than ${MAX_WORDS} words` };
    const isNegated = word.startsWith('!');
    const test = testOf(isNegated ? word.slice(1) : word);
    if (typeof test === 'string') return { ok: false, message: test };
    tests.push(isNegated ? (subject) => !test(subject) : test);
  }
  return { ok: true, matches: (subject) => tests.every((test) => test(subject)) };
}

/** Parts at spaces, but not within double quotes; the quotes are taken off. */
function wordsOf(expression: string): string[] {
  const words = expression.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? [];
  return words.map((word) => word.replaceAll('"', '')).filter((word) => word !== '');
}

/** @returns the test, or a sentence about what is wrong with the word */
function testOf(word: string): Test | string {
  if (word === '') return '! stands before nothing';
  const at = word.indexOf(':');
  const key = word.slice(0, Math.max(at, 0)).toLowerCase();
  const make = KEYS.get(key);
  if (make) {
    const tests: Test[] = [];
    for (const value of word.slice(at + 1).split(',')) {
      if (value === '') return `${key}: needs a value`;
      const test = make(value);
      if (typeof test === 'string') return test;
      tests.push(test);
    }
    return (subject) => tests.some((test) => test(subject));
  }
  // A bare MAC or IPv6 address has colons too.
  const isKey = /^[a-z]+$/i.test(key) && !isAddress(word);
  if (isKey) return `${key}: is none of ${[...KEYS.keys()].map((known) => `${known}:`).join(' ')}`;
  const text = word.toLowerCase();
  return (subject) => subject.text.toLowerCase().includes(text);
}

function isAddress(word: string): boolean {
  return /^(?:[0-9a-f]{0,4}:){2,7}[0-9a-f./]*$/i.test(word);
}

const KEYS: ReadonlyMap<string, (value: string) => Test | string> = new Map([
  ['ip', ipTest],
  ['mac', macTest],
  ['dev', (value: string) => textTest(value, (subject) => subject.devices)],
  ['is', flagTest],
  ['cause', (value: string) => textTest(value, (subject) => subject.causes)],
  ['flow', (value: string) => textTest(value, (subject) => subject.flows)],
]);

function ipTest(value: string): Test | string {
  const [address = '', length, more] = value.split('/');
  const wanted = addressBits(address);
  const bits = length === undefined ? wanted?.length : /^\d{1,3}$/.test(length) ? Number(length) : undefined;
  if (!wanted || more !== undefined || bits === undefined || bits > wanted.length) {
    return `ip:${value} is no address and no prefix`;
  }
  const start = wanted.slice(0, bits);
  return ({ ips }) =>
    ips.some((ip) => {
      const found = addressBits(ip);
      return found?.length === wanted.length && found.startsWith(start);
    });
}

/** An address as a text of 32 or 128 zeros and ones; undefined when it is none. */
function addressBits(text: string): string | undefined {
  if (!text.includes(':')) return ipv4Bits(text);
  // The last 32 bits may be written as an IPv4 address.
  const [, head = text, tail] = /^(.*:)(\d+(?:\.\d+){3})$/.exec(text) ?? [];
  const low = tail === undefined ? '' : ipv4Bits(tail);
  if (low === undefined) return undefined;
  const groups = low === '' ? head : `${head}${hex(low.slice(0, 16))}:${hex(low.slice(16))}`;
  const halves = groups.split('::');
  if (halves.length > 2) return undefined;
  const [left = [], right = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - left.length - right.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...left, ...Array.from({ length: missing }, () => '0'), ...right];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return all.map((group) => bitsOf(parseInt(group, 16), 16)).join('');
}

function ipv4Bits(text: string): string | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined;
  return parts.map((part) => bitsOf(Number(part), 8)).join('');
}

function bitsOf(value: number, width: number): string {
  return value.toString(2).padStart(width, '0');
}

function hex(bits: string): string {
  return parseInt(bits, 2).toString(16);
}

function macTest(value: string): Test | string {
  const start = value.toLowerCase().replaceAll('-', ':');
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){0,5}:?$/.test(start)) return `mac:${value} is no MAC and no beginning of one`;
  return ({ macs }) => macs.some((mac) => mac.startsWith(start));
}

function flagTest(value: string): Test | string {
  const flag = value.toLowerCase();
  if (!FILTER_FLAGS.includes(flag)) return `is:${value} is none of ${FILTER_FLAGS.join(', ')}`;
  return ({ flags }) => flags.includes(flag);
}

function textTest(value: string, list: (subject: FilterSubject) => readonly string[]): Test {
  const parts = value.toLowerCase().split('*');
  return (subject) => list(subject).some((text) => fits(text.toLowerCase(), parts));
}

/** Whether a text is made of these parts in their order, with anything between them; no backtracking, so never slow. */
function fits(text: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
