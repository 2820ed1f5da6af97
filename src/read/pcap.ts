import type { ByteWindow } from '../bytes/window.js';
import type { Epoch } from '../records/epoch.js';
import type { TimeResolution } from '../records/packet-batch.js';
import type { CaptureOutput } from './capture-output.js';
import type { CoreWalk } from './core-walk.js';
import { maximumPacketLength, type RecordReader } from './record-reader.js';
import { TimeScale } from './time-scale.js';

const FILE_HEADER = 24;

/** Records of zeros in a row, which are packets of no bytes at no time, before the rest is taken for an unwritten file. */
const MAX_ZEROS = 1024;

/** Values of the magic number read little-endian (draft-ietf-opsawg-pcap section 4; libpcap for the modified one). */
const Magic = {
  MICROSECONDS: 0xa1b2c3d4,
  MICROSECONDS_SWAPPED: 0xd4c3b2a1,
  NANOSECONDS: 0xa1b23c4d,
  NANOSECONDS_SWAPPED: 0x4d3cb2a1,
  /** Alexey Kuznetzov's patched libpcap: record headers hold interface, protocol and packet type too. */
  MODIFIED: 0xa1b2cd34,
  MODIFIED_SWAPPED: 0x34cdb2a1,
} as const;

/** @param magic the first four bytes, read little-endian */
export function isPcapMagic(magic: number): boolean {
  return Object.values(Magic).some((known) => known === magic);
}

/**
 * Reads classic capture files (draft-ietf-opsawg-pcap): micro- and nanoseconds, both byte orders, and the modified
 * record header. A record that cannot be one ends the reading: the format has no mark by which to find the next one.
 */
export class PcapReader implements RecordReader {
  private readonly window: ByteWindow;
  private readonly output: CaptureOutput;
  private readonly epoch: Epoch;
  private littleEndian = true;
  private readonly core: CoreWalk | undefined;
  private started = false;
  private stopped = false;
  private modified = false;
  /** Captured and original length stand in the other order: always, or where they make no sense otherwise. */
  private lengthsSwapped: 'no' | 'yes' | 'maybe' = 'no';
  private zeros = 0;
  private linkType = 0;
  private maximumLength = 0;
  private scale: TimeScale | undefined;

  constructor(window: ByteWindow, output: CaptureOutput, epoch: Epoch, core?: CoreWalk) {
    this.window = window;
    this.output = output;
    this.epoch = epoch;
    this.core = core;
  }

  walk(): number {
    if (this.stopped) return 0;
    if (!this.started) {
      if (this.window.end - this.window.position < FILE_HEADER) return FILE_HEADER;
      if (!this.readFileHeader()) return 0;
    }
    return this.walkRecords();
  }

  finish(): void {
    const { window, output } = this;
    const rest = window.end - window.position;
    if (this.stopped || rest === 0) return;
    const what = this.started
      ? `The capture ends ${rest} bytes into the record of frame ${output.frames + 1}.`
      : `The capture ends within its file header, after ${rest} bytes.`;
    output.damage('capture-cut-short', window.fileOffset(window.position), what, 'Everything before it was used.');
  }

