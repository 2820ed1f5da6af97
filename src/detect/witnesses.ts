/** Puts together what all witnesses said about who has an address: the input of `divideIntoTenures`. */

import type { Ip, Mac } from '../bytes/address.js';
import type { Origin, WitnessKind } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { ClaimRun } from '../reconstruct/claim-runs.js';
import type { NeighborRun } from '../reconstruct/fact-store.js';
import type { Host } from '../reconstruct/hosts.js';
import { parsePrefix, prefixContains, type Prefix } from '../reconstruct/prefix.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { Claim } from '../records/frame-batch.js';
import { ERA } from './era.js';
import type { Networks } from './networks.js';
import { Originated, type AddressBook } from './originated.js';
import type { Testimony } from './ownership.js';
import { Testimonies, type Witnesses } from './testimonies.js';

/** What surrounds the legs that are judged: hosts whose dumps are at hand, networks, routers, names of inputs. */
export interface Surroundings {
  readonly hosts: readonly Host[];
  readonly networks: Networks;
  readonly routers: ReadonlySet<Mac>;
  /** Networks that a device of a host is seen on; all networks when the captures do not name it. */
  networksOf(device: string | undefined): readonly number[];
  inputName(input: number): string;
}

/** A statement of a neighbour table this soon after a claim on the wire may still be the state before it. */
const TABLE_LAG = 1e9;

/** What was said, on the wire and in dumps, of who has which address: by `addressKey` of network and address. */
export function findOwnerships(r: Reconstruction, around: Surroundings): Map<number, Testimonies> {
  const collected = new Map<number, Testimonies>();
  const made = new Originated(r, (tap, frame) => frameOrigin(r, around, tap, frame));
  const witnesses: Witnesses = {
    claim: (run) => testimonyOfClaim(r, around, run),
    originated: (makers) => made.testimonies(makers),
  };
  const heardOf = (network: number, ip: Ip): Testimonies => {
    const key = addressKey(network, ip);
    let heard = collected.get(key);
    if (!heard) collected.set(key, (heard = new Testimonies(network, ip, witnesses)));
    return heard;
  };

  for (const run of r.claims.runs) heardOf(around.networks.of[run.tap] ?? 0, run.ip).addClaim(run);
  const isAnnounced = announcedPrefixes(r, around);
  const isNeighbor = neighborsOf(around);
  const book: AddressBook = {
    find: (network, ip) =>
      collected.get(addressKey(network, ip)) ??
      (isAnnounced(network, ip) || isNeighbor(network, ip) ? new Testimonies(network, ip, witnesses) : undefined),
    keep: (testimonies) => collected.set(addressKey(testimonies.network, testimonies.ip), testimonies),
  };
  made.addTo(book, around.networks.of, around.routers);
  for (const run of r.claims.grants) {
    heardOf(around.networks.of[run.tap] ?? 0, run.ip).addWeak(testimonyOfClaim(r, around, run));
  }
  addNeighbors(around, heardOf);
  addLeases(r, around, heardOf);
  return collected;
}

const WITNESS_OF_CLAIM: Readonly<Record<number, WitnessKind>> = {
  [Claim.ARP_REQUEST]: 'arp-request',
  [Claim.ARP_REPLY]: 'arp-reply',
  [Claim.ARP_GRATUITOUS]: 'arp-gratuitous',
  [Claim.ND_SOLICITATION]: 'nd-solicitation',
  [Claim.ND_ADVERTISEMENT]: 'nd-advertisement',
  [Claim.ND_UNSOLICITED]: 'nd-unsolicited',
  [Claim.ND_WEAK]: 'nd-advertisement',
  [Claim.ND_ROUTER]: 'nd-router',
  [Claim.DHCP_ACK]: 'dhcp-ack',
};

/** The kind of witness that a claim (one of `Claim`) is. */
export function witnessOfClaim(kind: number): WitnessKind {
  return WITNESS_OF_CLAIM[kind] ?? 'arp-request';
}

function testimonyOfClaim(r: Reconstruction, around: Surroundings, run: ClaimRun): Testimony {
  return {
    mac: run.mac,
    first: run.first,
    last: run.last,
    kind: witnessOfClaim(run.kind),
    origin: frameOrigin(r, around, run.tap, run.firstFrame),
  };
}

/** Where a frame of a tap stands. */
export function frameOrigin(r: Reconstruction, around: Surroundings, tap: number, frame: number): Origin {
  return { input: around.inputName(r.taps.all[tap]?.input ?? 0), frame };
}

