/** The tests that tell causes apart: D1 to D11, each with its evidence. */

import { formatMac, type Mac } from '../bytes/address.js';
import type { NextHopFault } from '../detect/next-hop-fault.js';
import { isEscape, type TracedFrame } from '../detect/trace.js';
import { frameOrigin } from '../detect/witnesses.js';
import type { ControlTable, Origin, TestResult } from '../model.js';
import type { Case, Scene } from './case.js';
import { faultOf, originOf } from './case.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { OffloadSpan } from '../reconstruct/offload.js';
import { fisherExact } from './fisher.js';
import { tookFastPath, wasOffloaded, wentWrongPlain } from './fast-path.js';
import { ownersOfMac } from './identity.js';
import { onsetOf, recoveryOf, triggerOf } from './onset.js';
import { areTablesKnown } from './policy-routing.js';

type TestId = 'D1' | 'D2' | 'D3' | 'D4' | 'D5' | 'D6' | 'D7' | 'D8' | 'D9' | 'D10' | 'D11';

const MAX_EVIDENCE = 5;
/** A packet that came in at most this long before is the one that goes out again. */
const TURN = 1e9;

const TESTS: Readonly<Record<TestId, { title: string; run: (scene: Scene, kase: Case) => Answer }>> = {
  D1: { title: 'Was other traffic to the same address right at the same time?', run: concurrentTraffic },
  D2: { title: 'Were packets of the same flow right that cannot be offloaded?', run: escapes },
  D3: { title: 'What does the onset follow?', run: onset },
  D4: { title: 'Is the wrong MAC a known host?', run: whoseMac },
  D5: { title: 'Did ARP or neighbour discovery say it right?', run: addressTruth },
  D6: { title: 'Did the packets come from the MAC that they were sent to?', run: boomerang },
  D7: { title: 'Did the router send the frames?', run: transmitter },
  D8: { title: 'Which direction went wrong?', run: direction },
  D9: { title: 'Was the flow offloaded?', run: conntrackState },
  D10: { title: 'Did it end with the cached entry?', run: ending },
  D11: { title: 'Does the place of the capture make sense?', run: tap },
};

type Answer = Omit<TestResult, 'id' | 'title'>;

/** All tests of a case, in order. */
export function runTests(scene: Scene, kase: Case): TestResult[] {
  return Object.entries(TESTS).map(([id, { title, run }]) => ({ id, title, ...run(scene, kase) }));
}

function concurrentTraffic(scene: Scene, kase: Case): Answer {
  const fault = faultOf(kase);
  if (fault) return concurrentWays(scene, kase, fault);
  const table = { offloadedRight: 0, offloadedWrong: 0, otherRight: 0, otherWrong: 0 };
  const right: TracedFrame[] = [];
  const isRouted = mayBeRouted(scene, kase);
  for (const frame of controlFrames(scene, kase)) {
    if (!(frame.time >= kase.first && frame.time <= kase.last)) continue;
    const isRight = kase.expected.includes(frame.dstMac) && frame.verdict !== 'misdelivered';
    if (isRight ? isRouted && isOwn(scene, frame) : frame.dstMac !== kase.mac) continue;
    const isOffloaded = isRight ? wasOffloaded(kase, frame) : tookFastPath(scene, kase, frame);
    if (isOffloaded === undefined) continue;
    if (isOffloaded) table[isRight ? 'offloadedRight' : 'offloadedWrong']++;
    else table[isRight ? 'otherRight' : 'otherWrong']++;
    if (isRight && !isOffloaded) right.push(frame);
  }
  const { offloadedRight: a, offloadedWrong: b, otherRight: c, otherWrong: d } = table;
  const withOdds: ControlTable = { ...table, probability: fisherExact(a, b, c, d) };
  if (c === 0) {
    return {
      result: d > 0 ? 'no' : 'unknown',
      what: d > 0 ? 'What was not offloaded went wrong too.' : 'There was no other traffic to compare with.',
      evidence: [],
      table: withOdds,
    };
  }
  return {
    result: c > d ? 'yes' : 'no',
    what: `${c} of ${c + d} frames that were not offloaded went right, ${a} of ${a + b} offloaded ones.`,
    evidence: origins(scene, right),
    table: withOdds,
  };
}

