/** `nft -j list ruleset` (libnftables-json(5)). Flowtables there have no flags: hardware offload is not told. */

import type { FlowtableFact, NftRuleFact } from '../records/facts.js';
import { stateBase, type Mutable, type Section, type StatementBase } from './section.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** Emits flowtables and rules of a JSON document that began in `line`; any other document yields nothing. */
export function decodeNftJson(value: unknown, line: number, section: Section): void {
  if (!isObject(value) || !Array.isArray(value['nftables'])) return;
  const base: StatementBase = { ...stateBase(section), origin: { input: section.input, line } };
  const chains = new Map<string, { chain: JsonObject; rules: number }>();
  for (const item of value['nftables']) {
    if (!isObject(item)) continue;
    const { flowtable, chain, rule } = item;
    if (isObject(flowtable)) emitFlowtable(flowtable, base, section);
    else if (isObject(chain)) chains.set(keyOf(chain, 'name'), { chain, rules: 0 });
    else if (isObject(rule)) {
      const known = chains.get(keyOf(rule, 'chain')) ?? { chain: {}, rules: 0 };
      emitRule(rule, known.chain, known.rules++, base, section);
    }
  }
}

function emitFlowtable(flowtable: JsonObject, base: StatementBase, section: Section): void {
  const devices = flowtable['dev'];
  const fact: Mutable<FlowtableFact> = {
    kind: 'flowtable',
    ...base,
    family: text(flowtable['family']),
    table: text(flowtable['table']),
    name: text(flowtable['name']),
    devices: Array.isArray(devices) ? devices.filter((device) => typeof device === 'string') : [text(devices)],
  };
  if (flowtable['prio'] !== undefined) fact.priority = text(flowtable['prio']);
  if (flowtable['flags'] !== undefined) fact.hardware = JSON.stringify(flowtable['flags']).includes('offload');
  section.emit(fact);
}

const VERDICTS = ['accept', 'drop', 'return', 'continue', 'reject', 'queue', 'masquerade', 'jump', 'goto'];

function emitRule(rule: JsonObject, chain: JsonObject, index: number, base: StatementBase, section: Section): void {
  const expressions = Array.isArray(rule['expr']) ? rule['expr'].filter(isObject) : [];
  const fact: Mutable<NftRuleFact> = {
    kind: 'nft-rule',
    ...base,
    family: text(rule['family']),
    table: text(rule['table']),
    chain: text(rule['chain']),
    index,
    text: JSON.stringify(expressions),
  };
  if (chain['hook'] !== undefined) fact.hook = text(chain['hook']);
  if (chain['prio'] !== undefined) fact.priority = text(chain['prio']);
  if (chain['policy'] !== undefined) fact.policy = text(chain['policy']);
  for (const expression of expressions) {
    const { flow, mangle } = expression;
    if (isObject(flow)) fact.flowtable = text(flow['flowtable']).replace(/^@/, '');
    if (isObject(mangle)) readMangle(mangle, fact);
    const verdict = VERDICTS.find((name) => name in expression);
    if (verdict === undefined) continue;
    fact.verdict = verdict;
    const target = expression[verdict];
    if (isObject(target) && target['target'] !== undefined) fact.target = text(target['target']);
  }
  section.emit(fact);
}

function readMangle(mangle: JsonObject, fact: Mutable<NftRuleFact>): void {
  const key = mangle['key'];
  if (!isObject(key)) return;
  for (const name of ['meta', 'ct'] as const) {
    const field = key[name];
    if (isObject(field) && field['key'] === 'mark') fact.marks = { key: name, value: JSON.stringify(mangle['value']) };
  }
}

function keyOf(item: JsonObject, name: string): string {
  return JSON.stringify([item['family'], item['table'], item[name]]);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Strings and numbers as text, anything else as nothing. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}
