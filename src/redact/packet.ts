/**
 * Packets without what is private: addresses become their images, payload and everything that is not understood is
 * left out, checksums are right as if the payload were zeros. What macscan judges by stays: lengths, flags, ports,
 * sequence numbers, and what ARP, neighbour discovery and DHCP say of addresses.
 */

import type { AddressMapping } from './mapping.js';
import { redactLink } from './packet-link.js';
import { Rewrite } from './rewrite.js';

export class PacketRedactor {
  private readonly rewrite: Rewrite;

  constructor(mapping: AddressMapping) {
    this.rewrite = new Rewrite(mapping);
  }

  /**
   * @param packet captured bytes; they are not changed
   * @param linkType a LINKTYPE_ value of the tcpdump registry; of one that is not known, nothing is left
   * @returns the new bytes, never more than were captured; valid until the next call
   */
  redact(packet: Uint8Array, linkType: number): Uint8Array {
    this.rewrite.begin(packet);
    redactLink(this.rewrite, linkType, 0);
    return this.rewrite.result();
  }

  /** What each byte of the last packet is: one of `Kind`. */
  get kinds(): Uint8Array {
    return this.rewrite.kinds.subarray(0, this.rewrite.length);
  }

  /** Shortens the last packet. */
  cut(length: number): Uint8Array {
    this.rewrite.cut(length);
    return this.rewrite.result();
  }
}
