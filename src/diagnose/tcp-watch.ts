/** Tells which segments of one direction of a TCP connection were sent again. */

import type { TracedFrame } from '../detect/trace.js';

const SYN = 0x02;
const FIN = 0x01;
/** Two segments that overtook each other on their way are no further apart than this. */
const OVERTAKING = 3e6;
const MAX_GAPS = 64;

export class TcpWatch {
  /** Sequence number after the last one seen; undefined before the first segment. */
  private next: number | undefined;
  private nextTime = 0;
  /** What was not seen below `next`: first sequence number and the one after the last. */
  private readonly gaps: [number, number][] = [];

  /**
   * Takes the next segment in order of time.
   * @returns whether it carries what was sent before. What was never seen here counts too when it comes late: its first
   *   copy was lost on the way to this place. Keep-alives (RFC 9293 section 3.8.4) do not count.
   */
  isSentAgain(frame: TracedFrame): boolean {
    const length = frame.payloadLength + (frame.detail & SYN ? 1 : 0) + (frame.detail & FIN ? 1 : 0);
    if (length === 0) return false;
    const { sequence, time } = frame;
    const end = (sequence + length) >>> 0;
    if (this.next === undefined) {
      this.next = end;
      this.nextTime = time;
      return false;
    }
    const ahead = (sequence - this.next) | 0;
    if (ahead >= 0) {
      if (ahead > 0 && this.gaps.length < MAX_GAPS) this.gaps.push([this.next, sequence]);
      this.next = end;
      this.nextTime = time;
      return false;
    }
    if (frame.payloadLength <= 1 && ahead === -1 && !(frame.detail & (SYN | FIN))) return false;
    const isNew = this.gaps.some(([from, to]) => ((sequence - from) | 0) >= 0 && ((to - sequence) | 0) > 0);
    this.fill(sequence, end);
    if (((end - this.next) | 0) > 0) this.next = end;
    return !isNew || time - this.nextTime > OVERTAKING;
  }

  private fill(start: number, end: number): void {
    for (const [from, to] of this.gaps.splice(0)) {
      const [before, after] = [(start - from) | 0, (to - end) | 0];
      const isApart = ((end - from) | 0) <= 0 || ((to - start) | 0) <= 0;
      if (isApart) this.gaps.push([from, to]);
      else {
        if (before > 0) this.gaps.push([from, start]);
        if (after > 0) this.gaps.push([end, to]);
      }
    }
  }
}
