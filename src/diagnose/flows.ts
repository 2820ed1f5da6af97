/** Affected flows as the analysis lists them: with their offload and their mappings as a ladder. */

import { formatMac } from '../bytes/address.js';
import type { Examination, JudgedRun } from '../detect/examine.js';
import { directionOf, type AffectedFlow } from '../detect/flows.js';
import type { FlowPacket } from '../detect/packets.js';
import { runsOfLeg, viewLeg, type LegView } from '../detect/legs.js';
import type { Verdicts } from '../detect/verdicts.js';
import type { Flow, Mapping, OffloadSpan } from '../model.js';
import { offloadSpans, type Moment, type OffloadSpan as InternalSpan } from '../reconstruct/offload.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { forwardingOf } from './forwarding.js';
import { impactOf } from './impact.js';
import { computedSpans, inferredSpans, refined } from './inferred-offload.js';
import type { Places, Scene } from './scene.js';
import { transitsOf } from './transits.js';

/** At most this many flows are listed, the most affected ones. */
const MAX_FLOWS = 2000;
const MAX_MAPPINGS_PER_FLOW = 200;
/** Single packets are followed of so many flows. */
const MAX_FOLLOWED = 200;

/** The flows that have misdelivered frames or convergence, most affected first. */
export function listFlows(
  scene: Scene,
  examination: Examination,
  verdicts: Verdicts,
  offloaded: ReadonlySet<string>,
): Flow[] {
  const { r, places, trails } = scene;
  const flows: Flow[] = [];
  const captureEnd = (input: number): number => r.spans.get(input)?.last ?? Infinity;
  for (const flow of scene.flows) {
    const runs = flow.legs.flatMap((leg) => examination.suspects.get(leg)?.runs ?? []);
    if (!runs.some((run) => run.ruling.verdict === 'misdelivered' || run.ruling.class)) continue;
    const packets = trails.of(flow);
    const impact = impactOf(packets, captureEnd);
    const transits = flows.length < MAX_FOLLOWED ? transitsOf(r, flow, packets, places) : [];
    const spans = spansOf(scene, flow, packets, offloaded.has(flow.id));
    const forwarding = forwardingOf(packets, spans, (tap) => places.deviceName(tap));
    flows.push({
      id: flow.id,
      original: flow.original,
      reply: flow.reply,
      joinedBy: flow.conntrack.length > 0 ? 'conntrack' : 'addresses',
      offload: spans.map((span) => ({
        kind: span.kind,
        from: momentOf(r, span.from, places),
        ...(span.to ? { to: momentOf(r, span.to, places) } : {}),
      })),
      misdelivered: runs.reduce((sum, run) => sum + (run.ruling.verdict === 'misdelivered' ? run.frames : 0), 0),
      mappings: mappingsOf(r, flow, examination, verdicts, places),
      ...(transits.length > 0 ? { transits } : {}),
      ...(impact ? { impact } : {}),
      ...(forwarding.length > 0 ? { forwarding } : {}),
    });
  }
  flows.sort((a, b) => b.misdelivered - a.misdelivered || Number(a.id.slice(1)) - Number(b.id.slice(1)));
  return flows.slice(0, MAX_FLOWS);
}

/** As conntrack shows it; else as the captures do; else, where the tests say that it was offloaded, from its trigger on. */
function spansOf(
  scene: Scene,
  flow: AffectedFlow,
  packets: readonly FlowPacket[],
  isOffloaded: boolean,
): InternalSpan[] {
  const shown = flow.conntrack.flatMap((entry) => offloadSpans(scene.r.facts.conntrack, entry));
  if (shown.length > 0) return refined(scene, flow, packets, shown);
  const inferred = inferredSpans(scene, flow);
  if (inferred.length > 0 || !isOffloaded) return [...inferred];
  return computedSpans(scene, packets);
}

function momentOf(r: Reconstruction, moment: Moment, places: Places): OffloadSpan['from'] {
  return {
    time: r.epoch.text(moment.time),
    ...(Number.isFinite(moment.earliest) ? { earliest: r.epoch.text(moment.earliest) } : {}),
    source: moment.source,
    origin: { ...moment.origin, input: places.inputName(moment.origin.input) },
  };
}

function mappingsOf(
  r: Reconstruction,
  flow: AffectedFlow,
  examination: Examination,
  verdicts: Verdicts,
  places: Places,
): Mapping[] {
  const rows = flow.legs.flatMap((leg) => {
    const view = viewLeg(r, leg);
    const judged = examination.suspects.get(leg)?.runs ?? settledRuns(r, view, verdicts);
    return judged.map((run) => ({ view, run }));
  });
  rows.sort((a, b) => a.run.first - b.run.first || a.view.tap - b.view.tap || a.run.firstFrame - b.run.firstFrame);
  return rows.slice(0, MAX_MAPPINGS_PER_FLOW).map(({ view, run }, i): Mapping => {
    const tap = r.taps.all[view.tap];
    const { verdict } = run.ruling;
    return {
      id: `${flow.id}.${i + 1}`,
      direction: directionOf(flow, view.leg),
      input: places.inputName(tap?.input ?? 0),
      device: places.deviceName(view.tap),
      ...(tap && tap.vlan >= 0 ? { vlan: tap.vlan } : {}),
      srcMac: formatMac(view.transmitter),
      dstMac: formatMac(run.mac),
      frames: run.frames,
      bytes: run.bytes,
      firstFrame: run.firstFrame,
      lastFrame: run.lastFrame,
      firstTime: r.epoch.text(run.first),
      lastTime: r.epoch.text(run.last),
      ...(run.folded ? { folded: true as const } : {}),
      verdict,
      delivered: verdict === 'delivered' ? run.frames : 0,
      misdelivered: verdict === 'misdelivered' ? run.frames : 0,
      notJudged: verdict === 'not-judged' ? run.frames : 0,
      expected: run.ruling.expected.map(formatMac),
    };
  });
}

/** Runs of a leg that the first judgement settled. */
function settledRuns(r: Reconstruction, view: LegView, verdicts: Verdicts): JudgedRun[] {
  return runsOfLeg(r, view.leg).map((run) => {
    const stretches = verdicts.stretches(view, run.mac);
    const ruling = stretches.findLast(({ from }) => !(from > run.first))?.ruling ?? stretches[0]?.ruling;
    return { ...run, ruling: ruling ?? { verdict: 'delivered', expected: [], because: [] } };
  });
}