/** As above, where the next hop is wrong: the right way leads over other taps, and the engine followed it there. */
function concurrentWays(scene: Scene, kase: Case, { right }: NextHopFault): Answer {
  const wrong = kase.buckets[0]?.frames ?? 0;
  const table = { offloadedRight: 0, offloadedWrong: wrong, otherRight: right.length, otherWrong: 0 };
  if (right.length === 0) {
    return {
      result: 'unknown',
      what: 'There was no other traffic to compare with.',
      evidence: [],
      table: { ...table, probability: 1 },
    };
  }
  const { offloadedRight: a, offloadedWrong: b, otherRight: c, otherWrong: d } = table;
  return {
    result: 'yes',
    what: `${c} packets that were not offloaded went right meanwhile, ${b} offloaded ones did not.`,
    evidence: right.slice(0, MAX_EVIDENCE).map(({ tap, frame }) => frameOrigin(scene.r, scene.around, tap, frame)),
    table: { ...table, probability: fisherExact(a, b, c, d) },
  };
}

/** What the sender sent to the address: on the tap of the case, and where only the port is wrong, on the other ports too. */
function controlFrames(scene: Scene, kase: Case): readonly TracedFrame[] {
  if (kase.class !== 'wrong-port') return kase.frames;
  const isSame = (f: TracedFrame): boolean => f.view.transmitter === kase.transmitter && f.view.dstIp === kase.dstIp;
  return scene.trace.frames.filter((f) => isSame(f) && scene.around.networks.of[f.view.tap] === kase.network);
}

/** Whether the sender made the packet itself: the marks that it sets on what it forwards are not on those. */
function isOwn(scene: Scene, { view }: TracedFrame): boolean {
  const network = scene.around.networks.of[view.tap] ?? 0;
  const host = scene.around.hosts.find(({ macs }) => macs.has(view.transmitter));
  const has = host && [...host.devices.values()].some((device) => device.addresses.some(({ ip }) => ip === view.srcIp));
  if (has === true) return true;
  return scene.ownerships.get(addressKey(network, view.srcIp))?.macs.includes(view.transmitter) ?? false;
}

/**
 * Whether a table of policy routing may lead the frames there: not where the MAC had the address itself before, or where
 * the tables are known.
 */
function mayBeRouted(scene: Scene, kase: Case): boolean {
  const hadIt = kase.ownership?.tenures.some((tenure) => tenure.macs.includes(kase.mac)) ?? true;
  return !hadIt && !areTablesKnown(scene, kase);
}

/** Whether the right way leads over another tap. */
function leadsElsewhere(kase: Case): boolean {
  return kase.class === 'wrong-next-hop' || kase.class === 'wrong-egress';
}

function escapes(scene: Scene, kase: Case): Answer {
  const own = new Set(kase.flows.flatMap(({ flow }) => flow.legs));
  const frames = leadsElsewhere(kase) ? [...own].flatMap((leg) => scene.trace.ofLeg(leg)) : kase.frames;
  const after = frames.filter((f) => own.has(f.view.leg) && f.time >= kase.first && isEscape(f));
  const right = after.filter((f) => kase.expected.includes(f.dstMac));
  const wrong = after.filter((f) => (leadsElsewhere(kase) ? f.verdict === 'misdelivered' : f.dstMac === kase.mac));
  if (right.length + wrong.length === 0) return { result: 'unknown', what: 'No such packet was seen.', evidence: [] };
  return {
    result: right.length > 0 && right.length >= wrong.length ? 'yes' : 'no',
    what: `${right.length} of ${right.length + wrong.length} packets with FIN, RST or SYN, fragments or options went right.`,
    evidence: origins(scene, right),
  };
}

