/**
 * Words of what the legs of a pair of MACs are (`mac-pairs.ts`): shared with the WebAssembly core (`core/`), which is
 * compiled from a dialect of TypeScript, hence plain constants only.
 */

export const SUM_WORDS = 8;
/** The first and last leg, how many, and the frames of their open mappings. */
export const SUM_FIRST = 0;
export const SUM_LAST = 1;
export const SUM_LEGS = 2;
export const SUM_FRAMES = 3;
/** The first leg's addresses, and bits of `Many`. */
export const SUM_SOURCE = 4;
export const SUM_DESTINATION = 5;
export const SUM_MANY = 6;
