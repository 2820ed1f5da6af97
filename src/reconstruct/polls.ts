/**
 * Polls: questions for an address that were sent to one MAC instead of to all ("Unicast Poll", RFC 1122 section 2.3.2.1;
 * reachability probes, RFC 4861 section 7.3.3). Who polls a MAC holds it for the owner of the address: it shows what stands
 * in a neighbour table that nobody dumped.
 */

import { macFromWords, type Mac } from '../bytes/address.js';
import type { FrameBatch } from '../records/frame-batch.js';

/** Polls of one asker for one address on one tap, with none to another MAC between them. */
export interface PollRun {
  /** MAC that was polled. */
  readonly mac: Mac;
  readonly firstFrame: number;
  /** ns since the analysis epoch: of the first, of the last, and of some between them, all of them where they are few. */
  readonly times: readonly number[];
}

interface Draft extends PollRun {
  readonly times: number[];
}

const MAX_ASKERS = 100_000;
const MAX_RUNS_PER_ASKER = 64;
const MAX_TIMES = 256;

export class Polls {
  private readonly runs = new Map<number, Draft[]>();

  /** Takes row `i`, a question to one MAC, by the number of its asker: of a MAC, an address and a tap. */
  add(frames: FrameBatch, i: number, asker: number): void {
    const mac = macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0);
    const time = frames.time[i] ?? NaN;
    const known = this.runs.get(asker);
    const newest = known?.at(-1);
    if (newest?.mac === mac) {
      if (newest.times.length >= MAX_TIMES) thinOut(newest.times);
      newest.times.push(time);
      return;
    }
    const run = { mac, firstFrame: frames.frame[i] ?? 0, times: [time] };
    if (!known) {
      if (this.runs.size < MAX_ASKERS) this.runs.set(asker, [run]);
    } else if (known.length < MAX_RUNS_PER_ASKER) {
      known.push(run);
    }
  }

  of(asker: number): readonly PollRun[] {
    return this.runs.get(asker) ?? [];
  }
}

/** Leaves out every other one but the first. */
function thinOut(times: number[]): void {
  let kept = 0;
  for (let i = 0; i < times.length; i += 2) times[kept++] = times[i] ?? NaN;
  times.length = kept;
}
