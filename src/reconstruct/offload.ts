/**
 * When a flow was offloaded, from what conntrack showed: events say it to the moment, snapshots give bounds.
 *
 * The kernel delivers the cached ASSURED or SEEN_REPLY event of the packet that triggered the offload after the flag was
 * set (nf_conntrack_core.c, nft_flow_offload.c), so an UPDATE with [OFFLOAD] marks the beginning; the end has no event.
 */

import type { CaptureSource, ConntrackSource } from '../model.js';
import type { ConntrackEntry, ConntrackStore, EntryEvent, Snapshot } from './conntrack-store.js';

/** A moment that is known between two bounds; ns since the analysis epoch. */
export interface Moment {
  /** The best guess: that of an event, else the later bound. */
  readonly time: number;
  readonly earliest: number;
  readonly latest: number;
  /** As `Moment` of the analysis: conntrack says the first three, logs the fourth, captures the rest. */
  readonly source: ConntrackSource | CaptureSource;
  readonly origin: { readonly input: number; readonly line?: number; readonly frame?: number };
}

export interface OffloadSpan {
  readonly kind: 'software' | 'hardware' | 'inferred';
  readonly from: Moment;
  /** Missing when nothing shows its end. */
  readonly to?: Moment;
  /** The last time that something showed it; ns since the analysis epoch. */
  readonly shown: number;
}

interface Sighting {
  readonly time: number;
  readonly flag: 'none' | OffloadSpan['kind'];
  /** A dump is printed at its clock line or later: before the clock line of the next one. */
  readonly latest: number;
  readonly byEvent: boolean;
  readonly origin: Moment['origin'];
}

/** An event is stamped when the tool prints it: what it tells may be so much older (measured on a busy router). */
const PRINTING = 2.5e8;

/** The spans of time in which an entry was offloaded, in order. */
export function offloadSpans(store: ConntrackStore, entry: ConntrackEntry): OffloadSpan[] {
  const sightings = sightingsOf(store, entry);
  const spans: OffloadSpan[] = [];
  let plain = (dated(entry.made)?.time ?? -Infinity) - PRINTING;
  let open: { kind: OffloadSpan['kind']; from: Moment; last: Sighting } | undefined;
  for (const seen of sightings) {
    if (seen.flag === 'none') {
      // An event names the state at its time; only what is clearly later ends a span.
      if (open && seen.time > open.last.time) {
        spans.push({ kind: open.kind, from: open.from, to: moment(seen, open.last.time), shown: open.last.time });
        open = undefined;
      }
      plain = Math.max(plain, seen.byEvent ? seen.time - PRINTING : seen.time);
    } else if (open) {
      const kind = seen.flag === 'hardware' ? 'hardware' : open.kind;
      // The event of the packet that began it, when the dump that shows it was still being made.
      const isFirst = seen.byEvent && open.from.source === 'snapshot' && seen.time <= open.from.latest;
      open = { kind, from: isFirst ? moment(seen, plain) : open.from, last: seen };
    } else {
      open = { kind: seen.flag, from: moment(seen, plain), last: seen };
    }
  }
  if (open) {
    const to = endOf(store, entry, open.last);
    spans.push({ kind: open.kind, from: open.from, ...(to ? { to } : {}), shown: open.last.time });
  }
  return spans;
}

/**
 * Times, in order, throughout which conntrack shows an entry that is not offloaded: it was seen so at both ends. Its end is
 * none of them, as the flag is taken off before an entry is destroyed.
 */
export function plainTimes(store: ConntrackStore, entry: ConntrackEntry): { from: number; to: number }[] {
  const times: { from: number; to: number }[] = [];
  let from = dated(entry.made)?.time;
  for (const seen of sightingsOf(store, entry)) {
    if (seen.flag !== 'none') {
      from = undefined;
      continue;
    }
    if (seen.time === entry.destroyed?.time) continue;
    const to = seen.byEvent ? seen.time - PRINTING : seen.time;
    if (from === undefined || from > seen.time) from = seen.time;
    const last = times.at(-1);
    if (last?.from === from) last.to = Math.max(last.to, to);
    else times.push({ from, to: Math.max(from, to) });
  }
  return times;
}

function sightingsOf(store: ConntrackStore, entry: ConntrackEntry): Sighting[] {
  const sightings: Sighting[] = [];
  for (const run of entry.flags) {
    if (run.flag === 'unknown' || Number.isNaN(run.first)) continue;
    const { flag, origin, byEvent, first, last } = run;
    const latest = (time: number): number => nextSnapshot(store, origin.input, time)?.time ?? time;
    sightings.push({ flag, origin, time: first, latest: byEvent ? first : latest(first), byEvent });
    if (last > first) sightings.push({ flag, origin, time: last, latest: latest(last), byEvent: false });
  }
  return sightings.sort((a, b) => a.time - b.time);
}

function moment(seen: Sighting, earliest: number): Moment {
  return {
    time: seen.latest,
    earliest: Math.min(earliest, seen.latest),
    latest: seen.latest,
    source: seen.byEvent ? 'event' : 'snapshot',
    origin: seen.origin,
  };
}

/** Events are printed without a time when nobody asks for one. */
function dated(event: EntryEvent | undefined): EntryEvent | undefined {
  return event && !Number.isNaN(event.time) ? event : undefined;
}

/** The entry was destroyed, or the next snapshot lacks it. */
function endOf(store: ConntrackStore, entry: ConntrackEntry, last: Sighting): Moment | undefined {
  const destroyed = dated(entry.destroyed);
  if (destroyed) {
    return {
      time: destroyed.time,
      earliest: last.time,
      latest: destroyed.time,
      source: 'destroyed',
      origin: destroyed.origin,
    };
  }
  const next = nextSnapshot(store, last.origin.input, last.time);
  if (!next) return undefined;
  // The dump that lacks it was printed before the one after it.
  const latest = nextSnapshot(store, next.input, next.time)?.time ?? next.time;
  return { time: latest, earliest: last.time, latest, source: 'snapshot', origin: last.origin };
}

/** The next dump of an input after a time. */
function nextSnapshot(store: ConntrackStore, input: number, time: number): Snapshot | undefined {
  let best: Snapshot | undefined;
  for (const snapshot of store.snapshots) {
    const isLater = snapshot.input === input && snapshot.time > time;
    if (isLater && (!best || snapshot.time < best.time)) best = snapshot;
  }
  return best;
}
