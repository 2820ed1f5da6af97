/** Puts the analysis together from what was reconstructed, judged and examined. */

import { formatMac, parseMac } from '../bytes/address.js';
import type { ClockCorrection } from '../detect/clock-corrections.js';
import type { Suspicion } from '../detect/clock-groups.js';
import type { DoubtfulFrames, Examination, MisdeliveredFrames, SeenFrame } from '../detect/examine.js';
import { tupleOf } from '../detect/flows.js';
import type { JudgeReason } from '../detect/ruling.js';
import type { Verdicts } from '../detect/verdicts.js';
import {
  ANALYSIS_VERSION,
  type Analysis,
  type Binding,
  type Diagnostic,
  type EvidenceFrame,
  type Finding,
  type Input,
  type Misdelivery,
  type NotJudged,
  type Totals,
  type Verdict,
} from '../model.js';
import { UNJUDGED, type Reconstruction } from '../reconstruct/reconstruction.js';
import { UNKNOWN_HOP_LIMIT } from '../records/frame-batch.js';
import type { Places, Scene } from './scene.js';
import { namesOffload } from './cause.js';
import { findingsOf, observationsOf } from './findings.js';
import { captureTimeDiagnostics } from './capture-times.js';
import { clockDiagnostics, conntrackOffsets, listClocks, offsetsAsGiven } from './clocks.js';
import { eventsOf } from './events.js';
import { listFlows } from './flows.js';
import { placeKey, placeOf } from './frame-list.js';
import { totalImpact } from './impact.js';
import { limitsOf } from './limits.js';
import { foresee } from './predictions.js';
import { REASONS, type Reason } from './reasons.js';
import { systemsOf } from './systems.js';

export interface Parts extends Scene {
  readonly verdicts: Verdicts;
  readonly examination: Examination;
  readonly inputs: Input[];
  /** Inputs whose times were moved before they were judged. */
  readonly corrections: readonly ClockCorrection[];
  readonly suspicions: readonly Suspicion[];
  readonly diagnostics: Diagnostic[];
  readonly generatorVersion: string;
  /** The run was interrupted. */
  readonly partial: boolean;
}

/** The whole analysis. Nothing is read any more, and nothing judged. */
export function assemble(parts: Parts): Analysis {
  const { r, examination, verdicts, places } = parts;
  const misdeliveries = misdeliveriesOf(parts);
  const findings = findingsOf(parts, examination, misdeliveries);
  const notJudged = notJudgedOf(parts);
  const { predictions, ruleset } = foresee(parts.around.hosts, r.addresses, (input) => places.inputName(input));
  const systems = systemsOf(parts.around.hosts, r.facts.conntrack.entries, (input) => places.inputName(input));
  const totals = totalsOf(r, verdicts, misdeliveries);
  const flows = listFlows(parts, examination, verdicts, offloadedBy(findings, misdeliveries));
  const events = eventsOf(
    parts,
    misdeliveries,
    flows.flatMap(({ original, reply }) => [original, reply]),
  );
  const impact = totalImpact(flows.map((flow) => flow.impact).filter((felt) => felt !== undefined));
  const { corrections } = parts;
  const seen = [...parts.trails.offsets, ...conntrackOffsets(r, parts.trace, parts.flows)];
  const offsets = offsetsAsGiven(seen, corrections);
  return {
    version: ANALYSIS_VERSION,
    generator: { name: 'macscan', version: parts.generatorVersion },
    verdict: verdictOf(totals),
    totals,
    inputs: parts.inputs,
    ...windowOf(r),
    misdeliveries,
    flows,
    bindings: bindingsOf(parts, misdeliveries),
    findings,
    observations: observationsOf(parts),
    predictions,
    ...(ruleset.length > 0 ? { ruleset } : {}),
    notJudged,
    diagnostics: [
      ...parts.diagnostics,
      ...clockDiagnostics(offsets, parts, places),
      ...captureTimeDiagnostics(r, places),
      ...limitsOf(parts),
    ],
    ...(systems.length > 0 ? { systems } : {}),
    ...(events.length > 0 ? { events } : {}),
    ...(impact ? { impact } : {}),
    ...(offsets.length > 0 ? { clocks: listClocks(offsets, places) } : {}),
    ...(parts.partial ? { partial: true as const } : {}),
  };
}

