/**
 * When could a transmitter know that an address had moved? It learns of a take-over from an ARP or ND message that
 * reaches it, or its own neighbour table shows when it did. Data frames of the new MAC alone tell it nothing.
 */

import { formatMac, type Ip, type Mac } from '../bytes/address.js';
import type { Witness } from '../model.js';
import { mayTransmit } from '../reconstruct/hosts.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import { ERA } from './era.js';
import type { Ownership, Tenure } from './ownership.js';
import { frameOrigin, witnessOfClaim, type Surroundings } from './witnesses.js';

/** First frame of a transmitter to each MAC for one destination address. */
export interface OwnFrame {
  readonly dstMac: Mac;
  readonly time: number;
  readonly tap: number;
  readonly frame: number;
}

export interface Learned {
  /** ns since the analysis epoch; Infinity when nothing shows that it ever learned. */
  readonly time: number;
  readonly witness: Witness | undefined;
}

/** Time that a host may take to act on an ARP or ND message that reached it. */
const REACTION = 1e8;

/** A table event may carry a time a little before the claim that caused it: clocks and taps differ. */
const CLOCK_SLACK = 1e9;

export function learnedOf(
  r: Reconstruction,
  around: Surroundings,
  ownership: Ownership,
  tenure: Tenure,
  transmitter: Mac,
  ownFrames: readonly OwnFrame[],
): Learned {
  const table = tableChange(r, around, ownership, tenure, transmitter);
  if (table.event) return table.event;
  const polled = pollChange(r, around, ownership, tenure, transmitter);
  const sent = earlier(firstOwnFrame(r, around, ownership, tenure, ownFrames), polled.upper);
  // A monitor writes down every change: what it does not show, the table did not learn, whatever the wire said.
  if (table.monitored) return sent;
  const lower = Math.max(table.lower, polled.lower);
  const heard = firstHeard(r, around, ownership, tenure, transmitter, lower - REACTION);
  const guess = heard.time + REACTION <= sent.time ? { ...heard, time: heard.time + REACTION } : sent;
  // Snapshots bound the change: not before the last one with the old MAC, at the latest at the first with the new one.
  // A dump is printed after its clock line: one of before the message was printed after it.
  const isHeardLater = heard.time < Infinity && heard.time > (table.upper?.time ?? Infinity);
  if (table.upper && table.upper.time < guess.time && !isHeardLater) return table.upper;
  return guess.time < lower ? { ...guess, time: lower } : guess;
}

/**
 * When a transmitter was first told which MAC has an address: by a message that reached it, by its own neighbour table, or
 * as its own frames show. ns since the analysis epoch; Infinity when nothing shows it.
 */
export function toldOf(
  r: Reconstruction,
  around: Surroundings,
  ownership: Ownership,
  tenure: Tenure,
  transmitter: Mac,
  ownFrames: readonly OwnFrame[],
): number {
  const table = around.hosts
    .filter((host) => mayTransmit(host, transmitter))
    .flatMap((host) => host.neighbors.get(ownership.ip) ?? [])
    .filter(({ mac, first }) => tenure.macs.includes(mac) && !Number.isNaN(first))
    .map(({ first }) => first);
  const own = ownFrames.filter(({ dstMac }) => tenure.macs.includes(dstMac)).map(({ time }) => time);
  const heard = firstHeard(r, around, ownership, tenure, transmitter, -Infinity).time;
  return [...table, ...own].reduce((a, b) => Math.min(a, b), heard);
}

interface TableChange {
  event?: Learned;
  upper?: Learned;
  lower: number;
  /** A monitor of the table was running when the address was taken over, and after. */
  monitored: boolean;
}

/** What the transmitter's own neighbour table, if it was dumped, says about the take-over. */
function tableChange(
  r: Reconstruction,
  around: Surroundings,
  ownership: Ownership,
  tenure: Tenure,
  transmitter: Mac,
): TableChange {
  const { ip } = ownership;
  const change: TableChange = { lower: -Infinity, monitored: false };
  const old: { first: number; last: number }[] = [];
  for (const host of around.hosts) {
    if (!mayTransmit(host, transmitter)) continue;
    const { first, last } = host.monitored;
    const isSameEra = Math.abs(last - tenure.start) < ERA;
    change.monitored ||= isSameEra && first <= tenure.start && last > tenure.start + REACTION;
    for (const run of host.neighbors.get(ip) ?? []) {
      if (Number.isNaN(run.first) || Math.abs(run.first - tenure.start) > ERA) continue;
      if (!tenure.macs.includes(run.mac)) {
        old.push(run);
        continue;
      }
      if (run.last < tenure.start - CLOCK_SLACK) continue;
      const learned: Learned = {
        time: run.first,
        witness: {
          kind: run.byEvent ? 'neighbor-event' : 'neighbor-entry',
          ip: r.addresses.format(ip),
          mac: formatMac(run.mac),
          time: r.epoch.text(run.first),
          origin: { input: around.inputName(run.input), line: run.firstLine },
        },
      };
      const slot = run.byEvent ? 'event' : 'upper';
      const known = change[slot];
      if (!known || learned.time < known.time) change[slot] = learned;
    }
  }
  change.lower = lastOld(old, ownership, tenure, change.upper?.time ?? Infinity);
  return change;
}

