/** Header fields of a packet as text, under the names that tshark gives them. */

import { type AddressTable, formatMac, ipFromWord, macFromWords } from '../bytes/address.js';
import { FrameBatch, FrameFlag, Link } from '../records/frame-batch.js';
import { PacketBatch } from '../records/packet-batch.js';
import { Decoder } from './frame.js';
import { findInner, isInterSwitchLink } from './inner.js';
import { NETWORK } from './inner-packet.js';
import { Protocol } from './ip.js';
import { LinkType } from './link-type.js';
import { EtherType } from './shim.js';

/** Columns of `HeaderFields`, in order. */
export const HEADER_FIELDS = [
  'eth.src',
  'eth.dst',
  'eth.type',
  'vlan.id',
  'ip.src',
  'ip.dst',
  'ip.proto',
  'ipv6.src',
  'ipv6.dst',
  'ipv6.nxt',
  'tcp.srcport',
  'tcp.dstport',
  'udp.srcport',
  'udp.dstport',
  'arp.opcode',
  'arp.src.hw_mac',
  'arp.src.proto_ipv4',
  'arp.dst.hw_mac',
  'arp.dst.proto_ipv4',
  'sll.src.eth',
  'wlan.sa',
  'wlan.da',
] as const;

type FieldName = (typeof HEADER_FIELDS)[number];

/** Packets inside packets beyond this depth are left alone. */
const MAX_DEPTH = 128;

/**
 * Gives each field its first occurrence in the whole frame, tunnels and quoted packets included, as tshark does
 * (`-E occurrence=f`). Of a cut packet it gives every field whose bytes are there.
 */
export class HeaderFields {
  private readonly addresses: AddressTable;
  private readonly decoder: Decoder;
  private readonly packets = new PacketBatch();
  private readonly frames = new FrameBatch();
  private readonly values = new Map<FieldName, string>();
  private view: DataView = new DataView(new ArrayBuffer(0));

  /** @param addresses the table of the decoder that fills the frames */
  constructor(addresses: AddressTable) {
    this.addresses = addresses;
    this.decoder = new Decoder(addresses);
  }

  /** @returns text per field name, of row `row`; fields that the packet does not have are missing. Valid until the next call. */
  collect(packets: PacketBatch, frames: FrameBatch, row: number): ReadonlyMap<FieldName, string> {
    this.values.clear();
    const { buffer, byteOffset, byteLength } = packets.bytes;
    if (this.view.buffer !== buffer || this.view.byteOffset !== byteOffset || this.view.byteLength !== byteLength) {
      this.view = new DataView(buffer, byteOffset, byteLength);
    }
    this.layers(packets, frames, row);
    const end = (packets.offset[row] ?? 0) + (packets.capturedLength[row] ?? 0);
    let inner = findInner(this.view, end, frames, row);
    for (let depth = 0; inner && depth < MAX_DEPTH; depth++) {
      this.packets.count = 1;
      this.packets.bytes = packets.bytes;
      this.packets.offset[0] = inner.at;
      this.packets.capturedLength[0] = this.packets.originalLength[0] = inner.end - inner.at;
      this.packets.linkType[0] = inner.linkType;
      this.decoder.decode(this.packets, this.frames);
      if (inner.linkType === NETWORK) {
        this.frames.etherType[0] = inner.etherType;
        this.frames.networkOffset[0] = inner.at;
        this.decoder.network(inner.end, this.frames, 0);
      }
      this.layers(this.packets, this.frames, 0);
      inner = findInner(this.view, inner.end, this.frames, 0);
    }
    return this.values;
  }

  private layers(packets: PacketBatch, frames: FrameBatch, row: number): void {
    const start = packets.offset[row] ?? 0;
    const end = start + (packets.capturedLength[row] ?? 0);
    const linkType = packets.linkType[row] ?? 0;
    this.linkFields(linkType, start, end, frames, row);
    this.vlanField(linkType, start, frames, row);
    const network = frames.networkOffset[row] ?? -1;
    if (network < 0) return;
    switch (frames.etherType[row] ?? -1) {
      case RARP:
        // On serial links it is Cisco's keepalive.
        if (frames.link[row] !== Link.POINT_TO_POINT) this.arpFields(network, end);
        return;
      case EtherType.ARP:
        this.arpFields(network, end);
        return;
      case EtherType.IPV4:
        this.ipv4Fields(network, end, frames, row);
        return;
      case EtherType.IPV6:
        this.ipv6Fields(network, end, frames, row);
        return;
    }
  }