/** Subnets known to be on-link: DHCP masks, router advertisements, interface addresses of pcapng, addresses and routes of the hosts. */
function announcedPrefixes(r: Reconstruction, around: Surroundings): (network: number, ip: Ip) => boolean {
  const byNetwork = new Map<number, Prefix[]>();
  const add = (network: number, prefix: Prefix | undefined): void => {
    if (!prefix || prefix.length === 0) return;
    const list = byNetwork.get(network);
    if (list) list.push(prefix);
    else byNetwork.set(network, [prefix]);
  };
  for (const { tap, ip, length } of r.claims.prefixes) {
    add(around.networks.of[tap] ?? 0, parsePrefix(`${r.addresses.format(ip)}/${length}`, r.addresses));
  }
  for (const tap of r.taps.all) {
    for (const address of r.taps.ports[tap.port]?.description.addresses ?? []) {
      if (tap.vlan < 0) add(around.networks.of[tap.id] ?? 0, parsePrefix(address, r.addresses));
    }
  }
  for (const host of around.hosts) {
    for (const device of host.devices.values()) {
      for (const { ip, length } of device.addresses) {
        const prefix = parsePrefix(`${r.addresses.format(ip)}/${length}`, r.addresses);
        for (const network of around.networksOf(device.name)) add(network, prefix);
      }
    }
  }
  return (network, ip) => byNetwork.get(network)?.some((prefix) => prefixContains(prefix, ip)) ?? false;
}

/** Addresses that a neighbour table lists, of the networks that their devices are seen on. */
function neighborsOf(around: Surroundings): (network: number, ip: Ip) => boolean {
  const listed = new Map<Ip, Set<number>>();
  for (const host of around.hosts) {
    for (const [ip, runs] of host.neighbors) {
      const networks = listed.get(ip) ?? new Set();
      for (const { device } of runs) for (const network of around.networksOf(device)) networks.add(network);
      listed.set(ip, networks);
    }
  }
  return (network, ip) => listed.get(ip)?.has(network) ?? false;
}

/**
 * A neighbour table is what one host believes. It is a witness where the wire is silent: before the first claim, after
 * the last one, or when there is none.
 */
function addNeighbors(around: Surroundings, heardOf: (network: number, ip: Ip) => Testimonies): void {
  for (const host of around.hosts) {
    for (const [ip, runs] of host.neighbors) {
      for (const run of runs) {
        for (const network of around.networksOf(run.device)) {
          const heard = heardOf(network, ip);
          const testimony = testimonyOfNeighbor(around, run);
          if (Number.isNaN(run.first)) heard.addWeak(testimony);
          else heard.addStrong(whereWireIsSilent(heard.strong, testimony, run));
        }
      }
    }
  }
}

function testimonyOfNeighbor(around: Surroundings, run: NeighborRun): Testimony {
  return {
    mac: run.mac,
    first: run.first,
    last: run.last,
    kind: run.byEvent ? 'neighbor-event' : 'neighbor-entry',
    origin: { input: around.inputName(run.input), line: run.firstLine },
  };
}

function whereWireIsSilent(strong: readonly Testimony[], said: Testimony, run: NeighborRun): Testimony[] {
  const wire = strong.filter((t) => t.kind !== 'neighbor-event' && t.kind !== 'neighbor-entry');
  if (wire.length === 0) return [said];
  const firstClaim = Math.min(...wire.map((t) => t.first));
  const lastClaim = Math.max(...wire.map((t) => t.last));
  if (Math.abs(said.first - firstClaim) > ERA) return [];
  if (said.first < firstClaim - TABLE_LAG) return [{ ...said, last: Math.min(said.last, firstClaim - TABLE_LAG) }];
  // A table that changes after the wire fell silent was told by a frame that no capture holds.
  if (run.byEvent && !Number.isNaN(run.confirmed) && said.first > lastClaim + TABLE_LAG) return [said];
  return [];
}

function addLeases(r: Reconstruction, around: Surroundings, heardOf: (network: number, ip: Ip) => Testimonies): void {
  for (const input of r.facts.inputs.values()) {
    for (const lease of input.leases) {
      const ip = r.addresses.parse(lease.ip);
      const mac = lease.mac === undefined ? undefined : Number.parseInt(lease.mac.replaceAll(':', ''), 16);
      if (ip === undefined || mac === undefined) continue;
      const origin = { input: around.inputName(lease.origin.input), line: lease.origin.line };
      for (const network of around.networksOf(undefined)) {
        heardOf(network, ip).addWeak({ mac, first: NaN, last: NaN, kind: 'lease', origin });
      }
    }
  }
}
