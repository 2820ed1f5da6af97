/**
 * Facts: what a router's dumps state, one statement each, with its origin and its time if known.
 *
 * Addresses are canonical text (`bytes/address.ts`). Redacted tokens never become facts. Times are absolute ns since
 * the epoch as bigint: facts are few, and 64 bits do not fit a number.
 */

import type { InputDiagnostic } from './packet-batch.js';

/** Where a statement stands: input by index, and line number from 1. */
export interface FactOrigin {
  readonly input: number;
  readonly line: number;
}

interface FactBase {
  readonly origin: FactOrigin;
  /** When it was so: of an event its time stamp, of a snapshot the clock line or command header before it; undefined when undated. */
  readonly time?: bigint;
  /** `event`: a change at `time`. `snapshot`: a state that held at `time` (or at an unknown time). */
  readonly dated: 'event' | 'snapshot';
  /**
   * Facts that one run of one command printed share a number (unique within the input): a snapshot is complete, so that
   * an entry which the next snapshot lacks was gone by then.
   */
  readonly snapshot: number;
  /** The command showed only some entries (an address, a state, `| grep`): what this snapshot lacks may exist. */
  readonly partial?: true;
}

/** `ip neigh`, `ip monitor neigh`, `/proc/net/arp`, `arp -an`. */
export interface NeighborFact extends FactBase {
  readonly kind: 'neighbor';
  readonly ip: string;
  readonly device?: string;
  /** Missing for FAILED and INCOMPLETE entries. */
  readonly mac?: string;
  /** INCOMPLETE REACHABLE STALE DELAY PROBE FAILED NOARP PERMANENT; empty when the format has none. */
  readonly states: readonly string[];
  readonly event?: 'changed' | 'deleted' | 'missed';
  readonly router?: boolean;
  readonly proxy?: boolean;
  /** Seconds since used / confirmed / updated (`ip -s`). */
  readonly ages?: { readonly used: number; readonly confirmed: number; readonly updated: number };
}

export interface RouteNextHop {
  readonly via?: string;
  readonly device?: string;
  readonly weight?: number;
}

/** `ip route show table all`, `ip monitor route`. */
export interface RouteFact extends FactBase {
  readonly kind: 'route';
  /** unicast local broadcast multicast unreachable blackhole prohibit throw anycast nat */
  readonly type: string;
  readonly family: 4 | 6;
  /** Canonical address and length; `0.0.0.0/0` or `::/0` for default. */
  readonly prefix: string;
  readonly table: string;
  readonly nextHops: readonly RouteNextHop[];
  readonly source?: string;
  readonly protocol?: string;
  readonly scope?: string;
  readonly metric?: number;
  readonly flags: readonly string[];
  readonly event?: 'changed' | 'deleted';
}

/** `ip rule`. */
export interface RuleFact extends FactBase {
  readonly kind: 'rule';
  readonly preference: number;
  readonly inverted: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly iif?: string;
  readonly oif?: string;
  readonly mark?: number;
  readonly mask?: number;
  /** Selectors that are kept as text only (`ipproto udp`, `sport 53`, `uidrange 0-0`, `tos 0x10`). */
  readonly others: readonly string[];
  /** `lookup`, `goto`, `unreachable`, `blackhole`, `prohibit`, `nop`. */
  readonly action: string;
  readonly table?: string;
  readonly goto?: number;
  readonly suppressPrefixLength?: number;
  readonly family?: 4 | 6;
  readonly event?: 'changed' | 'deleted';
}

/** `ip addr`. */
export interface AddressFact extends FactBase {
  readonly kind: 'address';
  readonly device: string;
  readonly ip: string;
  readonly prefixLength: number;
  readonly peer?: string;
  readonly scope?: string;
  readonly event?: 'changed' | 'deleted';
}

