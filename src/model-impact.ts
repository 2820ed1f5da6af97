/** The part of the analysis that is about users: what they felt of it. */

/** What the users of a flow felt, before the first misdelivered frame, until the last one, and after it. */
export interface Impact {
  before: Felt;
  during: Felt;
  after: Felt;
}

export interface Felt {
  /** ns that this part lasted, as a decimal string. */
  duration: string;
  /** Frames on the tap that saw most of it. */
  frames: number;
  /** Queries (DNS and others that ask and wait) and how many of them nobody answered. */
  queries: number;
  unanswered: number;
  /** TCP segments sent again. */
  retransmissions: number;
  /** WireGuard handshakes begun again because nobody answered. */
  handshakesRepeated: number;
  /** Longest time without a frame from the far side while this side went on sending; ns as a decimal string. */
  longestStall: string;
}
