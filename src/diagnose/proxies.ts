/** MACs that answer for others: proxy ARP and proxy neighbor discovery. */

import { isIpv6, type Ip, type Mac } from '../bytes/address.js';
import { virtualRouterOf } from '../detect/routers.js';
import type { Voice } from '../reconstruct/voices.js';
import type { Scene } from './case.js';
import { addressesOf, claimedAddresses } from './claimants.js';
import { isClusterMac } from './cluster.js';
import { passedOnBy } from './passed-on.js';
import { once } from './once.js';

/** A MAC and the addresses that it answers for. */
export interface Proxy {
  readonly network: number;
  readonly mac: Mac;
  /** All addresses that it answered for when asked. */
  readonly answered: readonly { ip: Ip; voice: Voice }[];
  /** Those that it is known to pass packets on for, or that another MAC has. */
  readonly others: readonly Ip[];
}

const MIN_ANSWERED = 3;
const MIN_OTHERS = 2;

/** MACs that answer for addresses of others, from the claims of all inputs. */
export const proxiesOf = once((scene): readonly Proxy[] => findProxies(scene));

function findProxies(scene: Scene): Proxy[] {
  const byMac = new Map<string, { network: number; mac: Mac; answered: { ip: Ip; voice: Voice; shared: boolean }[] }>();
  for (const { network, ip, voices } of claimedAddresses(scene)) {
    for (const voice of voices) {
      if (voice.asked === 0 || voice.unasked > voice.asked || isNoHost(voice.mac)) continue;
      if (addressesOf(scene, network, voice.mac).length < MIN_ANSWERED) continue;
      if (isIpv6(ip) && isLinkLocal(scene, ip)) continue;
      const key = `${network} ${voice.mac}`;
      const known = byMac.get(key) ?? { network, mac: voice.mac, answered: [] };
      known.answered.push({ ip, voice, shared: voices.some((other) => other.mac !== voice.mac && other.asked > 0) });
      byMac.set(key, known);
    }
  }
  return [...byMac.values()].flatMap(({ network, mac, answered }) => {
    if (answered.length < MIN_ANSWERED) return [];
    const others = answered
      .filter(({ ip, shared }) => shared || passedOnBy(scene, network, mac).has(ip))
      .map(({ ip }) => ip);
    return others.length < MIN_OTHERS ? [] : [{ network, mac, answered, others }];
  });
}

function isNoHost(mac: Mac): boolean {
  return virtualRouterOf(mac) !== undefined || isClusterMac(mac);
}

function isLinkLocal(scene: Scene, ip: Ip): boolean {
  return (scene.r.addresses.firstGroup(ip) & 0xffc0) === 0xfe80;
}