  /** @returns whether records of a known form follow */
  private readFileHeader(): boolean {
    const { window, output } = this;
    const { view, position } = window;
    const magic = view.getUint32(position, true);
    const littleEndian = magic === Magic.MICROSECONDS || magic === Magic.NANOSECONDS || magic === Magic.MODIFIED;
    const nanoseconds = magic === Magic.NANOSECONDS || magic === Magic.NANOSECONDS_SWAPPED;
    const major = view.getUint16(position + 4, littleEndian);
    const minor = view.getUint16(position + 6, littleEndian);
    const network = view.getUint32(position + 20, littleEndian);
    this.littleEndian = littleEndian;
    this.modified = magic === Magic.MODIFIED || magic === Magic.MODIFIED_SWAPPED;
    if (major < 2) {
      this.stop(
        'capture-version',
        position + 4,
        `The capture is of pcap version ${major}.${minor}, which is not known.`,
      );
      return false;
    }
    // As libpcap has it: written by libpcap before 0.4, by either, and by DG/UX tcpdump.
    if (major === 543 || (major === 2 && minor < 3)) this.lengthsSwapped = 'yes';
    else if (major === 2 && minor === 3) this.lengthsSwapped = 'maybe';
    // The upper bits: length of the frame check sequence in 16-bit words if bit 26 is set, and reserved ones.
    const fcsLength = (network & 0x0400_0000) !== 0 ? (network >>> 28) * 2 : undefined;
    this.linkType = network & 0xffff;
    this.maximumLength = maximumPacketLength(this.linkType);
    if ((network & 0x0bff_0000) !== 0) {
      output.diagnostic(
        'reserved-bits',
        window.fileOffset(position + 20),
        'The link type field of the capture has reserved bits set.',
        `They were ignored: link type ${this.linkType}.`,
      );
    }
    const resolution: TimeResolution = { base: 10, exponent: nanoseconds ? 9 : 6, offsetSeconds: 0n, split: true };
    this.scale = new TimeScale(resolution, this.epoch);
    output.interface({
      index: 0,
      section: 0,
      idInSection: 0,
      linkType: this.linkType,
      snapLength: view.getUint32(position + 16, littleEndian),
      addresses: [],
      resolution,
      ...(fcsLength === undefined ? {} : { fcsLength }),
    });
    window.position += FILE_HEADER;
    this.started = true;
    return true;
  }

  private walkRecords(): number {
    const { window, output, littleEndian, linkType, maximumLength, scale, modified, lengthsSwapped } = this;
    const { view, end } = window;
    const { batch } = output;
    if (!scale) return 0;
    const header = modified ? 24 : 16;
    const core = littleEndian && !modified && lengthsSwapped === 'no' ? this.core : undefined;
    let at = window.position;
    let need = 0;
    batch.bytes = window.bytes;
    for (;;) {
      if (core) {
        window.position = at;
        if (core.records(maximumLength) > 0) {
          this.zeros = 0;
          at = window.position;
          continue;
        }
      }
      const have = end - at;
      if (have < header) {
        need = header;
        break;
      }
      const seconds = view.getInt32(at, littleEndian);
      const fraction = view.getInt32(at + 4, littleEndian);
      let captured = view.getUint32(at + 8, littleEndian);
      let original = view.getUint32(at + 12, littleEndian);
      if (lengthsSwapped === 'yes' || (lengthsSwapped === 'maybe' && captured > original)) {
        const swap = captured;
        captured = original;
        original = swap;
      }
      if (captured > maximumLength) {
        window.position = at;
        this.stop(
          'bad-record',
          at,
          `The record of frame ${output.frames + 1} claims ${captured} bytes, more than the ${maximumLength} a packet may have.`,
        );
        return 0;
      }
      if (captured === 0 && original === 0 && seconds === 0 && fraction === 0) {
        if (++this.zeros > MAX_ZEROS) {
          window.position = at;
          this.stop('zeros', at, `The last ${MAX_ZEROS} records of the capture are nothing but zeros.`);
          return 0;
        }
      } else {
        this.zeros = 0;
      }
      if (have < header + captured) {
        need = header + captured;
        break;
      }
      const row = output.rows;
      batch.offset[row] = at + header;
      batch.capturedLength[row] = captured;
      batch.originalLength[row] = original;
      batch.interfaceIndex[row] = 0;
      batch.linkType[row] = linkType;
      batch.frame[row] = output.frames + 1;
      scale.put(batch.time, row, seconds, fraction);
      batch.ticksHigh[row] = seconds;
      batch.ticksLow[row] = fraction;
      batch.flags[row] = modified ? directionOf(view.getUint8(at + 22)) : 0;
      batch.hasFlags[row] = 0;
      batch.fileOffset[row] = window.fileOffset(at);
      core?.setInterface(0, 0, linkType, scale);
      output.rowDone();
      at += header + captured;
    }
    output.flush();
    window.position = at;
    return need;
  }

  private stop(id: string, at: number, what: string): void {
    this.stopped = true;
    this.output.damage(
      id,
      this.window.fileOffset(at),
      what,
      this.started ? 'Everything before it was used, the rest was not read.' : 'It was not read.',
    );
  }
}

/** `epb_flags` direction of the packet type of a modified record header (if_packet.h): 0 to us, 4 from us. */
function directionOf(packetType: number): number {
  return packetType === 0 ? 1 : packetType === 4 ? 2 : 0;
}
