/** Whether a flow began while it was being captured: what its first packets here say of it depends on that. */

import type { AffectedFlow } from '../detect/flows.js';
import type { FlowPacket } from '../detect/packets.js';
import type { TracedFrame } from '../detect/trace.js';
import type { Scene } from './scene.js';

const TCP = 6;
const SYN = 0x02;
/** A flow that was silent for this long, and for longer than it ever was afterwards, was not there. */
const SILENCE = 5e8;
/** The log of conntrack says so at most this long before or after its first packet. */
const NEAR = 1e9;
/** Later packets say nothing new of how often a flow has any. */
const MAX_PACKETS = 1_000;

/**
 * TCP begins with a SYN. Of other protocols conntrack's log says it, or a capture that ran for a while before.
 *
 * @param frames - first sightings of its packets, in order of time
 */
export function isBeginningSeen(scene: Scene, flow: AffectedFlow, frames: readonly TracedFrame[]): boolean {
  const [first] = frames;
  if (!first) return false;
  if (first.view.protocol === TCP) return (first.detail & SYN) !== 0;
  if (flow.conntrack.some(({ made }) => made !== undefined && Math.abs(made.time - first.time) < NEAR)) return true;
  const began = scene.r.spans.get(first.input)?.first ?? Infinity;
  let gap = SILENCE;
  for (let i = 1; i < Math.min(frames.length, MAX_PACKETS); i++) {
    gap = Math.max(gap, (frames[i]?.time ?? NaN) - (frames[i - 1]?.time ?? NaN) || 0);
  }
  return first.time - began >= gap;
}

/** Where each packet was seen first; in the order of the packets. */
export function firstSightings(packets: readonly FlowPacket[]): TracedFrame[] {
  return packets.flatMap(({ sightings }) => sightings.slice(0, 1));
}
