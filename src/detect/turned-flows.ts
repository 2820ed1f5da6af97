/**
 * Turned flows: those of which some MAC handed packets back to the MAC that it got them from, as a gateway on the LAN
 * does that passes them through, and as a loop does. Found in the flow table; which of the two it is, the second reading
 * tells.
 */

import { macFromWords } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { Leg, LEG_WORDS, LegBit } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { runsOfLeg } from './legs.js';

/** At most this many flow directions are looked at more closely. */
const MAX_TURNED = 5000;

/**
 * The legs of turned flow directions, on all taps: a list for each direction. Those whose legs all have equally many
 * frames are left out: every packet of them went the same way.
 */
export function turnedFlows(r: Reconstruction): number[][] {
  const directions = new Directions(r);
  const wanted = new Set<number>();
  const passing = passers(r);
  for (let leg = 0; leg < r.legs.count && wanted.size < MAX_TURNED; leg++) {
    if (mayBePassedOn(r, leg, passing) && isTurned(r, leg)) wanted.add(directions.of(leg));
  }
  if (wanted.size === 0) return [];
  const legs = new Map<number, number[]>([...wanted].map((direction) => [direction, []]));
  for (let leg = 0; leg < r.legs.count; leg++) legs.get(directions.of(leg))?.push(leg);
  return [...legs.values()].filter((all) => new Set(all.map((leg) => framesOf(r, leg))).size > 1);
}

/** Bits of a filter over who passes on packets for which address on which tap: nearly all legs need no closer look. */
const FILTER_BITS = 1 << 23;

function passers(r: Reconstruction): Uint8Array {
  const filter = new Uint8Array(FILTER_BITS / 8);
  const { words, count } = r.legs;
  for (let leg = 0; leg < count; leg++) {
    const w = leg * LEG_WORDS;
    const meta = words[w + Leg.META] ?? 0;
    if (meta & LegBit.INITIAL_HOP_LIMIT) continue;
    const bit = bitOf(meta, words[w + Leg.DST_IP] ?? 0, words[w + Leg.SRC_MAC_LOW] ?? 0);
    filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }
  return filter;
}

function mayBePassedOn(r: Reconstruction, leg: number, filter: Uint8Array): boolean {
  const { words } = r.legs;
  const w = leg * LEG_WORDS;
  if ((words[w + Leg.CLOSED] ?? -1) >= 0) return true;
  const bit = bitOf(words[w + Leg.META] ?? 0, words[w + Leg.DST_IP] ?? 0, words[w + Leg.DST_MAC_LOW] ?? 0);
  return ((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function bitOf(meta: number, dstIp: number, macLow: number): number {
  const h = Math.imul(dstIp ^ (meta >>> 16), 0x9e3779b1) ^ Math.imul(macLow, 0x85ebca6b);
  return (h ^ (h >>> 15)) & (FILTER_BITS - 1);
}

/** Whether the MAC that the leg's frames went to sent them back. What was made by its sender is left to the other leg of the two. */
function isTurned(r: Reconstruction, leg: number): boolean {
  const { legs } = r;
  const w = leg * LEG_WORDS;
  const macs = legs.words[w + Leg.MACS_HIGH] ?? 0;
  const low = legs.words[w + Leg.DST_MAC_LOW] ?? 0;
  if (macs & GROUP_BIT) return false;
  const sender = macFromWords(macs >>> 16, legs.words[w + Leg.SRC_MAC_LOW] ?? 0);
  const goesBack = (back: number): boolean =>
    back >= 0 && back !== leg && runsOfLeg(r, back).some((run) => run.mac === sender && !run.mixed);
  if (goesBack(legs.passedOnBy(leg, macs, low))) return true;
  if ((legs.words[w + Leg.CLOSED] ?? -1) < 0) return false;
  return runsOfLeg(r, leg).some(
    (run) => !run.mixed && goesBack(legs.passedOnBy(leg, Math.floor(run.mac / 0x1_0000_0000), run.mac | 0)),
  );
}

/** The group bit of the upper half of a destination MAC. */
const GROUP_BIT = 0x100;

function framesOf(r: Reconstruction, leg: number): number {
  return runsOfLeg(r, leg).reduce((sum, run) => sum + run.frames, 0);
}

/** Numbers flow directions: addresses, ports and protocol, on whatever tap. */
class Directions {
  private readonly r: Reconstruction;
  private readonly table = new WordTable();

  constructor(r: Reconstruction) {
    this.r = r;
  }

  of(leg: number): number {
    const { words } = this.r.legs;
    const w = leg * LEG_WORDS;
    const meta = words[w + Leg.META] ?? 0;
    const kind = meta & (0xff00 | LegBit.IPV6 | LegBit.LATER_FRAGMENT);
    return this.table.intern(words[w + Leg.SRC_IP] ?? 0, words[w + Leg.DST_IP] ?? 0, words[w + Leg.PORTS] ?? 0, kind);
  }
}
