import type { CaptureWriter } from './capture-writer.js';
import { LAN, Trait, VLAN, WAN, isTagged, type Network } from './network.js';

const ETHERTYPE = { ARP: 0x0806, VLAN: 0x8100, IPV4: 0x0800, IPV6: 0x86dd, PPPOE: 0x8864 } as const;
const PROTOCOL = { TCP: 6, UDP: 17, ICMPV6: 58 } as const;

/** MACs of the router's two sides and of the provider's gateway: the upper two and lower four bytes. */
export const ROUTER_LAN = { high: 0x02aa, low: 0x0000_0001 } as const;
export const ROUTER_WAN = { high: 0x02aa, low: 0x0000_0002 } as const;
const GATEWAY = { high: 0x02bb, low: 0x0000_0001 } as const;

const WAN_ADDRESS = 0xcb00_7102; // 203.0.113.2
const GATEWAY_ADDRESS = 0xcb00_7101;
const SERVER_COUNT = 8192;
const SERVER_PREFIX = 0x2001_0db8;
const WAN_PREFIX = 0x2001_0db9;
const HOST_PREFIX = 0xfd00_0000;
const FIRST_HOST = 256;

/** www.example.net, type A, class IN. */
const QUESTION = [3, 119, 119, 119, 7, 101, 120, 97, 109, 112, 108, 101, 3, 110, 101, 116, 0, 0, 1, 0, 1];
const ANSWER = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 18, 0, 1];

/** Writes frames of the made-up network. Headers are as real ones; checksums are not computed. */
export class FrameWriter {
  private readonly out: CaptureWriter;
  private readonly network: Network;
  /** Where the next byte goes, and where the frame began. */
  private at = 0;
  private start = 0;
  private identification = 0;

  constructor(out: CaptureWriter, network: Network) {
    this.out = out;
    this.network = network;
  }

  /** One frame of a flow, from the host (`direction` 0) or to it (1). `turn` lets flapping flows alternate. */
  flow(flow: number, direction: 0 | 1, length: number, time: number, turn: number): void {
    const { network } = this;
    const traits = network.traits[flow] ?? 0;
    const host = network.host[flow] ?? 0;
    const wan = (traits & Trait.WAN) !== 0;
    this.begin(wan ? WAN : LAN, time);
    if (wan) this.macPair(direction === 0 ? GATEWAY : ROUTER_WAN, direction === 0 ? ROUTER_WAN : GATEWAY);
    else this.lanMacs(flow, host, traits, direction, turn);
    if (!wan && isTagged(host)) this.tag();
    const pppoe = (traits & Trait.PPPOE) !== 0 ? this.pppoe(traits) : -1;
    if (pppoe < 0) this.u16(traits & Trait.IPV6 ? ETHERTYPE.IPV6 : ETHERTYPE.IPV4);
    const tcp = (traits & Trait.UDP) === 0;
    const headers = this.at - this.start + (traits & Trait.IPV6 ? 40 : 20) + (tcp ? 20 : 8);
    const dns = direction === 0 ? QUESTION.length + 12 : QUESTION.length + ANSWER.length + 12;
    const payload = traits & Trait.DNS ? dns : Math.max(0, length - headers);
    if (pppoe >= 0) this.out.view.setUint16(pppoe, headers + payload - (pppoe + 2 - this.start));
    const hopLimit = hopLimitOf(traits, direction);
    const content = (tcp ? 20 : 8) + payload;
    if (traits & Trait.IPV6) this.flowIpv6(flow, host, traits, direction, hopLimit, content);
    else this.flowIpv4(flow, host, traits, direction, hopLimit, content);
    this.ports(flow, direction);
    if (tcp) this.tcp(flow, direction, payload);
    else this.udp(traits, direction, content);
    this.end(headers + payload);
  }

  /** ARP: the router asks for a host and the host answers, or the other way round. */
  arp(host: number, time: number, fromHost: boolean): void {
    const address = hostAddress(host);
    const router = routerAddress(host);
    for (const reply of [false, true]) {
      const hostSpeaks = fromHost !== reply;
      this.begin(LAN, time);
      if (!reply) this.mac(0xffff, 0xffff_ffff);
      else this.endpoint(host, !hostSpeaks);
      this.endpoint(host, hostSpeaks);
      if (isTagged(host)) this.tag();
      this.arpHeader(reply ? 2 : 1);
      this.endpoint(host, hostSpeaks);
      this.u32(hostSpeaks ? address : router);
      if (reply) this.endpoint(host, !hostSpeaks);
      else this.mac(0, 0);
      this.u32(hostSpeaks ? router : address);
      this.end(60);
    }
  }

