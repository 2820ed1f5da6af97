/**
 * Voices: how each MAC speaks up for an address, on each tap. Who answers when asked, who answers unasked, who announces,
 * whether two answer one question, and whether the frame came from another MAC than the one that it names: what tells a
 * proxy, a spoofer, and two hosts with one address apart.
 */

import { isGroupHigh, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import { QUESTIONS, REQUESTS, VOICE_LIST, VOICES } from '../bytes/core-layout.js';
import { increment, RecordList } from '../bytes/record-list.js';
import { Claim, FrameFlag, type FrameBatch } from '../records/frame-batch.js';
import * as At from './claim-layout.js';
import type { Places } from './places.js';

/** What a MAC said of an address on a tap. Times in ns since the analysis epoch. */
export interface Voice {
  readonly tap: number;
  readonly ip: Ip;
  readonly mac: Mac;
  readonly first: number;
  readonly firstFrame: number;
  readonly last: number;
  readonly lastFrame: number;
  /** Replies to a question that was seen shortly before. */
  readonly asked: number;
  /** Replies to one host that nobody was seen to ask for. */
  readonly unasked: number;
  readonly unaskedFrames: readonly number[];
  /** Gratuitous ARP, unsolicited advertisements to all. */
  readonly announced: number;
  /** Own questions, which name the asker. */
  readonly asking: number;
  /** Questions that another MAC answered too. */
  readonly rivalled: number;
  /** The two frames that answered one question. */
  readonly rivalFrames: readonly number[];
  /** Ethernet sources other than the MAC that is named, and how many such frames there were. */
  readonly carriers: ReadonlyMap<Mac, number>;
}

const MAX_CARRIERS = 4;

/** Most voices have no other carrier. */
const NOBODY: ReadonlyMap<Mac, number> = new Map();

export class Voices {
  private readonly places: Places;
  private readonly list: RecordList;
  /** By number of the voice, where there are any. */
  private readonly carriers = new Map<number, Map<Mac, number>>();
  /** How many places were asked for, as its only element. */
  private readonly questions: Int32Array;
  private built: readonly Voice[] | undefined;

  /** @param core keeps the records, and hears most claims itself */
  constructor(places: Places, core?: Core) {
    this.places = places;
    this.list = new RecordList(At.VOICE_WORDS, core?.listRoom(VOICE_LIST, VOICES, REQUESTS));
    this.questions = core?.words(QUESTIONS, 1) ?? new Int32Array(1);
  }

  /** In the order in which they were heard first; not to be asked for in the middle of an input. */
  get all(): readonly Voice[] {
    return (this.built ??= Array.from({ length: this.list.count }, (_, voice) => this.voice(voice)));
  }

  /** An input was read: what was made of the records before is out of date. */
  endInput(): void {
    this.built = undefined;
  }

  /** Takes row `i`, an ARP or neighbour discovery message that claims the address of a place. */
  add(frames: FrameBatch, i: number, place: number): void {
    const kind = frames.claim[i] ?? Claim.NONE;
    const voice = this.voiceOf(frames, i, place);
    if (voice < 0) return;
    const { words, doubles } = this.list;
    const w = voice * At.VOICE_WORDS;
    doubles[(w + At.VOICE_LAST) >> 1] = frames.time[i] ?? NaN;
    words[w + At.VOICE_LAST_FRAME] = frames.frame[i] ?? 0;
    this.noteCarrier(frames, i, voice);
    if (kind === Claim.ARP_REQUEST || kind === Claim.ND_SOLICITATION || kind === Claim.ND_ROUTER) {
      increment(words, w + At.VOICE_ASKING);
    } else if (kind === Claim.ARP_GRATUITOUS || (kind === Claim.ND_UNSOLICITED && isToAll(frames, i))) {
      increment(words, w + At.VOICE_ANNOUNCED);
    } else {
      this.answer(frames, i, place, voice);
    }
  }

  /** Takes row `i`, a question for the address of a place. */
  ask(frames: FrameBatch, i: number, place: number): void {
    const { words, doubles } = this.places;
    const p = place * At.PLACE_WORDS;
    if (words[p + At.PLACE_QUESTION] === 0) {
      if ((this.questions[0] ?? 0) >= At.MAX_QUESTIONS) return;
      increment(this.questions, 0);
      words[p + At.PLACE_QUESTION] = 1;
    }
    words[p + At.PLACE_ANSWERER] = 0;
    doubles[(p + At.PLACE_ASKED) >> 1] = frames.time[i] ?? NaN;
    doubles[(p + At.PLACE_ANSWERED) >> 1] = NaN;
  }

  private answer(frames: FrameBatch, i: number, place: number, voice: number): void {
    const { words } = this.list;
    const { words: asked, doubles: times } = this.places;
    const w = voice * At.VOICE_WORDS;
    const p = place * At.PLACE_WORDS;
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    if (asked[p + At.PLACE_QUESTION] === 0 || !(time - (times[(p + At.PLACE_ASKED) >> 1] ?? NaN) < At.ANSWER)) {
      if (isToAll(frames, i)) {
        increment(words, w + At.VOICE_ANNOUNCED);
        return;
      }
      increment(words, w + At.VOICE_UNASKED);
      const kept = words[w + At.VOICE_UNASKED_KEPT] ?? 0;
      if (kept >= At.MAX_UNASKED_FRAMES) return;
      words[w + At.VOICE_UNASKED_FRAMES + kept] = frame;
      words[w + At.VOICE_UNASKED_KEPT] = kept + 1;
      return;
    }
    increment(words, w + At.VOICE_ASKED);
    const other = (asked[p + At.PLACE_ANSWERER] ?? 0) - 1;
    if (other >= 0 && other !== voice && time - (times[(p + At.PLACE_ANSWERED) >> 1] ?? NaN) < At.RIVAL) {
      const before = asked[p + At.PLACE_ANSWER_FRAME] ?? 0;
      noteRival(words, w, before, frame);
      noteRival(words, other * At.VOICE_WORDS, before, frame);
    }
    times[(p + At.PLACE_ANSWERED) >> 1] = time;
    asked[p + At.PLACE_ANSWER_FRAME] = frame;
    asked[p + At.PLACE_ANSWERER] = voice + 1;
  }

  /** The voice of a row, which may be a new one; -1 when there are too many. */
  private voiceOf(frames: FrameBatch, i: number, place: number): number {
    const { list } = this;
    const { words: places } = this.places;
    const p = place * At.PLACE_WORDS;
    const high = frames.claimMacHigh[i] ?? 0;
    const low = frames.claimMacLow[i] ?? 0;
    const newest = places[p + At.PLACE_VOICE] ?? 0;
    for (let voice = newest - 1; voice >= 0; voice = (list.words[voice * At.VOICE_WORDS + At.VOICE_NEXT] ?? 0) - 1) {
      const w = voice * At.VOICE_WORDS;
      if (list.words[w + At.VOICE_MAC_LOW] === low && list.words[w + At.VOICE_MAC_HIGH] === high) return voice;
    }
    const count = places[p + At.PLACE_VOICES] ?? 0;
    if (list.count >= At.MAX_VOICES || count >= At.MAX_VOICES_PER_ADDRESS) return -1;
    const voice = list.add();
    const { words, doubles } = list;
    const w = voice * At.VOICE_WORDS;
    words[w + At.VOICE_PLACE] = place;
    words[w + At.VOICE_MAC_HIGH] = high;
    words[w + At.VOICE_MAC_LOW] = low;
    words[w + At.VOICE_NEXT] = newest;
    words[w + At.VOICE_FIRST_FRAME] = frames.frame[i] ?? 0;
    doubles[(w + At.VOICE_FIRST) >> 1] = frames.time[i] ?? NaN;
    places[p + At.PLACE_VOICE] = voice + 1;
    places[p + At.PLACE_VOICES] = count + 1;
    return voice;
  }

  private noteCarrier(frames: FrameBatch, i: number, voice: number): void {
    if (((frames.flags[i] ?? 0) & FrameFlag.SRC_MAC) === 0) return;
    const high = frames.srcMacHigh[i] ?? 0;
    const low = frames.srcMacLow[i] ?? 0;
    if (high === frames.claimMacHigh[i] && low === frames.claimMacLow[i]) return;
    const source = macFromWords(high, low);
    const known = this.carriers.get(voice) ?? new Map<Mac, number>();
    if (!known.has(source) && known.size >= MAX_CARRIERS) return;
    this.carriers.set(voice, known.set(source, (known.get(source) ?? 0) + 1));
  }

  private voice(voice: number): Voice {
    const { words, doubles } = this.list;
    const w = voice * At.VOICE_WORDS;
    const place = words[w + At.VOICE_PLACE] ?? 0;
    const frames = (from: number, kept: number): number[] => [
      ...words.subarray(w + from, w + from + (words[w + kept] ?? 0)),
    ];
    return {
      tap: this.places.tap(place),
      ip: this.places.ip(place),
      mac: macFromWords(words[w + At.VOICE_MAC_HIGH] ?? 0, words[w + At.VOICE_MAC_LOW] ?? 0),
      first: doubles[(w + At.VOICE_FIRST) >> 1] ?? NaN,
      firstFrame: words[w + At.VOICE_FIRST_FRAME] ?? 0,
      last: doubles[(w + At.VOICE_LAST) >> 1] ?? NaN,
      lastFrame: words[w + At.VOICE_LAST_FRAME] ?? 0,
      asked: words[w + At.VOICE_ASKED] ?? 0,
      unasked: words[w + At.VOICE_UNASKED] ?? 0,
      unaskedFrames: frames(At.VOICE_UNASKED_FRAMES, At.VOICE_UNASKED_KEPT),
      announced: words[w + At.VOICE_ANNOUNCED] ?? 0,
      asking: words[w + At.VOICE_ASKING] ?? 0,
      rivalled: words[w + At.VOICE_RIVALLED] ?? 0,
      rivalFrames: frames(At.VOICE_RIVAL_FRAMES, At.VOICE_RIVAL_KEPT),
      carriers: this.carriers.get(voice) ?? NOBODY,
    };
  }
}

/** Notes the two frames that answered one question with a voice whose words begin at `w`. */
function noteRival(words: Int32Array, w: number, before: number, frame: number): void {
  increment(words, w + At.VOICE_RIVALLED);
  const kept = words[w + At.VOICE_RIVAL_KEPT] ?? 0;
  if (kept >= At.MAX_PAIRED_FRAMES) return;
  words[w + At.VOICE_RIVAL_FRAMES + kept] = before;
  words[w + At.VOICE_RIVAL_FRAMES + kept + 1] = frame;
  words[w + At.VOICE_RIVAL_KEPT] = kept + 2;
}

function isToAll(frames: FrameBatch, i: number): boolean {
  if (((frames.flags[i] ?? 0) & FrameFlag.DST_MAC) === 0) return true;
  return isGroupHigh(frames.dstMacHigh[i] ?? 0);
}
