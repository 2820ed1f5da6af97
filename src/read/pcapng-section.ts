import type { ByteWindow } from '../bytes/window.js';
import type { Epoch } from '../records/epoch.js';
import { NOT_A_PACKET } from '../records/packet-batch.js';
import type { CaptureOutput } from './capture-output.js';
import type { CoreWalk } from './core-walk.js';
import { Block, isNumberedOnly } from './pcapng-block-types.js';
import { commentsOf, describeInterface, readNames, statisticsOf } from './pcapng-blocks.js';
import {
  type BlockOption,
  END_OF_OPTIONS,
  OPTION_COMMENT,
  OPTION_PACKET_FLAGS,
  readOptions,
} from './pcapng-options.js';
import { TimeScale } from './time-scale.js';

const MAX_INTERFACES = 65_536;

/** What the packets of an interface need to know of it. */
interface SectionInterface {
  readonly index: number;
  readonly linkType: number;
  readonly snapLength: number;
  readonly scale: TimeScale;
}

/**
 * One section of a pcapng capture: its interfaces, and what its blocks say. A block is named by the offsets in the
 * window of its beginning and of its trailing length; section numbers are those of draft-ietf-opsawg-pcapng.
 */
export class PcapngSection {
  readonly littleEndian: boolean;
  private readonly window: ByteWindow;
  private readonly output: CaptureOutput;
  private readonly epoch: Epoch;
  private readonly number: number;
  private readonly core: CoreWalk | undefined;
  private readonly interfaces: SectionInterface[] = [];

  constructor(
    window: ByteWindow,
    output: CaptureOutput,
    epoch: Epoch,
    number: number,
    littleEndian: boolean,
    core?: CoreWalk,
  ) {
    this.core = core;
    this.window = window;
    this.output = output;
    this.epoch = epoch;
    this.number = number;
    this.littleEndian = littleEndian;
  }

  /** Interfaces described so far. */
  get interfaceCount(): number {
    return this.interfaces.length;
  }

  /** Section 4.1: the options of the section's header. */
  header(at: number, end: number): void {
    this.comments(this.options(at + 24, end), 0);
  }

  /** Any block but a section header; unknown ones are passed over. */
  block(type: number, at: number, end: number): void {
    switch (type) {
      case Block.ENHANCED_PACKET:
        this.enhancedPacket(at, end);
        break;
      case Block.INTERFACE:
        this.interfaceDescription(at, end);
        break;
      case Block.PACKET:
        this.obsoletePacket(at, end);
        break;
      case Block.SIMPLE_PACKET:
        this.simplePacket(at, end);
        break;
      case Block.NAMES:
        this.names(at, end);
        break;
      case Block.STATISTICS:
        this.statistics(at, end);
        break;
      default:
        if (isNumberedOnly(type)) this.notAPacket(at);
    }
  }

  /** Section 4.3. */
  enhancedPacket(at: number, end: number): void {
    const { window, littleEndian } = this;
    const { view } = window;
    if (end - at < 28) {
      this.oddBlock(at, 'An Enhanced Packet Block is too short for its fields.');
      return;
    }
    const captured = view.getUint32(at + 20, littleEndian);
    const interfaceId = view.getUint32(at + 8, littleEndian);
    this.packet(at, end, interfaceId, at + 12, captured, view.getUint32(at + 24, littleEndian), at + 28);
  }

  /** Section 4.2. */
  private interfaceDescription(at: number, end: number): void {
    const { window, littleEndian, output } = this;
    if (end - at < 16) {
      this.oddBlock(at, 'An Interface Description Block is too short for its fields.');
      return;
    }
    if (output.interfaces >= MAX_INTERFACES) {
      this.oddBlock(at, `There are more than ${MAX_INTERFACES} interfaces.`);
      return;
    }
    const index = output.interfaces;
    const linkType = window.view.getUint16(at + 8, littleEndian);
    const snapLength = window.view.getUint32(at + 12, littleEndian);
    const options = this.options(at + 16, end);
    const position = { index, section: this.number, idInSection: this.interfaces.length, linkType, snapLength };
    const description = describeInterface(position, options, littleEndian);
    this.interfaces.push({ index, linkType, snapLength, scale: new TimeScale(description.resolution, this.epoch) });
    output.interface(description);
    this.comments(options, 0);
  }

  /** Section 4.4: the whole block is the packet; interface 0, no time. */
  private simplePacket(at: number, end: number): void {
    const { window, littleEndian } = this;
    const room = end - at - 12;
    if (room < 0) {
      this.oddBlock(at, 'A Simple Packet Block is too short for its fields.');
      return;
    }
    const original = window.view.getUint32(at + 8, littleEndian);
    const snapLength = this.interfaces[0]?.snapLength ?? 0;
    const captured = snapLength > 0 ? Math.min(original, snapLength) : original;
    this.packet(at, end, 0, -1, captured, original, at + 12);
  }

  /** Appendix A: the obsolete Packet Block. */
  private obsoletePacket(at: number, end: number): void {
    const { window, littleEndian } = this;
    const { view } = window;
    if (end - at < 28) {
      this.oddBlock(at, 'A Packet Block is too short for its fields.');
      return;
    }
    const captured = view.getUint32(at + 20, littleEndian);
    const interfaceId = view.getUint16(at + 8, littleEndian);
    this.packet(at, end, interfaceId, at + 12, captured, view.getUint32(at + 24, littleEndian), at + 28);
  }

