/** What a host's ruleset says of flow offload: which rules offload, whether they are ever reached, and what stays out. */

import type { Host, Ruleset } from '../reconstruct/hosts.js';
import type { FlowtableFact, NftRuleFact } from '../records/facts.js';
import { nftRule, type NftRule } from './nft-rule.js';
import { endsEstablished, guardsBefore, guardsWithin, type Guard } from './offload-guards.js';

/** A rule that offloads. */
export interface Offload {
  readonly rule: NftRule;
  /** Undefined when the evidence does not show it. */
  readonly flowtable: FlowtableFact | undefined;
  /** Before it, and in it, in order. */
  readonly guards: readonly Guard[];
  /** The rule before it that takes established traffic away, so that it never sees any. */
  readonly hiddenBy: NftRule | undefined;
  /** Its chain hangs on no hook, and nothing jumps there. */
  readonly isOrphan: boolean;
}

export interface OffloadRules {
  /**
   * `yes`: a rule offloads; `no`: the rules are known and none does, or none that is reached; `likely`: there is a
   * flowtable or a setting for it, but the rules were not shown; `unknown`: no ruleset was shown.
   */
  readonly offloads: 'yes' | 'no' | 'likely' | 'unknown';
  readonly all: readonly Offload[];
  readonly flowtables: readonly FlowtableFact[];
  readonly rules: readonly NftRule[];
}

/** More rules that offload say nothing new. */
const MAX_OFFLOADS = 16;

/** Reads the host's ruleset: of each table the best input (text before JSON, which leaves out flags; then the newest). */
export function offloadRulesOf(host: Host): OffloadRules {
  const { chains, flowtables } = chosen(host.rulesets);
  const byChain = new Map<string, NftRule[]>();
  for (const chain of chains) {
    const [first] = chain;
    if (first) byChain.set(keyOf(first, first.chain), chain.map(nftRule));
  }
  const rules = [...byChain.values()].flat();
  const all = rules
    .filter((rule) => rule.fact.flowtable !== undefined)
    .slice(0, MAX_OFFLOADS)
    .map((rule) => offloadOf(rule, byChain, flowtables));
  const isReached = all.some((offload) => !offload.hiddenBy && !offload.isOrphan);
  const isForwardKnown = rules.some((rule) => rule.fact.hook === 'forward');
  const isShown = all.length > 0 || isForwardKnown || (rules.length > 0 && flowtables.length === 0);
  const offloads = isReached ? 'yes' : isShown ? 'no' : flowtables.length > 0 ? 'likely' : asSet(host);
  return { offloads, all, flowtables, rules };
}

/** What the settings of OpenWrt's firewall say, where no ruleset is shown. */
function asSet(host: Host): OffloadRules['offloads'] {
  const setting = host.settings.findLast((one) => one.package === 'firewall' && one.option === 'flow_offloading');
  const [value = ''] = setting?.values ?? [];
  if (/^(?:1|on|true|yes|enabled)$/.test(value)) return 'likely';
  return /^(?:0|off|false|no|disabled)$/.test(value) ? 'no' : 'unknown';
}

/** The rules that offload what reaches them. */
export function reachedOffloads(offload: OffloadRules): Offload[] {
  return offload.all.filter((one) => !one.hiddenBy && !one.isOrphan);
}

/** Whether packets that come in on a device can take the fast path: it, a port of it, or the device below it is hooked. */
export function isHooked(offload: OffloadRules, host: Host, device: string): boolean {
  const reached = reachedOffloads(offload);
  const tables = reached.length > 0 ? reached.map((one) => one.flowtable) : offload.flowtables;
  // Without any word on the devices every one may be.
  if (tables.length === 0 || tables.some((table) => table === undefined)) return true;
  const hooked = tables.flatMap((table) => table?.devices ?? []);
  const lower = host.devices.get(device)?.lower;
  const ports = [...host.devices.values()].filter(
    (one) => one.master === device || (lower !== undefined && one.master === lower),
  );
  return [device, lower, ...ports.map((port) => port.name)].some(
    (name) =>
      name !== undefined &&
      hooked.some((one) => (one.endsWith('*') ? name.startsWith(one.slice(0, -1)) : one === name)),
  );
}

