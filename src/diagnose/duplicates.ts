/** Two MACs that answer for one address at the same time, and how that is told from one machine with two cards. */

import type { Ip, Mac } from '../bytes/address.js';
import { virtualRouterOf } from '../detect/routers.js';
import type { Voice } from '../reconstruct/voices.js';
import type { Scene } from './case.js';
import { addressesOf, contestedAddresses, makerOf, overlap, type Claimed } from './claimants.js';
import { isClusterMac } from './cluster.js';
import { once } from './once.js';
import { proxiesOf } from './proxies.js';
import { spoofsOf } from './spoofing.js';

/** An address, and two MACs that both answered the same questions for it. */
export interface Duplicate {
  readonly claimed: Claimed;
  readonly a: Voice;
  readonly b: Voice;
}

/** One double answer may be a proxy that is switched off, or a host that changes its card. */
const MIN_DOUBLE = 2;
/** A MAC with more addresses than this answers for others. */
const MAX_OWN = 4;

export const duplicatesOf = once((scene): readonly Duplicate[] =>
  contestedAddresses(scene).flatMap((claimed) => {
    const rivals = claimed.voices.filter((voice) => voice.rivalled >= MIN_DOUBLE && isPlain(scene, claimed, voice.mac));
    const [a, b] = rivals;
    if (!a || !b || rivals.length > 2 || !overlap(a, b)) return [];
    return areOneMachine(scene, claimed.network, a.mac, b.mac) || isSpoofed(scene, claimed.ip)
      ? []
      : [{ claimed, a, b }];
  }),
);

/** Cards of one machine: the same maker, or both speak for another address too. */
function areOneMachine(scene: Scene, network: number, a: Mac, b: Mac): boolean {
  if (makerOf(a) === makerOf(b) && Math.abs(a - b) <= MAX_APART) return true;
  return addressesOf(scene, network, a).filter(({ voices }) => voices.some((voice) => voice.mac === b)).length > 1;
}

/** Cards of one machine are numbered in a row. */
const MAX_APART = 16;

function isPlain(scene: Scene, claimed: Claimed, mac: Mac): boolean {
  const isVirtual = virtualRouterOf(mac) !== undefined || isClusterMac(mac);
  const isProxy = proxiesOf(scene).some((proxy) => proxy.network === claimed.network && proxy.mac === mac);
  return !isVirtual && !isProxy && addressesOf(scene, claimed.network, mac).length <= MAX_OWN;
}

function isSpoofed(scene: Scene, ip: Ip): boolean {
  return [...spoofsOf(scene, 4), ...spoofsOf(scene, 6)].some((spoof) => spoof.claimed.ip === ip);
}
