/** What causes and tests look at. Everything here is finished: nothing is read any more. */

import type { AffectedFlow } from '../detect/flows.js';
import type { Ownership } from '../detect/ownership.js';
import type { Trace } from '../detect/trace.js';
import type { Surroundings } from '../detect/witnesses.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Trails } from './trails.js';

export interface Scene {
  readonly r: Reconstruction;
  readonly around: Surroundings;
  readonly ownerships: ReadonlyMap<number, Ownership>;
  readonly flows: readonly AffectedFlow[];
  readonly flowOfLeg: ReadonlyMap<number, AffectedFlow>;
  readonly trace: Trace;
  readonly trails: Trails;
  readonly places: Places;
}

/** Names of inputs, and of the devices that taps are. */
export interface Places {
  inputName(input: number): string;
  deviceName(tap: number): string;
  /** Packets that the capture of a tap's interface dropped, of those and of all that it was to take; undefined when it does not say. */
  lossOn(tap: number): { readonly dropped: number; readonly packets: number } | undefined;
}
