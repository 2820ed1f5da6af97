/** When a flow was offloaded, as the captures alone show or suggest. */

import type { AffectedFlow } from '../detect/flows.js';
import type { FlowPacket } from '../detect/packets.js';
import type { Moment, OffloadSpan } from '../reconstruct/offload.js';
import { firstSightings, isBeginningSeen } from './beginning.js';
import { findTapsAbove, type IsAbove } from './bridge-taps.js';
import { fasterFrom } from './forwarding.js';
import { leftBridge } from './left-bridge.js';
import { withEnd } from './offload-ends.js';
import type { Scene } from './scene.js';
import type { Trails } from './trails.js';
import { triggerPacket } from './trigger.js';
import { unseenSpans } from './unseen.js';

interface Known {
  readonly isAbove: IsAbove;
  readonly spans: Map<AffectedFlow, readonly OffloadSpan[]>;
}

const memo = new WeakMap<Trails, Known>();

/**
 * The spans of a flow by the best evidence that there is: frames that left the bridge, else sequence numbers that go on
 * unseen, else forwarding that became faster. The last only fits an offload: it shows none.
 */
export function inferredSpans(scene: Scene, flow: AffectedFlow): readonly OffloadSpan[] {
  let known = memo.get(scene.trails);
  if (!known) {
    known = { isAbove: findTapsAbove(scene), spans: new Map() };
    memo.set(scene.trails, known);
  }
  let spans = known.spans.get(flow);
  if (!spans) {
    spans = infer(scene, flow, known.isAbove);
    known.spans.set(flow, spans);
  }
  return spans;
}

/** Any span with its bounds drawn closer by the packet that triggers an offload, and with its end where the packets show one. */
export function refined(
  scene: Scene,
  flow: AffectedFlow,
  packets: readonly FlowPacket[],
  spans: readonly OffloadSpan[],
): OffloadSpan[] {
  const trigger = isBeginningSeen(scene, flow, firstSightings(packets)) ? triggerPacket(packets) : undefined;
  return spans.map((span, i) => {
    const from = trigger && i === 0 ? notBefore(span.from, trigger.frame.time) : span.from;
    return withEnd(scene, packets, { ...span, from });
  });
}

/**
 * The span of a flow of which the tests say that it was offloaded, and nothing says when: it began between the packet
 * that triggers it and the next one. Empty when its beginning was not captured.
 */
export function computedSpans(scene: Scene, packets: readonly FlowPacket[]): OffloadSpan[] {
  const trigger = triggerPacket(packets);
  const next = packets.find(({ time }) => trigger !== undefined && time > trigger.frame.time);
  if (!trigger || !next) return [];
  const { frame } = trigger;
  const [first] = packets;
  const began = scene.r.spans.get(frame.input)?.first ?? Infinity;
  // Nobody knows whether a UDP flow is older than its first packet here, unless the capture is.
  const isBeginning = frame.view.protocol === TCP || (first !== undefined && first.time - began > UDP_TIMEOUT);
  const from: Moment = {
    time: next.time,
    earliest: isBeginning ? frame.time : -Infinity,
    latest: next.time,
    source: 'trigger',
    origin: { input: frame.input, frame: frame.frame },
  };
  return [withEnd(scene, packets, { kind: 'inferred', from, shown: from.time })];
}

const TCP = 6;
/** An entry of UDP without an answer lives 30 s, one with answers 120 s. */
const UDP_TIMEOUT = 120e9;

/** The offload began with the trigger or after it; an event that says NEW may have been printed later than that. */
function notBefore(from: Moment, trigger: number): Moment {
  return trigger <= from.latest && trigger > from.earliest - PRINTING ? { ...from, earliest: trigger } : from;
}

const PRINTING = 1e9;

function infer(scene: Scene, flow: AffectedFlow, isAbove: IsAbove): OffloadSpan[] {
  const packets = scene.trails.of(flow);
  const [best, ...others] = leftBridge(scene, packets, isAbove);
  if (best) {
    const closer = best.map((span) => others.flat().reduce(tightened, span));
    return refined(scene, flow, packets, closer);
  }
  const unseen = unseenSpans(packets);
  if (unseen.length > 0) return refined(scene, flow, packets, unseen);
  const from = fasterFrom(packets);
  return from ? refined(scene, flow, packets, [{ kind: 'inferred', from, shown: from.time }]) : [];
}

/** Two pairs of taps that show the same beginning: it lies within the bounds of both. */
function tightened(span: OffloadSpan, other: OffloadSpan): OffloadSpan {
  const earliest = Math.max(span.from.earliest, other.from.earliest);
  const latest = Math.min(span.from.latest, other.from.latest);
  if (earliest > latest) return span;
  const nearer = other.from.latest < span.from.latest ? other.from : span.from;
  return { ...span, from: { ...nearer, earliest, time: latest, latest } };
}