/** `ip link`, `ip -d link`, `ip addr` (its link part). */
export interface LinkFact extends FactBase {
  readonly kind: 'link';
  readonly index?: number;
  readonly device: string;
  readonly mac?: string;
  /** The bridge or bond it belongs to. */
  readonly master?: string;
  /** `br-lan.10@br-lan`: `br-lan`; `lan1@if2`: not given. */
  readonly lower?: string;
  /** bridge, bridge_slave, vlan, veth, bond, wireguard, ppp, ... (`ip -d`). */
  readonly type?: string;
  readonly vlan?: number;
  readonly flags: readonly string[];
  readonly event?: 'changed' | 'deleted';
}

/** `bridge fdb`, `bridge monitor fdb`. */
export interface FdbFact extends FactBase {
  readonly kind: 'fdb';
  readonly mac: string;
  readonly device: string;
  readonly vlan?: number;
  readonly master?: string;
  readonly permanent: boolean;
  readonly flags: readonly string[];
  readonly event?: 'changed' | 'deleted';
}

/** One direction of a conntrack entry. Ports, or for ICMP type, code and id, are undefined where the protocol has none. */
export interface ConntrackTuple {
  readonly src: string;
  readonly dst: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  readonly icmpId?: number;
  /** GRE keys. */
  readonly srcKey?: number;
  readonly dstKey?: number;
  readonly zone?: number;
  readonly packets?: number;
  readonly bytes?: number;
}

/** conntrack in every text form, and `/proc/net/nf_conntrack`. */
export interface ConntrackFact extends FactBase {
  readonly kind: 'conntrack';
  readonly event: 'entry' | 'new' | 'update' | 'destroy';
  readonly family: 4 | 6;
  readonly protocol: number;
  readonly original: ConntrackTuple;
  readonly reply: ConntrackTuple;
  /** Seconds. */
  readonly timeout?: number;
  readonly state?: string;
  readonly unreplied: boolean;
  readonly assured: boolean;
  /**
   * `software`: [OFFLOAD]; `hardware`: [HW_OFFLOAD]; `none`: the form prints flags and there is none;
   * `inferred`: the form drops the flag, but timeout and state lack as they do only for offloaded entries;
   * `unknown`: the form cannot tell.
   */
  readonly offload: 'software' | 'hardware' | 'none' | 'inferred' | 'unknown';
  readonly mark?: number;
  readonly zone?: number;
  readonly id?: number;
  /** Seconds since the entry was made (delta-time). */
  readonly age?: number;
  readonly use?: number;
  readonly helper?: string;
  readonly labels?: string;
}

/** A DHCP lease of dnsmasq or odhcpd. */
export interface LeaseFact extends FactBase {
  readonly kind: 'lease';
  readonly ip: string;
  readonly mac?: string;
  readonly host?: string;
  /** Seconds since the epoch, 0 for never. */
  readonly expiry: number;
}

/** A flowtable of nftables: which devices' traffic may take the fast path. */
export interface FlowtableFact extends FactBase {
  readonly kind: 'flowtable';
  /** inet, ip, ip6. */
  readonly family: string;
  readonly table: string;
  readonly name: string;
  /** As printed: `filter`, `0`. */
  readonly priority?: string;
  readonly devices: readonly string[];
  /** `flags offload`; undefined in JSON, which leaves it out. */
  readonly hardware?: boolean;
}

/** One rule of nftables, in the order of its chain. */
export interface NftRuleFact extends FactBase {
  readonly kind: 'nft-rule';
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** Of a base chain: `forward`, `prerouting`, ..., its priority and policy as printed. */
  readonly hook?: string;
  readonly priority?: string;
  readonly policy?: string;
  /** Position in its chain, from 0. */
  readonly index: number;
  /** The rule as printed; for JSON its expressions as JSON. */
  readonly text: string;
  /** The flowtable of `flow add @ft`. */
  readonly flowtable?: string;
  /** `accept`, `drop`, `return`, `jump`, `goto`, ... where the rule ends with one. */
  readonly verdict?: string;
  /** The chain of `jump` and `goto`. */
  readonly target?: string;
  /** `meta mark set`, `ct mark set`: what is set, and the expression. */
  readonly marks?: { readonly key: 'meta' | 'ct'; readonly value: string };
}

