/**
 * Rules of nftables as conditions and a verdict, whether they were printed as text or as JSON (nft(8),
 * libnftables-json(5)).
 */

import type { NftRuleFact } from '../records/facts.js';

export interface NftRule {
  readonly fact: NftRuleFact;
  /** As nft prints it, without counters and comments. */
  readonly text: string;
  /** What a packet must be, in the order of the rule: `meta mark != 0`, `iifname "br-lan"`. */
  readonly conditions: readonly string[];
  /** A verdict that ends the walk through the chain; `vmap` where a map gives it. */
  readonly verdict: string | undefined;
}

/** Characters of a rule that is taken apart. */
const MAX_TEXT = 4096;

/** A rule as its parts. Of one that is longer than people write (lists of addresses) only the verdict is told. */
export function nftRule(fact: NftRuleFact): NftRule {
  const text = bare(fact.text.startsWith('[') ? fromJson(fact.text) : fact.text);
  if (text.length > MAX_TEXT)
    return { fact, text: text.slice(0, MAX_TEXT), conditions: ['too long'], verdict: fact.verdict };
  const action =
    /(?:^| )(?:accept|drop|return|continue|reject\b.*|queue\b.*|masquerade\b.*|(?:d|s)nat\b.*|redirect\b.*|(?:jump|goto) \S+|flow (?:add|offload) @\S+|(?:meta|ct) mark set .*)$/.exec(
      text.replaceAll(/ct status [\w,|(){}!=& ]*/g, (status) =>
        status.replaceAll(/[ds]nat/g, (nat) => `${nat.charAt(0)}NAT`),
      ),
    );
  const head = (action ? text.slice(0, action.index) : text).trim();
  const verdict = /(?:^| )vmap \{/.test(text) ? 'vmap' : fact.verdict;
  return { fact, text, conditions: splitConditions(head), verdict };
}

function bare(text: string): string {
  return text
    .replaceAll(/ comment "[^"]{0,400}"/g, '')
    .replaceAll(/(^| )counter(?: packets \d+ bytes \d+| name \S+)?(?= |$)/g, '')
    .replaceAll(/ {2,}/g, ' ')
    .trim();
}

/** Words that begin a condition. */
const SUBJECTS =
  /(?:^|(?<!\bmeta|\bct) )(?=(?:meta (?!mark set)\w|ct (?!mark set)\w|ip6? \w+ |iif(?:name)? |oif(?:name)? |tcp \w|udp \w|th \w|ether \w|fib |rt \w|socket \w|icmp\w* \w|limit |mark |vlan \w|numgen |pkttype ))/g;

function splitConditions(text: string): string[] {
  const starts: number[] = [];
  for (const match of text.matchAll(SUBJECTS)) starts.push(match.index + match[0].length);
  const cuts = [0, ...starts.filter((at) => at > 0 && !insideBraces(text, at)), text.length];
  return cuts
    .slice(0, -1)
    .map((at, i) => text.slice(at, cuts[i + 1]).trim())
    .filter((part) => part !== '');
}

function insideBraces(text: string, at: number): boolean {
  const before = text.slice(0, at);
  return before.lastIndexOf('{') > before.lastIndexOf('}');
}

type Json = Readonly<Record<string, unknown>>;

/** Enough of the JSON form for conditions, marks and verdicts; other expressions become a word that nothing knows. */
function fromJson(text: string): string {
  let expressions: unknown;
  try {
    expressions = JSON.parse(text);
  } catch {
    return 'unreadable';
  }
  return Array.isArray(expressions) ? expressions.map(statement).join(' ') : 'unreadable';
}

function statement(value: unknown): string {
  if (!isObject(value)) return 'unreadable';
  const [kind = '', body] = Object.entries(value)[0] ?? [];
  if (kind === 'match' && isObject(body)) {
    const operator = body['op'] === 'in' || body['op'] === '==' ? '' : `${word(body['op'])} `;
    // Bit tests are printed without an operator, and comparisons of such a field with `==`.
    const isExact =
      body['op'] === '==' && expression(body['left']) === 'ct status' && typeof body['right'] === 'string';
    return `${expression(body['left'])} ${isExact ? '== ' : operator}${expression(body['right'])}`;
  }
  if (kind === 'mangle' && isObject(body)) return `${expression(body['key'])} set ${expression(body['value'])}`;
  if (kind === 'flow' && isObject(body)) return `flow add ${word(body['flowtable'])}`;
  if (kind === 'vmap' && isObject(body)) return `${expression(body['key'])} vmap ${expression(body['data'])}`;
  if ((kind === 'jump' || kind === 'goto') && isObject(body)) return `${kind} ${word(body['target'])}`;
  return kind;
}

function expression(value: unknown, depth = 0): string {
  if (Array.isArray(value)) {
    const parts = value.map((part) => expression(part, depth + 1));
    return parts.join(depth > 0 && value.length === 2 ? ' : ' : ',');
  }
  if (!isObject(value) || depth > 8) return word(value);
  const [kind = '', body] = Object.entries(value)[0] ?? [];
  if (kind === 'set' || kind === 'map') {
    const members = Array.isArray(body) ? body.map((member) => expression(member, depth + 1)) : [word(body)];
    return `{ ${members.join(', ')} }`;
  }
  if (Array.isArray(body) && body.length === 2)
    return `${expression(body[0], depth + 1)} ${kind} ${expression(body[1], depth + 1)}`;
  if (!isObject(body)) return kind;
  if (kind === 'meta' || kind === 'ct') {
    const key = word(body['key']);
    return /^[io]if(?:name)?$/.test(key) ? key : `${kind} ${key}`;
  }
  if (kind === 'payload') return `${word(body['protocol'])} ${word(body['field'])}`;
  if (kind === 'prefix') return `${word(body['addr'])}/${word(body['len'])}`;
  return kind;
}

function word(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : 'unreadable';
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
