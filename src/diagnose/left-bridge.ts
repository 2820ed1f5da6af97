/**
 * Offload that captures show: packets of a flow that no longer pass the bridge and still pass its port. The flowtable
 * takes them off the port before the bridge sees them, and sends them out of the port itself (XMIT_DIRECT,
 * nf_flow_table_ip.c); the classic path goes through the bridge device.
 */

import type { FlowPacket } from '../detect/packets.js';
import { isEscape, type TracedFrame } from '../detect/trace.js';
import type { Moment, OffloadSpan } from '../reconstruct/offload.js';
import type { Scene } from './scene.js';
import { alikeOn, type IsAbove } from './bridge-taps.js';

/** So many packets in a row must miss the bridge: single ones may have been dropped by the capture. */
const ENOUGH = 3;

interface Sight {
  readonly below: TracedFrame;
  readonly above: TracedFrame | undefined;
}

/** Spans by every tap and direction that shows any, the one with the most packets first. */
export function leftBridge(scene: Scene, packets: readonly FlowPacket[], isAbove: IsAbove): OffloadSpan[][] {
  const found: { spans: OffloadSpan[]; packets: number }[] = [];
  for (const direction of ['original', 'reply'] as const) {
    const own = packets.filter((packet) => packet.direction === direction);
    for (const [upper, lowers] of tapsAbove(own, isAbove)) {
      const spans = spansOf(sightsOf(scene, own, upper, lowers));
      if (spans.length > 0) found.push({ spans, packets: own.length });
    }
  }
  return found.sort((a, b) => b.packets - a.packets).map(({ spans }) => spans);
}

/** Taps that saw packets as the same frame as one below them did, with all taps below them. */
function tapsAbove(packets: readonly FlowPacket[], isAbove: IsAbove): Map<number, Set<number>> {
  const all = new Set(packets.flatMap((packet) => packet.sightings.map((frame) => frame.view.tap)));
  const found = new Map<number, Set<number>>();
  for (const upper of all) {
    const lowers = new Set([...all].filter((lower) => lower !== upper && isAbove(upper, lower)));
    if (packets.some((packet) => alikeOn(packet, upper, lowers))) found.set(upper, lowers);
  }
  return found;
}

/** What passed a port while the capture of the bridge ran. */
function sightsOf({ r }: Scene, packets: readonly FlowPacket[], upper: number, lowers: ReadonlySet<number>): Sight[] {
  const running = r.spans.get(r.taps.all[upper]?.input ?? -1);
  const sights: Sight[] = [];
  for (const packet of packets) {
    const below = packet.sightings.find((frame) => lowers.has(frame.view.tap));
    const above = packet.sightings.find((frame) => frame.view.tap === upper);
    if (!below || !running || below.time < running.first || below.time > running.last) continue;
    sights.push({ below, above });
  }
  return sights;
}

function spansOf(sights: readonly Sight[]): OffloadSpan[] {
  const spans: OffloadSpan[] = [];
  let on: TracedFrame | undefined;
  let missing: TracedFrame[] = [];
  for (const { above, below } of sights) {
    if (!above) {
      // What never passed the bridge may have been filtered out there.
      if (on) missing.push(below);
      continue;
    }
    if (isEscape(below) && missing.length > 0) continue;
    addSpan(spans, on, missing, below);
    on = below;
    missing = [];
  }
  addSpan(spans, on, missing, undefined);
  return spans;
}

function addSpan(
  spans: OffloadSpan[],
  on: TracedFrame | undefined,
  missing: readonly TracedFrame[],
  back: TracedFrame | undefined,
): void {
  const [first] = missing;
  const last = missing.at(-1);
  if (!on || !first || !last || missing.length < ENOUGH) return;
  const from = momentBetween(on.time, first, 'left-bridge');
  spans.push({
    kind: 'inferred',
    from,
    ...(back ? { to: momentBetween(last.time, back, 'left-bridge') } : {}),
    shown: last.time,
  });
}

/** A moment after `earliest` and no later than a frame. */
export function momentBetween(earliest: number, frame: TracedFrame, source: Moment['source']): Moment {
  const { time, input } = frame;
  return { time, earliest: Math.min(earliest, time), latest: time, source, origin: { input, frame: frame.frame } };
}
