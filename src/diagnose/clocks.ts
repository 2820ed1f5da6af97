/**
 * How far the clocks of inputs are apart: the same frame in two captures was on the wire at one time, and an entry of
 * conntrack is made by a packet. Only frames of traced flows are compared.
 */

import type { ClockCorrection, ClockFindings } from '../detect/clock-corrections.js';
import { estimateOf } from '../detect/clock-offset.js';
import type { AffectedFlow } from '../detect/flows.js';
import type { Trace, TracedFrame } from '../detect/trace.js';
import type { ClockOffset, Diagnostic } from '../model.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';

/** Names of inputs. */
export interface InputNames {
  inputName(input: number): string;
}

/** The clock of `input` shows `offset` ns more than that of `against`; it may be off by `uncertainty` either way. */
export interface Offset {
  readonly input: number;
  readonly against: number;
  readonly offset: number;
  readonly uncertainty: number;
  readonly by: ClockOffset['by'];
  readonly pairs: number;
}

/** Inputs that are compared, those with the most traced frames. */
const MAX_INPUTS = 40;
const MAX_SAMPLES = 2000;
const MIN_PAIRS = 3;
/** An offset above this is worth telling: an order of events within it means nothing. */
const NOTABLE = 5e6;

/**
 * The offset of every capture that shares frames with another one, against the capture that holds the most. One that
 * shares none with it is compared with one that does.
 */
export function clockOffsets(trace: Trace): Offset[] {
  if (trace.inputs().size < 2) return [];
  const frames = new Map<number, number>();
  for (const frame of trace.frames) frames.set(frame.input, (frames.get(frame.input) ?? 0) + 1);
  const inputs = [...frames.keys()]
    .sort((a, b) => (frames.get(b) ?? 0) - (frames.get(a) ?? 0) || a - b)
    .slice(0, MAX_INPUTS);
  const samples = samplesOf(trace, new Set(inputs));
  const offsets: Offset[] = [];
  const known = new Set<number>();
  for (const start of inputs) {
    if (known.has(start)) continue;
    known.add(start);
    // One after the other, so that a capture is compared with the one nearest to the first that it shares frames with.
    for (const queue = [start]; queue.length > 0;) {
      const against = queue.shift() ?? start;
      for (const input of inputs) {
        const found = known.has(input) ? undefined : between(samples, input, against);
        if (!found) continue;
        known.add(input);
        queue.push(input);
        offsets.push(found);
      }
    }
  }
  return offsets.sort((a, b) => a.input - b.input);
}

/**
 * What to add to a time of an input so that it agrees with the capture that its chain of offsets leads to; 0 where the
 * clocks may as well be one.
 */
export function shiftOf(offsets: readonly Offset[]): (input: number) => number {
  const shifts = new Map<number, number>();
  const byInput = new Map(offsets.filter(({ by }) => by === 'frames').map((offset) => [offset.input, offset]));
  const shift = (input: number, depth: number): number => {
    const known = shifts.get(input);
    if (known !== undefined) return known;
    const found = byInput.get(input);
    const isReal = found !== undefined && Math.abs(found.offset) > Math.max(found.uncertainty, 1e6);
    const value = found && depth < MAX_INPUTS ? shift(found.against, depth + 1) - (isReal ? found.offset : 0) : 0;
    shifts.set(input, value);
    return value;
  };
  return (input) => shift(input, 0);
}

/**
 * Offsets of conntrack's events against captures: NEW is printed when the packet that made the entry has passed, so the
 * smallest delay is the offset, give or take what the tool needed.
 */
