/** Which MACs belong to routers: hosts may hand them frames for any destination. */

import { ipFromWord, type Ip, type Mac } from '../bytes/address.js';
import type { Host } from '../reconstruct/hosts.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { macPairsOf } from './mac-pairs.js';
import type { Networks } from './networks.js';

/**
 * MACs that announced themselves as routers, that own the address of a next hop, that are a virtual router's, or that
 * send on what others made (a source address that is not theirs, with a hop limit that was counted down).
 */
export function findRouters(r: Reconstruction, hosts: readonly Host[], networks: Networks): Set<Mac> {
  const routers = new Set(r.claims.routers);
  const gateways = new Set(hosts.flatMap((host) => [...host.gateways]));
  for (const run of r.claims.runs) {
    if (gateways.has(run.ip) || virtualRouterOf(run.mac) !== undefined) routers.add(run.mac);
  }
  for (const host of hosts) {
    for (const [ip, runs] of host.neighbors) if (gateways.has(ip)) for (const run of runs) routers.add(run.mac);
    const connected = [...host.devices.values()].filter(
      (device) => device.name !== 'lo' && device.addresses.length > 0,
    );
    if (connected.length > 1) for (const mac of host.macs) routers.add(mac);
  }
  addForwarders(r, networks, routers);
  return routers;
}

function addForwarders(r: Reconstruction, networks: Networks, routers: Set<Mac>): void {
  const pairs = macPairsOf(r);
  /** The first leg that each of them passed on. */
  const firsts = new Map<Mac, number>();
  for (let pair = 0; pair < pairs.count; pair++) {
    if (pairs.isInitial(pair)) continue;
    const mac = pairs.from(pair);
    const known = firsts.get(mac) ?? Infinity;
    if (pairs.firstLeg(pair) > known || routers.has(mac)) continue;
    for (const leg of pairs.legsOfPair(pair)) {
      if (leg > known) break;
      if (!passesOn(r, networks, mac, leg)) continue;
      firsts.set(mac, leg);
      break;
    }
  }
  for (const [mac] of [...firsts].sort(([, a], [, b]) => a - b)) routers.add(mac);
}

/** Whether a MAC sent what another one made: the leg is of a source that is not its own. */
function passesOn(r: Reconstruction, networks: Networks, mac: Mac, leg: number): boolean {
  const { words } = r.legs;
  const w = leg * LEG_WORDS;
  const meta = words[w + Leg.META] ?? 0;
  const version = meta & LegBit.IPV6 ? 6 : 4;
  const source = ipFromWord(words[w + Leg.SRC_IP] ?? 0, version);
  const destination = ipFromWord(words[w + Leg.DST_IP] ?? 0, version);
  if (source === 0 || isGroupIp(r, destination)) return false;
  const network = networks.of[meta >>> 16] ?? 0;
  return !r.claims.of(source).some((run) => run.mac === mac && networks.of[run.tap] === network);
}

/** Multicast and limited broadcast destinations. */
export function isGroupIp(r: Reconstruction, ip: Ip): boolean {
  if (ip <= 0xffff_ffff) return ip >= 0xe000_0000;
  return r.addresses.firstGroup(ip) >>> 8 === 0xff;
}

/**
 * The protocol and group of a virtual router's MAC, undefined for other MACs. VRRP and CARP: RFC 9568 section 7.3; HSRP
 * version 1: RFC 2281; HSRP version 2, HSRP for IPv6 and GLBP: as documented by their vendor.
 */
export function virtualRouterOf(mac: Mac): string | undefined {
  const vendor = Math.floor(mac / 0x1_0000_0000);
  if (vendor !== 0 && vendor !== 5 && vendor !== 7) return undefined;
  const text = mac.toString(16).padStart(12, '0');
  if (text.startsWith('00005e0001')) return `vrrp4-${text.slice(10)}`;
  if (text.startsWith('00005e0002')) return `vrrp6-${text.slice(10)}`;
  if (text.startsWith('00000c07ac')) return `hsrp1-${text.slice(10)}`;
  if (text.startsWith('00000c9ff')) return `hsrp2-${text.slice(9)}`;
  if (text.startsWith('000573a0')) return `hsrp6-${text.slice(8)}`;
  // The last byte is the forwarder: all forwarders of a group answer for one address.
  if (text.startsWith('0007b4')) return `glbp-${text.slice(6, 10)}`;
  return undefined;
}
