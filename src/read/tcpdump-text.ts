/**
 * Text that `tcpdump` printed, as people paste it: a capture whose frames are numbered by their lines.
 *
 * Time of day without a date is counted from 1970-01-01, a time without a zone is read as UTC, and both is said.
 */

import { FrameBatch, Link } from '../records/frame-batch.js';
import { BATCH_SIZE, type CaptureInterface } from '../records/packet-batch.js';
import type { Command } from './command-line.js';
import type { LineReader, Section } from './section.js';
import { splitLineStart, type CookedColumn, type PrintedTime } from './tcpdump-line.js';
import { readCooked, readEthernet, readPlain } from './tcpdump-link.js';
import { readAddresses, readNetwork } from './tcpdump-packet.js';
import { emptyPrintedFrame, writeFrame, type PrintedFrame } from './tcpdump-row.js';
import { readDetailLine } from './tcpdump-transport.js';

export function tcpdumpTextReader(): LineReader {
  const capture = new PrintedCapture();
  return {
    id: 'tcpdump',
    line: (line, section) => capture.line(line, section),
    finish: (section) => capture.end(section),
  };
}

const DAY = 86_400_000_000_000;
const LINK_TYPES: ReadonlyMap<string, number> = new Map([
  ['EN10MB', 1],
  ['RAW', 101],
  ['LINUX_SLL', 113],
  ['LINUX_SLL2', 276],
  ['NULL', 0],
  ['PPP', 9],
]);
const MAX_INTERFACES = 64;

class PrintedCapture {
  private readonly batch = new FrameBatch();
  private readonly interfaces = new Map<string, number>();
  /** The device of the last banner and its link type. */
  private device: string | undefined;
  private linkType: string | undefined;
  private banners = 0;
  /** A banner `reading from file`: interface names were resolved on another machine. */
  private fromFile = false;
  private pending: PrintedFrame | undefined;
  private frames = 0;
  /** Days from 1970 to the first packet, and ns from that midnight to the present day's. */
  private firstDay = 0;
  private day = 0;
  private before = NaN;
  private deltas = false;
  /** Between a banner or a frame and the next text of another format. */
  private active = false;
  private timed = false;
  private sinceFirst = false;

  line(line: string, section: Section): boolean {
    if (this.pending?.awaitsAddresses === true) {
      const next = readAddresses(line, this.pending);
      if (next !== 'none') {
        if (next === 'names') sayNames(section);
        return true;
      }
    } else if (this.pending && readDetailLine(line, this.pending)) return true;
    // Details and payload below a packet: whatever they say, they are part of it.
    if (this.pending && section.indented && splitLineStart(line).time.form === 'none') return true;
    if (this.banner(line)) {
      this.flush(section);
      this.active = true;
      this.timed = false;
      return true;
    }
    return this.frame(line, section);
  }

  end(section: Section): void {
    this.flush(section);
    this.active = false;
    this.timed = false;
  }

  private flush(section: Section): void {
    this.complete(section);
    if (this.batch.count === 0) return;
    section.captureSink.frames(this.batch);
    this.batch.count = 0;
  }

  private frame(line: string, section: Section): boolean {
    const { time, cooked, rest } = splitLineStart(line);
    const frame = emptyPrintedFrame();
    const withLink = cooked ? readCooked(rest, cooked, frame) : readEthernet(rest, frame);
    const packet = withLink ?? (cooked ? undefined : readPlain(rest, frame));
    const network = packet === undefined ? 'none' : readNetwork(packet, frame);
    // Without addresses of the link layer only the network layer shows that this is a line of tcpdump.
    const sure = network === 'none' ? packet !== undefined && frame.length > 0 : true;
    const named = network === 'names' && withLink === undefined && time.form === 'none';
    if (!sure || named) {
      if (!this.active || !isPacketTime(time, line)) return false;
      // A packet of a link type or protocol that is not known here: it counts, as the frames are numbered by lines.
      frame.link = Link.UNSUPPORTED;
    } else if (time.form === 'none' && this.timed) {
      // Frames within a tunnel are printed below the one that carries them, without a time.
      return true;
    }
    if (network === 'names' && !frame.redacted) sayNames(section);
    this.complete(section);
    this.active = true;
    this.timed = time.form !== 'none';
    if (frame.link === Link.PRINTED) frame.link = this.linkOf();
    frame.frame = ++this.frames;
    frame.interfaceIndex = this.interfaceOf(cooked, section);
    frame.time = this.timeOf(time, section);
    this.pending = frame;
    return true;
  }

  /** What a line without `-e` leaves of the link layer: the banner names the link type. */
  private linkOf(): number {
    if (this.linkType?.startsWith('LINUX_SLL') === true) return Link.COOKED;
    if (this.linkType === 'RAW') return Link.RAW_IP;
    return this.linkType === 'NULL' || this.linkType === 'LOOP' ? Link.LOOPBACK : Link.PRINTED;
  }

  private complete(section: Section): void {
    const { pending } = this;
    this.pending = undefined;
    if (!pending) return;
    section.frames++;
    if (pending.redacted) section.redacted++;
    if (this.batch.count === BATCH_SIZE) {
      section.captureSink.frames(this.batch);
      this.batch.count = 0;
    }
    writeFrame(pending, this.batch, section.tables.addresses);
  }

