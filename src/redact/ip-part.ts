/** The IP packet that a message stands in, as far as what it carries needs to know of it. */

import type { Rewrite } from './rewrite.js';

export interface IpPart {
  readonly version: 4 | 6;
  /** Offset of the IP header. */
  readonly header: number;
  /** Where the packet ends, or the capture of it. */
  readonly end: number;
  /** Bytes from the transport header on, as the IP header says. */
  readonly length: number;
  readonly isFragment: boolean;
  /** Offset of the address that checksums are of. */
  readonly destination: number;
  /** Rewrites the packet that an ICMP error quotes; undefined within a quoted packet, of which only headers are kept. */
  readonly quote: ((at: number) => void) | undefined;
}

/** Writes the checksum at `field` of the message at `at`, with the pseudo header of RFC 9293 and RFC 8200 section 8.1. */
export function setChecksum(w: Rewrite, protocol: number, at: number, field: number, part: IpPart): void {
  w.put16(field, 0);
  const sum = pseudoHeader(w, protocol, part);
  w.put16(field, w.checksum(at, part.end, sum));
}

function pseudoHeader(w: Rewrite, protocol: number, { version, header, length, destination }: IpPart): number {
  const addresses = version === 4 ? w.sum(header + 12, 8) : w.sum(header + 8, 16) + w.sum(destination, 16);
  return addresses + protocol + (length & 0xffff) + (length >>> 16);
}
