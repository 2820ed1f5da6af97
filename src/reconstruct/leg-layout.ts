/** Layout of a leg record: see `leg-table.ts`. */

/** Words of a record. The first five and the upper half of `MACS_HIGH` are the key. */
export const Leg = {
  /** tap << 16 | protocol << 8 | LegBit */
  META: 0,
  SRC_IP: 1,
  DST_IP: 2,
  /** source << 16 | destination */
  PORTS: 3,
  SRC_MAC_LOW: 4,
  /** source << 16 | destination */
  MACS_HIGH: 5,
  DST_MAC_LOW: 6,
  /** Of the open mapping: frames, bytes (unsigned), first and last frame number. */
  FRAMES: 7,
  BYTES: 8,
  FIRST_FRAME: 9,
  LAST_FRAME: 10,
  /** Last closed mapping in the log, -1 for none. */
  CLOSED: 11,
} as const;

/** First and last time of the open mapping, as indices into the record's eight doubles. */
export const LegTime = { FIRST: 6, LAST: 7 } as const;

export const LegBit = { IPV6: 1, INITIAL_HOP_LIMIT: 2, LATER_FRAGMENT: 4 } as const;

export const LEG_WORDS = 16;
export const LEG_DOUBLES = 8;
