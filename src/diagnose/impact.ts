/**
 * What users felt of a flow that went wrong, before, during and after it. Counted on the one tap that saw most of the
 * flow, each packet once, however often it passes there.
 */

import type { FlowPacket } from '../detect/packets.js';
import type { TracedFrame } from '../detect/trace.js';
import type { Felt, Impact } from '../model.js';
import { StallWatch } from './stalls.js';
import { TcpWatch } from './tcp-watch.js';

/** The three parts of a flow's time: before the first misdelivered packet, until the last one, and after it. */
type Part = keyof Impact;
const PARTS: readonly Part[] = ['before', 'during', 'after'];

/** The same question asked again within this is one query. */
const ASKED_AGAIN = 1e10;
/** A question asked this late has no time to be answered before the capture ends. */
const GRACE = 1e9;

type Counts = Record<'frames' | 'queries' | 'unanswered' | 'retransmissions' | 'handshakesRepeated', number>;

/** A packet as the chosen tap saw it. */
interface Passing {
  readonly packet: FlowPacket;
  readonly frame: TracedFrame;
  readonly time: number;
}

/**
 * What was felt of one flow; undefined when none of its packets is known to have been misdelivered.
 * @param captureEnd time of the last packet of an input, ns since the analysis epoch
 */
export function impactOf(packets: readonly FlowPacket[], captureEnd: (input: number) => number): Impact | undefined {
  const passings = mostSeen(packets);
  const [start] = passings;
  const wrong = packets.filter((packet) => packet.misdelivered).map((packet) => timeOnTap(packet, start));
  if (!start || wrong.length === 0) return undefined;
  const first = wrong.reduce((a, b) => Math.min(a, b), Infinity);
  const last = wrong.reduce((a, b) => Math.max(a, b), -Infinity);
  const partOf = (time: number): Part => (time < first ? 'before' : time <= last ? 'during' : 'after');
  const counts = { before: zero(), during: zero(), after: zero() };
  for (const { time } of passings) counts[partOf(time)].frames++;
  for (const query of queriesOf(passings)) {
    if (!query.answered && query.time > captureEnd(start.frame.input) - GRACE) continue;
    counts[partOf(query.felt)].queries++;
    if (!query.answered) counts[partOf(query.felt)].unanswered++;
  }
  const watch = { original: new TcpWatch(), reply: new TcpWatch() };
  const waiting = { original: false, reply: false };
  const stalls = new StallWatch();
  for (const passing of passings) {
    const { packet, frame, time } = passing;
    const { direction } = packet;
    if (frame.view.protocol === TCP && frame.fingerprint !== 0 && watch[direction].isSentAgain(frame)) {
      counts[partOf(time)].retransmissions++;
    }
    if (frame.message?.kind === 'handshake') {
      if (waiting[direction]) counts[partOf(time)].handshakesRepeated++;
      waiting[direction] = true;
    } else if (frame.message?.kind === 'handshake-answer' && !packet.lost) {
      waiting[opposite(direction)] = false;
    }
    stalls.add(direction, time, packet.lost);
  }
  const from = Math.min(start.time, first);
  const to = Math.max(passings.at(-1)?.time ?? last, last);
  const bounds: Record<Part, [number, number]> = { before: [from, first], during: [first, last], after: [last, to] };
  const felt = (part: Part): Felt => ({
    duration: nanoseconds(bounds[part][1] - bounds[part][0]),
    ...counts[part],
    longestStall: nanoseconds(stalls.longest(...bounds[part])),
  });
  return { before: felt('before'), during: felt('during'), after: felt('after') };
}

/** What was felt of all flows: counts are added up, durations and stalls are the longest; undefined without any. */
export function totalImpact(impacts: readonly Impact[]): Impact | undefined {
  const [one, ...others] = impacts;
  if (!one) return undefined;
  const total: Impact = { before: { ...one.before }, during: { ...one.during }, after: { ...one.after } };
  for (const impact of others) {
    for (const part of PARTS) {
      const [sum, more] = [total[part], impact[part]];
      sum.duration = longer(sum.duration, more.duration);
      sum.longestStall = longer(sum.longestStall, more.longestStall);
      sum.frames += more.frames;
      sum.queries += more.queries;
      sum.unanswered += more.unanswered;
      sum.retransmissions += more.retransmissions;
      sum.handshakesRepeated += more.handshakesRepeated;
    }
  }
  return total;
}

const TCP = 6;

/** The packets that the tap saw that saw most of them, as it first saw each; the first tap of several. */
function mostSeen(packets: readonly FlowPacket[]): Passing[] {
  const seen = new Map<number, Passing[]>();
  for (const packet of packets) {
    for (const frame of packet.sightings) {
      const { tap } = frame.view;
      const list = seen.get(tap);
      if (!list) seen.set(tap, [{ packet, frame, time: frame.time }]);
      else if (list.at(-1)?.packet !== packet) list.push({ packet, frame, time: frame.time });
    }
  }
  const [best] = [...seen].sort((a, b) => b[1].length - a[1].length || a[0] - b[0]);
  return (best?.[1] ?? []).toSorted((a, b) => a.time - b.time || a.frame.frame - b.frame.frame);
}

/** When a packet passed the tap of `start`; where it did not, when it was first seen. */
function timeOnTap(packet: FlowPacket, start: Passing | undefined): number {
  return packet.sightings.find((frame) => frame.view.tap === start?.frame.view.tap)?.time ?? packet.time;
}

interface Query {
  readonly time: number;
  felt: number;
  answered: boolean;
}

function queriesOf(passings: readonly Passing[]): Query[] {
  const queries: Query[] = [];
  const pending = new Map<string, Query>();
  for (const { packet, frame, time } of passings) {
    const { message } = frame;
    if (message?.kind === 'question') {
      const key = `${packet.direction} ${message.id}`;
      const known = pending.get(key);
      if (known && time - known.time < ASKED_AGAIN) continue;
      const query = { time, felt: time, answered: false };
      queries.push(query);
      pending.set(key, query);
    } else if (message?.kind === 'answer') {
      const key = `${opposite(packet.direction)} ${message.id}`;
      const query = pending.get(key);
      if (!query) continue;
      // A question whose answer went astray belongs to when that happened.
      if (packet.lost) query.felt = time;
      else pending.delete(key);
      query.answered = !packet.lost;
    }
  }
  return queries;
}

function opposite(direction: FlowPacket['direction']): FlowPacket['direction'] {
  return direction === 'original' ? 'reply' : 'original';
}

function zero(): Counts {
  return { frames: 0, queries: 0, unanswered: 0, retransmissions: 0, handshakesRepeated: 0 };
}

function nanoseconds(ns: number): string {
  return String(BigInt(Math.round(Math.max(0, ns))));
}

function longer(a: string, b: string): string {
  return BigInt(a) >= BigInt(b) ? a : b;
}
