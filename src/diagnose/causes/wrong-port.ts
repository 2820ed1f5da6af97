/**
 * The flowtable copied the bridge port of a host when the flow was offloaded (br_fill_forward_path), and goes on using
 * it after the host moved to another port: a laptop that roams to another access point.
 */

import { formatMac } from '../../bytes/address.js';
import type { Witness } from '../../model.js';
import { COLLECT_CONNTRACK, deleteEntries, deviceOf, plain } from '../advice.js';
import type { Case, Scene } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { loggedBetween } from '../log.js';

export const wrongPort: Cause = {
  id: 'wrong-port',
  title: 'The offloaded flow kept the bridge port that the host has left',
  classes: ['wrong-port'],
  explain(scene, kase, tests) {
    const left = plain(scene.places.deviceName(kase.buckets[0]?.view.tap ?? 0));
    const witness = kase.buckets.flatMap((bucket) => [...bucket.because.values()]).find((w) => w.port !== undefined);
    if (!tests.showOffload) {
      return {
        fits: 'unknown',
        because: 'Nothing shows that the flow was offloaded; a switch that is slow to learn looks the same.',
        collect: COLLECT_CONNTRACK,
      };
    }
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `${formatMac(kase.mac)} (${scene.r.addresses.format(kase.dstIp)}) moved from ${left} to ${plain(witness?.port ?? '')}, and the bridge learnt it; the offloaded flow went on to ${left}.${reconnection(scene, kase, witness)}`,
      change: [
        { what: 'Now: delete the entry; the next packet is looked up anew.', commands: deleteEntries(kase) },
        {
          what: `For good: list ${deviceOf(scene, kase)} in the flowtable instead of its ports, so that the bridge chooses the port of each packet.`,
          commands: ['nft list flowtables'],
        },
      ],
      collect: tests.is('D9', 'yes') ? [] : [COLLECT_CONNTRACK],
    };
  },
};

/** A station's connection and the bridge's learning of it are this close. */
const SECOND = 1e9;

/** What hostapd logged when the host moved, as a sentence. */
function reconnection(scene: Scene, kase: Case, witness: Witness | undefined): string {
  const moved = witness?.time === undefined ? kase.first : scene.r.epoch.relative(BigInt(witness.time));
  const seen = loggedBetween(scene, ['station-connected', 'station-associated'], moved - SECOND, moved + SECOND);
  const station = seen.find(({ mac }) => mac === kase.mac);
  if (!station) return '';
  const to = station.fact.device === undefined ? '' : ` to ${plain(station.fact.device)}`;
  return ` hostapd logged that it connected${to} then (${station.origin.input} line ${station.origin.line}).`;
}
