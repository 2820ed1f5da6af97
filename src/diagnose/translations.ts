/** MAC translation: a repeater answers with its own MAC for stations that DHCP knows by theirs. */

import type { Ip, Mac } from '../bytes/address.js';
import { frameOrigin } from '../detect/witnesses.js';
import type { Origin } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { Grant } from '../reconstruct/grants.js';
import type { Voice } from '../reconstruct/voices.js';
import type { Scene } from './case.js';
import { addressesOf, claimedAddresses } from './claimants.js';
import { passedOnBy } from './passed-on.js';
import { once } from './once.js';

export interface Station {
  readonly ip: Ip;
  /** Its MAC, as DHCP knows it, and the MAC that answers for it. */
  readonly client: Mac;
  readonly voice: Voice;
  readonly grant: Grant;
}

/** A repeater and the stations behind it. */
export interface Repeater {
  readonly network: number;
  readonly mac: Mac;
  readonly stations: readonly Station[];
}

/** MACs that answer for at least one address that DHCP gave to another MAC, and for a second address. */
export const repeatersOf = once((scene): readonly Repeater[] => findRepeaters(scene));

function findRepeaters(scene: Scene): Repeater[] {
  const { of } = scene.around.networks;
  const grants = new Map<number, Grant>();
  for (const grant of scene.r.claims.leases.all) grants.set(addressKey(of[grant.tap] ?? 0, grant.ip), grant);
  const found = new Map<string, { network: number; mac: Mac; stations: Station[] }>();
  for (const { network, ip, voices } of claimedAddresses(scene)) {
    const grant = grants.get(addressKey(network, ip));
    const [voice] = voices;
    // The station itself is never heard; whoever answers does so after the address was given.
    if (!grant || !voice || voices.length > 1 || voice.mac === grant.client || !(voice.last >= grant.first)) continue;
    if (addressesOf(scene, network, grant.client).length > 0 || addressesOf(scene, network, voice.mac).length < 2)
      continue;
    if (passedOnBy(scene, network, voice.mac).has(ip)) continue;
    const key = `${network} ${voice.mac}`;
    const known = found.get(key) ?? { network, mac: voice.mac, stations: [] };
    known.stations.push({ ip, client: grant.client, voice, grant });
    found.set(key, known);
  }
  return [...found.values()];
}

/** The frame that gave a station its address and the one that answered for it. */
export function evidenceOf(scene: Scene, { voice, grant }: Station): Origin[] {
  return [
    frameOrigin(scene.r, scene.around, grant.tap, grant.firstFrame),
    frameOrigin(scene.r, scene.around, voice.tap, voice.lastFrame),
  ];
}
