/** Whether single frames of a case took the fast path: what conntrack and captures show of their flow at the time. */

import { isEscape, type TracedFrame } from '../detect/trace.js';
import { plainTimes } from '../reconstruct/offload.js';
import type { Case, CaseFlow, Scene } from './case.js';

/** Whether a frame came while its flow was offloaded, and is one that can be. */
export function wasOffloaded(kase: Case, frame: TracedFrame): boolean {
  if (isEscape(frame)) return false;
  const known = kase.flowOfLeg.get(frame.view.leg);
  if (known?.undated) return true;
  return known?.spans.some(({ from, to }) => isWithin(frame, from.earliest, to?.latest)) ?? false;
}

/**
 * Whether a misdelivered frame took the fast path; undefined when nobody knows. Only conntrack shows that a TCP or UDP flow
 * was not offloaded: at a time when it has the entry without the flag. Logs begin late and end early, and captures show
 * when a flow left the bridge at the latest.
 */
export function tookFastPath(scene: Scene, kase: Case, frame: TracedFrame): boolean | undefined {
  if (isEscape(frame)) return false;
  const known = kase.flowOfLeg.get(frame.view.leg);
  if (!known) return false;
  if (wasOffloaded(kase, frame)) return true;
  const { spans } = known;
  if (wasPlain(scene, known, frame))
    return spans.some(({ from }) => isWithin(frame, from.earliest - LATE, from.earliest)) ? undefined : false;
  return spans.some(({ kind }) => kind !== 'inferred') ? undefined : true;
}

/** Whether frames of a flow went wrong while conntrack shows that it was not offloaded. */
export function wentWrongPlain(scene: Scene, kase: Case, known: CaseFlow): boolean {
  return kase.frames.some(
    (frame) =>
      frame.verdict === 'misdelivered' && kase.flowOfLeg.get(frame.view.leg) === known && wasPlain(scene, known, frame),
  );
}

const memo = new WeakMap<CaseFlow, { from: number; to: number }[]>();

/** Whether conntrack shows that the flow of a frame was not offloaded when it came. */
function wasPlain(scene: Scene, known: CaseFlow, frame: TracedFrame): boolean {
  let times = memo.get(known);
  if (!times) {
    times = known.flow.conntrack.flatMap((entry) => plainTimes(scene.r.facts.conntrack, entry));
    memo.set(known, times);
  }
  return times.some(({ from, to }) => isWithin(frame, from - JUST_BEFORE, to));
}

/** What conntrack shows of a flow was so just before, too. */
const JUST_BEFORE = 2e8;

function isWithin({ time }: TracedFrame, from: number, to = Infinity): boolean {
  return time > from && time <= to;
}

/** An event carries the time at which a program read it: on a busy router that is later than the packet that caused it. */
const LATE = 1e8;
