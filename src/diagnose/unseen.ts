/**
 * Offload to hardware that captures show: TCP goes on, as later sequence numbers tell, while no tap sees its segments.
 * The network card or switch forwards them; the router's own taps see what escapes it, such as the FIN.
 */

import type { FlowPacket } from '../detect/packets.js';
import type { TracedFrame } from '../detect/trace.js';
import type { OffloadSpan } from '../reconstruct/offload.js';
import { momentBetween } from './left-bridge.js';

const TCP = 6;
const FIN_RST = 0x05;
const SYN = 0x02;
/** So many octets at least: about 20 full segments. What a busy capture drops is less, and comes in many places. */
const ENOUGH = 28_000;

interface Gap {
  readonly direction: FlowPacket['direction'];
  readonly from: number;
  readonly to: number;
  readonly last: TracedFrame;
  readonly next: TracedFrame;
}

/** Spans of time in which no tap saw what was sent; empty for flows other than TCP. */
export function unseenSpans(packets: readonly FlowPacket[]): OffloadSpan[] {
  const gaps: Gap[] = [];
  const heads: Record<FlowPacket['direction'], { next: number; last: TracedFrame } | undefined> = {
    original: undefined,
    reply: undefined,
  };
  for (const { direction, sightings } of packets) {
    const [frame] = sightings;
    if (frame?.view.protocol !== TCP) return [];
    if (frame.fingerprint === 0) continue;
    const head = heads[direction];
    const ahead = head ? (frame.sequence - head.next) | 0 : 0;
    if (head && ahead >= ENOUGH)
      gaps.push({ direction, from: head.next, to: frame.sequence, last: head.last, next: frame });
    // What comes late is no offload: it was only reordered, or sent again.
    if (ahead < 0) removeFilled(gaps, direction, frame.sequence);
    if (head && ahead < 0) continue;
    const length = frame.payloadLength + (frame.detail & SYN ? 1 : 0);
    heads[direction] = { next: (frame.sequence + length) >>> 0, last: frame };
  }
  return gaps.map(({ last, next }): OffloadSpan => {
    const isEnd = (next.detail & FIN_RST) !== 0;
    return {
      kind: 'inferred',
      from: momentBetween(last.time, next, 'unseen'),
      to: momentBetween(last.time, next, isEnd ? 'fin' : 'unseen'),
      shown: last.time,
    };
  });
}

function removeFilled(gaps: Gap[], direction: FlowPacket['direction'], sequence: number): void {
  const filled = gaps.findIndex(
    (gap) => gap.direction === direction && ((sequence - gap.from) | 0) >= 0 && ((gap.to - sequence) | 0) > 0,
  );
  if (filled >= 0) gaps.splice(filled, 1);
}
