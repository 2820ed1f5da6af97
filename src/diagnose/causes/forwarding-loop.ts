/**
 * As with `vpn-bypass`, but the first pass made the entry: the packet that comes back from the gateway on the LAN matches
 * it again, and goes round until its hop limit is used up.
 */

import { COLLECT_CONNTRACK, deleteEntries } from '../advice.js';
import { faultOf } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { hostName, keepClientOut, sourcesOf } from '../lan-gateway.js';

export const forwardingLoop: Cause = {
  id: 'forwarding-loop',
  title: 'An offloaded packet goes round until its hop limit is used up',
  classes: ['wrong-next-hop'],
  explain(scene, kase, tests) {
    const fault = faultOf(kase);
    if (fault?.kind !== 'loop') {
      return { fits: 'no', because: 'The packets did not go back to the MAC that they came from.' };
    }
    if (!tests.showOffload) {
      return {
        fits: 'unknown',
        because: 'Nothing shows that the flow was offloaded; a loop in the tables looks the same.',
        collect: COLLECT_CONNTRACK,
      };
    }
    const clients = sourcesOf(scene, kase);
    const gateway = hostName(scene, fault.gateway);
    const wrong = kase.frames.filter((frame) => frame.verdict === 'misdelivered');
    const limits = wrong.map((frame) => frame.hopLimit);
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `Packets of ${clients.join(', ')} for ${scene.r.addresses.format(kase.dstIp)} that came back from ${gateway} were sent to it again, ${wrong.length} times, with hop limits from ${Math.max(...limits)} down to ${Math.min(...limits)}.`,
      change: [
        ...keepClientOut(clients),
        { what: 'Now: delete the entry; helps until the next offload.', commands: deleteEntries(kase) },
      ],
      collect: [],
    };
  },
};