/** The kernel's release: `uname -a`, `uname -r`, `/proc/version`. */
export interface KernelFact extends FactBase {
  readonly kind: 'kernel';
  /** As printed: `6.6.86`, `6.1.0-56-amd64`. */
  readonly release: string;
}

/** Addresses and ports of a packet as a packet engine matches or writes it. */
export interface HardwareTuple {
  readonly src: string;
  readonly dst: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
}

/** One direction of a flow in the table of a packet engine: MediaTek and Airoha PPE, Qualcomm ECM. */
export interface HardwareEntryFact extends FactBase {
  readonly kind: 'hardware-entry';
  readonly engine: 'mediatek' | 'airoha' | 'qualcomm';
  /** Its number in the table, as printed. */
  readonly index: string;
  /** As printed: `BND`, `UNB`, `FIN`, `INV`; of ECM the acceleration mode. */
  readonly state: string;
  /** The engine rewrites packets by it. */
  readonly bound: boolean;
  readonly family: 4 | 6;
  readonly protocol?: number;
  readonly original: HardwareTuple;
  /** What the packet becomes; missing where the dump prints none, or nothing is translated. */
  readonly translated?: HardwareTuple;
  readonly srcMac?: string;
  /** The MAC that packets are sent to; missing while the entry is not bound. */
  readonly dstMac?: string;
  /** The EtherType field as printed (four hexadecimal digits): a switch port mask with DSA, 6488 or 8864 with PPPoE. */
  readonly etherType?: string;
  readonly vlans: readonly number[];
}

/** One option of UCI: `uci show`, `uci export`, `/etc/config/...`. Only options that bear on offload and forwarding are kept. */
export interface SettingFact extends FactBase {
  readonly kind: 'setting';
  /** `firewall`, `network`. */
  readonly package: string;
  /** Type of its section: `defaults`, `device`, `bridge-vlan`, `rule`, `route`. */
  readonly type: string;
  /** The section's name, or `@type[n]`. */
  readonly section: string;
  readonly option: string;
  /** One for an option, any number for a list. */
  readonly values: readonly string[];
}

export type LogEvent =
  | 'dhcp-ack'
  | 'dhcp-release'
  | 'station-connected'
  | 'station-associated'
  | 'station-disconnected'
  | 'firewall-reload'
  | 'port-state'
  | 'link-up'
  | 'link-down';

/** A line of the system's log that tells of a change. */
export interface LogEventFact extends FactBase {
  readonly kind: 'log-event';
  readonly what: LogEvent;
  /** ns that its time is good to: syslog writes whole seconds. */
  readonly resolution: number;
  readonly mac?: string;
  readonly ip?: string;
  readonly device?: string;
  /** The bridge of a `port-state`. */
  readonly master?: string;
  /** Of a `port-state`: `blocking`, `forwarding`, `disabled`, ... */
  readonly state?: string;
}

/** What a machine and its software are: `/etc/openwrt_release`, `ubus call system board`, `nft --version`. */
export interface VersionFact extends FactBase {
  readonly kind: 'version';
  readonly subject: 'distribution' | 'board' | 'tool';
  /** `OpenWrt`; the board's model; `nft`. */
  readonly name: string;
  /** `24.10.2`; the board's name in the device tree; `1.1.1`. */
  readonly version: string;
  /** Of a distribution. */
  readonly revision?: string;
  readonly target?: string;
}

/** The moment at which a section of text was printed, where no statement carries it (clock lines): estimates clock offsets, bounds snapshots. */
export interface ClockFact extends FactBase {
  readonly kind: 'clock';
  readonly command?: string;
}

export type Fact =
  | NeighborFact
  | RouteFact
  | RuleFact
  | AddressFact
  | LinkFact
  | FdbFact
  | ConntrackFact
  | LeaseFact
  | FlowtableFact
  | NftRuleFact
  | KernelFact
  | HardwareEntryFact
  | SettingFact
  | LogEventFact
  | VersionFact
  | ClockFact;

/** What a reader of facts calls. Synchronous, in line order. */
export interface FactSink {
  fact(fact: Fact): void;
  diagnostic(diagnostic: InputDiagnostic): void;
}
