/** A Wi-Fi repeater with three-address frames: its stations all have its MAC for the rest of the network. */

import { formatMac } from '../../bytes/address.js';
import type { Cause } from '../cause.js';
import { ips, list, timeOf } from '../claimants.js';
import { evidenceOf, repeatersOf } from '../translations.js';

export const macTranslation: Cause = {
  id: 'mac-translation',
  title: 'A repeater stands for the stations behind it',
  explain(scene, kase) {
    const station = repeatersOf(scene)
      .filter(({ network }) => network === kase.network)
      .flatMap(({ mac, stations }) => stations.map((one) => ({ mac, ...one })))
      .find(({ ip, mac, client }) => ip === kase.dstIp && [mac, client].includes(kase.mac));
    if (!station) return undefined;
    const ip = scene.r.addresses.format(kase.dstIp);
    return {
      fits: 'yes',
      confidence: 'suspected',
      summary: `${ip} is behind the repeater ${formatMac(station.mac)}; its own MAC is ${formatMac(station.client)}. Both are right, on different sides of the repeater.`,
      change: [],
      collect: [],
    };
  },
  *observe(scene) {
    for (const { mac, stations } of repeatersOf(scene)) {
      const [first] = stations;
      if (!first) continue;
      const one = stations.length === 1 ? 'that client' : 'those clients';
      yield {
        summary: `${formatMac(mac)} answers for ${list(
          ips(
            scene,
            stations.map(({ ip }) => ip),
          ),
        )}, which DHCP gave to other MACs (${formatMac(first.client)}): a repeater stands before ${one}.`,
        ...timeOf(scene, first.voice.first),
        evidence: stations.flatMap((station) => evidenceOf(scene, station)).slice(0, 4),
      };
    }
  },
};
