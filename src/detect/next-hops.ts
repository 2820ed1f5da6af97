/**
 * Next hops that a cache chose: packets of turned flows, each judged by the way that it took. A router that hands a
 * packet back to the MAC it came from, though it sends others of that MAC on, has it in a loop; one that passes by a
 * gateway on the LAN what it handed to it before and after lets it bypass that gateway.
 *
 * Such a way is wrong only against what the same router does at the same time with packets that take the classic path,
 * or while conntrack shows the flow offloaded: tables may change, and then all packets follow.
 */

import { formatMac, type Mac } from '../bytes/address.js';
import type { Witness } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import { offloadSpans } from '../reconstruct/offload.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { AffectedFlow } from './flows.js';
import type { Ruling } from './ruling.js';
import { runsOfLeg, viewLeg } from './legs.js';
import type { Networks } from './networks.js';
import type { Ownership } from './ownership.js';
import type { NextHopFault, SeenAt } from './next-hop-fault.js';
import { packetsOf, stepsOf, timeOfHop, type Hop, type Packet, type Step } from './packet-paths.js';
import type { Trace, TracedFrame } from './trace.js';
import {
  beganAtTrigger,
  detoursOf,
  escapes,
  hopsBefore,
  MIN_UNSEEN,
  runsPast,
  seenAt,
  spanOf,
  turnKey,
  wasOffloaded,
  wayKey,
  type Direction,
  type Visit,
} from './turned-direction.js';
import { turnedFlows } from './turned-flows.js';

/** At most this many packets of the right way are kept as evidence. */
const MAX_RIGHT = 50;

export class NextHops {
  /** Legs whose frames are judged only when all captures were read again. */
  readonly legs: ReadonlySet<number>;
  private readonly r: Reconstruction;
  private readonly networks: Networks;
  private readonly ownerships: ReadonlyMap<number, Ownership>;
  private readonly inputName: (input: number) => string;
  private readonly turned: readonly number[][];
  private directions: readonly Direction[] = [];
  /** Steps of a client's packets by the MACs that they came in from and to. */
  private readonly turns = new Map<string, Step[]>();
  /** Legs that are not of turned flows, by source and destination. */
  private readonly others = new Map<string, number[]>();

  constructor(
    r: Reconstruction,
    networks: Networks,
    ownerships: ReadonlyMap<number, Ownership>,
    inputName: (input: number) => string,
  ) {
    this.r = r;
    this.networks = networks;
    this.ownerships = ownerships;
    this.inputName = inputName;
    this.turned = turnedFlows(r);
    this.legs = new Set(this.turned.flat());
  }

  /** The frames that went to a wrong next hop, with their rulings. */
  judge(trace: Trace, flowOfLeg: ReadonlyMap<number, AffectedFlow>): Map<TracedFrame, Ruling> {
    const rulings = new Map<TracedFrame, Ruling>();
    const directions = this.turned.map((legs) => this.directionOf(legs, trace, flowOfLeg));
    this.directions = directions;
    this.collectOthers();
    for (const { srcIp, steps } of directions) {
      for (const step of steps) {
        const key = turnKey(srcIp, step.into.from, step.into.to);
        const list = this.turns.get(key);
        if (list) list.push(step);
        else this.turns.set(key, [step]);
      }
    }
    for (const direction of directions) {
      this.judgeLoops(direction, rulings);
      this.judgeBypass(direction, rulings);
    }
    return rulings;
  }

  /** Finds what the clients of turned flows sent to the same addresses besides. */
  private collectOthers(): void {
    if (this.directions.length === 0) return;
    const sources = new Set(this.directions.map(({ srcIp }) => srcIp));
    const wanted = new Set(this.directions.map(wayKey));
    for (let leg = 0; leg < this.r.legs.count; leg++) {
      const view = viewLeg(this.r, leg);
      if (!sources.has(view.srcIp) || this.legs.has(leg)) continue;
      const key = wayKey(view);
      const list = this.others.get(key);
      if (list) list.push(leg);
      else if (wanted.has(key)) this.others.set(key, [leg]);
    }
  }

  private directionOf(legs: readonly number[], trace: Trace, flowOfLeg: ReadonlyMap<number, AffectedFlow>): Direction {
    const packets = packetsOf(legs.flatMap((leg) => trace.ofLeg(leg)));
    const flow = flowOfLeg.get(legs[0] ?? -1);
    const view = viewLeg(this.r, legs[0] ?? 0);
    return {
      legs,
      flow,
      spans: (flow?.conntrack ?? []).flatMap((entry) => offloadSpans(this.r.facts.conntrack, entry)),
      srcIp: view.srcIp,
      dstIp: view.dstIp,
      packets,
      steps: packets.flatMap((packet) => stepsOf(packet, (tap) => this.networks.of[tap] ?? -1)),
    };
  }

