/**
 * Text of routers: command outputs in any mixture, one format or many in one file, line by line.
 *
 * The format of the line before is asked first, then the others; lines that none takes are counted. Clock lines and
 * command lines divide the text into sections (snapshots). Mail quotes, code fences and escape sequences are ignored.
 */

import { AddressTable } from '../bytes/address.js';
import { LineSplitter, MAX_LINE, type LineEnd } from '../bytes/lines.js';
import { Epoch } from '../records/epoch.js';
import type { ClockFact, FactSink } from '../records/facts.js';
import type { InputDiagnostic } from '../records/packet-batch.js';
import type { TextCaptureSink } from '../records/text-capture.js';
import { arpTableReader } from './arp-table.js';
import { bridgeFdbReader } from './bridge-fdb.js';
import { parseClockLine } from './clock-line.js';
import { ipObject, parseCommandLine, printsSavedFile, type Command } from './command-line.js';
import { collectLogReader } from './collect-log.js';
import { conntrackReader } from './conntrack.js';
import { conntrackSaveReader } from './conntrack-save.js';
import { conntrackXmlReader } from './conntrack-xml.js';
import { dhcpLeasesReader } from './dhcp-leases.js';
import { ecmReader } from './ecm.js';
import { foreignTextReader } from './foreign-text.js';
import { ifconfigReader } from './ifconfig.js';
import { ipLinkReader } from './ip-link.js';
import { ipNeighReader } from './ip-neigh.js';
import { ipRouteReader } from './ip-route.js';
import { ipRuleReader } from './ip-rule.js';
import { jsonReader } from './json-text.js';
import { kernelReader } from './kernel.js';
import { logReader } from './logread.js';
import { nftReader } from './nft.js';
import { ppeReader } from './ppe.js';
import { routeTableReader } from './route-table.js';
import { Section, stateBase, type LineReader, type Mutable, type SharedTables } from './section.js';
import { tcpdumpTextReader } from './tcpdump-text.js';
import { parseCtime } from './time-text.js';
import { uciReader } from './uci.js';
import { versionsReader } from './versions.js';

/** All line formats, in the order in which they are asked. */
const LINE_READERS: readonly (() => LineReader)[] = [
  conntrackReader,
  ipNeighReader,
  ipLinkReader,
  ipRouteReader,
  ipRuleReader,
  bridgeFdbReader,
  arpTableReader,
  routeTableReader,
  ifconfigReader,
  dhcpLeasesReader,
  tcpdumpTextReader,
  foreignTextReader,
  conntrackXmlReader,
  conntrackSaveReader,
  jsonReader,
  nftReader,
  kernelReader,
  ppeReader,
  ecmReader,
  logReader,
  uciReader,
  versionsReader,
  collectLogReader,
];

/** What a text held. */
export interface TextSummary {
  readonly lines: number;
  /** Lines per reader id that took any. */
  readonly linesByReader: ReadonlyMap<string, number>;
  /** Facts per kind. */
  readonly factsByKind: ReadonlyMap<string, number>;
  /** Frames of printed captures. */
  readonly frames: number;
  /** Lines that are neither blank, clock, command nor of any format. */
  readonly unknownLines: number;
  /** Statements left out because an address in them was made unreadable. */
  readonly redacted: number;
  /** Whether anything in it is evidence: a statement, a frame, or the (empty) output of a known command. */
  readonly isEvidence: boolean;
}

export interface TextReader {
  /** Takes the next bytes, in any chunking. */
  chunk(bytes: Uint8Array): void;
  /** Takes the end of the input; emits what waits. */
  end(): TextSummary;
}

/** What a line was taken for: the id of a format's reader, or one of these. */
export type LineRole = 'blank' | 'clock' | 'command' | 'unknown' | (string & {});

/**
 * A reader of one text.
 * @param input the input's index, for the origin of facts
 * @param onLine called after each line with what it was taken for
 */
export function createTextReader(
  input: number,
  sink: FactSink & TextCaptureSink,
  tables: SharedTables,
  onLine?: (raw: string, taken: LineRole) => void,
): TextReader {
  const text = new TextState(new Section(input, sink, tables));
  const lines = new LineSplitter((line, end) => {
    const taken = text.line(line, end);
    onLine?.(line, taken);
  });
  return {
    chunk: (bytes) => lines.chunk(bytes),
    end() {
      lines.end();
      return text.end();
    },
  };
}

/**
 * Whether the beginning of a text prints packets with a time of day and no date. Such a text takes its date from inputs
 * that were read before it, so it is best read last.
 */
export function isUndatedCapture(head: Uint8Array): boolean {
  let undated = false;
  const ignore = (): void => undefined;
  const diagnostic = ({ id }: InputDiagnostic): void => {
    undated ||= id === 'time-of-day';
  };
  const sink = { fact: ignore, interface: ignore, frames: ignore, diagnostic };
  const reader = createTextReader(0, sink, { addresses: new AddressTable(), epoch: new Epoch() });
  reader.chunk(head);
  reader.end();
  return undated;
}

class TextState {
  private readonly section: Section;
  private readonly readers = LINE_READERS.map((create) => create());
  private readonly linesByReader = new Map<string, number>();
  private current: LineReader | undefined;
  private unknownLines = 0;
  private datedCommands = 0;

