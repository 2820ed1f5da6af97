/**
 * A forwarding information base as `ip rule` and `ip route` print it, and the answer that `ip route get` would give.
 *
 * Follows Linux: rules in order of preference (net/core/fib_rules.c), the longest prefix of a table, then the lowest
 * metric (net/ipv4/fib_trie.c, net/ipv6/route.c). An IPv4 lookup that names an output device takes only next hops on it,
 * and one that finds none assumes that the destination is on-link (net/ipv4/route.c); IPv6 insists on the device only
 * while the source is not chosen yet.
 */

import { isIpv6, type AddressTable, type Ip } from '../bytes/address.js';
import { tableName } from '../reconstruct/next-hop-history.js';
import { parsePrefix, prefixContains, type Prefix } from '../reconstruct/prefix.js';
import type { RouteFact, RouteNextHop, RuleFact } from '../records/facts.js';

export interface FibQuery {
  readonly destination: Ip;
  readonly source?: Ip;
  readonly mark?: number;
  /** Output device that the lookup is bound to. */
  readonly oif?: string;
  /** Device that the packet came in on; without it the lookup is one of the host's own. */
  readonly iif?: string;
}

export type FibAnswer =
  | {
      readonly kind: 'route';
      readonly table: string;
      readonly route: RouteFact;
      readonly hop: RouteNextHop;
      /** The rule that chose the table, where it was printed. */
      readonly rule: RuleFact | undefined;
    }
  /** No table has a route: the kernel takes the destination for a neighbour on the device (IPv4). */
  | { readonly kind: 'assumed-on-link'; readonly device: string }
  | { readonly kind: 'unreachable' };

interface PlacedRoute {
  readonly route: RouteFact;
  readonly prefix: Prefix;
}

interface PlacedRule {
  readonly preference: number;
  readonly table: string | undefined;
  readonly fact: RuleFact | undefined;
  readonly from: Prefix | undefined;
  readonly to: Prefix | undefined;
}

const REFUSING = new Set(['unreachable', 'blackhole', 'prohibit']);

export class Fib {
  private readonly addresses: AddressTable;
  private readonly tables = new Map<string, PlacedRoute[]>();
  private readonly rules: Record<4 | 6, PlacedRule[]>;

  /** Rules and routes as they stand: what was deleted is not among them. Rules that were not printed are the kernel's own three. */
  constructor(rules: readonly RuleFact[], routes: readonly RouteFact[], addresses: AddressTable) {
    this.addresses = addresses;
    for (const route of routes) {
      const prefix = parsePrefix(route.prefix, addresses);
      if (!prefix) continue;
      const table = tableName(route.table);
      const placed = this.tables.get(table);
      if (placed) placed.push({ route, prefix });
      else this.tables.set(table, [{ route, prefix }]);
    }
    for (const list of this.tables.values()) list.sort(byPrecedence);
    this.rules = { 4: this.placeRules(rules, 4), 6: this.placeRules(rules, 6) };
  }

  lookup(query: FibQuery): FibAnswer {
    const answer = this.byRules(query);
    const isBound = query.oif !== undefined && query.iif === undefined;
    if (answer.kind === 'unreachable' && isBound && !isIpv6(query.destination)) {
      return { kind: 'assumed-on-link', device: query.oif };
    }
    return answer;
  }

