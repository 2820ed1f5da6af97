import { type InnerPacket, linked, typed } from './inner-packet.js';
import { LinkType } from './link-type.js';
import { EtherType } from './shim.js';

/** @returns the packet behind the GRE header at `at` (RFC 2784, RFC 2890; version 1 is PPTP, RFC 2637) */
export function insideGre(view: DataView, at: number, end: number): InnerPacket | undefined {
  if (end - at < 4) return undefined;
  const flags = view.getUint16(at);
  const protocol = view.getUint16(at + 2);
  let next = at + 4;
  if (flags & 0xc000) next += 4;
  if (flags & 0x2000) next += 4;
  if (flags & 0x1000) next += 4;
  if ((flags & 7) === 1 && flags & 0x80) next += 4;
  switch (protocol) {
    case 0x880b:
      return linked(LinkType.PPP, next, end);
    case 0x88be:
      // ERSPAN type II has eight bytes of header, and type I, which has no sequence number, none.
      return linked(LinkType.ETHERNET, flags & 0x1000 ? next + 8 : next, end);
    case 0x22eb:
      // ERSPAN type III: twelve bytes, and eight more of platform-specific header with the O bit.
      if (end - next < 12) return undefined;
      return linked(LinkType.ETHERNET, next + (view.getUint8(next + 11) & 1 ? 20 : 12), end);
    case 0x883e:
      // WCCP: version 2 has four bytes of redirect header before the packet.
      return next < end ? typed(EtherType.IPV4, view.getUint8(next) >> 4 === 4 ? next : next + 4, end) : undefined;
    default:
      // Aruba's range of access point ports.
      if (protocol >= 0x8200 && protocol <= 0x83ff) return linked(LinkType.IEEE802_11, next, end);
      return typed(protocol, next, end);
  }
}
