/**
 * A flowtable entry with a copied MAC never checks its route again (nf_flow_table_ip.c: nf_flow_dst_check is true for
 * FLOW_OFFLOAD_XMIT_DIRECT), and goes on to a gateway that no table leads to any more.
 */

import { COLLECT_CONNTRACK, deleteEntries, deviceOf } from '../advice.js';
import { faultOf } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { hostName } from '../lan-gateway.js';

export const staleRoute: Cause = {
  id: 'stale-route',
  title: 'The offloaded flow keeps a next hop that the routes no longer name',
  classes: ['wrong-next-hop'],
  explain(scene, kase, tests) {
    const fault = faultOf(kase);
    if (fault?.kind !== 'lost' || !fault.change) {
      return { fits: 'no', because: 'The tables led to the same gateways throughout, as far as they are known.' };
    }
    if (!tests.showOffload) {
      return { fits: 'unknown', because: 'Nothing shows that the flow was offloaded.', collect: COLLECT_CONNTRACK };
    }
    const right = kase.expected.map((mac) => hostName(scene, mac)).join(' or ');
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `Packets for ${scene.r.addresses.format(kase.dstIp)} went on to ${hostName(scene, fault.gateway)} after ${fault.change.what} was gone, and no table led there any more; ${right} was the way.`,
      change: [
        { what: 'Now: delete the entry; the next packet is looked up anew.', commands: deleteEntries(kase) },
        {
          what: `For good: list ${deviceOf(scene, kase)} in the flowtable instead of its ports, so that entries check their route; delete the entries whenever a rule changes.`,
          commands: ['nft list flowtables'],
        },
      ],
      collect: [],
    };
  },
};