  private byRules(query: FibQuery): FibAnswer {
    const rules = this.rules[isIpv6(query.destination) ? 6 : 4];
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i];
      if (!rule || !matches(rule, query)) continue;
      const { fact } = rule;
      if (fact?.action === 'goto') {
        const target = rules.findIndex((other) => other.preference === fact.goto);
        // A goto leads forward only; one whose target is missing is passed over.
        if (target > i) i = target - 1;
        continue;
      }
      if (fact && REFUSING.has(fact.action)) return { kind: 'unreachable' };
      if (rule.table === undefined) continue;
      const found = this.inTable(rule.table, query);
      if (found === 'refused') return { kind: 'unreachable' };
      if (!found) continue;
      const suppressed = fact?.suppressPrefixLength;
      if (suppressed !== undefined && found.length <= suppressed) continue;
      return { kind: 'route', table: rule.table, route: found.route, hop: found.hop, rule: fact };
    }
    return { kind: 'unreachable' };
  }

  /** The best route of one table; undefined when the next rule is to be asked. */
  private inTable(
    table: string,
    query: FibQuery,
  ): { route: RouteFact; hop: RouteNextHop; length: number } | 'refused' | undefined {
    const fitting = (this.tables.get(table) ?? []).filter(({ prefix }) => prefixContains(prefix, query.destination));
    // IPv6 holds such routes on the loopback device, where a lookup that insists on another one does not see them.
    const passesErrors = isIpv6(query.destination) && query.oif !== undefined && query.source === undefined;
    for (const [i, { route, prefix }] of fitting.entries()) {
      if (passesErrors && (route.type === 'throw' || REFUSING.has(route.type))) continue;
      if (route.type === 'throw') return undefined;
      if (REFUSING.has(route.type)) return 'refused';
      if (route.flags.includes('dead')) continue;
      const hop = isIpv6(query.destination)
        ? hopOfIpv6(equals(fitting, i), query)
        : route.nextHops.find((candidate) => query.oif === undefined || candidate.device === query.oif);
      if (hop)
        return { route: hop === route.nextHops[0] ? route : ownerOf(fitting, hop, route), hop, length: prefix.length };
    }
    return undefined;
  }

  private placeRules(rules: readonly RuleFact[], family: 4 | 6): PlacedRule[] {
    const placed = rules
      .filter((rule) => (rule.family ?? family) === family)
      .map((fact): PlacedRule => ({
        preference: fact.preference,
        table: fact.table === undefined ? undefined : tableName(fact.table),
        fact,
        from: fact.from === undefined ? undefined : parsePrefix(fact.from, this.addresses),
        to: fact.to === undefined ? undefined : parsePrefix(fact.to, this.addresses),
      }));
    const own: readonly (readonly [number, string])[] = [
      [0, 'local'],
      [32766, 'main'],
      [32767, 'default'],
    ];
    for (const [preference, table] of own) {
      const isThere = placed.some((rule) => rule.preference === preference && rule.table === table);
      const isMoved = placed.some((rule) => rule.table === table && rule.fact && isPlain(rule.fact));
      if (!isThere && !isMoved) placed.push({ preference, table, fact: undefined, from: undefined, to: undefined });
    }
    return placed.sort((a, b) => a.preference - b.preference);
  }
}

function byPrecedence(a: PlacedRoute, b: PlacedRoute): number {
  return b.prefix.length - a.prefix.length || (a.route.metric ?? 0) - (b.route.metric ?? 0);
}

/** From the given place on, the routes of the same prefix and metric: IPv6 chooses among them by device. */
function equals(fitting: readonly PlacedRoute[], at: number): PlacedRoute[] {
  const first = fitting[at];
  return fitting
    .slice(at)
    .filter(
      ({ route, prefix }) =>
        prefix.length === first?.prefix.length &&
        (route.metric ?? 0) === (first.route.metric ?? 0) &&
        !REFUSING.has(route.type) &&
        route.type !== 'throw' &&
        !route.flags.includes('dead'),
    );
}

function hopOfIpv6(equal: readonly PlacedRoute[], query: FibQuery): RouteNextHop | undefined {
  const hops = equal.flatMap(({ route }) => route.nextHops);
  if (query.oif === undefined) return hops[0];
  const onDevice = hops.find((hop) => hop.device === query.oif);
  return onDevice ?? (query.source === undefined ? undefined : hops[0]);
}

function ownerOf(fitting: readonly PlacedRoute[], hop: RouteNextHop, otherwise: RouteFact): RouteFact {
  return fitting.find(({ route }) => route.nextHops.includes(hop))?.route ?? otherwise;
}

function matches({ fact, from, to }: PlacedRule, query: FibQuery): boolean {
  if (!fact) return true;
  const isMatch =
    (fact.from === undefined ||
      (from !== undefined &&
        (from.length === 0 || (query.source !== undefined && prefixContains(from, query.source))))) &&
    (fact.to === undefined || (to !== undefined && prefixContains(to, query.destination))) &&
    // The host's own lookups come in from the loopback device.
    (fact.iif === undefined || fact.iif === (query.iif ?? 'lo')) &&
    (fact.oif === undefined || fact.oif === query.oif) &&
    (fact.mark === undefined || (((query.mark ?? 0) ^ fact.mark) & (fact.mask ?? 0xffff_ffff)) === 0) &&
    // Ports, protocols and users are not asked for: a rule about them is not of this packet.
    fact.others.every((other) => /^(?:realms|proto|protocol) /.test(other));
  return isMatch !== fact.inverted;
}

/** It selects by nothing: it applies to every packet. */
function isPlain(rule: RuleFact): boolean {
  const selectors = [rule.from, rule.to, rule.iif, rule.oif, rule.mark, rule.suppressPrefixLength];
  return !rule.inverted && rule.others.length === 0 && selectors.every((selector) => selector === undefined);
}
