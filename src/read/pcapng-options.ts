/** Code of the option that ends a list (draft-ietf-opsawg-pcapng section 3.5). */
export const END_OF_OPTIONS = 0;
export const OPTION_COMMENT = 1;
/** `epb_flags` (section 4.3.1). */
export const OPTION_PACKET_FLAGS = 2;

/** What an option list gave; the bytes are views that stay valid only while the window stands still. */
export interface BlockOption {
  readonly code: number;
  readonly value: Uint8Array;
}

export interface BlockOptions {
  readonly options: readonly BlockOption[];
  /** Offset at which the list stops making sense; the options before it are good. */
  readonly brokenAt: number | undefined;
}

/** Options that one block may carry before the rest is left alone. */
const MAX_OPTIONS = 4096;

/**
 * Reads the option list in `bytes[at]` to `bytes[end - 1]` leniently: a length beyond the block ends the list, a
 * missing end mark does not matter.
 */
export function readOptions(view: DataView, at: number, end: number, littleEndian: boolean): BlockOptions {
  const options: BlockOption[] = [];
  while (end - at >= 4 && options.length < MAX_OPTIONS) {
    const code = view.getUint16(at, littleEndian);
    const length = view.getUint16(at + 2, littleEndian);
    if (code === END_OF_OPTIONS) break;
    if (length > end - at - 4) return { options, brokenAt: at };
    options.push({ code, value: new Uint8Array(view.buffer, view.byteOffset + at + 4, length) });
    at += 4 + ((length + 3) & ~3);
  }
  return { options, brokenAt: undefined };
}

const decoder = new TextDecoder();

/** Text of an option: UTF-8, with or without a closing NUL; untrusted. */
export function optionText(value: Uint8Array): string {
  const nul = value.indexOf(0);
  return decoder.decode(nul < 0 ? value : value.subarray(0, nul));
}

/** An unsigned number of 1, 2, 4 or 8 bytes; undefined for any other length. */
export function optionNumber(value: Uint8Array, littleEndian: boolean): bigint | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  switch (value.length) {
    case 1:
      return BigInt(view.getUint8(0));
    case 2:
      return BigInt(view.getUint16(0, littleEndian));
    case 4:
      return BigInt(view.getUint32(0, littleEndian));
    case 8:
      return view.getBigUint64(0, littleEndian);
    default:
      return undefined;
  }
}