/**
 * What the transmitter's questions to one MAC alone say about the take-over. Linux does not believe an ARP message within a
 * second after the entry changed (`locktime`, arp_process() in net/ipv4/arp.c), and then goes on to ask the old MAC.
 */
function pollChange(
  r: Reconstruction,
  around: Surroundings,
  ownership: Ownership,
  tenure: Tenure,
  transmitter: Mac,
): { upper: Learned; lower: number } {
  const { ip, network } = ownership;
  const runs = r.claims.pollsBy(around.networks.taps[network] ?? [], transmitter, ip);
  let upper: Learned = { time: Infinity, witness: undefined };
  for (const { tap, mac, times, firstFrame } of runs) {
    const first = times[0] ?? NaN;
    if (!tenure.macs.includes(mac) || first < tenure.start || first >= upper.time) continue;
    upper = {
      time: first,
      witness: ownFrameWitness(r, around, ip, { dstMac: mac, time: first, tap, frame: firstFrame }),
    };
  }
  const old = runs
    .filter(({ mac }) => !tenure.macs.includes(mac))
    .flatMap(({ times }) => times.map((time) => ({ first: time, last: time })));
  return { upper, lower: lastOld(old, ownership, tenure, upper.time) };
}

/** Until when another MAC is shown after the take-over, before the new one is; -Infinity when it is not. */
function lastOld(
  runs: readonly { first: number; last: number }[],
  { tenures }: Ownership,
  { start }: Tenure,
  upper: number,
): number {
  const next = tenures.find((tenure) => tenure.start > start)?.start ?? Infinity;
  const until = Math.min(upper, next);
  return runs
    .filter(({ first, last }) => last >= start && first < until)
    .reduce((latest, { last }) => Math.max(latest, Math.min(last, until)), -Infinity);
}

/** The first claim that reached the transmitter, of those from `since` on; ns since the analysis epoch. */
function firstHeard(
  r: Reconstruction,
  around: Surroundings,
  ownership: Ownership,
  tenure: Tenure,
  transmitter: Mac,
  since: number,
): Learned {
  let best: Learned = { time: Infinity, witness: undefined };
  for (const run of r.claims.of(ownership.ip)) {
    if (!tenure.macs.includes(run.mac)) continue;
    if (around.networks.of[run.tap] !== ownership.network) continue;
    const single = run.heardBy.get(transmitter);
    const options = [
      { time: run.heardByAll, frame: run.heardByAllFrame, kind: run.heardByAllKind },
      single ?? { time: NaN, frame: 0, kind: 0 },
    ];
    for (const { time, frame, kind } of options) {
      if (!(time >= tenure.start && time >= since && time < best.time)) continue;
      best = {
        time,
        witness: {
          kind: witnessOfClaim(kind),
          ip: r.addresses.format(ownership.ip),
          mac: formatMac(run.mac),
          time: r.epoch.text(time),
          origin: frameOrigin(r, around, run.tap, frame),
        },
      };
    }
  }
  return best;
}

function firstOwnFrame(
  r: Reconstruction,
  around: Surroundings,
  ownership: Ownership,
  tenure: Tenure,
  ownFrames: readonly OwnFrame[],
): Learned {
  const best = ownFrames
    .filter(({ dstMac, time }) => tenure.macs.includes(dstMac) && time >= tenure.start)
    .reduce<OwnFrame | undefined>((first, own) => (first && first.time <= own.time ? first : own), undefined);
  if (!best) return { time: Infinity, witness: undefined };
  return { time: best.time, witness: ownFrameWitness(r, around, ownership.ip, best) };
}

function ownFrameWitness(r: Reconstruction, around: Surroundings, ip: Ip, own: OwnFrame): Witness {
  return {
    kind: 'own-frame',
    ip: r.addresses.format(ip),
    mac: formatMac(own.dstMac),
    time: r.epoch.text(own.time),
    origin: frameOrigin(r, around, own.tap, own.frame),
  };
}

function earlier(a: Learned, b: Learned): Learned {
  return b.time < a.time ? b : a;
}
