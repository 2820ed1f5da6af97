/** A mirror port or a capture on several places at once: the same frame more than once, which nobody sent twice. */

import type { Cause } from '../cause.js';
import { framesOf, timeOf } from '../claimants.js';

/** Repeats that make a rule of it, and their share of all that could be repeated. */
const MIN_REPEATS = 3;
const MIN_SHARE = 0.4;
/** A file whose clock stands still shows nothing, ns. */
const MIN_SPAN = 1e8;

export const mirror: Cause = {
  id: 'mirror',
  title: 'The capture shows frames twice',
  *observe(scene) {
    for (const [tap, { seen, repeated, first, start, last, frames }] of scene.r.claims.repeats.byTap) {
      // Of two copies only the second is a repeat.
      if (repeated < MIN_REPEATS || repeated / (seen - repeated) < MIN_SHARE || !(last - start > MIN_SPAN)) continue;
      yield {
        summary: `${scene.places.deviceName(tap)} shows ${repeated} of ${seen - repeated} ARP and neighbour discovery frames again within a millisecond: a mirror port, or a loop. Counts of frames are too high there.`,
        ...timeOf(scene, first),
        evidence: framesOf(scene, tap, frames.slice(0, 4)),
      };
    }
  },
};
