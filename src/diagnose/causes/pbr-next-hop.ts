/**
 * The flowtable looked the other direction's route up with the mark of the packet that triggered the offload
 * (nft_flow_route, since Linux 5.19), and policy routing led it to the next hop of the marked table.
 */

import { formatMac } from '../../bytes/address.js';
import { COLLECT_CONNTRACK, deleteEntries } from '../advice.js';
import { confidenceOf, type Cause } from '../cause.js';
import { ownersOfMac } from '../identity.js';
import { curesForTables, policyTables } from '../policy-routing.js';

export const pbrNextHop: Cause = {
  id: 'pbr-next-hop',
  title: "The offloaded flow was given policy routing's next hop",
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
    const hasRoutes = (kase.host?.routes.length ?? 0) > 0;
    if (hasRoutes && tables.length === 0) {
      return { fits: 'no', because: `No table that a mark selects leads to ${formatMac(kase.mac)}.` };
    }
    if (!hasRoutes && !tests.is('D6', 'yes')) {
      return {
        fits: 'unknown',
        because: 'The routes and rules are not known.',
        collect: 'ip rule show; ip route show table all',
      };
    }
    if (tests.is('D1', 'no') || (tests.is('D2', 'no') && !tests.is('D1', 'yes'))) {
      return { fits: 'no', because: 'Packets that were not offloaded went the same way: the tables send them there.' };
    }
    if (!tests.showOffload) {
      return { fits: 'unknown', because: 'Nothing shows that the flow was offloaded.', collect: COLLECT_CONNTRACK };
    }
    const names = tables.map((table) => table.table);
    const via = hops.map((hop) => scene.r.addresses.format(hop.ip)).join(', ') || formatMac(kase.mac);
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `Packets for ${ip} went to ${via}, the next hop${names.length > 0 ? ` of table ${names.join(', ')}` : ''}: the offload looked their route up with the mark of the opposite direction.`,
      change: [
        ...curesForTables(scene, kase, tables),
        { what: 'Now: delete the entry; helps until the next offload.', commands: deleteEntries(kase) },
      ],
      collect: hasRoutes ? [] : ['ip rule show; ip route show table all'],
    };
  },
};
