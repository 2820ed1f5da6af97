/** How misdelivered packets came in: as frames for the right host that were only being switched, or for the router. */

import type { TracedFrame } from '../detect/trace.js';
import type { Case, Scene } from './case.js';
import { once } from './once.js';

/** A packet that came in at most this long before is the one that goes out again. */
const TURN = 1e9;

export interface Arrivals {
  /** Frames of others that were addressed right, and left again as misdelivered ones. */
  readonly switched: readonly TracedFrame[];
  /** How many misdelivered frames had come in as any frame that was seen. */
  readonly seen: number;
}

const arrivals = once(() => new Map<Case, Arrivals>());

/** How the misdelivered packets of a case came in; looked for once, though several causes ask. */
export function arrivalsOf(scene: Scene, kase: Case): Arrivals {
  let known = arrivals(scene).get(kase);
  if (!known) arrivals(scene).set(kase, (known = findArrivals(scene, kase)));
  return known;
}

function findArrivals(scene: Scene, kase: Case): Arrivals {
  const switched: TracedFrame[] = [];
  let seen = 0;
  // Packets that are all the same have one fingerprint, so that each is searched for once.
  const known = new Map<number, readonly TracedFrame[]>();
  for (const frame of kase.frames) {
    if (frame.verdict !== 'misdelivered') continue;
    const { fingerprint } = frame;
    let alike = known.get(fingerprint);
    if (!alike) {
      alike = scene.trace.alike(frame).filter(({ view }) => view.transmitter !== kase.transmitter);
      // Where one of them was addressed right, that one says how it came.
      const right = alike.find(({ dstMac }) => kase.expected.includes(dstMac));
      known.set(fingerprint, (alike = (right ? [right] : alike).slice(0, MAX_ALIKE)));
    }
    const arrival = alike.find((one) => isBefore(one, frame));
    if (!arrival) continue;
    seen++;
    if (kase.expected.includes(arrival.dstMac)) switched.push(arrival);
  }
  return { switched, seen };
}

const MAX_ALIKE = 64;

function isBefore(arrival: TracedFrame, { time, hopLimit }: TracedFrame): boolean {
  const delay = time - arrival.time;
  return delay >= 0 && delay < TURN && arrival.hopLimit > hopLimit;
}

/**
 * Whether packets that nobody saw coming in may have been switched frames: conntrack shows that the router translates
 * nothing, so that a host of the same network answers the other one by itself, and the router sent none of them right.
 */
export function mayBeSwitched(kase: Case, { seen }: Arrivals): boolean {
  if (seen > 0 || kase.flows.length === 0) return false;
  const isRight = kase.frames.some(
    ({ verdict, dstMac, view }) =>
      verdict === 'delivered' && kase.expected.includes(dstMac) && kase.flowOfLeg.has(view.leg),
  );
  if (isRight) return false;
  return kase.flows.every(
    ({ flow, direction }) =>
      direction === 'reply' &&
      flow.conntrack.length > 0 &&
      flow.original.srcIp === flow.reply.dstIp &&
      flow.original.dstIp === flow.reply.srcIp,
  );
}

/** Why neither can be told from the other. */
export const UNSEEN =
  'Nothing shows how the packets came in, and the flow is not translated: they may have been switched frames.';

/** Shows how packets come in: on every port, both ways. */
export const COLLECT_ARRIVALS =
  'tcpdump -i <port> -e -n -v -U -w <port>.pcap (on every port of the bridge, both directions)';
