/**
 * Offload that captures show: packets of a flow that no longer pass the bridge and still pass its port. The flowtable
 * takes them off the port before the bridge sees them, and sends them out of the port itself (XMIT_DIRECT,
 * nf_flow_table_ip.c); the classic path goes through the bridge device.
 */

import type { Mac } from '../bytes/address.js';
import type { FlowPacket } from '../detect/packets.js';
import { isEscape, type TracedFrame } from '../detect/trace.js';
import type { Moment, OffloadSpan } from '../reconstruct/offload.js';
import { isBeyondLoss, lossOf, type TapLoss } from './bridge-loss.js';
import { alikeOn, type IsAbove } from './bridge-taps.js';
import type { Scene } from './scene.js';

/** So many packets in a row must miss the bridge: single ones may have been dropped by the capture. */
const ENOUGH = 3;

interface Sight {
  readonly below: TracedFrame;
  readonly above: TracedFrame | undefined;
}

/** Packets in a row that passed the port only, with the last one before and the first one after that passed both. */
interface Absence {
  readonly before: TracedFrame | undefined;
  readonly frames: readonly TracedFrame[];
  readonly after: TracedFrame | undefined;
}

/** Spans by every tap and direction that shows any, the one with the most packets first. */
export function leftBridge(scene: Scene, packets: readonly FlowPacket[], isAbove: IsAbove): OffloadSpan[][] {
  const found: { spans: OffloadSpan[]; packets: number }[] = [];
  for (const direction of ['original', 'reply'] as const) {
    const own = packets.filter((packet) => packet.direction === direction);
    for (const [upper, lowers] of tapsAbove(own, isAbove)) {
      const macs = ownMacs(own, upper);
      const sights = sightsOf(scene, own, upper, lowers, macs);
      const spans = spansOf(sights, () => lossOf(scene, upper, lowers, macs));
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

/** What passed a port, to or from the bridge's own host, while the capture of the bridge ran. */
function sightsOf(
  { r }: Scene,
  packets: readonly FlowPacket[],
  upper: number,
  lowers: ReadonlySet<number>,
  own: ReadonlySet<Mac>,
): Sight[] {
  const running = r.spans.get(r.taps.all[upper]?.input ?? -1);
  const sights: Sight[] = [];
  for (const packet of packets) {
    const below = packet.sightings.find(
      ({ view, dstMac }) => lowers.has(view.tap) && (own.has(view.transmitter) || own.has(dstMac)),
    );
    const above = packet.sightings.find((frame) => frame.view.tap === upper);
    if (!below || !running || below.time < running.first || below.time > running.last) continue;
    sights.push({ below, above });
  }
  return sights;
}

/** The MACs that one end of every frame on the bridge has: those of its host. What is only switched never gets there. */
function ownMacs(packets: readonly FlowPacket[], upper: number): ReadonlySet<Mac> {
  let own: Set<Mac> | undefined;
  for (const { sightings } of packets) {
    for (const { view, dstMac } of sightings) {
      if (view.tap !== upper) continue;
      const ends = [view.transmitter, dstMac];
      own = new Set(own ? ends.filter((mac) => own?.has(mac)) : ends);
    }
  }
  return own ?? new Set();
}

function spansOf(sights: readonly Sight[], lossOn: () => TapLoss): OffloadSpan[] {
  const absences = absencesOf(sights);
  // What never passed the bridge may have been filtered out there.
  const broken = absences.filter(({ before }) => before !== undefined);
  const long = broken.filter(({ frames }) => frames.length >= ENOUGH);
  if (long.length === 0) return [];
  const loss = lossOn();
  // The one in question says nothing of how often the capture loses any.
  const others = { frames: sights.filter(({ above }) => above !== undefined).length, lost: broken.length - 1 };
  const isBeyond = ({ frames }: Absence, how: 'one-by-one' | 'at-once'): boolean =>
    isBeyondLoss(
      frames.map(({ time }) => time),
      others,
      loss,
      how,
    );
  // Where one shows that the flow is offloaded, it is likely to be so again.
  if (!long.some((absence) => isBeyond(absence, 'at-once'))) return [];
  return long.filter((absence) => isBeyond(absence, 'one-by-one')).flatMap(spanOf);
}

function spanOf({ before, frames, after }: Absence): OffloadSpan[] {
  const [first] = frames;
  const last = frames.at(-1);
  if (!before || !first || !last) return [];
  const from = momentBetween(before.time, first, 'left-bridge');
  const to = after && momentBetween(last.time, after, 'left-bridge');
  return [{ kind: 'inferred', from, ...(to ? { to } : {}), shown: last.time }];
}

function absencesOf(sights: readonly Sight[]): Absence[] {
  const absences: Absence[] = [];
  let before: TracedFrame | undefined;
  let frames: TracedFrame[] = [];
  for (const { above, below } of sights) {
    if (!above) {
      frames.push(below);
      continue;
    }
    if (isEscape(below) && frames.length > 0) continue;
    if (frames.length > 0) absences.push({ before, frames, after: below });
    before = below;
    frames = [];
  }
  if (frames.length > 0) absences.push({ before, frames, after: undefined });
  return absences;
}

/** A moment after `earliest` and no later than a frame. */
export function momentBetween(earliest: number, frame: TracedFrame, source: Moment['source']): Moment {
  const { time, input } = frame;
  return { time, earliest: Math.min(earliest, time), latest: time, source, origin: { input, frame: frame.frame } };
}