/** Flows that findings say were offloaded. */
function offloadedBy(findings: readonly Finding[], misdeliveries: readonly Misdelivery[]): Set<string> {
  const explained = new Set(findings.filter(({ cause }) => namesOffload(cause)).flatMap(({ explains }) => explains));
  return new Set(misdeliveries.filter(({ id }) => explained.has(id)).flatMap(({ flows }) => flows));
}

function windowOf(r: Reconstruction): Pick<Analysis, 'window'> {
  if (!r.window) return {};
  const { from, to } = r.window;
  return {
    window: {
      ...(Number.isFinite(from) ? { from: r.epoch.text(from) } : {}),
      ...(Number.isFinite(to) ? { to: r.epoch.text(to) } : {}),
    },
  };
}

function verdictOf(totals: Totals): Verdict {
  if (totals.misdelivered > 0) return 'misdelivered';
  return totals.delivered > 0 ? 'delivered' : 'not-judged';
}

function totalsOf(r: Reconstruction, verdicts: Verdicts, misdeliveries: readonly Misdelivery[]): Totals {
  let frames = 0;
  for (const count of r.frames.values()) frames += count;
  let delivered = 0;
  for (const counts of verdicts.byInput.values()) delivered += counts.delivered;
  const misdelivered = misdeliveries.reduce((sum, m) => sum + (m.class === 'convergence' ? 0 : m.frames), 0);
  return { frames, delivered, misdelivered, notJudged: frames - delivered - misdelivered };
}

function misdeliveriesOf(parts: Parts): Misdelivery[] {
  const { r, examination, flowOfLeg, places } = parts;
  const all = [...examination.misdelivered.values()].map((bucket): Omit<Misdelivery, 'id'> => {
    const { class: kind, ...place } = placeOf(r, bucket, places);
    return {
      ...place,
      expected: [...bucket.expected].sort((a, b) => a - b).map(formatMac),
      frames: bucket.frames,
      frameRanges: pairs(bucket.ranges),
      firstTime: r.epoch.text(bucket.first),
      lastTime: r.epoch.text(bucket.last),
      flows: [...new Set([...bucket.legs].map((leg) => flowOfLeg.get(leg)?.id).filter((id) => id !== undefined))].sort(
        byNumber,
      ),
      ...(kind ? { class: kind } : {}),
      because: [...bucket.because.values()],
      evidence: bucket.evidence.map((seen) => evidenceOf(r, seen, bucket)),
      ...notBeforeOf(r, examination.doubtsOf(bucket)),
    };
  });
  all.sort(
    (a, b) =>
      Number(Boolean(a.class)) - Number(Boolean(b.class)) || b.frames - a.frames || compare(placeKey(a), placeKey(b)),
  );
  return all.map((m, i) => ({ id: `M${i + 1}`, ...m }));
}

function notBeforeOf(r: Reconstruction, doubts: DoubtfulFrames | undefined): Pick<Misdelivery, 'notBefore'> {
  if (!doubts) return {};
  const { frame, time, frames, heard } = doubts;
  return { notBefore: { frame, time: r.epoch.text(time), frames, heard } };
}

function evidenceOf(r: Reconstruction, seen: SeenFrame, bucket: MisdeliveredFrames): EvidenceFrame {
  const tap = r.taps.all[seen.view.tap];
  return {
    frame: seen.frame,
    time: r.epoch.text(seen.time),
    srcMac: formatMac(seen.view.transmitter),
    dstMac: formatMac(bucket.mac),
    ...tupleOf(r, seen.view),
    ...(seen.hopLimit === UNKNOWN_HOP_LIMIT ? {} : { hopLimit: seen.hopLimit }),
    length: seen.length,
    ...(tap && tap.vlan >= 0 ? { vlan: tap.vlan } : {}),
  };
}