  /** The router asks for its gateway on the WAN side. */
  arpGateway(time: number): void {
    for (const reply of [false, true]) {
      this.begin(WAN, time);
      if (reply) this.macPair(ROUTER_WAN, GATEWAY);
      else this.macPair({ high: 0xffff, low: 0xffff_ffff }, ROUTER_WAN);
      this.arpHeader(reply ? 2 : 1);
      this.mac(reply ? GATEWAY.high : ROUTER_WAN.high, reply ? GATEWAY.low : ROUTER_WAN.low);
      this.u32(reply ? GATEWAY_ADDRESS : WAN_ADDRESS);
      this.mac(reply ? ROUTER_WAN.high : 0, reply ? ROUTER_WAN.low : 0);
      this.u32(reply ? WAN_ADDRESS : GATEWAY_ADDRESS);
      this.end(60);
    }
  }

  /** NDP: the router solicits a host and the host advertises itself. */
  ndp(host: number, time: number): void {
    for (const reply of [false, true]) {
      this.begin(LAN, time);
      if (reply) this.mac(ROUTER_LAN.high, ROUTER_LAN.low);
      else this.mac(0x3333, 0xff00_0000 + FIRST_HOST + host);
      this.endpoint(host, reply);
      if (isTagged(host)) this.tag();
      this.u16(ETHERTYPE.IPV6);
      this.ipv6Header(32, PROTOCOL.ICMPV6, 255);
      if (reply) this.hostIpv6(host);
      else this.ipv6(0xfe80_0000, 0, 1);
      if (reply) this.ipv6(0xfe80_0000, 0, 1);
      else this.solicitedNode(host);
      this.u32((reply ? 136 : 135) << 24);
      this.u32(reply ? 0x6000_0000 : 0);
      this.hostIpv6(host);
      this.u16(reply ? 0x0201 : 0x0101);
      this.endpoint(host, reply);
      this.end(this.at - this.start);
    }
  }

  /** DHCP: the router acknowledges a host's address. */
  dhcpAck(host: number, time: number): void {
    this.begin(LAN, time);
    this.endpoint(host, true);
    this.mac(ROUTER_LAN.high, ROUTER_LAN.low);
    if (isTagged(host)) this.tag();
    this.u16(ETHERTYPE.IPV4);
    this.ipv4Header(308, PROTOCOL.UDP, 64);
    this.u32(routerAddress(host));
    this.u32(hostAddress(host));
    this.u32((67 << 16) | 68);
    this.u32(308 << 16);
    const message = this.at;
    this.out.bytes.fill(0, message, message + 300);
    this.u32(0x0201_0600);
    this.at = message + 16;
    this.u32(hostAddress(host));
    this.at = message + 28;
    this.endpoint(host, true);
    this.at = message + 236;
    this.u32(0x6382_5363);
    this.copy([53, 1, 5, 1, 4, 255, 255, 0, 0, 3, 4]);
    this.u32(routerAddress(host));
    this.copy([255]);
    this.end(message + 300 - this.start);
  }

  private begin(interfaceIndex: number, time: number): void {
    this.start = this.out.begin(interfaceIndex, time);
    this.at = this.start;
  }

  /** Closes the frame with `length` bytes, of which those not yet written are zero in a frame without payload. */
  private end(length: number): void {
    if (length === 60) this.out.bytes.fill(0, this.at, this.start + 60);
    this.out.end(length);
  }

  private lanMacs(flow: number, host: number, traits: number, direction: 0 | 1, turn: number): void {
    if (direction === 0) {
      if (traits & Trait.ON_LINK) this.endpoint(this.network.peer[flow] ?? 0, true);
      else this.mac(ROUTER_LAN.high, ROUTER_LAN.low);
      this.endpoint(host, true);
      return;
    }
    const flapping = (traits & Trait.FLAPPING) !== 0 && (turn & 1) === 0;
    if (traits & Trait.STALE || flapping) this.mac(0x0210, host);
    else this.endpoint(host, true);
    if (traits & Trait.ON_LINK) this.endpoint(this.network.peer[flow] ?? 0, true);
    else this.mac(ROUTER_LAN.high, ROUTER_LAN.low);
  }

  private flowIpv4(flow: number, host: number, traits: number, direction: 0 | 1, hops: number, content: number): void {
    const near = traits & Trait.WAN ? WAN_ADDRESS : hostAddress(host);
    const peer = this.network.peer[flow] ?? 0;
    let far = serverAddress(peer % SERVER_COUNT);
    if (traits & Trait.ON_LINK) far = hostAddress(peer);
    else if (traits & Trait.DNS) far = routerAddress(host);
    this.ipv4Header(content, traits & Trait.UDP ? PROTOCOL.UDP : PROTOCOL.TCP, hops);
    this.u32(direction === 0 ? near : far);
    this.u32(direction === 0 ? far : near);
  }

  private flowIpv6(flow: number, host: number, traits: number, direction: 0 | 1, hops: number, content: number): void {
    const peer = this.network.peer[flow] ?? 0;
    this.ipv6Header(content, traits & Trait.UDP ? PROTOCOL.UDP : PROTOCOL.TCP, hops);
    for (const near of [direction === 0, direction === 1]) {
      if (near && traits & Trait.WAN) this.ipv6(WAN_PREFIX, 0, FIRST_HOST + host);
      else if (near) this.hostIpv6(host);
      else if (traits & Trait.ON_LINK) this.hostIpv6(peer);
      else this.ipv6(SERVER_PREFIX, 0, 1 + (peer % SERVER_COUNT));
    }
  }

