/**
 * JSON of iproute2: `ip -j neigh|addr|link|route|rule` and `bridge -j fdb`. Each is an array of objects, told apart by
 * their keys (ip/ipneigh.c, ip/ipaddress.c, ip/iproute.c, ip/iprule.c, bridge/fdb.c). Any other JSON yields nothing.
 */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type {
  AddressFact,
  FdbFact,
  LinkFact,
  NeighborFact,
  RouteFact,
  RouteNextHop,
  RuleFact,
} from '../records/facts.js';
import { stateBase, type Mutable, type Section, type StatementBase } from './section.js';
import { canonicalPrefix, isRedacted, markNumber } from './tokens.js';

type JsonObject = Readonly<Record<string, unknown>>;

/** Emits the facts of a JSON document that began in `line`. */
export function decodeIpJson(value: unknown, line: number, section: Section): void {
  if (!Array.isArray(value)) return;
  const base: StatementBase = { ...stateBase(section), origin: { input: section.input, line } };
  for (const entry of value) {
    if (!isObject(entry)) continue;
    if ('ifname' in entry && 'mac' in entry) fdb(entry, base, section);
    else if ('ifname' in entry && Array.isArray(entry['flags'])) link(entry, base, section);
    else if ('ifname' in entry && 'addr_info' in entry) addresses(entry, base, section);
    else if ('priority' in entry && 'src' in entry) rule(entry, base, section);
    else if ('dst' in entry && (Array.isArray(entry['state']) || 'lladdr' in entry)) neighbor(entry, base, section);
    else if ('dst' in entry && Array.isArray(entry['flags'])) route(entry, base, section);
  }
}

function neighbor(entry: JsonObject, base: StatementBase, section: Section): void {
  const ip = address(entry['dst'], section);
  if (ip === undefined) return;
  const states = texts(entry['state']);
  const fact: Mutable<NeighborFact> = { kind: 'neighbor', ...base, ip, states };
  const device = text(entry['dev']);
  if (device !== undefined) fact.device = device;
  const lladdr = text(entry['lladdr']);
  if (lladdr !== undefined) {
    const mac = canonicalMac(lladdr);
    if (mac === undefined && isRedacted(lladdr)) {
      section.redacted++;
      return;
    }
    if (mac !== undefined && !states.includes('FAILED') && !states.includes('INCOMPLETE')) fact.mac = mac;
  }
  if ('router' in entry) fact.router = true;
  if ('proxy' in entry) fact.proxy = true;
  const used = integer(entry['used']);
  const confirmed = integer(entry['confirmed']);
  const updated = integer(entry['updated']);
  if (used !== undefined && confirmed !== undefined && updated !== undefined) fact.ages = { used, confirmed, updated };
  section.emit(fact);
}

function link(entry: JsonObject, base: StatementBase, section: Section): void {
  const device = text(entry['ifname']);
  if (device === undefined) return;
  const fact: Mutable<LinkFact> = { kind: 'link', ...base, device, flags: texts(entry['flags']) };
  const index = integer(entry['ifindex']);
  if (index !== undefined) fact.index = index;
  const mac = canonicalMac(text(entry['address']) ?? '');
  if (mac !== undefined && (entry['link_type'] ?? 'ether') === 'ether') fact.mac = mac;
  else if (isRedacted(text(entry['address']) ?? '')) section.redacted++;
  const master = text(entry['master']);
  if (master !== undefined) fact.master = master;
  const lower = text(entry['link']);
  if (lower !== undefined) fact.lower = lower;
  const info = entry['linkinfo'];
  if (isObject(info)) {
    const slave = text(info['info_slave_kind']);
    const type = text(info['info_kind']) ?? (slave === undefined ? undefined : `${slave}_slave`);
    if (type !== undefined) fact.type = type;
    const data = info['info_data'];
    const vlan = isObject(data) && type === 'vlan' ? integer(data['id']) : undefined;
    if (vlan !== undefined) fact.vlan = vlan;
  }
  section.emit(fact);
  if ('addr_info' in entry) addresses(entry, base, section);
}

function addresses(entry: JsonObject, base: StatementBase, section: Section): void {
  const device = text(entry['ifname']);
  const list = entry['addr_info'];
  if (device === undefined || !Array.isArray(list)) return;
  for (const info of list) {
    if (!isObject(info)) continue;
    const ip = address(info['local'], section);
    const prefixLength = integer(info['prefixlen']);
    if (ip === undefined || prefixLength === undefined || prefixLength > 128) continue;
    const fact: Mutable<AddressFact> = { kind: 'address', ...base, device, ip, prefixLength };
    const peer = canonicalIp(text(info['address']) ?? '');
    if (peer !== undefined) fact.peer = peer;
    const scope = text(info['scope']);
    if (scope !== undefined) fact.scope = scope;
    section.emit(fact);
  }
}

function route(entry: JsonObject, base: StatementBase, section: Section): void {
  if ('uid' in entry || 'cache' in entry) return;
  const destination = text(entry['dst']) ?? '';
  const hops = Array.isArray(entry['nexthops']) ? entry['nexthops'].filter(isObject) : [entry];
  const nextHops: RouteNextHop[] = [];
  for (const hop of hops) {
    const via = hop['via'];
    const gateway = text(hop['gateway']) ?? (isObject(via) ? text(via['host']) : undefined);
    const made: Mutable<RouteNextHop> = {};
    if (gateway !== undefined) {
      const ip = address(gateway, section);
      if (ip === undefined) return;
      made.via = ip;
    }
    const device = text(hop['dev']);
    if (device !== undefined) made.device = device;
    const weight = integer(hop['weight']);
    if (weight !== undefined) made.weight = weight;
    if (made.via !== undefined || made.device !== undefined) nextHops.push(made);
  }
  const sixth = nextHops.some((hop) => hop.via?.includes(':')) || 'pref' in entry;
  const family = destination.includes(':') || (destination === 'default' && sixth) ? 6 : 4;
  const prefix = destination === 'default' ? (family === 6 ? '::/0' : '0.0.0.0/0') : canonicalPrefix(destination);
  if (prefix === undefined) {
    if (isRedacted(destination)) section.redacted++;
    return;
  }
  const fact: Mutable<RouteFact> = {
    kind: 'route',
    ...base,
    type: text(entry['type']) ?? 'unicast',
    family,
    prefix,
    table: text(entry['table']) ?? 'main',
    nextHops,
    flags: texts(entry['flags']),
  };
  const source = canonicalIp(text(entry['prefsrc']) ?? '');
  if (source !== undefined) fact.source = source;
  const protocol = text(entry['protocol']);
  if (protocol !== undefined) fact.protocol = protocol;
  const scope = text(entry['scope']);
  if (scope !== undefined) fact.scope = scope;
  const metric = integer(entry['metric']);
  if (metric !== undefined) fact.metric = metric;
  section.emit(fact);
}

function rule(entry: JsonObject, base: StatementBase, section: Section): void {
  const preference = integer(entry['priority']);
  if (preference === undefined) return;
  const goto = integer(entry['goto']);
  const table = text(entry['table']);
  const fact: Mutable<RuleFact> = {
    kind: 'rule',
    ...base,
    preference,
    inverted: 'not' in entry,
    others: ['ipproto', 'sport', 'dport', 'tos', 'uid_start'].flatMap((key) => {
      const value = text(entry[key]) ?? integer(entry[key]);
      return value === undefined ? [] : [`${key} ${value}`];
    }),
    action: goto !== undefined ? 'goto' : table !== undefined ? 'lookup' : (text(entry['action']) ?? 'lookup'),
  };
  for (const [key, lengthKey, name] of [
    ['src', 'srclen', 'from'],
    ['dst', 'dstlen', 'to'],
  ] as const) {
    const value = text(entry[key]);
    if (value === undefined || value === 'all') continue;
    const length = integer(entry[lengthKey]);
    const prefix = canonicalPrefix(length === undefined ? value : `${value}/${length}`);
    if (prefix === undefined) {
      section.redacted++;
      return;
    }
    fact[name] = prefix;
    fact.family = prefix.includes(':') ? 6 : 4;
  }
  const mark = markNumber(text(entry['fwmark']));
  if (mark !== undefined) fact.mark = mark;
  const mask = markNumber(text(entry['fwmask']));
  if (mask !== undefined) fact.mask = mask;
  const iif = text(entry['iif']);
  if (iif !== undefined) fact.iif = iif;
  const oif = text(entry['oif']);
  if (oif !== undefined) fact.oif = oif;
  if (table !== undefined) fact.table = table;
  if (goto !== undefined) fact.goto = goto;
  const suppress = integer(entry['suppress_prefixlen']);
  if (suppress !== undefined) fact.suppressPrefixLength = suppress;
  section.emit(fact);
}

function fdb(entry: JsonObject, base: StatementBase, section: Section): void {
  const device = text(entry['ifname']);
  const macText = text(entry['mac']) ?? '';
  const mac = canonicalMac(macText);
  if (device === undefined) return;
  if (mac === undefined) {
    if (isRedacted(macText)) section.redacted++;
    return;
  }
  const state = text(entry['state']) ?? '';
  const fact: Mutable<FdbFact> = {
    kind: 'fdb',
    ...base,
    mac,
    device,
    permanent: state === 'permanent',
    flags: state === '' ? texts(entry['flags']) : [...texts(entry['flags']), state],
  };
  const vlan = integer(entry['vlan']);
  if (vlan !== undefined) fact.vlan = vlan;
  const master = text(entry['master']);
  if (master !== undefined) fact.master = master;
  section.emit(fact);
}

/** The canonical address, or undefined; one made unreadable is counted. */
function address(value: unknown, section: Section): string | undefined {
  const word = text(value);
  const ip = word === undefined ? undefined : canonicalIp(word);
  if (ip === undefined && word !== undefined && isRedacted(word)) section.redacted++;
  return ip;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function integer(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0 ? value : undefined;
}
