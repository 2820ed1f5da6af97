/** `route -n` of net-tools and busybox: the main table of IPv4 as columns. */

import { canonicalIp, parseIpv4 } from '../bytes/address.js';
import type { RouteFact, RouteNextHop } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section } from './section.js';
import { isRedacted, prefixLengthOf, wholeNumber, wordsOf } from './tokens.js';

export function routeTableReader(): LineReader {
  return { id: 'route-table', line: readLine };
}

/** `0.0.0.0         10.0.0.3        0.0.0.0         UG    0      0        0 br-lan` */
function readLine(line: string, section: Section): boolean {
  const words = wordsOf(line);
  const [destination = '', gateway = '', maskText = '', flags = '', metricText, , , device] = words;
  if (words.length !== 8 || device === undefined) return isHeader(line);
  const mask = parseIpv4(maskText);
  const length = mask === undefined ? undefined : prefixLengthOf(mask);
  const metric = wholeNumber(metricText);
  if (length === undefined || metric === undefined || !/^U?[GHRDMACHIE!]{0,6}$/.test(flags)) return isHeader(line);
  const ip = canonicalIp(destination);
  const via = canonicalIp(gateway);
  if (ip === undefined || via === undefined) {
    if (!isRedacted(destination) && !isRedacted(gateway)) return false;
    section.redacted++;
    return true;
  }
  const hop: Mutable<RouteNextHop> = { device };
  if (flags.includes('G')) hop.via = via;
  const rejects = flags.includes('!');
  const fact: RouteFact = {
    kind: 'route',
    ...stateBase(section),
    type: rejects ? 'unreachable' : 'unicast',
    family: 4,
    prefix: `${ip}/${length}`,
    table: 'main',
    nextHops: rejects ? [] : [hop],
    metric,
    flags: [],
  };
  section.emit(fact);
  return true;
}

function isHeader(line: string): boolean {
  return /^(?:Kernel IP routing table|Destination +Gateway +Genmask +Flags +(?:Metric|MSS) .{1,40})$/.test(line);
}
