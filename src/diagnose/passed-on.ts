/** Sources that a MAC passes packets on for: a proxy answers for them, a host that only has several addresses does not. */

import type { Ip, Mac } from '../bytes/address.js';
import { viewLeg } from '../detect/legs.js';
import { macPairsOf } from '../detect/mac-pairs.js';
import { isGroupIp } from '../detect/routers.js';
import type { Scene } from './case.js';
import { once } from './once.js';

const MAX_SOURCES = 256;
const TCP = 6;
const BGP = 179;

const knownSources = once(() => new Map<string, ReadonlySet<Ip>>());

/** Source addresses of what a MAC of a network passed on, at most 256. */
export function passedOnBy(scene: Scene, network: number, mac: Mac): ReadonlySet<Ip> {
  const known = knownSources(scene);
  const key = `${network} ${mac}`;
  let sources = known.get(key);
  if (!sources) known.set(key, (sources = sourcesOf(scene, network, mac)));
  return sources;
}

function sourcesOf({ r, around }: Scene, network: number, mac: Mac): Set<Ip> {
  const pairs = macPairsOf(r);
  const isOwn = new Uint8Array(pairs.count);
  for (const pair of pairs.sentBy(mac)) {
    if (!pairs.isInitial(pair) && around.networks.of[pairs.tap(pair)] === network) isOwn[pair] = 1;
  }
  const sources = new Set<Ip>();
  for (const leg of pairs.legsOf(isOwn)) {
    if (sources.size >= MAX_SOURCES) break;
    const view = viewLeg(r, leg);
    if (view.srcIp === 0 || isGroupIp(r, view.dstIp)) continue;
    // Speakers of BGP send with a hop limit of 1 to neighbors (RFC 4271).
    if (view.protocol === TCP && (view.srcPort === BGP || view.dstPort === BGP)) continue;
    sources.add(view.srcIp);
  }
  return sources;
}
