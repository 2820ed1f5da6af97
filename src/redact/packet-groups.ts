/** Who is in which group, and who plays a virtual router: IGMP (RFC 2236, RFC 3376) and VRRP (RFC 3768, RFC 9568). */

import { type IpPart, setChecksum } from './ip-part.js';
import type { Rewrite } from './rewrite.js';

const IGMP_REPORT_3 = 0x22;
const VRRP = 112;

export function redactIgmp(w: Rewrite, at: number, part: IpPart): void {
  if (part.end - at < 8) return;
  w.number(at, 4);
  w.put16(at + 2, 0);
  if (w.view.getUint8(at) === IGMP_REPORT_3) redactReport(w, at, part.end);
  else w.ipv4(at + 4);
  w.put16(at + 2, w.checksum(at, part.end));
}

/** Group records, each with the sources that are wanted. */
function redactReport(w: Rewrite, at: number, end: number): void {
  w.number(at + 4, 4);
  const records = w.view.getUint16(at + 6);
  let record = at + 8;
  for (let n = 0; n < records && record + 8 <= end; n++) {
    w.number(record, 4);
    w.ipv4(record + 4);
    const sources = w.view.getUint16(record + 2);
    for (let i = 0; i < sources && record + 12 + 4 * i <= end; i++) w.ipv4(record + 8 + 4 * i);
    const next = record + 8 + 4 * sources + 4 * w.view.getUint8(record + 1);
    w.blank(record, Math.min(next, end) - record);
    record = next;
  }
}

export function redactVrrp(w: Rewrite, at: number, part: IpPart): void {
  if (part.end - at < 8) return;
  w.number(at, 8);
  w.put16(at + 6, 0);
  const size = part.version === 4 ? 4 : 16;
  const count = w.view.getUint8(at + 3);
  let address = at + 8;
  for (let n = 0; n < count && address + size <= part.end; n++, address += size) {
    if (size === 4) w.ipv4(address);
    else w.ipv6(address);
  }
  // What follows is the password of version 2.
  w.blank(address, Math.min(8, part.end - address));
  const hasPseudoHeader = w.view.getUint8(at) >> 4 === 3;
  if (hasPseudoHeader) setChecksum(w, VRRP, at, at + 6, part);
  else w.put16(at + 6, w.checksum(at, part.end));
}
