/**
 * Offload of what a bridge only switches (a flowtable of the bridge family): a path through a router behind the bridge and
 * back is joined into one, without the router. Its packets then carry the router's MAC, and a hop limit that nobody
 * counted down.
 */

import { formatMac } from '../../bytes/address.js';
import { runsOfLeg, viewLeg, type LegView } from '../../detect/legs.js';
import { macPairsOf } from '../../detect/mac-pairs.js';
import { frameOrigin } from '../../detect/witnesses.js';
import { Leg, LEG_WORDS } from '../../reconstruct/leg-layout.js';
import { addressKey } from '../../reconstruct/address-key.js';
import type { FlowtableFact } from '../../records/facts.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { timeOf } from '../claimants.js';

/** A few packets with the router's MAC and a fresh hop limit may be its own: a firewall that closes a connection. */
const MIN_FRAMES = 5;
/** Packets under way when the offload began. */
const TAIL = 1e9;

export const bridgeOffloadSkip: Cause = {
  id: 'bridge-offload-skip',
  title: 'Offload in the bridge skips the router',
  *observe(scene) {
    if (!flowtablesOf(scene).some(({ family }) => family === 'bridge')) return;
    for (const { view, before } of skips(scene)) {
      const { r } = scene;
      const [run] = runsOfLeg(r, view.leg);
      const [routed] = runsOfLeg(r, before.leg);
      if (!run || !routed) continue;
      const [src, dst] = [r.addresses.format(view.srcIp), r.addresses.format(view.dstIp)];
      yield {
        summary: `Packets of ${src} for ${dst} came by the router ${formatMac(view.transmitter)}, with a hop limit counted down; later ones carry its MAC and the hop limit of their sender: the offload in the bridge leaves the router out.`,
        ...timeOf(scene, run.first),
        evidence: [
          frameOrigin(r, scene.around, before.tap, routed.lastFrame),
          frameOrigin(r, scene.around, view.tap, run.firstFrame),
        ],
      };
    }
  },
  *notEvaluated(scene) {
    if (scene.around.hosts.some((host) => host.rulesets.length > 0)) return;
    const [first, ...more] = skips(scene);
    if (!first) return;
    const { r } = scene;
    const [src, dst] = [r.addresses.format(first.view.srcIp), r.addresses.format(first.view.dstIp)];
    const others = more.length > 0 ? ` (and of ${more.length} more ${more.length === 1 ? 'flow' : 'flows'})` : '';
    yield {
      because: `Packets of ${src} for ${dst}${others} came by the router ${formatMac(first.view.transmitter)}, and later ones carry its MAC and the hop limit of their sender; no ruleset says whether a bridge offloads.`,
      collect: 'nft list ruleset; bridge vlan show',
    };
  },
};

function flowtablesOf(scene: Scene): readonly FlowtableFact[] {
  return scene.around.hosts.flatMap((host) => host.rulesets).flatMap(({ flowtables }) => flowtables);
}

/** Legs that a router seems to have made, of flows that it had only passed on before. */
function* skips(scene: Scene): Iterable<{ view: LegView; before: LegView }> {
  const { r, around } = scene;
  const { words } = r.legs;
  const pairs = macPairsOf(r);
  const isMadeByRouter = new Uint8Array(pairs.count);
  for (let pair = 0; pair < pairs.count; pair++) {
    if (pairs.isInitial(pair) && around.routers.has(pairs.from(pair))) isMadeByRouter[pair] = 1;
  }
  for (const leg of pairs.legsOf(isMadeByRouter)) {
    const w = leg * LEG_WORDS;
    const passed = r.legs.passedOnBy(leg, (words[w + Leg.MACS_HIGH] ?? 0) >>> 16, words[w + Leg.SRC_MAC_LOW] ?? 0);
    if (passed < 0) continue;
    const [view, before] = [viewLeg(r, leg), viewLeg(r, passed)];
    const isOwn = scene.ownerships
      .get(addressKey(around.networks.of[view.tap] ?? -1, view.srcIp))
      ?.tenures.some((tenure) => tenure.macs.includes(view.transmitter));
    if (isOwn) continue;
    const [fresh, routed] = [runsOfLeg(r, leg), runsOfLeg(r, passed)];
    const frames = fresh.reduce((sum, run) => sum + run.frames, 0);
    const begin = fresh[0]?.first ?? NaN;
    const isAfter = (routed[0]?.first ?? NaN) < begin && (routed.at(-1)?.last ?? NaN) < begin + TAIL;
    const isSameMac = fresh.at(-1)?.mac === routed.at(-1)?.mac;
    if (frames >= MIN_FRAMES && isAfter && isSameMac) yield { view, before };
  }
}
