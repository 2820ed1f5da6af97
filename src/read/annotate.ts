/** A capture written anew as pcapng, with comments on some of its frames. */

import type { ByteSource } from '../bytes/source.js';
import { Epoch } from '../records/epoch.js';
import type { CaptureInterface, CaptureSink, PacketBatch } from '../records/packet-batch.js';
import { readCapture, type CaptureSummary } from './capture.js';
import { BLOCK_SECTION, isPacketBlock } from './pcapng-block-types.js';
import { Idb } from './pcapng-blocks.js';
import { OPTION_COMMENT, OPTION_PACKET_FLAGS } from './pcapng-options.js';
import {
  type BlockOptionToWrite,
  enhancedPacket,
  interfaceDescription,
  sectionHeader,
  textOption,
  withComment,
  withoutLength,
} from './pcapng-writer.js';
import type { ReadBlock } from './pcapng.js';

/** What is to be done with the frames of one capture, by their numbers. */
export interface Annotation {
  /** A comment to add; undefined: none. */
  readonly comment: (frame: number) => string | undefined;
  /** Whether the frame is written at all; all are, when it is missing. */
  readonly keep?: (frame: number) => boolean;
  /** Name of the interface of a classic pcap capture. */
  readonly device?: string;
}

/**
 * Writes the blocks of a pcapng capture as they are, but for the comments and for the length of a section, which is
 * given as unknown. Classic pcap becomes one section with one interface; its packets keep bytes, lengths and times.
 * Damaged parts are left out, so that what is written is sound.
 * @param write is given pieces of the new capture; they are its own until it returns
 */
export async function annotateCapture(
  source: ByteSource,
  annotation: Annotation,
  write: (bytes: Uint8Array) => void,
): Promise<CaptureSummary> {
  const out = new Pieces(write);
  const annotator = new Annotator(annotation, out);
  const summary = await readCapture(source, new Epoch(), annotator, { onBlock: (block) => annotator.block(block) });
  out.flush();
  return summary;
}

class Annotator implements CaptureSink {
  private readonly annotation: Annotation;
  private readonly out: Pieces;
  /** Of classic pcap: ticks in a second; undefined for pcapng. */
  private ticksPerSecond: bigint | undefined;
  /** Of interface 0 of this section. */
  private snapLength = 0;

  constructor(annotation: Annotation, out: Pieces) {
    this.annotation = annotation;
    this.out = out;
  }

  interface({ resolution, linkType, snapLength, fcsLength, idInSection }: CaptureInterface): void {
    if (idInSection === 0) this.snapLength = snapLength;
    if (!resolution.split) return;
    this.ticksPerSecond = 10n ** BigInt(resolution.exponent);
    const { device } = this.annotation;
    const options: BlockOptionToWrite[] = [{ code: Idb.RESOLUTION, value: Uint8Array.of(resolution.exponent) }];
    if (device !== undefined) options.unshift(textOption(Idb.NAME, device));
    if (fcsLength !== undefined) options.push({ code: Idb.FCS_LENGTH, value: Uint8Array.of(fcsLength) });
    this.out.add(sectionHeader());
    this.out.add(interfaceDescription(linkType, snapLength, options));
  }

  /** A block of pcapng. */
  block({ type, bytes, littleEndian, frame }: ReadBlock): void {
    const { comment, keep } = this.annotation;
    if (type === BLOCK_SECTION) {
      this.out.add(withoutLength(bytes));
      return;
    }
    if (frame > 0 && keep?.(frame) === false) return;
    const text = isPacketBlock(type) ? comment(frame) : undefined;
    this.out.add(text === undefined ? bytes : withComment(bytes, littleEndian, this.snapLength, text));
  }

  /** Packets of classic pcap; those of pcapng came as blocks. */
  packets(batch: PacketBatch): void {
    if (this.ticksPerSecond === undefined) return;
    const { comment, keep } = this.annotation;
    for (let row = 0; row < batch.count; row++) {
      const frame = batch.frame[row] ?? 0;
      if (keep?.(frame) === false) continue;
      const at = batch.offset[row] ?? 0;
      const seconds = BigInt((batch.ticksHigh[row] ?? 0) >>> 0);
      const options: BlockOptionToWrite[] = [];
      const text = comment(frame);
      if (text !== undefined) options.push(textOption(OPTION_COMMENT, text));
      const flags = batch.flags[row] ?? 0;
      if (flags !== 0) options.push({ code: OPTION_PACKET_FLAGS, value: Uint8Array.of(flags, 0, 0, 0) });
      const packet = {
        interfaceId: 0,
        ticks: seconds * this.ticksPerSecond + BigInt((batch.ticksLow[row] ?? 0) >>> 0),
        originalLength: (batch.originalLength[row] ?? 0) >>> 0,
        bytes: batch.bytes.subarray(at, at + (batch.capturedLength[row] ?? 0)),
      };
      this.out.add(enhancedPacket(packet, options));
    }
  }

  comment(): void {
    // Stands in its block.
  }

  name(): void {
    // Stands in its block.
  }

  statistics(): void {
    // Stands in its block.
  }

  diagnostic(): void {
    // The first reading told it.
  }
}

const PIECE = 256 * 1024;

/** Gathers small pieces into larger ones. */
class Pieces {
  private readonly write: (bytes: Uint8Array) => void;
  private readonly buffer = new Uint8Array(PIECE);
  private used = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.write = write;
  }

  add(bytes: Uint8Array): void {
    if (this.used + bytes.length > PIECE) this.flush();
    if (bytes.length > PIECE) {
      this.write(bytes);
      return;
    }
    this.buffer.set(bytes, this.used);
    this.used += bytes.length;
  }

  flush(): void {
    if (this.used > 0) this.write(this.buffer.subarray(0, this.used));
    this.used = 0;
  }
}
