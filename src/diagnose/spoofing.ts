/** Spoofing: a MAC that tells a host again and again, unasked, that it has an address which another one answers for. */

import { formatMac, isIpv6, type Ip, type Mac } from '../bytes/address.js';
import { virtualRouterOf } from '../detect/routers.js';
import type { Observation } from '../model.js';
import type { Voice } from '../reconstruct/voices.js';
import type { Case, Scene } from './case.js';
import type { Explanation, Tests } from './cause.js';
import {
  addressesOf,
  contestedAddresses,
  framesOf,
  list,
  macs,
  makerOf,
  timeOf,
  words,
  type Claimed,
} from './claimants.js';
import { once } from './once.js';

/** A MAC, the address that it took, and who has it. */
export interface Spoof {
  readonly claimed: Claimed;
  readonly by: Voice;
  readonly owners: readonly Voice[];
}

/** A switch-over may send a few replies unasked; a spoofer must go on, for the owner's own answers undo what it did. */
const MIN_UNASKED = 3;
/** An owner answers, asks or announces itself more than once; a single word may be a damaged frame. */
const MIN_OWN = 2;

/** What points to spoofing of addresses of one family. */
export function spoofsOf(scene: Scene, family: 4 | 6): readonly Spoof[] {
  return spoofs(scene)[family];
}

const spoofs = once((scene) => ({ 4: findSpoofs(scene, 4), 6: findSpoofs(scene, 6) }));

function findSpoofs(scene: Scene, family: 4 | 6): Spoof[] {
  const suspects = contestedAddresses(scene)
    .filter(({ ip }) => isIpv6(ip) === (family === 6))
    .flatMap((claimed) => claimed.voices.flatMap((by) => suspicion(claimed, by)));
  const addresses = new Map<Mac, Set<Ip>>();
  for (const { by, claimed } of suspects)
    addresses.set(by.mac, (addresses.get(by.mac) ?? new Set<Ip>()).add(claimed.ip));
  return suspects.filter(({ claimed, by, owners }) => {
    if ((addresses.get(by.mac)?.size ?? 0) > 1 || by.carriers.size > 0) return true;
    const isSameMachine = owners.some((owner) => makerOf(owner.mac) === makerOf(by.mac));
    const hasOther = addressesOf(scene, claimed.network, by.mac).some((a) => a.voices.length === 1);
    return !isSameMachine && hasOther && owners.some((owner) => owner.first < by.first);
  });
}

/** Claims of addresses that another MAC answers for, told as observations, whether or not a frame went wrong. */
export function* observeSpoofs(scene: Scene, family: 4 | 6): Iterable<Omit<Observation, 'cause' | 'title'>> {
  for (const { claimed, by, owners } of spoofsOf(scene, family)) {
    const ip = scene.r.addresses.format(claimed.ip);
    const [owner] = owners;
    yield {
      summary: `${formatMac(by.mac)} told hosts ${by.unasked} times, unasked, that it has ${ip}, which ${list(macs(owners.map((o) => o.mac)))} answers for.`,
      ...timeOf(scene, by.first),
      evidence: [
        ...framesOf(scene, by.tap, by.unaskedFrames.slice(0, 3)),
        ...framesOf(scene, by.tap, owner ? [owner.firstFrame] : []),
      ],
    };
  }
}

/** Whether a spoofed claim explains a case: its frames went to the MAC that made the claim. */
export function explainSpoof(scene: Scene, kase: Case, tests: Tests, family: 4 | 6): Explanation | undefined {
  if (isIpv6(kase.dstIp) !== (family === 6)) return undefined;
  const ip = scene.r.addresses.format(kase.dstIp);
  const mac = formatMac(kase.mac);
  const spoof = spoofsOf(scene, family).find(
    ({ claimed, by }) => claimed.network === kase.network && claimed.ip === kase.dstIp && by.mac === kase.mac,
  );
  if (!spoof) {
    return kase.ownership ? { fits: 'no', because: `${mac} never told anybody unasked that it has ${ip}.` } : undefined;
  }
  if (tests.is('D1', 'yes')) {
    return { fits: 'no', because: 'Other traffic to the address went right: the neighbour table was not poisoned.' };
  }
  return {
    fits: 'yes',
    confidence: 'strong',
    summary: `${mac} told hosts unasked that it has ${ip}, and the sender believed it. This is no fault of the router.`,
    change: [
      { what: `Find the machine with ${mac}: the bridge knows its port.`, commands: [`bridge fdb | grep ${mac}`] },
    ],
    collect: [],
  };
}

function suspicion(claimed: Claimed, by: Voice): Spoof[] {
  if (by.unasked < MIN_UNASKED || virtualRouterOf(by.mac) !== undefined) return [];
  const owners = claimed.voices.filter(
    (voice) => voice.mac !== by.mac && voice.unasked < MIN_UNASKED && words(voice) - voice.unasked >= MIN_OWN,
  );
  // Replies of an address that moved, which its old owner never claims again, are a take-over.
  const isAlive = owners.some((owner) => owner.last >= by.first || owner.asked > 0);
  return owners.length > 0 && isAlive ? [{ claimed, by, owners }] : [];
}
