/**
 * The flowtable looked the other direction's route up with the mark of the packet that triggered the offload
 * (nft_flow_route, since Linux 5.19), and policy routing led it to the next hop of the marked table.
 */

import { formatMac } from '../../bytes/address.js';
import type { Confidence } from '../../model.js';
import { COLLECT_CONNTRACK, deleteEntries } from '../advice.js';
import { arrivalsOf, COLLECT_ARRIVALS, mayBeSwitched, UNSEEN } from '../arrivals.js';
import type { Case, Scene } from '../case.js';
import { confidenceOf, type Cause, type Tests } from '../cause.js';
import {
  COLLECT_TABLES,
  curesForTables,
  policyContext,
  policyRuledOut,
  type PolicyContext,
} from '../policy-routing.js';
import { areRepliesMarked } from '../marked-replies.js';
import { foretellsNextHop } from '../predictions.js';

export const pbrNextHop: Cause = {
  id: 'pbr-next-hop',
  title: "The offloaded flow was given policy routing's next hop",
  explain(scene, kase, tests) {
    const context = policyContext(scene, kase);
    const { hops, tables, hasRoutes } = context;
    const ruledOut = policyRuledOut(scene, kase, context);
    // Without routes, packets that go back where they came from show the next hop too.
    const isShownByPackets = !context.hadAddress && !hasRoutes && tests.is('D6', 'yes');
    if (ruledOut && !isShownByPackets) return ruledOut;
    if (tests.denyOffload) {
      return { fits: 'no', because: 'Packets that were not offloaded went the same way: the tables send them there.' };
    }
    if (areRepliesMarked(scene, kase, tests, tables)) {
      return {
        fits: 'no',
        because:
          'The ruleset gives replies the mark of their connection back: the tables send them there, offloaded or not.',
      };
    }
    if (!tests.showOffload) {
      return { fits: 'unknown', because: 'Nothing shows that the flow was offloaded.', collect: COLLECT_CONNTRACK };
    }
    const arrivals = arrivalsOf(scene, kase);
    if (mayBeSwitched(kase, arrivals)) return { fits: 'unknown', because: UNSEEN, collect: COLLECT_ARRIVALS };
    const ip = scene.r.addresses.format(kase.dstIp);
    const of = tables.length > 0 ? ` of table ${tables.map(({ table }) => table).join(', ')}` : '';
    const via = hops.map((hop) => scene.r.addresses.format(hop.ip)).join(', ') || formatMac(kase.mac);
    return {
      fits: 'yes',
      confidence: confidenceByTables(scene, kase, tests, context),
      summary: `Packets for ${ip} went to ${via}, the next hop${of}: the offload looked their route up with the mark of the opposite direction.`,
      change: [
        ...curesForTables(scene, kase, tables),
        { what: 'Now: delete the entry; helps until the next offload.', commands: deleteEntries(kase) },
      ],
      collect: hasRoutes ? [] : [COLLECT_TABLES],
    };
  },
};

/** Packets that go back where they came from, as the configuration alone says that they will, leave little doubt. */
function confidenceByTables(scene: Scene, kase: Case, tests: Tests, { tables }: PolicyContext): Confidence {
  const confidence = confidenceOf(kase, tests);
  if (confidence !== 'suspected' || !tests.is('D6', 'yes') || !kase.host) return confidence;
  const names = tables.map(({ table }) => table);
  return foretellsNextHop(kase.host, scene.r.addresses, kase.dstIp, names) ? 'strong' : 'suspected';
}
