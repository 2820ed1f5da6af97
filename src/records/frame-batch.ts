/**
 * Decoded frames between decoder and reconstruction: columns of numbers, one row per packet of the packet batch.
 *
 * Rows that a link type or a cut packet leaves without a field hold the value named here. Nothing may be kept after
 * the sink returns.
 */

import { BATCH_SIZE } from './packet-batch.js';

/** Bits of `FrameBatch.flags`. */
export const FrameFlag = {
  /** `srcMac` / `dstMac` columns are real (Ethernet, 802.11 data frames, ...). Cooked captures have only a source. */
  SRC_MAC: 1 << 0,
  DST_MAC: 1 << 1,
  /** Part of a fragmented IP packet; `LATER_FRAGMENT` when it is not the first (then ports are 0). */
  FRAGMENT: 1 << 2,
  LATER_FRAGMENT: 1 << 3,
  /** IPv4 options or IPv6 extension headers other than fragment are present. */
  IP_OPTIONS: 1 << 4,
  /** The packet ended before the header that was being read. */
  CUT: 1 << 5,
  /** A header contradicts itself (IHL below 5, lengths beyond the packet). */
  MALFORMED: 1 << 6,
  /** An outgoing frame, where the capture says so (SLL packet type 4, epb_flags direction 2). `INCOMING` likewise (to us: SLL 0, epb 1). */
  OUTGOING: 1 << 7,
  INCOMING: 1 << 8,
  /** SLL packet type 3: addressed to another host. */
  OTHER_HOST: 1 << 9,
} as const;

/** Why a frame has no destination MAC, or what the link layer was: column `link`. */
export const Link = {
  ETHERNET: 0,
  COOKED: 1,
  RAW_IP: 2,
  LOOPBACK: 3,
  WIFI: 4,
  /** A point-to-point link without addresses (PPP, Frame Relay, ...). */
  POINT_TO_POINT: 5,
  UNSUPPORTED: 6,
  /** The record is no packet (custom block). */
  NONE: 7,
  /** Printed by `tcpdump` without `-e`: the link layer was there and is not shown. */
  PRINTED: 8,
} as const;

/**
 * What a frame tells about who owns an address: column `claim`. `claimIp` / `claimMac` hold the address and the MAC.
 * RFC 826 and RFC 5227 (ARP), RFC 4861 (ND), RFC 2131 (DHCP).
 */
export const Claim = {
  NONE: 0,
  /** ARP request, sender fields (not a probe: sender address is not 0.0.0.0). */
  ARP_REQUEST: 1,
  ARP_REPLY: 2,
  /** Sender and target address equal: gratuitous ARP, request or reply. */
  ARP_GRATUITOUS: 3,
  /** ARP probe (sender 0.0.0.0): claims nothing; `claimIp` 0. */
  ARP_PROBE: 4,
  /** Neighbour solicitation with a source link-layer address option: claims the IP source. */
  ND_SOLICITATION: 5,
  /** Neighbour advertisement: claims the target with its target link-layer address option (or, without one, the frame's source MAC). */
  ND_ADVERTISEMENT: 6,
  /** The same with the solicited flag off (unsolicited, the IPv6 kin of gratuitous ARP). */
  ND_UNSOLICITED: 7,
  /** Router advertisement with a source link-layer address option: claims the IP source, and names a router. */
  ND_ROUTER: 8,
  /** DHCPv4 ACK: claims yiaddr for chaddr. */
  DHCP_ACK: 9,
  /** DHCPv4 message of another type to or from a client: claims nothing. */
  DHCP_OTHER: 10,
  /** ICMP or ICMPv6 redirect: claims nothing; `targetIp` is the destination, `claimIp` the better next hop. */
  REDIRECT: 11,
  /** DHCPv4 RELEASE: the client (`claimMac`) gives `claimIp` back; claims nothing. */
  DHCP_RELEASE: 12,
  /**
   * Neighbour advertisement without the override flag: a host that knows another MAC for the target keeps that one
   * (RFC 4861 section 7.2.5), as proxies and anycast addresses want it.
   */
  ND_WEAK: 13,
} as const;

