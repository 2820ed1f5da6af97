/** Policy routing's table lacks the client's network, so that the tables themselves send its packets to the next hop: no offload needed. */

import type { Cause } from '../cause.js';
import { areRepliesMarked } from '../marked-replies.js';
import { curesForTables, policyContext, policyRuledOut } from '../policy-routing.js';

export const pbrTableIncomplete: Cause = {
  id: 'pbr-table-incomplete',
  title: 'The marked routing table lacks the network of the host',
  explain(scene, kase, tests) {
    const context = policyContext(scene, kase);
    const ruledOut = policyRuledOut(scene, kase, context);
    if (ruledOut) return ruledOut;
    if (tests.is('D1', 'yes') || tests.is('D2', 'yes')) {
      return { fits: 'no', because: 'Packets that were not offloaded went right: the tables are not to blame.' };
    }
    const { tables } = context;
    const ip = scene.r.addresses.format(kase.dstIp);
    const isShown = tests.is('D9', 'no') || tests.is('D1', 'no') || tests.is('D2', 'no');
    if (!isShown && !areRepliesMarked(scene, kase, tests, tables)) {
      return {
        fits: 'unknown',
        because: 'Nothing shows how packets fare that are not offloaded.',
        collect: `ip route get ${ip} mark ${tables[0]?.mark ?? '<mark>'}`,
      };
    }
    return {
      fits: 'yes',
      confidence: 'strong',
      summary: `Packets for ${ip} went to the next hop of table ${tables.map(({ table }) => table).join(', ')}, offloaded or not: ${isShown ? '' : 'the ruleset gives replies the mark of their connection back, and '}the table has no route to the network of ${ip}.`,
      change: curesForTables(scene, kase, tables),
      collect: [],
    };
  },
};
