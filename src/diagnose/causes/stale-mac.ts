/**
 * A flowtable entry copied the MAC of a host when the flow was offloaded (FLOW_OFFLOAD_XMIT_DIRECT: bridge ports or
 * hardware in the flowtable), and goes on using it after the address moved to another MAC.
 */

import { formatMac } from '../../bytes/address.js';
import type { Confidence } from '../../model.js';
import { COLLECT_CONNTRACK, deleteEntries, deviceOf } from '../advice.js';
import { confidenceOf, type Cause, type Tests } from '../cause.js';
import { notToFormerOwner } from '../unseen-owner.js';

/** Shows who an address moves to, and from whom, from before it happens. */
const COLLECT_OWNER = 'ip -ts monitor neigh; bridge -t monitor fdb';

export const staleMac: Cause = {
  id: 'stale-mac',
  title: 'The offloaded flow kept the MAC of a host that is gone',
  explain(scene, kase, tests) {
    const ip = scene.r.addresses.format(kase.dstIp);
    const hadIt = kase.ownership?.tenures.some((tenure) => tenure.macs.includes(kase.mac));
    const wasNextHop = !kase.ownership && kase.expected.length > 0;
    const isUnseen = !hadIt && !wasNextHop;
    const against = isUnseen ? notToFormerOwner(scene, kase, tests) : undefined;
    if (against) return against;
    if (!tests.showOffload) {
      return {
        fits: 'unknown',
        because:
          'Nothing shows that the flow was offloaded, and no other traffic shows that the neighbour table was right.',
        collect: COLLECT_CONNTRACK,
      };
    }
    if (tests.is('D1', 'no') && tests.is('D9', 'no')) {
      return {
        fits: 'no',
        because: 'Traffic that was not offloaded went wrong too: the neighbour table was wrong, not a cache.',
      };
    }
    const device = deviceOf(scene, kase);
    const [to, mac] = [kase.expected.map(formatMac).join(' or '), formatMac(kase.mac)];
    const moved = `${ip} moved to ${to}, and the router learnt it; the offloaded flow went on to ${mac}.`;
    const begun = `${ip} is at ${to}; the offloaded flow goes to ${mac}, which nobody is known to have and no table leads to: it was copied before the address moved, and the evidence begins after that.`;
    return {
      fits: 'yes',
      confidence: isUnseen ? confidenceUnseen(tests) : confidenceOf(kase, tests),
      summary: isUnseen ? begun : moved,
      change: [
        { what: 'Now: delete the entry; the next packet is looked up anew.', commands: deleteEntries(kase) },
        {
          what: `For good: list ${device} and the WAN device in the flowtable, not bridge ports, so that the MAC is looked up for each packet; with hardware offload, switch it off.`,
          commands: [
            `nft list flowtables`,
            `uci set firewall.@defaults[0].flow_offloading_hw=0; uci commit firewall; fw4 reload`,
          ],
        },
      ],
      collect: [...(isUnseen ? [COLLECT_OWNER] : []), ...(tests.is('D9', 'yes') ? [] : [COLLECT_CONNTRACK])],
    };
  },
};

/** That the MAC had the address before is what is left when all else is ruled out: that proves nothing. */
function confidenceUnseen(tests: Tests): Confidence {
  return tests.is('D1', 'yes') || tests.is('D2', 'yes') ? 'strong' : 'suspected';
}
