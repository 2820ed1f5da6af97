import type { ByteWindow } from '../bytes/window.js';
import type { Epoch } from '../records/epoch.js';
import type { CaptureOutput } from './capture-output.js';
import type { CoreWalk } from './core-walk.js';
import { Block, BLOCK_SECTION, isPacketBlock, MAX_BLOCK, ORDER_MAGIC, seemsBlock } from './pcapng-block-types.js';
import { PcapngSection } from './pcapng-section.js';
import type { RecordReader } from './record-reader.js';

/** A block as it stands in the capture. */
export interface ReadBlock {
  readonly type: number;
  /** All of it, from its type to its second length; valid until the next one. */
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;
  /** The number of the frame that it is; 0 when it is none. */
  readonly frame: number;
}

/**
 * Reads pcapng captures (draft-ietf-opsawg-pcapng): any number of sections in either byte order, all block types.
 * After a block that cannot be one it looks for the next place at which a sound block begins, and goes on there.
 */
export class PcapngReader implements RecordReader {
  private readonly window: ByteWindow;
  private readonly output: CaptureOutput;
  private readonly epoch: Epoch;
  private readonly onBlock: ((block: ReadBlock) => void) | undefined;
  private readonly core: CoreWalk | undefined;
  private littleEndian = true;
  private sections = 0;
  /** undefined in a section of a version that is not known: its blocks are passed over. */
  private section: PcapngSection | undefined;
  /** Where the search for the next sound block began, in the file; -1 while all is well. */
  private lostAt = -1;

  /** @param onBlock is given every block that was read, after it was */
  constructor(
    window: ByteWindow,
    output: CaptureOutput,
    epoch: Epoch,
    onBlock?: (block: ReadBlock) => void,
    core?: CoreWalk,
  ) {
    this.window = window;
    this.output = output;
    this.epoch = epoch;
    this.onBlock = onBlock;
    this.core = core;
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
      if (this.core && this.section && this.littleEndian && this.core.blocks() > 0) continue;
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
      if (this.onBlock) this.told(type, at, whole, this.onBlock);
      else if (type === Block.ENHANCED_PACKET) this.section?.enhancedPacket(at, at + whole - 4);
      else if (type === BLOCK_SECTION) this.sectionHeader(at, at + whole - 4);
      else this.section?.block(type, at, at + whole - 4);
    }
  }

  /** Reads a block as ever and hands it on, unless its section or what it says was left out. */
  private told(type: number, at: number, whole: number, onBlock: (block: ReadBlock) => void): void {
    const { window, output } = this;
    const { frames, interfaces } = output;
    if (type === BLOCK_SECTION) this.sectionHeader(at, at + whole - 4);
    else this.section?.block(type, at, at + whole - 4);
    const isCounted = output.frames > frames;
    const isLeftOut = isPacketBlock(type) ? !isCounted : type === Block.INTERFACE && output.interfaces === interfaces;
    if (!this.section || isLeftOut) return;
    const bytes = window.bytes.subarray(at, at + whole);
    onBlock({ type, bytes, littleEndian: this.littleEndian, frame: isCounted ? output.frames : 0 });
  }

  /** Sets the byte order of the section that begins at `at`; false when its mark is none. */
  private adoptByteOrder(at: number): boolean {
    const { view } = this.window;
    if (view.getUint32(at + 8, true) === ORDER_MAGIC) this.littleEndian = true;
    else if (view.getUint32(at + 8, false) === ORDER_MAGIC) this.littleEndian = false;
    else return false;
    return true;
  }

  /**
   * Section 4.1. Versions: 1.0, and 1.2, which some programs write for the same.
   */
  private sectionHeader(at: number, end: number): void {
    const { window, littleEndian, output } = this;
    const number = this.sections++;
    this.section = undefined;
    if (end - at < 24) {
      const what = 'A section header is too short for its fields.';
      output.damage('block-skipped', window.fileOffset(at), what, 'The section was not read.');
      return;
    }
    const major = window.view.getUint16(at + 12, littleEndian);
    const minor = window.view.getUint16(at + 14, littleEndian);
    if (major !== 1 || (minor !== 0 && minor !== 2)) {
      const what = `A section is of pcapng version ${major}.${minor}, which is not known.`;
      output.damage('capture-version', window.fileOffset(at), what, 'It was not read.');
      return;
    }
    this.section = new PcapngSection(window, output, this.epoch, number, littleEndian, this.core);
    this.core?.clear();
    this.section.header(at, end);
  }

  /** The place at `at` holds no block. */
  private lose(at: number, why: string): void {
    const { window, output } = this;
    this.lostAt = window.fileOffset(at);
    const what = `The structure of the capture breaks after frame ${output.frames}: ${why}.`;
    output.damage('bad-block', this.lostAt, what, 'The next sound block was looked for.');
    window.position = at + 4;
    // The header of a section of the other byte order is lost: its blocks are not those of the section before.
    if (this.section?.littleEndian !== this.littleEndian) this.section = undefined;
  }

  /** Moves to the next sound block. @returns bytes needed to go on, 0 when it stands at a sound block */
  private search(): number {
    const { window, output } = this;
    const { view, end } = window;
    for (let at = window.position; ; at += 4) {
      window.position = at;
      if (end - at < 12) return 12;
      const length = seemsBlock(view, at, end, this.littleEndian, this.section?.interfaceCount ?? 0);
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
