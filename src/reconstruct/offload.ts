/**
 * When a flow was offloaded, from what conntrack showed: events say it to the moment, snapshots give bounds.
 *
 * The kernel delivers the cached ASSURED or SEEN_REPLY event of the packet that triggered the offload after the flag was
 * set (nf_conntrack_core.c, nft_flow_offload.c), so an UPDATE with [OFFLOAD] marks the beginning; the end has no event.
 */

import type { FactOrigin } from '../records/facts.js';
import type { ConntrackEntry, ConntrackStore, Snapshot } from './conntrack-store.js';

/** A moment that is known between two bounds; ns since the analysis epoch. */
export interface Moment {
  /** The best guess: that of an event, else the later bound. */
  readonly time: number;
  readonly earliest: number;
  readonly latest: number;
  readonly source: 'event' | 'snapshot' | 'destroyed';
  readonly origin: FactOrigin;
}

export interface OffloadSpan {
  readonly kind: 'software' | 'hardware' | 'inferred';
  readonly from: Moment;
  /** Missing when nothing shows its end. */
  readonly to?: Moment;
}

interface Sighting {
  readonly time: number;
  readonly flag: 'none' | OffloadSpan['kind'];
  readonly byEvent: boolean;
  readonly origin: FactOrigin;
}

/** The spans of time in which an entry was offloaded, in order. */
export function offloadSpans(store: ConntrackStore, entry: ConntrackEntry): OffloadSpan[] {
  const sightings = sightingsOf(entry);
  const spans: OffloadSpan[] = [];
  let plain = entry.made?.time ?? -Infinity;
  let open: { kind: OffloadSpan['kind']; from: Moment; last: Sighting } | undefined;
  for (const seen of sightings) {
    if (seen.flag === 'none') {
      // An event names the state at its time; only what is clearly later ends a span.
      if (open && seen.time > open.last.time) {
        spans.push({ kind: open.kind, from: open.from, to: moment(seen, open.last.time) });
        open = undefined;
      }
      plain = Math.max(plain, seen.time);
    } else if (open) {
      const kind = seen.flag === 'hardware' ? 'hardware' : open.kind;
      open = { kind, from: open.from, last: seen };
    } else {
      open = { kind: seen.flag, from: moment(seen, plain), last: seen };
    }
  }
  if (open) {
    const to = endOf(store, entry, open.last);
    spans.push({ kind: open.kind, from: open.from, ...(to ? { to } : {}) });
  }
  return spans;
}

function sightingsOf(entry: ConntrackEntry): Sighting[] {
  const sightings: Sighting[] = [];
  for (const run of entry.flags) {
    if (run.flag === 'unknown' || Number.isNaN(run.first)) continue;
    const common = { flag: run.flag, origin: run.origin };
    sightings.push({ ...common, time: run.first, byEvent: run.byEvent });
    if (run.last > run.first) sightings.push({ ...common, time: run.last, byEvent: false });
  }
  return sightings.sort((a, b) => a.time - b.time);
}

function moment(seen: Sighting, earliest: number): Moment {
  return {
    time: seen.time,
    earliest: Math.min(earliest, seen.time),
    latest: seen.time,
    source: seen.byEvent ? 'event' : 'snapshot',
    origin: seen.origin,
  };
}

/** The entry was destroyed, or the next snapshot lacks it. */
function endOf(store: ConntrackStore, entry: ConntrackEntry, last: Sighting): Moment | undefined {
  const { destroyed } = entry;
  if (destroyed) {
    return {
      time: destroyed.time,
      earliest: last.time,
      latest: destroyed.time,
      source: 'destroyed',
      origin: destroyed.origin,
    };
  }
  const next = nextSnapshot(store, last);
  return next && { time: next.time, earliest: last.time, latest: next.time, source: 'snapshot', origin: last.origin };
}

function nextSnapshot(store: ConntrackStore, last: Sighting): Snapshot | undefined {
  let best: Snapshot | undefined;
  for (const snapshot of store.snapshots) {
    const isLater = snapshot.input === last.origin.input && snapshot.time > last.time;
    if (isLater && (!best || snapshot.time < best.time)) best = snapshot;
  }
  return best;
}
