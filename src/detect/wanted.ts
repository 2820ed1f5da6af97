/**
 * Which packets of a capture the second reading has to look at: those of the senders and between the addresses of
 * suspect and traced legs. All others are dropped before they are decoded.
 */

import type { Core } from '../bytes/core.js';
import { WANTED, WANTED_BITS } from '../bytes/core-layout.js';
import { LinkType } from '../decode/link-type.js';
import { EtherType } from '../decode/shim.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { PacketBatch } from '../records/packet-batch.js';
import { runsOfLeg, viewLeg } from './legs.js';

const BYTES = 1 << (WANTED_BITS - 3);
const ETHERNET_HEADER = 14;
const VLAN_TAG = 4;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
/** In the place of addresses that do not lie in plain view. */
const HIDDEN = 0;
/** Of a frame that belongs to no leg. */
const NONE = -1;

/** Only one at a time: they use the same place of the core. */
export class WantedPackets {
  /** Frame number of the last packet that is wanted. */
  readonly last: number;
  /** Hashes of what is wanted. What is not, and hits one by chance, is decoded for nothing. */
  private readonly bits: Uint8Array;
  private readonly core: Core | undefined;

  /** @param legs the wanted ones, of the capture that is read */
  constructor(r: Reconstruction, legs: Iterable<number>) {
    this.core = r.core;
    this.bits = r.core ? new Uint8Array(r.core.fixed, WANTED, BYTES).fill(0) : new Uint8Array(BYTES);
    let last = 0;
    for (const leg of legs) {
      const { transmitter, srcIp, dstIp } = viewLeg(r, leg);
      const [macHigh, macLow] = [Math.floor(transmitter / 0x1_0000_0000), transmitter | 0];
      this.want(hashOf(macHigh, macLow, r.addresses.lastWord(srcIp), r.addresses.lastWord(dstIp)));
      this.want(hashOf(macHigh, macLow, HIDDEN, HIDDEN));
      for (const run of runsOfLeg(r, leg)) last = Math.max(last, run.lastFrame);
    }
    this.last = last;
  }

  /**
   * Leaves, of the rows from `from` on, those of wanted packets, in order; link types other than Ethernet are not looked
   * into.
   */
  keep(packets: PacketBatch, from = 0): void {
    const { core } = this;
    if (packets.bytes === core?.bytes) {
      packets.count = core.run.keep(from, packets.count);
      return;
    }
    let kept = from;
    for (let row = from; row < packets.count; row++) {
      if (!this.isWanted(packets, row)) continue;
      if (kept < row) packets.copyRow(row, kept);
      kept++;
    }
    packets.count = kept;
  }

  private want(bit: number): void {
    this.bits[bit >>> 3] = (this.bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
  }

  private isWanted({ bytes, offset, capturedLength, linkType }: PacketBatch, row: number): boolean {
    if (linkType[row] !== LinkType.ETHERNET) return true;
    const captured = capturedLength[row] ?? 0;
    if (captured < ETHERNET_HEADER + VLAN_TAG) return false;
    const bit = bitOf(bytes, offset[row] ?? 0, captured);
    return bit !== NONE && ((this.bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
  }
}

/** The bit that stands for the Ethernet frame at `at`. */
function bitOf(bytes: Uint8Array, at: number, captured: number): number {
  let etherType = half(bytes, at + 12);
  if (etherType === EtherType.ARP) return NONE;
  let network = ETHERNET_HEADER;
  if (etherType === EtherType.VLAN) {
    etherType = half(bytes, at + 16);
    network += VLAN_TAG;
  }
  const macHigh = half(bytes, at + 6);
  const macLow = word(bytes, at + 8);
  const ip = at + network;
  if (etherType === EtherType.IPV4 && captured >= network + IPV4_HEADER)
    return hashOf(macHigh, macLow, word(bytes, ip + 12), word(bytes, ip + 16));
  if (etherType === EtherType.IPV6 && captured >= network + IPV6_HEADER)
    return hashOf(macHigh, macLow, word(bytes, ip + 20), word(bytes, ip + 36));
  return hashOf(macHigh, macLow, HIDDEN, HIDDEN);
}

/** Of the addresses the last words, which differ most. */
function hashOf(macHigh: number, macLow: number, src: number, dst: number): number {
  const macs = Math.imul(macLow ^ Math.imul(macHigh, 0x9e3779b1), 0x85ebca6b);
  const h = macs ^ Math.imul(src, 0xc2b2ae35) ^ Math.imul(dst, 0x27d4eb2f);
  return Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> (32 - WANTED_BITS);
}

function half(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function word(bytes: Uint8Array, at: number): number {
  return (half(bytes, at) << 16) | half(bytes, at + 2);
}
