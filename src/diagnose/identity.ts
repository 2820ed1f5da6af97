/** Whose a MAC is: the answer to test D4, in words and for causes. */

import type { Ip, Mac } from '../bytes/address.js';
import type { Ownership } from '../detect/ownership.js';
import type { Origin } from '../model.js';
import type { RouteFact } from '../records/facts.js';
import type { Case, Scene } from './case.js';
import { once } from './once.js';

export interface OwnerOfMac {
  readonly kind: 'former-owner' | 'next-hop' | 'host' | 'router-itself';
  readonly ip: Ip;
  readonly what: string;
  readonly evidence: readonly Origin[];
  /** Of a next hop: the routes that lead to it. */
  readonly routes: readonly RouteFact[];
}

/** Who the observed MAC of a case belongs to: all that is known, most telling first. */
export function ownersOfMac(scene: Scene, kase: Case): OwnerOfMac[] {
  const { r } = scene;
  const owners: OwnerOfMac[] = [];
  for (const ownership of ownershipsOf(scene, kase.mac)) {
    if (ownership.network !== kase.network) continue;
    const tenures = ownership.tenures.filter((tenure) => tenure.macs.includes(kase.mac));
    const weak = ownership.weak.filter((t) => t.mac === kase.mac);
    if (tenures.length === 0 && weak.length === 0) continue;
    const ip = r.addresses.format(ownership.ip);
    const testimony = tenures[0]?.testimonies.find((t) => t.mac === kase.mac) ?? weak[0];
    const evidence = testimony?.origin ? [testimony.origin] : [];
    const routes = routesVia(scene, kase, ip);
    if (ownership.ip === kase.dstIp)
      owners.push({
        kind: 'former-owner',
        ip: ownership.ip,
        what: kase.expected.includes(kase.mac) ? `It has ${ip}` : `It had ${ip} before`,
        evidence,
        routes: [],
      });
    else if (routes.length > 0) {
      const tables = [...new Set(routes.map((route) => route.table))].sort();
      owners.push({
        kind: 'next-hop',
        ip: ownership.ip,
        what: `It is ${ip}, the next hop in table ${tables.join(', ')}`,
        evidence,
        routes,
      });
    } else owners.push({ kind: 'host', ip: ownership.ip, what: `It is ${ip}`, evidence, routes: [] });
  }
  const rank = ['former-owner', 'next-hop', 'router-itself', 'host'];
  return owners.sort((a, b) => rank.indexOf(a.kind) - rank.indexOf(b.kind) || a.ip - b.ip);
}

/** The addresses that a MAC is known to have, or to have had, in any network. */
function ownershipsOf(scene: Scene, mac: Mac): Iterable<Ownership> {
  return ownershipsByMac(scene).get(mac) ?? [];
}

const ownershipsByMac = once(({ ownerships }) => {
  const byMac = new Map<Mac, Set<Ownership>>();
  for (const ownership of ownerships.values()) {
    for (const one of ownership.macs) append(byMac, one, ownership);
  }
  return byMac;
});

function append(byMac: Map<Mac, Set<Ownership>>, mac: Mac, ownership: Ownership): void {
  const known = byMac.get(mac);
  if (known) known.add(ownership);
  else byMac.set(mac, new Set([ownership]));
}

function routesVia(scene: Scene, kase: Case, ip: string): RouteFact[] {
  const hosts = kase.host ? [kase.host] : scene.around.hosts.filter((host) => host.macs.size === 0);
  return hosts.flatMap((host) => host.routes.filter((route) => route.nextHops.some((hop) => hop.via === ip)));
}
