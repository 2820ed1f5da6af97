/** Which gateways a host's rules and routes led to, and from when on they did not any more. */

import type { Host } from './hosts.js';
import type { FactOrigin, RouteFact, RuleFact } from '../records/facts.js';
import type { Epoch } from '../records/epoch.js';
import type { TableSnapshot } from './fact-store.js';

/** A gateway that some table led to, and no table that a rule selects leads to any more. ns since the analysis epoch. */
export interface LostGateway {
  /** As in the routes. */
  readonly via: string;
  /** The tables led there at this time still. */
  readonly after: number;
  /** From here on they did not: the moment of an event, or the first dump without it. */
  readonly from: number;
  /** They do again; Infinity when nothing shows it. */
  until: number;
  readonly isExact: boolean;
  /** An event of a rule names no address family, and nothing else shows that it is this one. */
  readonly isUnsure: boolean;
  /** What is missing: the rule or route, as text. */
  readonly what: string;
  readonly origin: FactOrigin;
  /** The ways that are left. */
  readonly ways: readonly { readonly prefix: string; readonly via: string }[];
}

const NAMED_TABLES: Readonly<Record<string, string>> = { 253: 'default', 254: 'main', 255: 'local' };

/** The name that `ip` prints for a table, as it may also stand as a number. */
export function tableName(table: string): string {
  return NAMED_TABLES[table] ?? table;
}

/** The gateways that a host lost while it was watched, by dumps one after the other or by a monitor. */
export function lostGateways(host: Host, epoch: Epoch): LostGateway[] {
  const history = new History(host);
  for (const moment of momentsOf(host, epoch)) history.take(moment);
  return history.lost;
}

interface Moment {
  readonly time: number;
  readonly event?: RuleFact | RouteFact;
  readonly snapshot?: TableSnapshot;
}

function momentsOf(host: Host, epoch: Epoch): Moment[] {
  const events = [...host.rules, ...host.routes].flatMap((fact): Moment[] =>
    fact.event !== undefined && fact.time !== undefined ? [{ time: epoch.relative(fact.time), event: fact }] : [],
  );
  const snapshots = host.tables.map((snapshot): Moment => ({ time: snapshot.time, snapshot }));
  return [...events, ...snapshots].filter(({ time }) => !Number.isNaN(time)).sort((a, b) => a.time - b.time);
}

class History {
  readonly lost: LostGateway[] = [];
  private readonly host: Host;
  private readonly rules = new Map<string, RuleFact>();
  private readonly routes = new Map<string, RouteFact>();
  private last = -Infinity;

  constructor(host: Host) {
    this.host = host;
    const first = (kind: TableSnapshot['kind']): TableSnapshot[] => {
      const own = host.tables.filter((snapshot) => snapshot.kind === kind).sort((a, b) => a.time - b.time);
      const scopes = new Set<string>();
      return own.filter((one) => !scopes.has(scopeOf(one)) && scopes.add(scopeOf(one)));
    };
    for (const fact of [...host.rules, ...host.routes]) if (!fact.event && fact.time === undefined) this.put(fact);
    for (const { facts } of [...first('rule'), ...first('route')]) for (const fact of facts) this.put(fact);
  }

  take({ time, event, snapshot }: Moment): void {
    // A deletion says what was there, whatever the dumps show.
    if (event?.event === 'deleted' && (event.kind === 'route' || this.alike(event).length === 0)) this.put(event);
    const before = this.gateways();
    const gone = event ? this.change(event) : snapshot ? this.replace(snapshot) : [];
    const now = this.gateways();
    for (const lost of this.lost) if (now.has(lost.via) && lost.until === Infinity) lost.until = time;
    for (const [via, routes] of before) {
      if (now.has(via) || this.rules.size === 0) continue;
      const fact = gone.find((one) => leadsTo(one, via, routes));
      if (!fact) continue;
      const ways = [...now].flatMap(([other, list]) => list.map(({ prefix }) => ({ prefix, via: other })));
      const origin = event?.origin ?? snapshot?.facts[0]?.origin ?? fact.origin;
      const isExact = event !== undefined;
      this.lost.push({
        via,
        after: isExact ? time : this.last,
        from: time,
        until: Infinity,
        isExact,
        isUnsure: event?.kind === 'rule' && event.family === undefined && !this.isMissedByDump(event),
        what: textOf(fact),
        origin,
        ways,
      });
    }
    this.last = time;
  }

  private put(fact: RuleFact | RouteFact): void {
    if (fact.kind === 'rule') this.rules.set(keyOf(fact), fact);
    else this.routes.set(keyOf(fact), fact);
  }

  /** @returns what is there no more */
  private change(fact: RuleFact | RouteFact): (RuleFact | RouteFact)[] {
    if (fact.event === 'deleted') {
      if (fact.kind === 'route') {
        this.routes.delete(keyOf(fact));
        return [fact];
      }
      const alike = this.alike(fact);
      const [only] = alike;
      // IPv4 and IPv6 may have the same rule, and the event does not say which of them is meant.
      if (alike.length > 1 || only === undefined) return [];
      this.rules.delete(only);
      return [fact];
    }
    const replaced: RouteFact[] = [];
    // IPv4 replaces a route of the same prefix, table and metric; IPv6 may add a second one.
    if (fact.kind === 'route' && fact.family === 4) {
      for (const [key, route] of this.routes) {
        if (slotOf(route) !== slotOf(fact) || key === keyOf(fact)) continue;
        this.routes.delete(key);
        replaced.push(route);
      }
    }
    this.put(fact);
    return replaced;
  }