  /** `listening on br-lan, link-type EN10MB (Ethernet), snapshot length 262144 bytes`, and the lines around a capture. */
  private banner(line: string): boolean {
    const banner = /^(?:tcpdump: )?(listening on|reading from file) (.{1,200}?), link-type (\w{1,32})/.exec(line);
    if (banner) {
      this.fromFile = banner[1] === 'reading from file';
      this.device = this.fromFile ? undefined : banner[2];
      this.linkType = banner[3];
      this.banners++;
      this.before = NaN;
      this.firstDay = 0;
      this.day = 0;
      return true;
    }
    return /^(?:tcpdump: (?:verbose output suppressed|data link type)|Warning: interface names might be incorrect|\d{1,10} packets? (?:captured|received by filter|dropped by (?:kernel|interface)))/.test(
      line,
    );
  }

  private interfaceOf(cooked: CookedColumn | undefined, section: Section): number {
    const column = cooked?.name ?? (cooked?.index === undefined ? undefined : `ifindex ${cooked.index}`);
    const device = this.device ?? askedDevice(section.command);
    const key = `${this.banners} ${device ?? ''} ${column ?? ''}`;
    const known = this.interfaces.get(key);
    if (known !== undefined) return known;
    if (this.interfaces.size >= MAX_INTERFACES) return 0;
    const index = this.interfaces.size;
    this.interfaces.set(key, index);
    const linkType = LINK_TYPES.get(this.linkType ?? '') ?? (cooked ? (cooked.name === undefined ? 113 : 276) : 1);
    const description: { -readonly [K in keyof CaptureInterface]: CaptureInterface[K] } = {
      index,
      section: 0,
      idInSection: index,
      linkType,
      snapLength: 0,
      addresses: [],
      resolution: { base: 10, exponent: 6, offsetSeconds: 0n, split: false },
    };
    const name = cooked?.name === undefined ? device : this.fromFile ? undefined : cooked.name;
    if (name !== undefined && name !== 'any' && name !== '-') description.name = name;
    if (cooked?.index !== undefined) description.description = `ifindex ${cooked.index}`;
    if (cooked?.name !== undefined && this.fromFile) {
      section.say(
        'interface-names',
        'Interface names were resolved on the machine that printed the capture.',
        'They were not used.',
      );
    }
    section.captureSink.interface(description);
    return index;
  }

  private timeOf(printed: PrintedTime, section: Section): number {
    if (printed.form === 'none') return NaN;
    if (printed.form === 'absolute') {
      if (printed.local) section.sayLocalTime();
      return section.tables.epoch.relative(printed.time);
    }
    const since = Math.round(this.clockTime(printed.nanos, section));
    return section.tables.epoch.relative(BigInt(this.firstDay) * BigInt(DAY) + BigInt(since));
  }

  /** ns since the midnight before the first packet of a time of day, of a time since the first packet, or of a time since the packet before. */
  private clockTime(nanos: number, section: Section): number {
    const { before } = this;
    if (Number.isNaN(before)) {
      this.sinceFirst = nanos === 0;
      this.deltas = this.sinceFirst && section.command?.words.includes('-ttt') === true;
      if (this.sinceFirst) {
        section.say(
          'relative-time',
          'Times count from the first packet or the one before.',
          'Only their order was used.',
        );
      } else this.firstDay = dayOf(nanos, section);
      this.before = nanos;
      return this.before;
    }
    // A time since the first packet never goes back: then it is the time since the packet before.
    if (this.sinceFirst && nanos < before) this.deltas = true;
    if (this.deltas) this.before = before + nanos;
    else {
      if (!this.sinceFirst && this.day + nanos < before - DAY / 2) this.day += DAY;
      this.before = this.day + nanos;
    }
    return this.before;
  }
}

/**
 * Days from 1970 to the day that a time of day is of: the one that brings it nearest to the clock line
 * before, else to the other inputs of the analysis that were read before.
 */
function dayOf(nanos: number, section: Section): number {
  const { seconds } = section.tables.epoch;
  const near = section.time === undefined ? (seconds ?? 0) * 1e9 : Number(section.time);
  const day = Math.max(0, Math.round((near - nanos) / DAY));
  const source = section.time === undefined ? 'of the other inputs' : 'of the clock line before';
  section.say(
    'time-of-day',
    'Times are given without a date and a zone.',
    day === 0 ? 'They were read as UTC on 1970-01-01.' : `They were read as UTC, on the day ${source}.`,
  );
  return day;
}

/** The device of `tcpdump -i br-lan`, `tcpdump -eni br-lan`. */
function askedDevice(command: Command | undefined): string | undefined {
  if (command?.program !== 'tcpdump') return undefined;
  const at = command.words.findIndex((word) => /^-[a-zA-Z]{0,8}i$/.test(word) || word === '--interface');
  const device = at < 0 ? undefined : command.words[at + 1];
  return device === 'any' ? undefined : device;
}

/** tcpdump always prints a fraction of six or nine digits. */
function isPacketTime(time: PrintedTime, line: string): boolean {
  return time.form !== 'none' && /^\s*(?:\d{1,10} {2})?[\d:. -]{1,24}\.\d{6}(?:\d{3})?(?: |$)/.test(line);
}

function sayNames(section: Section): void {
  section.say(
    'host-names',
    'tcpdump printed host names in place of addresses.',
    'Those frames were counted, not judged; print with -nn.',
  );
}
