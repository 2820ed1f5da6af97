/**
 * The packet engine was given another MAC than the neighbour table has for a host next door: flow_offload_eth_dst
 * (nf_flow_table_offload.c) resolves it once more, in a work queue, or the driver takes the gateway's.
 */

import { formatMac, parseMac } from '../../bytes/address.js';
import { virtualRouterOf } from '../../detect/routers.js';
import { addressKey } from '../../reconstruct/address-key.js';
import type { NeighborRun } from '../../reconstruct/fact-store.js';
import type { Host } from '../../reconstruct/hosts.js';
import { parsePrefix, prefixContains } from '../../reconstruct/prefix.js';
import { HARDWARE_OFF } from '../advice.js';
import type { Scene } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { list, timeOf } from '../claimants.js';
import { isClusterMac } from '../cluster.js';
import {
  boundEntries,
  COLLECT_ENGINE,
  entriesOfCase,
  isInHardware,
  neighborRuns,
  type BoundEntry,
} from '../hardware.js';
import { policyContext } from '../policy-routing.js';
import { once } from '../once.js';

/** Dumps this far apart may show different moments. */
const APART = 60e9;
/** Pairs of address and MAC that are looked into. */
const MAX_CHECKS = 1_000;

export const hardwareL2Wrong: Cause = {
  id: 'hardware-l2-wrong',
  title: 'The packet engine was given a wrong MAC',
  explain(scene, kase, tests) {
    const entries = entriesOfCase(scene, kase);
    if (entries.length === 0 && !isInHardware(kase)) return undefined;
    const mac = formatMac(kase.mac);
    const ip = scene.r.addresses.format(kase.dstIp);
    const context = policyContext(scene, kase);
    if (entries.length === 0) {
      const isOpen = boundEntries(scene).length === 0 && !context.hadAddress;
      const because = 'conntrack shows hardware offload, and no dump shows what the packet engine holds.';
      return isOpen ? { fits: 'unknown', because, collect: COLLECT_ENGINE } : undefined;
    }
    if (context.hadAddress) return { fits: 'no', because: `${mac} had ${ip} before: the entry was right once.` };
    if (context.tables.length > 0) {
      const tables = list(context.tables.map(({ table }) => table));
      return {
        fits: 'no',
        because: `Table ${tables}, which a mark selects, leads to ${mac}: the engine got what the tables say.`,
      };
    }
    if (!tests.showOffload) {
      const because = 'Nothing on the wire shows that the flow was offloaded.';
      return { fits: 'unknown', because, collect: COLLECT_ENGINE };
    }
    const [first] = entries;
    const where = first ? ` (${first.origin.input} line ${first.origin.line})` : '';
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `The packet engine has ${mac} for ${ip}${where}, which never had it; ${list(kase.expected.map(formatMac))} has.`,
      change: [HARDWARE_OFF],
      collect: ['uname -a'],
    };
  },
  *observe(scene) {
    const seen = new Set<string>();
    for (const entry of boundEntries(scene)) {
      const key = `${entry.ip} ${entry.mac}`;
      const told = seen.has(key) ? undefined : differingRun(entry);
      if (!told || seen.size >= MAX_CHECKS) continue;
      seen.add(key);
      if (isExplained(scene, entry)) continue;
      yield {
        summary: `The packet engine sends packets for ${scene.r.addresses.format(entry.ip)} to ${formatMac(entry.mac)}; the neighbour table has ${formatMac(told.mac)} and knows no other.`,
        ...timeOf(scene, entry.run.last),
        evidence: [entry.origin, { input: scene.places.inputName(told.input), line: told.firstLine }],
      };
    }
  },
};

/** What the neighbour table has for an entry's address, where that is one other MAC, at the same time; undefined otherwise. */
function differingRun({ host, ip, mac, run }: BoundEntry): NeighborRun | undefined {
  if (!host || host.macs.has(mac) || virtualRouterOf(mac) !== undefined || isClusterMac(mac)) return undefined;
  const runs = neighborRuns(host, ip);
  const [told] = runs;
  if (!told || runs.some((other) => other.mac !== told.mac) || told.mac === mac) return undefined;
  if (Number.isNaN(told.first) !== Number.isNaN(run.first)) return undefined;
  const isApart = runs.every((other) => other.first > run.last + APART || other.last < run.first - APART);
  return isApart ? undefined : told;
}

/** Routing may have chosen the MAC, or the MAC had the address at some time. */
function isExplained(scene: Scene, entry: BoundEntry): boolean {
  const { host, ip, mac } = entry;
  return !host || !isNextDoor(scene, host, ip) || wasOwner(scene, entry) || isMarkedHop(scene, host, mac);
}

/** A connected network has the address, and no narrower route leads to it by a router. */
function isNextDoor(scene: Scene, host: Host, ip: number): boolean {
  const byRouter = host.routes.some((route) => {
    const prefix = parsePrefix(route.prefix, scene.r.addresses);
    const isVia = route.nextHops.some((hop) => hop.via !== undefined);
    return isVia && prefix !== undefined && prefix.length > 0 && prefixContains(prefix, ip);
  });
  return !byRouter && host.onLink.some((prefix) => prefixContains(prefix, ip));
}

/** Anybody else who was on the wire or had a lease says that the MAC had the address. */
function wasOwner(scene: Scene, { ip, mac }: BoundEntry): boolean {
  const networks = new Set(scene.around.networks.of);
  const owned = [...networks].some((network) => {
    const ownership = scene.ownerships.get(addressKey(network, ip));
    return ownership?.tenures.some((t) => t.macs.includes(mac)) ?? ownership?.weak.some((t) => t.mac === mac) ?? false;
  });
  return owned || grantsOf(scene).has(`${scene.r.addresses.format(ip)} ${mac}`);
}

/** Pairs of address and MAC in leases and logs. */
const grantsOf = once(({ r }): ReadonlySet<string> => {
  const said = [...r.facts.inputs.values()].flatMap(({ leases, log }) => [...leases, ...log]);
  return new Set(
    said.flatMap(({ ip, mac }) => (ip === undefined || mac === undefined ? [] : [`${ip} ${parseMac(mac) ?? ''}`])),
  );
});

/** A table that a mark selects leads to the MAC: then routing chose it, not the engine. */
function isMarkedHop(scene: Scene, host: Host, mac: number): boolean {
  const marked = new Set(host.rules.filter((rule) => rule.mark !== undefined).map((rule) => rule.table));
  return host.routes.some(
    (route) =>
      marked.has(route.table) &&
      route.nextHops.some((hop) => {
        const via = hop.via === undefined ? undefined : scene.r.addresses.parse(hop.via);
        return via !== undefined && (host.neighbors.get(via) ?? []).some((run) => run.mac === mac);
      }),
  );
}
