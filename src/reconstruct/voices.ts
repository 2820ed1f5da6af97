/**
 * Voices: how each MAC speaks up for an address, on each tap. Who answers when asked, who answers unasked, who announces,
 * whether two answer one question, and whether the frame came from another MAC than the one that it names: what tells a
 * proxy, a spoofer, and two hosts with one address apart.
 */

import { isGroupMac, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import { Claim, FrameFlag, type FrameBatch } from '../records/frame-batch.js';

/** What a MAC said of an address on a tap. Times in ns since the analysis epoch. */
export interface Voice {
  readonly tap: number;
  readonly ip: Ip;
  readonly mac: Mac;
  readonly first: number;
  readonly firstFrame: number;
  last: number;
  lastFrame: number;
  /** Replies to a question that was seen shortly before. */
  asked: number;
  /** Replies to one host that nobody was seen to ask for. */
  unasked: number;
  readonly unaskedFrames: number[];
  /** Gratuitous ARP, unsolicited advertisements to all. */
  announced: number;
  /** Own questions, which name the asker. */
  asking: number;
  /** Questions that another MAC answered too. */
  rivalled: number;
  /** The two frames that answered one question. */
  readonly rivalFrames: number[];
  /** Ethernet sources other than the MAC that is named, and how many such frames there were. */
  carriers: ReadonlyMap<Mac, number>;
}

const MAX_VOICES = 100_000;
const MAX_PER_ADDRESS = 32;
const MAX_QUESTIONS = 100_000;
const MAX_FRAMES = 5;
const MAX_CARRIERS = 4;
/** An answer this long after the question is one to it. */
const ANSWER = 3e9;
/** Two answers to one question come within this. */
const RIVAL = 1e9;

/** Most voices have no other carrier. */
const NOBODY: ReadonlyMap<Mac, number> = new Map();

interface Question {
  asked: number;
  /** The last answer, and from whom. */
  answered: number;
  frame: number;
  voice: Voice | undefined;
}

export class Voices {
  readonly all: Voice[] = [];
  /** By place. */
  private readonly byAddress: (Voice[] | undefined)[] = [];
  private readonly questions: (Question | undefined)[] = [];
  private questionCount = 0;

  /** Takes row `i`, an ARP or neighbour discovery message of `mac` for `ip`, whose place on the tap is given. */
  add(frames: FrameBatch, i: number, tap: number, place: number, ip: Ip, mac: Mac): void {
    const kind = frames.claim[i] ?? Claim.NONE;
    const time = frames.time[i] ?? NaN;
    const voice = this.voiceOf(frames, i, tap, place, ip, mac);
    if (!voice) return;
    voice.last = time;
    voice.lastFrame = frames.frame[i] ?? 0;
    noteCarrier(voice, frames, i);
    if (kind === Claim.ARP_REQUEST || kind === Claim.ND_SOLICITATION || kind === Claim.ND_ROUTER) voice.asking++;
    else if (kind === Claim.ARP_GRATUITOUS || (kind === Claim.ND_UNSOLICITED && isToAll(frames, i))) voice.announced++;
    else this.answer(voice, frames, i, place);
  }

  /** Takes row `i`, a question for the address of a place. */
  ask(frames: FrameBatch, i: number, place: number): void {
    const asked = frames.time[i] ?? NaN;
    const known = this.questions[place];
    if (!known && this.questionCount >= MAX_QUESTIONS) return;
    if (known) {
      known.asked = asked;
      known.answered = NaN;
      known.voice = undefined;
    } else {
      this.questionCount++;
      putAt(this.questions, place, { asked, answered: NaN, frame: 0, voice: undefined });
    }
  }

  private answer(voice: Voice, frames: FrameBatch, i: number, place: number): void {
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    const question = this.questions[place];
    if (!question || !(time - question.asked < ANSWER)) {
      if (isToAll(frames, i)) {
        voice.announced++;
        return;
      }
      voice.unasked++;
      if (voice.unaskedFrames.length < MAX_FRAMES) voice.unaskedFrames.push(frame);
      return;
    }
    voice.asked++;
    const other = question.voice;
    if (other && other !== voice && time - question.answered < RIVAL) {
      for (const one of [voice, other]) {
        one.rivalled++;
        if (one.rivalFrames.length < MAX_FRAMES) one.rivalFrames.push(question.frame, frame);
      }
    }
    question.answered = time;
    question.frame = frame;
    question.voice = voice;
  }

  private voiceOf(frames: FrameBatch, i: number, tap: number, place: number, ip: Ip, mac: Mac): Voice | undefined {
    const known = this.byAddress[place];
    const same = known?.find((voice) => voice.mac === mac);
    if (same) return same;
    if (this.all.length >= MAX_VOICES || (known?.length ?? 0) >= MAX_PER_ADDRESS) return undefined;
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    const voice: Voice = {
      tap,
      ip,
      mac,
      first: time,
      firstFrame: frame,
      last: time,
      lastFrame: frame,
      asked: 0,
      unasked: 0,
      unaskedFrames: [],
      announced: 0,
      asking: 0,
      rivalled: 0,
      rivalFrames: [],
      carriers: NOBODY,
    };
    this.all.push(voice);
    if (known) known.push(voice);
    else putAt(this.byAddress, place, [voice]);
    return voice;
  }
}

/** Lists stay without holes, so that they are arrays to the engine too. */
function putAt<T>(list: (T | undefined)[], at: number, value: T): void {
  while (list.length < at) list.push(undefined);
  list[at] = value;
}

function noteCarrier(voice: Voice, frames: FrameBatch, i: number): void {
  if (((frames.flags[i] ?? 0) & FrameFlag.SRC_MAC) === 0) return;
  const source = macFromWords(frames.srcMacHigh[i] ?? 0, frames.srcMacLow[i] ?? 0);
  if (source === voice.mac) return;
  if (voice.carriers.has(source) || voice.carriers.size < MAX_CARRIERS)
    voice.carriers = new Map(voice.carriers).set(source, (voice.carriers.get(source) ?? 0) + 1);
}

function isToAll(frames: FrameBatch, i: number): boolean {
  if (((frames.flags[i] ?? 0) & FrameFlag.DST_MAC) === 0) return true;
  return isGroupMac(macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0));
}
