/**
 * A second decoder, slow and plain, for Ethernet with VLAN tags, ARP, IPv4, IPv6, TCP and UDP: random packets are
 * compared with it. Written from the RFCs, with arrays and text in place of columns and offsets.
 */
import { canonicalIp } from '../../src/bytes/address.js';

export interface ReferenceFrame {
  src?: string;
  dst?: string;
  vlan?: number[];
  etherType?: number;
  ip?: string;
  protocol?: number;
  ports?: [number, number];
}

const TAGS = [0x8100, 0x88a8, 0x9100, 0x9200, 0x9300];

/** @returns undefined for packets with something that this decoder does not know */
export function referenceDecode(packet: readonly number[], wire: number): ReferenceFrame | undefined {
  const frame: ReferenceFrame = {};
  if (packet.length >= 6) frame.dst = macText(packet.slice(0, 6));
  if (packet.length >= 12) frame.src = macText(packet.slice(6, 12));
  if (packet.length < 14) return frame;
  let etherType = number(packet.slice(12, 14));
  let rest = packet.slice(14);
  const vlan: number[] = [];
  while (TAGS.includes(etherType)) {
    if (rest.length < 4) break;
    vlan.push(number(rest.slice(0, 2)) % 4096);
    etherType = number(rest.slice(2, 4));
    rest = rest.slice(4);
  }
  if (vlan.length > 0) frame.vlan = vlan.slice(0, 2);
  frame.etherType = etherType;
  if (etherType === 0x0800) readIpv4(rest, frame);
  else if (etherType === 0x86dd) readIpv6(rest, frame, wire);
  else if (etherType === 0x0806) readArp(rest, frame);
  else if (etherType <= 1500 || [0x8847, 0x8848, 0x8864].includes(etherType)) return undefined;
  return frame;
}

function readArp(arp: readonly number[], frame: ReferenceFrame): void {
  if (arp.length < 28) return;
  const head = arp.slice(0, 6).join(' ');
  if (head !== '0 1 8 0 6 4' && head !== '0 6 8 0 6 4') return;
  frame.ip = `${arp.slice(14, 18).join('.')} > ${arp.slice(24, 28).join('.')}`;
}

function readIpv4(packet: readonly number[], frame: ReferenceFrame): void {
  if (packet.length < 20) return;
  const words = (packet[0] ?? 0) % 16;
  if (Math.floor((packet[0] ?? 0) / 16) !== 4 || words < 5) return;
  frame.ip = `${packet.slice(12, 16).join('.')} > ${packet.slice(16, 20).join('.')}`;
  frame.protocol = packet[9] ?? 0;
  frame.ports = [0, 0];
  const total = number(packet.slice(2, 4));
  if (total !== 0 && total < words * 4) return;
  const offset = number(packet.slice(6, 8)) % 0x2000;
  if (offset !== 0) return;
  const payload = packet.slice(words * 4, total === 0 ? packet.length : total);
  if (words * 4 <= packet.length) readPayload(frame.protocol === 51 ? 51 : -1, payload, frame);
}

function readIpv6(packet: readonly number[], frame: ReferenceFrame, wire: number): void {
  if (packet.length < 40 || Math.floor((packet[0] ?? 0) / 16) !== 6) return;
  frame.ip = `${ipv6Text(packet.slice(8, 24))} > ${ipv6Text(packet.slice(24, 40))}`;
  frame.ports = [0, 0];
  const length = number(packet.slice(4, 6));
  const isJumbo = length === 0 && (packet[6] === 0 || wire > 65535);
  frame.protocol = packet[6] ?? 0;
  readPayload(frame.protocol, isJumbo ? packet.slice(40) : packet.slice(40, 40 + length), frame);
}

/** Steps over extension headers, of which `header` names the first. */
function readPayload(header: number, bytes: readonly number[], frame: ReferenceFrame): void {
  let payload = bytes;
  let next = header;
  while ([0, 43, 44, 51, 60, 135, 139, 140].includes(next)) {
    if (payload.length < 8) return;
    const current = next;
    next = frame.protocol = payload[0] ?? 0;
    if (current === 44 && number(payload.slice(2, 4)) >= 8) return;
    const size = current === 44 ? 8 : current === 51 ? ((payload[1] ?? 0) + 2) * 4 : ((payload[1] ?? 0) + 1) * 8;
    if (size > payload.length) return;
    payload = payload.slice(size);
  }
  readPorts(payload, frame);
}

function readPorts(segment: readonly number[], frame: ReferenceFrame): void {
  if (segment.length < 4 || (frame.protocol !== 6 && frame.protocol !== 17)) return;
  frame.ports = [number(segment.slice(0, 2)), number(segment.slice(2, 4))];
}

function number(bytes: readonly number[]): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

function hexOf(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function macText(bytes: readonly number[]): string {
  return bytes.map(hexOf).join(':');
}

function ipv6Text(bytes: readonly number[]): string {
  const digits = bytes.map(hexOf).join('');
  return canonicalIp(digits.replace(/....(?=.)/g, '$&:')) ?? '';
}
