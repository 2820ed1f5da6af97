/** Serial links: headers of numbers, and Ethernet bridged over Frame Relay. */

import { LinkType } from '../decode/link-type.js';
import { EtherType, MAX_802_3_LENGTH } from '../decode/shim.js';
import { redactNetwork } from './packet-network.js';
import { stepPpp } from './packet-shim.js';
import type { Rewrite } from './rewrite.js';

/** PPP with or without HDLC address and control, and Cisco HDLC, which PPP link types may hold too. */
export function redactPpp(w: Rewrite, linkType: number, at: number): void {
  if (at + 2 > w.bytes.length) return;
  w.blank(at, 2);
  const first = w.view.getUint8(at);
  if (linkType === LinkType.C_HDLC || first === 0x0f || first === 0x8f) {
    w.number(at, 4);
    const type = at + 4 <= w.bytes.length ? w.view.getUint16(at + 2) : 0;
    if (type > MAX_802_3_LENGTH) redactNetwork(w, type, at + 4);
    return;
  }
  const protocol = w.view.getUint16(at) === 0xff03 ? at + 2 : at;
  w.number(at, protocol - at);
  const inner = stepPpp(w, protocol);
  if (inner) redactNetwork(w, inner.type, inner.next);
}

const BRIDGED = 0x0080c2;

export function redactFrameRelay(w: Rewrite, start: number): void {
  const end = w.bytes.length;
  let at = start;
  while (at < end && at < start + 4 && (w.view.getUint8(at) & 1) === 0) at++;
  at++;
  if (at + 2 > end) return;
  w.number(start, at - start);
  w.blank(at, 2);
  if (w.view.getUint8(at) !== 3) {
    w.number(at, 2);
    const type = w.view.getUint16(at);
    if (type > MAX_802_3_LENGTH) redactNetwork(w, type, at + 2);
    return;
  }
  w.number(at, 1);
  at++;
  if (w.view.getUint8(at) === 0) w.number(at++, 1);
  if (at >= end) return;
  w.number(at, 1);
  const identifier = w.view.getUint8(at);
  if (identifier === 0xcc) redactNetwork(w, EtherType.IPV4, at + 1);
  else if (identifier === 0x8e) redactNetwork(w, EtherType.IPV6, at + 1);
  else if (identifier === 0x80 && at + 6 <= end) {
    w.number(at, 6);
    const organisation = w.view.getUint32(at) & 0xffffff;
    if (organisation === BRIDGED && at + 20 <= end) {
      w.mac(at + 6);
      w.mac(at + 12);
      w.number(at + 18, 2);
      redactNetwork(w, w.view.getUint16(at + 18), at + 20);
    } else if (organisation === 0) {
      redactNetwork(w, w.view.getUint16(at + 4), at + 6);
    }
  }
}
