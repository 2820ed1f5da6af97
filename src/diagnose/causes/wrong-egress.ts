/**
 * A flowtable entry holds the number of the device that it sends by. It is a wrong one where the route was looked up with
 * the mark of the opposite direction (IPv6, as in `pbr-ipv6-loop`), or the way changed afterwards.
 */

import { COLLECT_CONNTRACK, deleteEntries, plain } from '../advice.js';
import { confidenceOf, type Cause } from '../cause.js';
import { hostName } from '../lan-gateway.js';
import { curesForTables, policyContext } from '../policy-routing.js';

export const wrongEgress: Cause = {
  id: 'wrong-egress',
  title: 'The offloaded flow leaves by a device that the routes no longer name',
  classes: ['wrong-egress'],
  explain(scene, kase, tests) {
    if (kase.expected.includes(kase.mac)) return { fits: 'no', because: 'The device is right, and its VLAN wrong.' };
    if (tests.is('D1', 'no') || tests.is('D2', 'no')) {
      return { fits: 'no', because: 'Packets that were not offloaded went the same way: the tables send them there.' };
    }
    if (!tests.showOffload) {
      return { fits: 'unknown', because: 'Nothing shows that the flow was offloaded.', collect: COLLECT_CONNTRACK };
    }
    const witness = kase.buckets.flatMap((bucket) => [...bucket.because.values()]).find((w) => w.port !== undefined);
    const device = plain(scene.places.deviceName(kase.buckets[0]?.view.tap ?? 0));
    const right = witness?.port === undefined ? 'another device' : plain(witness.port);
    const { tables } = policyContext(scene, kase);
    const of = tables.length > 0 ? `, as table ${tables.map(({ table }) => plain(table)).join(', ')} has it` : '';
    const owner = kase.expected.map((mac) => hostName(scene, mac)).join(' or ');
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `Packets for ${owner}, which is on ${right}, left by ${device}${of}; others reached it.`,
      change: [
        ...(tables.length > 0 ? curesForTables(scene, kase, tables) : []),
        { what: 'Now: delete the entry; the next packet is looked up anew.', commands: deleteEntries(kase) },
        ...(tables.length > 0
          ? []
          : [{ what: 'For good: flush conntrack whenever a line changes.', commands: ['conntrack -F'] }]),
      ],
      collect: tables.length > 0 ? [] : ['ip -ts monitor route link; ip route show table all'],
    };
  },
};
