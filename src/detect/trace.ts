/**
 * The packets of affected flows, kept one by one in the second reading: what happened to each on every tap. Only flows
 * with suspects, and what their senders sent to the same address meanwhile, are traced, up to a bound.
 */

import { macFromWords, type Ip, type Mac } from '../bytes/address.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { FrameFlag, type FrameBatch } from '../records/frame-batch.js';
import type { PacketBatch } from '../records/packet-batch.js';
import type { AffectedFlow } from './flows.js';
import { viewLeg, type LegView } from './legs.js';
import { legsAbout } from './legs-about.js';
import { messageOf, type Message } from './messages.js';

/** A packet on a tap. Times in ns since the analysis epoch. */
export interface TracedFrame {
  readonly view: LegView;
  readonly input: number;
  readonly frame: number;
  readonly time: number;
  readonly dstMac: Mac;
  readonly hopLimit: number;
  /** Equal for the same packet on every tap, before and after routing and NAT; 0 when too little was captured. */
  readonly fingerprint: number;
  /** TCP flags, or `type << 8 | code` of ICMP. */
  readonly detail: number;
  /** The TCP sequence number, as a signed word: such a number takes no room of its own. */
  readonly sequence: number;
  readonly payloadLength: number;
  /** A question or answer that users wait for. */
  readonly message: Message | undefined;
  readonly isFragment: boolean;
  readonly hasOptions: boolean;
  verdict: 'delivered' | 'misdelivered' | 'convergence' | 'not-judged';
}

/**
 * Packets that take the classic path in any case (nf_flow_table_ip.c): FIN, RST, SYN, fragments, IP options. One whose hop
 * limit expires never leaves the router.
 */
export function isEscape(frame: TracedFrame): boolean {
  if (frame.view.protocol !== TCP && frame.view.protocol !== UDP) return true;
  const isTcpEnd = frame.view.protocol === TCP && (frame.detail & FIN_SYN_RST) !== 0;
  return isTcpEnd || frame.isFragment || frame.hasOptions;
}

interface TracedLeg {
  readonly view: LegView;
  readonly input: number;
  readonly frames: TracedFrame[];
  /** Of all legs of its sender to its address on its tap. */
  readonly sameWay: TracedFrame[];
}

const MAX_FRAMES = 200_000;
const FINGERPRINT_BYTES = 96;
const TCP = 6;
const UDP = 17;
const FIN_SYN_RST = 0x07;

export class Trace {
  readonly frames: TracedFrame[] = [];
  /** Frames left out because of the bound. */
  dropped = 0;
  private readonly traced = new Map<number, TracedLeg>();
  private readonly byDestination = new Map<string, TracedFrame[]>();
  /** Frames by the fingerprints of misdelivered ones; made when it is first asked for: when all is judged. */
  private strays: Map<number, TracedFrame[]> | undefined;

  constructor(r: Reconstruction, legs: Iterable<number>) {
    for (const leg of legs) {
      const view = viewLeg(r, leg);
      const key = destinationKey(view.tap, view.transmitter, view.dstIp);
      let sameWay = this.byDestination.get(key);
      if (!sameWay) this.byDestination.set(key, (sameWay = []));
      this.traced.set(leg, { view, input: r.taps.all[view.tap]?.input ?? -1, frames: [], sameWay });
    }
  }

  /** What a transmitter sent to an address on a tap, as read. */
  of(tap: number, transmitter: Mac, dstIp: Ip): readonly TracedFrame[] {
    return this.byDestination.get(destinationKey(tap, transmitter, dstIp)) ?? [];
  }

  /** Frames of a leg, as read. */
  ofLeg(leg: number): readonly TracedFrame[] {
    return this.traced.get(leg)?.frames ?? [];
  }

  /** Frames that look like the same packet as a misdelivered one, as read; none where too little was captured to tell. */
  alike({ fingerprint }: TracedFrame): readonly TracedFrame[] {
    this.strays ??= this.findStrays();
    return this.strays.get(fingerprint) ?? [];
  }

  private findStrays(): Map<number, TracedFrame[]> {
    const strays = new Map<number, TracedFrame[]>();
    for (const { fingerprint, verdict } of this.frames) {
      if (verdict === 'misdelivered' && fingerprint !== 0) strays.set(fingerprint, []);
    }
    for (const frame of this.frames) strays.get(frame.fingerprint)?.push(frame);
    return strays;
  }

  /** Those that are traced. */
  legs(): Iterable<number> {
    return this.traced.keys();
  }

  /** Inputs that hold frames to trace. */
  inputs(): Set<number> {
    return new Set([...this.traced.values()].map(({ input }) => input));
  }

