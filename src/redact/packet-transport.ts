/** Transport headers: ports, flags, numbers and lengths stay; payload goes, but for what is read of DHCP, DNS and WireGuard. */

import { Protocol } from '../decode/ip.js';
import { type IpPart, setChecksum } from './ip-part.js';
import { redactDhcp } from './packet-dhcp.js';
import { redactIcmp, redactIcmpv6 } from './packet-icmp.js';
import { redactIgmp, redactVrrp } from './packet-groups.js';
import type { Rewrite } from './rewrite.js';

const IGMP = 2;
const ESP = 50;
const VRRP = 112;

export function redactTransport(w: Rewrite, protocol: number, at: number, part: IpPart): void {
  if (at > part.end) return;
  switch (protocol) {
    case Protocol.TCP:
      redactTcp(w, at, part);
      return;
    case Protocol.UDP:
    case Protocol.UDP_LITE:
      redactUdp(w, protocol, at, part);
      return;
    case Protocol.SCTP:
      // Its checksum is of what is no longer there: 0, which receivers that check take for wrong.
      w.number(at, Math.min(8, part.end - at));
      w.blank(at + 8, Math.min(4, Math.max(part.end - at - 8, 0)));
      return;
    case Protocol.DCCP:
      w.number(at, Math.min(12, part.end - at));
      if (part.end - at >= 12) setChecksum(w, protocol, at, at + 6, part);
      return;
    case Protocol.ICMP:
      redactIcmp(w, at, part);
      return;
    case Protocol.ICMPV6:
      redactIcmpv6(w, at, part);
      return;
    case IGMP:
      redactIgmp(w, at, part);
      return;
    case VRRP:
      redactVrrp(w, at, part);
      return;
    case ESP:
      w.number(at, Math.min(8, part.end - at));
      return;
  }
}

const TCP_HEADER = 20;

function redactTcp(w: Rewrite, at: number, part: IpPart): void {
  const available = part.end - at;
  w.number(at, Math.min(TCP_HEADER, available));
  if (available < TCP_HEADER) {
    // A checksum that cannot be computed would tell of what was here.
    if (available >= 18) w.put16(at + 16, 0);
    return;
  }
  const end = Math.min(at + Math.max((w.view.getUint8(at + 12) >> 4) * 4, TCP_HEADER), part.end);
  redactTcpOptions(w, at + TCP_HEADER, end);
  if (part.isFragment) w.put16(at + 16, 0);
  else setChecksum(w, Protocol.TCP, at, at + 16, part);
}

/** Maximum segment size, window scale, selective acknowledgement, time stamps. */
const TCP_OPTIONS: readonly number[] = [2, 3, 4, 5, 8];
const END_OF_OPTIONS = 0;
const NO_OPERATION = 1;

/** Other options become no-operations: some hold addresses (RFC 8684), cookies or keys. */
function redactTcpOptions(w: Rewrite, start: number, end: number): void {
  let at = start;
  while (at < end) {
    const kind = w.view.getUint8(at);
    const length = kind <= NO_OPERATION ? 1 : at + 1 < end ? w.view.getUint8(at + 1) : 0;
    const isWhole = length >= (kind <= NO_OPERATION ? 1 : 2) && at + length <= end;
    if (isWhole && (kind <= NO_OPERATION || (TCP_OPTIONS.includes(kind) && length <= 34))) w.number(at, length);
    else for (let i = at; i < (isWhole ? at + length : end); i++) w.put8(i, NO_OPERATION);
    if (kind === END_OF_OPTIONS || !isWhole) break;
    at += length;
  }
  w.blank(start, end - start);
}

const UDP_HEADER = 8;
const DNS_HEADER = 12;
const DNS_PORTS: readonly number[] = [53, 5353, 5355];

function redactUdp(w: Rewrite, protocol: number, at: number, part: IpPart): void {
  const available = part.end - at;
  w.number(at, Math.min(UDP_HEADER, available));
  if (available < UDP_HEADER) {
    if (available >= 6) w.blank(at + 6, available - 6);
    w.put16(at + 6, 0);
    return;
  }
  const payload = at + UDP_HEADER;
  if (protocol === Protocol.UDP && part.quote && !part.isFragment) redactPayload(w, at, payload, part.end);
  if (w.view.getUint16(at + 6) === 0 && part.version === 4) return;
  // In a fragment too, the header tells the length of the whole.
  const length = protocol === Protocol.UDP && part.isFragment ? w.view.getUint16(at + 4) : part.length;
  setChecksum(w, protocol, at, at + 6, { ...part, length });
  zeroIsNone(w, at + 6);
}

/** A checksum that comes out as 0 is sent as all ones (RFC 768): 0 means that there is none. */
function zeroIsNone(w: Rewrite, field: number): void {
  if (w.sum(field, 2) === 0) w.put16(field, 0xffff);
}

function redactPayload(w: Rewrite, at: number, payload: number, end: number): void {
  const source = w.view.getUint16(at);
  const destination = w.view.getUint16(at + 2);
  if (destination === 67 || destination === 68) redactDhcp(w, payload, end);
  // A query and its answer are told by the header, which holds no name.
  else if ((DNS_PORTS.includes(source) || DNS_PORTS.includes(destination)) && end - payload >= DNS_HEADER) {
    w.number(payload, DNS_HEADER);
  } else if (isWireguard(w, payload, end, w.view.getUint16(at + 4) - UDP_HEADER)) {
    // Not the indices, keys and counters; zeros where a handshake is looked for.
    w.number(payload, WIREGUARD_HEADER);
    w.blank(payload, Math.min(WIREGUARD_INDICES, end - payload));
  }
}

const WIREGUARD_HEADER = 4;
/** Header, and one or two indices. */
const WIREGUARD_INDICES = 12;

/** The WireGuard paper, section 5.4: the type, three zeros, and a length that is that of the type. */
function isWireguard(w: Rewrite, payload: number, end: number, length: number): boolean {
  if (end - payload < WIREGUARD_HEADER) return false;
  switch (w.view.getUint32(payload)) {
    case 0x01000000:
      return length === 148;
    case 0x02000000:
      return length === 92;
    case 0x03000000:
      return length === 64;
    case 0x04000000:
      return length >= 32 && length % 16 === 0;
    default:
      return false;
  }
}
