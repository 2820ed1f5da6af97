/** On a bridge that filters VLANs a flowtable entry holds which tags to add and to take off, and keeps them. */

import { formatMac } from '../../bytes/address.js';
import { COLLECT_CONNTRACK, deleteEntries, plain } from '../advice.js';
import type { Case, Scene } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';

export const wrongVlan: Cause = {
  id: 'wrong-vlan',
  title: 'The offloaded flow kept the VLAN of a port',
  classes: ['wrong-egress'],
  explain(scene, kase, tests) {
    if (!kase.expected.includes(kase.mac)) {
      return { fits: 'no', because: `${formatMac(kase.mac)} is another host, in whatever VLAN.` };
    }
    if (!tests.showOffload) {
      return {
        fits: 'unknown',
        because: 'Nothing shows that the flow was offloaded.',
        collect: `${COLLECT_CONNTRACK}; bridge vlan show`,
      };
    }
    const tap = scene.r.taps.all[kase.buckets[0]?.view.tap ?? -1];
    const device = plain(scene.places.deviceName(tap?.id ?? 0));
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `Packets for ${formatMac(kase.mac)} (${scene.r.addresses.format(kase.dstIp)}) left ${device} in VLAN ${tap?.vlan ?? 0}; it is in VLAN ${rightVlans(scene, kase).join(' or ')}.`,
      change: [
        { what: 'Now: delete the entry; the next packet is looked up anew.', commands: deleteEntries(kase) },
        { what: 'For good: keep VLAN devices out of the flowtable.', commands: ['nft list flowtables'] },
      ],
      collect: ['bridge vlan show; bridge fdb show'],
    };
  },
};

/** VLANs of the same interface in which the MAC speaks, other than that of the frames. */
function rightVlans(scene: Scene, kase: Case): number[] {
  const { r } = scene;
  const tap = r.taps.all[kase.buckets[0]?.view.tap ?? -1];
  const vlans = r.claims.runs
    .filter((run) => run.mac === kase.mac && r.taps.all[run.tap]?.port === tap?.port && run.tap !== tap?.id)
    .map((run) => r.taps.all[run.tap]?.vlan ?? -1);
  return [...new Set(vlans)].filter((vlan) => vlan > 0).sort((a, b) => a - b);
}