  /** Takes row `i` of a batch, if its leg is traced, and gives it as it is kept. `packets` is undefined for printed captures, which hold no bytes. */
  add(
    packets: PacketBatch | undefined,
    frames: FrameBatch,
    i: number,
    leg: number,
    verdict: TracedFrame['verdict'],
  ): TracedFrame | undefined {
    const traced = this.traced.get(leg);
    if (!traced) return undefined;
    if (this.frames.length >= MAX_FRAMES) {
      this.dropped++;
      return undefined;
    }
    const flags = frames.flags[i] ?? 0;
    const transport = packets ? transportOf(packets, frames, i) : NO_TRANSPORT;
    const frame: TracedFrame = {
      view: traced.view,
      input: traced.input,
      frame: frames.frame[i] ?? 0,
      time: frames.time[i] ?? NaN,
      dstMac: macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0),
      hopLimit: frames.hopLimit[i] ?? 0,
      fingerprint: transport.fingerprint,
      detail: frames.detail[i] ?? 0,
      sequence: transport.sequence,
      payloadLength: transport.payloadLength,
      message: transport.message,
      isFragment: (flags & FrameFlag.FRAGMENT) !== 0,
      hasOptions: (flags & FrameFlag.IP_OPTIONS) !== 0,
      verdict,
    };
    this.frames.push(frame);
    traced.frames.push(frame);
    traced.sameWay.push(frame);
    return frame;
  }
}

/**
 * Legs worth tracing: all of the affected flows on every tap, and all else that a suspect's sender sent to the same
 * address in the same network, which is the control.
 */
export function tracedLegs(
  r: Reconstruction,
  networkOf: Int32Array,
  suspects: Iterable<number>,
  flows: readonly AffectedFlow[],
): Set<number> {
  const traced = new Set(flows.flatMap((flow) => flow.legs));
  const key = (view: LegView): string => `${networkOf[view.tap]} ${view.transmitter} ${view.dstIp}`;
  const controls = new Set<string>();
  const destinations = new Set<Ip>();
  for (const leg of suspects) {
    const view = viewLeg(r, leg);
    controls.add(key(view));
    destinations.add(view.dstIp);
  }
  for (const leg of legsAbout(r, destinations, 'destination')) if (controls.has(key(viewLeg(r, leg)))) traced.add(leg);
  return traced;
}

function destinationKey(tap: number, transmitter: Mac, dstIp: Ip): string {
  return `${tap} ${transmitter} ${dstIp}`;
}

/** What `TracedFrame.fingerprint` is of row `i`; 0 when too little was captured. */
export function fingerprintOf(packets: PacketBatch, frames: FrameBatch, i: number): number {
  return transportOf(packets, frames, i).fingerprint;
}

interface Transport {
  readonly fingerprint: number;
  readonly sequence: number;
  readonly payloadLength: number;
  readonly message: Message | undefined;
}

const NO_TRANSPORT: Transport = {
  fingerprint: 0,
  sequence: 0,
  payloadLength: 0,
  message: undefined,
};

/**
 * What identifies a packet though addresses, ports, hop limit and checksums change on its way: IP identification, TCP
 * sequence and acknowledgement numbers, length, and the beginning of the payload.
 */
function transportOf(packets: PacketBatch, frames: FrameBatch, i: number): Transport {
  const { bytes } = packets;
  const captured = (packets.offset[i] ?? 0) + (packets.capturedLength[i] ?? 0);
  const network = frames.networkOffset[i] ?? -1;
  const start = frames.transportOffset[i] ?? -1;
  if (network < 0 || start < 0 || start >= captured) return NO_TRANSPORT;
  const protocol = frames.protocol[i] ?? 0;
  const header = protocol === TCP ? ((bytes[start + 12] ?? 0) >> 4) * 4 : 8;
  const packetEnd = network + ipLength(bytes, network, frames.ipVersion[i] ?? 4);
  const payload = start + header;
  // Options and payload may be cut off: sequence numbers, identification and length still tell packets apart.
  if (start + (protocol === TCP ? 20 : 8) > captured || packetEnd < payload) return NO_TRANSPORT;
  const sequence = protocol === TCP ? word(bytes, start + 4) : 0;
  let hash = mix(0x811c9dc5, protocol);
  hash = mix(hash, frames.ipId[i] ?? 0);
  hash = mix(hash, packetEnd - payload);
  if (protocol === TCP) hash = mix(mix(mix(hash, sequence), word(bytes, start + 8)), bytes[start + 13] ?? 0);
  // ICMP: type, code, identifier and sequence; the checksum covers no address in version 4.
  else if (protocol !== UDP) hash = mix(mix(hash, (bytes[start] ?? 0) << 8), word(bytes, start + 4));
  const end = Math.min(packetEnd, captured, payload + FINGERPRINT_BYTES);
  for (let at = payload; at < end; at++) hash = mix(hash, bytes[at] ?? 0);
  return {
    fingerprint: hash | 1,
    sequence,
    payloadLength: packetEnd - payload,
    message: messageOf(bytes, protocol, start, captured, packetEnd),
  };
}

function ipLength(bytes: Uint8Array, network: number, version: number): number {
  if (version === 6) return 40 + (((bytes[network + 4] ?? 0) << 8) | (bytes[network + 5] ?? 0));
  return ((bytes[network + 2] ?? 0) << 8) | (bytes[network + 3] ?? 0);
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

function mix(hash: number, value: number): number {
  return Math.imul(hash ^ value, 0x01000193) ^ (hash >>> 15);
}
