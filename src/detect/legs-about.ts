/** Legs of certain addresses, found in one quick walk over the flow table. */

import { isIpv6, type Ip } from '../bytes/address.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';

/** The legs, in order, whose destination, either address, or both addresses are among the given ones. */
export function legsAbout(r: Reconstruction, ips: Iterable<Ip>, end: 'destination' | 'either' | 'both'): number[] {
  // Words as the records have them: small numbers, unlike addresses.
  const v4 = new Set<number>();
  const v6 = new Set<number>();
  for (const ip of ips) (isIpv6(ip) ? v6 : v4).add(ip | 0);
  const found: number[] = [];
  if (v4.size + v6.size === 0) return found;
  const { words, count } = r.legs;
  for (let leg = 0, w = 0; leg < count; leg++, w += LEG_WORDS) {
    const wanted = (words[w + Leg.META] ?? 0) & LegBit.IPV6 ? v6 : v4;
    const isTo = wanted.has(words[w + Leg.DST_IP] ?? 0);
    const mayBe = end === 'either' ? !isTo : end === 'both' && isTo;
    if (mayBe ? wanted.has(words[w + Leg.SRC_IP] ?? 0) : isTo) found.push(leg);
  }
  return found;
}
