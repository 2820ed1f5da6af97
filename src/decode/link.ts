/** Link headers other than plain Ethernet. */

import { type FrameBatch, FrameFlag, Link } from '../records/frame-batch.js';
import { addFlag, cut, follow, setDestination, setSource } from './link-result.js';
import { LinkType } from './link-type.js';
import { decodeArcnet, decodeFddi, decodeInfiniband, decodeIpnet, decodeTokenRing } from './old-lan.js';
import { decodeCiscoHdlc, decodeFrameRelay, decodePpp } from './point-to-point.js';
import { EtherType, MAX_802_3_LENGTH } from './shim.js';
import { decodeWifi, radioHeaderEnd } from './wifi.js';

/**
 * Reads the link header at `at`: the `link` column, MACs where there are any, and `etherType` with `networkOffset` for
 * what follows. `networkOffset` stays -1 when the header is cut or nothing readable follows.
 */
export function decodeLink(
  view: DataView,
  linkType: number,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
): void {
  switch (linkType) {
    case LinkType.ETHERNET:
      return decodeEthernet(view, at, 0, end, frames, row);
    case LinkType.LINUX_SLL:
      return decodeCooked(view, at, end, frames, row);
    case LinkType.LINUX_SLL2:
      return decodeCooked2(view, at, end, frames, row);
    case LinkType.RAW:
    case LinkType.RAW_BSD:
    case LinkType.RAW_OPENBSD:
    case LinkType.IPV4:
    case LinkType.IPV6:
      return decodeRaw(view, linkType, at, end, frames, row);
    case LinkType.NULL:
    case LinkType.LOOP:
      return decodeLoopback(view, at, end, frames, row);
    case LinkType.PPP:
    case LinkType.PPP_HDLC:
      return decodePpp(view, at, end, frames, row);
    case LinkType.PPP_WITH_DIR:
      return decodePpp(view, at + 1, end, frames, row);
    case LinkType.PPP_ETHER:
      return follow(frames, row, Link.POINT_TO_POINT, EtherType.PPPOE_SESSION, at);
    case LinkType.C_HDLC:
      return decodeCiscoHdlc(view, at, end, frames, row);
    case LinkType.FRELAY:
      return decodeFrameRelay(view, at, end, frames, row);
    case LinkType.DSA_BRCM:
      return decodeEthernet(view, at, 4, end, frames, row);
    case LinkType.DSA_BRCM_PREPEND:
      return decodeEthernet(view, at + 4, 0, end, frames, row);
    case LinkType.DSA_MARVELL:
      return decodeMarvell(view, at, 0, end, frames, row);
    case LinkType.EDSA_MARVELL:
      return decodeMarvell(view, at, 4, end, frames, row);
    case LinkType.IEEE802_11:
    case LinkType.RADIOTAP:
    case LinkType.PRISM:
    case LinkType.AVS:
      return decodeRadio(view, linkType, at, end, frames, row);
    case LinkType.PPI:
      return decodePpi(view, at, end, frames, row);
    case LinkType.NFLOG:
      return decodeNflog(view, at, end, frames, row);
    case LinkType.FDDI:
      return decodeFddi(view, at, end, frames, row);
    case LinkType.ARCNET:
      return decodeArcnet(view, at, 0, end, frames, row);
    case LinkType.ARCNET_LINUX:
      return decodeArcnet(view, at, 2, end, frames, row);
    case LinkType.IPOIB:
      return decodeInfiniband(view, at, 40, end, frames, row);
    case LinkType.IPNET:
      return decodeIpnet(view, at, end, frames, row);
    case LinkType.PKTAP:
    case LinkType.USER2:
      return decodePktap(view, at, end, frames, row);
    case LinkType.TOKEN_RING:
      return decodeTokenRing(view, at, end, frames, row);
    default:
      frames.link[row] = Link.UNSUPPORTED;
  }
}

