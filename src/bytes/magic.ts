/** The first four bytes of compressed streams, as little-endian numbers. */

/** Zstandard, RFC 8878 section 3.1.1. */
export const ZSTD_MAGIC = 0xfd2fb528;

/** LZ4 Frame Format Description 1.6, and the format of `lz4 -l`. */
export const LZ4_MAGIC = 0x184d2204;
export const LZ4_LEGACY_MAGIC = 0x184c2102;

/** Frames that hold something other than data: zstd (RFC 8878 section 3.1.2) and LZ4 have them in common. */
export function isSkippableMagic(magic: number): boolean {
  return magic >= 0x184d2a50 && magic <= 0x184d2a5f;
}