export function conntrackOffsets(r: Reconstruction, trace: Trace, flows: readonly AffectedFlow[]): Offset[] {
  const found = new Map<string, { input: number; against: number; delays: number[] }>();
  for (const flow of flows) {
    const [entry] = flow.conntrack;
    const made = entry?.made;
    const first = made && firstOf(trace, flow);
    if (!made || !first || Number.isNaN(made.time)) continue;
    const began = r.spans.get(first.input)?.first ?? Infinity;
    const delay = made.time - first.time;
    // A capture that began in the middle of the flow does not show the packet that made the entry.
    const isFirst = entry.protocol === TCP ? (first.detail & SYN_ACK) === SYN : Math.abs(delay) < UDP_TIMEOUT;
    if (!isFirst || (entry.protocol !== TCP && first.time - began < SOON)) continue;
    const key = `${made.origin.input} ${first.input}`;
    const known = found.get(key) ?? { input: made.origin.input, against: first.input, delays: [] };
    known.delays.push(delay);
    found.set(key, known);
  }
  return [...found.values()]
    .map(({ input, against, delays }): Offset => {
      const offset = delays.reduce((a, b) => Math.min(a, b), Infinity);
      const spread = delays.reduce((a, b) => Math.max(a, b), -Infinity) - offset;
      return { input, against, offset, uncertainty: Math.max(spread, PRINTING), by: 'conntrack', pairs: delays.length };
    })
    .sort((a, b) => b.pairs - a.pairs || a.input - b.input || a.against - b.against)
    .filter((offset, i, all) => all.findIndex(({ input }) => input === offset.input) === i);
}

const TCP = 6;
const SYN = 0x02;
const SYN_ACK = 0x12;
const SOON = 1e9;
/** An entry of UDP without an answer lives 30 s. */
const UDP_TIMEOUT = 3e10;
/** Events are stamped when the tool prints them: tens of milliseconds later on a busy router. */
const PRINTING = 1e8;

/**
 * Offsets as the inputs have them: of those whose times were moved what moved them, not what is left since.
 */
export function offsetsAsGiven(offsets: readonly Offset[], corrections: readonly ClockCorrection[]): Offset[] {
  const moved = new Set(corrections.map(({ input }) => input));
  const given = corrections.flatMap(({ by, ...offset }): Offset[] => (by === 'host' ? [] : [{ ...offset, by }]));
  return [...given, ...offsets.filter(({ input }) => !moved.has(input))];
}

/** Offsets in the words of the analysis. */
export function listClocks(offsets: readonly Offset[], names: InputNames): ClockOffset[] {
  return offsets.map(({ input, against, offset, uncertainty, by, pairs }) => ({
    input: names.inputName(input),
    against: names.inputName(against),
    offset: text(offset),
    uncertainty: text(uncertainty),
    by,
    pairs,
  }));
}

/** What must not stay unsaid: clocks that were set right, and those that differ so much that an order of events may be wrong. */
export function clockDiagnostics(
  offsets: readonly Offset[],
  { corrections, suspicions }: ClockFindings,
  names: InputNames,
): Diagnostic[] {
  const moved = new Map(corrections.map((correction) => [correction.input, correction]));
  const found = offsets.flatMap((offset): Diagnostic[] => {
    const { input, against } = offset;
    const ahead = `Its clock shows ${apart(offset.offset)} than that of ${names.inputName(against)}`;
    const correction = moved.get(input);
    if (correction) {
      const by =
        offset.by === 'frames'
          ? `by ${offset.pairs} packets that both hold`
          : `by the beginnings of ${offset.pairs} flows`;
      const action = `Its times were moved by ${signedSeconds(correction.shift)} before anything was judged.`;
      return [{ id: 'clock-corrected', input: names.inputName(input), what: `${ahead}, ${by}.`, action }];
    }
    if (Math.abs(offset.offset) <= offset.uncertainty + (offset.by === 'frames' ? NOTABLE : SOON)) return [];
    const action =
      'Its times were used as they stand; packets were followed from one to the other with the clocks set right.';
    return [{ id: 'clock-offset', input: names.inputName(input), what: `${ahead}.`, action }];
  });
  const told = new Set(found.map((diagnostic) => diagnostic.input));
  const suspected = suspicions.flatMap(({ input, against, offset, pairs }): Diagnostic[] => {
    if (told.has(names.inputName(input))) return [];
    return [
      {
        id: 'clock-suspected',
        input: names.inputName(input),
        what: `Its clock may show ${apart(offset)} than that of ${names.inputName(against)}, by ${pairs} packets that seem to be the same.`,
        action: 'They are too few, or too many others disagree: its times were used as they stand.',
      },
    ];
  });
  return [...found, ...hostDiagnostics(corrections, names), ...suspected];
}

function apart(offset: number): string {
  return `${milliseconds(Math.abs(offset))} ${offset > 0 ? 'more' : 'less'}`;
}

