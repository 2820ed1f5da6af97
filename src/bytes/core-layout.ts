/**
 * The memory of the WebAssembly core (`core/`), in bytes. Shared with it: the core is compiled from a dialect of
 * TypeScript, hence plain constants only.
 */

/** Columns of packets and of frames (`records/batch-layout.ts`). */
export const PACKETS = 0x10000;
export const FRAMES = 0x12000;

// What stages say of the rows of a batch: words, but for the last two, which are bytes.
export const TAPS = 0x15000;
export const LEGS = 0x15100;
/** Rows that the decoder left to the plain one, and rows that were not settled. */
export const SLOW = 0x15200;
export const UNSETTLED = 0x15300;
export const META = 0x15400;
export const PORTS = 0x15500;
export const HASH = 0x15600;
export const SKIP = 0x15700;
/** 1 where the core decoded the row itself. */
export const PLAIN = 0x15740;

/** Rows in use after a walk (a word). */
export const ROWS = 0x15800;
/** Of a straight reading (`core/read.ts`), words: frames that were counted, rows of the last batch that were not settled. */
export const READ = 0x15804;
export const LEFT = 0x15818;
/** How many legs there are, and up to how many there is room (words). */
export const LEG_COUNT = 0x1581c;
export const LEG_ROOM = 0x15820;
/** First and last time of what was settled, ns since the analysis epoch (doubles). */
export const SPAN = 0x15808;

/** Interfaces that the core knows by number; those beyond are left to the plain code. */
export const MAX_INTERFACES = 256;
/**
 * Taps of frames with at most one VLAN tag, `TAP_SLOTS` times a key (0 for none) and a tap (words). The key is
 * `(interface << 13) + VLAN id + 2`, -1 being no tag; its slot `(key ^ (key >>> 13)) & (TAP_SLOTS - 1)`.
 */
export const KNOWN_TAPS = 0x16000;
export const TAP_SLOTS = 256;
/** Frames settled, by interface (words). */
export const COUNTED = 0x16800;
/** Interfaces of the section, `INTERFACE_BYTES` each. */
export const INTERFACES = 0x17000;
export const INTERFACE_BYTES = 64;
/** In an interface: words, then doubles. The method is one of `TimeMethod`, -1 while the interface is not known. */
export const I_INDEX = 0;
export const I_LINK_TYPE = 4;
export const I_METHOD = 8;
export const I_BASE_HIGH = 16;
export const I_BASE_LOW = 24;
export const I_FACTOR = 32;

/**
 * Headers of tables and lists (`word-table.ts`, `record-list.ts`), `HEADER_BYTES` of words each: where a table has its
 * rows and slots, the mask of its slots, how many rows or records there are, and up to how many there is room. A table or
 * list that has grown out of this memory has none, and 0 for the rest.
 */
export const ADDRESS_TABLE = 0x1b000;
export const PLACE_TABLE = 0x1b020;
export const ASKER_TABLE = 0x1b040;
export const PLACE_LIST = 0x1b060;
export const RUN_LIST = 0x1b080;
export const HEARD_LIST = 0x1b0a0;
export const VOICE_LIST = 0x1b0c0;
export const REQUEST_LIST = 0x1b0e0;
export const PAIR_TABLE = 0x1b100;
export const PAIR_LIST = 0x1b120;
export const HEADER_BYTES = 32;
export const H_ROWS = 0;
export const H_SLOTS = 4;
export const H_MASK = 8;
export const H_COUNT = 12;
export const H_CAPACITY = 16;

/** Frames settled that are not IP, and questions that were asked (words). */
export const NOT_IP = 0x1b200;
export const QUESTIONS = 0x1b204;
/** Not 0 when a leg goes to its own source address (a word). */
export const LOOPS = 0x1b208;

/**
 * The bytes that records lie in. 16 bytes past a page, so that fresh bytes lie on a page as in a buffer of the window's
 * own (`window.ts`).
 */
export const BYTES = 0x20010;
export const BYTES_END = 0xa1000;

/** Bits of the packets that a second reading wants, `1 << WANTED_BITS` of them: see `detect/wanted.ts`. */
export const WANTED = 0xb0000;
export const WANTED_BITS = 18;

/** Messages that may be repeated, by tap (`reconstruct/claim-layout.ts`). */
export const REPEATS = 0x100000;

/** Zones, each from its beginning to the next one's: they grow as they are used, and cost nothing before. */
export const PAIR_ROWS = 0x200000;
export const PAIRS = 0x800000;
export const PLACE_ROWS = 0x1000000;
export const ASKER_ROWS = 0x2000000;
export const PLACES = 0x3000000;
export const RUNS = 0x4000000;
export const HEARD = 0x5000000;
export const VOICES = 0x6000000;
export const REQUESTS = 0x7000000;
export const ADDRESSES = 0x8000000;
export const SLOTS = 0x20000000;
export const RECORDS = 0x60000000;
