/**
 * What is known of claims, as records of words: shared with the WebAssembly core (`core/`), which is compiled from a
 * dialect of TypeScript, hence plain constants only. MACs are two words, upper 16 and lower 32 bits; a number + 1 is the
 * number of another record, 0 for none; times are doubles, ns since the analysis epoch, at even words.
 */

/** A pair of tap and address. */
export const PLACE_WORDS = 12;
/** Its newest run + 1, and how many it has. */
export const PLACE_NEWEST = 0;
export const PLACE_RUNS = 1;
/** The newest of its voices + 1, and how many it has. */
export const PLACE_VOICE = 2;
export const PLACE_VOICES = 3;
/** 1 when somebody asked for it; by whom the last question was answered (a voice + 1), and in which frame. */
export const PLACE_QUESTION = 4;
export const PLACE_ANSWERER = 5;
export const PLACE_ANSWER_FRAME = 6;
export const PLACE_ASKED = 8;
export const PLACE_ANSWERED = 10;

/** A `ClaimRun` of a place. */
export const RUN_WORDS = 18;
export const RUN_PLACE = 0;
export const RUN_MAC_HIGH = 1;
export const RUN_MAC_LOW = 2;
export const RUN_KIND = 3;
export const RUN_FIRST_FRAME = 4;
export const RUN_LAST_FRAME = 5;
export const RUN_COUNT = 6;
export const RUN_ALL_FRAME = 7;
export const RUN_ALL_KIND = 8;
/** The newest of those who heard it + 1, and how many there are. */
export const RUN_HEARD = 9;
export const RUN_HEARERS = 10;
export const RUN_FIRST = 12;
export const RUN_LAST = 14;
export const RUN_ALL = 16;

/** Who heard a run: one `Heard`. */
export const HEARD_WORDS = 8;
export const HEARD_MAC_HIGH = 0;
export const HEARD_MAC_LOW = 1;
export const HEARD_FRAME = 2;
export const HEARD_KIND = 3;
/** The next older one + 1. */
export const HEARD_NEXT = 4;
export const HEARD_TIME = 6;

/** A `Voice` of a place. */
export const VOICE_WORDS = 28;
export const VOICE_PLACE = 0;
export const VOICE_MAC_HIGH = 1;
export const VOICE_MAC_LOW = 2;
/** The next older one of the place + 1. */
export const VOICE_NEXT = 3;
export const VOICE_FIRST_FRAME = 4;
export const VOICE_LAST_FRAME = 5;
export const VOICE_ASKED = 6;
export const VOICE_UNASKED = 7;
export const VOICE_ANNOUNCED = 8;
export const VOICE_ASKING = 9;
export const VOICE_RIVALLED = 10;
export const VOICE_UNASKED_KEPT = 11;
export const VOICE_UNASKED_FRAMES = 12;
export const VOICE_RIVAL_KEPT = 17;
export const VOICE_RIVAL_FRAMES = 18;
export const VOICE_FIRST = 24;
export const VOICE_LAST = 26;

/** The `Requests` of a row of the table of askers. */
export const REQUEST_WORDS = 4;
export const REQUEST_COUNT = 0;
export const REQUEST_FIRST_FRAME = 1;
export const REQUEST_FIRST = 2;

/** Messages of a tap that may be repeated, for so many taps. */
export const REPEAT_TAPS = 4096;
export const REPEAT_WORDS = 64;
/** The last `REPEAT_KEPT` messages: what is compared, their frames, and their times. */
export const REPEAT_KEPT = 4;
export const REPEAT_COLUMNS = 9;
export const REPEAT_MESSAGES = 0;
export const REPEAT_NUMBERS = 36;
export const REPEAT_NEXT = 40;
export const REPEAT_SEEN = 41;
export const REPEAT_REPEATED = 42;
export const REPEAT_FRAMES_KEPT = 43;
export const REPEAT_FRAMES = 44;
export const REPEAT_FIRST = 50;
export const REPEAT_START = 52;
export const REPEAT_LAST = 54;
export const REPEAT_TIMES = 56;

export const MAX_RUNS = 200_000;
export const MAX_RUNS_PER_ADDRESS = 512;
export const MAX_HEARD_BY = 64;
export const MAX_VOICES = 100_000;
export const MAX_VOICES_PER_ADDRESS = 32;
export const MAX_QUESTIONS = 100_000;
/** Of unasked answers one frame is kept each, of rivals and repeats two. */
export const MAX_UNASKED_FRAMES = 5;
export const MAX_PAIRED_FRAMES = 6;
/** An answer this long after the question is one to it, ns. */
export const ANSWER = 3e9;
/** Two answers to one question come within this, ns. */
export const RIVAL = 1e9;
/** A copy comes within this, ns. */
export const SOON = 1e6;
