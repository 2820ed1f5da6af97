/** Words and cures for flows that go by a gateway on the LAN. */

import { formatMac, type Mac } from '../bytes/address.js';
import { viewLeg } from '../detect/legs.js';
import type { Advice } from '../model.js';
import type { Case, Scene } from './case.js';

const MAX_NAMES = 5;

/** Source addresses of the packets of a case, as text. */
export function sourcesOf(scene: Scene, kase: Case): string[] {
  const legs = kase.buckets.flatMap((bucket) => [...bucket.legs]);
  const sources = new Set(legs.map((leg) => scene.r.addresses.format(viewLeg(scene.r, leg).srcIp)));
  return [...sources].sort().slice(0, MAX_NAMES);
}

/** A MAC by the address that it has, where that is known. */
export function hostName(scene: Scene, mac: Mac): string {
  for (const ownership of scene.ownerships.values()) {
    if (!ownership.tenures.some((tenure) => tenure.macs.includes(mac))) continue;
    return `${scene.r.addresses.format(ownership.ip)} (${formatMac(mac)})`;
  }
  return formatMac(mac);
}

/** The second pass has no mark to tell it by: only the addresses keep such flows out of the flowtable. */
export function keepClientOut(clients: readonly string[]): Advice[] {
  const rules = clients.map((ip) => {
    const family = ip.includes(':') ? 'ip6' : 'ip';
    return `${family} saddr != ${ip} ${family} daddr != ${ip} meta l4proto { tcp, udp } flow add @ft`;
  });
  return [
    {
      what: 'For good: keep the flows of such clients out of the flowtable by their address, or put the gateway on a network of its own.',
      commands: rules,
    },
  ];
}
