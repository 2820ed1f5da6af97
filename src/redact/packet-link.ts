/** Link headers: which of their bytes are MACs, which are numbers; all else is left out. The decoder has the formats. */

import { LinkType } from '../decode/link-type.js';
import { EtherType, MAX_802_3_LENGTH } from '../decode/shim.js';
import { redactNetwork } from './packet-network.js';
import { redactFrameRelay, redactPpp } from './packet-serial.js';
import { redactRadio } from './packet-wifi.js';
import type { Rewrite } from './rewrite.js';

/** Whether anything is left of packets of a link type. */
export function isKnownLinkType(linkType: number): boolean {
  return Object.values(LinkType).some((known) => known === linkType);
}

/** Rewrites the packet at `at`, which begins with a header of this link type. */
export function redactLink(w: Rewrite, linkType: number, at: number): void {
  switch (linkType) {
    case LinkType.ETHERNET:
      redactEthernet(w, at, 0);
      return;
    case LinkType.DSA_BRCM:
    case LinkType.DSA_MARVELL:
      redactEthernet(w, at, 4);
      return;
    case LinkType.EDSA_MARVELL:
      redactEthernet(w, at, 8);
      return;
    case LinkType.DSA_BRCM_PREPEND:
      w.number(at, 4);
      redactEthernet(w, at + 4, 0);
      return;
    case LinkType.LINUX_SLL:
      redactCooked(w, at);
      return;
    case LinkType.LINUX_SLL2:
      redactCooked2(w, at);
      return;
    case LinkType.NFLOG:
      redactNflog(w, at);
      return;
    case LinkType.RAW:
    case LinkType.RAW_BSD:
    case LinkType.RAW_OPENBSD:
    case LinkType.IPV4:
    case LinkType.IPV6:
      redactRaw(w, linkType, at);
      return;
    case LinkType.NULL:
    case LinkType.LOOP:
      redactLoopback(w, at);
      return;
    case LinkType.PPP:
    case LinkType.PPP_HDLC:
    case LinkType.C_HDLC:
      redactPpp(w, linkType, at);
      return;
    case LinkType.PPP_WITH_DIR:
      w.number(at, 1);
      redactPpp(w, LinkType.PPP, at + 1);
      return;
    case LinkType.PPP_ETHER:
      redactNetwork(w, EtherType.PPPOE_SESSION, at);
      return;
    case LinkType.FRELAY:
      redactFrameRelay(w, at);
      return;
    case LinkType.IEEE802_11:
    case LinkType.RADIOTAP:
    case LinkType.PRISM:
    case LinkType.AVS:
      redactRadio(w, linkType, at);
      return;
    case LinkType.PPI:
      redactNested(w, at, 8, 2, 4);
      return;
    case LinkType.PKTAP:
    case LinkType.USER2:
      redactNested(w, at, 12, 4, 8);
      return;
    case LinkType.FDDI:
      w.number(at, 1);
      if (w.mac(at + 1) && w.mac(at + 7)) redactNetwork(w, 0, at + 13);
      return;
    case LinkType.TOKEN_RING:
      redactTokenRing(w, at);
      return;
    case LinkType.ARCNET:
      redactArcnet(w, at + 2);
      return;
    case LinkType.ARCNET_LINUX:
      redactArcnet(w, at + 4);
      return;
    case LinkType.IPOIB:
      redactTyped(w, at + 40, 4);
      return;
    case LinkType.IPNET:
      redactIpnet(w, at);
      return;
  }
}

/** @param tag bytes of switch tag between source address and type */
function redactEthernet(w: Rewrite, at: number, tag: number): void {
  if (!w.mac(at) || !w.mac(at + 6)) return;
  const type = at + 12 + tag;
  w.number(at + 12, tag + 2);
  if (type + 2 <= w.bytes.length) redactNetwork(w, w.view.getUint16(type), type + 2);
}

/** @param at of a type that two bytes of padding may follow, `length` bytes in all */
function redactTyped(w: Rewrite, at: number, length: number): void {
  if (at + length > w.bytes.length) return;
  w.number(at, length);
  redactNetwork(w, w.view.getUint16(at), at + length);
}

const ARPHRD_NETLINK = 824;
const ARPHRD_RADIOTAP = 803;
const ETH_P_802_2 = 4;

function redactCooked(w: Rewrite, at: number): void {
  if (at + 16 > w.bytes.length) return;
  w.number(at, 6);
  w.blank(at + 6, 8);
  if (w.view.getUint16(at + 4) === 6) w.mac(at + 6);
  w.number(at + 14, 2);
  followCooked(w, w.view.getUint16(at + 2), w.view.getUint16(at + 14), at + 16);
}

function redactCooked2(w: Rewrite, at: number): void {
  if (at + 20 > w.bytes.length) return;
  w.number(at, 12);
  w.blank(at + 12, 8);
  if (w.view.getUint8(at + 11) === 6) w.mac(at + 12);
  followCooked(w, w.view.getUint16(at + 8), w.view.getUint16(at), at + 20);
}

