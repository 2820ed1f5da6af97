import { parseIpv4, parseIpv6Groups, parseMac } from '../../src/bytes/address.js';
import { withChecksums } from './checksums.js';

/** Writes a capture frame by frame. Times are seconds after its start; every method gives the frame's number. */
export interface Station {
  readonly mac: string;
  readonly ip: string;
}

export interface Datagram {
  readonly from: string;
  readonly to: string;
  readonly src: string;
  readonly dst: string;
  readonly hopLimit?: number;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly payload?: readonly number[];
}

const START = 1_700_000_000;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const UDP = 17;
const ICMPV6 = 58;

export class Wire {
  private readonly records: number[][] = [];
  private readonly start: number;
  private readonly id: number;
  /** VLAN ids, outermost first, that the frames from now on carry. */
  tags: readonly number[] = [];

  /** @param id number before the IP identification of the first frame, which goes up with the frames */
  constructor(start = START, id = 0) {
    this.start = start;
    this.id = id;
  }

  get frames(): number {
    return this.records.length;
  }

  /** A frame as bytes, whatever they are. */
  raw(at: number, bytes: readonly number[]): number {
    const ns = Math.round(at * 1e9);
    const seconds = this.start + Math.floor(ns / 1e9);
    this.records.push([...le32(seconds), ...le32(ns % 1e9), ...le32(bytes.length), ...le32(bytes.length), ...bytes]);
    return this.records.length;
  }

  /** A frame; checksums of the packet in it that are zero are filled in. */
  ethernet(at: number, from: string, to: string, type: number, packet: readonly number[]): number {
    const payload = type === 0x0800 || type === 0x86dd ? withChecksums(packet) : packet;
    const tags = this.tags.flatMap((id) => [0x81, 0, ...be16(id)]);
    return this.raw(at, [...mac(to), ...mac(from), ...tags, ...be16(type), ...payload]);
  }

  udp(at: number, d: Datagram): number {
    const body = d.payload ?? [1, 2, 3, 4];
    const ports = [...be16(d.srcPort ?? 4000), ...be16(d.dstPort ?? 5000)];
    return this.ip(at, d, UDP, [...ports, ...be16(8 + body.length), 0, 0, ...body]);
  }

  ip(at: number, d: Datagram, protocol: number, payload: readonly number[]): number {
    const source = ipBytes(d.src);
    const hopLimit = d.hopLimit ?? 64;
    if (source.length === 4) {
      const head = [
        0x45,
        0,
        ...be16(20 + payload.length),
        ...be16(this.id + this.records.length + 1),
        0,
        0,
        hopLimit,
        protocol,
        0,
        0,
      ];
      return this.ethernet(at, d.from, d.to, 0x0800, [...head, ...source, ...ipBytes(d.dst), ...payload]);
    }
    const head = [0x60, 0, 0, 0, ...be16(payload.length), protocol, hopLimit];
    return this.ethernet(at, d.from, d.to, 0x86dd, [...head, ...source, ...ipBytes(d.dst), ...payload]);
  }

  /** An ARP request, to everyone unless `to` says otherwise. */
  request(at: number, sender: Station, target: string, to = BROADCAST): number {
    return this.arp(at, 1, sender, { mac: '00:00:00:00:00:00', ip: target }, to);
  }

  reply(at: number, sender: Station, target: Station, from = sender.mac): number {
    return this.arp(at, 2, sender, target, target.mac, from);
  }

  gratuitous(at: number, sender: Station, operation: 1 | 2 = 1): number {
    return this.arp(
      at,
      operation,
      sender,
      { mac: operation === 1 ? '00:00:00:00:00:00' : BROADCAST, ip: sender.ip },
      BROADCAST,
    );
  }

  /** An ARP probe (RFC 5227): the sender asks whether anybody has the address. */
  probe(at: number, sender: Station): number {
    return this.request(at, { mac: sender.mac, ip: '0.0.0.0' }, sender.ip);
  }

