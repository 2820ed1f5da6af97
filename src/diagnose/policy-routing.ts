/** Tables that a mark selects, and how to complete them. */

import { formatMac, isIpv6, type Ip, type Mac } from '../bytes/address.js';
import type { Advice } from '../model.js';
import { tableName } from '../reconstruct/next-hop-history.js';
import { parsePrefix, prefixContains } from '../reconstruct/prefix.js';
import type { RouteFact, RouteNextHop } from '../records/facts.js';
import { plain } from './advice.js';
import type { Explanation } from './cause.js';
import { ownersOfMac, type OwnerOfMac } from './identity.js';
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
  if (!context.hasRoutes) {
    return { fits: 'unknown', because: 'The routes and rules are not known.', collect: COLLECT_TABLES };
  }
  const [unknown] = unknownGateways(scene, kase);
  if (unknown !== undefined) {
    const because = `Nothing shows the MAC of ${unknown}, a next hop of a table that a mark selects.`;
    return { fits: 'unknown', because, collect: 'ip neigh show' };
  }
  return { fits: 'no', because: `No table that a mark selects leads to ${mac}.` };
}

/** Gateways of tables that a mark selects, of the case's family, whose MAC nobody knows. */
function unknownGateways(scene: Scene, kase: Case): string[] {
  const { rules, routes } = kase.host ?? { rules: [], routes: [] };
  const marked = new Set(rules.filter(({ mark }) => mark !== undefined).map(({ table }) => table));
  return routes.flatMap(({ table, family, nextHops }) => {
    if (!marked.has(table) || family !== familyOf(kase)) return [];
    return nextHops.flatMap(({ via }) => {
      const ip = via === undefined ? undefined : scene.r.addresses.parse(via);
      return via !== undefined && ip !== undefined && macsOf(scene, kase, ip).size === 0 ? [via] : [];
    });
  });
}

function familyOf({ dstIp }: Case): 4 | 6 {
  return isIpv6(dstIp) ? 6 : 4;
}

/**
 * Whether the rules and tables of a case's host are known for its family, none of them leads to the case's MAC, and none
 * that is not main leads to a gateway whose MAC nobody knows.
 */
export function areTablesKnown(scene: Scene, kase: Case): boolean {
  const { host } = kase;
  if (!host) return false;
  const family = familyOf(kase);
  const routes = host.routes.filter((route) => route.family === family);
  const tables = new Set(routes.map((route) => tableName(route.table)));
  const rules = host.rules.filter((rule) => (rule.family ?? family) === family && rule.action === 'lookup');
  const isWhole = tables.has('local');
  if (!tables.has('main') || (rules.length === 0 && !isWhole)) return false;
  // A table without any route is left out of the list of all tables.
  const isMissing = rules.some(
    ({ table = 'main' }) => !STANDARD.includes(tableName(table)) && !tables.has(tableName(table)),
  );
  if (isMissing && !isWhole) return false;
  return routes.every(({ table, nextHops }) =>
    nextHops.every(({ via }) => {
      const ip = via === undefined ? undefined : scene.r.addresses.parse(via);
      if (ip === undefined) return true;
      const macs = macsOf(scene, kase, ip);
      return !macs.has(kase.mac) && (macs.size > 0 || tableName(table) === 'main');
    }),
  );
}

/** Tables that every host has; nobody puts a way out into the first and the last. */
const STANDARD: readonly string[] = ['local', 'main', 'default'];

/** The MACs that an address is known to have, or to have had, by any table or on the wire. */
function macsOf(scene: Scene, kase: Case, ip: Ip): ReadonlySet<Mac> {
  const macs = new Set((kase.host?.neighbors.get(ip) ?? []).map(({ mac }) => mac));
  for (const ownership of scene.ownerships.values()) {
    if (ownership.ip === ip) for (const mac of ownership.macs) macs.add(mac);
  }
  return macs;
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
