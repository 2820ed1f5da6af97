/**
 * Where a reader of lines stands in its text: the line, the command that printed it, the time that the last clock line
 * gave. All line readers of one text share one `Section`.
 */

import type { AddressTable } from '../bytes/address.js';
import type { Epoch } from '../records/epoch.js';
import type { Fact, FactOrigin, FactSink } from '../records/facts.js';
import type { TextCaptureSink } from '../records/text-capture.js';
import type { Command } from './command-line.js';

/** One text format, read line by line. One object per text: it may hold what a statement over several lines needs. */
export interface LineReader {
  readonly id: string;
  /**
   * Takes one line, trimmed of what surrounds it (mail quotes, escape sequences), without line break.
   * @returns false when the line is not of this format; then nothing may have been emitted or remembered
   */
  line(text: string, section: Section): boolean;
  /** The run of lines of this format is over (another format, a clock line, the end): emits what waits. */
  finish?(section: Section): void;
}

/** The tables that number the addresses and times of frames, shared by all inputs of an analysis. */
export interface SharedTables {
  readonly addresses: AddressTable;
  readonly epoch: Epoch;
}

export class Section {
  readonly input: number;
  readonly tables: SharedTables;
  /** From 1. */
  line = 0;
  /** The line began with white space: it may belong to the one before. */
  indented = false;
  /** No line was read since the beginning, a clock line or a command line. */
  fresh = true;
  /** The line had no line break: it may be cut. */
  cut = false;
  command: Command | undefined;
  /** Absolute ns of the last clock line. */
  time: bigint | undefined;
  /** Absolute ns of the last `Timestamp:` line of a monitor. */
  stamp: bigint | undefined;
  /** The lines are events of a monitor, not a state. */
  monitoring = false;
  snapshot = 0;
  /** Statements left out because an address in them was made unreadable. */
  redacted = 0;
  frames = 0;
  /** Notes of the collector about what it could not collect. */
  notes = 0;
  readonly counts = new Map<string, number>();
  /** Called before the first fact of a line, so that an earlier format can first emit what waits. */
  beforeFact: (() => void) | undefined;

  private readonly sink: FactSink & TextCaptureSink;
  private readonly said = new Set<string>();

  constructor(input: number, sink: FactSink & TextCaptureSink, tables: SharedTables) {
    this.input = input;
    this.sink = sink;
    this.tables = tables;
  }

  get captureSink(): TextCaptureSink {
    return this.sink;
  }

  origin(): FactOrigin {
    return { input: this.input, line: this.line };
  }

  emit(fact: Fact): void {
    if (this.beforeFact) this.beforeFact();
    this.counts.set(fact.kind, (this.counts.get(fact.kind) ?? 0) + 1);
    this.sink.fact(fact);
  }

  /** Says something about the current line, once per text and id (or key, where an id has several things to say). */
  say(id: string, what: string, action: string, key = id): void {
    if (this.said.has(key)) return;
    this.said.add(key);
    this.sink.diagnostic({ id, line: this.line, what, action });
  }

  /** The text names a local time and no zone: said once, unless its command was told to print UTC. */
  sayLocalTime(): void {
    if (this.command && /^TZ=UTC0? /.test(this.command.text)) return;
    this.say('local-time', 'Times are given without a time zone.', 'They were read as UTC.');
  }
}

/** What all facts of one statement share. */
export interface StatementBase {
  origin: FactOrigin;
  time?: bigint;
  dated: 'event' | 'snapshot';
  snapshot: number;
  partial?: true;
}

/** A statement about a state, dated by the clock line before it. */
export function stateBase(section: Section): StatementBase {
  const base: StatementBase = { origin: section.origin(), dated: 'snapshot', snapshot: section.snapshot };
  if (section.time !== undefined) base.time = section.time;
  if (section.command?.partial) base.partial = true;
  return base;
}

/** The same of a line with a time of its own, which says nothing of what other lines lack. */
export function stampedBase(section: Section, time: bigint | undefined): StatementBase {
  const base = stateBase(section);
  return time === undefined ? base : { ...base, time, partial: true };
}

/** A statement about a change at `time`, if that is known. */
export function changeBase(section: Section, time: bigint | undefined): StatementBase {
  const base: StatementBase = { origin: section.origin(), dated: 'event', snapshot: section.snapshot };
  if (time !== undefined) base.time = time;
  return base;
}

/** The same type with its properties open for assignment while a fact is being made. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };
