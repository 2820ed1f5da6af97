/**
 * `ip route show table all`, `ip -6 route`, `ip monitor route` (iproute2 ip/iproute.c print_route).
 *
 * `[TYPE] PREFIX [via A] [dev D] [table T] [proto P] [scope S] [src A] [metric N] [flags]`, and for multipath routes
 * one line `nexthop via A dev D weight N` each. What `ip route get` prints looks alike but is an answer, not a route.
 */

import { canonicalIp } from '../bytes/address.js';
import type { RouteFact, RouteNextHop } from '../records/facts.js';
import { commandArgument } from './command-line.js';
import { monitorBase, splitMonitorPrefix, type MonitorPrefix } from './monitor-prefix.js';
import type { LineReader, Mutable, Section } from './section.js';
import { canonicalPrefix, isRedacted, wholeNumber, wordsOf } from './tokens.js';

interface Route {
  type: string;
  prefix: string | undefined;
  table: string | undefined;
  hops: Mutable<RouteNextHop>[];
  source: string | undefined;
  protocol: string | undefined;
  scope: string | undefined;
  metric: number | undefined;
  flags: string[];
  redacted: boolean;
  /** 6 where only IPv6 routes print such a word. */
  family: 4 | 6 | undefined;
  attributes: number;
  /** `ip route get`. */
  answer: boolean;
}

export function ipRouteReader(): LineReader {
  let pending: { route: Route; fact: Mutable<RouteFact> | undefined } | undefined;
  let family: 4 | 6 | undefined;
  const flush = (section: Section): void => {
    const fact = pending?.route.answer === true ? undefined : pending?.fact;
    pending = undefined;
    if (fact) section.emit(fact);
  };
  return {
    id: 'ip-route',
    line(line, section) {
      const text = line.trim();
      if (pending && /^cache(?: |$)/.test(text)) {
        pending.route.answer = true;
        return true;
      }
      if (pending && text.startsWith('nexthop ')) return readHops(wordsOf(text), 0, pending.route) >= 0;
      for (const [i, part] of text.split('\\').entries()) {
        const prefix = splitMonitorPrefix(part, section);
        if (prefix.label !== undefined && prefix.label !== 'ROUTE') return false;
        if (i > 0) {
          if (pending) readAttributes(wordsOf(part), 0, pending.route);
          continue;
        }
        const route = parseRoute(wordsOf(prefix.text));
        if (!route) return false;
        flush(section);
        family = familyOf(route, section, family);
        pending = { route, fact: makeFact(route, family, prefix, section) };
      }
      return true;
    },
    finish(section) {
      flush(section);
      family = undefined;
    },
  };
}

const TYPES = new Set('unicast local broadcast multicast unreachable blackhole prohibit throw anycast nat'.split(' '));
const FLAGS = new Set(
  (
    'linkdown onlink dead pervasive offload offload_failed trap rt_offload rt_trap rt_offload_failed unresolved notify ' +
    'equalize redirected static cloned'
  ).split(' '),
);
/** Attributes with one value that are not kept. */
const VALUED = new Set(
  (
    'mtu advmss hoplimit rtt rttvar rto_min rto window cwnd initcwnd initrwnd ssthresh reordering realm realms error ' +
    'expires users age pref tos dsfield from iif oif quickack congctl features fastopen_no_cookie nhid mark uid ' +
    'used nh_info encap'
  ).split(' '),
);

function parseRoute(words: readonly string[]): Route | undefined {
  let at = 0;
  const route: Route = {
    type: 'unicast',
    prefix: undefined,
    table: undefined,
    hops: [],
    source: undefined,
    protocol: undefined,
    scope: undefined,
    metric: undefined,
    flags: [],
    redacted: false,
    family: undefined,
    attributes: 0,
    answer: false,
  };
  if (TYPES.has(words[0] ?? '')) {
    route.type = words[0] ?? '';
    at = 1;
  }
  const destination = words[at] ?? '';
  route.prefix = destination === 'default' ? 'default' : canonicalPrefix(destination);
  if (route.prefix === undefined) {
    if (!isRedacted(destination)) return undefined;
    route.redacted = true;
  }
  if (words.length > 80 || readAttributes(words, at + 1, route) < 0) return undefined;
  return route.attributes > 0 || at === 1 ? route : undefined;
}

/** @returns -1 when a word is not of this format */
function readAttributes(words: readonly string[], start: number, route: Route): number {
  let hop: Mutable<RouteNextHop> | undefined;
  for (let at = start; at < words.length; at++) {
    const word = words[at] ?? '';
    const value = words[at + 1];
    if (FLAGS.has(word)) {
      route.flags.push(word);
      continue;
    }
    if (word === 'nexthop') return readHops(words, at, route);
    if (word === 'cache') {
      route.answer = true;
      return at;
    }
    if (value === undefined) return -1;
    route.attributes++;
    at++;
    if (word === 'via' || word === 'dev') {
      // A sentence that quotes a command, which happens to be broken there.
      if (/[`'"]/.test(value)) return -1;
      if (!hop) route.hops.push((hop = {}));
      if (word === 'dev') hop.device = value;
      else {
        if (value === 'inet' || value === 'inet6') at++;
        readVia(words[at], hop, route);
      }
    } else if (word === 'table') route.table = value;
    else if (word === 'src') route.source = canonicalIp(value);
    else if (word === 'proto') route.protocol = value;
    else if (word === 'scope') route.scope = value;
    else if (word === 'metric' || word === 'preference') route.metric = wholeNumber(value);
    else if (word === 'mtu' && value === 'lock') at++;
    else if (VALUED.has(word)) {
      if (word === 'pref') route.family = 6;
      if (word === 'uid') route.answer = true;
    } else return -1;
  }
  return words.length;
}

/** `nexthop via A dev D weight N [flags]`, repeated. @returns -1 when a word is not of this format */
function readHops(words: readonly string[], start: number, route: Route): number {
  let hop: Mutable<RouteNextHop> = {};
  for (let at = start; at < words.length; at++) {
    const word = words[at] ?? '';
    if (word === 'nexthop') {
      hop = {};
      route.hops.push(hop);
      continue;
    }
    if (FLAGS.has(word)) continue;
    const value = words[++at];
    if (value === undefined) return -1;
    if (word === 'dev') hop.device = value;
    else if (word === 'via') {
      if (value === 'inet' || value === 'inet6') at++;
      readVia(words[at], hop, route);
    } else if (word === 'weight') {
      const weight = wholeNumber(value);
      if (weight !== undefined) hop.weight = weight;
    } else if (!VALUED.has(word)) return -1;
  }
  return words.length;
}

function readVia(word: string | undefined, hop: Mutable<RouteNextHop>, route: Route): void {
  const via = canonicalIp(word ?? '');
  if (via === undefined) route.redacted = true;
  else hop.via = via;
}

function familyOf(route: Route, section: Section, before: 4 | 6 | undefined): 4 | 6 {
  if (route.prefix !== undefined && route.prefix !== 'default') return route.prefix.includes(':') ? 6 : 4;
  const via = route.hops.find((hop) => hop.via !== undefined)?.via;
  if (via !== undefined) return via.includes(':') && route.source?.includes('.') !== true ? 6 : 4;
  if (route.family !== undefined) return route.family;
  if (section.command?.words.includes('-6') === true) return 6;
  // IPv4 prints the scope of a route without a gateway, IPv6 never does.
  return route.scope === undefined && before === 6 ? 6 : 4;
}

function makeFact(
  route: Route,
  family: 4 | 6,
  prefix: MonitorPrefix,
  section: Section,
): Mutable<RouteFact> | undefined {
  const words = section.command?.words;
  if (words?.includes('get') === true) return undefined;
  if (route.redacted || route.prefix === undefined) {
    if (!route.answer) section.redacted++;
    return undefined;
  }
  const device = commandArgument(section.command, 'dev');
  for (const hop of route.hops) if (hop.device === undefined && device !== undefined) hop.device = device;
  if (route.hops.length === 0 && device !== undefined) route.hops.push({ device });
  const asked = commandArgument(section.command, 'table');
  const fact: Mutable<RouteFact> = {
    kind: 'route',
    ...monitorBase(prefix, section),
    type: route.type,
    family,
    prefix: route.prefix === 'default' ? (family === 6 ? '::/0' : '0.0.0.0/0') : route.prefix,
    table: route.table ?? (asked === undefined || asked === 'all' || asked === '0' ? 'main' : asked),
    nextHops: route.hops,
    flags: route.flags,
  };
  if (route.source !== undefined) fact.source = route.source;
  if (route.protocol !== undefined) fact.protocol = route.protocol;
  if (route.scope !== undefined) fact.scope = route.scope;
  if (route.metric !== undefined) fact.metric = route.metric;
  if (prefix.event !== undefined) fact.event = prefix.event === 'deleted' ? 'deleted' : 'changed';
  return fact;
}
