/**
 * Which inputs have a wrong clock beyond doubt, and what to add to their times: they are judged with these. What is only
 * likely is told (see `diagnose/clocks.ts`) and corrected nowhere.
 */

import type { Host } from '../reconstruct/hosts.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { ClockGroups, Suspicion } from './clock-groups.js';
import {
  agreementsOf,
  beginningsOf,
  captureOffsets,
  fitOf,
  logOffsets,
  type LogOffset,
  type ShiftOf,
} from './log-clocks.js';
import type { SharedPackets } from './shared-packets.js';

export interface ClockCorrection {
  readonly input: number;
  /** ns that are added to each of its times. */
  readonly shift: number;
  /** The capture whose clock it was compared with. */
  readonly against: number;
  /** ns that its clock shows more than that one's, and how much this may be off by either way. */
  readonly offset: number;
  readonly uncertainty: number;
  /** Packets that both hold, flows of which conntrack told the beginning, or that it is of one host with a log (`from`) whose clock is wrong. */
  readonly by: 'frames' | 'conntrack' | 'host';
  readonly from?: number;
  /** What it rests on: packets or flows. */
  readonly pairs: number;
}

export interface ClockFindings {
  /** In order of inputs. */
  readonly corrections: readonly ClockCorrection[];
  /** Captures whose clocks may be apart, of which too few packets tell. */
  readonly suspicions: readonly Suspicion[];
}

/** A clock that agrees with another one to within this may be that one, ns. */
const SAME = 1e9;

/**
 * @param hostsOf the machines that dumps are of; asked for only when a log's clock is wrong
 * @param packets what the captures in doubt hold of shared legs; undefined when none is in doubt
 */
export function findClocks(
  r: Reconstruction,
  hostsOf: () => readonly Host[],
  groups: ClockGroups,
  packets: SharedPackets | undefined,
): ClockFindings {
  const beginnings = beginningsOf(r);
  const captures = packets ? groups.shifts(packets, agreementsOf(beginnings)) : [];
  const found = new Map<number, ClockCorrection>();
  for (const shift of captures) found.set(shift.input, { ...shift, by: 'frames' });
  const isSettled = (input: number): boolean => groups.members(input).some((one) => found.has(one));
  for (const capture of captureOffsets(beginnings, shiftsOf(captures), isSettled)) {
    for (const input of groups.members(capture.input))
      found.set(input, { ...capture, input, shift: -capture.offset, by: 'conntrack' });
  }
  const shiftOf = shiftsOf([...found.values()]);
  const logs = logOffsets(beginnings, shiftOf);
  const hosts = logs.length > 0 ? hostsOf() : [];
  for (const { isSure, ...log } of logs) {
    const host = hosts.find(({ inputs }) => inputs.includes(log.input));
    const { followers, isConfirmed } = alongWith(r, host, log, logs, shiftOf);
    if (!isSure && !isConfirmed) continue;
    found.set(log.input, { ...log, shift: -log.offset, by: 'conntrack' });
    for (const input of followers) {
      if (!found.has(input)) found.set(input, { ...log, input, shift: -log.offset, by: 'host', from: log.input });
    }
  }
  // Whole ns, so that whoever takes them off again gets the times as they stood.
  const whole = [...found.values()].map((one) => ({ ...one, shift: Math.round(one.shift) }));
  return {
    corrections: whole.sort((a, b) => a.input - b.input),
    suspicions: packets ? groups.suspicions(packets, new Set(captures.map(({ input }) => input))) : [],
  };
}

function shiftsOf(captures: readonly Pick<ClockCorrection, 'input' | 'shift'>[]): ShiftOf {
  const shifts = new Map(captures.map(({ input, shift }) => [input, shift]));
  return (input) => shifts.get(input) ?? 0;
}

/**
 * The other dumps of a host share the clock of its log, as a rule: unless logs of it differ, or what one of its dumps tells
 * fits the captures better as it stands. One that fits better with the log's shift confirms that.
 */
function alongWith(
  r: Reconstruction,
  host: Host | undefined,
  log: Pick<LogOffset, 'input' | 'offset'>,
  logs: readonly LogOffset[],
  shiftOf: ShiftOf,
): { followers: number[]; isConfirmed: boolean } {
  const isOther = ({ input, offset }: LogOffset): boolean =>
    host?.inputs.includes(input) === true && Math.abs(offset - log.offset) > SAME;
  if (!host || logs.some(isOther)) return { followers: [], isConfirmed: false };
  const others = host.inputs.filter((input) => input !== log.input && (r.frames.get(input) ?? 0) === 0);
  const gains = others.map((input) => fitOf(r, host, input, shiftOf, -log.offset) - fitOf(r, host, input, shiftOf, 0));
  const isRight = gains.some((gain) => gain < 0);
  return { followers: isRight ? [] : others, isConfirmed: !isRight && gains.some((gain) => gain > 0) };
}
