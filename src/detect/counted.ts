import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { runsOfLeg, viewLeg } from './legs.js';

/**
 * The frames of an input that were counted, in legs or as not judged: fewer than were seen where the memory did not
 * suffice for the rest of a batch.
 */
export function countedFrames(r: Reconstruction, input: number): number {
  let frames = 0;
  for (const count of r.unjudged.get(input) ?? []) frames += count;
  for (let leg = 0; leg < r.legs.count; leg++) {
    if (r.taps.all[viewLeg(r, leg).tap]?.input !== input) continue;
    for (const run of runsOfLeg(r, leg)) frames += run.frames;
  }
  return frames;
}