function onset(scene: Scene, kase: Case): Answer {
  const found = onsetOf(scene, kase);
  if (found.after === 'unknown')
    return {
      result: 'unknown',
      what: 'It follows neither a take-over nor an offload that is known.',
      evidence: [found.origin],
    };
  const ms = (kase.first - scene.r.epoch.relative(BigInt(found.since ?? 0))) / 1e6;
  const event = EVENTS[found.after];
  const distance = `${Math.abs(Math.round(ms))} ms ${ms < 0 ? 'before it is known that' : 'after'}`;
  return {
    result: 'yes',
    what: `The first wrong frame came ${distance} ${event}.`,
    evidence: [found.origin],
  };
}

const EVENTS = {
  'take-over': 'the address was taken over',
  'route-change': 'the rules or routes were changed',
  offload: 'the flow was offloaded',
};

function whoseMac(scene: Scene, kase: Case): Answer {
  const owners = ownersOfMac(scene, kase);
  if (owners.length === 0)
    return { result: 'no', what: `Nobody is known to have ${formatMac(kase.mac)}.`, evidence: [] };
  return {
    result: 'yes',
    what: owners.map((owner) => owner.what).join('; '),
    evidence: owners.flatMap((owner) => owner.evidence).slice(0, MAX_EVIDENCE),
  };
}

function addressTruth(_scene: Scene, kase: Case): Answer {
  const tenures = kase.ownership?.tenures ?? [];
  if (!kase.tenure)
    return { result: 'unknown', what: 'No ARP or neighbour discovery for the address was seen.', evidence: [] };
  const evidence = kase.tenure.testimonies
    .map((t) => t.origin)
    .filter((o) => o !== undefined)
    .slice(0, MAX_EVIDENCE);
  if (kase.tenure.macs.length > 1)
    return { result: 'no', what: 'Several MACs claimed the address at the same time.', evidence };
  const changed =
    tenures.length > 1 ? 'It changed its MAC; what was said at the time was right.' : 'It was right throughout.';
  return { result: 'yes', what: changed, evidence };
}

function boomerang(scene: Scene, kase: Case): Answer {
  const wrong = kase.frames.filter((f) => f.verdict === 'misdelivered' && f.fingerprint !== 0);
  if (wrong.length === 0) return { result: 'unknown', what: 'The packets cannot be told apart.', evidence: [] };
  // Packets that are all the same have one fingerprint, so that each is searched for once.
  const arrivals = new Map<number, number[]>();
  const turned = wrong.filter((frame) => {
    let times = arrivals.get(frame.fingerprint);
    if (!times) arrivals.set(frame.fingerprint, (times = arrivalsFrom(kase.mac, scene.trace.alike(frame))));
    return frame.time - latestBy(times, frame.time) < TURN;
  });
  return {
    result: turned.length > 0 ? 'yes' : 'no',
    what: `${turned.length} of ${wrong.length} packets had come in from the MAC that they went to.`,
    evidence: origins(scene, turned),
  };
}

/** When a MAC sent them, in order. */
function arrivalsFrom(mac: Mac, frames: readonly TracedFrame[]): number[] {
  const times = frames.filter(({ view, time }) => view.transmitter === mac && !Number.isNaN(time)).map((f) => f.time);
  return times.sort((a, b) => a - b);
}

/** The latest of some times in order that is not after `time`; -Infinity when none is. */
function latestBy(times: readonly number[], time: number): number {
  let from = 0;
  let to = times.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((times[middle] ?? Infinity) <= time) from = middle + 1;
    else to = middle;
  }
  return times[from - 1] ?? -Infinity;
}

function transmitter(scene: Scene, kase: Case): Answer {
  const mac = formatMac(kase.transmitter);
  if (kase.host) return { result: 'yes', what: `${mac} is the router whose dumps are at hand.`, evidence: [] };
  if (scene.around.routers.has(kase.transmitter))
    return { result: 'yes', what: `${mac} passes on what others made.`, evidence: [] };
  return { result: 'no', what: `${mac} is not known to be a router.`, evidence: [] };
}