function followCooked(w: Rewrite, hardware: number, protocol: number, at: number): void {
  if (hardware === ARPHRD_NETLINK || hardware === ARPHRD_RADIOTAP) return;
  if (protocol === ETH_P_802_2) redactNetwork(w, 0, at);
  else if (protocol > MAX_802_3_LENGTH) redactNetwork(w, protocol, at);
}

const NFULA_HWADDR = 8;
const NFULA_PAYLOAD = 9;

function redactNflog(w: Rewrite, start: number): void {
  const end = w.bytes.length;
  if (end - start < 4) return;
  w.number(start, 4);
  const family = w.view.getUint8(start);
  let at = start + 4;
  const little = end - at >= 4 && w.view.getUint16(at + 2, true) < w.view.getUint16(at + 2);
  while (end - at >= 4) {
    const length = w.view.getUint16(at, little);
    const type = w.view.getUint16(at + 2, little) & 0x7fff;
    if (length < 4) return;
    w.number(at, 4);
    if (type === NFULA_PAYLOAD) {
      if (family === 2 || family === 10) redactNetwork(w, family === 2 ? EtherType.IPV4 : EtherType.IPV6, at + 4);
      return;
    }
    w.blank(at + 4, ((length + 3) & ~3) - 4);
    if (type === NFULA_HWADDR && length >= 14 && end - at >= 14 && w.view.getUint16(at + 4) === 6) {
      w.number(at + 4, 2);
      w.mac(at + 8);
    }
    at += (length + 3) & ~3;
  }
}

function redactRaw(w: Rewrite, linkType: number, at: number): void {
  if (at >= w.bytes.length) return;
  const version = linkType === LinkType.IPV4 ? 4 : linkType === LinkType.IPV6 ? 6 : w.view.getUint8(at) >> 4;
  w.blank(at, 1);
  if (version === 4) redactNetwork(w, EtherType.IPV4, at);
  else if (version === 6) redactNetwork(w, EtherType.IPV6, at);
}

function redactLoopback(w: Rewrite, at: number): void {
  if (at + 4 > w.bytes.length) return;
  w.number(at, 4);
  const big = w.view.getUint32(at);
  const little = w.view.getUint32(at, true);
  const family = big <= 0xffff ? big : little <= 0xffff ? little : big & 0xffff;
  if (family === 2) redactNetwork(w, EtherType.IPV4, at + 4);
  else if ([10, 24, 28, 30].includes(family)) redactNetwork(w, EtherType.IPV6, at + 4);
  else if (family > MAX_802_3_LENGTH && family <= 0xffff) redactNetwork(w, family, at + 4);
}

/** A header in little endian that tells its own length and the link type of what follows. */
function redactNested(w: Rewrite, at: number, minimum: number, lengthAt: number, typeAt: number): void {
  if (at + minimum > w.bytes.length) return;
  const isShort = minimum === 8;
  const length = isShort ? w.view.getUint16(at + lengthAt, true) : w.view.getUint32(at, true);
  const linkType = w.view.getUint32(at + typeAt, true);
  w.number(at, minimum);
  if (length < minimum || at + length > w.bytes.length) return;
  w.blank(at, length);
  const isNested = linkType === LinkType.PKTAP || linkType === LinkType.USER2 || linkType === LinkType.PPI;
  if (!isNested) redactLink(w, linkType, at + length);
}

function redactTokenRing(w: Rewrite, at: number): void {
  w.number(at, 2);
  if (!w.mac(at + 2) || at + 14 > w.bytes.length) return;
  // The first bit of the source says that a route follows: it is no part of the address.
  const isRouted = (w.view.getUint8(at + 8) & 0x80) !== 0;
  w.mac(at + 8, isRouted);
  let next = at + 14;
  if (isRouted) {
    if (next + 2 > w.bytes.length) return;
    const length = w.view.getUint8(next) & 0x1f;
    w.number(next, 1);
    w.blank(next, length);
    next += length;
  }
  if ((w.view.getUint8(at + 1) & 0xc0) === 0x40) redactNetwork(w, 0, next);
}

/** Addresses of one byte are left out. @param at of the protocol */
function redactArcnet(w: Rewrite, at: number): void {
  if (at + 4 > w.bytes.length) return;
  const protocol = w.view.getUint8(at);
  const isShort = protocol === 0xf0 || protocol === 0xf1;
  w.number(at, isShort ? 1 : 4);
  const type = ARCNET_TYPES[protocol];
  if (type !== undefined) redactNetwork(w, type, at + (isShort ? 1 : 4));
}

const ARCNET_TYPES: Readonly<Record<number, number>> = {
  0xf0: EtherType.IPV4,
  0xf1: EtherType.ARP,
  0xd4: EtherType.IPV4,
  0xd5: EtherType.ARP,
  0xc4: EtherType.IPV6,
};

function redactIpnet(w: Rewrite, at: number): void {
  if (at + 24 > w.bytes.length) return;
  w.number(at, 2);
  w.blank(at + 2, 22);
  const family = w.view.getUint8(at + 1);
  if (family === 2 || family === 26) redactNetwork(w, family === 2 ? EtherType.IPV4 : EtherType.IPV6, at + 24);
}