/** Ethernet with `tag` bytes of switch tag between source address and type (Broadcom: four); also when cut. */
function decodeEthernet(view: DataView, at: number, tag: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at >= 6) setDestination(view, at, frames, row);
  if (end - at >= 12) setSource(view, at + 6, frames, row);
  if (end - at < 14 + tag) return cut(frames, row, Link.ETHERNET);
  follow(frames, row, Link.ETHERNET, view.getUint16(at + 12 + tag), at + 14 + tag);
}

/**
 * Marvell's switch tag of four bytes between source address and type, after `typeLength` bytes of its own EtherType and
 * padding (Linux net/dsa/tag_dsa.c). When the frame came tagged, the switch tag takes the place of the 802.1Q tag.
 */
function decodeMarvell(
  view: DataView,
  at: number,
  typeLength: number,
  end: number,
  frames: FrameBatch,
  row: number,
): void {
  decodeEthernet(view, at, typeLength + 4, end, frames, row);
  const tag = at + 12 + typeLength;
  if (end - at >= 18 + typeLength && view.getUint8(tag) & 0x20) frames.vlan[row] = view.getUint16(tag + 2) & 0xfff;
}

/** tcpdump.org LINKTYPE_LINUX_SLL. */
function decodeCooked(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 16) return cut(frames, row, Link.COOKED);
  setCookedDirection(view.getUint16(at), frames, row);
  if (view.getUint16(at + 4) === 6) setSource(view, at + 6, frames, row);
  followCooked(view.getUint16(at + 2), view.getUint16(at + 14), at + 16, frames, row);
}

/** tcpdump.org LINKTYPE_LINUX_SLL2. */
function decodeCooked2(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 20) return cut(frames, row, Link.COOKED);
  setCookedDirection(view.getUint8(at + 10), frames, row);
  if (view.getUint8(at + 11) === 6) setSource(view, at + 12, frames, row);
  followCooked(view.getUint16(at + 8), view.getUint16(at), at + 20, frames, row);
}

function setCookedDirection(packetType: number, frames: FrameBatch, row: number): void {
  if (packetType === 4) addFlag(frames, row, FrameFlag.OUTGOING);
  else if (packetType === 0) addFlag(frames, row, FrameFlag.INCOMING);
  else if (packetType === 3) addFlag(frames, row, FrameFlag.OTHER_HOST);
}

/** The protocol field is an EtherType, except for these devices (ARPHRD_) and values (ETH_P_802_2 and kin). */
function followCooked(hardware: number, protocol: number, at: number, frames: FrameBatch, row: number): void {
  frames.link[row] = Link.COOKED;
  const isNotEtherType = hardware === ARPHRD_NETLINK || hardware === ARPHRD_IPGRE || hardware === ARPHRD_RADIOTAP;
  if (isNotEtherType && hardware !== ARPHRD_IPGRE) return;
  if (protocol === ETH_P_802_2) return follow(frames, row, Link.COOKED, 0, at);
  if (protocol > MAX_802_3_LENGTH) follow(frames, row, Link.COOKED, protocol, at);
}

const ARPHRD_NETLINK = 824;
const ARPHRD_IPGRE = 778;
const ARPHRD_RADIOTAP = 803;
const ETH_P_802_2 = 4;

function decodeRaw(view: DataView, linkType: number, at: number, end: number, frames: FrameBatch, row: number): void {
  if (at >= end) return cut(frames, row, Link.RAW_IP);
  frames.link[row] = Link.RAW_IP;
  const version = linkType === LinkType.IPV4 ? 4 : linkType === LinkType.IPV6 ? 6 : view.getUint8(at) >> 4;
  if (version === 6) follow(frames, row, Link.RAW_IP, EtherType.IPV6, at);
  else if (version === 4) follow(frames, row, Link.RAW_IP, EtherType.IPV4, at);
  else addFlag(frames, row, FrameFlag.MALFORMED);
}

