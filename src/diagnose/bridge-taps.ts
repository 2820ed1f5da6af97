/**
 * Which taps lie above which: a bridge above its ports, a VLAN device above the one that it uses. What the host itself
 * sends or takes by the classic path passes both; what the flowtable sends passes the lower one only.
 */

import { viewLeg } from '../detect/legs.js';
import type { FlowPacket } from '../detect/packets.js';
import type { Scene } from './scene.js';

/** Legs that are looked at to find a bridge without any dump. */
const MAX_LEGS = 200_000;

/** Whether a tap is known to lie above another one. */
export type IsAbove = (upper: number, lower: number) => boolean;

/**
 * As the dumps say; where they do not name both devices, as the captures show: the bridge shares frames with two taps
 * that share none with each other.
 */
export function findTapsAbove(scene: Scene): IsAbove {
  const known = new Map<string, boolean>();
  let spanned: ReadonlySet<string> | undefined;
  return (upper, lower) => {
    const key = `${upper} ${lower}`;
    let is = known.get(key);
    if (is === undefined) {
      is = byDumps(scene, upper, lower) ?? (spanned ??= bridgesByLegs(scene)).has(key);
      known.set(key, is);
    }
    return is;
  };
}

/** Undefined when no host has both devices. */
function byDumps({ around, places, r }: Scene, upper: number, lower: number): boolean | undefined {
  const [above, below] = [r.taps.all[upper], r.taps.all[lower]];
  if (!above || !below) return false;
  const [name, port] = [places.deviceName(upper), places.deviceName(lower)];
  for (const { devices } of around.hosts) {
    const [bridge, device] = [devices.get(name), devices.get(port)];
    if (!bridge || !device) continue;
    if (device.master === name || bridge.lower === port) return true;
    // What lies above a bridge lies above its ports.
    return bridge.lower !== undefined && bridge.lower === device.master;
  }
  return undefined;
}

/** Pairs `upper lower` of taps of one network. */
function bridgesByLegs({ r, around }: Scene): Set<string> {
  const { of } = around.networks;
  const seen = new Map<string, Set<number>>();
  for (let leg = 0; leg < Math.min(r.legs.count, MAX_LEGS); leg++) {
    const { tap, transmitter, protocol, srcIp, dstIp, srcPort, dstPort } = viewLeg(r, leg);
    const key = `${of[tap]} ${transmitter} ${protocol} ${srcIp} ${srcPort} ${dstIp} ${dstPort}`;
    const taps = seen.get(key);
    if (taps) taps.add(tap);
    else seen.set(key, new Set([tap]));
  }
  const kinds = new Set([...seen.values()].map((taps) => [...taps].sort((a, b) => a - b).join(' ')));
  const sets = [...kinds].slice(0, MAX_KINDS).map((kind) => new Set(kind.split(' ').map(Number)));
  const found = new Set<string>();
  for (const one of sets) {
    for (const upper of one) {
      // Another set that holds the upper tap, and with it a tap that never goes with the lower one.
      for (const other of sets) {
        if (!other.has(upper) || [...other].length < 2) continue;
        for (const lower of one) {
          const isSpanned = lower !== upper && !other.has(lower);
          if (isSpanned && [...other].some((tap) => !one.has(tap) && !sets.some((s) => s.has(tap) && s.has(lower)))) {
            found.add(`${upper} ${lower}`);
          }
        }
      }
    }
  }
  return found;
}

const MAX_KINDS = 200;

/** Whether a tap and one below it saw a packet as one and the same frame: same MACs, same hop limit. */
export function alikeOn(packet: FlowPacket, upper: number, lowers: ReadonlySet<number>): boolean {
  return packet.sightings.some(
    (below) =>
      lowers.has(below.view.tap) &&
      packet.sightings.some(
        (above) =>
          above.view.tap === upper &&
          above.view.transmitter === below.view.transmitter &&
          above.dstMac === below.dstMac &&
          above.hopLimit === below.hopLimit,
      ),
  );
}
