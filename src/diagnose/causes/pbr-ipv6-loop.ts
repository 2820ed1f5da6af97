/**
 * As `pbr-next-hop`, for IPv6: with a source address given, the route lookup takes the device only as a wish (net/ipv6/
 * route.c), so that the marked table wins even if its next hop is on another device. Replies go back out where they came
 * in.
 */

import { formatMac, isIpv6 } from '../../bytes/address.js';
import { COLLECT_CONNTRACK, deleteEntries, plain } from '../advice.js';
import { confidenceOf, type Cause } from '../cause.js';
import { COLLECT_TABLES, curesForTables, policyContext } from '../policy-routing.js';

export const pbrIpv6Loop: Cause = {
  id: 'pbr-ipv6-loop',
  title: 'Policy routing sends offloaded IPv6 replies back where they came from',
  classes: ['wrong-egress'],
  explain(scene, kase, tests) {
    if (!isIpv6(kase.dstIp)) return { fits: 'no', because: 'It takes IPv6: an IPv4 lookup keeps to its device.' };
    if (!tests.is('D6', 'yes')) {
      return { fits: 'no', because: `The packets had not come in from ${formatMac(kase.mac)}.` };
    }
    const { tables, hasRoutes } = policyContext(scene, kase);
    if (hasRoutes && tables.length === 0) {
      return { fits: 'no', because: `No table that a mark selects leads to ${formatMac(kase.mac)}.` };
    }
    if (tests.is('D1', 'no') || tests.is('D2', 'no')) {
      return { fits: 'no', because: 'Packets that were not offloaded went the same way: the tables send them there.' };
    }
    if (!tests.showOffload) {
      return { fits: 'unknown', because: 'Nothing shows that the flow was offloaded.', collect: COLLECT_CONNTRACK };
    }
    const ip = scene.r.addresses.format(kase.dstIp);
    const device = plain(scene.places.deviceName(kase.buckets[0]?.view.tap ?? 0));
    const of = tables.length > 0 ? `, the next hop of table ${tables.map(({ table }) => plain(table)).join(', ')}` : '';
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `Packets for ${ip} that came in on ${device} from ${formatMac(kase.mac)}${of}, went back to it there: the offload looked their route up with the mark of the opposite direction.`,
      change: [
        ...curesForTables(scene, kase, tables),
        { what: 'Now: delete the entry; helps until the next offload.', commands: deleteEntries(kase) },
      ],
      collect: hasRoutes ? [] : [COLLECT_TABLES],
    };
  },
};
