/**
 * Hosts: whose dumps these are. Dumps of several machines may lie in one folder (the router's, a client's), and a
 * neighbour entry says something about the machine that holds it, so facts are put together by machine: inputs that
 * name the same own MACs belong to one host, and an input without any is the host's whose devices it names.
 */

import { isGroupMac, parseMac, type AddressTable, type Ip, type Mac } from '../bytes/address.js';
import type {
  AddressFact,
  FlowtableFact,
  KernelFact,
  NftRuleFact,
  RouteFact,
  RuleFact,
  SettingFact,
  VersionFact,
} from '../records/facts.js';
import type { FactStore, InputFacts, NeighborRun, TableSnapshot } from './fact-store.js';
import { parsePrefix, prefixContains, type Prefix } from './prefix.js';

export interface HostDevice {
  readonly name: string;
  mac: Mac | undefined;
  master: string | undefined;
  /** It switches between the devices whose master it is. */
  isBridge: boolean;
  lower: string | undefined;
  vlan: number | undefined;
  readonly addresses: { ip: Ip; length: number }[];
}

export interface Host {
  readonly id: number;
  readonly inputs: number[];
  /** Its own MACs; empty when no dump says. */
  readonly macs: Set<Mac>;
  readonly devices: Map<string, HostDevice>;
  readonly routes: RouteFact[];
  readonly rules: RuleFact[];
  /** Rules and routes again, as each dated run of a command printed them. */
  readonly tables: TableSnapshot[];
  /** Chains and flowtables of nftables, of each input that shows any. */
  readonly rulesets: Ruleset[];
  readonly kernels: KernelFact[];
  readonly settings: SettingFact[];
  readonly versions: VersionFact[];
  /** Prefixes that it has a connected route or an address in. */
  readonly onLink: Prefix[];
  /** Addresses of next hops in its routes. */
  readonly gateways: Set<Ip>;
  readonly neighbors: Map<Ip, NeighborRun[]>;
  /** MACs that its neighbour table lists: a host never lists its own. */
  readonly neighborMacs: Set<Mac>;
  /** First and last event of a monitor of its neighbour table, ns since the analysis epoch; Infinity and -Infinity without one. */
  readonly monitored: { first: number; last: number };
}

/** What one input shows of nftables. */
export interface Ruleset {
  readonly input: number;
  /** Rules in order, by chain. */
  readonly chains: readonly (readonly NftRuleFact[])[];
  readonly flowtables: readonly FlowtableFact[];
}

/** Puts what was dumped together by host: by the MACs that a host says are its own, else by the devices that it names. */
export function digestHosts(store: FactStore, addresses: AddressTable): Host[] {
  const hosts: Host[] = [];
  const inputs = [...store.inputs.values()].sort((a, b) => a.input - b.input);
  const strangers: InputFacts[] = [];
  for (const input of inputs) {
    const macs = ownMacs(input);
    if (macs.size === 0) strangers.push(input);
    else joinByMac(hosts, input, macs, addresses);
  }
  const nameless: InputFacts[] = [];
  for (const input of strangers) {
    const host = namesDevices(input) ? hostNaming(hosts, input) : undefined;
    if (host) absorb(host, input, addresses);
    else if (!namesDevices(input)) nameless.push(input);
  }
  // Rules and leases name no device: they are of the machine that was dumped most.
  for (const input of nameless) {
    const host = hostOffloading(hosts, input) ?? mostDumped(hosts) ?? (isDump(input) ? newHost(hosts) : undefined);
    if (host) absorb(host, input, addresses);
  }
  return hosts;
}

/** Kinds of facts that alone do not show that a host's tables are at hand. */
const ADDITIONS = ['clock', 'hardware-entry', 'log-event', 'setting', 'version'];

function isDump(input: InputFacts): boolean {
  return [...input.counts.keys()].some((kind) => !ADDITIONS.includes(kind));
}

/** Whether frames with this source MAC may be the host's: its own MAC, or, when none is known, any MAC that is not its neighbour. */
export function mayTransmit(host: Host, mac: Mac): boolean {
  return host.macs.size > 0 ? host.macs.has(mac) : !host.neighborMacs.has(mac);
}

/** Whether the host reaches the address without a router, as far as its dumps say. */
export function isOnLinkFor(host: Host, ip: Ip): boolean {
  return host.neighbors.has(ip) || host.onLink.some((prefix) => prefixContains(prefix, ip));
}

function ownMacs(input: InputFacts): Set<Mac> {
  const macs = new Set<Mac>();
  const take = (text: string | undefined): void => {
    const mac = text === undefined ? undefined : parseMac(text);
    if (mac !== undefined && mac !== 0 && !isGroupMac(mac)) macs.add(mac);
  };
  for (const link of input.links) take(link.mac);
  // The kernel keeps a permanent entry for the address of every bridge port and of the bridge itself.
  for (const entry of input.fdb) if (entry.permanent && entry.master !== undefined) take(entry.mac);
  return macs;
}

function joinByMac(hosts: Host[], input: InputFacts, macs: Set<Mac>, addresses: AddressTable): void {
  const same = hosts.filter((host) => [...macs].some((mac) => host.macs.has(mac)));
  const host = same[0] ?? newHost(hosts);
  for (const other of same.slice(1)) {
    merge(host, other);
    hosts.splice(hosts.indexOf(other), 1);
  }
  for (const mac of macs) host.macs.add(mac);
  absorb(host, input, addresses);
}

