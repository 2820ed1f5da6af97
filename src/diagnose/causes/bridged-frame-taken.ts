/**
 * A flowtable hooks bridge ports, and its ingress hook does not compare the destination MAC with the router's own
 * (nf_flow_table_ip.c): it takes a frame that was only being switched from one host to another, and sends it elsewhere.
 */

import { formatMac } from '../../bytes/address.js';
import type { TracedFrame } from '../../detect/trace.js';
import type { Case, Scene } from '../case.js';
import { originOf } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { COLLECT_CONNTRACK, deviceOf } from '../advice.js';

/** The switched frame came in at most this long before. */
const TURN = 1e9;

export const bridgedFrameTaken: Cause = {
  id: 'bridged-frame-taken',
  title: 'The flowtable took frames that were only being switched',
  explain(scene, kase, tests) {
    const taken = takenFrames(scene, kase);
    const wrong = kase.frames.filter((frame) => frame.verdict === 'misdelivered').length;
    if (taken.length * 2 < wrong || taken.length === 0) {
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

/** Frames of another sender, addressed right, that left again as misdelivered ones. */
function takenFrames(scene: Scene, kase: Case): TracedFrame[] {
  const isRight = ({ view, dstMac }: TracedFrame): boolean =>
    view.transmitter !== kase.transmitter && kase.expected.includes(dstMac);
  const taken: TracedFrame[] = [];
  // Packets that are all the same have one fingerprint, so that each is searched for once.
  const arrivals = new Map<number, TracedFrame | undefined>();
  for (const frame of kase.frames) {
    if (frame.verdict !== 'misdelivered') continue;
    const { fingerprint } = frame;
    if (!arrivals.has(fingerprint)) arrivals.set(fingerprint, scene.trace.alike(frame).find(isRight));
    const arrival = arrivals.get(fingerprint);
    const delay = arrival ? frame.time - arrival.time : -1;
    if (arrival && delay >= 0 && delay < TURN && arrival.hopLimit > frame.hopLimit) taken.push(arrival);
  }
  return taken;
}
