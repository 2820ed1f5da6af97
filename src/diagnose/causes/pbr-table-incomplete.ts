/** Policy routing's table lacks the client's network, so that the tables themselves send its packets to the next hop: no offload needed. */

import { formatMac } from '../../bytes/address.js';
import type { Cause } from '../cause.js';
import { ownersOfMac } from '../identity.js';
import { curesForTables, policyTables } from '../policy-routing.js';

export const pbrTableIncomplete: Cause = {
  id: 'pbr-table-incomplete',
  title: 'The marked routing table lacks the network of the host',
  explain(scene, kase, tests) {
    const ip = scene.r.addresses.format(kase.dstIp);
    if (kase.ownership?.tenures.some((tenure) => tenure.macs.includes(kase.mac))) {
      return { fits: 'no', because: `${formatMac(kase.mac)} had ${ip} itself before.` };
    }
    const hops = ownersOfMac(scene, kase).filter((owner) => owner.kind === 'next-hop');
    const tables = policyTables(
      scene,
      kase,
      hops.flatMap((hop) => hop.routes),
    );
    if (tables.length === 0) {
      return (kase.host?.routes.length ?? 0) > 0
        ? { fits: 'no', because: `No table that a mark selects leads to ${formatMac(kase.mac)}.` }
        : {
            fits: 'unknown',
            because: 'The routes and rules are not known.',
            collect: 'ip rule show; ip route show table all',
          };
    }
    if (tests.is('D1', 'yes') || tests.is('D2', 'yes')) {
      return { fits: 'no', because: 'Packets that were not offloaded went right: the tables are not to blame.' };
    }
    const isPlain = tests.is('D9', 'no') || tests.is('D1', 'no') || tests.is('D2', 'no');
    if (!isPlain) {
      return {
        fits: 'unknown',
        because: 'Nothing shows how packets fare that are not offloaded.',
        collect: `ip route get ${ip} mark ${tables[0]?.mark ?? '<mark>'}`,
      };
    }
    return {
      fits: 'yes',
      confidence: 'strong',
      summary: `Packets for ${ip} went to the next hop of table ${tables.map((t) => t.table).join(', ')}, offloaded or not: the table has no route to the network of ${ip}.`,
      change: curesForTables(scene, kase, tables),
      collect: [],
    };
  },
};
