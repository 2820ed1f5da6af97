/** `ip rule` (iproute2 ip/iprule.c print_rule): `32765:	from all fwmark 0xff/0xff iif br-lan lookup 100`. */

import type { RuleFact } from '../records/facts.js';
import { monitorBase, splitMonitorPrefix } from './monitor-prefix.js';
import type { LineReader, Mutable, Section } from './section.js';
import { canonicalPrefix, isRedacted, markNumber, wholeNumber, wordsOf } from './tokens.js';

export function ipRuleReader(): LineReader {
  return { id: 'ip-rule', line: readLine };
}

const ACTIONS = new Set(['unreachable', 'blackhole', 'prohibit', 'nop', 'masquerade']);
/** Selectors that are kept as text. */
const OTHERS = new Set(
  'ipproto sport dport uidrange tos dsfield tun_id realms suppress_ifgroup proto protocol flowlabel dscp'.split(' '),
);

interface Rule {
  fact: Mutable<RuleFact>;
  others: string[];
  redacted: boolean;
}

function readLine(line: string, section: Section): boolean {
  const prefix = splitMonitorPrefix(line, section);
  if (prefix.label !== undefined && prefix.label !== 'RULE') return false;
  const colon = prefix.text.indexOf(':');
  const preference = wholeNumber(prefix.text.slice(0, Math.max(colon, 0)), 0xffff_ffff);
  if (preference === undefined) return false;
  const words = wordsOf(prefix.text.slice(colon + 1));
  const inverted = words[0] === 'not';
  if (inverted) words.shift();
  if (words[0] !== 'from' || words.length > 60) return false;
  const others: string[] = [];
  const fact: Mutable<RuleFact> = {
    kind: 'rule',
    ...monitorBase(prefix, section),
    preference,
    inverted,
    others,
    action: '',
  };
  const rule: Rule = { fact, others, redacted: false };
  for (let at = 0; at < words.length; at++) {
    const next = readSelector(words, at, rule);
    if (next === undefined) return false;
    at = next;
  }
  if (fact.action === '') return false;
  if (rule.redacted) {
    section.redacted++;
    return true;
  }
  const family = familyOf(fact, section);
  if (family !== undefined) fact.family = family;
  if (prefix.event !== undefined) fact.event = prefix.event === 'deleted' ? 'deleted' : 'changed';
  section.emit(fact);
  return true;
}

/** @returns the index of the selector's last word, undefined when it is not of this format */
function readSelector(words: readonly string[], at: number, rule: Rule): number | undefined {
  const word = words[at] ?? '';
  const value = words[at + 1];
  const { fact } = rule;
  if (ACTIONS.has(word)) {
    fact.action = word;
    return at;
  }
  if (word === 'l3mdev' || /^\[.*\]$/.test(word)) {
    if (word === 'l3mdev') rule.others.push(word);
    return at;
  }
  if (value === undefined) return undefined;
  switch (word) {
    case 'from':
    case 'to': {
      if (value === 'all') return at + 1;
      const prefix = canonicalPrefix(value);
      if (prefix !== undefined) fact[word] = prefix;
      else if (isRedacted(value)) rule.redacted = true;
      else return undefined;
      return at + 1;
    }
    case 'fwmark': {
      const [markText, maskText] = value.split('/');
      const mark = markNumber(markText);
      const mask = maskText === undefined ? undefined : markNumber(maskText);
      if (mark === undefined || (maskText !== undefined && mask === undefined)) return undefined;
      fact.mark = mark;
      if (mask !== undefined) fact.mask = mask;
      return at + 1;
    }
    case 'iif':
    case 'oif':
      fact[word] = value;
      return at + 1;
    case 'lookup':
    case 'table':
      fact.action = 'lookup';
      fact.table = value;
      return at + 1;
    case 'goto': {
      const target = wholeNumber(value);
      fact.action = 'goto';
      if (target !== undefined) fact.goto = target;
      return at + 1;
    }
    case 'suppress_prefixlength': {
      const length = wholeNumber(value, 128);
      if (length === undefined) return undefined;
      fact.suppressPrefixLength = length;
      return at + 1;
    }
    default:
      if (!OTHERS.has(word)) return undefined;
      rule.others.push(`${word} ${value}`);
      return at + 1;
  }
}

function familyOf(fact: RuleFact, section: Section): 4 | 6 | undefined {
  const prefix = fact.from ?? fact.to;
  if (prefix !== undefined) return prefix.includes(':') ? 6 : 4;
  const { command } = section;
  if (command?.program !== 'ip') return undefined;
  return command.words.includes('-6') ? 6 : 4;
}
