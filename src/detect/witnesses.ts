/** Puts together what all witnesses said about who has an address: the input of `divideIntoTenures`. */

import { ipFromWord, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import type { Origin, WitnessKind } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { ClaimRun } from '../reconstruct/claims.js';
import type { NeighborRun } from '../reconstruct/fact-store.js';
import type { Host } from '../reconstruct/hosts.js';
import { Leg, LEG_DOUBLES, LEG_WORDS, LegBit, LegTime } from '../reconstruct/leg-layout.js';
import { Closed, CLOSED_DOUBLES, ClosedDouble, CLOSED_WORDS } from '../reconstruct/mapping-log.js';
import { parsePrefix, prefixContains, type Prefix } from '../reconstruct/prefix.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { Claim } from '../records/frame-batch.js';
import { ERA } from './era.js';
import type { Networks } from './networks.js';
import { divideIntoTenures, type Ownership, type Testimony } from './ownership.js';

/** Names of inputs, and which taps a device of a host is. */
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

export function findOwnerships(r: Reconstruction, around: Surroundings): Map<number, Ownership> {
  const collected = new Map<number, { network: number; ip: Ip; strong: Testimony[]; weak: Testimony[] }>();
  const entryOf = (network: number, ip: Ip): { strong: Testimony[]; weak: Testimony[] } => {
    const key = addressKey(network, ip);
    let entry = collected.get(key);
    if (!entry) collected.set(key, (entry = { network, ip, strong: [], weak: [] }));
    return entry;
  };

  for (const run of r.claims.runs) {
    entryOf(around.networks.of[run.tap] ?? 0, run.ip).strong.push(testimonyOfClaim(r, around, run));
  }
  addOriginated(r, around, (network, ip) => collected.get(addressKey(network, ip))?.strong, entryOf);
  for (const run of r.claims.grants) {
    entryOf(around.networks.of[run.tap] ?? 0, run.ip).weak.push(testimonyOfClaim(r, around, run));
  }
  addNeighbors(around, entryOf);
  addLeases(r, around, entryOf);

  const ownerships = new Map<number, Ownership>();
  for (const [key, entry] of collected) {
    const tenures = divideIntoTenures(entry.strong);
    const undated = entry.strong.filter((testimony) => Number.isNaN(testimony.first));
    ownerships.set(key, { network: entry.network, ip: entry.ip, tenures, weak: [...entry.weak, ...undated] });
  }
  return ownerships;
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

export function frameOrigin(r: Reconstruction, around: Surroundings, tap: number, frame: number): Origin {
  return { input: around.inputName(r.taps.all[tap]?.input ?? 0), frame };
}

/**
 * Frames that an on-link address itself made say who has it: the sender's hop limit is an initial value, and the sender
 * is not known to pass on what others made.
 */
function addOriginated(
  r: Reconstruction,
  around: Surroundings,
  known: (network: number, ip: Ip) => Testimony[] | undefined,
  entryOf: (network: number, ip: Ip) => { strong: Testimony[] },
): void {
  const { words } = r.legs;
  const isAnnounced = announcedPrefixes(r, around);
  // By number of source address and network: what was said of it so far, and whether legs may speak for it.
  const numbers = new WordTable();
  const lists: (Testimony[] | undefined)[] = [];
  const isOnLink: boolean[] = [];
  const latest: (Originated | undefined)[] = [];
  for (let leg = 0; leg < r.legs.count; leg++) {
    const w = leg * LEG_WORDS;
    const meta = words[w + Leg.META] ?? 0;
    if ((meta & LegBit.INITIAL_HOP_LIMIT) === 0) continue;
    const network = around.networks.of[meta >>> 16] ?? 0;
    const word = words[w + Leg.SRC_IP] ?? 0;
    const number = numbers.intern(network, meta & LegBit.IPV6, word, 0);
    if (number === lists.length) {
      const ip = ipFromWord(word, meta & LegBit.IPV6 ? 6 : 4);
      const list = known(network, ip);
      lists.push(list);
      latest.push(undefined);
      isOnLink.push(ip !== 0 && (list !== undefined || isAnnounced(network, ip)));
    }
    if (!isOnLink[number]) continue;
    const mac = macFromWords((words[w + Leg.MACS_HIGH] ?? 0) >>> 16, words[w + Leg.SRC_MAC_LOW] ?? 0);
    if (around.routers.has(mac) && !lists[number]?.some((t) => t.mac === mac && t.kind !== 'originated')) continue;
    const list = (lists[number] ??= entryOf(network, ipFromWord(word, meta & LegBit.IPV6 ? 6 : 4)).strong);
    latest[number] = noteOriginated(r, around, list, latest[number], mac, leg);
  }
}

/** Adds a testimony, or widens the one before it when they overlap: a busy host has many flows at a time. */
function noteOriginated(
  r: Reconstruction,
  around: Surroundings,
  list: Testimony[],
  before: Originated | undefined,
  mac: Mac,
  leg: number,
): Originated {
  const { first, last, firstFrame } = legSpan(r, leg);
  const overlaps = before?.mac === mac && first <= before.last && before.first <= last;
  if (overlaps && last > before.last) before.last = last;
  if (overlaps && first >= before.first) return before;
  const tap = (r.legs.words[leg * LEG_WORDS + Leg.META] ?? 0) >>> 16;
  const origin = frameOrigin(r, around, tap, firstFrame);
  if (overlaps) return Object.assign(before, { first, origin });
  const said: Originated = { mac, first, last, kind: 'originated', origin };
  list.push(said);
  return said;
}

/** A testimony that may still be widened. */
interface Originated {
  readonly mac: Mac;
  readonly kind: 'originated';
  first: number;
  last: number;
  origin: Origin;
}

/** First and last time of all frames of a leg. */
export function legSpan(r: Reconstruction, leg: number): { first: number; last: number; firstFrame: number } {
  const { words, doubles, closed } = r.legs;
  let first = doubles[leg * LEG_DOUBLES + LegTime.FIRST] ?? NaN;
  let firstFrame = words[leg * LEG_WORDS + Leg.FIRST_FRAME] ?? 0;
  const last = doubles[leg * LEG_DOUBLES + LegTime.LAST] ?? NaN;
  for (let entry = words[leg * LEG_WORDS + Leg.CLOSED] ?? -1; entry >= 0;) {
    first = closed.doubles[entry * CLOSED_DOUBLES + ClosedDouble.FIRST] ?? first;
    firstFrame = closed.words[entry * CLOSED_WORDS + Closed.FIRST_FRAME] ?? firstFrame;
    entry = closed.words[entry * CLOSED_WORDS + Closed.OLDER] ?? -1;
  }
  return { first, last, firstFrame };
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
  const memo = new Map<number, boolean>();
  return (network, ip) => {
    const key = addressKey(network, ip);
    let answer = memo.get(key);
    if (answer === undefined) {
      answer = byNetwork.get(network)?.some((prefix) => prefixContains(prefix, ip)) ?? false;
      memo.set(key, answer);
    }
    return answer;
  };
}

/**
 * A neighbour table is what one host believes. It is a witness where the wire is silent: before the first claim, after
 * the last one, or when there is none.
 */
function addNeighbors(
  around: Surroundings,
  entryOf: (network: number, ip: Ip) => { strong: Testimony[]; weak: Testimony[] },
): void {
  for (const host of around.hosts) {
    for (const [ip, runs] of host.neighbors) {
      for (const run of runs) {
        for (const network of around.networksOf(run.device)) {
          const { strong, weak } = entryOf(network, ip);
          const testimony = testimonyOfNeighbor(around, run);
          if (Number.isNaN(run.first)) weak.push(testimony);
          else strong.push(...whereWireIsSilent(strong, testimony, run));
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

function addLeases(
  r: Reconstruction,
  around: Surroundings,
  entryOf: (network: number, ip: Ip) => { weak: Testimony[] },
): void {
  for (const input of r.facts.inputs.values()) {
    for (const lease of input.leases) {
      const ip = r.addresses.parse(lease.ip);
      const mac = lease.mac === undefined ? undefined : Number.parseInt(lease.mac.replaceAll(':', ''), 16);
      if (ip === undefined || mac === undefined) continue;
      const origin = { input: around.inputName(lease.origin.input), line: lease.origin.line };
      for (const network of around.networksOf(undefined)) {
        entryOf(network, ip).weak.push({ mac, first: NaN, last: NaN, kind: 'lease', origin });
      }
    }
  }
}
