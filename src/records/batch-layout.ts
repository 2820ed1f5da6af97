/**
 * Where the columns of a batch lie, in bytes from the beginning of its memory: shared with the WebAssembly core (`core/`),
 * which is compiled from a dialect of TypeScript, hence plain constants only.
 */

/** Rows of a batch. */
export const BATCH_SIZE = 64;

const WORDS = 256;
const DOUBLES = 512;

// Packets.
export const P_TIME = 0;
export const P_FILE_OFFSET = P_TIME + DOUBLES;
export const P_OFFSET = P_FILE_OFFSET + DOUBLES;
export const P_CAPTURED = P_OFFSET + WORDS;
export const P_ORIGINAL = P_CAPTURED + WORDS;
export const P_INTERFACE = P_ORIGINAL + WORDS;
export const P_LINK_TYPE = P_INTERFACE + WORDS;
export const P_FRAME = P_LINK_TYPE + WORDS;
export const P_TICKS_HIGH = P_FRAME + WORDS;
export const P_TICKS_LOW = P_TICKS_HIGH + WORDS;
export const P_FLAGS = P_TICKS_LOW + WORDS;
export const P_HAS_FLAGS = P_FLAGS + WORDS;
export const PACKET_BYTES = P_HAS_FLAGS + WORDS;

// Frames.
export const F_TIME = 0;
export const F_LENGTH = F_TIME + DOUBLES;
export const F_FRAME = F_LENGTH + DOUBLES;
export const F_INTERFACE = F_FRAME + WORDS;
export const F_FLAGS = F_INTERFACE + WORDS;
export const F_LINK = F_FLAGS + WORDS;
export const F_SRC_MAC_HIGH = F_LINK + WORDS;
export const F_SRC_MAC_LOW = F_SRC_MAC_HIGH + WORDS;
export const F_DST_MAC_HIGH = F_SRC_MAC_LOW + WORDS;
export const F_DST_MAC_LOW = F_DST_MAC_HIGH + WORDS;
export const F_VLAN = F_DST_MAC_LOW + WORDS;
export const F_INNER_VLAN = F_VLAN + WORDS;
export const F_ETHER_TYPE = F_INNER_VLAN + WORDS;
export const F_IP_VERSION = F_ETHER_TYPE + WORDS;
export const F_SRC_IP = F_IP_VERSION + WORDS;
export const F_DST_IP = F_SRC_IP + WORDS;
export const F_PROTOCOL = F_DST_IP + WORDS;
export const F_HOP_LIMIT = F_PROTOCOL + WORDS;
export const F_IP_ID = F_HOP_LIMIT + WORDS;
export const F_SRC_PORT = F_IP_ID + WORDS;
export const F_DST_PORT = F_SRC_PORT + WORDS;
export const F_DETAIL = F_DST_PORT + WORDS;
export const F_NETWORK = F_DETAIL + WORDS;
export const F_TRANSPORT = F_NETWORK + WORDS;
export const F_CLAIM = F_TRANSPORT + WORDS;
export const F_CLAIM_VERSION = F_CLAIM + WORDS;
export const F_CLAIM_IP = F_CLAIM_VERSION + WORDS;
export const F_CLAIM_MAC_HIGH = F_CLAIM_IP + WORDS;
export const F_CLAIM_MAC_LOW = F_CLAIM_MAC_HIGH + WORDS;
export const F_TARGET_IP = F_CLAIM_MAC_LOW + WORDS;
export const F_CLAIM_PREFIX = F_TARGET_IP + WORDS;
export const FRAME_BYTES = F_CLAIM_PREFIX + WORDS;