  /** Keys of the rules that an event may be about. */
  private alike(fact: RuleFact): string[] {
    return [...this.rules]
      .filter(
        ([, rule]) =>
          contentOf(rule) === contentOf(fact) && (rule.family ?? fact.family) === (fact.family ?? rule.family),
      )
      .map(([key]) => key);
  }

  /** Whether some dump of the IPv4 rules, which alone have a table `default`, lacks the rule. */
  private isMissedByDump(fact: RuleFact): boolean {
    const lists = new Map<number, RuleFact[]>();
    for (const rule of this.host.rules) {
      if (rule.event !== undefined || rule.partial) continue;
      const list = lists.get(rule.origin.input);
      if (list) list.push(rule);
      else lists.set(rule.origin.input, [rule]);
    }
    return [...lists.values()].some(
      (list) =>
        list.some((rule) => tableName(rule.table ?? '') === 'default') &&
        !list.some((rule) => contentOf(rule) === contentOf(fact)),
    );
  }

  /** A dump is complete within its scope: what it lacks is gone. */
  private replace(snapshot: TableSnapshot): (RuleFact | RouteFact)[] {
    const keys = new Set(snapshot.facts.map(keyOf));
    const gone: (RuleFact | RouteFact)[] = [];
    if (snapshot.kind === 'rule') {
      const scope = scopeOf(snapshot);
      const isSame = (rule: RuleFact): boolean => scope === `rule ${rule.family ?? ''}`;
      for (const [key, rule] of this.rules) {
        if (!isSame(rule) || keys.has(key)) continue;
        this.rules.delete(key);
        gone.push(rule);
      }
    } else {
      const isAll = snapshot.facts.some((fact) => tableName(fact.table ?? 'main') !== 'main');
      const families = new Set(snapshot.facts.map((fact) => fact.family));
      for (const [key, route] of this.routes) {
        const isMeant = families.has(route.family) && (isAll || tableName(route.table) === 'main');
        if (!isMeant || keys.has(key)) continue;
        this.routes.delete(key);
        gone.push(route);
      }
    }
    for (const fact of snapshot.facts) this.put(fact);
    return gone;
  }

  /** Gateways of unicast routes in tables that a rule selects, with these routes. */
  private gateways(): Map<string, RouteFact[]> {
    const selected = new Set(
      [...this.rules.values()].flatMap(({ table, family }) =>
        [4, 6].filter((own) => (family ?? own) === own).map((own) => `${own} ${tableName(table ?? '')}`),
      ),
    );
    const found = new Map<string, RouteFact[]>();
    for (const route of this.routes.values()) {
      if (
        route.type !== 'unicast' ||
        (this.rules.size > 0 && !selected.has(`${route.family} ${tableName(route.table)}`))
      )
        continue;
      for (const { via } of route.nextHops) {
        if (via === undefined) continue;
        const routes = found.get(via);
        if (routes) routes.push(route);
        else found.set(via, [route]);
      }
    }
    return found;
  }
}

/** IPv4 and IPv6 print lists of their own. */
function scopeOf({ kind, facts }: TableSnapshot): string {
  return kind === 'rule' ? `rule ${facts[0]?.family ?? ''}` : `route ${facts[0]?.family ?? ''}`;
}

/** Whether the loss of a rule or route is what took a gateway away. */
function leadsTo(fact: RuleFact | RouteFact, via: string, routes: readonly RouteFact[]): boolean {
  if (fact.kind === 'route') return fact.nextHops.some((hop) => hop.via === via);
  return routes.some((route) => tableName(route.table) === tableName(fact.table ?? ''));
}

function keyOf(fact: RuleFact | RouteFact): string {
  return fact.kind === 'rule'
    ? `${fact.family ?? ''} ${contentOf(fact)}`
    : `${slotOf(fact)} ${fact.type} ${fact.nextHops.map((hop) => `${hop.via} ${hop.device}`).join()}`;
}

function contentOf(fact: RuleFact): string {
  return `${fact.preference} ${fact.inverted} ${fact.from} ${fact.to} ${fact.iif} ${fact.oif} ${fact.mark} ${fact.mask} ${fact.action} ${tableName(fact.table ?? '')}`;
}

function slotOf({ family, prefix, table, metric }: RouteFact): string {
  return `${family} ${prefix} ${tableName(table)} ${metric ?? 0}`;
}

function textOf(fact: RuleFact | RouteFact): string {
  if (fact.kind === 'route') {
    const via = fact.nextHops[0]?.via;
    return `the route ${fact.prefix}${via === undefined ? '' : ` via ${via}`} of table ${tableName(fact.table)}`;
  }
  const mark = fact.mark === undefined ? '' : ` fwmark 0x${fact.mark.toString(16)}`;
  return `the rule${mark} lookup ${fact.table ?? ''}`;
}