  constructor(section: Section) {
    this.section = section;
  }

  line(raw: string, end: LineEnd): LineRole {
    const { section } = this;
    section.line++;
    section.cut = end !== 'whole';
    if (end === 'cut') {
      section.say('line-too-long', `A line is longer than ${MAX_LINE} characters.`, 'The rest of it was left out.');
    }
    const content = bareLine(raw);
    const text = content.trim();
    section.indented = content !== '' && (content.startsWith(' ') || content.startsWith('\t'));
    if (text === '' || text.startsWith('```')) return 'blank';
    // Asked first: a fast way for the long lists that make up most text.
    if (this.current?.line(text, section) === true) this.count(this.current);
    else {
      const divider = this.divides(text);
      if (divider !== undefined) return divider;
      if (!this.other(text)) {
        section.fresh = false;
        return 'unknown';
      }
    }
    section.fresh = false;
    return this.current?.id ?? 'unknown';
  }

  end(): TextSummary {
    const { section } = this;
    this.finish();
    const known = [...section.counts].some(([kind]) => kind !== 'clock');
    return {
      lines: section.line,
      linesByReader: this.linesByReader,
      factsByKind: section.counts,
      frames: section.frames,
      unknownLines: this.unknownLines,
      redacted: section.redacted,
      isEvidence: known || section.frames > 0 || section.redacted > 0 || section.notes > 0 || this.datedCommands > 0,
    };
  }

  /** Clock lines, command lines and `Timestamp:` lines. */
  private divides(text: string): 'clock' | 'command' | undefined {
    const { section } = this;
    const clock = parseClockLine(text);
    if (clock) {
      this.startSection(clock.command);
      section.time = clock.time;
      if (clock.local && clock.time !== undefined) section.sayLocalTime();
      this.emitClock(clock.command);
      return 'clock';
    }
    if (text.startsWith('Timestamp: ')) return this.stamp(text) ? 'clock' : undefined;
    const command = parseCommandLine(text);
    if (command === undefined) return undefined;
    this.startSection(command === 'prompt' ? undefined : command);
    // What was saved is older than the clock that was read before it was printed.
    if (command !== 'prompt' && printsSavedFile(command)) section.time = undefined;
    return 'command';
  }

  private startSection(command: Command | undefined): void {
    const { section } = this;
    this.finish();
    section.snapshot++;
    section.fresh = true;
    section.command = command;
    section.stamp = undefined;
    section.monitoring = ipObject(command)?.startsWith('mo') === true;
    if (ipObject(command) !== undefined || command?.program === 'conntrack') this.datedCommands++;
  }

  private emitClock(command: Command | undefined): void {
    const { section } = this;
    if (section.time === undefined) return;
    const fact: Mutable<ClockFact> = { kind: 'clock', ...stateBase(section) };
    if (command) fact.command = command.text;
    section.emit(fact);
  }

  /** `Timestamp: Sat Nov 21 07:20:47 2026 123456 usec`, before each message of `ip -t monitor`. */
  private stamp(text: string): boolean {
    const words = text.trim().split(/\s+/);
    const time = parseCtime(words.slice(1, 6));
    const micros = Number(words[6]);
    if (!time || words[7] !== 'usec' || !(micros >= 0 && micros < 1_000_000)) return false;
    this.finish();
    this.section.stamp = time.time + BigInt(Math.floor(micros)) * 1000n;
    this.section.monitoring = true;
    this.section.sayLocalTime();
    return true;
  }

  /** A line that the current format does not take: perhaps another one does. @returns whether one did */
  private other(text: string): boolean {
    const { section } = this;
    const before = this.current;
    let finished = false;
    // The new format begins a new snapshot; what the old one still holds must come out first, in the old one.
    section.snapshot++;
    const finishOld = (): void => {
      if (finished) return;
      finished = true;
      section.snapshot--;
      before?.finish?.(section);
      section.snapshot++;
    };
    section.beforeFact = () => {
      section.beforeFact = undefined;
      finishOld();
    };
    const found = this.readers.find((reader) => reader !== before && reader.line(text, section));
    section.beforeFact = undefined;
    if (found) {
      finishOld();
      this.current = found;
      this.count(found);
    } else {
      section.snapshot--;
      this.unknownLines++;
    }
    return found !== undefined;
  }

  private finish(): void {
    this.current?.finish?.(this.section);
    this.current = undefined;
  }

  private count(reader: LineReader): void {
    this.linesByReader.set(reader.id, (this.linesByReader.get(reader.id) ?? 0) + 1);
  }
}

/** A line without mail quotes and terminal escapes. */
function bareLine(raw: string): string {
  let text = raw;
  if (text.includes(ESCAPE)) text = text.replace(ESCAPES, '');
  // Text that was copied from a page has spaces that do not break.
  if (text.includes('\u00a0')) text = text.replaceAll('\u00a0', ' ');
  if (text.startsWith('>')) text = text.replace(/^(?:> ?){1,20}/, '');
  return text;
}

const ESCAPE = '\u001b';
const BELL = '\u0007';
/** CSI sequences (ECMA-48 section 5.4), operating system commands, and two-character escapes. */
const ESCAPES = new RegExp(`${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BELL}${ESCAPE}]*${BELL}?|[@-Z^_])`, 'g');
