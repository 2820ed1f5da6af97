/** Ways out and back that differ: a host's packets go to one router, and the answers come from another. */

import { macFromWords, type Ip, type Mac } from '../bytes/address.js';
import { runsOfLeg, viewLeg } from '../detect/legs.js';
import { macPairsOf } from '../detect/mac-pairs.js';
import { virtualRouterOf } from '../detect/routers.js';
import { addressKey } from '../reconstruct/address-key.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Scene } from './case.js';

/** Flows of a host that went out by one router and came back by another. */
export interface Detour {
  readonly out: Mac;
  readonly back: Mac;
  flows: number;
  readonly hosts: Set<Ip>;
  first: number;
  readonly frames: { tap: number; frame: number }[];
}

const MAX_ROUTERS = 16;

/** Ways out and back. A flow whose own router answers is no detour. */
export class Detours {
  private readonly scene: Scene;
  private readonly routers: readonly Mac[];
  /** Taps that each router sends on. */
  private readonly speaking = new Map<Mac, Set<number>>();
  private readonly found = new Map<string, Detour>();

  constructor(scene: Scene) {
    this.scene = scene;
    const routers = [...scene.around.routers].filter((mac) => virtualRouterOf(mac) === undefined);
    this.routers = routers.length <= MAX_ROUTERS ? routers : [];
    if (this.routers.length < 2) return;
    for (const mac of this.routers) this.speaking.set(mac, new Set());
    const pairs = macPairsOf(scene.r);
    for (let pair = 0; pair < pairs.count; pair++) this.speaking.get(pairs.from(pair))?.add(pairs.tap(pair));
  }

  /** Whether legs of a pair of MACs may be of a detour: a host sends to a router, and another one speaks on the tap. */
  mayHold(pair: number): boolean {
    const { routers } = this;
    if (routers.length < 2) return false;
    const pairs = macPairsOf(this.scene.r);
    const out = pairs.to(pair);
    if (!routers.includes(out) || routers.includes(pairs.from(pair))) return false;
    const tap = pairs.tap(pair);
    return routers.some((mac) => mac !== out && this.speaking.get(mac)?.has(tap));
  }

  /** Takes a leg of packets that their sender made, to a MAC that `mayHold` said yes to. */
  note(leg: number): void {
    const { r, around, ownerships } = this.scene;
    const { words } = r.legs;
    const w = leg * LEG_WORDS;
    if ((words[w + Leg.CLOSED] ?? -1) >= 0) return;
    const out = macFromWords(words[w + Leg.MACS_HIGH] ?? 0, words[w + Leg.DST_MAC_LOW] ?? 0);
    // Nearly every leg ends here, before anything is made of it.
    if (this.answers(leg, out)) return;
    const view = viewLeg(r, leg);
    const [run] = runsOfLeg(r, leg);
    if (!run) return;
    const network = around.networks.of[view.tap] ?? 0;
    if (ownerships.has(addressKey(network, view.dstIp))) return;
    const back = this.routers.find((mac) => mac !== run.mac && this.answers(leg, mac));
    if (back === undefined) return;
    const key = `${network} ${run.mac} ${back}`;
    let detour = this.found.get(key);
    if (!detour) {
      detour = { out: run.mac, back, flows: 0, hosts: new Set(), first: run.first, frames: [] };
      this.found.set(key, detour);
    }
    detour.flows++;
    detour.hosts.add(view.srcIp);
    detour.first = Math.min(detour.first, run.first);
    if (detour.frames.length < 3) detour.frames.push({ tap: view.tap, frame: run.firstFrame });
  }

  all(): Detour[] {
    return [...this.found.values()];
  }

  private answers(leg: number, mac: Mac): boolean {
    return this.scene.r.legs.hasAnswer(leg, Math.floor(mac / 0x1_0000_0000), mac | 0);
  }
}
