/** Two hosts with one address (RFC 5227): who sends to it reaches the one whose answer came last. */

import { formatMac } from '../../bytes/address.js';
import type { Cause } from '../cause.js';
import { framesOf, timeOf } from '../claimants.js';
import { duplicatesOf } from '../duplicates.js';

export const duplicateAddress: Cause = {
  id: 'duplicate-address',
  title: 'Two machines have one address',
  explain(scene, kase, tests) {
    const ip = scene.r.addresses.format(kase.dstIp);
    const macs = [kase.mac, ...kase.expected];
    const found = duplicatesOf(scene).find(
      ({ claimed, a, b }) =>
        claimed.network === kase.network && claimed.ip === kase.dstIp && macs.includes(a.mac) && macs.includes(b.mac),
    );
    if (!found) {
      return kase.ownership && kase.tenure
        ? { fits: 'no', because: `No two machines answered for ${ip} at the same time.` }
        : undefined;
    }
    if (tests.is('D1', 'yes')) {
      return { fits: 'no', because: 'Other traffic to the address went to one machine all the time.' };
    }
    return {
      fits: 'yes',
      confidence: 'strong',
      summary: `${formatMac(found.a.mac)} and ${formatMac(found.b.mac)} both answer for ${ip}. Who asks keeps one of the answers; this is no fault of the router.`,
      change: [{ what: `Give one of the two machines another address.`, commands: [] }],
      collect: [],
    };
  },
  *observe(scene) {
    for (const { claimed, a, b } of duplicatesOf(scene)) {
      const ip = scene.r.addresses.format(claimed.ip);
      yield {
        summary: `${formatMac(a.mac)} and ${formatMac(b.mac)} both answered ${Math.min(a.rivalled, b.rivalled)} questions for ${ip}: two machines with one address, or one with two cards in the network.`,
        ...timeOf(scene, Math.max(a.first, b.first)),
        evidence: framesOf(scene, a.tap, a.rivalFrames),
      };
    }
  },
};