  /** Packets that went back to where they came from, while the same router sent others from there on. */
  private judgeLoops(direction: Direction, rulings: Map<TracedFrame, Ruling>): void {
    const turned = direction.steps.filter((step) => step.out.to === step.into.from);
    for (const gateway of new Set(turned.map((step) => step.into.from))) {
      const wrong = turned.filter((step) => step.into.from === gateway);
      const routers = new Set(wrong.map((step) => step.into.to));
      const right = [...routers]
        .flatMap((router) => this.turns.get(turnKey(direction.srcIp, gateway, router)) ?? [])
        .filter(({ out }) => out.to !== gateway);
      const expected = new Set(right.map((step) => step.out.to));
      const [first] = right;
      if (expected.size !== 1 || !first) continue;
      const { from, to } = spanOf(wrong.map((step) => step.out));
      const meanwhile = right
        .map((step) => step.out)
        .filter(
          (hop) => timeOfHop(hop) >= from && timeOfHop(hop) <= to && hop.frames[0]?.view.dstIp === direction.dstIp,
        );
      const escaped = direction.steps.some(
        (step) => right.includes(step) && escapes(step.out) && timeOfHop(step.out) >= from,
      );
      if (meanwhile.length === 0 && !escaped && !wasOffloaded(direction, from, to) && !beganAtTrigger(direction, from))
        continue;
      const ruling = this.ruling(direction, [...expected], first.out.to, seenAt(first.out), {
        kind: 'loop',
        gateway,
        right: meanwhile.slice(0, MAX_RIGHT).map(seenAt),
        shown: Math.max(...right.map((step) => timeOfHop(step.out)).filter((time) => time <= from)),
      });
      for (const { out } of wrong) for (const frame of out.frames) rulings.set(frame, ruling);
    }
  }

  /** Packets that did not go by the gateway on the LAN that others of the flow go by. */
  private judgeBypass(direction: Direction, rulings: Map<TracedFrame, Ruling>): void {
    for (const { gateway, router, top } of detoursOf(direction)) {
      const onward = new Set(
        (this.turns.get(turnKey(direction.srcIp, gateway, router)) ?? [])
          .filter(({ out }) => out.to !== gateway)
          .map(({ out }) => `${out.from} ${out.to}`),
      );
      const before = hopsBefore(direction, router, gateway, onward);
      // A client that sends with changing hop limits cannot be told from one whose packets take another way.
      if (before === 'changing') continue;
      const wayOf = (packet: Packet): Hop | 'by' | undefined =>
        packet.hops.some((hop) => hop.to === gateway && hop.from === router)
          ? 'by'
          : packet.hops.find((hop) => hop.hopLimit === top && onward.has(`${hop.from} ${hop.to}`));
      const visits = this.visits(direction, router, gateway);
      for (const { hops, isAtTrigger } of runsPast(direction.packets, wayOf)) {
        const { from, to } = spanOf(hops);
        const right = visits.filter(({ time, isFree }) => isFree && time >= from && time <= to);
        const isOffloaded = wasOffloaded(direction, from, to);
        const isEscaped = right.some(({ isOwn }) => isOwn);
        // Where some capture shows what comes from the client, it shows it of these too.
        const isShown =
          before === 'unseen' ? hops.length >= MIN_UNSEEN : hops.some((hop) => this.cameIn(direction, hop));
        if (!isShown) continue;
        if (!isEscaped && Number(isAtTrigger) + Number(isOffloaded) + Number(right.length > 0) < 2) continue;
        const shown = visits.findLast(({ time }) => time <= from);
        if (!shown) continue;
        const fault: NextHopFault = {
          kind: 'bypass',
          gateway,
          right: right.slice(0, MAX_RIGHT),
          shown: shown.time,
        };
        const ruling = this.ruling(direction, [gateway], gateway, shown, fault);
        for (const hop of hops) for (const frame of hop.frames) rulings.set(frame, ruling);
      }
    }
  }

  /** Whether some capture shows the packet on its way into the router, with a hop limit one higher. */
  private cameIn({ steps }: Direction, hop: Hop): boolean {
    return steps.some((step) => step.out === hop);
  }

  /**
   * When packets of the client for the same address went to the gateway, in order of time: of turned flows each one, of
   * others the first and last of each run. Those of the same flow say something only where they cannot be offloaded.
   */
  private visits(direction: Direction, router: Mac, gateway: Mac): Visit[] {
    const visits: Visit[] = [];
    for (const { packets, legs } of this.directions) {
      const view = viewLeg(this.r, legs[0] ?? 0);
      if (view.srcIp !== direction.srcIp || view.dstIp !== direction.dstIp) continue;
      const isOwn = legs === direction.legs;
      for (const hop of packets.flatMap((packet) => packet.hops)) {
        if (hop.from !== router || hop.to !== gateway) continue;
        visits.push({ ...seenAt(hop), isOwn, isFree: !isOwn || escapes(hop) });
      }
    }
    for (const leg of this.others.get(wayKey(direction)) ?? []) {
      const view = viewLeg(this.r, leg);
      if (view.transmitter !== router) continue;
      for (const run of runsOfLeg(this.r, leg)) {
        if (run.mac !== gateway || run.mixed) continue;
        const common = { tap: view.tap, isOwn: false, isFree: true };
        visits.push({ ...common, frame: run.firstFrame, time: run.first });
        if (run.frames > 1) visits.push({ ...common, frame: run.lastFrame, time: run.last });
      }
    }
    return visits.filter(({ time }) => !Number.isNaN(time)).sort((x, y) => x.time - y.time);
  }

  private ruling(direction: Direction, expected: readonly Mac[], mac: Mac, shown: SeenAt, fault: NextHopFault): Ruling {
    const witness: Witness = {
      kind: 'own-frame',
      ip: this.r.addresses.format(direction.dstIp),
      mac: formatMac(mac),
      time: this.r.epoch.text(shown.time),
      origin: { input: this.inputName(this.r.taps.all[shown.tap]?.input ?? -1), frame: shown.frame },
    };
    // The owner itself would have been next: then it is the way out of the router that is wrong, not only the next hop.
    const key = addressKey(this.networks.of[shown.tap] ?? -1, direction.dstIp);
    const isLastHop = this.ownerships.get(key)?.tenures.some((tenure) => tenure.macs.includes(mac)) ?? false;
    const name = isLastHop ? 'wrong-egress' : 'wrong-next-hop';
    return { verdict: 'misdelivered', class: name, expected, because: [witness], fault };
  }
}
