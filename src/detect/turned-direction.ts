/** Directions of turned flows, and what is asked of them: who was visited, and when the way changed. */

import type { Ip, Mac } from '../bytes/address.js';
import type { OffloadSpan } from '../reconstruct/offload.js';
import type { AffectedFlow } from './flows.js';
import type { SeenAt } from './next-hop-fault.js';
import { timeOfHop, type Hop, type Packet, type Step } from './packet-paths.js';
import { isEscape } from './trace.js';

/** One direction of a turned flow, with its packets. */
export interface Direction {
  readonly legs: readonly number[];
  readonly flow: AffectedFlow | undefined;
  readonly spans: readonly OffloadSpan[];
  readonly srcIp: Ip;
  readonly dstIp: Ip;
  readonly packets: readonly Packet[];
  readonly steps: readonly Step[];
}

/** A packet of a client that went to its gateway. */
export interface Visit extends SeenAt {
  /** Of the flow itself. */
  readonly isOwn: boolean;
  /** No cache chose its way: it is of another flow, or cannot be offloaded. */
  readonly isFree: boolean;
}

export function turnKey(srcIp: Ip, from: Mac, to: Mac): string {
  return `${srcIp} ${from} ${to}`;
}

/** Whether the packets that came to the router all had one hop limit, on each of their hops. */
export function hopsBefore(
  { packets }: Direction,
  router: Mac,
  gateway: Mac,
  onward: ReadonlySet<string>,
): 'steady' | 'changing' | 'unseen' {
  const limits = new Map<string, number>();
  for (const hop of packets.flatMap((packet) => packet.hops)) {
    const key = `${hop.from} ${hop.to}`;
    if (hop.from === router || hop.from === gateway || onward.has(key)) continue;
    if ((limits.get(key) ?? hop.hopLimit) !== hop.hopLimit) return 'changing';
    limits.set(key, hop.hopLimit);
  }
  return limits.size === 0 ? 'unseen' : 'steady';
}

/** Key of the packets between two addresses, one way. */
export function wayKey({ srcIp, dstIp }: { readonly srcIp: Ip; readonly dstIp: Ip }): string {
  return `${srcIp} ${dstIp}`;
}

const TCP = 6;
const SYN = 0x02;
const SOON = 2e9;
/** An entry that no packet uses for this long leaves the flowtable (nf_flowtable_udp_timeout); the next packet is a new beginning. */
const IDLE = 25e9;
/** Packets that must have gone past where no capture shows them on their way in. */
export const MIN_UNSEEN = 3;
/** A flow is offloaded at its second or third packet; some more may be on their way. */
const MAX_BEFORE_OFFLOAD = 4;

/** Whether packets went wrong from the one on that the kernel offloads a flow at: the third of TCP, the second of UDP. */
export function beganAtTrigger({ packets }: Direction, from: number): boolean {
  const [begin, second] = packets;
  // This direction alone holds the first and the third packet of a TCP handshake.
  const trigger = second?.hops[0];
  const isTcp = trigger?.frames[0]?.view.protocol === TCP;
  const isBegin = !isTcp || begin?.hops.some((hop) => hop.frames.some((frame) => (frame.detail & SYN) !== 0));
  return isBegin === true && trigger !== undefined && Math.abs(timeOfHop(trigger) - from) < SOON;
}

/** Gateways that a router's packets of the flow went to and came back from, and the hop limit that they went there with. */
export function detoursOf({ packets }: Direction): { gateway: Mac; router: Mac; top: number }[] {
  const found = new Map<string, { gateway: Mac; router: Mac; tops: Set<number> }>();
  for (const { hops } of packets) {
    for (const [i, out] of hops.entries()) {
      const isFirst = !hops.slice(0, i).some((hop) => hop.from === out.to || hop.to === out.to);
      if (
        !isFirst ||
        !hops.some((back) => back.from === out.to && back.to === out.from && back.hopLimit <= out.hopLimit)
      )
        continue;
      const key = `${out.from} ${out.to}`;
      const detour = found.get(key);
      if (detour) detour.tops.add(out.hopLimit);
      else found.set(key, { gateway: out.to, router: out.from, tops: new Set([out.hopLimit]) });
    }
  }
  return [...found.values()].flatMap(({ gateway, router, tops }) => {
    const [top] = tops;
    return tops.size === 1 && top !== undefined ? [{ gateway, router, top }] : [];
  });
}

/** Unbroken rows of packets that went past the gateway, and whether each began where an offload does. */
export function runsPast(
  packets: readonly Packet[],
  wayOf: (packet: Packet) => Hop | 'by' | undefined,
): { hops: Hop[]; isAtTrigger: boolean }[] {
  const runs: { hops: Hop[]; isAtTrigger: boolean }[] = [];
  let by: number[] = [];
  let last = -Infinity;
  let isPast = false;
  for (const packet of packets) {
    const way = wayOf(packet);
    const [head] = packet.hops;
    if (way === undefined || !head) continue;
    const time = timeOfHop(head);
    if (way === 'by') {
      // Packets that cannot be offloaded end no run.
      if (packet.hops.some(escapes) && isPast) continue;
      if (isPast || time - last > IDLE) by = [];
      isPast = false;
      by.push(time);
    } else {
      const run = runs.at(-1);
      if (isPast && run) run.hops.push(way);
      else {
        const isAtTrigger = by.length > 0 && by.length <= MAX_BEFORE_OFFLOAD && time - (by[0] ?? 0) < SOON;
        runs.push({ hops: [way], isAtTrigger });
      }
      isPast = true;
    }
    last = time;
  }
  return runs;
}

/** Whether the direction's flow was offloaded at some time between two moments (ns since the analysis epoch), as far as conntrack or captures tell. */
export function wasOffloaded({ spans, flow }: Direction, from: number, to: number): boolean {
  if (spans.length > 0) return spans.some((span) => covers(span, from, to));
  return flow?.conntrack.some(({ offload }) => offload !== 'none' && offload !== 'unknown') ?? false;
}

function covers({ from, to }: OffloadSpan, first: number, last: number): boolean {
  return from.earliest <= last && (to?.latest ?? Infinity) >= first;
}

/** Whether a packet cannot be offloaded, whatever its flow is. */
export function escapes(hop: Hop): boolean {
  return hop.frames.some(isEscape);
}

/** The first and the last time of some hops, ns since the analysis epoch. */
export function spanOf(hops: readonly Hop[]): { from: number; to: number } {
  const times = hops.map(timeOfHop);
  return { from: Math.min(...times), to: Math.max(...times) };
}

/** Where and when a hop was seen. */
export function seenAt(hop: Hop): SeenAt {
  const [frame] = hop.frames;
  const view = frame?.view;
  return { tap: view?.tap ?? -1, frame: frame?.frame ?? 0, time: frame?.time ?? NaN };
}