/** Dumps that were moved along with a log of their host, in one line. */
function hostDiagnostics(corrections: readonly ClockCorrection[], names: InputNames): Diagnostic[] {
  return corrections.flatMap((log): Diagnostic[] => {
    const along = corrections.filter(({ by, from }) => by === 'host' && from === log.input);
    if (along.length === 0) return [];
    const [first] = along;
    const others = along.length > 1 ? ` and ${along.length - 1} more` : '';
    return [
      {
        id: 'clock-corrected',
        what: `Dumps of the same host as ${names.inputName(log.input)} share its clock, as nothing shows another: ${names.inputName(first?.input ?? -1)}${others}.`,
        action: `Their times were moved by ${signedSeconds(log.shift)} too.`,
      },
    ];
  });
}

function signedSeconds(ns: number): string {
  return `${ns > 0 ? '+' : ''}${(ns / 1e9).toFixed(3)} s`;
}

function milliseconds(ns: number): string {
  return ns >= 1e10 ? `${(ns / 1e9).toFixed(1)} s` : `${(ns / 1e6).toFixed(ns < 1e8 ? 1 : 0)} ms`;
}

function text(ns: number): string {
  return String(BigInt(Math.round(ns)));
}

/** Differences `time in b - time in a` of a pair of inputs, a the lower one, by transmitter: each way has delays of its own. */
type Samples = Map<string, Map<number, number[]>>;

function samplesOf(trace: Trace, inputs: ReadonlySet<number>): Samples {
  if (inputs.size < 2) return new Map();
  const frames = new Map<string, TracedFrame[]>();
  for (const frame of trace.frames) {
    if (frame.fingerprint === 0 || Number.isNaN(frame.time) || !inputs.has(frame.input)) continue;
    const key = `${frame.fingerprint} ${frame.view.transmitter} ${frame.dstMac} ${frame.hopLimit}`;
    const known = frames.get(key);
    if (known) known.push(frame);
    else frames.set(key, [frame]);
  }
  const samples: Samples = new Map();
  for (const seen of frames.values()) {
    // The same packet twice in one place: which of them another place saw is not known.
    if (seen.length < 2 || new Set(seen.map((frame) => frame.view.leg)).size < seen.length) continue;
    for (const [a, b, difference] of pairsOf(seen)) {
      const pair = samples.get(`${a} ${b}`) ?? new Map<number, number[]>();
      samples.set(`${a} ${b}`, pair);
      const transmitter = seen[0]?.view.transmitter ?? 0;
      const list = pair.get(transmitter) ?? [];
      pair.set(transmitter, list);
      if (list.length < MAX_SAMPLES) list.push(difference);
    }
  }
  return samples;
}

/** Of each two inputs the sightings that are closest in time: an input may have seen the frame on a bridge and its port. */
function pairsOf(seen: readonly TracedFrame[]): [number, number, number][] {
  const best = new Map<string, [number, number, number]>();
  for (const [i, x] of seen.entries()) {
    for (const y of seen.slice(i + 1)) {
      if (x.input === y.input) continue;
      const [a, b] = x.input < y.input ? [x, y] : [y, x];
      const key = `${a.input} ${b.input}`;
      const difference = b.time - a.time;
      const known = best.get(key);
      if (!known || Math.abs(difference) < Math.abs(known[2])) best.set(key, [a.input, b.input, difference]);
    }
  }
  return [...best.values()];
}

function between(samples: Samples, input: number, against: number): Offset | undefined {
  const sign = input > against ? 1 : -1;
  const groups = samples.get(sign > 0 ? `${against} ${input}` : `${input} ${against}`);
  if (!groups) return undefined;
  const found = estimateOf(groups.values());
  return found && found.pairs >= MIN_PAIRS
    ? { input, against, ...found, offset: found.offset * sign, by: 'frames' }
    : undefined;
}

function firstOf(trace: Trace, flow: AffectedFlow): TracedFrame | undefined {
  let first: TracedFrame | undefined;
  for (const leg of flow.legs) {
    for (const frame of trace.ofLeg(leg)) if (!first || frame.time < first.time) first = frame;
  }
  return first;
}
