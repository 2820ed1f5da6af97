/** The key of a leg: its hash, and what of a frame goes into it. */

import { UNKNOWN_HOP_LIMIT } from '../records/frame-batch.js';
import { Leg, LEG_WORDS, LegBit } from './leg-layout.js';

/** Initial TTLs and hop limits of hosts: such a frame was made by the MAC that sent it, not passed on. */
export function isInitialHopLimit(hopLimit: number): boolean {
  return hopLimit === 64 || hopLimit === 128 || hopLimit === 255;
}

/** `LegBit.INITIAL_HOP_LIMIT` or 0 by hop limit: half of all frames have it, so that no branch could be foretold. */
export const INITIAL_HOP_LIMITS = Int32Array.from({ length: UNKNOWN_HOP_LIMIT + 1 }, (_, hopLimit) =>
  isInitialHopLimit(hopLimit) ? LegBit.INITIAL_HOP_LIMIT : 0,
);

/** The hash of a leg's key. Addresses, ports and MAC each make another one; two that differ may cancel each other out. */
export function hashOf(meta: number, src: number, dst: number, ports: number, macLow: number): number {
  let h = Math.imul(src ^ (meta >>> 16), 0x9e3779b1) ^ Math.imul(dst, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 15) ^ ports, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 13) ^ macLow ^ meta, 0x27d4eb2f);
  return h ^ (h >>> 16);
}

/** Whether a record is of this key: hashes alone may collide. */
export function isLeg(
  words: Int32Array,
  leg: number,
  meta: number,
  src: number,
  dst: number,
  ports: number,
  macHigh: number,
  macLow: number,
): boolean {
  const w = leg * LEG_WORDS;
  return (
    words[w + Leg.META] === meta &&
    words[w + Leg.SRC_IP] === src &&
    words[w + Leg.DST_IP] === dst &&
    words[w + Leg.PORTS] === ports &&
    words[w + Leg.SRC_MAC_LOW] === macLow &&
    (words[w + Leg.MACS_HIGH] ?? 0) >>> 16 === macHigh
  );
}
