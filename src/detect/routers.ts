/** Which MACs belong to routers: hosts may hand them frames for any destination. */

import { ipFromWord, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import type { Host } from '../reconstruct/hosts.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
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
  const { words } = r.legs;
  let lastHigh = -1;
  let lastLow = 0;
  for (let leg = 0; leg < r.legs.count; leg++) {
    const w = leg * LEG_WORDS;
    const meta = words[w + Leg.META] ?? 0;
    if (meta & LegBit.INITIAL_HOP_LIMIT) continue;
    // Most legs are of the router that was found last.
    if ((words[w + Leg.MACS_HIGH] ?? 0) >>> 16 === lastHigh && words[w + Leg.SRC_MAC_LOW] === lastLow) continue;
    const mac = macFromWords((words[w + Leg.MACS_HIGH] ?? 0) >>> 16, words[w + Leg.SRC_MAC_LOW] ?? 0);
    if (routers.has(mac)) {
      lastHigh = (words[w + Leg.MACS_HIGH] ?? 0) >>> 16;
      lastLow = words[w + Leg.SRC_MAC_LOW] ?? 0;
      continue;
    }
    const version = meta & LegBit.IPV6 ? 6 : 4;
    const source = ipFromWord(words[w + Leg.SRC_IP] ?? 0, version);
    const destination = ipFromWord(words[w + Leg.DST_IP] ?? 0, version);
    if (source === 0 || isGroupIp(r, destination)) continue;
    const network = networks.of[meta >>> 16] ?? 0;
    const isOwn = r.claims.of(source).some((run) => run.mac === mac && networks.of[run.tap] === network);
    if (!isOwn) routers.add(mac);
  }
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