function pairs(flat: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) ranges.push([flat[i] ?? 0, flat[i + 1] ?? 0]);
  return ranges;
}

function byNumber(a: string, b: string): number {
  return Number(a.slice(1)) - Number(b.slice(1));
}

/** Who had which MAC, for the addresses that misdeliveries speak of. */
function bindingsOf(parts: Parts, misdeliveries: readonly Misdelivery[]): Binding[] {
  const { r, ownerships } = parts;
  const wanted = new Set(misdeliveries.map((m) => r.addresses.parse(m.dstIp)));
  const macs = new Set(misdeliveries.flatMap((m) => [m.dstMac, m.srcMac, ...m.expected]).map(parseMac));
  const bindings: Binding[] = [];
  if (misdeliveries.length === 0) return bindings;
  for (const ownership of ownerships.values()) {
    const isWanted = wanted.has(ownership.ip);
    if (!isWanted && !ownership.macs.some((mac) => macs.has(mac))) continue;
    const ip = r.addresses.format(ownership.ip);
    for (const tenure of ownership.tenures) {
      if (!isWanted && !tenure.macs.some((mac) => macs.has(mac))) continue;
      for (const mac of tenure.macs) {
        const said = tenure.testimonies.filter((t) => t.mac === mac);
        bindings.push({
          network: ownership.network + 1,
          ip,
          mac: formatMac(mac),
          from: r.epoch.text(Math.min(...said.map((t) => t.first))),
          to: r.epoch.text(Math.max(...said.map((t) => t.last))),
          ...(tenure.macs.length > 1 ? { conflict: true as const } : {}),
          witnesses: said.slice(0, MAX_WITNESSES).map((t) => ({
            kind: t.kind,
            ip,
            mac: formatMac(t.mac),
            time: r.epoch.text(t.first),
            ...(t.origin ? { origin: t.origin } : {}),
          })),
        });
      }
    }
  }
  return bindings.sort(
    (a, b) =>
      a.network - b.network || compare(a.ip, b.ip) || compare(a.from ?? '', b.from ?? '') || compare(a.mac, b.mac),
  );
}

const MAX_WITNESSES = 20;

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function notJudgedOf(parts: Parts): NotJudged[] {
  const { r, verdicts, examination, places } = parts;
  const found = new Map<Reason, { frames: number; inputs: Map<number, number> }>();
  const add = (reason: Reason, input: number, frames: number): void => {
    if (frames === 0) return;
    const entry = found.get(reason) ?? { frames: 0, inputs: new Map<number, number>() };
    entry.frames += frames;
    entry.inputs.set(input, (entry.inputs.get(input) ?? 0) + frames);
    found.set(reason, entry);
  };
  for (const [input, counts] of r.unjudged) UNJUDGED.forEach((reason, i) => add(reason, input, counts[i] ?? 0));
  for (const [input, frames] of examination.unexamined()) add('not-examined', input, frames);
  for (const [input, counts] of verdicts.byInput) {
    for (const [reason, frames] of counts.notJudged) add(reason satisfies JudgeReason, input, frames);
  }
  return [...found]
    .map(([reason, { frames, inputs }]): NotJudged => {
      const words = REASONS[reason];
      const most = [...inputs].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? 0;
      const collect = words.collect?.(deviceToCapture(r, places, most));
      return {
        reason,
        frames,
        what: words.what,
        ...(collect === undefined ? {} : { collect }),
        inputs: [...inputs.keys()].sort((a, b) => a - b).map((input) => places.inputName(input)),
      };
    })
    .sort((a, b) => b.frames - a.frames || compare(a.reason, b.reason));
}

/** The device of an input that has one, else a place holder: never `any`. */
function deviceToCapture(r: Reconstruction, places: Places, input: number): string {
  const taps = r.taps.all.filter((tap) => tap.input === input);
  const names = new Set(taps.map((tap) => places.deviceName(tap.id)));
  const name = names.size === 1 ? [...names][0] : undefined;
  return name === undefined || name.startsWith('any') || !/^[\w.-]+$/.test(name) ? '<device>' : name;
}
