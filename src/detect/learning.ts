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
  const table = tableChange(r, around, ownership.ip, tenure, transmitter);
  if (table.event) return table.event;
  const switched = firstOwnFrame(r, around, ownership, tenure, ownFrames);
  // A monitor writes down every change: what it does not show, the table did not learn, whatever the wire said.
  if (table.monitored) return switched;
  const heard = firstHeard(r, around, ownership, tenure, transmitter);
  const guess = heard.time + REACTION <= switched.time ? { ...heard, time: heard.time + REACTION } : switched;
  // Snapshots bound the change: not before the last one with the old MAC, at the latest at the first with the new one.
  // A dump is printed after its clock line: one of before the message was printed after it.
  const isHeardLater = heard.time < Infinity && heard.time > (table.upper?.time ?? Infinity);
  if (table.upper && table.upper.time < guess.time && !isHeardLater) return table.upper;
  return guess.time < table.lower ? { ...guess, time: table.lower } : guess;
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
  const heard = firstHeard(r, around, ownership, tenure, transmitter).time;
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
function tableChange(r: Reconstruction, around: Surroundings, ip: Ip, tenure: Tenure, transmitter: Mac): TableChange {
  const change: TableChange = { lower: -Infinity, monitored: false };
  for (const host of around.hosts) {
    if (!mayTransmit(host, transmitter)) continue;
    const { first, last } = host.monitored;
    const isSameEra = Math.abs(last - tenure.start) < ERA;
    change.monitored ||= isSameEra && first <= tenure.start && last > tenure.start + REACTION;
    for (const run of host.neighbors.get(ip) ?? []) {
      if (Number.isNaN(run.first) || Math.abs(run.first - tenure.start) > ERA) continue;
      const isNew = tenure.macs.includes(run.mac);
      if (!isNew) {
        if (run.last >= tenure.start) change.lower = Math.max(change.lower, run.last);
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
  return change;
}

function firstHeard(
  r: Reconstruction,
  around: Surroundings,
  ownership: Ownership,
  tenure: Tenure,
  transmitter: Mac,
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
      if (!(time >= tenure.start && time < best.time)) continue;
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
  let best: Learned = { time: Infinity, witness: undefined };
  for (const own of ownFrames) {
    if (!tenure.macs.includes(own.dstMac) || own.time < tenure.start || own.time >= best.time) continue;
    best = {
      time: own.time,
      witness: {
        kind: 'own-frame',
        ip: r.addresses.format(ownership.ip),
        mac: formatMac(own.dstMac),
        time: r.epoch.text(own.time),
        origin: frameOrigin(r, around, own.tap, own.frame),
      },
    };
  }
  return best;
}