function direction(_scene: Scene, kase: Case): Answer {
  const directions = new Set(kase.flows.map((flow) => flow.direction));
  if (directions.size === 0) return { result: 'unknown', what: 'The flow is not known.', evidence: [] };
  const names = [...directions].sort().join(' and ');
  return { result: 'yes', what: `Packets of the ${names} direction.`, evidence: [] };
}

/** What captures show of an offload without conntrack. */
const SEEN: readonly string[] = ['left-bridge', 'unseen'];

function conntrackState(scene: Scene, kase: Case): Answer {
  const known = kase.flows.filter(({ flow, spans }) => flow.conntrack.length > 0 || spans.length > 0);
  if (known.length === 0) {
    return { result: 'unknown', what: 'There is no conntrack entry of the flow.', evidence: [] };
  }
  const overlaps = ({ from, to }: OffloadSpan): boolean =>
    from.earliest <= kase.last && (to?.latest ?? Infinity) >= kase.first;
  const dated = known.filter(({ spans }) => spans.some(overlaps));
  const undated = known.filter((flow) => flow.undated);
  const origins = [
    ...dated.flatMap(({ spans }) => spans.map((span) => span.from.origin)),
    ...undated.flatMap(({ flow }) => flow.conntrack.map((entry) => entry.first.origin)),
  ];
  const isSeen = dated.some(({ spans }) =>
    spans.some(({ kind, from }) => kind === 'inferred' && SEEN.includes(from.source)),
  );
  const by = isSeen ? ', as its frames show: they went on and passed the bridge, or any tap, no longer' : '';
  const when = dated.length === 0 && undated.length > 0 ? 'in a dump without a time' : 'at the time';
  const shown = dated.length + undated.length;
  if (shown === 0 && !known.some((flow) => wentWrongPlain(scene, kase, flow)))
    return { result: 'unknown', what: 'Conntrack does not show the flow at the time.', evidence: [] };
  return {
    result: shown > 0 ? 'yes' : 'no',
    what: `${shown} of ${known.length} flows ${known.length === 1 ? 'was' : 'were'} offloaded ${when}${by}.`,
    evidence: origins
      .slice(0, MAX_EVIDENCE)
      .map((origin) => ({ ...origin, input: scene.places.inputName(origin.input) })),
  };
}

function ending(scene: Scene, kase: Case): Answer {
  const { by } = recoveryOf(scene, kase);
  const words = {
    'conntrack-deleted': 'It ended when the conntrack entry was deleted.',
    'offload-ended': 'It ended when the offload ended.',
    'firewall-reload': 'It ended when the firewall was loaded anew, which deletes the flowtable.',
    'capture-ended': 'It went on to the end of the capture.',
    unknown: 'It ended by itself; nothing shows why.',
  };
  const result = by === 'unknown' ? 'no' : by === 'capture-ended' ? 'unknown' : 'yes';
  return { result, what: words[by], evidence: [] };
}

function tap(scene: Scene, kase: Case): Answer {
  const places = new Set(kase.buckets.map((bucket) => scene.places.deviceName(bucket.view.tap)));
  const trigger = kase.flows.map((flow) => triggerOf(scene, flow)).find((t) => t !== undefined);
  const source = trigger
    ? ` The offload is known from ${trigger.source === 'computed' ? 'the packets' : `conntrack (${trigger.source})`}.`
    : '';
  return {
    result: 'yes',
    what: `The frames were seen leaving on ${[...places].sort().join(', ')}.${source}`,
    evidence: [],
  };
}

function origins(scene: Scene, frames: readonly TracedFrame[]): Origin[] {
  return frames.slice(0, MAX_EVIDENCE).map((frame) => originOf(scene, frame));
}
