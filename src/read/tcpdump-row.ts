/** A frame that tcpdump printed, while its lines are being read, and its way into a frame batch. */

import { canonicalIp, isGroupMac, isIpv6, parseMac, type AddressTable, type Mac } from '../bytes/address.js';
import { Claim, Link, UNKNOWN_HOP_LIMIT, type FrameBatch } from '../records/frame-batch.js';

/** Fields that the text does not tell hold what `FrameBatch` says of a missing one; addresses are canonical text. */
export interface PrintedFrame {
  frame: number;
  interfaceIndex: number;
  /** ns since the analysis epoch, NaN without a time. */
  time: number;
  length: number;
  flags: number;
  link: number;
  srcMac: Mac | undefined;
  dstMac: Mac | undefined;
  vlan: number;
  innerVlan: number;
  etherType: number;
  src: string | undefined;
  dst: string | undefined;
  protocol: number;
  hopLimit: number;
  ipId: number;
  srcPort: number;
  dstPort: number;
  detail: number;
  claim: number;
  claimIp: string | undefined;
  claimMac: Mac | undefined;
  target: string | undefined;
  claimPrefix: number;
  /** Set while the lines of a DHCP message are read. */
  dhcp: PrintedDhcp | undefined;
  /** `-v`: the addresses stand in the next line. */
  awaitsAddresses: boolean;
  redacted: boolean;
}

/** The fields of a DHCP message that claims are made of. */
export interface PrintedDhcp {
  isReply: boolean;
  clientIp: string | undefined;
  yourIp: string | undefined;
  mac: number | undefined;
  prefix: number;
  router: string | undefined;
}

export function emptyPrintedFrame(): PrintedFrame {
  return {
    frame: 0,
    interfaceIndex: 0,
    time: NaN,
    length: 0,
    flags: 0,
    link: Link.PRINTED,
    srcMac: undefined,
    dstMac: undefined,
    vlan: -1,
    innerVlan: -1,
    etherType: -1,
    src: undefined,
    dst: undefined,
    protocol: -1,
    hopLimit: UNKNOWN_HOP_LIMIT,
    ipId: 0,
    srcPort: 0,
    dstPort: 0,
    detail: 0,
    claim: Claim.NONE,
    claimIp: undefined,
    claimMac: undefined,
    target: undefined,
    claimPrefix: -1,
    dhcp: undefined,
    awaitsAddresses: false,
    redacted: false,
  };
}

/** Appends the frame to `batch`, which must have room. */
export function writeFrame(frame: PrintedFrame, batch: FrameBatch, addresses: AddressTable): void {
  const row = batch.count++;
  batch.frame[row] = frame.frame;
  batch.interfaceIndex[row] = frame.interfaceIndex;
  batch.time[row] = frame.time;
  batch.length[row] = frame.length;
  batch.flags[row] = frame.flags;
  batch.link[row] = frame.link;
  batch.srcMacHigh[row] = high(frame.srcMac);
  batch.srcMacLow[row] = low(frame.srcMac);
  batch.dstMacHigh[row] = high(frame.dstMac);
  batch.dstMacLow[row] = low(frame.dstMac);
  batch.vlan[row] = frame.vlan;
  batch.innerVlan[row] = frame.innerVlan;
  batch.etherType[row] = frame.etherType;
  const known = frame.src !== undefined && frame.dst !== undefined;
  batch.ipVersion[row] = !known ? 0 : frame.src?.includes(':') === true ? 6 : 4;
  batch.srcIp[row] = word(known ? frame.src : undefined, addresses);
  batch.dstIp[row] = word(known ? frame.dst : undefined, addresses);
  batch.protocol[row] = frame.protocol;
  batch.hopLimit[row] = frame.hopLimit;
  batch.ipId[row] = frame.ipId;
  batch.srcPort[row] = frame.srcPort;
  batch.dstPort[row] = frame.dstPort;
  batch.detail[row] = frame.detail;
  batch.networkOffset[row] = -1;
  batch.transportOffset[row] = -1;
  batch.claim[row] = frame.claim;
  const claimIp = frame.claimIp ?? frame.target;
  batch.claimIpVersion[row] = claimIp?.includes(':') === true ? 6 : claimIp !== undefined || frame.dhcp ? 4 : 0;
  batch.claimIp[row] = word(frame.claimIp, addresses);
  batch.claimMacHigh[row] = high(frame.claimMac);
  batch.claimMacLow[row] = low(frame.claimMac);
  batch.targetIp[row] = word(frame.target, addresses);
  batch.claimPrefix[row] = frame.claimPrefix;
}

/** A MAC as tcpdump prints it, or `Broadcast`. */
export function printedMac(text: string): Mac | undefined {
  return text === 'Broadcast' ? 0xffff_ffff_ffff : parseMac(text);
}

/** A host can have it: not zero, not a group (which includes broadcast). */
export function isHostMac(mac: Mac | undefined): mac is Mac {
  return mac !== undefined && mac !== 0 && !isGroupMac(mac);
}

/**
 * Takes `8.8.8.8.53`, `fe80::1.domain` or `8.8.8.8` apart.
 * @returns `ip` undefined where a host name stands
 */
export function splitEndpoint(text: string): { ip: string | undefined; port: string | undefined } {
  const parts = text.split('.').length;
  const whole = parts !== 5 ? canonicalIp(text) : undefined;
  if (whole !== undefined) return { ip: whole, port: undefined };
  const dot = text.lastIndexOf('.');
  const ip = dot < 0 ? undefined : canonicalIp(text.slice(0, dot));
  return ip === undefined ? { ip: undefined, port: undefined } : { ip, port: text.slice(dot + 1) };
}

function word(ip: string | undefined, addresses: AddressTable): number {
  const value = ip === undefined ? undefined : addresses.parse(ip);
  if (value === undefined) return 0;
  return (isIpv6(value) ? value - 0x1_0000_0000 : value) | 0;
}

function high(mac: Mac | undefined): number {
  return mac === undefined ? 0 : Math.floor(mac / 0x1_0000_0000);
}

function low(mac: Mac | undefined): number {
  return mac === undefined ? 0 : mac | 0;
}
