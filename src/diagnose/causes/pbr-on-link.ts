/**
 * A reply triggered the offload, without the mark of the request: the flowtable looked the original direction's route up
 * on the reply's own device, found none there, and the kernel took the far address for a neighbour. The router then asks
 * its LAN for an address that is not there, and the packets vanish.
 */

import type { Cause } from '../cause.js';
import type { Scene } from '../case.js';
import type { Ip } from '../../bytes/address.js';
import { addressKey } from '../../reconstruct/address-key.js';
import type { Requests } from '../../reconstruct/claims.js';
import { isOnLinkFor, type Host } from '../../reconstruct/hosts.js';
import { frameOrigin } from '../../detect/witnesses.js';
import { offloadSpans } from '../../reconstruct/offload.js';
import { plain } from '../advice.js';

/** A single question may be a mistake of somebody else; the kernel repeats it once a second while packets come. */
const MIN_REQUESTS = 3;

export const pbrOnLink: Cause = {
  id: 'pbr-on-link',
  title: 'The router asks its LAN for an address that is far away',
  *observe(scene) {
    for (const host of scene.around.hosts) {
      for (const [target, asked] of farRequests(scene, host)) {
        const ip = scene.r.addresses.format(target);
        const flows = offloadedTo(scene, ip);
        if (flows === 0) continue;
        const device = plain(scene.places.deviceName(asked.tap));
        yield {
          summary: `It asked ${asked.count} times on ${device} for ${ip}, which is behind a router, while ${flows} offloaded ${flows === 1 ? 'flow' : 'flows'} went there: ${marks(host)}. Packets of these flows are lost.`,
          time: scene.r.epoch.text(asked.first),
          evidence: [frameOrigin(scene.r, scene.around, asked.tap, asked.firstFrame)],
        };
      }
    }
  },
};

/** What the host asked for again and again though it is not on its networks and nobody has it, on the tap of its own that saw most of it. */
function farRequests(scene: Scene, host: Host): Map<Ip, Requests> {
  const found = new Map<Ip, Requests>();
  if (host.onLink.length === 0) return found;
  const rank = (asked: Requests): number =>
    asked.count + (host.devices.has(scene.places.deviceName(asked.tap)) ? 1e9 : 0);
  for (const asked of scene.r.claims.requestsBy(host.macs)) {
    const network = scene.around.networks.of[asked.tap] ?? 0;
    const isOwned = (scene.ownerships.get(addressKey(network, asked.target))?.tenures.length ?? 0) > 0;
    if (asked.count < MIN_REQUESTS || isOwned || isOnLinkFor(host, asked.target)) continue;
    const known = found.get(asked.target);
    if (!known || rank(asked) > rank(known)) found.set(asked.target, asked);
  }
  return found;
}

function offloadedTo(scene: Scene, ip: string): number {
  const { conntrack } = scene.r.facts;
  return conntrack.entries.filter(
    (entry) => entry.first.original.dst === ip && offloadSpans(conntrack, entry).length > 0,
  ).length;
}

function marks(host: Host): string {
  const marked = host.rules.filter((rule) => rule.mark !== undefined && rule.table !== undefined);
  if (marked.length === 0) return 'the offload took the address for a neighbour';
  const names = [
    ...new Set(
      marked.map((rule) => `mark 0x${(rule.mark ?? 0).toString(16)} selects table ${plain(rule.table ?? '')}`),
    ),
  ];
  return `${names.join(', ')}, and the reply that triggered the offload did not carry the mark`;
}
