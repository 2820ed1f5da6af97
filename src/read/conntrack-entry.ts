/** A conntrack entry while it is being read, whatever its text form, and the fact that it becomes. */

import type { ConntrackFact, ConntrackTuple } from '../records/facts.js';
import type { Mutable, StatementBase } from './section.js';

/** One direction; -1 stands for a number that was not given, undefined for an address that is none. */
export interface TupleText {
  src: string | undefined;
  dst: string | undefined;
  hasDst: boolean;
  srcPort: number;
  dstPort: number;
  icmpType: number;
  icmpCode: number;
  icmpId: number;
  srcKey: number;
  dstKey: number;
  zone: number;
  packets: number;
  bytes: number;
}

export interface ConntrackEntry {
  time: bigint | undefined;
  event: ConntrackFact['event'];
  protocol: number;
  timeout: number;
  state: string | undefined;
  original: TupleText;
  reply: TupleText;
  /** Tuples begun. */
  tuples: number;
  unreplied: boolean;
  assured: boolean;
  offload: 'software' | 'hardware' | undefined;
  mark: number;
  zone: number;
  id: number;
  age: number;
  use: number;
  helper: string | undefined;
  labels: string | undefined;
  /** Free words may follow. */
  labelled: boolean;
  /** The last word read belongs to a tuple. */
  endsInTuple: boolean;
}

/** An entry of which nothing has been read yet. */
export function emptyEntry(): ConntrackEntry {
  return {
    time: undefined,
    event: 'entry',
    protocol: 0,
    timeout: -1,
    state: undefined,
    original: emptyTuple(),
    reply: emptyTuple(),
    tuples: 0,
    unreplied: false,
    assured: false,
    offload: undefined,
    mark: -1,
    zone: -1,
    id: -1,
    age: -1,
    use: -1,
    helper: undefined,
    labels: undefined,
    labelled: false,
    endsInTuple: false,
  };
}

/** How a text form that prints flags tells offload. Old tools know no such flag; then time-out and state lack alike. */
export function offloadOf(entry: ConntrackEntry): ConntrackFact['offload'] {
  if (entry.offload !== undefined) return entry.offload;
  if (entry.timeout >= 0 || entry.event === 'destroy' || entry.event === 'new') return 'none';
  if (entry.event === 'update') return 'unknown';
  return lacksAsOffloaded(entry) ? 'inferred' : 'none';
}

/** Time-out and state are missing, of a protocol that a flowtable takes. */
export function lacksAsOffloaded(entry: ConntrackEntry): boolean {
  return entry.timeout < 0 && entry.state === undefined && OFFLOADABLE.has(entry.protocol);
}

/** TCP, UDP, GRE (Linux net/netfilter/nft_flow_offload.c). */
const OFFLOADABLE = new Set([6, 17, 47]);

export function toFact(
  entry: ConntrackEntry,
  base: StatementBase,
  original: ConntrackTuple,
  reply: ConntrackTuple,
  event: ConntrackFact['event'],
  offload: ConntrackFact['offload'],
): ConntrackFact {
  const fact: Mutable<ConntrackFact> = {
    kind: 'conntrack',
    origin: base.origin,
    dated: base.dated,
    snapshot: base.snapshot,
    event,
    family: original.src.includes(':') ? 6 : 4,
    protocol: entry.protocol,
    original,
    reply,
    unreplied: entry.unreplied,
    assured: entry.assured,
    offload,
  };
  if (base.time !== undefined) fact.time = base.time;
  if (base.partial) fact.partial = true;
  if (entry.timeout >= 0) fact.timeout = entry.timeout;
  if (entry.state !== undefined) fact.state = entry.state;
  if (entry.mark >= 0) fact.mark = entry.mark;
  if (entry.zone >= 0) fact.zone = entry.zone;
  if (entry.id >= 0) fact.id = entry.id;
  if (entry.age >= 0) fact.age = entry.age;
  if (entry.use >= 0) fact.use = entry.use;
  if (entry.helper !== undefined) fact.helper = entry.helper;
  if (entry.labels !== undefined) fact.labels = entry.labels;
  return fact;
}

/** @returns undefined when an address is missing or unreadable */
export function tupleOf(text: TupleText): ConntrackTuple | undefined {
  if (text.src === undefined || text.dst === undefined) return undefined;
  const tuple: Mutable<ConntrackTuple> = { src: text.src, dst: text.dst };
  if (text.srcPort >= 0) tuple.srcPort = text.srcPort;
  if (text.dstPort >= 0) tuple.dstPort = text.dstPort;
  if (text.icmpType >= 0) tuple.icmpType = text.icmpType;
  if (text.icmpCode >= 0) tuple.icmpCode = text.icmpCode;
  if (text.icmpId >= 0) tuple.icmpId = text.icmpId;
  if (text.srcKey >= 0) tuple.srcKey = text.srcKey;
  if (text.dstKey >= 0) tuple.dstKey = text.dstKey;
  if (text.zone >= 0) tuple.zone = text.zone;
  if (text.packets >= 0) tuple.packets = text.packets;
  if (text.bytes >= 0) tuple.bytes = text.bytes;
  return tuple;
}

function emptyTuple(): TupleText {
  return {
    src: undefined,
    dst: undefined,
    hasDst: false,
    srcPort: -1,
    dstPort: -1,
    icmpType: -1,
    icmpCode: -1,
    icmpId: -1,
    srcKey: -1,
    dstKey: -1,
    zone: -1,
    packets: -1,
    bytes: -1,
  };
}