/** `hopLimit` of a frame whose print does not tell it: no value that a packet can have. */
export const UNKNOWN_HOP_LIMIT = 256;

export class FrameBatch {
  count = 0;

  // Of the record, copied so that one batch suffices downstream.
  readonly frame = new Int32Array(BATCH_SIZE);
  readonly interfaceIndex = new Int32Array(BATCH_SIZE);
  /** ns since the analysis epoch, NaN when unknown. */
  readonly time = new Float64Array(BATCH_SIZE);
  /** Bytes on the wire. */
  readonly length = new Float64Array(BATCH_SIZE);

  readonly flags = new Int32Array(BATCH_SIZE);
  readonly link = new Int32Array(BATCH_SIZE);

  /** MACs as upper 16 and lower 32 bits (signed words); valid with the flag bits above. */
  readonly srcMacHigh = new Int32Array(BATCH_SIZE);
  readonly srcMacLow = new Int32Array(BATCH_SIZE);
  readonly dstMacHigh = new Int32Array(BATCH_SIZE);
  readonly dstMacLow = new Int32Array(BATCH_SIZE);

  /** Outer and inner VLAN id (0 to 4095), -1 for none. A third and further tag is only skipped. */
  readonly vlan = new Int32Array(BATCH_SIZE);
  readonly innerVlan = new Int32Array(BATCH_SIZE);

  /** EtherType after VLAN tags, PPPoE session and MPLS (0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP), or the 802.3 length; -1 when not read. */
  readonly etherType = new Int32Array(BATCH_SIZE);

  /** 4 or 6 when the IP addresses below are real (for ARP: 4, sender and target); else 0. */
  readonly ipVersion = new Int32Array(BATCH_SIZE);
  /** An IPv4 address as a signed word, or the `AddressTable` index of an IPv6 address. */
  readonly srcIp = new Int32Array(BATCH_SIZE);
  readonly dstIp = new Int32Array(BATCH_SIZE);
  /** IP protocol after IPv6 extension headers; -1 for ARP and non-IP. */
  readonly protocol = new Int32Array(BATCH_SIZE);
  /** TTL or hop limit; `UNKNOWN_HOP_LIMIT` where a printed capture leaves it out. */
  readonly hopLimit = new Int32Array(BATCH_SIZE);
  /** IPv4 identification, 0 for IPv6. */
  readonly ipId = new Int32Array(BATCH_SIZE);
  /** TCP, UDP, SCTP, DCCP, UDP-Lite ports; for ICMP echo both are the identifier; else 0. */
  readonly srcPort = new Int32Array(BATCH_SIZE);
  readonly dstPort = new Int32Array(BATCH_SIZE);
  /** TCP flag byte; for ICMP and ICMPv6 `type << 8 | code`; else 0. */
  readonly detail = new Int32Array(BATCH_SIZE);

  /** Offsets into the packet batch's `bytes` of the network header and of the transport header; -1 when there is none. */
  readonly networkOffset = new Int32Array(BATCH_SIZE);
  readonly transportOffset = new Int32Array(BATCH_SIZE);

  /** One of `Claim`; the columns below are only meaningful with it. */
  readonly claim = new Int32Array(BATCH_SIZE);
  readonly claimIpVersion = new Int32Array(BATCH_SIZE);
  readonly claimIp = new Int32Array(BATCH_SIZE);
  readonly claimMacHigh = new Int32Array(BATCH_SIZE);
  readonly claimMacLow = new Int32Array(BATCH_SIZE);
  /** ARP target or ND target address (family as `claimIpVersion`); for DHCP_ACK the router option's address (0: none). */
  readonly targetIp = new Int32Array(BATCH_SIZE);
  /** For DHCP_ACK the prefix length of the subnet mask option, for ND_ROUTER that of the first on-link prefix; else -1. */
  readonly claimPrefix = new Int32Array(BATCH_SIZE);
}
