/** A host reaches a server of its own network by the router's public address: each packet is on the network twice. */

import { addressKey } from '../../reconstruct/address-key.js';
import type { ConntrackEntry } from '../../reconstruct/conntrack-store.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { timeOf } from '../claimants.js';

export const hairpinNat: Cause = {
  id: 'hairpin-nat',
  title: 'Hairpin NAT: two hosts of one network meet through the router',
  *observe(scene) {
    const seen = new Set<string>();
    for (const entry of scene.r.facts.conntrack.entries) {
      const { original, reply, origin } = entry.first;
      if (original.dst === reply.src) continue;
      const key = `${original.src} ${original.dst} ${reply.src}`;
      if (seen.has(key) || !isHairpin(scene, entry)) continue;
      seen.add(key);
      const hidden = reply.dst === original.src ? '' : `, as if it were ${reply.dst}`;
      yield {
        summary: `${original.src} reaches ${reply.src} by way of ${original.dst}${hidden}: the router sends its packets back into the same network.`,
        ...timeOf(scene, entry.made?.time ?? NaN),
        evidence: [{ input: scene.places.inputName(origin.input), line: origin.line }],
      };
    }
  },
};

/** Both ends are of one network, and the address between them is not. */
function isHairpin(scene: Scene, { first: { original, reply } }: ConntrackEntry): boolean {
  const [client, server, between] = [original.src, reply.src, original.dst].map((ip) => scene.r.addresses.parse(ip));
  if (client === undefined || server === undefined || between === undefined || client === server) return false;
  return scene.around.networks.taps.some((_, network) => {
    const has = (ip: number): boolean => scene.ownerships.has(addressKey(network, ip));
    return has(client) && has(server) && !has(between);
  });
}
