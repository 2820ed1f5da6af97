/** Why frames could not be judged: the words, and the command that would have recorded what lacks. */

import type { JudgeReason } from '../detect/ruling.js';
import type { UnjudgedReason } from '../reconstruct/reconstruction.js';

export type Reason = UnjudgedReason | JudgeReason | 'not-examined';

export interface ReasonWords {
  /** One sentence about the frames. */
  readonly what: string;
  /** Given the device to capture on (`<device>` when it is not known). */
  readonly collect?: (device: string) => string;
}

const record = (device: string): string =>
  `tcpdump -i ${device} -e -n -s 128 -w ${device.replaceAll(/[<>]/g, '')}.pcap`;
const withNeighbors = (device: string): string =>
  `${record(device)} '... or arp or icmp6'; ip -s neigh show dev ${device}`;

export const REASONS: Readonly<Record<Reason, ReasonWords>> = {
  'no-destination-mac': {
    what: 'The destination MAC was not recorded (capture on "any", raw IP, or tcpdump text without -e).',
    collect: record,
  },
  'not-ip': { what: 'No IP packet (ARP, spanning tree, ...): there is no destination address to compare with.' },
  'cut-short': { what: 'The capture cut the frame before its IP addresses.', collect: record },
  'link-type-unsupported': { what: 'The link type of the capture is not decoded.' },
  'too-many-interfaces': { what: 'The capture has more interfaces and VLANs than can be told apart.' },
  'no-witness': { what: 'Nobody said which MAC has the destination address.', collect: withNeighbors },
  'no-witness-yet': {
    what: 'The frame came before the first word on who has the destination address.',
    collect: withNeighbors,
  },
  'unknown-next-hop': {
    what: 'The destination is beyond a router, and nothing shows that the MAC belongs to one.',
    collect: withNeighbors,
  },
  'sender-may-not-be-on-link': {
    what: 'The sender may reach the destination through a router: nothing shows that it is on its own network.',
    collect: (device) => `ip addr show dev ${device}; ip route show table all`,
  },
  'sender-believes': {
    what: "The sender's own neighbour table names this MAC: the table may be wrong, not the forwarding.",
    collect: (device) => `ip -ts monitor neigh dev ${device}`,
  },
  'sender-not-told': {
    what: 'Nothing shows that the sender knew by then who has the destination address.',
    collect: withNeighbors,
  },
  'speaks-too': {
    what: "The MAC may have the destination address as well: it is a virtual router's, or a router that sent its own packets from it.",
    collect: withNeighbors,
  },
  'weak-witness': {
    what: 'Only an undated dump or lease says who has the destination address.',
    collect: (device) => `date +%s.%N; ip -s neigh show dev ${device}`,
  },
  'owner-later': { what: 'The MAC took the destination address over later; nothing shows when it came.' },
  'group-mac': { what: 'A unicast address was sent to a broadcast or multicast MAC, which reaches everyone.' },
  'zero-mac': { what: 'The destination MAC is 00:00:00:00:00:00.' },
  'not-examined': { what: 'The second reading, which judges suspect frames one by one, did not get to them.' },
  'no-time': { what: 'The record carries no time, and the right MAC changed.' },
};
