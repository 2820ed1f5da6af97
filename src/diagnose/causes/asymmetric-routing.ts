/** Packets of a host go out by one router and come back by another: both MACs are right. */

import { formatMac } from '../../bytes/address.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Cause } from '../cause.js';
import { ips, list, timeOf } from '../claimants.js';
import { surveyOf } from '../survey.js';

const MIN_FLOWS = 3;

export const asymmetricRouting: Cause = {
  id: 'asymmetric-routing',
  title: 'Out by one router, back by another',
  *observe(scene) {
    for (const { out, back, flows, hosts, first, frames } of surveyOf(scene).detours) {
      if (flows < MIN_FLOWS) continue;
      yield {
        summary: `${flows} flows of ${list(ips(scene, hosts))} go out by ${formatMac(out)} and come back by ${formatMac(back)}.`,
        ...timeOf(scene, first),
        evidence: frames.map(({ tap, frame }) => frameOrigin(scene.r, scene.around, tap, frame)),
      };
    }
  },
};
