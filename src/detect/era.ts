/**
 * Dumps and captures that lie further apart than this (ns) do not share a clock: a printed capture with relative times
 * beside dated dumps, say. What one says is nothing to the other.
 */
export const ERA = 30 * 86_400e9;
