import { LinkType } from './link-type.js';
import { EtherType } from './shim.js';

/** A packet inside a packet: what its bytes begin with, where they begin, and where they end at the latest. */
export interface InnerPacket {
  /** A `LinkType`, or `NETWORK` when `etherType` tells what it is. */
  readonly linkType: number;
  readonly etherType: number;
  readonly at: number;
  readonly end: number;
}

/** `InnerPacket.linkType` when there is no link header. */
export const NETWORK = -1;

export const TRANSPARENT_BRIDGING = 0x6558;

/** @returns an inner packet with a link header */
export function linked(linkType: number, at: number, end: number): InnerPacket {
  return { linkType, etherType: -1, at, end };
}

/** @returns an inner packet whose type is known: bridged Ethernet, or what the EtherType names */
export function typed(etherType: number, at: number, end: number): InnerPacket {
  if (etherType === TRANSPARENT_BRIDGING) return linked(LinkType.ETHERNET, at, end);
  return { linkType: NETWORK, etherType, at, end };
}

/** The next-protocol numbers that NSH and VXLAN-GPE share (RFC 8300 section 2.2). */
export function nextProtocol(protocol: number, at: number, end: number): InnerPacket | undefined {
  if (protocol === 1) return typed(EtherType.IPV4, at, end);
  if (protocol === 2) return typed(EtherType.IPV6, at, end);
  return protocol === 3 ? linked(LinkType.ETHERNET, at, end) : undefined;
}
