/**
 * Packets of a flow, each with all its sightings: the same packet on every tap, before and after routing and NAT, joined
 * by what these leave alone (`TracedFrame.fingerprint`).
 */

import { directionOf, type AffectedFlow } from './flows.js';
import type { Trace, TracedFrame } from './trace.js';

export interface FlowPacket {
  readonly direction: 'original' | 'reply';
  /** In order of time, clocks set right; never empty. */
  readonly sightings: readonly TracedFrame[];
  /** First sighting, ns since the analysis epoch by the clock of that capture. */
  readonly time: number;
  /** One of its frames was misdelivered. */
  readonly misdelivered: boolean;
  /** It went to a wrong MAC (or to one that was right until just before), and nobody is seen passing it on. */
  readonly lost: boolean;
}

/** Sightings further apart than this are not of one packet. */
const MAX_TRANSIT = 1e9;
/** The same frame again on one tap within this is a copy that a mirror made, not a packet sent again. */
const MIRRORED = 1e6;
const MAX_OPEN = 8;

/** A frame, and when it was seen by the clock that all are compared with. */
interface Seen {
  readonly frame: TracedFrame;
  readonly direction: FlowPacket['direction'];
  readonly time: number;
}

interface Draft {
  readonly direction: FlowPacket['direction'];
  readonly sightings: TracedFrame[];
  last: number;
}

/**
 * The packets of a flow in order of time.
 * @param translated further legs that are this flow under other addresses
 * @param shift what to add to a time of an input, in ns, so that all clocks agree
 */
export function packetsOf(
  trace: Trace,
  flow: AffectedFlow,
  translated: ReadonlyMap<number, FlowPacket['direction']>,
  shift: (input: number) => number,
): FlowPacket[] {
  const frames: Seen[] = [];
  const take = (leg: number, direction: FlowPacket['direction']): void => {
    for (const frame of trace.ofLeg(leg)) {
      if (!Number.isNaN(frame.time)) frames.push({ frame, direction, time: frame.time + shift(frame.input) });
    }
  };
  for (const leg of flow.legs) take(leg, translated.get(leg) ?? directionOf(flow, leg));
  for (const [leg, direction] of translated) take(leg, direction);
  frames.sort(
    (a, b) =>
      a.time - b.time ||
      b.frame.hopLimit - a.frame.hopLimit ||
      a.frame.input - b.frame.input ||
      a.frame.frame - b.frame.frame,
  );
  const drafts: Draft[] = [];
  const open = { original: new Map<number, Draft[]>(), reply: new Map<number, Draft[]>() };
  for (const { frame, direction, time } of frames) {
    const candidates = frame.fingerprint === 0 ? undefined : open[direction].get(frame.fingerprint);
    const draft = candidates?.findLast((candidate) => mayBe(candidate, frame, time, shift));
    if (draft) {
      draft.sightings.push(frame);
      draft.last = time;
      continue;
    }
    const made: Draft = { direction, sightings: [frame], last: time };
    drafts.push(made);
    if (frame.fingerprint === 0) continue;
    if (!candidates) open[direction].set(frame.fingerprint, [made]);
    else if (candidates.push(made) > MAX_OPEN) candidates.shift();
  }
  return drafts.map(finished);
}

/** Whether a frame may be a sighting of a packet: it is not over, and this place has not seen it with this hop limit. */
function mayBe(draft: Draft, frame: TracedFrame, time: number, shift: (input: number) => number): boolean {
  if (time - draft.last > MAX_TRANSIT) return false;
  return draft.sightings.every(
    (seen) =>
      seen.view.leg !== frame.view.leg ||
      seen.hopLimit !== frame.hopLimit ||
      time - (seen.time + shift(seen.input)) < MIRRORED,
  );
}

function finished({ direction, sightings }: Draft): FlowPacket {
  const wrong = sightings.filter((seen) => seen.verdict === 'misdelivered' || seen.verdict === 'convergence');
  return {
    direction,
    sightings,
    time: sightings[0]?.time ?? NaN,
    misdelivered: wrong.some((seen) => seen.verdict === 'misdelivered'),
    lost: wrong.length > 0 && !isPassedOn(sightings, wrong),
  };
}

/** The host that got it by mistake sent it on, and not just back to who had sent it there. */
function isPassedOn(sightings: readonly TracedFrame[], wrong: readonly TracedFrame[]): boolean {
  const last = wrong.at(-1);
  if (!last) return false;
  const after = sightings.slice(sightings.indexOf(last) + 1);
  return after.some((seen) => seen.view.transmitter === last.dstMac && seen.dstMac !== last.view.transmitter);
}
