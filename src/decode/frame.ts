/** Packets to frames: the first stage after the readers, one call per batch. */

import type { AddressTable } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import { PLAIN, SLOW } from '../bytes/core-layout.js';
import { Claim, type FrameBatch, FrameFlag, Link } from '../records/frame-batch.js';
import { BATCH_SIZE, NOT_A_PACKET, type PacketBatch } from '../records/packet-batch.js';
import { decodeArp } from './arp.js';
import { BEYOND_CAPTURED, decodeIpv4, decodeIpv6 } from './ip.js';
import { LinkType } from './link-type.js';
import { decodeLink } from './link.js';
import { EtherType, skipShims } from './shim.js';

/**
 * Decodes headers of packets into columns of a frame batch. Lax: it never throws inside a packet, reads nothing beyond
 * the captured bytes, fills what it could read, and says by `FrameFlag.CUT` or `MALFORMED` that it stopped early.
 */
export class Decoder {
  private readonly addresses: AddressTable;
  private readonly core: Core | undefined;
  /** Rows that the core leaves. */
  private readonly slow: Int32Array | undefined;
  /** Marks of those that it decoded: they outlast a batch. */
  private readonly plain: Uint8Array | undefined;
  private bytes: Uint8Array = new Uint8Array(0);
  private view: DataView = new DataView(new ArrayBuffer(0));

  /**
   * @param addresses where IPv6 addresses get their index
   * @param core decodes plain frames of batches that lie in its memory, as `addresses` then must
   */
  constructor(addresses: AddressTable, core?: Core) {
    this.addresses = addresses;
    this.core = core;
    this.slow = core?.words(SLOW, BATCH_SIZE);
    this.plain = core && new Uint8Array(core.fixed, PLAIN, BATCH_SIZE);
  }

  /** Fills `frames` with one row per packet of `packets`; what it held before is overwritten. */
  decode(packets: PacketBatch, frames: FrameBatch): void {
    if (packets.bytes !== this.bytes) {
      this.bytes = packets.bytes;
      this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    }
    frames.count = packets.count;
    const { core, slow } = this;
    if (core && slow && this.bytes === core.bytes && frames.isIn(core.fixed)) {
      const count = core.run.decode(packets.count);
      for (let i = 0; i < count; i++) this.decodeRow(packets, frames, slow[i] ?? 0);
      return;
    }
    this.plain?.fill(0);
    frames.frame.set(packets.frame);
    frames.interfaceIndex.set(packets.interfaceIndex);
    frames.time.set(packets.time);
    for (let row = 0; row < packets.count; row++) this.decodeRow(packets, frames, row);
  }

  private decodeRow(packets: PacketBatch, frames: FrameBatch, row: number): void {
    clear(frames, row);
    const at = packets.offset[row] ?? 0;
    const end = at + (packets.capturedLength[row] ?? 0);
    const linkType = packets.linkType[row] ?? NOT_A_PACKET;
    frames.length[row] = (packets.originalLength[row] ?? 0) >>> 0;
    if (linkType === LinkType.ETHERNET && end - at >= ETHERNET_HEADER) this.ethernet(at, end, frames, row);
    else this.otherLink(linkType, at, end, frames, row);
    const direction = (packets.flags[row] ?? 0) & 3;
    if (direction !== 0)
      addFlag(frames, row, direction === 2 ? FrameFlag.OUTGOING : direction === 1 ? FrameFlag.INCOMING : 0);
    if ((frames.flags[row] ?? 0) & BEYOND_CAPTURED) settleLength(packets, frames, this.view, row);
  }

  /** The path nearly all packets take. */
  private ethernet(at: number, end: number, frames: FrameBatch, row: number): void {
    const view = this.view;
    frames.flags[row] = FrameFlag.SRC_MAC | FrameFlag.DST_MAC;
    frames.dstMacHigh[row] = view.getUint16(at);
    frames.dstMacLow[row] = view.getInt32(at + 2);
    frames.srcMacHigh[row] = view.getUint16(at + 6);
    frames.srcMacLow[row] = view.getInt32(at + 8);
    const etherType = view.getUint16(at + 12);
    frames.etherType[row] = etherType;
    frames.networkOffset[row] = at + ETHERNET_HEADER;
    if (etherType === EtherType.IPV4) decodeIpv4(view, at + ETHERNET_HEADER, end, frames, row, this.addresses);
    else if (etherType === EtherType.IPV6) decodeIpv6(view, at + ETHERNET_HEADER, end, frames, row, this.addresses);
    else this.network(end, frames, row);
  }

  private otherLink(linkType: number, at: number, end: number, frames: FrameBatch, row: number): void {
    if (linkType === NOT_A_PACKET) {
      frames.link[row] = Link.NONE;
      return;
    }
    decodeLink(this.view, linkType, at, end, frames, row);
    this.network(end, frames, row);
  }

  /** Goes on from the `etherType` and `networkOffset` columns of row `row`, over the bytes of the batch decoded last. */
  network(end: number, frames: FrameBatch, row: number): void {
    if ((frames.networkOffset[row] ?? -1) < 0) return;
    const onSegment = skipShims(this.view, end, frames, row);
    const at = frames.networkOffset[row] ?? -1;
    if (at < 0) return;
    switch (frames.etherType[row] ?? -1) {
      case EtherType.IPV4:
        decodeIpv4(this.view, at, end, frames, row, this.addresses);
        break;
      case EtherType.IPV6:
        decodeIpv6(this.view, at, end, frames, row, this.addresses);
        break;
      case EtherType.ARP:
        decodeArp(this.view, at, end, frames, row);
        break;
    }
    // Inside PPPoE or MPLS a host of the far side speaks: it says nothing about MACs of this segment. Nor has PPP any.
    if (!onSegment || frames.link[row] === Link.POINT_TO_POINT) frames.claim[row] = Claim.NONE;
  }
}

const ETHERNET_HEADER = 14;

function clear(frames: FrameBatch, row: number): void {
  frames.flags[row] = 0;
  frames.link[row] = Link.ETHERNET;
  frames.vlan[row] = -1;
  frames.innerVlan[row] = -1;
  frames.etherType[row] = -1;
  frames.ipVersion[row] = 0;
  frames.protocol[row] = -1;
  frames.hopLimit[row] = 0;
  frames.ipId[row] = 0;
  frames.srcPort[row] = 0;
  frames.dstPort[row] = 0;
  frames.detail[row] = 0;
  frames.networkOffset[row] = -1;
  frames.transportOffset[row] = -1;
  frames.claim[row] = Claim.NONE;
}

function addFlag(frames: FrameBatch, row: number, flag: number): void {
  frames.flags[row] = (frames.flags[row] ?? 0) | flag;
}

/** An IP length that goes beyond what was on the wire contradicts itself; beyond what was captured it does not. */
function settleLength(packets: PacketBatch, frames: FrameBatch, view: DataView, row: number): void {
  const at = frames.networkOffset[row] ?? 0;
  const ipEnd = at + (frames.ipVersion[row] === 4 ? view.getUint16(at + 2) : 40 + view.getUint16(at + 4));
  const wireEnd = (packets.offset[row] ?? 0) + (frames.length[row] ?? 0);
  frames.flags[row] = (frames.flags[row] ?? 0) & ~BEYOND_CAPTURED;
  if (ipEnd > wireEnd) addFlag(frames, row, FrameFlag.MALFORMED);
}
