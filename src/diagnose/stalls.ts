/** Stalls: times in which one side of a flow goes on sending and nothing arrives from the other. */

import type { FlowPacket } from '../detect/packets.js';

type Direction = FlowPacket['direction'];

interface Waiting {
  /** First packet sent since something arrived. */
  since: number;
  sent: number;
  last: number;
}

export class StallWatch {
  private readonly stalls: [Direction, number, number][] = [];
  private readonly waiting: Record<Direction, Waiting | undefined> = { original: undefined, reply: undefined };
  private readonly spoke: Record<Direction, boolean> = { original: false, reply: false };

  /** Takes the next packet in order of time. One that is `lost` was sent and did not arrive. */
  add(direction: Direction, time: number, lost: boolean): void {
    this.spoke[direction] = true;
    const waiting = this.waiting[direction];
    if (waiting) {
      waiting.sent++;
      waiting.last = time;
    } else {
      this.waiting[direction] = { since: time, sent: 1, last: time };
    }
    if (lost) return;
    const other: Direction = direction === 'original' ? 'reply' : 'original';
    const heard = this.waiting[other];
    if (heard && heard.sent > 1) this.stalls.push([other, heard.since, time]);
    this.waiting[other] = undefined;
  }

  /** The longest stall within a span of time, in ns. A side that nobody ever answers waits for nobody. */
  longest(from: number, to: number): number {
    let longest = 0;
    const count = (side: Direction, since: number, until: number): void => {
      const answers = this.spoke[side === 'original' ? 'reply' : 'original'];
      if (answers) longest = Math.max(longest, Math.min(until, to) - Math.max(since, from));
    };
    for (const stall of this.stalls) count(...stall);
    const { original, reply } = this.waiting;
    if (original && original.sent > 1) count('original', original.since, original.last);
    if (reply && reply.sent > 1) count('reply', reply.since, reply.last);
    return longest;
  }
}