/** An address family in the byte order of the capturing host (NULL) or the network's (LOOP); small, so that both are tried. */
function decodeLoopback(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 4) return cut(frames, row, Link.LOOPBACK);
  frames.link[row] = Link.LOOPBACK;
  const big = view.getUint32(at);
  const little = view.getUint32(at, true);
  const family = big <= 0xffff ? big : little <= 0xffff ? little : big & 0xffff;
  switch (family) {
    case 2:
      return follow(frames, row, Link.LOOPBACK, EtherType.IPV4, at + 4);
    // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin.
    case 10:
    case 24:
    case 28:
    case 30:
      return follow(frames, row, Link.LOOPBACK, EtherType.IPV6, at + 4);
    default:
      // Some systems write an EtherType instead.
      if (family > MAX_802_3_LENGTH && family <= 0xffff) follow(frames, row, Link.LOOPBACK, family, at + 4);
  }
}

function decodeRadio(view: DataView, linkType: number, at: number, end: number, frames: FrameBatch, row: number): void {
  frames.link[row] = Link.WIFI;
  const start = linkType === LinkType.IEEE802_11 ? at : radioHeaderEnd(view, linkType, at, end);
  if (start < 0) return cut(frames, row, Link.WIFI);
  decodeWifi(view, linkType, at, start, end, frames, row);
}

/** Per-Packet Information: version, flags, length and link type in little endian, then the packet. */
function decodePpi(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 8) return cut(frames, row, Link.WIFI);
  const start = at + view.getUint16(at + 2, true);
  const linkType = view.getUint32(at + 4, true);
  if (start > end || start < at + 8) return cut(frames, row, Link.WIFI);
  const isNested = linkType === LinkType.PKTAP || linkType === LinkType.USER2 || linkType === LinkType.PPI;
  if (!isNested) decodeLink(view, linkType, start, end, frames, row);
}

/** Apple's header in little endian: its length, a record type, the link type; then the packet. */
function decodePktap(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  frames.link[row] = Link.UNSUPPORTED;
  if (end - at < 12) return cut(frames, row, Link.UNSUPPORTED);
  const start = at + view.getUint32(at, true);
  const linkType = view.getUint32(at + 8, true);
  if (start > end || start < at + 12) return cut(frames, row, Link.UNSUPPORTED);
  const isNested = linkType === LinkType.PKTAP || linkType === LinkType.USER2 || linkType === LinkType.PPI;
  if (!isNested) decodeLink(view, linkType, start, end, frames, row);
}

/** tcpdump.org LINKTYPE_NFLOG: TLVs in the capturing host's byte order, of which one is the packet and one its sender's address. */
function decodeNflog(view: DataView, start: number, end: number, frames: FrameBatch, row: number): void {
  if (end - start < 4) return cut(frames, row, Link.COOKED);
  frames.link[row] = Link.COOKED;
  const family = view.getUint8(start);
  let at = start + 4;
  while (end - at >= 4) {
    // The first length tells the order: TLVs are far shorter than 4096 bytes until the packet itself comes.
    const little = isLittleEndianTlv(view, start + 4);
    const length = view.getUint16(at, little);
    const type = view.getUint16(at + 2, little) & 0x7fff;
    if (length < 4) return addFlag(frames, row, FrameFlag.MALFORMED);
    if (type === NFULA_HWADDR && length >= 14 && end - at >= 14 && view.getUint16(at + 4) === 6) {
      setSource(view, at + 8, frames, row);
    }
    if (type === NFULA_PAYLOAD) {
      if (family === 2) follow(frames, row, Link.COOKED, EtherType.IPV4, at + 4);
      else if (family === 10) follow(frames, row, Link.COOKED, EtherType.IPV6, at + 4);
      return;
    }
    at += (length + 3) & ~3;
  }
}

function isLittleEndianTlv(view: DataView, at: number): boolean {
  return view.getUint16(at + 2, true) < view.getUint16(at + 2);
}

const NFULA_HWADDR = 8;
const NFULA_PAYLOAD = 9;