function chosen(rulesets: readonly Ruleset[]): { chains: (readonly NftRuleFact[])[]; flowtables: FlowtableFact[] } {
  const best = new Map<string, { ruleset: Ruleset; rank: number[] }>();
  for (const ruleset of rulesets) {
    const facts = [...ruleset.chains.flatMap((chain) => chain.slice(0, 1)), ...ruleset.flowtables];
    for (const table of new Set(facts.map(tableOf))) {
      const own = facts.filter((fact) => tableOf(fact) === table);
      const isText = own.some((fact) => fact.kind === 'nft-rule' && !fact.text.startsWith('['));
      const rules = own.filter((fact) => fact.kind === 'nft-rule').length;
      const rank = [isText ? 1 : 0, rules > 0 ? 1 : 0, Number(own[0]?.time ?? 0n), own.length, ruleset.input];
      const known = best.get(table);
      if (!known || isAbove(rank, known.rank)) best.set(table, { ruleset, rank });
    }
  }
  const chains: (readonly NftRuleFact[])[] = [];
  const flowtables = new Map<string, FlowtableFact>();
  for (const [table, { ruleset }] of best) {
    chains.push(...ruleset.chains.filter((chain) => chain[0] && tableOf(chain[0]) === table));
    for (const { flowtables: shown } of [...rulesets.filter((other) => other !== ruleset), ruleset]) {
      for (const one of shown) if (tableOf(one) === table) flowtables.set(keyOf(one, one.name), one);
    }
  }
  return { chains, flowtables: [...flowtables.values()] };
}

function isAbove(rank: readonly number[], other: readonly number[]): boolean {
  const at = rank.findIndex((part, i) => part !== other[i]);
  return at >= 0 && (rank[at] ?? 0) > (other[at] ?? 0);
}

function offloadOf(
  rule: NftRule,
  byChain: ReadonlyMap<string, readonly NftRule[]>,
  flowtables: readonly FlowtableFact[],
): Offload {
  const { before, isOrphan } = rulesBefore(rule, byChain);
  return {
    rule,
    flowtable: flowtables.find((one) => tableOf(one) === tableOf(rule.fact) && one.name === rule.fact.flowtable),
    guards: [...before.flatMap(guardsBefore), ...guardsWithin(rule)],
    hiddenBy: before.find(endsEstablished),
    isOrphan,
  };
}

/** The rules that a packet passes before this one: in its chain, and in the chains that lead there. */
function rulesBefore(
  rule: NftRule,
  byChain: ReadonlyMap<string, readonly NftRule[]>,
): { before: NftRule[]; isOrphan: boolean } {
  const before: NftRule[] = [];
  let at: NftRule | undefined = rule;
  for (let depth = 0; depth < 8; depth++) {
    const { fact }: NftRule = at;
    const chain = byChain.get(keyOf(fact, fact.chain)) ?? [];
    before.unshift(...chain.filter((other) => other.fact.index < fact.index));
    if (fact.hook !== undefined) return { before, isOrphan: false };
    const callers: NftRule[] = [...byChain.values()].flat().filter((other) => calls(other, fact));
    const [caller] = callers;
    // Chains without any hook in sight: the base chains were not shown.
    if (!caller) return { before, isOrphan: [...byChain.values()].some((rules) => rules[0]?.fact.hook === 'forward') };
    at = caller;
  }
  return { before, isOrphan: false };
}

function calls(rule: NftRule, { family, table, chain }: NftRuleFact): boolean {
  if (rule.fact.family !== family || rule.fact.table !== table) return false;
  return (
    rule.fact.target === chain ||
    (rule.verdict === 'vmap' && new RegExp(`(?:jump|goto) ${escape(chain)}\\b`).test(rule.text))
  );
}

function escape(text: string): string {
  return text.replaceAll(/[^\w]/g, '\\$&');
}

function tableOf(fact: NftRuleFact | FlowtableFact): string {
  return `${fact.family} ${fact.table}`;
}

function keyOf(fact: NftRuleFact | FlowtableFact, name: string): string {
  return `${tableOf(fact)} ${name}`;
}
