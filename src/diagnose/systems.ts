/** What the dumps say of the machines they are of: kernel, distribution, and what they offload. */

import type { ConnectionCounts, FlowtableSummary, OffloadGuard, System } from '../model.js';
import type { ConntrackEntry } from '../reconstruct/conntrack-store.js';
import type { Host } from '../reconstruct/hosts.js';
import type { VersionFact } from '../records/facts.js';
import { offloadRulesOf, reachedOffloads, type OffloadRules } from './offload-rules.js';

/** Longest text of a rule that is repeated, and most guards, flowtables and kernels that are listed. */
const MAX_TEXT = 200;
const MAX_LISTED = 16;

/** Machines of which something is known, in the order of their first input's name. */
export function systemsOf(
  hosts: readonly Host[],
  entries: readonly ConntrackEntry[],
  inputName: (input: number) => string,
): System[] {
  return hosts
    .map((host) => systemOf(host, entries, inputName))
    .filter((system) => system !== undefined)
    .sort((a, b) => compare(a.inputs[0] ?? '', b.inputs[0] ?? ''));
}

function systemOf(
  host: Host,
  entries: readonly ConntrackEntry[],
  inputName: (input: number) => string,
): System | undefined {
  const rules = offloadRulesOf(host);
  const distribution = newestOf(host, 'distribution');
  const board = newestOf(host, 'board');
  const connections = connectionsOf(host, entries);
  const kernel = host.kernels.at(-1)?.release;
  const known = kernel ?? distribution ?? board ?? connections;
  if (known === undefined && rules.offloads === 'unknown') return undefined;
  return {
    inputs: [...new Set(host.inputs.map(inputName))].sort(compare),
    ...(kernel === undefined ? {} : { kernel }),
    ...(distribution ? { distribution: distributionText(distribution) } : {}),
    ...(board ? { board: board.name } : {}),
    offloads: rules.offloads,
    flowtables: rules.flowtables.slice(0, MAX_LISTED).map((table): FlowtableSummary => ({
      name: `${table.family} ${table.table} ${table.name}`,
      devices: [...new Set(table.devices)].sort(compare),
      ...(table.hardware === undefined ? {} : { hardware: table.hardware }),
    })),
    guards: guardsOf(rules),
    ...(connections ? { connections } : {}),
  };
}

/** Two releases in one case: the machine was upgraded between dumps, and the last one that was read counts. */
function newestOf(host: Host, subject: VersionFact['subject']): VersionFact | undefined {
  return host.versions.findLast((version) => version.subject === subject);
}

function distributionText({ name, version, revision, target }: VersionFact): string {
  return [name, version, revision, target].filter((part) => part !== undefined).join(' ');
}

function guardsOf(rules: OffloadRules): OffloadGuard[] {
  const guards = new Map<string, OffloadGuard>();
  for (const { rule, effect } of reachedOffloads(rules).flatMap((offload) => offload.guards)) {
    if (guards.size < MAX_LISTED) guards.set(rule.text, { rule: rule.text.slice(0, MAX_TEXT), effect });
  }
  return [...guards.values()];
}

/** Missing without any line of conntrack: that is not the same as none. */
function connectionsOf(host: Host, entries: readonly ConntrackEntry[]): ConnectionCounts | undefined {
  const inputs = new Set(host.inputs);
  const own = entries.filter((entry) => inputs.has(entry.first.origin.input));
  if (own.length === 0) return undefined;
  return {
    seen: own.length,
    offloaded: own.filter(({ offload }) => offload !== 'none' && offload !== 'unknown').length,
    hardware: own.filter(({ offload }) => offload === 'hardware').length,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
