/** The packets of affected flows, joined over all captures once and then asked for by all that follows them. */

import { packetsOf, type FlowPacket } from '../detect/packets.js';
import type { AffectedFlow } from '../detect/flows.js';
import type { Trace } from '../detect/trace.js';
import { sameFlow, type Candidates } from '../detect/translated.js';
import { clockOffsets, shiftOf, type Offset } from './clocks.js';

export class Trails {
  /** How far the clocks of captures are apart. */
  readonly offsets: readonly Offset[];
  private readonly trace: Trace;
  private readonly candidates: Candidates;
  private readonly shift: (input: number) => number;
  private readonly known = new Map<AffectedFlow, readonly FlowPacket[]>();

  constructor(trace: Trace, candidates: Candidates) {
    this.trace = trace;
    this.candidates = candidates;
    this.offsets = clockOffsets(trace);
    this.shift = shiftOf(this.offsets);
  }

  /** The packets of a flow in order of time. */
  of(flow: AffectedFlow): readonly FlowPacket[] {
    let packets = this.known.get(flow);
    if (!packets) {
      const translated = sameFlow(this.trace, this.candidates, flow);
      packets = packetsOf(this.trace, flow, translated, this.shift);
      this.known.set(flow, packets);
    }
    return packets;
  }

  /** A time of an input by the clock that all are compared with. */
  common(input: number, time: number): number {
    return time + this.shift(input);
  }
}
