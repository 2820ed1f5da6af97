/** Which legs conntrack shows as offloaded while they went on. */

import { offloadSpans } from '../reconstruct/offload.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { flowsOfLegs } from './flows.js';
import { runsOfLeg } from './legs.js';

/** Those of the legs whose flow conntrack shows as offloaded at some time from their first frame to their last. */
export function offloadedLegs(r: Reconstruction, legs: readonly number[]): Set<number> {
  const found = new Set<number>();
  if (legs.length === 0 || r.facts.conntrack.entries.length === 0) return found;
  const wanted = new Set(legs);
  for (const flow of flowsOfLegs(r, legs)) {
    const spans = flow.conntrack.flatMap((entry) => offloadSpans(r.facts.conntrack, entry));
    for (const leg of flow.legs) {
      const runs = wanted.has(leg) ? runsOfLeg(r, leg) : [];
      const isOffloaded = runs.some((run) =>
        spans.some((span) => span.from.earliest <= run.last && (span.to?.latest ?? Infinity) >= run.first),
      );
      if (isOffloaded) found.add(leg);
    }
  }
  return found;
}
