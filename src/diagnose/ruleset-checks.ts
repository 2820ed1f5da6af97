/** What a ruleset does to flow offload that its author should know, a sentence each. */

import type { Origin, RulesetCheck } from '../model.js';
import type { Host } from '../reconstruct/hosts.js';
import type { FactOrigin } from '../records/facts.js';
import { plain } from './advice.js';
import type { NftRule } from './nft-rule.js';
import { guardsBefore, type Guard } from './offload-guards.js';
import { reachedOffloads, type Offload, type OffloadRules } from './offload-rules.js';

/** Longest text of a rule that a sentence repeats. */
const MAX_TEXT = 120;

/** What a host's ruleset does to flow offload: rules that never run, guards that never match, risks of the flowtable. */
export function checkRuleset(
  host: Host,
  offload: OffloadRules,
  originOf: (origin: FactOrigin) => Origin,
): RulesetCheck[] {
  const checks: RulesetCheck[] = [];
  const add = (id: string, result: RulesetCheck['result'], what: string, ...rules: { origin: FactOrigin }[]): void => {
    checks.push({ id, result, what, evidence: rules.map((rule) => originOf(rule.origin)) });
  };
  for (const one of offload.all) {
    const table = plain(one.rule.fact.flowtable ?? '');
    if (one.isOrphan) {
      add(
        'offload-never-runs',
        'fault',
        `\`flow add @${table}\` never runs: nothing leads to its chain ${plain(one.rule.fact.chain)}.`,
        one.rule.fact,
      );
      continue;
    }
    if (one.hiddenBy) {
      add(
        'offload-never-runs',
        'fault',
        `\`flow add @${table}\` never runs for established traffic: ${quoted(one.hiddenBy)} before it takes that away, and only established traffic is offloaded.`,
        one.hiddenBy.fact,
        one.rule.fact,
      );
      continue;
    }
    for (const guard of one.guards) {
      const check = checkGuard(guard, one);
      if (check) add(check.id, check.result, check.what, guard.rule.fact);
    }
  }
  for (const { rule, why } of misplacedGuards(offload)) add('guard-misplaced', 'fault', why, rule.fact);
  const reached = reachedOffloads(offload);
  for (const flowtable of new Set(reached.map((one) => one.flowtable))) {
    if (!flowtable) continue;
    const ports = flowtable.devices.filter((device) => host.devices.get(device)?.master !== undefined);
    const name = `Flowtable ${plain(flowtable.name)}`;
    if (flowtable.hardware === true)
      add(
        'hardware-offload',
        'risk',
        `${name} has \`flags offload\`: MAC and port are copied once per flow, and stay when a host moves or is replaced (stale-mac, wrong-port).`,
        flowtable,
      );
    if (ports.length > 0)
      add(
        'ports-in-flowtable',
        'risk',
        `${name} lists bridge ports (${ports.map(plain).join(', ')}): MAC and port are copied once per flow, and stay when a host moves or is replaced (stale-mac, wrong-port); the bridge itself in their stead has them looked up for each packet.`,
        flowtable,
      );
  }
  return unique(checks);
}

function checkGuard(guard: Guard, { rule }: Offload): Pick<RulesetCheck, 'id' | 'result' | 'what'> | undefined {
  const text = quoted(guard.rule);
  const isWithin = guard.rule === rule;
  if (guard.effect === 'never') {
    const cure = isWithin
      ? 'write `ct status ! dnat`'
      : 'write `ct status dnat return` and `ct status snat return`, which test bits';
    return {
      id: 'guard-never-matches',
      result: 'fault',
      what: `${text} keeps nothing out: it compares the whole status word, which always says more (confirmed, seen-reply). NATed traffic is offloaded all the same; ${cure}.`,
    };
  }
  if (guard.effect === 'all')
    return {
      id: 'guard-keeps-all',
      result: 'fault',
      what: `${text} keeps all traffic out of the flowtable: it compares the whole status word, which always says more than that.`,
    };
  if (isPolicyDrop(guard))
    return {
      id: 'guard-drops',
      result: 'fault',
      what: `${text} ends the walk through chain ${plain(guard.rule.fact.chain)}, whose policy is drop: what it matches is dropped, not only kept out of the flowtable.`,
    };
  const whom =
    guard.subject === 'status'
      ? guard.nat.map((nat) => (nat === 'dnat' ? 'destination' : 'source')).join(' and ') + ' NATed traffic'
      : guard.subject === 'mark'
        ? 'packets that carry such a mark'
        : 'connections that carry such a mark';
  if (guard.effect === 'partly')
    return {
      id: 'guard-partial',
      result: 'risk',
      what: `${text} keeps only a part of ${whom} out of the flowtable: its other conditions limit it.`,
    };
  const limit = guard.subject === 'mark' ? ', but not replies that come without it' : '';
  return { id: 'guard-works', result: 'fine', what: `${text} keeps ${whom} out of the flowtable${limit}.` };
}

function isPolicyDrop({ rule }: Guard): boolean {
  return rule.verdict === 'return' && rule.fact.hook !== undefined && rule.fact.policy === 'drop';
}

/** Rules that look like guards, and stand where they have no effect on any rule that offloads. */
function misplacedGuards(offload: OffloadRules): { rule: NftRule; why: string }[] {
  const used = new Set(offload.all.flatMap((one) => one.guards.map((guard) => guard.rule)));
  const reached = reachedOffloads(offload);
  const found: { rule: NftRule; why: string }[] = [];
  if (reached.length === 0) return found;
  for (const rule of offload.rules) {
    if (rule.verdict !== 'return' || rule.conditions.length !== 1 || rule.fact.hook !== 'forward' || used.has(rule))
      continue;
    if (guardsBefore(rule).length === 0) continue;
    const behind = reached.find(({ rule: one }) => isSameChain(one, rule));
    const target = reached[0]?.rule.fact.chain ?? '';
    found.push({
      rule,
      why: behind
        ? `${quoted(rule)} keeps nothing out of the flowtable: it stands behind \`flow add\`.`
        : `${quoted(rule)} keeps nothing out of the flowtable: it ends the walk through chain ${plain(rule.fact.chain)} only, and \`flow add\` stands in ${plain(target)}.`,
    });
  }
  return found;
}

function isSameChain(a: NftRule, b: NftRule): boolean {
  return a.fact.chain === b.fact.chain && a.fact.table === b.fact.table && a.fact.family === b.fact.family;
}

function quoted(rule: NftRule): string {
  const text = rule.text.length > MAX_TEXT ? `${rule.text.slice(0, MAX_TEXT)}...` : rule.text;
  return `\`${text}\``;
}

function unique(checks: readonly RulesetCheck[]): RulesetCheck[] {
  return [...new Map(checks.map((check) => [`${check.id} ${check.what}`, check])).values()];
}
