/** Which tables a host's marks select, and whose traffic may carry them: what policy routing says before any packet. */

import { isIpv6, parseIpv4, type AddressTable, type Ip } from '../bytes/address.js';
import type { Host } from '../reconstruct/hosts.js';
import { tableName } from '../reconstruct/next-hop-history.js';
import { parsePrefix, prefixContains } from '../reconstruct/prefix.js';
import type { RouteFact, RuleFact } from '../records/facts.js';
import type { NftRule } from './nft-rule.js';

/** A unicast route and one of its next hops; devices such as tunnels have no gateway. */
interface Way {
  readonly route: RouteFact;
  readonly via: string | undefined;
  readonly device: string;
}

/** A table that a mark selects, with its ways out. */
export interface MarkedTable {
  readonly family: 4 | 6;
  readonly table: string;
  readonly mark: number;
  readonly rule: RuleFact;
  readonly routes: readonly RouteFact[];
  readonly ways: readonly Way[];
}

/** A network that clients are in, behind a device of the host. */
export interface ClientNetwork {
  readonly family: 4 | 6;
  readonly device: string;
  readonly route: RouteFact;
  /** One of its addresses, to ask with. */
  readonly client: Ip;
}

/** Rules or routes as they stand at the end: without those that an event deleted. */
export function standing<F extends RouteFact | RuleFact>(facts: readonly F[]): F[] {
  const gone = new Set(facts.filter((fact) => fact.event === 'deleted').map(contentOf));
  const seen = new Set<string>();
  return facts.filter((fact) => {
    if (fact.event === 'deleted' || gone.has(contentOf(fact))) return false;
    // Dumps of several moments say the same again.
    const said = JSON.stringify({ ...fact, origin: 0, time: 0, snapshot: 0, dated: 0, event: 0, partial: 0 });
    return !seen.has(said) && seen.add(said);
  });
}

function contentOf(fact: RouteFact | RuleFact): string {
  return fact.kind === 'route'
    ? `${fact.type} ${fact.prefix} ${fact.table} ${fact.metric} ${JSON.stringify(fact.nextHops)}`
    : `${fact.preference} ${fact.from} ${fact.to} ${fact.iif} ${fact.oif} ${fact.mark} ${fact.mask} ${fact.table}`;
}

/** The tables other than main that a mark selects and that lead anywhere, each with the first rule that does it. */
export function markedTables(rules: readonly RuleFact[], routes: readonly RouteFact[]): MarkedTable[] {
  const found = new Map<string, MarkedTable>();
  const routesOf = new Map<string, RouteFact[]>();
  for (const route of routes) {
    const key = `${route.family} ${tableName(route.table)}`;
    const known = routesOf.get(key);
    if (known) known.push(route);
    else routesOf.set(key, [route]);
  }
  for (const rule of rules) {
    if (!rule.mark || rule.table === undefined || rule.inverted || rule.action !== 'lookup') continue;
    const table = tableName(rule.table);
    if (table === 'main' || table === 'local' || rule.suppressPrefixLength !== undefined) continue;
    for (const family of [4, 6] as const) {
      const key = `${family} ${table}`;
      if ((rule.family ?? family) !== family || found.has(key)) continue;
      const own = routesOf.get(key) ?? [];
      const ways = own.flatMap((route) =>
        route.nextHops.flatMap(({ via, device }): Way[] =>
          route.type === 'unicast' && device !== undefined && device !== 'lo' ? [{ route, via, device }] : [],
        ),
      );
      if (ways.length > 0) found.set(key, { family, table, mark: rule.mark, rule, routes: own, ways });
    }
  }
  return [...found.values()];
}

/** What the ruleset says of who is marked. */
interface Marking {
  readonly devices: readonly string[];
  readonly sources: readonly string[];
}

/**
 * Networks of main whose traffic may carry the mark: those that the ruleset's marking rules name; without such a rule
 * the private ones that are not on a way out (a default route, address translation).
 */
