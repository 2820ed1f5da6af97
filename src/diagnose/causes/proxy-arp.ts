/** Proxy ARP and proxy neighbor discovery: a router answers for hosts behind it and passes their packets on. */

import { formatMac } from '../../bytes/address.js';
import type { Cause } from '../cause.js';
import { framesOf, ips, list, timeOf } from '../claimants.js';
import { proxiesOf } from '../proxies.js';

export const proxyArp: Cause = {
  id: 'proxy-arp',
  title: 'A proxy answers for other hosts',
  explain(scene, kase, tests) {
    const proxy = proxiesOf(scene).find(({ network, mac }) => network === kase.network && mac === kase.mac);
    if (!proxy) return undefined;
    const ip = scene.r.addresses.format(kase.dstIp);
    if (tests.is('D1', 'yes') || !proxy.answered.some((answer) => answer.ip === kase.dstIp)) {
      return { fits: 'no', because: `${formatMac(kase.mac)} answers for other hosts, and not for ${ip} here.` };
    }
    return {
      fits: 'yes',
      confidence: 'suspected',
      summary: `${formatMac(kase.mac)} answers for ${ip} and passes its packets on. This is no fault of the sender.`,
      change: [],
      collect: [],
    };
  },
  *observe(scene) {
    for (const { mac, answered, others } of proxiesOf(scene)) {
      const [first] = answered;
      if (!first) continue;
      const evidence = answered.flatMap(({ voice }) => framesOf(scene, voice.tap, [voice.firstFrame]));
      yield {
        summary: `${formatMac(mac)} answers for ${answered.length} addresses, among them ${list(ips(scene, others))}, which are of others behind it.`,
        ...timeOf(scene, first.voice.first),
        evidence: evidence.slice(0, 5),
      };
    }
  },
};
