/** The DHCP server gave an address to another client: its MAC changed for a reason. */

import { formatMac } from '../../bytes/address.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Grant } from '../../reconstruct/grants.js';
import { COLLECT_CONNTRACK } from '../advice.js';
import type { Cause } from '../cause.js';
import { timeOf } from '../claimants.js';
import { once } from '../once.js';

export const dhcpReassignment: Cause = {
  id: 'dhcp-reassignment',
  title: 'DHCP gave the address to another client',
  explain(scene, kase, tests) {
    const change = changesOf(scene).find(
      ({ before, after }) =>
        scene.around.networks.of[after.tap] === kase.network &&
        after.ip === kase.dstIp &&
        before.client === kase.mac &&
        kase.expected.includes(after.client),
    );
    if (!change) return undefined;
    const because = `DHCP gave ${scene.r.addresses.format(kase.dstIp)} to ${formatMac(change.after.client)}: that is why it moved, not why packets stayed behind.`;
    return tests.showOffload ? { fits: 'no', because } : { fits: 'unknown', because, collect: COLLECT_CONNTRACK };
  },
  *observe(scene) {
    const seen = new Set<string>();
    for (const { before, after } of changesOf(scene)) {
      const key = `${after.ip} ${before.client} ${after.client}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const released = before.released ? ', which had released it' : '';
      yield {
        summary: `${scene.r.addresses.format(after.ip)} was given to ${formatMac(after.client)}; before, ${formatMac(before.client)} had it${released}.`,
        ...timeOf(scene, after.first),
        evidence: [
          frameOrigin(scene.r, scene.around, before.tap, before.firstFrame),
          ...(before.released ? [frameOrigin(scene.r, scene.around, before.tap, before.released.frame)] : []),
          frameOrigin(scene.r, scene.around, after.tap, after.firstFrame),
        ],
      };
    }
  },
};

/** Grants of an address on one tap that follow one another and go to different clients. */
const changesOf = once((scene) => {
  const last = new Map<string, Grant>();
  const changes: { before: Grant; after: Grant }[] = [];
  for (const grant of scene.r.claims.leases.all) {
    const key = `${grant.tap} ${grant.ip}`;
    const before = last.get(key);
    if (before && before.client !== grant.client) changes.push({ before, after: grant });
    last.set(key, grant);
  }
  return changes;
});
