/** An address moved to another MAC, and those who send to it followed: a host was replaced, or another one took over. */

import { formatMac, type Mac } from '../../bytes/address.js';
import { runsOfLeg, viewLeg } from '../../detect/legs.js';
import { legsAbout } from '../../detect/legs-about.js';
import { tenureAt, type Tenure } from '../../detect/ownership.js';
import { virtualRouterOf } from '../../detect/routers.js';
import { addressKey } from '../../reconstruct/address-key.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { list, macs, timeOf } from '../claimants.js';
import { isClusterMac } from '../cluster.js';

export const convergence: Cause = {
  id: 'convergence',
  title: 'Neighbour convergence',
  explain(scene, kase) {
    const hadIt = kase.ownership?.tenures.some((tenure) => tenure.macs.includes(kase.mac));
    if (!hadIt || !kase.tenure || kase.tenure.macs.includes(kase.mac)) return undefined;
    const seconds = ((kase.last - kase.tenure.start) / 1e9).toFixed(1);
    const ip = scene.r.addresses.format(kase.dstIp);
    return { fits: 'no', because: `The sender had been told, and went on until ${seconds} s after ${ip} moved.` };
  },
  *observe(scene) {
    const moves = movesOf(scene);
    if (moves.size === 0) return;
    followAll(scene, moves);
    const named = new Set<string>();
    for (const { ip, from, to, senders } of moves.values()) {
      const followed = [...senders].filter(([, s]) => s.lastToOld < s.firstToNew + TAIL && s.firstToNew < Infinity);
      const lagged = [...senders.values()].some((s) => s.lastToOld > to.start + TAIL && s.lastToOld > s.firstToNew);
      if (followed.length === 0 || lagged) continue;
      // Captures whose clocks differ tell of one move twice.
      const key = [ip, ...from.macs, ...to.macs].join(' ');
      if (named.has(key)) continue;
      named.add(key);
      const [mac] = to.macs;
      const evidence = [to.testimonies[0], from.testimonies.at(-1)]
        .map((t) => t?.origin)
        .filter((o) => o !== undefined);
      yield {
        summary: `${scene.r.addresses.format(ip)} moved from ${formatMac(from.macs[0] ?? 0)} to ${formatMac(mac ?? 0)}, and ${list(macs(followed.map(([sender]) => sender)))} followed. This is normal.`,
        ...timeOf(scene, to.start),
        evidence,
      };
    }
  },
};

/** Frames to the old MAC this long after the first one to the new are on their way, not stuck. */
const TAIL = 1e9;

interface Sender {
  lastToOld: number;
  firstToNew: number;
}

interface Move {
  readonly ip: number;
  readonly from: Tenure;
  readonly to: Tenure;
  readonly senders: Map<Mac, Sender>;
}

/** The last change of owner of each address that has one plain owner before and one after. */
function movesOf(scene: Scene): Map<number, Move> {
  const moves = new Map<number, Move>();
  for (const [key, ownership] of scene.ownerships) {
    if (ownership.owner !== undefined) continue;
    const from = ownership.tenures.at(-2);
    const to = ownership.tenures.at(-1);
    if (!from || !to) continue;
    const both = [...from.macs, ...to.macs];
    if (both.length > 2 || both.some((mac) => virtualRouterOf(mac) !== undefined || isClusterMac(mac))) continue;
    moves.set(key, { ip: ownership.ip, from, to, senders: new Map() });
  }
  return moves;
}

function followAll(scene: Scene, moves: ReadonlyMap<number, Move>): void {
  const { r, around, ownerships } = scene;
  const ips = [...moves.values()].map(({ ip }) => ip);
  for (const leg of legsAbout(r, ips, 'destination')) {
    const view = viewLeg(r, leg);
    const key = addressKey(around.networks.of[view.tap] ?? 0, view.dstIp);
    const move = moves.get(key);
    if (!move) continue;
    const tenures = ownerships.get(key)?.tenures ?? [];
    for (const run of runsOfLeg(r, leg)) {
      const isOld = move.from.macs.includes(run.mac);
      if (run.mixed || (!isOld && !move.to.macs.includes(run.mac))) continue;
      let sender = move.senders.get(view.transmitter);
      if (!sender) move.senders.set(view.transmitter, (sender = { lastToOld: -Infinity, firstToNew: Infinity }));
      if (isOld) sender.lastToOld = Math.max(sender.lastToOld, run.last);
      else if (tenures[tenureAt(tenures, run.last)] === move.to)
        sender.firstToNew = Math.min(sender.firstToNew, run.first);
    }
  }
  for (const move of moves.values()) {
    for (const [mac, sender] of move.senders) if (sender.lastToOld === -Infinity) move.senders.delete(mac);
  }
}