  private linkFields(linkType: number, start: number, end: number, frames: FrameBatch, row: number): void {
    const flags = frames.flags[row] ?? 0;
    const source =
      flags & FrameFlag.SRC_MAC ? formatMac(macFromWords(frames.srcMacHigh[row] ?? 0, frames.srcMacLow[row] ?? 0)) : '';
    const destination =
      flags & FrameFlag.DST_MAC ? formatMac(macFromWords(frames.dstMacHigh[row] ?? 0, frames.dstMacLow[row] ?? 0)) : '';
    switch (frames.link[row] ?? Link.NONE) {
      case Link.ETHERNET:
        if (linkType === LinkType.FDDI || linkType === LinkType.TOKEN_RING) return;
        // tshark reads the type first; and FabricPath's outer addresses are no Ethernet addresses.
        if (linkType === LinkType.ETHERNET && (end - start < 14 || this.view.getUint16(start + 12) === FABRIC_PATH))
          return;
        if (isInterSwitchLink(frames, row)) return;
        this.set('eth.src', source);
        this.set('eth.dst', destination);
        if (linkType === LinkType.ETHERNET) this.etherType(this.view.getUint16(start + 12));
        else if ((frames.vlan[row] ?? -1) < 0) this.etherType(frames.etherType[row] ?? -1);
        return;
      case Link.WIFI:
        this.set('wlan.sa', source);
        this.set('wlan.da', destination);
        return;
      case Link.COOKED:
        if (linkType !== LinkType.NFLOG) this.set('sll.src.eth', source);
    }
  }

  /** tshark has a field of its own for the id of a provider's tag (0x88a8), so that `vlan.id` is the customer's. */
  private vlanField(linkType: number, start: number, frames: FrameBatch, row: number): void {
    let vlan = frames.vlan[row] ?? -1;
    const typeAt = linkType === LinkType.ETHERNET ? start + 12 : linkType === LinkType.LINUX_SLL ? start + 14 : -1;
    if (vlan >= 0 && typeAt >= 0 && this.view.getUint16(typeAt) === EtherType.PROVIDER_BRIDGE)
      vlan = frames.innerVlan[row] ?? -1;
    if (vlan >= 0) this.set('vlan.id', String(vlan));
  }

  private etherType(type: number): void {
    if (type >= MIN_ETHER_TYPE) this.set('eth.type', `0x${type.toString(16).padStart(4, '0')}`);
  }

  private arpFields(at: number, end: number): void {
    const view = this.view;
    // ATM has an ARP of its own layout (RFC 2225).
    if (end - at < 8 || view.getUint16(at) === ARPHRD_ATM) return;
    this.set('arp.opcode', String(view.getUint16(at + 6)));
    const hardwareLength = view.getUint8(at + 4);
    const protocolLength = view.getUint8(at + 5);
    const hasMac = hardwareLength === 6 && (view.getUint16(at) === 1 || view.getUint16(at) === 6);
    const hasIp = protocolLength === 4 && view.getUint16(at + 2) === EtherType.IPV4;
    const senderIp = at + 8 + hardwareLength;
    const targetMac = senderIp + protocolLength;
    const targetIp = targetMac + hardwareLength;
    if (targetIp + protocolLength > end) return;
    if (hasMac) this.set('arp.src.hw_mac', this.mac(at + 8));
    if (hasIp) this.set('arp.src.proto_ipv4', this.ipv4(senderIp));
    if (hasMac) this.set('arp.dst.hw_mac', this.mac(targetMac));
    if (hasIp) this.set('arp.dst.proto_ipv4', this.ipv4(targetIp));
  }

  private ipv4Fields(at: number, end: number, frames: FrameBatch, row: number): void {
    const headerLength = at < end ? (this.view.getUint8(at) & 15) * 4 : 0;
    if (at + 4 <= end && this.view.getUint16(at + 2) !== 0 && this.view.getUint16(at + 2) < headerLength) return;
    if (frames.ipVersion[row] === 4) {
      this.set('ip.proto', String(this.view.getUint8(at + 9)));
      this.set('ip.src', this.addresses.format(ipFromWord(frames.srcIp[row] ?? 0, 4)));
      const routeEnd = sourceRouteEnd(this.view, at + 20, Math.min(at + headerLength, at + 60), end);
      if (routeEnd === NO_SOURCE_ROUTE)
        this.set('ip.dst', this.addresses.format(ipFromWord(frames.dstIp[row] ?? 0, 4)));
      else if (routeEnd !== CUT_OPTIONS) this.set('ip.dst', this.ipv4(routeEnd));
      this.portFields(end, frames, row);
    } else if (end > at && this.view.getUint8(at) >> 4 === 4 && (this.view.getUint8(at) & 15) >= 5) {
      if (at + 10 <= end) this.set('ip.proto', String(this.view.getUint8(at + 9)));
      if (at + 16 <= end) this.set('ip.src', this.ipv4(at + 12));
    }
  }

