import type { ByteWindow } from '../bytes/window.js';
import type { Epoch } from '../records/epoch.js';
import { NOT_A_PACKET } from '../records/packet-batch.js';
import type { CaptureOutput } from './capture-output.js';
import { commentsOf, describeInterface, readNames, statisticsOf } from './pcapng-blocks.js';
import { type BlockOption, END_OF_OPTIONS, OPTION_COMMENT, readOptions } from './pcapng-options.js';
import { Block, BLOCK_SECTION, isNumberedOnly, MAX_BLOCK, ORDER_MAGIC, seemsBlock } from './pcapng-block-types.js';
import type { RecordReader } from './record-reader.js';
import { TimeScale } from './time-scale.js';

export { BLOCK_SECTION } from './pcapng-block-types.js';

const MAX_INTERFACES = 65_536;
const OPTION_PACKET_FLAGS = 2;

/** What the packets of an interface need to know of it. */
interface SectionInterface {
  readonly index: number;
  readonly linkType: number;
  readonly snapLength: number;
  readonly scale: TimeScale;
}

/**
 * Reads pcapng captures (draft-ietf-opsawg-pcapng): any number of sections in either byte order, all block types.
 * After a block that cannot be one it looks for the next place at which a sound block begins, and goes on there.
 */
export class PcapngReader implements RecordReader {
  private readonly window: ByteWindow;
  private readonly output: CaptureOutput;
  private readonly epoch: Epoch;
  private littleEndian = true;
  private section = -1;
  /** The section is of a version that is not known: only look for the next one. */
  private foreign = false;
  private interfaces: SectionInterface[] = [];
  private interfaceCount = 0;
  /** Where the search for the next sound block began, in the file; -1 while all is well. */
  private lostAt = -1;

  constructor(window: ByteWindow, output: CaptureOutput, epoch: Epoch) {
    this.window = window;
    this.output = output;
    this.epoch = epoch;
  }

  walk(): number {
    this.output.batch.bytes = this.window.bytes;
    const need = this.walkBlocks();
    this.output.flush();
    return need;
  }

  finish(): void {
    const { window, output } = this;
    const rest = window.end - window.position;
    if (this.lostAt >= 0) {
      output.damage('no-further-block', this.lostAt, 'No sound block follows.', 'Everything before it was used.');
    } else if (rest > 0) {
      const what = `The capture ends ${rest} bytes into a block.`;
      output.damage('capture-cut-short', window.fileOffset(window.position), what, 'Everything before it was used.');
    }
  }

  private walkBlocks(): number {
    const { window } = this;
    const { view, end } = window;
    for (;;) {
      if (this.lostAt >= 0) {
        const need = this.search();
        if (need > 0) return need;
      }
      const at = window.position;
      const have = end - at;
      if (have < 12) return 12;
      const type = view.getUint32(at, this.littleEndian);
      if (type === BLOCK_SECTION && !this.adoptByteOrder(at)) {
        this.lose(at, 'a section header has no byte-order mark');
        continue;
      }
      const length = view.getUint32(at + 4, this.littleEndian);
      if (length < 12 || length > MAX_BLOCK) {
        this.lose(at, `a block claims ${length} bytes`);
        continue;
      }
      const whole = (length + 3) & ~3;
      if (have < whole) return whole;
      if (view.getUint32(at + whole - 4, this.littleEndian) !== length) {
        this.lose(at, 'the two lengths of a block differ');
        continue;
      }
      window.position = at + whole;
      if (type === Block.ENHANCED_PACKET && !this.foreign) this.enhancedPacket(at, at + whole - 4);
      else this.otherBlock(type, at, at + whole - 4);
    }
  }

  /** Sets the byte order of the section that begins at `at`; false when its mark is none. */
  private adoptByteOrder(at: number): boolean {
    const { view } = this.window;
    if (view.getUint32(at + 8, true) === ORDER_MAGIC) this.littleEndian = true;
    else if (view.getUint32(at + 8, false) === ORDER_MAGIC) this.littleEndian = false;
    else return false;
    return true;
  }

