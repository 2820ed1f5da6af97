/** Network load balancing of Windows: a cluster MAC that never sends, or a group MAC, so that switches flood its frames. */

import { formatMac, type Ip, type Mac } from '../../bytes/address.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Origin } from '../../model.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { claimedAddresses, timeOf } from '../claimants.js';
import { clusterModeOf, isClusterOf } from '../cluster.js';
import { surveyOf } from '../survey.js';

export const nlb: Cause = {
  id: 'nlb',
  title: 'A load balancing cluster with a MAC of its own',
  *observe(scene) {
    const seen = new Set<string>();
    for (const { mac, ip, first, origin } of clusterFrames(scene)) {
      const key = `${mac} ${ip}`;
      if (seen.has(key)) continue;
      seen.add(key);
      yield {
        summary: `${formatMac(mac)} is the MAC of a load balancing cluster (${clusterModeOf(mac) ?? ''} mode) with the address ${scene.r.addresses.format(ip)}. All its members receive each frame.`,
        ...timeOf(scene, first),
        evidence: [origin],
      };
    }
  },
};

function clusterFrames(scene: Scene): { mac: Mac; ip: Ip; first: number; origin: Origin }[] {
  const sent = surveyOf(scene)
    .toCluster.filter(({ to, ip }) => isClusterOf(to, ip))
    .map(({ tap, to, ip, first, firstFrame }) => ({ mac: to, ip, first, frame: firstFrame, tap }));
  const claimed = claimedAddresses(scene).flatMap(({ ip, voices }) =>
    voices
      .filter(({ mac }) => isClusterOf(mac, ip))
      .map(({ tap, mac, first, firstFrame }) => ({ mac, ip, first, frame: firstFrame, tap })),
  );
  return [...claimed, ...sent]
    .sort((a, b) => a.first - b.first || a.tap - b.tap)
    .map(({ tap, frame, ...rest }) => ({ ...rest, origin: frameOrigin(scene.r, scene.around, tap, frame) }));
}