/** The one host that has all devices which the input names; without any host at all, or for unknown devices, a nameless one. */
function hostNaming(hosts: Host[], input: InputFacts): Host | undefined {
  const named = [...input.devices].filter((device) => device !== 'lo');
  const candidates = hosts.filter((host) => host.macs.size > 0 && named.every((name) => host.devices.has(name)));
  if (candidates.length === 1) return candidates[0];
  if (candidates.length > 1) return undefined;
  return hosts.find((host) => host.macs.size === 0) ?? newHost(hosts);
}

function namesDevices(input: InputFacts): boolean {
  return [...input.devices].some((device) => device !== 'lo');
}

/** The host that has devices of the input's flowtables. */
function hostOffloading(hosts: readonly Host[], input: InputFacts): Host | undefined {
  const devices = [...input.flowtables.values()].flatMap((flowtable) => flowtable.devices);
  return hosts.find((host) => devices.some((device) => host.devices.has(device)));
}

function mostDumped(hosts: readonly Host[]): Host | undefined {
  return hosts.toSorted((a, b) => b.inputs.length - a.inputs.length || a.id - b.id)[0];
}

function newHost(hosts: Host[]): Host {
  const host: Host = {
    id: hosts.length,
    inputs: [],
    macs: new Set(),
    devices: new Map(),
    routes: [],
    rules: [],
    tables: [],
    rulesets: [],
    kernels: [],
    settings: [],
    versions: [],
    onLink: [],
    gateways: new Set(),
    neighbors: new Map(),
    neighborMacs: new Set(),
    monitored: { first: Infinity, last: -Infinity },
  };
  hosts.push(host);
  return host;
}

function merge(into: Host, from: Host): void {
  into.inputs.push(...from.inputs);
  for (const mac of from.macs) into.macs.add(mac);
  for (const [name, device] of from.devices) if (!into.devices.has(name)) into.devices.set(name, device);
  into.routes.push(...from.routes);
  into.rules.push(...from.rules);
  into.tables.push(...from.tables);
  into.rulesets.push(...from.rulesets);
  into.kernels.push(...from.kernels);
  into.settings.push(...from.settings);
  into.versions.push(...from.versions);
  into.onLink.push(...from.onLink);
  for (const ip of from.gateways) into.gateways.add(ip);
  for (const [ip, runs] of from.neighbors) into.neighbors.set(ip, [...(into.neighbors.get(ip) ?? []), ...runs]);
  for (const mac of from.neighborMacs) into.neighborMacs.add(mac);
  widen(into.monitored, from.monitored);
}

function absorb(host: Host, input: InputFacts, addresses: AddressTable): void {
  host.inputs.push(input.input);
  for (const name of input.devices) deviceOf(host, name);
  for (const link of input.links) {
    const device = deviceOf(host, link.device);
    device.mac ??= link.mac === undefined ? undefined : parseMac(link.mac);
    device.master ??= link.master;
    device.lower ??= link.lower;
    device.vlan ??= link.vlan;
    device.isBridge ||= link.type === 'bridge';
  }
  for (const entry of input.fdb) {
    if (entry.master === undefined) continue;
    deviceOf(host, entry.master).isBridge = true;
    if (entry.master !== entry.device) deviceOf(host, entry.device).master ??= entry.master;
  }
  for (const address of input.addresses) absorbAddress(host, address, addresses);
  for (const route of input.routes) absorbRoute(host, route, addresses);
  host.rules.push(...input.rules);
  host.tables.push(...input.tables);
  host.kernels.push(...input.kernels);
  host.settings.push(...input.settings);
  host.versions.push(...input.versions);
  if (input.chains.size > 0 || input.flowtables.size > 0) {
    const [chains, flowtables] = [[...input.chains.values()], [...input.flowtables.values()]];
    host.rulesets.push({ input: input.input, chains, flowtables });
  }
  for (const run of input.neighbors) {
    const runs = host.neighbors.get(run.ip);
    if (runs) runs.push(run);
    else host.neighbors.set(run.ip, [run]);
    host.neighborMacs.add(run.mac);
    if (run.byEvent) widen(host.monitored, run);
  }
}

function widen(span: { first: number; last: number }, by: { first: number; last: number }): void {
  if (by.first < span.first) span.first = by.first;
  if (by.last > span.last) span.last = by.last;
}

function deviceOf(host: Host, name: string): HostDevice {
  let device = host.devices.get(name);
  if (!device) {
    device = {
      name,
      mac: undefined,
      master: undefined,
      isBridge: false,
      lower: undefined,
      vlan: undefined,
      addresses: [],
    };
    host.devices.set(name, device);
  }
  return device;
}

function absorbAddress(host: Host, address: AddressFact, addresses: AddressTable): void {
  const ip = addresses.parse(address.ip);
  if (ip === undefined || address.event === 'deleted' || address.device === 'lo') return;
  deviceOf(host, address.device).addresses.push({ ip, length: address.prefixLength });
  const prefix = parsePrefix(`${address.ip}/${address.prefixLength}`, addresses);
  if (prefix) host.onLink.push(prefix);
}

function absorbRoute(host: Host, route: RouteFact, addresses: AddressTable): void {
  host.routes.push(route);
  for (const hop of route.nextHops) {
    const via = hop.via === undefined ? undefined : addresses.parse(hop.via);
    if (via !== undefined) host.gateways.add(via);
    const connected =
      route.type === 'unicast' && hop.via === undefined && hop.device !== undefined && hop.device !== 'lo';
    const prefix = connected ? parsePrefix(route.prefix, addresses) : undefined;
    // A default route without a gateway is a point-to-point device, not a network of neighbours.
    if (prefix && prefix.length > 0) host.onLink.push(prefix);
  }
}