export function clientNetworks(
  host: Host,
  routes: readonly RouteFact[],
  { family, mark, ways }: MarkedTable,
  rules: readonly NftRule[],
  addresses: AddressTable,
): ClientNetwork[] {
  const markings = rules.flatMap((rule) => markingOf(rule, mark));
  const main = routes.filter(
    (route) => route.family === family && tableName(route.table) === 'main' && route.type === 'unicast',
  );
  const outward = new Set(
    main.filter((route) => isDefault(route.prefix)).flatMap((route) => route.nextHops.map((hop) => hop.device)),
  );
  for (const rule of rules) for (const device of translatedTo(rule)) outward.add(device);
  const found: (ClientNetwork & { isNamed: boolean })[] = [];
  for (const route of main) {
    if (found.length >= MAX_NETWORKS) break;
    const [hop] = route.nextHops;
    const prefix = parsePrefix(route.prefix, addresses);
    const device = hop?.device;
    if (!prefix || device === undefined || device === 'lo' || isDefault(route.prefix)) continue;
    if (prefix.length > (family === 4 ? 30 : 126) || /^fe[89ab]|^ff|^169\.254\.|^2(?:2[4-9]|3\d)\./.test(route.prefix))
      continue;
    const naming = markings.filter(
      ({ devices }) => devices.length === 0 || devices.some((name) => reaches(host, name, device)),
    );
    const sources = naming.flatMap((marking) => marking.sources);
    const inside = sources.filter((source) => overlaps(source, route.prefix, addresses));
    const isNamed = naming.some(
      ({ devices, sources: own }) =>
        (devices.length > 0 && own.length === 0) || own.some((source) => inside.includes(source)),
    );
    const isOpen = markings.length === 0 || naming.some((one) => one.devices.length === 0 && one.sources.length === 0);
    if (!isNamed && (!isOpen || outward.has(device) || !isPrivate(route.prefix))) continue;
    const client = clientIn(host, route, inside, addresses);
    if (client !== undefined) found.push({ family, device, route, client, isNamed });
  }
  const outs = new Set(
    ways.filter((way) => way.via !== undefined || isDefault(way.route.prefix)).map((way) => way.device),
  );
  const isTransit = ({ device, isNamed, route }: (typeof found)[number]): boolean =>
    !isNamed && outs.has(device) && !hasClients(host, device, route, addresses);
  const clients = found.filter((network) => !isTransit(network));
  return clients.length > 0 ? clients : found;
}

/** Whether a network with a gateway of the marked table has others too: a bridge has, and one whose neighbours show it. */
function hasClients(host: Host, name: string, route: RouteFact, addresses: AddressTable): boolean {
  const device = host.devices.get(name);
  const prefix = parsePrefix(route.prefix, addresses);
  if (device?.isBridge === true || [...host.devices.values()].some((port) => port.master === name)) return true;
  return [...host.neighbors.keys()].some((ip) => prefix && prefixContains(prefix, ip) && !host.gateways.has(ip));
}

/** Whether the host gives replies that come in on a device the mark of their connection, before it routes them. */
export function restoresMark(rules: readonly NftRule[], host: Host, device: string): boolean {
  return rules.some(({ fact, text }) => {
    if (fact.marks?.key !== 'meta' || !/\bct mark\b|"ct"/.test(fact.marks.value)) return false;
    if (fact.hook !== undefined && fact.hook !== 'prerouting') return false;
    if (/\bct direction original\b/.test(text)) return false;
    if (devicesOf(text, 'iifname', '!= ').some((name) => reaches(host, name, device))) return false;
    const devices = devicesOf(text, 'iifname');
    return devices.length === 0 || devices.some((name) => reaches(host, name, device));
  });
}

