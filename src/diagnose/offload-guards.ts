/** What keeps traffic out of a flowtable: conditions on marks and on the state of NAT, and those that only look like it. */

import type { NftRule } from './nft-rule.js';

/** What a rule before `flow add`, or a condition of its own, keeps out. */
export interface Guard {
  readonly rule: NftRule;
  readonly condition: string;
  readonly subject: 'mark' | 'ct-mark' | 'status';
  /**
   * `works`; `never`: it looks right and keeps nothing out; `all`: it keeps everything out; `partly`: other conditions
   * of the rule limit it.
   */
  readonly effect: 'works' | 'never' | 'all' | 'partly';
  /** Of `mark` and `ct-mark`: whether it keeps traffic of this mark out. */
  coversMark(mark: number): boolean;
  /** Of `status`: what it keeps out. */
  readonly nat: readonly ('dnat' | 'snat')[];
}

const ENDS: readonly (string | undefined)[] = ['return', 'accept', 'drop', 'reject', 'goto'];

/** The guards of a rule that stands before the one that offloads. */
export function guardsBefore(rule: NftRule): Guard[] {
  if (rule.verdict === 'vmap') {
    const isStatus = rule.conditions.length === 1 && (rule.conditions[0] ?? '').startsWith('ct status vmap');
    return isStatus ? [guard(rule, rule.text, 'status', 'never', () => false, [])] : [];
  }
  if (!ENDS.includes(rule.verdict)) return [];
  return guardsOf(rule, false);
}

/** The guards among the conditions of the rule that offloads itself: what does not match them stays out. */
export function guardsWithin(rule: NftRule): Guard[] {
  return guardsOf(rule, true);
}

/** Whether established traffic ends at this rule, whatever else it is. */
export function endsEstablished(rule: NftRule): boolean {
  const [first = '', ...rest] = rule.conditions;
  if (rest.length > 0) return false;
  if (rule.verdict === 'vmap') return /^ct state vmap \{.*\bestablished : (?:accept|drop|return|goto)/.test(first);
  if (!ENDS.includes(rule.verdict)) return false;
  return first === '' || /^ct state (?:\{ )?[\w, ]*\bestablished\b[\w, ]*(?: \})?$/.test(first);
}

function guardsOf(rule: NftRule, inverted: boolean): Guard[] {
  const guards: Guard[] = [];
  for (const condition of rule.conditions) {
    const found = readMark(rule, condition, inverted) ?? readStatus(rule, condition, inverted);
    if (!found) continue;
    const isLimited = !inverted && rule.conditions.some((other) => other !== condition && !isHarmless(other));
    guards.push(isLimited && found.effect === 'works' ? { ...found, effect: 'partly' } : found);
  }
  return guards;
}

/** Only TCP and UDP are offloaded anyway. */
function isHarmless(condition: string): boolean {
  return /^meta l4proto (?:\{ )?(?:tcp|udp|6|17)(?:, ?(?:tcp|udp|6|17))?(?: \})?$/.test(condition);
}

function readMark(rule: NftRule, condition: string, inverted: boolean): Guard | undefined {
  const match = /^(meta|ct)? ?mark (?:(?:&|and) (0x[0-9a-f]+|\d+) )?(?:(==|!=) )?(\{[\w, ]+\}|0x[0-9a-f]+|\d+)$/i.exec(
    condition,
  );
  if (!match) return undefined;
  const mask = match[2] === undefined ? 0xffff_ffff : Number(match[2]);
  const values = (match[4] ?? '')
    .replaceAll(/[{}]/g, '')
    .split(',')
    .map((value) => Number(value.trim()));
  const isNegated = (match[3] === '!=') !== inverted;
  const subject = match[1] === 'ct' ? 'ct-mark' : 'mark';
  const covers = (mark: number): boolean => values.includes((mark & mask) >>> 0) !== isNegated;
  return guard(rule, condition, subject, 'works', covers, []);
}

const BOTH: readonly ('dnat' | 'snat')[] = ['dnat', 'snat'];

function readStatus(rule: NftRule, condition: string, inverted: boolean): Guard | undefined {
  const match = /^ct status (.+)$/.exec(condition);
  if (!match) return undefined;
  const value = match[1] ?? '';
  const nat = BOTH.filter((name) => new RegExp(`\\b${name}\\b`).test(value));
  if (nat.length === 0) return undefined;
  const make = (effect: Guard['effect']): Guard =>
    guard(rule, condition, 'status', effect, () => false, effect === 'works' ? nat : []);
  // A set, `==` and `!=` compare the whole status word, which always holds more bits than these.
  if (/^(?:!= )/.test(value)) return make(inverted ? 'never' : 'all');
  if (/^(?:== )?\{|^== /.test(value)) return make(inverted ? 'all' : 'never');
  const isNot = value.startsWith('! ') || /== (?:0x)?0$/.test(value);
  return isNot === inverted ? make('works') : undefined;
}

function guard(
  rule: NftRule,
  condition: string,
  subject: Guard['subject'],
  effect: Guard['effect'],
  coversMark: (mark: number) => boolean,
  nat: readonly ('dnat' | 'snat')[],
): Guard {
  return { rule, condition, subject, effect, coversMark, nat };
}
