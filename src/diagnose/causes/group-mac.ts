/** A unicast address sent to a multicast or broadcast MAC: everyone receives it, so it is not misdelivered. */

import { formatMac } from '../../bytes/address.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Cause } from '../cause.js';
import { timeOf } from '../claimants.js';
import { surveyOf } from '../survey.js';

const MIN_FRAMES = 3;

export const groupMac: Cause = {
  id: 'group-mac',
  title: 'Unicast addresses sent to a group MAC',
  *observe(scene) {
    const seen = new Set<string>();
    for (const sent of surveyOf(scene).toGroup.toSorted((a, b) => b.frames - a.frames || a.first - b.first)) {
      const key = `${sent.from} ${sent.to} ${sent.ip}`;
      if (sent.frames < MIN_FRAMES || seen.has(key)) continue;
      seen.add(key);
      yield {
        summary: `${formatMac(sent.from)} sent ${sent.frames} frames for ${scene.r.addresses.format(sent.ip)} to the group MAC ${formatMac(sent.to)}, which reaches every host.`,
        ...timeOf(scene, sent.first),
        evidence: [frameOrigin(scene.r, scene.around, sent.tap, sent.firstFrame)],
      };
    }
  },
};