  private ports(flow: number, direction: 0 | 1): void {
    const near = this.network.hostPort[flow] ?? 0;
    const far = this.network.peerPort[flow] ?? 0;
    this.u16(direction === 0 ? near : far);
    this.u16(direction === 0 ? far : near);
  }

  /** The first segment of a direction is its SYN. */
  private tcp(flow: number, direction: 0 | 1, payload: number): void {
    const { sequence } = this.network;
    const mine = sequence[flow * 2 + direction] ?? 0;
    const acknowledged = sequence[flow * 2 + 1 - direction] ?? 0;
    sequence[flow * 2 + direction] = mine + payload + (mine === 0 ? 1 : 0);
    this.u32(mine);
    this.u32(acknowledged);
    const flags = (mine === 0 ? 0x02 : 0) | (acknowledged === 0 ? 0 : 0x10);
    this.u32(0x5000_ffff | (flags << 16));
    this.u32(0);
  }

  private udp(traits: number, direction: 0 | 1, content: number): void {
    this.u16(content);
    this.u16(traits & Trait.IPV6 ? 0xffff : 0); // over IPv6, 0 is not allowed
    if ((traits & Trait.DNS) === 0) return;
    this.u16(this.identification);
    this.u16(direction === 0 ? 0x0100 : 0x8180);
    this.copy([0, 1, 0, direction, 0, 0, 0, 0]);
    this.copy(QUESTION);
    if (direction === 1) this.copy(ANSWER);
  }

  private ipv4Header(content: number, protocol: number, hopLimit: number): void {
    this.identification = (this.identification + 1) & 0xffff;
    this.u16(0x4500);
    this.u16(20 + content);
    this.u16(this.identification);
    this.u16(0x4000);
    this.u32((hopLimit << 24) | (protocol << 16));
  }

  private ipv6Header(content: number, protocol: number, hopLimit: number): void {
    this.u32(0x6000_0000);
    this.u16(content);
    this.u16((protocol << 8) | hopLimit);
  }

  private pppoe(traits: number): number {
    this.u16(ETHERTYPE.PPPOE);
    this.u32(0x1100_0001);
    const length = this.at;
    this.u16(0);
    this.u16(traits & Trait.IPV6 ? 0x0057 : 0x0021);
    return length;
  }

  private arpHeader(operation: number): void {
    this.u16(ETHERTYPE.ARP);
    this.u32(0x0001_0800);
    this.u32(0x0604_0000 + operation);
  }

  private tag(): void {
    this.u16(ETHERTYPE.VLAN);
    this.u16(VLAN);
  }

  private hostIpv6(host: number): void {
    this.ipv6(HOST_PREFIX, isTagged(host) ? VLAN : 1, FIRST_HOST + host);
  }

  private solicitedNode(host: number): void {
    this.ipv6(0xff02_0000, 0, 0xff00_0000 + FIRST_HOST + host);
    this.out.view.setUint32(this.at - 8, 1);
  }

  private ipv6(prefix: number, subnet: number, id: number): void {
    this.u32(prefix);
    this.u32(subnet);
    this.u32(0);
    this.u32(id);
  }

  private macPair(dst: { high: number; low: number }, src: { high: number; low: number }): void {
    this.mac(dst.high, dst.low);
    this.mac(src.high, src.low);
  }

  /** The MAC of a host, or of the router's LAN side. */
  private endpoint(host: number, isHost: boolean): void {
    if (isHost) this.mac(0x0210, (this.network.macVersion[host] ?? 0) * 0x1_0000 + host);
    else this.mac(ROUTER_LAN.high, ROUTER_LAN.low);
  }

  private mac(high: number, low: number): void {
    this.u16(high);
    this.u32(low);
  }

  private u16(value: number): void {
    this.out.view.setUint16(this.at, value);
    this.at += 2;
  }

  private u32(value: number): void {
    this.out.view.setUint32(this.at, value);
    this.at += 4;
  }

  private copy(bytes: readonly number[]): void {
    this.out.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
}

function hostAddress(host: number): number {
  return (isTagged(host) ? 0x0a0a_0000 : 0x0a00_0000) + FIRST_HOST + host;
}

/** Servers lie all over the public address space, as those of a real network do. */
function serverAddress(server: number): number {
  const spread = Math.imul(server + 1, 0x9e37_79b1) >>> 0;
  return 0x1000_0000 + (spread % 0x6e00_0000); // 16.0.0.0 to 125.255.255.255
}

function routerAddress(host: number): number {
  return (isTagged(host) ? 0x0a0a_0000 : 0x0a00_0000) + 1;
}

/** 64 where the sender made the packet itself, less where a router passed it on. */
function hopLimitOf(traits: number, direction: 0 | 1): number {
  if (traits & (Trait.ON_LINK | Trait.DNS)) return 64;
  if (traits & Trait.WAN) return direction === 0 ? 63 : 55;
  return direction === 0 ? 64 : 55;
}
