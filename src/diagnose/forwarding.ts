/** How long the router takes to pass packets on, by the classic path and offloaded. */

import type { FlowPacket } from '../detect/packets.js';
import { isEscape, type TracedFrame } from '../detect/trace.js';
import type { Forwarding } from '../model.js';
import type { Moment, OffloadSpan } from '../reconstruct/offload.js';
import { UNKNOWN_HOP_LIMIT } from '../records/frame-batch.js';
import { momentBetween } from './left-bridge.js';

/** Packets of one direction whose delays are measured. */
const MAX_PACKETS = 2000;
const MAX_DELAY = 1e9;

interface Passage {
  readonly packet: FlowPacket;
  readonly came: TracedFrame;
  readonly left: TracedFrame;
  readonly delay: number;
}

/**
 * The delays of each direction between the two taps that saw most of its packets before and after the router, medians.
 * @param deviceName the device that a tap is
 */
export function forwardingOf(
  packets: readonly FlowPacket[],
  spans: readonly OffloadSpan[],
  deviceName: (tap: number) => string,
): Forwarding[] {
  const found: Forwarding[] = [];
  if (spans.length === 0) return found;
  for (const direction of ['original', 'reply'] as const) {
    const passages = passagesOf(packets.filter((packet) => packet.direction === direction));
    const [first] = passages;
    if (!first) continue;
    const offloaded = delayOf(
      passages.filter(({ came }) => !isEscape(came) && spans.some((span) => isSurelyIn(came, span))),
    );
    const classic = delayOf(
      passages.filter(({ came }) => isEscape(came) || !spans.some((span) => mayBeIn(came, span))),
    );
    if (!offloaded && !classic) continue;
    found.push({
      direction,
      from: deviceName(first.came.view.tap),
      to: deviceName(first.left.view.tap),
      ...(classic ? { classic } : {}),
      ...(offloaded ? { offloaded } : {}),
    });
  }
  return found;
}

/**
 * A moment from which on the packets of a direction are passed on at least three times as fast; undefined without one.
 * It fits an offload and does not show one.
 */
export function fasterFrom(packets: readonly FlowPacket[]): Moment | undefined {
  for (const direction of ['original', 'reply'] as const) {
    const passages = passagesOf(packets.filter((packet) => packet.direction === direction));
    const split = splitOf(passages.map(({ delay }) => delay));
    const [slow, fast] = [passages[split - 1], passages[split]];
    if (slow && fast) return momentBetween(slow.came.time, fast.came, 'latency');
  }
  return undefined;
}

const FASTER = 3;
const ENOUGH = 5;
const CLEAR = 0.9;

/** The index from which on delays are short and before which they are long; 0 when nothing parts them so. */
function splitOf(delays: readonly number[]): number {
  if (delays.length < 2 * ENOUGH) return 0;
  const sorted = delays.toSorted((a, b) => a - b);
  const [low, high] = [sorted[Math.floor(sorted.length * 0.1)] ?? 0, sorted[Math.floor(sorted.length * 0.9)] ?? 0];
  const border = Math.sqrt(Math.max(1, low) * Math.max(1, high));
  // Long ones before minus short ones before, at its greatest, is the best place to part them.
  let [balance, best, at] = [0, 0, 0];
  for (const [i, delay] of delays.entries()) {
    balance += delay > border ? 1 : -1;
    if (balance > best) [best, at] = [balance, i + 1];
  }
  const [before, after] = [delays.slice(0, at), delays.slice(at)];
  if (before.length < ENOUGH || after.length < ENOUGH) return 0;
  const isClear =
    before.filter((delay) => delay > border).length >= CLEAR * before.length &&
    after.filter((delay) => delay <= border).length >= CLEAR * after.length;
  return isClear && median(before) >= FASTER * Math.max(1, median(after)) ? at : 0;
}

/** Of the pair of taps that saw the most packets; of several such pairs the one with the least delay, which is the router itself. */
function passagesOf(packets: readonly FlowPacket[]): Passage[] {
  const pairs = new Map<string, Passage[]>();
  for (const packet of packets.slice(0, MAX_PACKETS)) {
    const { sightings } = packet;
    // Before the router and after it are two sightings.
    if (sightings.length < 2) continue;
    const top = sightings.reduce((max, { hopLimit }) => Math.max(max, hopLimit), 0);
    if (top === UNKNOWN_HOP_LIMIT || sightings[0]?.fingerprint === 0) continue;
    const done = new Set<string>();
    for (const left of sightings) {
      if (left.hopLimit !== top - 1) continue;
      for (const came of sightings) {
        const key = `${came.view.tap} ${left.view.tap}`;
        // Clocks of two captures may differ by more than the router needs; one capture has one clock.
        if (came.hopLimit !== top || done.has(key)) continue;
        done.add(key);
        const delay = left.time - came.time;
        if (delay < 0 || delay > MAX_DELAY) continue;
        const passage = { packet, came, left, delay };
        const list = pairs.get(key);
        if (list) list.push(passage);
        else pairs.set(key, [passage]);
      }
    }
  }
  const ranked = [...pairs.values()].sort(
    (a, b) => b.length - a.length || isApart(a) - isApart(b) || meanOf(a) - meanOf(b),
  );
  return ranked[0] ?? [];
}

function isApart([first]: readonly Passage[]): number {
  return first && first.came.input === first.left.input ? 0 : 1;
}

function meanOf(passages: readonly Passage[]): number {
  return passages.reduce((sum, { delay }) => sum + delay, 0) / passages.length;
}

function isSurelyIn({ time }: TracedFrame, { from, to }: OffloadSpan): boolean {
  return time > from.latest && time < (to?.earliest ?? Infinity);
}

function mayBeIn({ time }: TracedFrame, { from, to }: OffloadSpan): boolean {
  return time > from.earliest && time < (to?.latest ?? Infinity);
}

function delayOf(passages: readonly Passage[]): Forwarding['classic'] {
  if (passages.length === 0) return undefined;
  return { median: String(Math.round(median(passages.map(({ delay }) => delay)))), packets: passages.length };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[middle - 1] ?? 0, sorted[middle] ?? 0];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