function markingOf({ fact, text }: NftRule, mark: number): Marking[] {
  if (fact.marks?.key !== 'meta' || /\bct mark\b|"ct"/.test(fact.marks.value)) return [];
  const numbers = fact.marks.value.match(/0x[0-9a-f]+|\b\d+\b/gi) ?? [];
  if (!numbers.some((number) => Number(number) === mark)) return [];
  const sources = /\bip6? saddr (?!!=)(?:\{ ([^}]+) \}|(\S+))/.exec(text);
  const list = (sources?.[1] ?? sources?.[2] ?? '').split(',').map((source) => source.trim());
  return [{ devices: devicesOf(text, 'iifname'), sources: list.filter((source) => /^[\da-f.:/]+$/i.test(source)) }];
}

function devicesOf(text: string, key: 'iifname' | 'oifname', operator: '' | '!= ' = ''): string[] {
  const match = new RegExp(`\\b${key.replace('name', '(?:name)?')} ${operator}(?!!=)(?:\\{ ([^}]+) \\}|(\\S+))`).exec(
    text,
  );
  return (match?.[1] ?? match?.[2] ?? '')
    .split(',')
    .map((device) => device.trim().replaceAll('"', ''))
    .filter((device) => device !== '');
}

/** Devices whose whole traffic is masqueraded: they lead outward. */
function translatedTo({ fact, text, conditions }: NftRule): string[] {
  if (conditions.length !== 1) return [];
  return fact.verdict === 'masquerade' || /\bsnat\b/.test(fact.target ?? '') || /\bsrcnat_/.test(fact.target ?? '')
    ? devicesOf(text, 'oifname')
    : [];
}

/** Whether a rule about the one device is about packets that the other one hands up: itself, or a port of it. */
function reaches(host: Host, named: string, device: string): boolean {
  return (
    named === device ||
    host.devices.get(named)?.master === device ||
    (named.endsWith('*') && device.startsWith(named.slice(0, -1)))
  );
}

function isDefault(prefix: string): boolean {
  return prefix.endsWith('/0');
}

function isPrivate(prefix: string): boolean {
  return (
    /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd])/.test(prefix) ||
    (prefix.includes(':') && !prefix.startsWith('fe80'))
  );
}

function overlaps(source: string, prefix: string, addresses: AddressTable): boolean {
  const [a, b] = [parsePrefix(source, addresses), parsePrefix(prefix, addresses)];
  const [first, second] = [addresses.parse(source.split('/')[0] ?? ''), addresses.parse(prefix.split('/')[0] ?? '')];
  if (!a || !b || first === undefined || second === undefined) return false;
  return prefixContains(a, second) || prefixContains(b, first);
}

const MAX_TRIES = 64;
const MAX_NETWORKS = 50;

/** An address of the network: one that is marked, else a known neighbour, else any that is neither the host nor a gateway. */
function clientIn(host: Host, route: RouteFact, marked: readonly string[], addresses: AddressTable): Ip | undefined {
  const prefix = parsePrefix(route.prefix, addresses);
  if (!prefix) return undefined;
  const own = new Set([...host.devices.values()].flatMap((device) => device.addresses.map((address) => address.ip)));
  const fits = (ip: Ip | undefined): ip is Ip =>
    ip !== undefined &&
    prefixContains(prefix, ip) &&
    !own.has(ip) &&
    !host.gateways.has(ip) &&
    addresses.format(ip) !== route.source;
  const named = marked.filter((source) => !source.includes('/')).map((source) => addresses.parse(source));
  const neighbors = [...host.neighbors.keys()].sort((a, b) => a - b);
  const known = [...named, ...neighbors].find(fits);
  if (known !== undefined) return known;
  const base = route.prefix.split('/')[0] ?? '';
  for (let i = 2; i < MAX_TRIES; i++) {
    const v4 = parseIpv4(base);
    const candidate = v4 === undefined ? addresses.parse(`${base.replace(/::$/, '')}::${i.toString(16)}`) : v4 + i;
    if (candidate !== undefined && isIpv6(candidate) === (v4 === undefined) && fits(candidate)) return candidate;
  }
  return undefined;
}
