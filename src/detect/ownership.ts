/**
 * Ownership: which MACs had an address of a network, and when, from all witnesses.
 *
 * A tenure begins with the first claim of a MAC that did not have the address and ends when another MAC takes it over.
 * MACs that claim an address at the same time share a tenure: a conflict, or one host with several MACs; either way no
 * frame to one of them is called wrong.
 */

import type { Ip, Mac } from '../bytes/address.js';
import type { Origin, WitnessKind } from '../model.js';

/** What a witness said: `mac` has the address, at `first`, and said so until `last`. ns since the analysis epoch. */
export interface Testimony {
  readonly mac: Mac;
  readonly first: number;
  readonly last: number;
  readonly kind: WitnessKind;
  readonly origin: Origin | undefined;
}

/** A MAC had given the address up: it did not answer what it was sent. ns since the analysis epoch. */
export interface Silence {
  readonly mac: Mac;
  /** Its last word. */
  readonly from: number;
  /** Its first one after that, or Infinity. */
  readonly until: number;
}

export interface Tenure {
  readonly macs: readonly Mac[];
  /** First and last claim; it holds until the next tenure begins. */
  readonly start: number;
  readonly end: number;
  readonly testimonies: readonly Testimony[];
}

export interface Ownership {
  readonly network: number;
  readonly ip: Ip;
  /** The one MAC that had the address at all times; undefined when several had it, or nobody dated says who. */
  readonly owner: Mac | undefined;
  readonly tenures: readonly Tenure[];
  /** Undated or second-hand statements, used only where no dated witness speaks. */
  readonly weak: readonly Testimony[];
  /** The MACs that any witness named, those of tenures first; with repetitions. */
  readonly macs: readonly Mac[];
}

/**
 * A claim of the old MAC up to this long after the first one of the new MAC is the tail of the old tenure (frames on the
 * way, another tap's delay), not a conflict.
 */
const OVERLAP_SLACK = 1e9;

/** A MAC that claims again this soon after another one did never gave the address up: a conflict, not two take-overs. */
const RETURN = 600e9;

interface Draft {
  macs: Mac[];
  start: number;
  end: number;
  testimonies: Testimony[];
}

/**
 * Puts the testimonies for one address in order of time and divides them into tenures.
 * @param silences of those who gave it up for a time: who claims it again then, or after them, took it over
 */
export function divideIntoTenures(testimonies: readonly Testimony[], silences: readonly Silence[] = []): Tenure[] {
  const only = onlyTenure(testimonies);
  if (only) return [only];
  const sorted = testimonies.filter((t) => !Number.isNaN(t.first)).sort(byTimeThenMac);
  const tenures: Draft[] = [];
  for (const testimony of sorted) {
    const current = tenures.at(-1);
    const before = tenures.at(-2);
    if (current?.macs.includes(testimony.mac)) {
      extend(current, testimony);
    } else if (current && before?.macs.includes(testimony.mac) && testimony.last - current.start < OVERLAP_SLACK) {
      before.testimonies.push(testimony);
    } else if (current && (current.end - testimony.first > OVERLAP_SLACK || isSecondAnswer(current, testimony))) {
      extend(current, testimony);
    } else {
      const isTakenOver = current !== undefined && gaveUp(current, testimony, silences);
      const held = isTakenOver
        ? -1
        : tenures.findLastIndex((t) => t.macs.includes(testimony.mac) && testimony.first - t.end < RETURN);
      if (held >= 0) tenures.push(mergeAll(tenures.splice(held)));
      const shared = held >= 0 ? tenures.at(-1) : undefined;
      if (shared) extend(shared, testimony);
      else tenures.push(tenureOf(testimony));
    }
  }
  return tenures;
}

/**
 * Whether a MAC that claims an address again takes it over: it had given it up when the other one came, which then had it
 * until now; or the other one has given it up.
 */
function gaveUp(current: Draft, { mac, first }: Testimony, silences: readonly Silence[]): boolean {
  const own = silences.find(({ mac: silent, from, until }) => {
    return silent === mac && from < current.start + OVERLAP_SLACK && until > current.start + OVERLAP_SLACK;
  });
  if (own) current.end = Math.max(current.end, Math.min(own.until, first) - 1);
  return (
    own !== undefined ||
    current.macs.every((other) =>
      silences.some(
        (silence) => silence.mac === other && silence.from < first + OVERLAP_SLACK && silence.until > first,
      ),
    )
  );
}

/** The tenure of an address that only one MAC ever had; undefined for others, and for undated testimonies. */
function onlyTenure(testimonies: readonly Testimony[]): Tenure | undefined {
  const [head] = testimonies;
  if (!head) return undefined;
  let { first, last } = head;
  let before = head;
  let isInOrder = true;
  for (const testimony of testimonies) {
    if (testimony.mac !== head.mac || Number.isNaN(testimony.first)) return undefined;
    if (byTimeThenMac(before, testimony) > 0) isInOrder = false;
    if (testimony.first < first) first = testimony.first;
    if (testimony.last > last) last = testimony.last;
    before = testimony;
  }
  const sorted = isInOrder ? testimonies : testimonies.toSorted(byTimeThenMac);
  return { macs: [head.mac], start: first, end: last, testimonies: sorted };
}

function tenureOf(testimony: Testimony): Draft {
  return { macs: [testimony.mac], start: testimony.first, end: testimony.last, testimonies: [testimony] };
}

/**
 * Two replies to one question: a host with two cards, or a proxy beside the host. Who asked keeps one of them, so the
 * second is no take-over.
 */
function isSecondAnswer(current: Draft, testimony: Testimony): boolean {
  if (!ANSWERS.includes(testimony.kind)) return false;
  return current.testimonies.some((t) => WIRE.includes(t.kind) && testimony.first - t.last < OVERLAP_SLACK);
}

const ANSWERS: readonly WitnessKind[] = ['arp-reply', 'nd-advertisement'];
const WIRE: readonly WitnessKind[] = [...ANSWERS, 'arp-gratuitous', 'arp-request', 'nd-unsolicited', 'nd-solicitation'];

function extend(tenure: Draft, testimony: Testimony): void {
  if (!tenure.macs.includes(testimony.mac)) tenure.macs.push(testimony.mac);
  tenure.end = Math.max(tenure.end, testimony.last);
  tenure.testimonies.push(testimony);
}

function mergeAll(tenures: readonly Draft[]): Draft {
  return {
    macs: [...new Set(tenures.flatMap((tenure) => tenure.macs))],
    start: Math.min(...tenures.map((tenure) => tenure.start)),
    end: Math.max(...tenures.map((tenure) => tenure.end)),
    testimonies: tenures.flatMap((tenure) => tenure.testimonies),
  };
}

/** The tenure that holds at a time, by index; -1 before the first one. */
export function tenureAt(tenures: readonly Tenure[], time: number): number {
  let index = -1;
  while (index + 1 < tenures.length && (tenures[index + 1]?.start ?? Infinity) <= time) index++;
  return index;
}

function byTimeThenMac(a: Testimony, b: Testimony): number {
  return a.first - b.first || a.mac - b.mac || a.last - b.last;
}
