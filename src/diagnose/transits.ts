/** Single packets of a flow followed over all taps that saw them: before the fault, in it, right meanwhile, and after. */

import { formatMac } from '../bytes/address.js';
import { tupleOf, type AffectedFlow } from '../detect/flows.js';
import type { FlowPacket } from '../detect/packets.js';
import type { TracedFrame } from '../detect/trace.js';
import type { Sighting, Transit, Tuple } from '../model.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';

export interface Devices {
  inputName(input: number): string;
  deviceName(tap: number): string;
}

/** Among so many packets nearest to the fault, the one that was seen in the most places is followed. */
const NEAREST = 12;
const MAX_SIGHTINGS = 40;

/**
 * A few packets of each direction that went wrong; empty when no packet was seen in two places.
 * @param packets in order of time
 */
export function transitsOf(
  r: Reconstruction,
  flow: AffectedFlow,
  packets: readonly FlowPacket[],
  devices: Devices,
): Transit[] {
  const followed = packets.filter(({ sightings }) => sightings.length > 1 && sightings[0]?.fingerprint !== 0);
  const transits: Transit[] = [];
  for (const direction of ['original', 'reply'] as const) {
    const wrong = packets.filter((packet) => packet.direction === direction && packet.misdelivered);
    const [first, last] = [wrong[0]?.time, wrong.at(-1)?.time];
    if (first === undefined || last === undefined) continue;
    const right = followed.filter((packet) => packet.direction === direction && !packet.misdelivered && !packet.lost);
    const astray = followed.filter((packet) => packet.direction === direction && packet.misdelivered);
    const before = right.filter(({ time }) => time < first);
    const meanwhile = right.filter(({ time }) => time >= first && time <= last);
    const after = right.filter(({ time }) => time > last);
    const tell = (phase: Transit['phase'], packet: FlowPacket | undefined): void => {
      if (packet) transits.push(transitOf(r, flow, phase, packet, devices));
    };
    tell('before', mostSeen(before.toReversed()));
    const begin = mostSeen(astray);
    const end = mostSeen(astray.toReversed());
    tell('misdelivered', begin);
    tell('meanwhile', mostSeen(meanwhile));
    if (end !== begin) tell('misdelivered', end);
    tell('after', mostSeen(after));
  }
  return transits;
}

function mostSeen(packets: readonly FlowPacket[]): FlowPacket | undefined {
  return packets
    .slice(0, NEAREST)
    .reduce<FlowPacket | undefined>(
      (best, packet) => (packet.sightings.length > (best?.sightings.length ?? 0) ? packet : best),
      undefined,
    );
}

function transitOf(
  r: Reconstruction,
  flow: AffectedFlow,
  phase: Transit['phase'],
  { direction, sightings }: FlowPacket,
  devices: Devices,
): Transit {
  const plain = direction === 'original' ? flow.original : turned(flow.original);
  return {
    direction,
    phase,
    joinedBy: flow.conntrack.length > 0 ? 'conntrack' : 'fingerprint',
    ...(isBoomerang(sightings) ? { boomerang: true as const } : {}),
    sightings: sightings.slice(0, MAX_SIGHTINGS).map((frame): Sighting => {
      const tap = r.taps.all[frame.view.tap];
      const tuple = tupleOf(r, frame.view);
      return {
        input: devices.inputName(frame.input),
        frame: frame.frame,
        time: r.epoch.text(frame.time),
        device: devices.deviceName(frame.view.tap),
        ...(tap && tap.vlan >= 0 ? { vlan: tap.vlan } : {}),
        srcMac: formatMac(frame.view.transmitter),
        dstMac: formatMac(frame.dstMac),
        hopLimit: frame.hopLimit,
        ...(isSame(tuple, plain) ? {} : { translated: tuple }),
        ...(frame.verdict === 'misdelivered' ? { misdelivered: true as const } : {}),
      };
    }),
  };
}

/** Whether a packet went back to the MAC that it had come from. */
function isBoomerang(sightings: readonly TracedFrame[]): boolean {
  return sightings.some((came, i) =>
    sightings
      .slice(i + 1)
      .some(
        (went) =>
          went.dstMac === came.view.transmitter &&
          went.view.transmitter === came.dstMac &&
          went.hopLimit < came.hopLimit,
      ),
  );
}

function turned(tuple: Tuple): Tuple {
  const { srcIp, dstIp, protocol, srcPort, dstPort } = tuple;
  const ports = srcPort !== undefined && dstPort !== undefined ? { srcPort: dstPort, dstPort: srcPort } : {};
  return { srcIp: dstIp, dstIp: srcIp, protocol, ...ports };
}

function isSame(a: Tuple, b: Tuple): boolean {
  return a.srcIp === b.srcIp && a.dstIp === b.dstIp && a.srcPort === b.srcPort && a.dstPort === b.dstPort;
}