  private ipv6Fields(at: number, end: number, frames: FrameBatch, row: number): void {
    if (frames.ipVersion[row] === 6) {
      this.set('ipv6.nxt', String(this.view.getUint8(at + 6)));
      this.set('ipv6.src', this.addresses.format(ipFromWord(frames.srcIp[row] ?? 0, 6)));
      this.set('ipv6.dst', this.addresses.format(ipFromWord(frames.dstIp[row] ?? 0, 6)));
      this.portFields(end, frames, row);
    } else if (end > at && this.view.getUint8(at) >> 4 === 6) {
      if (at + 7 <= end) this.set('ipv6.nxt', String(this.view.getUint8(at + 6)));
      if (at + 24 <= end) this.set('ipv6.src', this.ipv6(at + 8));
    }
  }

  private portFields(end: number, frames: FrameBatch, row: number): void {
    const at = frames.transportOffset[row] ?? -1;
    const protocol = frames.protocol[row];
    if (at < 0) return;
    const name =
      protocol === Protocol.TCP ? 'tcp' : protocol === Protocol.UDP || protocol === Protocol.UDP_LITE ? 'udp' : '';
    if (name === '') return;
    if (end - at >= 4) {
      this.set(`${name}.srcport`, String(frames.srcPort[row]));
      this.set(`${name}.dstport`, String(frames.dstPort[row]));
    } else if (end - at >= 2) {
      this.set(`${name}.srcport`, String(this.view.getUint16(at)));
    }
  }

  private set(name: FieldName, value: string): void {
    if (value !== '' && !this.values.has(name)) this.values.set(name, value);
  }

  private mac(at: number): string {
    return formatMac(macFromWords(this.view.getUint16(at), this.view.getInt32(at + 2)));
  }

  private ipv4(at: number): string {
    return this.addresses.format(this.view.getUint32(at));
  }

  private ipv6(at: number): string {
    const { view } = this;
    const index = this.addresses.intern(
      view.getInt32(at),
      view.getInt32(at + 4),
      view.getInt32(at + 8),
      view.getInt32(at + 12),
    );
    return this.addresses.format(ipFromWord(index, 6));
  }
}

const MIN_ETHER_TYPE = 1536;
const FABRIC_PATH = 0x8903;
const RARP = 0x8035;
const ARPHRD_ATM = 19;

const NO_SOURCE_ROUTE = -1;
const CUT_OPTIONS = -2;
const LOOSE_ROUTE = 131;
const STRICT_ROUTE = 137;

/**
 * Where the last address of a source route (RFC 791 section 3.1) stands in the IPv4 options at `start`: tshark shows it
 * as the destination, whereas the header holds the next stop; and it shows none when the options are cut.
 */
function sourceRouteEnd(view: DataView, start: number, optionsEnd: number, end: number): number {
  let at = start;
  while (at < optionsEnd) {
    if (at >= end) return CUT_OPTIONS;
    const type = view.getUint8(at);
    if (type === 0) return NO_SOURCE_ROUTE;
    if (type === 1) {
      at++;
      continue;
    }
    if (at + 1 >= optionsEnd) return NO_SOURCE_ROUTE;
    if (at + 1 >= end) return CUT_OPTIONS;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > optionsEnd) return NO_SOURCE_ROUTE;
    if (type === LOOSE_ROUTE || type === STRICT_ROUTE) {
      if (at + length > end) return CUT_OPTIONS;
      // The pointer stands on an address; behind the last one, the route is done.
      const pointer = length > 2 ? view.getUint8(at + 2) : 0;
      return pointer >= 4 && pointer % 4 === 0 && pointer <= length ? at + length - 4 : NO_SOURCE_ROUTE;
    }
    at += length;
  }
  return NO_SOURCE_ROUTE;
}
