/** Changes of routes, rules and links: what a monitor told, and what differs between two dumps of one host. */

import type { Host } from '../reconstruct/hosts.js';
import type { FactOrigin, LinkFact, RouteFact, RuleFact } from '../records/facts.js';
import type { Scene } from './scene.js';
import { originOfFact, type Happening } from './happening.js';

const MAX_CHANGES = 5000;

export function* configurationEvents(scene: Scene): Generator<Happening> {
  yield* monitored(scene);
  for (const host of scene.around.hosts) {
    yield* differences(scene, statementsOf(scene, host, 'rule'), 'rule');
    yield* differences(scene, statementsOf(scene, host, 'route'), 'route');
  }
}

function* monitored(scene: Scene): Generator<Happening> {
  const { r } = scene;
  let left = MAX_CHANGES;
  for (const { routes, rules, links } of r.facts.inputs.values()) {
    for (const fact of [...routes, ...rules, ...links]) {
      if (fact.event === undefined || fact.time === undefined || left-- <= 0) continue;
      const base = { time: r.epoch.relative(fact.time), origin: originOfFact(scene, fact.origin) };
      const gone = fact.event === 'deleted';
      if (fact.kind === 'link') {
        const state = gone ? 'is gone' : linkState(fact);
        yield { ...base, kind: 'port', what: `Device ${fact.device} ${state}.`, device: fact.device };
      } else {
        const [name, what] = fact.kind === 'route' ? ['Route', routeText(fact)] : ['Rule', ruleText(fact)];
        yield { ...base, kind: fact.kind, what: `${name} ${gone ? 'deleted' : 'added'}: ${what}.` };
      }
    }
  }
}

function linkState({ flags, master }: LinkFact): string {
  const carrier = flags.includes('LOWER_UP') ? 'is up' : flags.includes('UP') ? 'has no carrier' : 'is down';
  return master === undefined ? carrier : `${carrier} (of ${master})`;
}

/** What one dump states of one table, in words, with where it says so. */
interface Statements {
  readonly time: number;
  readonly tables: Map<string, Map<string, FactOrigin>>;
}

/** Dated dumps of a host, in order of time. */
function statementsOf({ r }: Scene, host: Host, kind: 'route' | 'rule'): Statements[] {
  const dumps: Statements[] = [];
  for (const input of host.inputs) {
    const facts = r.facts.inputs.get(input);
    const list: readonly (RouteFact | RuleFact)[] = (kind === 'route' ? facts?.routes : facts?.rules) ?? [];
    const tables = new Map<string, Map<string, FactOrigin>>();
    let time = NaN;
    for (const fact of list.slice(0, MAX_CHANGES)) {
      if (fact.event !== undefined || fact.time === undefined || fact.partial) continue;
      const at = r.epoch.relative(fact.time);
      // A file with several dumps keeps only the first statement of each kind: nothing can be said of what went away.
      if (Number.isNaN(time)) time = at;
      if (at !== time) return [];
      const [table, text] =
        fact.kind === 'route' ? [`${fact.family} ${fact.table}`, routeText(fact)] : [`${fact.family}`, ruleText(fact)];
      const known = tables.get(table) ?? new Map<string, FactOrigin>();
      tables.set(table, known.set(text, fact.origin));
    }
    if (tables.size > 0) dumps.push({ time, tables });
  }
  return dumps.sort((a, b) => a.time - b.time);
}

/** Tables that a dump does not show at all may not have been asked for. */
function* differences(scene: Scene, dumps: readonly Statements[], kind: 'route' | 'rule'): Generator<Happening> {
  const newest = new Map<string, Map<string, FactOrigin>>();
  const name = kind === 'route' ? 'Route' : 'Rule';
  for (const { time, tables } of dumps) {
    for (const [table, now] of tables) {
      const before = newest.get(table);
      newest.set(table, now);
      if (!before) continue;
      for (const [text, origin] of now) {
        if (before.has(text)) continue;
        yield { time, kind, what: `${name} new since the dump before: ${text}.`, origin: originOfFact(scene, origin) };
      }
      for (const [text, origin] of before) {
        if (now.has(text)) continue;
        yield { time, kind, what: `${name} gone by now: ${text}.`, origin: originOfFact(scene, origin) };
      }
    }
  }
}

function routeText({ type, prefix, nextHops, table, metric }: RouteFact): string {
  const hops = nextHops.map(({ via, device }) =>
    [via === undefined ? '' : `via ${via}`, device === undefined ? '' : `dev ${device}`]
      .filter((t) => t !== '')
      .join(' '),
  );
  const words = [
    type === 'unicast' ? '' : type,
    prefix,
    ...hops,
    `table ${table}`,
    metric === undefined ? '' : `metric ${metric}`,
  ];
  return words.filter((word) => word !== '').join(' ');
}

function ruleText(rule: RuleFact): string {
  const { from, to, iif, oif, mark, mask, others, action, table, suppressPrefixLength } = rule;
  const words = [
    `${rule.preference}: ${rule.inverted ? 'not ' : ''}from ${from ?? 'all'}`,
    to === undefined ? '' : `to ${to}`,
    iif === undefined ? '' : `iif ${iif}`,
    oif === undefined ? '' : `oif ${oif}`,
    mark === undefined ? '' : `fwmark 0x${mark.toString(16)}${mask === undefined ? '' : `/0x${mask.toString(16)}`}`,
    ...others,
    table === undefined ? action : `${action} ${table}`,
    suppressPrefixLength === undefined ? '' : `suppress_prefixlength ${suppressPrefixLength}`,
  ];
  return words.filter((word) => word !== '').join(' ');
}
