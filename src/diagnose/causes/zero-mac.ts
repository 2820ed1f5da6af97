/** Frames to 00:00:00:00:00:00: the sender had no MAC for the next hop and sent all the same. */

import { formatMac } from '../../bytes/address.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Cause } from '../cause.js';
import { timeOf } from '../claimants.js';
import { surveyOf } from '../survey.js';

export const zeroMac: Cause = {
  id: 'zero-mac',
  title: 'Frames to the MAC 00:00:00:00:00:00',
  *observe(scene) {
    const seen = new Set<string>();
    for (const sent of surveyOf(scene).toZero.toSorted((a, b) => b.frames - a.frames || a.first - b.first)) {
      const key = `${sent.from} ${sent.ip}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const what = sent.frames === 1 ? 'a frame' : `${sent.frames} frames`;
      yield {
        summary: `${formatMac(sent.from)} sent ${what} for ${scene.r.addresses.format(sent.ip)} to 00:00:00:00:00:00, which no host takes.`,
        ...timeOf(scene, sent.first),
        evidence: [frameOrigin(scene.r, scene.around, sent.tap, sent.firstFrame)],
      };
    }
  },
};
