/** Block type of the Section Header Block: the same in both byte orders. */
export const BLOCK_SECTION = 0x0a0d0d0a;

/** The byte-order mark of a section header, read in the section's order. */
export const ORDER_MAGIC = 0x1a2b3c4d;

/** Block types (draft-ietf-opsawg-pcapng section 11.1) that the reader looks into. */
export const Block = {
  INTERFACE: 1,
  /** Obsolete. */
  PACKET: 2,
  SIMPLE_PACKET: 3,
  NAMES: 4,
  STATISTICS: 5,
  ENHANCED_PACKET: 6,
} as const;

export function isPacketBlock(type: number): boolean {
  return type === Block.ENHANCED_PACKET || type === Block.SIMPLE_PACKET || type === Block.PACKET;
}

/** The largest block that is read: 16 MiB as in Wireshark. */
export const MAX_BLOCK = 16 * 1024 * 1024;

/** Blocks to which Wireshark gives a frame number although they hold no packet: systemd journal entries, custom blocks, sysdig events. */
const NUMBERED: readonly number[] = [9, 0x0000_0bad, 0x4000_0bad, 0x204, 0x208, 0x216, 0x217, 0x221, 0x222];

export function isNumberedOnly(type: number): boolean {
  return NUMBERED.includes(type);
}

/** The largest block that is believed in a search after damage. */
const MAX_FOUND = 1024 * 1024;

/**
 * Whether the bytes at `at` (12 at least) look like the beginning of a block of a type in common use, so that reading
 * can go on there after damage. What they claim must hold together as far as the bytes at hand tell.
 * @returns the length that the block claims, 0 when it is none
 */
export function seemsBlock(view: DataView, at: number, end: number, littleEndian: boolean, interfaces: number): number {
  const type = view.getUint32(at, littleEndian);
  if (type === BLOCK_SECTION) return seemsSection(view, at);
  const length = view.getUint32(at + 4, littleEndian);
  if (length % 4 !== 0 || length > MAX_FOUND) return 0;
  switch (type) {
    case Block.ENHANCED_PACKET:
    case Block.PACKET:
      if (length < 32) return 0;
      if (end - at < 28) return 28;
      return interfaceIn(view, at, type, littleEndian) < interfaces &&
        view.getUint32(at + 20, littleEndian) <= length - 32
        ? length
        : 0;
    case Block.INTERFACE:
      return length >= 20 && view.getUint16(at + 10, littleEndian) === 0 ? length : 0;
    case Block.STATISTICS:
      return length >= 24 && view.getUint32(at + 8, littleEndian) < interfaces ? length : 0;
    default:
      return 0;
  }
}

function interfaceIn(view: DataView, at: number, type: number, littleEndian: boolean): number {
  return type === Block.PACKET ? view.getUint16(at + 8, littleEndian) : view.getUint32(at + 8, littleEndian);
}

function seemsSection(view: DataView, at: number): number {
  const little = view.getUint32(at + 8, true) === ORDER_MAGIC;
  if (!little && view.getUint32(at + 8, false) !== ORDER_MAGIC) return 0;
  const length = view.getUint32(at + 4, little);
  return length >= 28 && length % 4 === 0 && length <= MAX_FOUND ? length : 0;
}