  /** Section 4.3. */
  private enhancedPacket(at: number, end: number): void {
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

  private otherBlock(type: number, at: number, end: number): void {
    if (type === BLOCK_SECTION) {
      this.sectionHeader(at, end);
      return;
    }
    if (this.foreign) return;
    switch (type) {
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

  /** Section 4.1. Major and minor version: 1.0, and 1.2 which some programs write for the same. */
  private sectionHeader(at: number, end: number): void {
    const { window, littleEndian, output } = this;
    const { view } = window;
    this.section++;
    this.interfaces = [];
    if (end - at < 24) {
      this.foreign = true;
      this.oddBlock(at, 'A section header is too short for its fields.');
      return;
    }
    const major = view.getUint16(at + 12, littleEndian);
    const minor = view.getUint16(at + 14, littleEndian);
    this.foreign = major !== 1 || (minor !== 0 && minor !== 2);
    if (this.foreign) {
      output.damage(
        'capture-version',
        window.fileOffset(at),
        `A section is of pcapng version ${major}.${minor}, which is not known.`,
        'It was not read.',
      );
      return;
    }
    this.comments(this.options(at + 24, end), 0);
  }

  /** Section 4.2. */
  private interfaceDescription(at: number, end: number): void {
    const { window, littleEndian, output } = this;
    if (end - at < 16) {
      this.oddBlock(at, 'An Interface Description Block is too short for its fields.');
      return;
    }
    if (this.interfaceCount >= MAX_INTERFACES) {
      this.oddBlock(at, `There are more than ${MAX_INTERFACES} interfaces.`);
      return;
    }
    const index = this.interfaceCount++;
    const linkType = window.view.getUint16(at + 8, littleEndian);
    const snapLength = window.view.getUint32(at + 12, littleEndian);
    const options = this.options(at + 16, end);
    const position = { index, section: this.section, idInSection: this.interfaces.length, linkType, snapLength };
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
    batch.time[rows] = stamp < 0 ? NaN : source.scale.time(high, low);
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
    readNames(window.view, at + 8, end, littleEndian, (address, names) => output.sink.name(address, names));
  }

  /** Section 4.6. */
  private statistics(at: number, end: number): void {
    const { window, output, littleEndian } = this;
    if (end - at < 20) return;
    const source = this.interfaces[window.view.getUint32(at + 8, littleEndian)];
    if (!source) return;
    const { received, dropped } = statisticsOf(this.options(at + 20, end), littleEndian);
    output.flush();
    output.sink.statistics(source.index, received, dropped);
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

  /** The place at `at` holds no block. */
  private lose(at: number, why: string): void {
    const { window, output } = this;
    this.lostAt = window.fileOffset(at);
    const what = `The structure of the capture breaks after frame ${output.frames}: ${why}.`;
    output.damage('bad-block', this.lostAt, what, 'The next sound block was looked for.');
    window.position = at + 4;
  }

  /** Moves to the next sound block. @returns bytes needed to go on, 0 when it stands at a sound block */
  private search(): number {
    const { window, output } = this;
    const { view, end } = window;
    for (let at = window.position; ; at += 4) {
      window.position = at;
      if (end - at < 12) return 12;
      const length = seemsBlock(view, at, end, this.littleEndian, this.interfaces.length);
      if (length === 0) continue;
      if (length > end - at && !window.ended) return length;
      if (length > end - at || !this.soundBlock(at, length)) continue;
      output.diagnostic(
        'reading-resumed',
        window.fileOffset(at),
        'A sound block begins here.',
        'Reading went on; packets between the damage and here are lost, and frame numbers do not count them.',
      );
      this.lostAt = -1;
      return 0;
    }
  }

  private soundBlock(at: number, length: number): boolean {
    const { view } = this.window;
    const first = view.getUint32(at + 4, true);
    return first === view.getUint32(at + length - 4, true);
  }
}
