/** Packets on their way over taps and routers, put together from what the second reading kept. */

import type { Mac } from '../bytes/address.js';
import type { TracedFrame } from './trace.js';

/** A packet between two routers or hosts, on every tap that saw it there. */
export interface Hop {
  readonly from: Mac;
  readonly to: Mac;
  readonly hopLimit: number;
  readonly frames: TracedFrame[];
}

/** A packet that a router took in from one MAC and sent on to another. */
export interface Step {
  readonly packet: Packet;
  readonly into: Hop;
  readonly out: Hop;
}

/** One packet: its hops, the highest hop limit first. */
export interface Packet {
  readonly hops: readonly Hop[];
}

/** Sightings of one packet are this close, whatever the clocks of the taps. */
const TOGETHER = 1e9;

/** The packets of one flow direction, in order of their first sighting. What cannot be told apart is left out. */
export function packetsOf(frames: readonly TracedFrame[]): Packet[] {
  const byFingerprint = new Map<number, TracedFrame[]>();
  for (const frame of frames) {
    if (frame.fingerprint === 0 || Number.isNaN(frame.time)) continue;
    const same = byFingerprint.get(frame.fingerprint);
    if (same) same.push(frame);
    else byFingerprint.set(frame.fingerprint, [frame]);
  }
  const packets: { packet: Packet; first: number }[] = [];
  for (const same of byFingerprint.values()) {
    same.sort((a, b) => a.time - b.time);
    let start = 0;
    for (let i = 1; i <= same.length; i++) {
      if (i < same.length && (same[i]?.time ?? NaN) - (same[i - 1]?.time ?? NaN) < TOGETHER) continue;
      packets.push({ packet: packetOf(same.slice(start, i)), first: same[start]?.time ?? NaN });
      start = i;
    }
  }
  return packets.sort((a, b) => a.first - b.first).map(({ packet }) => packet);
}

function packetOf(frames: readonly TracedFrame[]): Packet {
  const hops = new Map<string, Hop>();
  for (const frame of frames) {
    const { transmitter } = frame.view;
    const key = `${transmitter} ${frame.dstMac} ${frame.hopLimit}`;
    const hop = hops.get(key);
    if (hop) hop.frames.push(frame);
    else hops.set(key, { from: transmitter, to: frame.dstMac, hopLimit: frame.hopLimit, frames: [frame] });
  }
  return { hops: [...hops.values()].sort((a, b) => b.hopLimit - a.hopLimit) };
}

/**
 * Where a packet was taken in and sent on with a hop limit one lower. A hop that may have come from several MACs, or
 * whose way in no tap saw, gives no step.
 */
export function stepsOf(packet: Packet, networkOf: (tap: number) => number): Step[] {
  const steps: Step[] = [];
  for (const out of packet.hops) {
    const before = packet.hops.filter((hop) => hop.hopLimit === out.hopLimit + 1 && hop.from !== out.from);
    const [into] = before;
    if (!into || before.some((hop) => hop.from !== into.from)) continue;
    const isOneNetwork = networkOf(into.frames[0]?.view.tap ?? -1) === networkOf(out.frames[0]?.view.tap ?? -2);
    // On one network a router sends by the card that it was reached by.
    if (isOneNetwork && out.from !== into.to) continue;
    steps.push({ packet, into, out });
  }
  return steps;
}

/** When a hop was first seen; ns since the analysis epoch. */
export function timeOfHop(hop: Hop): number {
  return Math.min(...hop.frames.map((frame) => frame.time));
}