  /** A row for the packet whose data begin at `data`; its time stamp stands at `stamp`, or nowhere when that is -1. */
  private packet(
    at: number,
    end: number,
    interfaceId: number,
    stamp: number,
    captured: number,
    original: number,
    data: number,
  ): void {
    const { window, output, littleEndian } = this;
    const { view } = window;
    const source = this.interfaces[interfaceId];
    if (!source) {
      this.oddBlock(at, `A packet names interface ${interfaceId}, which its section does not describe.`);
      return;
    }
    if (captured > end - data) {
      this.oddBlock(at, `A packet claims ${captured} bytes, its block has room for ${end - data}.`);
      return;
    }
    const { batch, rows } = output;
    const high = stamp < 0 ? 0 : view.getInt32(stamp, littleEndian);
    const low = stamp < 0 ? 0 : view.getInt32(stamp + 4, littleEndian);
    batch.offset[rows] = data;
    batch.capturedLength[rows] = captured;
    batch.originalLength[rows] = original;
    batch.interfaceIndex[rows] = source.index;
    batch.linkType[rows] = source.linkType;
    batch.frame[rows] = output.frames + 1;
    if (stamp < 0) batch.time[rows] = NaN;
    else {
      source.scale.put(batch.time, rows, high, low);
      this.core?.setInterface(interfaceId, source.index, source.linkType, source.scale);
    }
    batch.ticksHigh[rows] = high;
    batch.ticksLow[rows] = low;
    batch.flags[rows] = 0;
    batch.hasFlags[rows] = 0;
    batch.fileOffset[rows] = window.fileOffset(at);
    const options = data + ((captured + 3) & ~3);
    const remarks = stamp >= 0 && end - options >= 4 && this.packetOptions(options, end);
    output.rowDone();
    if (remarks) this.packetRemarks(at, options, end);
  }

  /** Sets the flags of the row being filled. @returns whether the options hold more that is of interest */
  private packetOptions(at: number, end: number): boolean {
    const { window, output, littleEndian } = this;
    const { view } = window;
    let remarks = false;
    while (end - at >= 4) {
      const code = view.getUint16(at, littleEndian);
      const length = view.getUint16(at + 2, littleEndian);
      if (code === END_OF_OPTIONS) break;
      if (length > end - at - 4) return true;
      if (code === OPTION_COMMENT) remarks = true;
      else if (code === OPTION_PACKET_FLAGS && length === 4) {
        output.batch.flags[output.rows] = view.getInt32(at + 4, littleEndian);
        output.batch.hasFlags[output.rows] = 1;
      }
      at += 4 + ((length + 3) & ~3);
    }
    return remarks;
  }

  /** Gives the comments of the last packet, and says what is wrong with its options. */
  private packetRemarks(block: number, at: number, end: number): void {
    const { options, brokenAt } = readOptions(this.window.view, at, end, this.littleEndian);
    this.comments(options, this.output.frames);
    if (brokenAt !== undefined) this.oddOptions(block);
  }

  private comments(options: readonly BlockOption[], frame: number): void {
    const { output } = this;
    for (const text of commentsOf(options)) {
      output.flush();
      output.sink.comment(text, frame);
    }
  }

  /** A row for a block that Wireshark numbers although it is no packet. */
  private notAPacket(at: number): void {
    const { window, output } = this;
    const { batch, rows } = output;
    batch.offset[rows] = at;
    batch.capturedLength[rows] = 0;
    batch.originalLength[rows] = 0;
    batch.interfaceIndex[rows] = 0;
    batch.linkType[rows] = NOT_A_PACKET;
    batch.frame[rows] = output.frames + 1;
    batch.time[rows] = NaN;
    batch.ticksHigh[rows] = 0;
    batch.ticksLow[rows] = 0;
    batch.flags[rows] = 0;
    batch.hasFlags[rows] = 0;
    batch.fileOffset[rows] = window.fileOffset(at);
    output.rowDone();
  }

  /** Section 4.5. */
  private names(at: number, end: number): void {
    const { window, output, littleEndian } = this;
    output.flush();
    const list = readNames(window.view, at + 8, end, littleEndian, (address, names) => {
      output.sink.name(address, names);
    });
    if (list.broken) {
      const what = 'A name record is longer than its block.';
      output.diagnostic('bad-name', window.fileOffset(list.at), what, 'The names from it on were ignored.');
    } else {
      this.comments(this.options(list.at, end), 0);
    }
  }

  /** Section 4.6. */
  private statistics(at: number, end: number): void {
    const { window, output, littleEndian } = this;
    if (end - at < 20) return;
    const source = this.interfaces[window.view.getUint32(at + 8, littleEndian)];
    if (!source) return;
    const options = this.options(at + 20, end);
    const { received, dropped } = statisticsOf(options, littleEndian);
    output.flush();
    output.sink.statistics(source.index, received, dropped);
    this.comments(options, 0);
  }

  private options(at: number, end: number): readonly BlockOption[] {
    const { options, brokenAt } = readOptions(this.window.view, at, end, this.littleEndian);
    if (brokenAt !== undefined) this.oddOptions(brokenAt);
    return options;
  }

  private oddOptions(at: number): void {
    this.output.diagnostic(
      'bad-option',
      this.window.fileOffset(at),
      'An option is longer than its block.',
      'The options from it on were ignored, the block was used.',
    );
  }

  /** A block that is sound as a block, but not in what it says. */
  private oddBlock(at: number, what: string): void {
    this.output.damage('block-skipped', this.window.fileOffset(at), what, 'The block was skipped.');
  }
}
