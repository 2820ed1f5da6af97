/**
 * Frames of an offloaded flow to a MAC of which nobody has heard. Where the evidence begins in the middle of it, the MAC
 * may be that of the host that had the address before. Everything else that may have led there has to be ruled out.
 */

import { formatMac } from '../bytes/address.js';
import { isLinkLocal } from '../detect/networks.js';
import type { Host } from '../reconstruct/hosts.js';
import { COLLECT_CONNTRACK } from './advice.js';
import { firstSightings, isBeginningSeen } from './beginning.js';
import type { Case, Scene } from './case.js';
import type { Explanation, Tests } from './cause.js';
import { boundEntries, COLLECT_ENGINE, isInHardware } from './hardware.js';
import { ownersOfMac } from './identity.js';
import { offloadRulesOf, reachedOffloads } from './offload-rules.js';
import { areTablesKnown, COLLECT_TABLES } from './policy-routing.js';

/** Shows which devices the flowtable lists, and which of them are ports of a bridge. */
const COLLECT_FLOWTABLE = 'nft list ruleset; ip -d link show';

/** Why frames did not go, or may not have gone, to the former owner of their address; undefined when they did as far as anybody can tell. */
export function notToFormerOwner(scene: Scene, kase: Case, tests: Tests): Explanation | undefined {
  const mac = formatMac(kase.mac);
  const ip = scene.r.addresses.format(kase.dstIp);
  if (isSomeoneElse(scene, kase) || !isMiddle(scene, kase)) {
    return { fits: 'no', because: `${mac} never had ${ip}.` };
  }
  const open = (because: string, collect: string): Explanation => ({
    fits: 'unknown',
    because: `The frames go wrong from the beginning on, and nothing shows who had ${ip} before. ${because}`,
    collect,
  });
  if (!tests.showOffload) return open('Nothing shows that the flow was offloaded.', COLLECT_CONNTRACK);
  if (tests.denyOffload) return { fits: 'no', because: 'Packets that were not offloaded went the same way.' };
  if (!areTablesKnown(scene, kase)) return open('Rules and routes that lead there are not ruled out.', COLLECT_TABLES);
  if (isInHardware(kase) && boundEntries(scene).length === 0)
    return open('Nothing shows what the packet engine holds.', COLLECT_ENGINE);
  const copies = copiesMac(scene, kase);
  if (copies === undefined) return open('Nothing shows whether the flowtable copies MACs.', COLLECT_FLOWTABLE);
  if (!copies) {
    return {
      fits: 'no',
      because: 'The flowtable lists neither bridge ports nor hardware: it looks the MAC up for each packet.',
    };
  }
  return undefined;
}

/** Whether the MAC is known as that of another host, or of a router. */
function isSomeoneElse(scene: Scene, kase: Case): boolean {
  const others = ownersOfMac(scene, kase).filter(({ kind }) => kind !== 'former-owner');
  const isHost = others.some(({ ip }) => !isLinkLocal(scene.r, ip));
  return isHost || scene.around.routers.has(kase.mac);
}

/** Whether the frames go wrong from the first one on, of flows that are older than the evidence. */
function isMiddle(scene: Scene, kase: Case): boolean {
  const own = kase.frames.filter(({ view }) => kase.flowOfLeg.has(view.leg));
  if (own.some(({ time, verdict, dstMac }) => time < kase.first && verdict === 'delivered' && dstMac !== kase.mac)) {
    return false;
  }
  const moved = kase.tenure?.start ?? Infinity;
  return kase.flows.every(({ flow, spans }) => {
    if (spans.some(({ from }) => from.earliest > moved && from.earliest <= kase.first)) return false;
    return !isBeginningSeen(scene, flow, firstSightings(scene.trails.of(flow)));
  });
}

/**
 * Whether offloaded frames of the case are sent to a MAC that was copied (FLOW_OFFLOAD_XMIT_DIRECT): they pass the port
 * and not its bridge, or the flowtable lists that port or has hardware do it. Undefined when nothing tells.
 */
function copiesMac(scene: Scene, kase: Case): boolean | undefined {
  if (kase.flows.some(({ spans }) => spans.some(({ from }) => from.source === 'left-bridge'))) return true;
  if (isInHardware(kase)) return true;
  if (!kase.host) return undefined;
  const rules = offloadRulesOf(kase.host);
  const reached = reachedOffloads(rules).flatMap(({ flowtable }) => (flowtable ? [flowtable] : []));
  const flowtables = reached.length > 0 ? reached : rules.flowtables;
  if (flowtables.some(({ hardware }) => hardware === true)) return true;
  const listed = flowtables.flatMap(({ devices }) => devices);
  if (listed.length === 0) return undefined;
  const ports = portsOf(scene, kase, kase.host);
  if (listed.some((name) => ports.has(name))) return true;
  return ports.size > 0 ? false : undefined;
}

/** The bridge ports that the frames were seen on; where no capture is of such a port, all of them. */
function portsOf(scene: Scene, kase: Case, host: Host): ReadonlySet<string> {
  const all = [...host.devices.values()].filter(({ master }) => master !== undefined).map(({ name }) => name);
  const seen = new Set(kase.buckets.map(({ view }) => scene.places.deviceName(view.tap)));
  const own = all.filter((name) => seen.has(name));
  return new Set(own.length > 0 ? own : all);
}
