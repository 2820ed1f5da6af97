/**
 * A flowtable hooks bridge ports, and its ingress hook does not compare the destination MAC with the router's own
 * (nf_flow_table_ip.c): it takes a frame that was only being switched from one host to another, and sends it elsewhere.
 */

import { formatMac } from '../../bytes/address.js';
import { arrivalsOf, COLLECT_ARRIVALS, mayBeSwitched, UNSEEN } from '../arrivals.js';
import { originOf } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { COLLECT_CONNTRACK, deviceOf } from '../advice.js';

export const bridgedFrameTaken: Cause = {
  id: 'bridged-frame-taken',
  title: 'The flowtable took frames that were only being switched',
  explain(scene, kase, tests) {
    const arrivals = arrivalsOf(scene, kase);
    const { switched: taken, seen } = arrivals;
    if (mayBeSwitched(kase, arrivals)) return { fits: 'unknown', because: UNSEEN, collect: COLLECT_ARRIVALS };
    // A capture that loses frames loses arrivals too: those that were seen decide.
    if (taken.length * 2 < seen || taken.length === 0) {
      return { fits: 'no', because: 'The packets had not come in as frames for the right MAC.' };
    }
    if (!tests.showOffload) {
      return { fits: 'unknown', because: 'Nothing shows that the flow was offloaded.', collect: COLLECT_CONNTRACK };
    }
    const [first] = taken;
    const example = first ? ` (${originOf(scene, first).input} frame ${first.frame})` : '';
    const ip = scene.r.addresses.format(kase.dstIp);
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `${taken.length} frames for ${ip} were on their way to ${kase.expected.map(formatMac).join(' or ')} already${example}; the router took them off the bridge and sent them to ${formatMac(kase.mac)}.`,
      change: [
        {
          what: `List ${deviceOf(scene, kase)} in the flowtable instead of its ports: then it never sees frames that are only switched.`,
          commands: ['nft list flowtables'],
        },
      ],
      collect: [],
    };
  },
};
