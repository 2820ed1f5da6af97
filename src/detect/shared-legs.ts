/**
 * Legs that captures share: the same sender, addresses and ports on the same wire, seen by several inputs. What the
 * first reading kept of them tells in most cases that two clocks agree, without looking at a packet again.
 */

import { hashOf } from '../reconstruct/leg-key.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { runsOfLeg, viewLeg } from './legs.js';

/** A leg as one input saw it; times in ns since the analysis epoch. */
export interface SharedLeg {
  readonly input: number;
  readonly leg: number;
  readonly frames: number;
  readonly first: number;
  readonly last: number;
}

/** Two inputs, and the legs that both saw, by `keyOf`. */
export interface SharingPair {
  readonly a: number;
  readonly b: number;
  readonly keys: string[];
  /** Frames that they have in common at most. */
  frames: number;
  /** How many of them began or ended at the same time in both. */
  near: number;
  /** The last one of `keys` did. */
  isLastNear: boolean;
}

export interface Sharing {
  /** Of each shared leg, by its key, who saw it: an input may have seen it on a bridge and its port. In the order of inputs. */
  readonly legs: ReadonlyMap<string, readonly SharedLeg[]>;
  readonly pairs: readonly SharingPair[];
}

/** Legs looked at, chosen by their keys, so that all inputs show the same ones. */
const MAX_LEGS = 32_768;
const MAX_INPUTS = 24;
/** Taps that are told apart for one leg. */
const MAX_SIGHTINGS = 64;
/** A frame passes two taps of one wire well within this, ns. */
const NEAR = 2e7;

/** What inputs share; nothing when there is only one with frames. */
export function sharingOf(r: Reconstruction): Sharing {
  const inputs = [...r.frames].filter(([, frames]) => frames > 0).sort((a, b) => b[1] - a[1] || a[0] - b[0]);
  const legs = new Map<string, SharedLeg[]>();
  const pairs = new Map<string, SharingPair>();
  if (inputs.length < 2) return { legs, pairs: [] };
  const compared = new Set(inputs.slice(0, MAX_INPUTS).map(([input]) => input));
  for (const leg of sampled(r)) {
    const runs = runsOfLeg(r, leg);
    const input = r.taps.all[viewLeg(r, leg).tap]?.input ?? -1;
    const frames = runs.reduce((sum, run) => sum + run.frames, 0);
    const [first, last] = [runs[0]?.first ?? NaN, runs.at(-1)?.last ?? NaN];
    if (!compared.has(input) || Number.isNaN(first) || Number.isNaN(last)) continue;
    const seen = { input, leg, frames, first, last };
    const key = keyOf(r, leg);
    const known = legs.get(key);
    if (!known) legs.set(key, [seen]);
    else if (known.length < MAX_SIGHTINGS) known.push(seen);
  }
  for (const [key, seen] of legs) {
    seen.sort((a, b) => a.input - b.input || a.leg - b.leg);
    if (seen.every(({ input }) => input === seen[0]?.input)) legs.delete(key);
    else notePairs(pairs, key, seen);
  }
  return { legs, pairs: [...pairs.values()] };
}

/** Whether what two inputs share shows, as far as first and last frames tell, that their clocks are one. */
export function agree({ near, keys }: SharingPair): boolean {
  return near * 2 >= keys.length;
}

function notePairs(pairs: Map<string, SharingPair>, key: string, seen: readonly SharedLeg[]): void {
  for (const [i, a] of seen.entries()) {
    for (const b of seen.slice(i + 1)) {
      if (a.input === b.input) continue;
      const name = `${a.input} ${b.input}`;
      let pair = pairs.get(name);
      if (!pair) pairs.set(name, (pair = { a: a.input, b: b.input, keys: [], frames: 0, near: 0, isLastNear: false }));
      const isNew = pair.keys.at(-1) !== key;
      if (isNew) pair.keys.push(key);
      pair.frames += Math.min(a.frames, b.frames);
      if (isNew || !pair.isLastNear) {
        pair.isLastNear = Math.abs(a.first - b.first) <= NEAR || Math.abs(a.last - b.last) <= NEAR;
        if (pair.isLastNear) pair.near++;
      }
    }
  }
}

/** Every leg of few, some of many: those whose key hashes to one value, on every tap alike. */
function* sampled(r: Reconstruction): Generator<number> {
  const { words, count } = r.legs;
  let mask = 0;
  while (count / (mask + 1) > MAX_LEGS) mask = mask * 2 + 1;
  for (let leg = 0; leg < count; leg++) if ((hashOfKey(words, leg) & mask) === 0) yield leg;
}

function hashOfKey(words: Int32Array, leg: number): number {
  const w = leg * LEG_WORDS;
  const macs = ((words[w + Leg.MACS_HIGH] ?? 0) >>> 16) ^ (words[w + Leg.SRC_MAC_LOW] ?? 0);
  const meta = (words[w + Leg.META] ?? 0) & 0xffff;
  return hashOf(meta, words[w + Leg.SRC_IP] ?? 0, words[w + Leg.DST_IP] ?? 0, words[w + Leg.PORTS] ?? 0, macs);
}

/** All of a leg's key but the tap. */
function keyOf(r: Reconstruction, leg: number): string {
  const { words } = r.legs;
  const w = leg * LEG_WORDS;
  const key = [
    (words[w + Leg.META] ?? 0) & 0xffff,
    words[w + Leg.SRC_IP],
    words[w + Leg.DST_IP],
    words[w + Leg.PORTS],
    words[w + Leg.SRC_MAC_LOW],
    (words[w + Leg.MACS_HIGH] ?? 0) >>> 16,
  ];
  return key.join(' ');
}
