/** ARP (RFC 826, RFC 5227) for IPv4 over 48-bit hardware addresses. */

import { Claim, type FrameBatch, FrameFlag } from '../records/frame-batch.js';
import { isHostIpv4, isHostMac, setClaim, setNoClaim } from './claim.js';
import { EtherType } from './shim.js';

const ARP_LENGTH = 28;
const REQUEST = 1;
const REPLY = 2;
/** Hardware types (IANA arp-parameters). */
const ETHERNET = 1;
const IEEE_802 = 6;

/**
 * Reads the ARP packet at `at`: sender and target address, and what the sender claims. Other hardware, other protocols
 * and other operations (RARP, InARP) are left alone; so are senders that no host can be.
 */
export function decodeArp(view: DataView, at: number, end: number, frames: FrameBatch, row: number): void {
  if (end - at < ARP_LENGTH) {
    frames.flags[row] = (frames.flags[row] ?? 0) | FrameFlag.CUT;
    return;
  }
  const hardware = view.getUint16(at);
  if (hardware !== ETHERNET && hardware !== IEEE_802) return;
  if (view.getUint16(at + 2) !== EtherType.IPV4 || view.getUint16(at + 4) !== 0x0604) return;
  const operation = view.getUint16(at + 6);
  const sender = view.getInt32(at + 14);
  const target = view.getInt32(at + 24);
  frames.ipVersion[row] = 4;
  frames.srcIp[row] = sender;
  frames.dstIp[row] = target;
  if (operation !== REQUEST && operation !== REPLY) return;
  if (sender === 0) {
    if (operation === REQUEST) setNoClaim(frames, row, Claim.ARP_PROBE, 4, target);
    return;
  }
  const macHigh = view.getUint16(at + 8);
  const macLow = view.getInt32(at + 10);
  if (!isHostMac(macHigh, macLow) || !isHostIpv4(sender)) return;
  const claim = sender === target ? Claim.ARP_GRATUITOUS : operation === REQUEST ? Claim.ARP_REQUEST : Claim.ARP_REPLY;
  setClaim(frames, row, claim, 4, sender, macHigh, macLow, target, -1);
}
