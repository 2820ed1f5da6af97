/** What is said of frames, by the judge and by those who judge ports, VLANs, devices and next hops. */

import type { Mac } from '../bytes/address.js';
import type { MisdeliveryClass, Origin, Witness } from '../model.js';
import type { NextHopFault } from './next-hop-fault.js';

/** Stable ids of reasons why a frame with both MACs and IP addresses cannot be judged. */
export type JudgeReason =
  | 'no-witness'
  | 'no-witness-yet'
  | 'unknown-next-hop'
  | 'sender-may-not-be-on-link'
  | 'sender-believes'
  | 'sender-not-told'
  | 'speaks-too'
  | 'weak-witness'
  | 'owner-later'
  | 'group-mac'
  | 'zero-mac'
  | 'no-time';

export interface Ruling {
  readonly verdict: 'delivered' | 'misdelivered' | 'not-judged';
  readonly reason?: JudgeReason;
  readonly class?: MisdeliveryClass;
  readonly expected: readonly Mac[];
  readonly because: readonly Witness[];
  /** Frames with a lower number than one of these, in the same input, came before: a clock that is set back deceives nobody. */
  readonly after?: readonly Origin[];
  /** How the next hop is wrong, where that is what is wrong. */
  readonly fault?: NextHopFault;
  /** When a wrong frame is wrong from, if those before it may be so too: they have a doubt of this time. */
  readonly since?: number;
  readonly doubt?: Doubt;
}

/** Of frames that count as delivered: they may be wrong, for their way was last known to be right before them. */
export interface Doubt {
  /** From here on frames are known to be wrong; ns since the analysis epoch. */
  readonly until: number;
  readonly class: MisdeliveryClass;
  /** The last one who says that the way was right. */
  readonly heard: Witness;
}

/** A ruling and the time from which it holds, until the next one. */
export interface Stretch {
  readonly from: number;
  readonly ruling: Ruling;
}

export const DELIVERED: Ruling = { verdict: 'delivered', expected: [], because: [] };

export function notJudged(reason: JudgeReason): Ruling {
  return { verdict: 'not-judged', reason, expected: [], because: [] };
}
