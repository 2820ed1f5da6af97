/** When a case began and what that follows; when it ended and by what. */

import type { AffectedFlow } from '../detect/flows.js';
import type { TracedFrame } from '../detect/trace.js';
import type { Onset, Recovery } from '../model.js';
import { isBeginningSeen } from './beginning.js';
import { faultOf, type Case, type CaseFlow, type Scene } from './case.js';
import { loggedBetween } from './log.js';
import { once } from './once.js';

const TCP = 6;
const UDP = 17;
/** A first wrong frame this soon after the offload is its consequence: within a round trip, and the tools' delay. */
const SOON = 2e9;

/** The beginning of a flow's offload: what conntrack shows, else the packet that triggers it (nft_flow_offload.c). */
export interface Trigger {
  /** ns since the analysis epoch. */
  readonly time: number;
  readonly source: 'event' | 'snapshot' | 'computed';
}

/** The first wrong frame of a case, and the change that it follows, if one is known: of routes, of the address's owner, or to offload. */
export function onsetOf(scene: Scene, kase: Case): Onset {
  const { r } = scene;
  const base = { time: r.epoch.text(kase.first), origin: kase.firstOrigin };
  const change = faultOf(kase)?.change;
  if (change) return { ...base, after: 'route-change', since: r.epoch.text(change.time) };
  // The MAC is right: it moved to another port or VLAN.
  const [moved] = kase.expected.includes(kase.mac)
    ? kase.buckets.flatMap((bucket) => [...bucket.because.values()])
    : [];
  if (moved?.time !== undefined) return { ...base, after: 'take-over', since: moved.time };
  const wasOwner = kase.ownership?.tenures.some((tenure) => tenure.macs.includes(kase.mac)) ?? false;
  if (wasOwner && kase.tenure) return { ...base, after: 'take-over', since: r.epoch.text(kase.tenure.start) };
  const trigger = kase.flows
    .map((flow) => triggerOf(scene, flow))
    .find((t) => t !== undefined && Math.abs(kase.first - t.time) < SOON);
  return trigger ? { ...base, after: 'offload', since: r.epoch.text(trigger.time) } : { ...base, after: 'unknown' };
}

/** When the flow of a case was first offloaded; undefined when neither conntrack nor the packets tell. */
export function triggerOf(scene: Scene, { flow, spans }: CaseFlow): Trigger | undefined {
  const [span] = spans;
  // The event of its end says that it was offloaded, and not since when.
  const isEnd = span?.to?.source === 'destroyed' && span.to.time === span.from.time;
  if (span?.from.source === 'event' && !isEnd) return { time: span.from.time, source: 'event' };
  const computed = computedTrigger(scene, flow);
  if (span) {
    const isWithin = computed && computed.time >= span.from.earliest - SOON && computed.time <= span.from.latest;
    if (isWithin) return computed;
    // What was offloaded when the evidence begins may have been so for long.
    return Number.isFinite(span.from.earliest) ? { time: span.from.time, source: 'snapshot' } : undefined;
  }
  return computed;
}

const triggers = once(() => new Map<AffectedFlow, Trigger | undefined>());

function computedTrigger(scene: Scene, flow: AffectedFlow): Trigger | undefined {
  const known = triggers(scene);
  if (!known.has(flow)) known.set(flow, findTrigger(scene, flow));
  return known.get(flow);
}

/**
 * The packet that completes the TCP handshake, or the second packet of a UDP flow, whichever way it goes; undefined when
 * the flow is older than its first packet here.
 */
function findTrigger(scene: Scene, flow: AffectedFlow): Trigger | undefined {
  const packets = new Map<number, TracedFrame>();
  for (const frame of flow.legs.flatMap((leg) => scene.trace.ofLeg(leg))) {
    if (frame.fingerprint === 0) continue;
    const known = packets.get(frame.fingerprint);
    if (!known || frame.time < known.time) packets.set(frame.fingerprint, frame);
  }
  const inOrder = [...packets.values()].sort((a, b) => a.time - b.time);
  const protocol = inOrder[0]?.view.protocol;
  if (!isBeginningSeen(scene, flow, inOrder)) return undefined;
  const packet = protocol === UDP ? inOrder[1] : protocol === TCP ? inOrder[2] : undefined;
  return packet && { time: packet.time, source: 'computed' };
}

/** The last wrong frame of a case, and what ended the fault, as far as the evidence tells. */
export function recoveryOf(scene: Scene, kase: Case): Recovery {
  const { r } = scene;
  const time = r.epoch.text(kase.last);
  const spans = kase.flows.flatMap((flow) => flow.spans);
  const ended = spans.map((span) => span.to).find((to) => to !== undefined && to.latest >= kase.last - SOON);
  if (ended?.source === 'destroyed') return { time, by: 'conntrack-deleted' };
  if (isReloaded(scene, kase, ended?.latest)) return { time, by: 'firewall-reload' };
  if (ended) return { time, by: 'offload-ended' };
  // Where the next hop is wrong, other flows to the address say nothing.
  const own = kase.class === 'wrong-next-hop' || kase.class === 'wrong-egress';
  const after = kase.frames.some(
    (frame) => frame.time > kase.last && frame.verdict === 'delivered' && (!own || kase.flowOfLeg.has(frame.view.leg)),
  );
  return { time, by: after ? 'unknown' : 'capture-ended' };
}

/**
 * Whether the firewall was loaded anew between the last wrong frame and the first sign that the offload had ended. The
 * log says when the reload began; the flowtable is deleted a little later.
 */
function isReloaded(scene: Scene, kase: Case, endedBy = Infinity): boolean {
  const healed = kase.frames
    .filter((frame) => frame.time > kase.last && frame.verdict === 'delivered' && kase.flowOfLeg.has(frame.view.leg))
    .reduce((first, frame) => Math.min(first, frame.time), endedBy);
  return healed < Infinity && loggedBetween(scene, ['firewall-reload'], kase.last - SOON, healed).length > 0;
}
