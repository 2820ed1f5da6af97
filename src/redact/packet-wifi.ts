/** IEEE 802.11 frames: addresses and control fields; what management frames announce (SSIDs) is left out. */

import { LinkType } from '../decode/link-type.js';
import { radioHeaderEnd } from '../decode/wifi.js';
import { redactNetwork } from './packet-network.js';
import type { Rewrite } from './rewrite.js';

/** Radiotap's "present" bits of the two fields that say where the frame's body begins: time stamp, and flags. */
const TSFT = 1;
const FLAGS = 2;
const FLAG_PADDING = 0x20;

export function redactRadio(w: Rewrite, linkType: number, at: number): void {
  if (linkType === LinkType.IEEE802_11) {
    redactWifi(w, at, false);
    return;
  }
  const start = radioHeaderEnd(w.view, linkType, at, w.bytes.length);
  if (start < 0) return;
  w.number(at, linkType === LinkType.RADIOTAP ? 4 : 8);
  w.blank(at, start - at);
  redactWifi(w, start, linkType === LinkType.RADIOTAP && redactRadiotap(w, at, start));
}

/** Keeps of a radiotap header whether padding stands between header and body. @returns that */
function redactRadiotap(w: Rewrite, at: number, end: number): boolean {
  const present = w.view.getUint32(at + 4, true);
  if ((present & FLAGS) === 0) return false;
  let field = at + 8;
  for (let word = present; word & 0x80000000; field += 4) {
    if (field + 4 > end) return false;
    word = w.view.getUint32(field, true);
  }
  if (present & TSFT) field = at + ((field - at + 7) & ~7) + 8;
  if (field >= end || (w.view.getUint8(field) & FLAG_PADDING) === 0) return false;
  w.put8(at + 4, FLAGS);
  w.put8(at + 8, FLAG_PADDING);
  return true;
}

function redactWifi(w: Rewrite, at: number, isPadded: boolean): void {
  const end = w.bytes.length;
  if (end - at < 2) return;
  const control = w.view.getUint8(at);
  const flags = w.view.getUint8(at + 1);
  const type = (control >> 2) & 3;
  w.number(at, 4);
  if (type === 3 || (control & 3) !== 0) return;
  if (!w.mac(at + 4)) return;
  if (type === 1) {
    // Request to send, block acknowledgement and others tell the transmitter too.
    if ((control >> 4 >= 8 && control >> 4 <= 11) || control >> 4 >= 14) w.mac(at + 10);
    return;
  }
  const hasFourth = type === 2 && (flags & 3) === 3;
  const body = at + (hasFourth ? 30 : 24);
  if (body > end) return;
  w.mac(at + 10);
  w.mac(at + 16);
  w.number(at + 22, 2);
  if (hasFourth) w.mac(at + 24);
  if (type === 2) redactData(w, at, body, isPadded);
}

/** What follows the addresses of a data frame. */
function redactData(w: Rewrite, at: number, start: number, isPadded: boolean): void {
  const subtype = w.view.getUint8(at) >> 4;
  const flags = w.view.getUint8(at + 1);
  const end = w.bytes.length;
  let body = start;
  if (subtype & 8) {
    body += flags & 0x80 ? 6 : 2;
    w.number(start, body - start);
  }
  if (body > end || subtype & 4 || flags & 0x40) return;
  const isAggregate = (subtype & 8) !== 0 && (w.view.getUint8(start) & 0x80) !== 0;
  if (isPadded) body = at + ((body - at + 3) & ~3);
  if (isAggregate) {
    if (end - body < 14) return;
    w.mac(body);
    w.mac(body + 6);
    w.number(body + 12, 2);
    body += 14;
  }
  if (body < end) redactNetwork(w, 0, body);
}
