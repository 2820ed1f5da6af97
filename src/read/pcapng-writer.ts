/** Blocks of pcapng (draft-ietf-opsawg-pcapng) put together, and comments put into those of others. */

import { Block, BLOCK_SECTION, ORDER_MAGIC } from './pcapng-block-types.js';
import { END_OF_OPTIONS, OPTION_COMMENT } from './pcapng-options.js';

export interface BlockOptionToWrite {
  readonly code: number;
  readonly value: Uint8Array;
}

/** Fixed fields of an Enhanced Packet Block, which an obsolete Packet Block has at the same places; then its data follow. */
const PACKET_HEAD = 28;
const SIMPLE_HEAD = 12;
/** A character takes three bytes at most, an option has 65,535. */
const MAX_TEXT = 0x5555;

const encoder = new TextEncoder();

/** A section of unknown length in little-endian order. */
export function sectionHeader(): Uint8Array {
  return block(BLOCK_SECTION, 16, [], (view) => {
    view.setUint32(8, ORDER_MAGIC, true);
    view.setUint16(12, 1, true);
    view.setBigInt64(16, -1n, true);
  });
}

export function interfaceDescription(
  linkType: number,
  snapLength: number,
  options: readonly BlockOptionToWrite[],
): Uint8Array {
  return block(Block.INTERFACE, 8, options, (view) => {
    view.setUint16(8, linkType, true);
    view.setUint32(12, snapLength, true);
  });
}

/** An Enhanced Packet Block in little-endian order. `ticks` are in units of the interface's resolution. */
export function enhancedPacket(
  packet: {
    readonly interfaceId: number;
    readonly ticks: bigint;
    readonly originalLength: number;
    readonly bytes: Uint8Array;
  },
  options: readonly BlockOptionToWrite[],
): Uint8Array {
  const { interfaceId, ticks, originalLength, bytes } = packet;
  return block(Block.ENHANCED_PACKET, 20 + padded(bytes.length), options, (view) => {
    view.setUint32(8, interfaceId, true);
    view.setUint32(12, Number((ticks >> 32n) & 0xffff_ffffn), true);
    view.setUint32(16, Number(ticks & 0xffff_ffffn), true);
    view.setUint32(20, bytes.length, true);
    view.setUint32(24, originalLength, true);
    new Uint8Array(view.buffer).set(bytes, PACKET_HEAD);
  });
}

/** What would not fit into an option for sure is cut off. */
export function textOption(code: number, text: string): BlockOptionToWrite {
  return { code, value: encoder.encode(text.slice(0, MAX_TEXT)) };
}

/**
 * The block of a packet with a comment more, before its other options. A Simple Packet Block, which can have none,
 * becomes an Enhanced Packet Block of interface 0 at time 0.
 * @param block a sound block of one of the three kinds
 * @param snapLength of interface 0, which bounds the data of a Simple Packet Block
 */
export function withComment(block: Uint8Array, littleEndian: boolean, snapLength: number, text: string): Uint8Array {
  const packet = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const isSimple = packet.getUint32(0, littleEndian) === Block.SIMPLE_PACKET;
  const original = isSimple ? packet.getUint32(8, littleEndian) : 0;
  const room = block.length - SIMPLE_HEAD - 4;
  const captured = isSimple
    ? Math.min(original, room, snapLength > 0 ? snapLength : Infinity)
    : packet.getUint32(20, littleEndian);
  const dataEnd = (isSimple ? SIMPLE_HEAD : PACKET_HEAD) + padded(captured);
  const data = block.subarray(isSimple ? SIMPLE_HEAD : PACKET_HEAD, dataEnd);
  const options = isSimple ? new Uint8Array(0) : block.subarray(dataEnd, block.length - 4);
  const comment = textOption(OPTION_COMMENT, text);
  const end = options.length === 0 ? 4 : 0;
  const length = PACKET_HEAD + data.length + 4 + padded(comment.value.length) + options.length + end + 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes.set(isSimple ? block.subarray(0, 4) : block.subarray(0, PACKET_HEAD));
  if (isSimple) {
    view.setUint32(0, Block.ENHANCED_PACKET, littleEndian);
    view.setUint32(20, captured, littleEndian);
    view.setUint32(24, original, littleEndian);
  }
  view.setUint32(4, length, littleEndian);
  bytes.set(data, PACKET_HEAD);
  let at = PACKET_HEAD + data.length;
  at = putOption(view, at, comment, littleEndian);
  bytes.set(options, at);
  view.setUint32(length - 4, length, littleEndian);
  return bytes;
}

/** A section header that says nothing of the section's length, which a comment changes; else the same. */
export function withoutLength(header: Uint8Array): Uint8Array {
  const copy = header.slice();
  copy.fill(0xff, 16, 24);
  return copy;
}

/** A block in little-endian order: type and lengths, a body of `bodyLength` bytes that `fill` fills, and options. */
function block(
  type: number,
  bodyLength: number,
  options: readonly BlockOptionToWrite[],
  fill: (view: DataView) => void,
): Uint8Array {
  const listed = options.reduce((sum, { value }) => sum + 4 + padded(value.length), 0);
  const length = 8 + bodyLength + listed + (options.length > 0 ? 4 : 0) + 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  fill(view);
  let at = 8 + bodyLength;
  for (const option of options) at = putOption(view, at, option, true);
  if (options.length > 0) view.setUint32(at, END_OF_OPTIONS, true);
  view.setUint32(length - 4, length, true);
  return bytes;
}

/** @returns where the next one goes */
function putOption(view: DataView, at: number, { code, value }: BlockOptionToWrite, littleEndian: boolean): number {
  view.setUint16(at, code, littleEndian);
  view.setUint16(at + 2, value.length, littleEndian);
  new Uint8Array(view.buffer).set(value, at + 4);
  return at + 4 + padded(value.length);
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
