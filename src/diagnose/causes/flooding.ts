/** A bridge sends frames to a MAC out of all ports while it does not know where the MAC is: copies for others are seen. */

import { formatMac, isGroupMac, type Mac } from '../../bytes/address.js';
import { runsOfLeg, viewLeg } from '../../detect/legs.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { list, timeOf } from '../claimants.js';

/** In by one port and out of two others, each several times. */
const MIN_PORTS = 3;
const MIN_FRAMES = 3;
const MAX_FLOWS = 100_000;

interface PortView {
  readonly tap: number;
  frames: number;
  first: number;
  firstFrame: number;
}

interface Flood {
  readonly bridge: string;
  readonly mac: Mac;
  readonly ports: Map<string, PortView>;
}

export const flooding: Cause = {
  id: 'flooding',
  title: 'A bridge floods frames to a MAC whose port it does not know',
  *observe(scene) {
    const byMac = new Map<string, Flood>();
    for (const flood of floodsOf(scene)) {
      const often = [...flood.ports].filter(([, port]) => port.frames >= MIN_FRAMES);
      if (often.length < MIN_PORTS) continue;
      const key = `${flood.bridge} ${flood.mac}`;
      if (!byMac.has(key)) byMac.set(key, { ...flood, ports: new Map(often) });
    }
    for (const { bridge, mac, ports } of byMac.values()) {
      const views = [...ports.values()].sort((a, b) => a.first - b.first || a.tap - b.tap);
      yield {
        summary: `The same frames to ${formatMac(mac)} were seen on ${list([...ports.keys()].sort())}: ${bridge} did not know its port and flooded them.`,
        ...timeOf(scene, views[0]?.first ?? NaN),
        evidence: views.slice(0, 5).map(({ tap, firstFrame }) => frameOrigin(scene.r, scene.around, tap, firstFrame)),
      };
    }
  },
};

/** Frames of one flow to one MAC, by the ports of a bridge that show them. */
function floodsOf(scene: Scene): Iterable<Flood> {
  const ports = bridgePorts(scene);
  const flows = new Map<string, Flood>();
  if (ports.size === 0) return [];
  for (let leg = 0; leg < scene.r.legs.count; leg++) {
    const view = viewLeg(scene.r, leg);
    const port = ports.get(view.tap);
    if (!port) continue;
    for (const run of runsOfLeg(scene.r, leg)) {
      if (run.mixed || run.mac === 0 || isGroupMac(run.mac)) continue;
      const { transmitter, srcIp, dstIp, srcPort, dstPort, protocol } = view;
      const key = [port.bridge, transmitter, run.mac, srcIp, dstIp, srcPort, dstPort, protocol].join(' ');
      let flood = flows.get(key);
      if (!flood) {
        if (flows.size >= MAX_FLOWS) continue;
        flows.set(key, (flood = { bridge: port.bridge, mac: run.mac, ports: new Map() }));
      }
      const known = flood.ports.get(port.name);
      if (!known || known.frames < run.frames) {
        const { first, firstFrame, frames } = run;
        flood.ports.set(port.name, { tap: view.tap, frames, first, firstFrame });
      }
    }
  }
  return flows.values();
}

/** Taps that are ports of a bridge of which three or more ports were captured. */
function bridgePorts(scene: Scene): Map<number, { bridge: string; name: string }> {
  const masters = new Map<string, string>();
  for (const host of scene.around.hosts) {
    for (const { name, master } of host.devices.values())
      if (master !== undefined && host.devices.get(master)?.isBridge) masters.set(name, `${host.id} ${master}`);
  }
  const found = new Map<number, { bridge: string; name: string }>();
  const captured = new Map<string, Set<string>>();
  for (const { id } of scene.r.taps.all) {
    const name = scene.places.deviceName(id);
    const master = masters.get(name);
    if (master === undefined) continue;
    found.set(id, { bridge: master, name });
    captured.set(master, (captured.get(master) ?? new Set<string>()).add(name));
  }
  for (const [tap, { bridge, name }] of found) {
    if ((captured.get(bridge)?.size ?? 0) < MIN_PORTS) found.delete(tap);
    else found.set(tap, { bridge: bridge.slice(bridge.indexOf(' ') + 1), name });
  }
  return found;
}
