/** ICMP (RFC 792), ICMPv6 (RFC 4443), neighbour discovery (RFC 4861) and multicast listener discovery (RFC 3810). */

import { type IpPart, setChecksum } from './ip-part.js';
import type { Rewrite } from './rewrite.js';

const ICMPV6 = 58;
const HEADER = 8;

export function redactIcmp(w: Rewrite, at: number, part: IpPart): void {
  const available = part.end - at;
  w.number(at, Math.min(2, available));
  if (available < 4) return;
  w.put16(at + 2, 0);
  const type = w.view.getUint8(at);
  if (type === 0 || type === 8) w.number(at + 4, Math.min(4, available - 4));
  if (available >= HEADER) {
    if (type === 5) w.ipv4(at + 4);
    else if ([0, 3, 4, 8, 11, 12, 13, 14, 17, 18].includes(type)) w.number(at + 4, 4);
    else w.blank(at + 4, 4);
    if ([3, 4, 5, 11, 12].includes(type)) redactQuoted(at + HEADER, part);
    else if (type === 13 || type === 14) w.number(at + HEADER, Math.min(12, available - HEADER));
  }
  w.put16(at + 2, w.checksum(at, part.end));
}

/** The packet that an error is about. One within a quoted packet is left out. */
function redactQuoted(at: number, part: IpPart): void {
  if (at < part.end) part.quote?.(at);
}

export function redactIcmpv6(w: Rewrite, at: number, part: IpPart): void {
  const available = part.end - at;
  w.number(at, Math.min(2, available));
  if (available < 4) return;
  w.put16(at + 2, 0);
  const type = w.view.getUint8(at);
  if (type === 128 || type === 129) w.number(at + 4, Math.min(4, available - 4));
  if (available >= HEADER) redactMessage(w, type, at, part);
  if (!part.isFragment) setChecksum(w, ICMPV6, at, at + 2, part);
}

function redactMessage(w: Rewrite, type: number, at: number, part: IpPart): void {
  const { end } = part;
  const body = at + HEADER;
  w.blank(at + 4, 4);
  switch (type) {
    case 1:
    case 2:
    case 3:
    case 4:
      w.number(at + 4, 4);
      redactQuoted(body, part);
      return;
    case 130:
    case 131:
    case 132:
      w.number(at + 4, 4);
      if (body + 16 > end) return;
      w.ipv6(body);
      redactSources(w, body + 16, end);
      return;
    case 133:
      redactOptions(w, body, part);
      return;
    case 134:
      w.number(at + 4, 4);
      if (body + 8 > end) return;
      w.number(body, 8);
      redactOptions(w, body + 8, part);
      return;
    case 135:
    case 136:
    case 137:
      w.number(at + 4, 4);
      if (body + 16 > end) return;
      w.ipv6(body);
      if (type !== 137) redactOptions(w, body + 16, part);
      else if (body + 32 <= end) {
        w.ipv6(body + 16);
        redactOptions(w, body + 32, part);
      }
      return;
    case 143:
      redactListenerReport(w, at, end);
      return;
  }
}

/** The rest of a query of version 2: four bytes, then sources. */
function redactSources(w: Rewrite, at: number, end: number): void {
  if (at + 4 > end) return;
  w.number(at, 4);
  for (let source = at + 4; source + 16 <= end; source += 16) w.ipv6(source);
}

function redactListenerReport(w: Rewrite, at: number, end: number): void {
  w.number(at + 4, 4);
  const records = w.view.getUint16(at + 6);
  let record = at + HEADER;
  for (let n = 0; n < records && record + 20 <= end; n++) {
    w.number(record, 4);
    w.ipv6(record + 4);
    const sources = w.view.getUint16(record + 2);
    for (let i = 0; i < sources && record + 36 + 16 * i <= end; i++) w.ipv6(record + 20 + 16 * i);
    const next = record + 20 + 16 * sources + 4 * w.view.getUint8(record + 1);
    w.blank(record, Math.min(next, end) - record);
    record = next;
  }
}

const SOURCE_MAC = 1;
const TARGET_MAC = 2;
const PREFIX = 3;
const REDIRECTED = 4;
const MTU = 5;
const ROUTE = 24;
const DNS_SERVERS = 25;
const PREF64 = 38;

/** Options of neighbour discovery: all keep their place; those that are broken stay so, as zeros. */
function redactOptions(w: Rewrite, start: number, part: IpPart): void {
  const { end } = part;
  let at = start;
  w.blank(start, end - start);
  while (end - at >= 8) {
    const length = w.view.getUint8(at + 1) * 8;
    if (length === 0 || length > end - at) return;
    w.number(at, 2);
    redactOption(w, at, length, part);
    at += length;
  }
}

function redactOption(w: Rewrite, at: number, length: number, part: IpPart): void {
  switch (w.view.getUint8(at)) {
    case SOURCE_MAC:
    case TARGET_MAC:
      if (length === 8) w.mac(at + 2);
      return;
    case PREFIX:
      if (length !== 32) return;
      w.number(at + 2, 10);
      w.ipv6(at + 16, Math.min(w.view.getUint8(at + 2), 128));
      return;
    case REDIRECTED:
      if (part.quote) redactQuotedOption(w, at + 8, at + length, part);
      return;
    case MTU:
      w.number(at + 2, 6);
      return;
    case ROUTE:
      w.number(at + 2, 6);
      if (length === 24) w.ipv6(at + 8, Math.min(w.view.getUint8(at + 2), 128));
      return;
    case DNS_SERVERS:
      w.number(at + 2, 6);
      for (let server = at + 8; server + 16 <= at + length; server += 16) w.ipv6(server);
      return;
    case PREF64:
      w.number(at + 2, 2);
      return;
  }
}

/** The quoted packet must fit in the option: only its IPv6 header is kept. */
function redactQuotedOption(w: Rewrite, at: number, end: number, part: IpPart): void {
  if (at + 40 > end || end > part.end || w.view.getUint8(at) >> 4 !== 6) return;
  w.number(at, 8);
  w.ipv6(at + 8);
  w.ipv6(at + 24);
}