  /** Asks and answers: both now know each other. */
  meet(at: number, asker: Station, answerer: Station): void {
    this.request(at, asker, answerer.ip);
    this.reply(at + 0.001, answerer, asker);
  }

  /** Neighbour solicitation (RFC 4861 section 4.3), to the group of the target. */
  solicit(at: number, sender: Station, target: string): number {
    const tail = ipBytes(target).slice(13);
    const group = `ff02::1:ff${hex(tail.slice(0, 1))}:${hex(tail.slice(1))}`;
    const body = [135, 0, 0, 0, 0, 0, 0, 0, ...ipBytes(target), 1, 1, ...mac(sender.mac)];
    const to = `33:33:ff:${[...tail].map((byte) => hex([byte])).join(':')}`;
    return this.ip(at, { from: sender.mac, to, src: sender.ip, dst: group, hopLimit: 255 }, ICMPV6, body);
  }

  /** Neighbour advertisement: solicited to one station, or unsolicited to all nodes. */
  advertise(at: number, owner: Station, to?: Station, override = true): number {
    const flags = (to ? 0x40 : 0) | (override ? 0x20 : 0);
    const body = [136, 0, 0, 0, flags, 0, 0, 0, ...ipBytes(owner.ip), 2, 1, ...mac(owner.mac)];
    const target = to ?? { mac: '33:33:00:00:00:01', ip: 'ff02::1' };
    return this.ip(at, { from: owner.mac, to: target.mac, src: owner.ip, dst: target.ip, hopLimit: 255 }, ICMPV6, body);
  }

  /** A DHCP message of a server (RFC 2131) that gives `client` its address. */
  dhcp(at: number, type: 2 | 5, server: Station, client: Station, to = client.mac): number {
    const body = new Array<number>(240).fill(0);
    body.splice(0, 4, 2, 1, 6, 0);
    body.splice(16, 4, ...ipBytes(client.ip));
    body.splice(28, 6, ...mac(client.mac));
    body.splice(236, 4, 0x63, 0x82, 0x53, 0x63);
    body.push(53, 1, type, 1, 4, 255, 255, 255, 0, 3, 4, ...ipBytes(server.ip), 255);
    return this.udp(at, {
      from: server.mac,
      to,
      src: server.ip,
      dst: client.ip,
      srcPort: 67,
      dstPort: 68,
      payload: body,
    });
  }

  /** The capture: pcap, little endian, nanoseconds. */
  pcap(): Uint8Array {
    const head = [...le32(0xa1b23c4d), ...le16(2), ...le16(4), ...le32(0), ...le32(0), ...le32(262144), ...le32(1)];
    return Uint8Array.from([...head, ...this.records.flat()]);
  }

  private arp(at: number, operation: number, sender: Station, target: Station, to: string, from = sender.mac): number {
    const head = [0, 1, 8, 0, 6, 4, 0, operation];
    const addresses = [...mac(sender.mac), ...ipBytes(sender.ip), ...mac(target.mac), ...ipBytes(target.ip)];
    return this.ethernet(at, from, to, 0x0806, [...head, ...addresses]);
  }
}

/** The time of a frame as `ip -ts monitor neigh` prints it, in UTC. */
export function monitorTime(at: number, start = START): string {
  const date = new Date((start + Math.floor(at)) * 1000).toISOString().slice(0, 19);
  return `[${date}.${String(Math.round((at % 1) * 1e6)).padStart(6, '0')}]`;
}

function mac(text: string): number[] {
  const value = parseMac(text) ?? NaN;
  return [...be16(Math.floor(value / 2 ** 32)), ...be32(value % 2 ** 32)];
}

function ipBytes(text: string): number[] {
  const v4 = parseIpv4(text);
  return v4 === undefined ? (parseIpv6Groups(text) ?? []).flatMap(be16) : be32(v4);
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function be16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

function be32(value: number): number[] {
  return [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

function le16(value: number): number[] {
  return be16(value).reverse();
}

function le32(value: number): number[] {
  return be32(value).reverse();
}
