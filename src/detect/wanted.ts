/**
 * Which packets of a capture the second reading has to look at: those from and to the MACs of a suspect leg, or of one
 * that is traced. All others are dropped before they are decoded.
 */

import type { Mac } from '../bytes/address.js';
import { LinkType } from '../decode/link-type.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { BATCH_SIZE, type PacketBatch } from '../records/packet-batch.js';
import { runsOfLeg, viewLeg } from './legs.js';

/** Bits of each filter. What is not wanted and hits one by chance is decoded for nothing. */
const BITS = 1 << 16;
const BOTH_MACS = 12;

export class WantedPackets {
  /** Frame number of the last packet that is wanted. */
  readonly last: number;
  /** Hashes of senders and receivers that are wanted; of senders whose receivers are not all known. */
  private readonly pairs = new Uint8Array(BITS / 8);
  private readonly senders = new Uint8Array(BITS / 8);
  private readonly rows = new Int32Array(BATCH_SIZE);

  /** @param legs the wanted ones, of the capture that is read */
  constructor(r: Reconstruction, legs: Iterable<number>) {
    let last = 0;
    for (const leg of legs) {
      const { transmitter } = viewLeg(r, leg);
      for (const run of runsOfLeg(r, leg)) {
        last = Math.max(last, run.lastFrame);
        if (run.mixed) set(this.senders, hashOf(folded(transmitter), 0));
        else set(this.pairs, hashOf(folded(transmitter), folded(run.mac)));
      }
    }
    this.last = last;
  }

  /** Leaves the wanted packets in a batch, in order; link types other than Ethernet are not looked into. */
  keep(packets: PacketBatch): void {
    const { bytes, offset, capturedLength, linkType, count } = packets;
    const { rows, pairs, senders } = this;
    let kept = 0;
    for (let row = 0; row < count; row++) {
      if (linkType[row] === LinkType.ETHERNET) {
        if ((capturedLength[row] ?? 0) < BOTH_MACS) continue;
        const at = offset[row] ?? 0;
        const from = foldedAt(bytes, at + 6);
        if (!isSet(pairs, hashOf(from, foldedAt(bytes, at))) && !isSet(senders, hashOf(from, 0))) continue;
      }
      rows[kept++] = row;
    }
    if (kept < count) packets.keep(rows, kept);
  }
}

/** A MAC as one word. */
function folded(mac: Mac): number {
  return (mac | 0) ^ Math.floor(mac / 0x1_0000_0000);
}

function foldedAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  const third = ((bytes[at + 2] ?? 0) << 24) | ((bytes[at + 3] ?? 0) << 16);
  return (third | ((bytes[at + 4] ?? 0) << 8) | (bytes[at + 5] ?? 0)) ^ high;
}

function hashOf(from: number, to: number): number {
  const h = Math.imul(from, 0x9e3779b1) ^ Math.imul(to, 0x85ebca6b);
  return Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 16;
}

function set(bits: Uint8Array, bit: number): void {
  bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) | (1 << (bit & 7));
}

function isSet(bits: Uint8Array, bit: number): boolean {
  return ((bits[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}
