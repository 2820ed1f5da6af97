/**
 * Replies that get the mark of their connection back are routed by it, offloaded or not: a marked table without the
 * client's network misleads them all, and the offload only goes on with it.
 */

import type { Case, Scene } from './case.js';
import type { Tests } from './cause.js';
import type { PolicyTable } from './policy-routing.js';
import { foretellsIncompleteTable } from './predictions.js';

/**
 * Whether the ruleset and the tables of the sender say so of a case, conntrack shows the mark on one of its flows, and no
 * packet that was not offloaded shows otherwise.
 */
export function areRepliesMarked(scene: Scene, kase: Case, tests: Tests, tables: readonly PolicyTable[]): boolean {
  const { host } = kase;
  if (!host || tables.length === 0 || tests.is('D1', 'yes') || tests.is('D2', 'yes')) return false;
  const marks = kase.flows.flatMap(({ flow }) => flow.conntrack.flatMap(({ mark }) => mark ?? []));
  const selected = tables.filter(({ table }) =>
    host.rules.some((rule) => rule.table === table && marks.some((mark) => selects(rule, mark))),
  );
  const names = selected.map(({ table }) => table);
  return names.length > 0 && foretellsIncompleteTable(host, scene.r.addresses, kase.dstIp, names);
}

/** Whether a rule takes packets with a mark (fib_rules.c: the mark under the mask is the rule's). */
function selects(rule: { readonly mark?: number; readonly mask?: number }, mark: number): boolean {
  return rule.mark !== undefined && ((mark ^ rule.mark) & (rule.mask ?? 0xffffffff)) === 0;
}
