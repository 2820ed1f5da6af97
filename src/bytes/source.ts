/** Bytes of one input, read in order. Files, standard input, pipes and decompressed streams all look like this. */
export interface ByteSource {
  /**
   * Fills `target` from `start` with up to `length` bytes.
   * @returns the number of bytes read, 0 at the end; a promise only where the bytes are not at hand at once
   * @throws InputError when the bytes cannot be read (the bytes read so far stay good)
   */
  read(target: Uint8Array, start: number, length: number): number | Promise<number>;
  close(): void;
}
