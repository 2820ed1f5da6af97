/** Tables that a mark selects, and how to complete them. */

import type { Advice } from '../model.js';
import { parsePrefix, prefixContains } from '../reconstruct/prefix.js';
import type { RouteFact, RouteNextHop } from '../records/facts.js';
import { plain } from './advice.js';
import type { Explanation } from './cause.js';
import { ownersOfMac, type OwnerOfMac } from './identity.js';
import { formatMac } from '../bytes/address.js';
import type { Case, Scene } from './case.js';

export interface PolicyTable {
  readonly table: string;
  /** As in the rule, for `ip route get ... mark`. */
  readonly mark: string;
}

/** What the tables say about the MAC that a case's frames went to. */
export interface PolicyContext {
  /** The MAC had the address itself before: no routing needed to send frames there. */
  readonly hadAddress: boolean;
  /** Addresses of the MAC that are next hops, and the marked tables that lead to them. */
  readonly hops: readonly OwnerOfMac[];
  readonly tables: readonly PolicyTable[];
  readonly hasRoutes: boolean;
}

export function policyContext(scene: Scene, kase: Case): PolicyContext {
  const hops = ownersOfMac(scene, kase).filter((owner) => owner.kind === 'next-hop');
  return {
    hadAddress: kase.ownership?.tenures.some((tenure) => tenure.macs.includes(kase.mac)) ?? false,
    hops,
    tables: policyTables(
      scene,
      kase,
      hops.flatMap((hop) => hop.routes),
    ),
    hasRoutes: (kase.host?.routes.length ?? 0) > 0,
  };
}

/** Reasons that rule policy routing out, or leave it open; undefined when it may be the cause. */
export function policyRuledOut(scene: Scene, kase: Case, context: PolicyContext): Explanation | undefined {
  const mac = formatMac(kase.mac);
  if (context.hadAddress) {
    return { fits: 'no', because: `${mac} had ${scene.r.addresses.format(kase.dstIp)} itself before.` };
  }
  if (context.tables.length > 0) return undefined;
  return context.hasRoutes
    ? { fits: 'no', because: `No table that a mark selects leads to ${mac}.` }
    : { fits: 'unknown', because: 'The routes and rules are not known.', collect: COLLECT_TABLES };
}

export const COLLECT_TABLES = 'ip rule show; ip route show table all';

/** The tables of these routes that some rule selects by mark. */
function policyTables(scene: Scene, kase: Case, routes: readonly RouteFact[]): PolicyTable[] {
  const hosts = kase.host ? [kase.host] : scene.around.hosts;
  const wanted = new Set(routes.map((route) => route.table));
  const found = new Map<string, PolicyTable>();
  for (const rule of hosts.flatMap((host) => host.rules)) {
    if (rule.mark === undefined || rule.table === undefined || !wanted.has(rule.table)) continue;
    found.set(rule.table, { table: rule.table, mark: `0x${rule.mark.toString(16)}` });
  }
  return [...found.values()].sort((a, b) => (a.table < b.table ? -1 : 1));
}

/** Both cures of a table without the network of the case's address, and the command that shows the fault. */
export function curesForTables(scene: Scene, kase: Case, tables: readonly PolicyTable[]): Advice[] {
  const ip = scene.r.addresses.format(kase.dstIp);
  const version = ip.includes(':') ? 'ip -6' : 'ip';
  const network = connectedNetwork(scene, kase);
  const device = plain(network?.device ?? '');
  const [first] = tables;
  const cures = tableCures(
    version,
    network,
    device,
    tables.map((table) => plain(table.table)),
  );
  if (first) {
    // IPv6 takes the device as a wish only where a source is given, as the offload does.
    const source = kase.buckets[0]?.view.srcIp;
    const from = version === 'ip' || source === undefined ? '' : ` from ${scene.r.addresses.format(source)}`;
    cures.push({
      what: 'To see it: this must not name a gateway.',
      commands: [`${version} route get ${ip}${from} oif ${device} mark ${first.mark}`],
    });
  }
  return cures;
}

/** The cures of tables that lack a network; the network's own route, when it is known, and its device. */
export function tableCures(
  version: string,
  network: { readonly prefix: string; readonly nextHops?: readonly RouteNextHop[] } | undefined,
  device: string,
  tables: readonly string[],
): Advice[] {
  const cures: Advice[] = [];
  if (network) {
    const via = network.nextHops?.[0]?.via;
    const way = `${via === undefined ? '' : `via ${via} `}dev ${plain(device)}`;
    cures.push({
      what: 'Give the table the connected network too.',
      commands: tables.map((table) => `${version} route add ${network.prefix} ${way} table ${table}`),
    });
  }
  cures.push({
    what: 'Or let specific routes of the main table win over the marked one.',
    commands: [`${version} rule add pref 1000 lookup main suppress_prefixlength 0`],
  });
  return cures;
}

/** The connected route of the main table that the address lies in. */
function connectedNetwork(scene: Scene, kase: Case): { prefix: string; device: string } | undefined {
  for (const route of kase.host?.routes ?? []) {
    const [hop] = route.nextHops;
    if (route.table !== 'main' || route.type !== 'unicast' || hop?.via !== undefined || hop?.device === undefined)
      continue;
    const prefix = parsePrefix(route.prefix, scene.r.addresses);
    if (prefix && prefix.length > 0 && prefixContains(prefix, kase.dstIp))
      return { prefix: route.prefix, device: hop.device };
  }
  return undefined;
}
