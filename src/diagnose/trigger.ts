/** The packet that makes the kernel offload its flow (nft_flow_offload.c), told from the packets alone. */

import type { FlowPacket } from '../detect/packets.js';
import type { TracedFrame } from '../detect/trace.js';

const TCP = 6;
const UDP = 17;
const SYN = 0x02;

/** Not before the packet before it; ns since the analysis epoch. */
export interface TriggerPacket {
  readonly frame: TracedFrame;
  readonly earliest: number;
}

/**
 * The packet that completes the TCP handshake, or the second packet of a UDP flow, whichever way it goes; undefined when
 * the beginning of a TCP connection was not captured. Of UDP nobody knows whether it was: then the offload may have begun
 * before the first packet.
 */
export function triggerPacket(packets: readonly FlowPacket[]): TriggerPacket | undefined {
  const known = packets.filter(({ sightings }) => sightings[0]?.fingerprint !== 0);
  const first = known[0]?.sightings[0];
  if (!first) return undefined;
  const { protocol } = first.view;
  const isHandshake = protocol === TCP && (first.detail & SYN) !== 0;
  const at = protocol === UDP ? 1 : isHandshake ? handshakeEnd(known) : -1;
  const frame = known[at]?.sightings[0];
  const before = known[at - 1];
  return frame && before ? { frame, earliest: before.time } : undefined;
}

/** The first packet without SYN of the side that began: the handshake's parts may have been sent again. */
function handshakeEnd(packets: readonly FlowPacket[]): number {
  const answered = packets.findIndex(
    ({ direction, sightings }) => direction !== packets[0]?.direction && ((sightings[0]?.detail ?? 0) & SYN) !== 0,
  );
  if (answered < 0) return -1;
  return packets.findIndex(
    ({ direction, sightings }, i) =>
      i > answered && direction === packets[0]?.direction && ((sightings[0]?.detail ?? 0) & SYN) === 0,
  );
}
