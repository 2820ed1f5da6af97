/** What ends an offload that nothing shows the end of: FIN or RST, nothing to forward for 30 s, a firewall loaded anew. */

import type { FlowPacket } from '../detect/packets.js';
import type { Moment, OffloadSpan } from '../reconstruct/offload.js';
import type { Scene } from './scene.js';
import { momentBetween } from './left-bridge.js';
import { loggedBetween } from './log.js';

/** Ends that are known as bounds only. */
const BOUNDS: readonly string[] = ['snapshot', 'left-bridge', 'unseen'];
const TCP = 6;
const FIN_RST = 0x05;
/** nf_flowtable_tcp_timeout and nf_flowtable_udp_timeout (nf_conntrack-sysctl.rst), and the collector runs each second. */
const IDLE = 30e9;
const COLLECTED = 1e9;

/** The span with its end, when the packets or a log show one earlier and more exactly than what is known. */
export function withEnd(scene: Scene, packets: readonly FlowPacket[], span: OffloadSpan): OffloadSpan {
  if (span.to && !BOUNDS.includes(span.to.source)) return span;
  const limit = span.to?.latest ?? Infinity;
  const ends = [finAfter(packets, span), idleAfter(scene, packets, span), reloadAfter(scene, span)]
    .filter((end) => end !== undefined)
    .filter((end) => end.latest > span.shown && end.earliest <= limit)
    .sort((a, b) => a.latest - b.latest);
  const [to] = ends;
  return to ? { ...span, to } : span;
}

/** A FIN or RST takes the classic path and tears the flow down (flow_offload_teardown). */
function finAfter(packets: readonly FlowPacket[], { from, shown }: OffloadSpan): Moment | undefined {
  for (const { sightings } of packets) {
    const [frame] = sightings;
    if (frame?.view.protocol !== TCP) return undefined;
    const isAfter = frame.time > Math.max(from.earliest, shown);
    if (isAfter && (frame.detail & FIN_RST) !== 0) return momentBetween(frame.time, frame, 'fin');
  }
  return undefined;
}

/** After 30 s without a packet in either direction the entry is collected. */
function idleAfter(scene: Scene, packets: readonly FlowPacket[], { from, shown }: OffloadSpan): Moment | undefined {
  for (const [i, packet] of packets.entries()) {
    const last = packet.sightings.at(-1);
    if (!last || packet.time < from.earliest) continue;
    const input = packet.sightings[0]?.input ?? -1;
    const next = packets[i + 1]?.time ?? scene.r.spans.get(input)?.last ?? -Infinity;
    if (next - last.time < IDLE + COLLECTED || last.time + IDLE < shown) continue;
    const [earliest, latest] = [last.time + IDLE, last.time + IDLE + COLLECTED];
    return { time: latest, earliest, latest, source: 'idle', origin: { input: last.input, frame: last.frame } };
  }
  return undefined;
}

/** Loading the firewall anew deletes the flowtable (fw4). */
function reloadAfter(scene: Scene, { shown }: OffloadSpan): Moment | undefined {
  const [reload] = loggedBetween(scene, ['firewall-reload'], shown, Infinity).filter(
    ({ earliest }) => earliest > shown,
  );
  if (!reload) return undefined;
  const { earliest, latest, fact } = reload;
  return { time: latest, earliest, latest, source: 'reload', origin: fact.origin };
}
