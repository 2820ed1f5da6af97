import { AddressTable, formatMac, ipFromWord, macFromWords } from '../../src/bytes/address.js';
import { Decoder } from '../../src/decode/frame.js';
import { Claim, FrameBatch, FrameFlag, Link } from '../../src/records/frame-batch.js';
import { PacketBatch } from '../../src/records/packet-batch.js';

/** A decoded frame as text and plain numbers; a key is missing where the frame has no such thing. */
export interface DecodedFrame {
  link: string;
  flags: string[];
  src?: string;
  dst?: string;
  vlan?: number[];
  etherType?: number;
  ip?: string;
  protocol?: number;
  hopLimit?: number;
  ipId?: number;
  ports?: [number, number];
  detail?: number;
  /** Offsets from the packet's first byte. */
  network?: number;
  transport?: number;
  claim?: string;
}

export interface PacketOptions {
  /** Bytes on the wire; by default those captured. */
  wire?: number;
  epbFlags?: number;
  /** What stands before and after the packet in the buffer. */
  poison?: number;
}

/** Bytes of hexadecimal text with white space between. */
export function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replace(/\s+/g, ''), 'hex'));
}

/** Decodes one packet that lies in the middle of a larger buffer. */
export function decodePacket(packet: Uint8Array, linkType = 1, options: PacketOptions = {}): DecodedFrame {
  const margin = 64;
  const packets = new PacketBatch();
  packets.count = 1;
  packets.bytes = new Uint8Array(packet.length + 2 * margin).fill(options.poison ?? 0xa5);
  packets.bytes.set(packet, margin);
  packets.offset[0] = margin;
  packets.capturedLength[0] = packet.length;
  packets.originalLength[0] = options.wire ?? packet.length;
  packets.linkType[0] = linkType;
  packets.flags[0] = options.epbFlags ?? 0;
  const addresses = new AddressTable();
  const frames = new FrameBatch();
  new Decoder(addresses).decode(packets, frames);
  return describeFrame(frames, 0, margin, addresses);
}

/** Row `row` of a frame batch, whose packet begins at `start`. */
export function describeFrame(frames: FrameBatch, row: number, start: number, addresses: AddressTable): DecodedFrame {
  const column = (values: Int32Array): number => values[row] ?? 0;
  const mac = (high: Int32Array, low: Int32Array): string => formatMac(macFromWords(column(high), column(low)));
  const flags = column(frames.flags);
  const frame: DecodedFrame = {
    link: nameOf(Link, column(frames.link)),
    flags: Object.entries(FrameFlag)
      .filter(([name, bit]) => flags & bit && !name.endsWith('_MAC'))
      .map(([name]) => name),
  };
  if (flags >= 1 << 10 || flags < 0) frame.flags.push(`unknown ${flags}`);
  if (flags & FrameFlag.SRC_MAC) frame.src = mac(frames.srcMacHigh, frames.srcMacLow);
  if (flags & FrameFlag.DST_MAC) frame.dst = mac(frames.dstMacHigh, frames.dstMacLow);
  const vlan = [column(frames.vlan), column(frames.innerVlan)].filter((id) => id >= 0);
  if (vlan.length > 0) frame.vlan = vlan;
  if (column(frames.etherType) >= 0) frame.etherType = column(frames.etherType);
  const version = column(frames.ipVersion);
  if (version !== 0) {
    const ip = (word: number): string => addresses.format(ipFromWord(word, version));
    frame.ip = `${ip(column(frames.srcIp))} > ${ip(column(frames.dstIp))}`;
  }
  if (column(frames.protocol) >= 0) {
    frame.protocol = column(frames.protocol);
    frame.hopLimit = column(frames.hopLimit);
    frame.ipId = column(frames.ipId);
    frame.ports = [column(frames.srcPort), column(frames.dstPort)];
    frame.detail = column(frames.detail);
  }
  if (column(frames.networkOffset) >= 0) frame.network = column(frames.networkOffset) - start;
  if (column(frames.transportOffset) >= 0) frame.transport = column(frames.transportOffset) - start;
  if (column(frames.claim) !== Claim.NONE) {
    const claimVersion = column(frames.claimIpVersion);
    const ip = (word: number): string =>
      claimVersion === 6 && word < 0 ? '?' : addresses.format(ipFromWord(word, claimVersion));
    const isBare = frames.claim[row] === Claim.DHCP_OTHER || frames.claim[row] === Claim.ARP_PROBE;
    const who = isBare ? '' : ` ${ip(column(frames.claimIp))} ${mac(frames.claimMacHigh, frames.claimMacLow)}`;
    const target =
      claimVersion === 6 && frames.claim[row] === Claim.ND_ROUTER ? '' : ` > ${ip(column(frames.targetIp))}`;
    const prefix = column(frames.claimPrefix) >= 0 ? ` /${column(frames.claimPrefix)}` : '';
    frame.claim = `${nameOf(Claim, column(frames.claim))}${who}${target}${prefix}`;
  }
  return frame;
}

function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  return Object.entries(names).find(([, other]) => other === value)?.[0] ?? `unknown ${value}`;
}
