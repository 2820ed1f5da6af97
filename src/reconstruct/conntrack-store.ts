/**
 * Conntrack entries over time: one record per entry, with runs of "flag seen", "no flag" instead of one object per line,
 * so that a snapshot each second costs no more than what changes.
 */

import type { Epoch } from '../records/epoch.js';
import type { ConntrackFact, FactOrigin } from '../records/facts.js';

/** What the lines said of the offload flag, without change, from `first` to `last` (ns since the analysis epoch, NaN undated). */
interface FlagRun {
  readonly flag: ConntrackFact['offload'];
  readonly first: number;
  /** The first line was an event: it says exactly when. */
  readonly byEvent: boolean;
  readonly origin: FactOrigin;
  last: number;
}

/** When an entry began or ended, and how that is known. */
export interface EntryEvent {
  readonly time: number;
  readonly origin: FactOrigin;
}

/** A conntrack entry: one id, or one pair of tuples between NEW and DESTROY. */
export interface ConntrackEntry {
  readonly first: ConntrackFact;
  readonly protocol: number;
  id: number | undefined;
  readonly flags: FlagRun[];
  /** Strongest flag that any line showed. */
  offload: ConntrackFact['offload'];
  mark: number | undefined;
  made: EntryEvent | undefined;
  destroyed: EntryEvent | undefined;
  /** Time-out of the last line that had one, seconds. */
  timeout: number | undefined;
  /** Last time that any line showed it. */
  last: number;
}

/** A complete dump of the table: an entry that it lacks was gone. */
export interface Snapshot {
  readonly input: number;
  readonly number: number;
  readonly time: number;
}

/** Entries with the same tuples, one after the other. */
const MAX_ALIKE = 256;
const MAX_ENTRIES = 300_000;
const MAX_FLAG_RUNS = 64;
const MAX_SNAPSHOTS = 1_000_000;

export class ConntrackStore {
  readonly entries: ConntrackEntry[] = [];
  readonly snapshots: Snapshot[] = [];
  private readonly epoch: Epoch;
  /** Entries of each pair of tuples, in the order in which they were met. */
  private readonly byTuples = new Map<string, ConntrackEntry[]>();
  private lastSnapshot = '';

  constructor(epoch: Epoch) {
    this.epoch = epoch;
  }

  add(fact: ConntrackFact): void {
    const time = fact.time === undefined ? NaN : this.epoch.relative(fact.time);
    if (fact.event === 'entry') this.noteSnapshot(fact, time);
    const key = tuplesKey(fact);
    const alike = this.byTuples.get(key) ?? [];
    let entry = alike.find((candidate) => isSame(candidate, fact, time));
    if (!entry) {
      if (this.entries.length >= MAX_ENTRIES || alike.length >= MAX_ALIKE) return;
      entry = {
        first: fact,
        protocol: fact.protocol,
        id: fact.id,
        flags: [],
        offload: fact.offload,
        mark: fact.mark,
        made: undefined,
        destroyed: undefined,
        timeout: undefined,
        last: time,
      };
      this.entries.push(entry);
      this.byTuples.set(key, [...alike, entry]);
    }
    this.update(entry, fact, time);
  }

  private update(entry: ConntrackEntry, fact: ConntrackFact, time: number): void {
    const { origin } = fact;
    if (OFFLOAD_RANK[fact.offload] > OFFLOAD_RANK[entry.offload]) entry.offload = fact.offload;
    // A mark of 0 is what an entry has before anybody sets one.
    if (fact.mark !== undefined && fact.mark !== 0) entry.mark = fact.mark;
    entry.timeout = fact.timeout ?? entry.timeout;
    if (!(entry.last >= time)) entry.last = time;
    entry.id ??= fact.id;
    if (fact.event === 'new') entry.made = { time, origin };
    if (fact.event === 'destroy') entry.destroyed = { time, origin };
    // NEW is stamped when it is printed, and says how the entry began, not how it was by then.
    if (fact.offload === 'unknown' || fact.event === 'new') return;
    const run = entry.flags.at(-1);
    const isSameInput = run?.origin.input === origin.input;
    if (run && isSameInput && run.flag === fact.offload) {
      if (!(run.last >= time)) run.last = time;
    } else if (entry.flags.length < MAX_FLAG_RUNS) {
      entry.flags.push({ flag: fact.offload, first: time, byEvent: fact.event !== 'entry', origin, last: time });
    }
  }

  private noteSnapshot(fact: ConntrackFact, time: number): void {
    const key = `${fact.origin.input} ${fact.snapshot}`;
    if (key === this.lastSnapshot || Number.isNaN(time) || this.snapshots.length >= MAX_SNAPSHOTS) return;
    this.lastSnapshot = key;
    this.snapshots.push({ input: fact.origin.input, number: fact.snapshot, time });
  }
}

/** Whether a line speaks of this entry: by its id, else because the entry lived at that time. Inputs come one after the other, so times may go back. */
function isSame(entry: ConntrackEntry, fact: ConntrackFact, time: number): boolean {
  if (fact.id !== undefined && entry.id !== undefined) return fact.id === entry.id;
  if (fact.event === 'new' && entry.made && entry.made.time !== time) return false;
  if (entry.made && time < entry.made.time - SLACK) return false;
  return !(entry.destroyed && time > entry.destroyed.time + SLACK);
}

/** Events are stamped when the tool prints them. */
const SLACK = 1e8;

const OFFLOAD_RANK = { unknown: 0, none: 1, inferred: 2, software: 3, hardware: 4 } as const;

function tuplesKey(fact: ConntrackFact): string {
  const { original: o, reply: r } = fact;
  const ports = [o.srcPort ?? o.icmpId, o.dstPort, r.srcPort, r.dstPort].map((port) => port ?? '').join(' ');
  return `${fact.protocol} ${o.src} ${o.dst} ${r.src} ${r.dst} ${ports} ${fact.zone ?? o.zone ?? 0}`;
}
