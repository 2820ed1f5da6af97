/** Link headers other than plain Ethernet. */

import { type FrameBatch, FrameFlag, Link } from '../records/frame-batch.js';
import { decodeCooked, decodeCooked2, decodeNflog } from './cooked.js';
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
      decodeEthernet(view, at, 0, end, frames, row);
      return;
    case LinkType.LINUX_SLL:
      decodeCooked(view, at, end, frames, row);
      return;
    case LinkType.LINUX_SLL2:
      decodeCooked2(view, at, end, frames, row);
      return;
    case LinkType.RAW:
    case LinkType.RAW_BSD:
    case LinkType.RAW_OPENBSD:
    case LinkType.IPV4:
    case LinkType.IPV6:
      decodeRaw(view, linkType, at, end, frames, row);
      return;
    case LinkType.NULL:
    case LinkType.LOOP:
      decodeLoopback(view, at, end, frames, row);
      return;
    case LinkType.PPP:
    case LinkType.PPP_HDLC:
      decodePpp(view, at, end, frames, row);
      return;
    case LinkType.PPP_WITH_DIR:
      decodePpp(view, at + 1, end, frames, row);
      return;
    case LinkType.PPP_ETHER:
      follow(frames, row, Link.POINT_TO_POINT, EtherType.PPPOE_SESSION, at);
      return;
    case LinkType.C_HDLC:
      decodeCiscoHdlc(view, at, end, frames, row);
      return;
    case LinkType.FRELAY:
      decodeFrameRelay(view, at, end, frames, row);
      return;
    case LinkType.DSA_BRCM:
      decodeEthernet(view, at, 4, end, frames, row);
      return;
    case LinkType.DSA_BRCM_PREPEND:
      decodeEthernet(view, at + 4, 0, end, frames, row);
      return;
    case LinkType.DSA_MARVELL:
      decodeMarvell(view, at, 0, end, frames, row);
      return;
    case LinkType.EDSA_MARVELL:
      decodeMarvell(view, at, 4, end, frames, row);
      return;
    case LinkType.IEEE802_11:
    case LinkType.RADIOTAP:
    case LinkType.PRISM:
    case LinkType.AVS:
      decodeRadio(view, linkType, at, end, frames, row);
      return;
    case LinkType.PPI:
      decodePpi(view, at, end, frames, row);
      return;
    case LinkType.NFLOG:
      decodeNflog(view, at, end, frames, row);
      return;
    case LinkType.FDDI:
      decodeFddi(view, at, end, frames, row);
      return;
    case LinkType.ARCNET:
      decodeArcnet(view, at, 0, end, frames, row);
      return;
    case LinkType.ARCNET_LINUX:
      decodeArcnet(view, at, 2, end, frames, row);
      return;
    case LinkType.IPOIB:
      decodeInfiniband(view, at, 40, end, frames, row);
      return;
    case LinkType.IPNET:
      decodeIpnet(view, at, end, frames, row);
      return;
    case LinkType.PKTAP:
    case LinkType.USER2:
      decodePktap(view, at, end, frames, row);
      return;
    case LinkType.TOKEN_RING:
      decodeTokenRing(view, at, end, frames, row);
      return;
    default:
      frames.link[row] = Link.UNSUPPORTED;
  }
}

/** Ethernet with `tag` bytes of switch tag between source address and type (Broadcom: four); also when cut. */
function decodeEthernet(view: DataView, at: number, tag: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at >= 6) setDestination(view, at, frames, row);
  if (end - at >= 12) setSource(view, at + 6, frames, row);
  if (end - at < 14 + tag) {
    cut(frames, row, Link.ETHERNET);
    return;
  }
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

function decodeRaw(view: DataView, linkType: number, at: number, end: number, frames: FrameBatch, row: number): void {
  if (at >= end) {
    cut(frames, row, Link.RAW_IP);
    return;
  }
  frames.link[row] = Link.RAW_IP;
  const version = linkType === LinkType.IPV4 ? 4 : linkType === LinkType.IPV6 ? 6 : view.getUint8(at) >> 4;
  if (version === 6) follow(frames, row, Link.RAW_IP, EtherType.IPV6, at);
  else if (version === 4) follow(frames, row, Link.RAW_IP, EtherType.IPV4, at);
  else addFlag(frames, row, FrameFlag.MALFORMED);
}

/** An address family in the byte order of the capturing host (NULL) or the network's (LOOP); small, so that both are tried. */
function decodeLoopback(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 4) {
    cut(frames, row, Link.LOOPBACK);
    return;
  }
  frames.link[row] = Link.LOOPBACK;
  const big = view.getUint32(at);
  const little = view.getUint32(at, true);
  const family = big <= 0xffff ? big : little <= 0xffff ? little : big & 0xffff;
  switch (family) {
    case 2:
      follow(frames, row, Link.LOOPBACK, EtherType.IPV4, at + 4);
      return;
    // AF_INET6 of Linux, NetBSD and OpenBSD, FreeBSD, Darwin.
    case 10:
    case 24:
    case 28:
    case 30:
      follow(frames, row, Link.LOOPBACK, EtherType.IPV6, at + 4);
      return;
    default:
      // Some systems write an EtherType instead.
      if (family > MAX_802_3_LENGTH && family <= 0xffff) follow(frames, row, Link.LOOPBACK, family, at + 4);
  }
}

function decodeRadio(view: DataView, linkType: number, at: number, end: number, frames: FrameBatch, row: number): void {
  frames.link[row] = Link.WIFI;
  const start = linkType === LinkType.IEEE802_11 ? at : radioHeaderEnd(view, linkType, at, end);
  if (start < 0) {
    cut(frames, row, Link.WIFI);
    return;
  }
  decodeWifi(view, linkType, at, start, end, frames, row);
}

/** Per-Packet Information: version, flags, length and link type in little endian, then the packet. */
function decodePpi(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < 8) {
    cut(frames, row, Link.WIFI);
    return;
  }
  const start = at + view.getUint16(at + 2, true);
  const linkType = view.getUint32(at + 4, true);
  if (start > end || start < at + 8) {
    cut(frames, row, Link.WIFI);
    return;
  }
  const isNested = linkType === LinkType.PKTAP || linkType === LinkType.USER2 || linkType === LinkType.PPI;
  if (!isNested) decodeLink(view, linkType, start, end, frames, row);
}

/** Apple's header in little endian: its length, a record type, the link type; then the packet. */
function decodePktap(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  frames.link[row] = Link.UNSUPPORTED;
  if (end - at < 12) {
    cut(frames, row, Link.UNSUPPORTED);
    return;
  }
  const start = at + view.getUint32(at, true);
  const linkType = view.getUint32(at + 8, true);
  if (start > end || start < at + 12) {
    cut(frames, row, Link.UNSUPPORTED);
    return;
  }
  const isNested = linkType === LinkType.PKTAP || linkType === LinkType.USER2 || linkType === LinkType.PPI;
  if (!isNested) decodeLink(view, linkType, start, end, frames, row);
}
