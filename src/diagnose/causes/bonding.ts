/** A bond sends from several cards, and in mode balance-alb answers each host with another one's MAC. */

import { formatMac, type Mac } from '../../bytes/address.js';
import { virtualRouterOf } from '../../detect/routers.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { addressesOf, contestedAddresses, framesOf, makerOf, overlap, timeOf } from '../claimants.js';
import { isClusterMac } from '../cluster.js';
import { surveyOf } from '../survey.js';

const MIN_ANSWERS = 2;
const MIN_FRAMES = 10;
/** Cards of one machine are numbered in a row. */
const MAX_APART = 16;

export const bonding: Cause = {
  id: 'bonding',
  title: 'A bond: one machine with several cards',
  *observe(scene) {
    const named = new Set<string>();
    for (const { ip, network, voices } of contestedAddresses(scene)) {
      const [a, b] = voices.filter(({ mac, asked }) => asked >= MIN_ANSWERS && isCard(mac));
      if (!a || !b || !areNeighbors(a.mac, b.mac) || a.rivalled > 0 || !overlap(a, b)) continue;
      if (!answerDifferentHosts(scene, network, ip, a.mac, b.mac)) continue;
      named.add(`${network} ${ip}`);
      yield {
        summary: `${formatMac(a.mac)} and ${formatMac(b.mac)} answer for ${scene.r.addresses.format(ip)}, each to other hosts, as a bond does.`,
        ...timeOf(scene, a.first),
        evidence: framesOf(scene, a.tap, [a.firstFrame, b.firstFrame, a.lastFrame, b.lastFrame]),
      };
    }
    for (const { network, ip, tap, owner, mac, frames, first, firstFrame, last } of surveyOf(scene).secondSenders) {
      const key = `${network} ${ip}`;
      if (named.has(key) || frames < MIN_FRAMES || !isCard(mac) || !areNeighbors(owner, mac)) continue;
      if (addressesOf(scene, network, mac).length > 0 || scene.around.routers.has(mac)) continue;
      // Beside each other on one tap: networks that are alike (virtual machines behind NAT) have the same addresses.
      const isBeside = addressesOf(scene, network, owner)
        .filter((claimed) => claimed.ip === ip)
        .some(({ voices }) =>
          voices.some((v) => v.mac === owner && v.tap === tap && v.first <= last && first <= v.last),
        );
      if (!isBeside) continue;
      named.add(key);
      yield {
        summary: `${formatMac(mac)} sends in the name of ${scene.r.addresses.format(ip)}, which ${formatMac(owner)} answers for: two cards of one machine, as in a bond.`,
        ...timeOf(scene, first),
        evidence: [frameOrigin(scene.r, scene.around, tap, firstFrame)],
      };
    }
  },
};

function isCard(mac: Mac): boolean {
  return virtualRouterOf(mac) === undefined && !isClusterMac(mac);
}

function areNeighbors(a: Mac, b: Mac): boolean {
  return makerOf(a) === makerOf(b) && Math.abs(a - b) <= MAX_APART;
}

/** Whether each host was told one of the two MACs, never both. */
function answerDifferentHosts(scene: Scene, network: number, ip: number, a: Mac, b: Mac): boolean {
  const told = new Map<Mac, Set<Mac>>([
    [a, new Set()],
    [b, new Set()],
  ]);
  for (const run of scene.r.claims.runs) {
    if (run.ip !== ip || scene.around.networks.of[run.tap] !== network) continue;
    for (const host of run.heardBy.keys()) told.get(run.mac)?.add(host);
  }
  const [toA, toB] = [told.get(a) ?? new Set<Mac>(), told.get(b) ?? new Set<Mac>()];
  return toA.size > 0 && toB.size > 0 && [...toA].every((host) => !toB.has(host));
}
