/**
 * Decoded frames between decoder and reconstruction: columns of numbers, one row per packet of the packet batch.
 *
 * Rows that a link type or a cut packet leaves without a field hold the value named here. Nothing may be kept after
 * the sink returns.
 */

import * as At from './batch-layout.js';
import { BATCH_SIZE } from './batch-layout.js';

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
  readonly frame: Int32Array;
  readonly interfaceIndex: Int32Array;
  /** ns since the analysis epoch, NaN when unknown. */
  readonly time: Float64Array;
  /** Bytes on the wire. */
  readonly length: Float64Array;

  readonly flags: Int32Array;
  readonly link: Int32Array;

  /** MACs as upper 16 and lower 32 bits (signed words); valid with the flag bits above. */
  readonly srcMacHigh: Int32Array;
  readonly srcMacLow: Int32Array;
  readonly dstMacHigh: Int32Array;
  readonly dstMacLow: Int32Array;

  /** Outer and inner VLAN id (0 to 4095), -1 for none. A third and further tag is only skipped. */
  readonly vlan: Int32Array;
  readonly innerVlan: Int32Array;

  /** EtherType after VLAN tags, PPPoE session and MPLS (0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP), or the 802.3 length; -1 when not read. */
  readonly etherType: Int32Array;

  /** 4 or 6 when the IP addresses below are real (for ARP: 4, sender and target); else 0. */
  readonly ipVersion: Int32Array;
  /** An IPv4 address as a signed word, or the `AddressTable` index of an IPv6 address. */
  readonly srcIp: Int32Array;
  readonly dstIp: Int32Array;
  /** IP protocol after IPv6 extension headers; -1 for ARP and non-IP. */
  readonly protocol: Int32Array;
  /** TTL or hop limit; `UNKNOWN_HOP_LIMIT` where a printed capture leaves it out. */
  readonly hopLimit: Int32Array;
  /** IPv4 identification, 0 for IPv6. */
  readonly ipId: Int32Array;
  /** TCP, UDP, SCTP, DCCP, UDP-Lite ports; for ICMP echo both are the identifier; else 0. */
  readonly srcPort: Int32Array;
  readonly dstPort: Int32Array;
  /** TCP flag byte; for ICMP and ICMPv6 `type << 8 | code`; else 0. */
  readonly detail: Int32Array;

  /** Offsets into the packet batch's `bytes` of the network header and of the transport header; -1 when there is none. */
  readonly networkOffset: Int32Array;
  readonly transportOffset: Int32Array;

  /** One of `Claim`; the columns below are only meaningful with it. */
  readonly claim: Int32Array;
  readonly claimIpVersion: Int32Array;
  readonly claimIp: Int32Array;
  readonly claimMacHigh: Int32Array;
  readonly claimMacLow: Int32Array;
  /** ARP target or ND target address (family as `claimIpVersion`); for DHCP_ACK the router option's address (0: none). */
  readonly targetIp: Int32Array;
  /** For DHCP_ACK the prefix length of the subnet mask option, for ND_ROUTER that of the first on-link prefix; else -1. */
  readonly claimPrefix: Int32Array;

  private readonly buffer: ArrayBufferLike;

  /** A batch in a buffer of its own, or at a place of another one. */
  constructor(buffer: ArrayBufferLike = new ArrayBuffer(At.FRAME_BYTES), base = 0) {
    this.buffer = buffer;
    this.frame = new Int32Array(buffer, base + At.F_FRAME, BATCH_SIZE);
    this.interfaceIndex = new Int32Array(buffer, base + At.F_INTERFACE, BATCH_SIZE);
    this.time = new Float64Array(buffer, base + At.F_TIME, BATCH_SIZE);
    this.length = new Float64Array(buffer, base + At.F_LENGTH, BATCH_SIZE);
    this.flags = new Int32Array(buffer, base + At.F_FLAGS, BATCH_SIZE);
    this.link = new Int32Array(buffer, base + At.F_LINK, BATCH_SIZE);
    this.srcMacHigh = new Int32Array(buffer, base + At.F_SRC_MAC_HIGH, BATCH_SIZE);
    this.srcMacLow = new Int32Array(buffer, base + At.F_SRC_MAC_LOW, BATCH_SIZE);
    this.dstMacHigh = new Int32Array(buffer, base + At.F_DST_MAC_HIGH, BATCH_SIZE);
    this.dstMacLow = new Int32Array(buffer, base + At.F_DST_MAC_LOW, BATCH_SIZE);
    this.vlan = new Int32Array(buffer, base + At.F_VLAN, BATCH_SIZE);
    this.innerVlan = new Int32Array(buffer, base + At.F_INNER_VLAN, BATCH_SIZE);
    this.etherType = new Int32Array(buffer, base + At.F_ETHER_TYPE, BATCH_SIZE);
    this.ipVersion = new Int32Array(buffer, base + At.F_IP_VERSION, BATCH_SIZE);
    this.srcIp = new Int32Array(buffer, base + At.F_SRC_IP, BATCH_SIZE);
    this.dstIp = new Int32Array(buffer, base + At.F_DST_IP, BATCH_SIZE);
    this.protocol = new Int32Array(buffer, base + At.F_PROTOCOL, BATCH_SIZE);
    this.hopLimit = new Int32Array(buffer, base + At.F_HOP_LIMIT, BATCH_SIZE);
    this.ipId = new Int32Array(buffer, base + At.F_IP_ID, BATCH_SIZE);
    this.srcPort = new Int32Array(buffer, base + At.F_SRC_PORT, BATCH_SIZE);
    this.dstPort = new Int32Array(buffer, base + At.F_DST_PORT, BATCH_SIZE);
    this.detail = new Int32Array(buffer, base + At.F_DETAIL, BATCH_SIZE);
    this.networkOffset = new Int32Array(buffer, base + At.F_NETWORK, BATCH_SIZE);
    this.transportOffset = new Int32Array(buffer, base + At.F_TRANSPORT, BATCH_SIZE);
    this.claim = new Int32Array(buffer, base + At.F_CLAIM, BATCH_SIZE);
    this.claimIpVersion = new Int32Array(buffer, base + At.F_CLAIM_VERSION, BATCH_SIZE);
    this.claimIp = new Int32Array(buffer, base + At.F_CLAIM_IP, BATCH_SIZE);
    this.claimMacHigh = new Int32Array(buffer, base + At.F_CLAIM_MAC_HIGH, BATCH_SIZE);
    this.claimMacLow = new Int32Array(buffer, base + At.F_CLAIM_MAC_LOW, BATCH_SIZE);
    this.targetIp = new Int32Array(buffer, base + At.F_TARGET_IP, BATCH_SIZE);
    this.claimPrefix = new Int32Array(buffer, base + At.F_CLAIM_PREFIX, BATCH_SIZE);
  }

  /** Whether the columns lie in this buffer. */
  isIn(buffer: ArrayBufferLike): boolean {
    return this.buffer === buffer;
  }
}
