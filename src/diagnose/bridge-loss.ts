/**
 * Loss in the capture of a bridge. A busy system drops packets of a capture, one by one or many in one go: then frames
 * pass the port and seem to leave the bridge out, and nothing was offloaded.
 */

import type { Mac } from '../bytes/address.js';
import { runsOfLeg, viewLeg } from '../detect/legs.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import { once } from './once.js';
import type { Scene } from './scene.js';

/** How often loss may look like what is found. */
const CHANCE = 1e-3;
/** Legs that are looked at; more of them say nothing new of when a tap saw anything. */
const MAX_LEGS = 200_000;

/** Frames that had to pass a tap, and how many of them it did not see; of frames in a row, the first one. */
export interface Passing {
  readonly frames: number;
  readonly lost: number;
}

/** What is known of a tap's losses. Times in ns since the analysis epoch. */
export interface TapLoss {
  /** Times, in order, at which it is known to have seen something. */
  readonly seen: Float64Array;
  /** Of what cannot be offloaded. */
  readonly controls: Passing;
  /** What the capture itself says. */
  readonly said: ReturnType<Scene['places']['lossOn']>;
}

/**
 * Whether so many frames in a row are too many to be lost by chance, as often as the tap loses what has to pass it.
 *
 * @param absent times of the frames
 * @param others of the same flow; of all counts one more is taken for granted, as few frames say little
 * @param how `at-once`: many frames may have been lost in one go
 */
export function isBeyondLoss(
  absent: readonly number[],
  others: Passing,
  { seen, controls, said }: TapLoss,
  how: 'one-by-one' | 'at-once',
): boolean {
  if (said && said.dropped < absent.length) return true;
  const losses = how === 'at-once' ? lossesFor(absent, seen) : absent.length;
  const rate = (others.lost + controls.lost + 1) / (others.frames + controls.frames + 2);
  const atLeast = said ? said.dropped / said.packets : 0;
  return (losses + others.frames) * Math.max(rate, atLeast) ** losses < CHANCE;
}

const lossByTap = once(() => new Map<string, TapLoss>());

/**
 * What is known of the losses of a bridge's tap.
 *
 * @param lowers taps of its ports
 * @param own MACs of the bridge's host
 */
export function lossOf(scene: Scene, upper: number, lowers: ReadonlySet<number>, own: ReadonlySet<Mac>): TapLoss {
  const key = `${upper} ${[...lowers].join()} ${[...own].join()}`;
  let loss = lossByTap(scene).get(key);
  if (!loss) {
    const controls = controlsOf(scene, upper, lowers, own);
    loss = { seen: seenOn(scene, upper), controls, said: scene.places.lossOn(upper) };
    lossByTap(scene).set(key, loss);
  }
  return loss;
}

/** What cannot be offloaded and passes a port and the bridge above it: ICMP, and the host's own claims of addresses. */
function controlsOf(scene: Scene, upper: number, lowers: ReadonlySet<number>, own: ReadonlySet<Mac>): Passing {
  const { r } = scene;
  const running = r.spans.get(r.taps.all[upper]?.input ?? -1);
  /** Frames by tap: what is for all goes out of every port. */
  const passed = new Map<string, Map<number, number>>();
  const count = (tap: number, key: string, frames: number, first: number, last: number): void => {
    if (tap !== upper && !lowers.has(tap)) return;
    if (!running || !(first >= running.first && last <= running.last)) return;
    let known = passed.get(key);
    if (!known) passed.set(key, (known = new Map<number, number>()));
    known.set(tap, (known.get(tap) ?? 0) + frames);
  };
  for (let leg = 0; leg < Math.min(r.legs.count, MAX_LEGS); leg++) {
    const meta = r.legs.words[leg * LEG_WORDS + Leg.META] ?? 0;
    const protocol = (meta >>> 8) & 0xff;
    if (protocol !== ICMP && protocol !== ICMPV6) continue;
    const { tap, transmitter, srcIp, dstIp, srcPort, dstPort } = viewLeg(r, leg);
    for (const run of runsOfLeg(r, leg)) {
      if (run.mixed || (!own.has(transmitter) && !own.has(run.mac))) continue;
      const key = `${transmitter} ${run.mac} ${srcIp} ${srcPort} ${dstIp} ${dstPort}`;
      count(tap, key, run.frames, run.first, run.last);
    }
  }
  for (const run of r.claims.runs) {
    if (own.has(run.mac)) count(run.tap, `${run.ip} ${run.mac}`, run.count, run.first, run.last);
  }
  let frames = 0;
  let lost = 0;
  for (const byTap of passed.values()) {
    const below = Math.max(0, ...[...byTap].map(([tap, number]) => (tap === upper ? 0 : number)));
    frames += below;
    lost += Math.max(0, below - (byTap.get(upper) ?? 0));
  }
  return { frames, lost };
}

const ICMP = 1;
const ICMPV6 = 58;

/** Two captures do not take a frame at the same time: what is nearer than this may have been seen before or after it. */
const APART = 1e7;

/**
 * How many losses it takes to lose all of some frames: what the tap saw between two of them parts one loss from the next.
 *
 * @param absent times of the frames
 */
function lossesFor(absent: readonly number[], seen: Float64Array): number {
  let losses = 0;
  let at = 0;
  let last = NaN;
  for (const time of absent.toSorted((a, b) => a - b)) {
    while (at < seen.length && (seen[at] ?? Infinity) < last + APART) at++;
    if (Number.isNaN(last) || (seen[at] ?? Infinity) <= time - APART) losses++;
    last = time;
  }
  return losses;
}

/** What a tap saw of all that there is, as far as it was kept: the ends of runs, claims, traced frames. */
function seenOn({ r, trace }: Scene, tap: number): Float64Array {
  const times: number[] = [];
  const { words } = r.legs;
  for (let leg = 0; leg < Math.min(r.legs.count, MAX_LEGS); leg++) {
    if ((words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16 !== tap) continue;
    for (const { first, last } of runsOfLeg(r, leg)) times.push(first, last);
  }
  for (const run of r.claims.runs) if (run.tap === tap) times.push(run.first, run.last);
  for (const leg of trace.legs()) {
    if (viewLeg(r, leg).tap !== tap) continue;
    for (const { time } of trace.ofLeg(leg)) times.push(time);
  }
  return Float64Array.from(times.filter((time) => !Number.isNaN(time))).sort();
}
