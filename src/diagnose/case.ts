/**
 * Cases: what one sender did wrong to one address, over all taps that saw it; and the scene that causes and tests look
 * at. Everything here is finished: nothing is read any more.
 */

import type { Ip, Mac } from '../bytes/address.js';
import type { Examination, MisdeliveredFrames } from '../detect/examine.js';
import { directionOf, type AffectedFlow } from '../detect/flows.js';
import type { NextHopFault } from '../detect/next-hop-fault.js';
import type { Ownership, Tenure } from '../detect/ownership.js';
import type { TracedFrame } from '../detect/trace.js';
import type { MisdeliveryClass, Origin } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import { mayTransmit, type Host } from '../reconstruct/hosts.js';
import { offloadSpans, type OffloadSpan } from '../reconstruct/offload.js';
import { inferredSpans, refined } from './inferred-offload.js';
import type { Scene } from './scene.js';

export type { Scene };

export interface CaseFlow {
  readonly flow: AffectedFlow;
  readonly spans: readonly OffloadSpan[];
  /** A dump without a time shows it offloaded: nobody knows when. */
  readonly undated: boolean;
  /** Direction whose frames went wrong. */
  readonly direction: 'original' | 'reply';
}

export interface Case {
  readonly buckets: readonly MisdeliveredFrames[];
  readonly network: number;
  readonly transmitter: Mac;
  readonly dstIp: Ip;
  /** Where the frames went. */
  readonly mac: Mac;
  readonly expected: readonly Mac[];
  readonly class: MisdeliveryClass | undefined;
  readonly flows: readonly CaseFlow[];
  /** The same by leg. */
  readonly flowOfLeg: ReadonlyMap<number, CaseFlow>;
  /** First and last misdelivered frame; ns since the analysis epoch. */
  readonly first: number;
  readonly firstOrigin: Origin;
  readonly last: number;
  readonly ownership: Ownership | undefined;
  /** The tenure that holds at the first frame, when there is one. */
  readonly tenure: Tenure | undefined;
  /** The host whose dumps are at hand that sent the frames. */
  readonly host: Host | undefined;
  /** Traced frames of the sender to the address on the tap that shows most of it, in order of time. */
  readonly frames: readonly TracedFrame[];
}

/** At most this many cases, those with the most frames; convergence comes last. */
const MAX_CASES = 200;

/** What was misdelivered, by sender, address, MAC and class, most frames first. */
export function casesOf(scene: Scene, examination: Examination): Case[] {
  const groups = new Map<string, MisdeliveredFrames[]>();
  for (const bucket of examination.misdelivered.values()) {
    const { view } = bucket;
    const network = scene.around.networks.of[view.tap] ?? 0;
    const key = `${network} ${view.transmitter} ${view.dstIp} ${bucket.mac} ${bucket.class ?? ''}`;
    const group = groups.get(key);
    if (group) group.push(bucket);
    else groups.set(key, [bucket]);
  }
  const frames = (group: readonly MisdeliveredFrames[]): number =>
    group[0]?.class === 'convergence' ? 0 : Math.max(...group.map((bucket) => bucket.frames));
  return [...groups.values()]
    .sort((a, b) => frames(b) - frames(a) || compareBuckets(a[0], b[0]))
    .slice(0, MAX_CASES)
    .map((buckets) => caseOf(scene, buckets));
}

function compareBuckets(a: MisdeliveredFrames | undefined, b: MisdeliveredFrames | undefined): number {
  if (!a || !b) return 0;
  return a.first - b.first || a.view.dstIp - b.view.dstIp || a.mac - b.mac || a.view.tap - b.view.tap;
}

function caseOf(scene: Scene, buckets: readonly MisdeliveredFrames[]): Case {
  const { r, around } = scene;
  const sorted = buckets.toSorted((a, b) => b.frames - a.frames || a.first - b.first || a.view.tap - b.view.tap);
  const [main] = sorted;
  if (!main) throw new Error('a case without frames');
  const { view } = main;
  const network = around.networks.of[view.tap] ?? 0;
  const ownership = scene.ownerships.get(addressKey(network, view.dstIp));
  const earliest = buckets.reduce((a, b) => (b.first < a.first ? b : a));
  const flows = flowsOf(scene, new Set(buckets.flatMap((bucket) => [...bucket.legs])));
  return {
    buckets: sorted,
    network,
    transmitter: view.transmitter,
    dstIp: view.dstIp,
    mac: main.mac,
    expected: [...new Set(buckets.flatMap((bucket) => [...bucket.expected]))],
    class: main.class,
    flows,
    flowOfLeg: new Map(flows.flatMap((found) => found.flow.legs.map((leg) => [leg, found] as const))),
    first: earliest.first,
    firstOrigin: {
      input: scene.places.inputName(r.taps.all[earliest.view.tap]?.input ?? 0),
      frame: earliest.ranges[0] ?? 0,
    },
    last: Math.max(...buckets.map((bucket) => bucket.last)),
    ownership,
    tenure: ownership?.tenures.findLast((tenure) => tenure.start <= earliest.first),
    host:
      around.hosts.find((host) => host.macs.has(view.transmitter)) ??
      around.hosts.find((host) => mayTransmit(host, view.transmitter)),
    frames: scene.trace
      .of(view.tap, view.transmitter, view.dstIp)
      .toSorted((a, b) => a.time - b.time || a.frame - b.frame),
  };
}

function flowsOf(scene: Scene, legs: ReadonlySet<number>): CaseFlow[] {
  const found = new Map<AffectedFlow, CaseFlow>();
  for (const leg of legs) {
    const flow = scene.flowOfLeg.get(leg);
    if (!flow || found.has(flow)) continue;
    const shown = flow.conntrack.flatMap((entry) => offloadSpans(scene.r.facts.conntrack, entry));
    const direction = directionOf(flow, leg);
    const undated = shown.length === 0 && flow.conntrack.some((entry) => OFFLOADED.includes(entry.offload));
    const inferred = undated ? [] : inferredSpans(scene, flow).filter(isShown);
    const spans = shown.length > 0 ? refined(scene, flow, scene.trails.of(flow), shown) : inferred;
    found.set(flow, { flow, spans, undated, direction });
  }
  return [...found.values()];
}

/** Frames that left the bridge, or that no tap saw, show an offload; what only fits one does not. */
function isShown({ from }: OffloadSpan): boolean {
  return from.source === 'left-bridge' || from.source === 'unseen';
}

const OFFLOADED: readonly string[] = ['software', 'hardware', 'inferred'];

/** How the next hop of a case is wrong; undefined when that is not what is wrong. */
export function faultOf(kase: Case): NextHopFault | undefined {
  return kase.buckets[0]?.fault;
}

/** Where a traced frame stands. */
export function originOf(scene: Scene, frame: TracedFrame): Origin {
  return { input: scene.places.inputName(frame.input), frame: frame.frame };
}
