/** A router told a host to use another next hop (ICMP type 5, ICMPv6 type 137): the host's frames change their MAC. */

import { formatMac } from '../../bytes/address.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Redirect } from '../../reconstruct/redirects.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { ips, list, timeOf } from '../claimants.js';

export const icmpRedirect: Cause = {
  id: 'icmp-redirect',
  title: 'A router redirected a host to another next hop',
  explain(scene, kase) {
    const redirect = [...scene.r.claims.redirects.all].find(
      ({ tap, destination, to, first }) =>
        scene.around.networks.of[tap] === kase.network &&
        destination === kase.dstIp &&
        to === kase.transmitter &&
        first <= kase.first,
    );
    if (!redirect) return undefined;
    const hop = scene.r.addresses.format(redirect.nextHop);
    const isHop = [...scene.ownerships.values()].some(
      (ownership) =>
        ownership.network === kase.network &&
        ownership.ip === redirect.nextHop &&
        ownership.tenures.some((tenure) => tenure.macs.includes(kase.mac)),
    );
    if (!isHop) return { fits: 'no', because: `The redirect before it was to ${hop}, not to ${formatMac(kase.mac)}.` };
    return {
      fits: 'yes',
      confidence: 'strong',
      summary: `${scene.r.addresses.format(redirect.fromIp)} told the sender to reach ${scene.r.addresses.format(kase.dstIp)} by way of ${hop}, and it does.`,
      change: [
        {
          what: 'On the router that redirects: send none.',
          commands: ['sysctl -w net.ipv4.conf.all.send_redirects=0'],
        },
      ],
      collect: [],
    };
  },
  *observe(scene) {
    for (const group of bySender(scene)) {
      const [first] = group;
      if (!first) continue;
      const count = group.reduce((sum, { count: n }) => sum + n, 0);
      const targets = list(
        ips(
          scene,
          group.map(({ destination }) => destination),
        ),
      );
      const hops = list(
        ips(
          scene,
          group.map(({ nextHop }) => nextHop),
        ),
      );
      yield {
        summary: `${scene.r.addresses.format(first.fromIp)} (${formatMac(first.from)}) sent ${count} ${count === 1 ? 'redirect' : 'redirects'}: ${targets} by way of ${hops}.`,
        ...timeOf(scene, first.first),
        evidence: group.slice(0, 3).map(({ tap, firstFrame }) => frameOrigin(scene.r, scene.around, tap, firstFrame)),
      };
    }
  },
};

/** Redirects by router, each router's on the tap that shows most of them. */
function bySender(scene: Scene): Redirect[][] {
  const groups = new Map<string, Map<number, Redirect[]>>();
  for (const redirect of scene.r.claims.redirects.all) {
    const key = `${redirect.from} ${redirect.fromIp}`;
    const taps = groups.get(key) ?? new Map<number, Redirect[]>();
    taps.set(redirect.tap, [...(taps.get(redirect.tap) ?? []), redirect]);
    groups.set(key, taps);
  }
  return [...groups.values()].map((taps) => [...taps.values()].sort((a, b) => b.length - a.length)[0] ?? []);
}
