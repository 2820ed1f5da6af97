/** Reads leg records as plain values, outside the hot path. */

import { ipFromWord, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import { Leg, LEG_DOUBLES, LEG_WORDS, LegBit, LegTime } from '../reconstruct/leg-layout.js';
import { Closed, CLOSED_DOUBLES, CLOSED_WORDS, ClosedBit, ClosedDouble } from '../reconstruct/mapping-log.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';

export interface LegView {
  readonly leg: number;
  readonly tap: number;
  readonly protocol: number;
  readonly transmitter: Mac;
  readonly srcIp: Ip;
  readonly dstIp: Ip;
  readonly srcPort: number;
  readonly dstPort: number;
  readonly laterFragments: boolean;
}

/** An unbroken run of a leg's frames to one MAC (or several, put together: `folded`). Times in ns since the analysis epoch. */
export interface Run {
  readonly mac: Mac;
  readonly frames: number;
  readonly bytes: number;
  readonly firstFrame: number;
  readonly lastFrame: number;
  readonly first: number;
  readonly last: number;
  readonly folded: boolean;
  /** `mac` is only one of several. */
  readonly mixed: boolean;
}

export function viewLeg(r: Reconstruction, leg: number): LegView {
  const { words } = r.legs;
  const w = leg * LEG_WORDS;
  const meta = words[w + Leg.META] ?? 0;
  const version = meta & LegBit.IPV6 ? 6 : 4;
  const ports = words[w + Leg.PORTS] ?? 0;
  return {
    leg,
    tap: meta >>> 16,
    protocol: (meta >>> 8) & 0xff,
    transmitter: macFromWords((words[w + Leg.MACS_HIGH] ?? 0) >>> 16, words[w + Leg.SRC_MAC_LOW] ?? 0),
    srcIp: ipFromWord(words[w + Leg.SRC_IP] ?? 0, version),
    dstIp: ipFromWord(words[w + Leg.DST_IP] ?? 0, version),
    srcPort: ports >>> 16,
    dstPort: ports & 0xffff,
    laterFragments: (meta & LegBit.LATER_FRAGMENT) !== 0,
  };
}

/** The runs of a leg, oldest first. */
export function runsOfLeg(r: Reconstruction, leg: number): Run[] {
  const { words, doubles, closed } = r.legs;
  const w = leg * LEG_WORDS;
  const runs: Run[] = [
    {
      mac: macFromWords(words[w + Leg.MACS_HIGH] ?? 0, words[w + Leg.DST_MAC_LOW] ?? 0),
      frames: words[w + Leg.FRAMES] ?? 0,
      bytes: (words[w + Leg.BYTES] ?? 0) >>> 0,
      firstFrame: words[w + Leg.FIRST_FRAME] ?? 0,
      lastFrame: words[w + Leg.LAST_FRAME] ?? 0,
      first: doubles[leg * LEG_DOUBLES + LegTime.FIRST] ?? NaN,
      last: doubles[leg * LEG_DOUBLES + LegTime.LAST] ?? NaN,
      folded: false,
      mixed: false,
    },
  ];
  for (let entry = words[w + Leg.CLOSED] ?? -1; entry >= 0;) {
    const e = entry * CLOSED_WORDS;
    const d = entry * CLOSED_DOUBLES;
    const flags = closed.words[e + Closed.FLAGS] ?? 0;
    runs.push({
      mac: macFromWords(closed.words[e + Closed.DST_MAC_HIGH] ?? 0, closed.words[e + Closed.DST_MAC_LOW] ?? 0),
      frames: closed.words[e + Closed.FRAMES] ?? 0,
      bytes: closed.doubles[d + ClosedDouble.BYTES] ?? 0,
      firstFrame: closed.words[e + Closed.FIRST_FRAME] ?? 0,
      lastFrame: closed.words[e + Closed.LAST_FRAME] ?? 0,
      first: closed.doubles[d + ClosedDouble.FIRST] ?? NaN,
      last: closed.doubles[d + ClosedDouble.LAST] ?? NaN,
      folded: (flags & ClosedBit.FOLDED) !== 0,
      mixed: (flags & ClosedBit.MIXED) !== 0,
    });
    entry = closed.words[e + Closed.OLDER] ?? -1;
  }
  return runs.reverse();
}
