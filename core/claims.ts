/** Claims, as `src/reconstruct/claims.ts`, `claim-runs.ts`, `voices.ts` and `repeats.ts` keep them. */

import {
  ASKER_TABLE,
  FRAMES,
  H_COUNT,
  HEARD,
  HEARD_LIST,
  PLACE_LIST,
  PLACE_TABLE,
  PLACES,
  QUESTIONS,
  REPEATS,
  REQUEST_LIST,
  REQUESTS,
  RUN_LIST,
  RUNS,
  VOICE_LIST,
  VOICES,
} from '../src/bytes/core-layout';
import * as At from '../src/reconstruct/claim-layout';
import {
  F_CLAIM,
  F_CLAIM_IP,
  F_CLAIM_MAC_HIGH,
  F_CLAIM_MAC_LOW,
  F_CLAIM_VERSION,
  F_DST_MAC_HIGH,
  F_DST_MAC_LOW,
  F_FRAME,
  F_SRC_MAC_HIGH,
  F_SRC_MAC_LOW,
  F_TARGET_IP,
  F_TIME,
} from '../src/records/batch-layout';
import {
  ARP_GRATUITOUS,
  ARP_PROBE,
  ARP_REPLY,
  ARP_REQUEST,
  ND_SOLICITATION,
  ND_UNSOLICITED,
  ND_WEAK,
} from './neighbors';
import { append, find, hasRoom, intern } from './table';

/** Of the upper 16 bits of a MAC: it is a group's. */
const GROUP_BIT = 0x100;

/** Takes the claim of the row whose words stand at `c` of the columns. False: nothing was done, the plain code has to. */
export function addClaim(c: i32, tap: i32): bool {
  const kind = load<i32>(c, FRAMES + F_CLAIM);
  const version = load<i32>(c, FRAMES + F_CLAIM_VERSION);
  const ip = load<i32>(c, FRAMES + F_CLAIM_IP);
  const isQuestion = kind == ARP_REQUEST || kind == ND_SOLICITATION;
  const isToOne = (load<i32>(c, FRAMES + F_DST_MAC_HIGH) & GROUP_BIT) == 0;
  // Who asks one MAC is seldom, and noted by the plain code.
  if (isQuestion && isToOne) return false;
  if (!isOrdinary(c, kind, find(PLACE_TABLE, tap, version, ip, 0))) return false;
  if ((isQuestion || kind == ARP_REPLY) && tap < At.REPEAT_TAPS) addRepeat(c, REPEATS + tap * (At.REPEAT_WORDS << 2));
  if (isQuestion) {
    const asked = placeOf(tap, version, load<i32>(c, FRAMES + F_TARGET_IP));
    request(c, asked);
    ask(c, asked);
  }
  if (kind == ARP_PROBE) return true;
  const place = placeOf(tap, version, ip);
  claim(c, place, kind);
  addVoice(c, place, kind);
  return true;
}

/** Whether there is room for all that may be added, no limit is near, and nobody speaks for another MAC. */
function isOrdinary(c: i32, kind: i32, place: i32): bool {
  if (!hasRoom(PLACE_TABLE, 2) || !hasRoom(PLACE_LIST, 2) || !hasRoom(ASKER_TABLE, 1)) return false;
  if (!hasRoom(REQUEST_LIST, 1) || !hasRoom(RUN_LIST, 1) || !hasRoom(HEARD_LIST, 1)) return false;
  if (!hasRoom(VOICE_LIST, 1) || load<i32>(VOICE_LIST, H_COUNT) >= At.MAX_VOICES) return false;
  if (load<i32>(RUN_LIST, H_COUNT) >= At.MAX_RUNS || load<i32>(QUESTIONS) >= At.MAX_QUESTIONS) return false;
  if (kind == ARP_PROBE) return true;
  if (place >= 0) {
    const p = placeAt(place);
    if (load<i32>(p, At.PLACE_RUNS << 2) >= At.MAX_RUNS_PER_ADDRESS) return false;
    if (load<i32>(p, At.PLACE_VOICES << 2) >= At.MAX_VOICES_PER_ADDRESS) return false;
  }
  return (
    load<i32>(c, FRAMES + F_SRC_MAC_LOW) == load<i32>(c, FRAMES + F_CLAIM_MAC_LOW) &&
    load<i32>(c, FRAMES + F_SRC_MAC_HIGH) == load<i32>(c, FRAMES + F_CLAIM_MAC_HIGH)
  );
}

function placeOf(tap: i32, version: i32, ip: i32): i32 {
  const place = intern(PLACE_TABLE, tap, version, ip, 0);
  if (place == load<i32>(PLACE_LIST, H_COUNT)) append(PLACE_LIST);
  return place;
}

function placeAt(place: i32): i32 {
  return PLACES + place * (At.PLACE_WORDS << 2);
}

function increment(at: i32): void {
  store<i32>(at, load<i32>(at) + 1);
}

function request(c: i32, place: i32): void {
  const high = load<i32>(c, FRAMES + F_CLAIM_MAC_HIGH);
  const number = intern(ASKER_TABLE, place, high, load<i32>(c, FRAMES + F_CLAIM_MAC_LOW), 0);
  const r = REQUESTS + number * (At.REQUEST_WORDS << 2);
  if (number == load<i32>(REQUEST_LIST, H_COUNT)) {
    append(REQUEST_LIST);
    store<i32>(r, load<i32>(c, FRAMES + F_FRAME), At.REQUEST_FIRST_FRAME << 2);
    store<f64>(r, load<f64>(c << 1, FRAMES + F_TIME), At.REQUEST_FIRST << 2);
  }
  increment(r + (At.REQUEST_COUNT << 2));
}

function ask(c: i32, place: i32): void {
  const p = placeAt(place);
  if (load<i32>(p, At.PLACE_QUESTION << 2) == 0) {
    increment(QUESTIONS);
    store<i32>(p, 1, At.PLACE_QUESTION << 2);
  }
  store<i32>(p, 0, At.PLACE_ANSWERER << 2);
  store<f64>(p, load<f64>(c << 1, FRAMES + F_TIME), At.PLACE_ASKED << 2);
  store<f64>(p, NaN, At.PLACE_ANSWERED << 2);
}

function claim(c: i32, place: i32, kind: i32): void {
  const r = runOf(c, place, kind);
  if (r == 0) return;
  const time = load<f64>(c << 1, FRAMES + F_TIME);
  const frame = load<i32>(c, FRAMES + F_FRAME);
  store<f64>(r, time, At.RUN_LAST << 2);
  store<i32>(r, frame, At.RUN_LAST_FRAME << 2);
  increment(r + (At.RUN_COUNT << 2));
  if (load<i32>(c, FRAMES + F_DST_MAC_HIGH) & GROUP_BIT) {
    const all = load<f64>(r, At.RUN_ALL << 2);
    if (all == all || kind == ND_SOLICITATION) return;
    store<f64>(r, time, At.RUN_ALL << 2);
    store<i32>(r, frame, At.RUN_ALL_FRAME << 2);
    store<i32>(r, kind, At.RUN_ALL_KIND << 2);
  } else {
    hear(c, r, kind);
  }
}

/** The record of the run that a claim belongs to, which may be a new one; 0 when it is not to be counted. */
function runOf(c: i32, place: i32, kind: i32): i32 {
  const p = placeAt(place);
  const high = load<i32>(c, FRAMES + F_CLAIM_MAC_HIGH);
  const low = load<i32>(c, FRAMES + F_CLAIM_MAC_LOW);
  const newest = load<i32>(p, At.PLACE_NEWEST << 2) - 1;
  if (newest >= 0) {
    const r = RUNS + newest * (At.RUN_WORDS << 2);
    if (load<i32>(r, At.RUN_MAC_LOW << 2) == low && load<i32>(r, At.RUN_MAC_HIGH << 2) == high) return r;
    if (kind == ND_WEAK) return 0;
  }
  const run = append(RUN_LIST);
  const r = RUNS + run * (At.RUN_WORDS << 2);
  store<i32>(r, place, At.RUN_PLACE << 2);
  store<i32>(r, high, At.RUN_MAC_HIGH << 2);
  store<i32>(r, low, At.RUN_MAC_LOW << 2);
  store<i32>(r, kind, At.RUN_KIND << 2);
  store<i32>(r, kind, At.RUN_ALL_KIND << 2);
  store<i32>(r, load<i32>(c, FRAMES + F_FRAME), At.RUN_FIRST_FRAME << 2);
  store<f64>(r, load<f64>(c << 1, FRAMES + F_TIME), At.RUN_FIRST << 2);
  store<f64>(r, NaN, At.RUN_ALL << 2);
  store<i32>(p, run + 1, At.PLACE_NEWEST << 2);
  increment(p + (At.PLACE_RUNS << 2));
  return r;
}

function hear(c: i32, r: i32, kind: i32): void {
  if (load<i32>(r, At.RUN_HEARERS << 2) >= At.MAX_HEARD_BY) return;
  const high = load<i32>(c, FRAMES + F_DST_MAC_HIGH);
  const low = load<i32>(c, FRAMES + F_DST_MAC_LOW);
  const newest = load<i32>(r, At.RUN_HEARD << 2);
  for (let at = newest; at != 0; at = load<i32>(heardAt(at), At.HEARD_NEXT << 2)) {
    const h = heardAt(at);
    if (load<i32>(h, At.HEARD_MAC_LOW << 2) == low && load<i32>(h, At.HEARD_MAC_HIGH << 2) == high) return;
  }
  const at = append(HEARD_LIST) + 1;
  const h = heardAt(at);
  store<i32>(h, high, At.HEARD_MAC_HIGH << 2);
  store<i32>(h, low, At.HEARD_MAC_LOW << 2);
  store<i32>(h, load<i32>(c, FRAMES + F_FRAME), At.HEARD_FRAME << 2);
  store<i32>(h, kind, At.HEARD_KIND << 2);
  store<i32>(h, newest, At.HEARD_NEXT << 2);
  store<f64>(h, load<f64>(c << 1, FRAMES + F_TIME), At.HEARD_TIME << 2);
  store<i32>(r, at, At.RUN_HEARD << 2);
  increment(r + (At.RUN_HEARERS << 2));
}

/** The record whose number + 1 is `at`. */
function heardAt(at: i32): i32 {
  return HEARD + (at - 1) * (At.HEARD_WORDS << 2);
}

function addVoice(c: i32, place: i32, kind: i32): void {
  const voice = voiceOf(c, place);
  const v = voiceAt(voice);
  store<f64>(v, load<f64>(c << 1, FRAMES + F_TIME), At.VOICE_LAST << 2);
  store<i32>(v, load<i32>(c, FRAMES + F_FRAME), At.VOICE_LAST_FRAME << 2);
  const isToAll = (load<i32>(c, FRAMES + F_DST_MAC_HIGH) & GROUP_BIT) != 0;
  if (kind == ARP_REQUEST || kind == ND_SOLICITATION) increment(v + (At.VOICE_ASKING << 2));
  else if (kind == ARP_GRATUITOUS || (kind == ND_UNSOLICITED && isToAll)) increment(v + (At.VOICE_ANNOUNCED << 2));
  else answer(c, placeAt(place), voice, isToAll);
}

function answer(c: i32, p: i32, voice: i32, isToAll: bool): void {
  const v = voiceAt(voice);
  const time = load<f64>(c << 1, FRAMES + F_TIME);
  const frame = load<i32>(c, FRAMES + F_FRAME);
  if (load<i32>(p, At.PLACE_QUESTION << 2) == 0 || !(time - load<f64>(p, At.PLACE_ASKED << 2) < At.ANSWER)) {
    if (isToAll) {
      increment(v + (At.VOICE_ANNOUNCED << 2));
      return;
    }
    increment(v + (At.VOICE_UNASKED << 2));
    const kept = load<i32>(v, At.VOICE_UNASKED_KEPT << 2);
    if (kept >= At.MAX_UNASKED_FRAMES) return;
    store<i32>(v + (kept << 2), frame, At.VOICE_UNASKED_FRAMES << 2);
    store<i32>(v, kept + 1, At.VOICE_UNASKED_KEPT << 2);
    return;
  }
  increment(v + (At.VOICE_ASKED << 2));
  const other = load<i32>(p, At.PLACE_ANSWERER << 2) - 1;
  if (other >= 0 && other != voice && time - load<f64>(p, At.PLACE_ANSWERED << 2) < At.RIVAL) {
    const before = load<i32>(p, At.PLACE_ANSWER_FRAME << 2);
    noteRival(v, before, frame);
    noteRival(voiceAt(other), before, frame);
  }
  store<f64>(p, time, At.PLACE_ANSWERED << 2);
  store<i32>(p, frame, At.PLACE_ANSWER_FRAME << 2);
  store<i32>(p, voice + 1, At.PLACE_ANSWERER << 2);
}

function voiceOf(c: i32, place: i32): i32 {
  const p = placeAt(place);
  const high = load<i32>(c, FRAMES + F_CLAIM_MAC_HIGH);
  const low = load<i32>(c, FRAMES + F_CLAIM_MAC_LOW);
  const newest = load<i32>(p, At.PLACE_VOICE << 2);
  for (let voice = newest - 1; voice >= 0; voice = load<i32>(voiceAt(voice), At.VOICE_NEXT << 2) - 1) {
    const v = voiceAt(voice);
    if (load<i32>(v, At.VOICE_MAC_LOW << 2) == low && load<i32>(v, At.VOICE_MAC_HIGH << 2) == high) return voice;
  }
  const voice = append(VOICE_LIST);
  const v = voiceAt(voice);
  store<i32>(v, place, At.VOICE_PLACE << 2);
  store<i32>(v, high, At.VOICE_MAC_HIGH << 2);
  store<i32>(v, low, At.VOICE_MAC_LOW << 2);
  store<i32>(v, newest, At.VOICE_NEXT << 2);
  store<i32>(v, load<i32>(c, FRAMES + F_FRAME), At.VOICE_FIRST_FRAME << 2);
  store<f64>(v, load<f64>(c << 1, FRAMES + F_TIME), At.VOICE_FIRST << 2);
  store<i32>(p, voice + 1, At.PLACE_VOICE << 2);
  increment(p + (At.PLACE_VOICES << 2));
  return voice;
}

function voiceAt(voice: i32): i32 {
  return VOICES + voice * (At.VOICE_WORDS << 2);
}

function noteRival(v: i32, before: i32, frame: i32): void {
  increment(v + (At.VOICE_RIVALLED << 2));
  const kept = load<i32>(v, At.VOICE_RIVAL_KEPT << 2);
  if (kept >= At.MAX_PAIRED_FRAMES) return;
  store<i32>(v + (kept << 2), before, At.VOICE_RIVAL_FRAMES << 2);
  store<i32>(v + (kept << 2), frame, (At.VOICE_RIVAL_FRAMES + 1) << 2);
  store<i32>(v, kept + 2, At.VOICE_RIVAL_KEPT << 2);
}

/** Looks whether a tap, whose record is at `r`, showed the same message just before. */
function addRepeat(c: i32, r: i32): void {
  const time = load<f64>(c << 1, FRAMES + F_TIME);
  const frame = load<i32>(c, FRAMES + F_FRAME);
  if (load<i32>(r, At.REPEAT_SEEN << 2) == 0) {
    store<f64>(r, NaN, At.REPEAT_FIRST << 2);
    store<f64>(r, NaN, At.REPEAT_START << 2);
    for (let slot = 0; slot < At.REPEAT_KEPT; slot++) store<f64>(r + (slot << 3), NaN, At.REPEAT_TIMES << 2);
  }
  increment(r + (At.REPEAT_SEEN << 2));
  store<f64>(r, time, At.REPEAT_LAST << 2);
  const start = load<f64>(r, At.REPEAT_START << 2);
  if (start != start) store<f64>(r, time, At.REPEAT_START << 2);
  for (let slot = 0; slot < At.REPEAT_KEPT; slot++) {
    const age = time - load<f64>(r + (slot << 3), At.REPEAT_TIMES << 2);
    if (!(age >= 0 && age < At.SOON) || !isSame(messageAt(r, slot), c)) continue;
    if (load<i32>(r, At.REPEAT_REPEATED << 2) == 0) store<f64>(r, time, At.REPEAT_FIRST << 2);
    increment(r + (At.REPEAT_REPEATED << 2));
    notePair(r, load<i32>(r + (slot << 2), At.REPEAT_NUMBERS << 2), frame);
    break;
  }
  const next = load<i32>(r, At.REPEAT_NEXT << 2);
  store<i32>(r, (next + 1) % At.REPEAT_KEPT, At.REPEAT_NEXT << 2);
  store<f64>(r + (next << 3), time, At.REPEAT_TIMES << 2);
  store<i32>(r + (next << 2), frame, At.REPEAT_NUMBERS << 2);
  const m = messageAt(r, next);
  store<i32>(m, load<i32>(c, FRAMES + F_CLAIM));
  store<i32>(m, load<i32>(c, FRAMES + F_CLAIM_IP), 4);
  store<i32>(m, load<i32>(c, FRAMES + F_CLAIM_MAC_HIGH), 8);
  store<i32>(m, load<i32>(c, FRAMES + F_CLAIM_MAC_LOW), 12);
  store<i32>(m, load<i32>(c, FRAMES + F_TARGET_IP), 16);
  store<i32>(m, load<i32>(c, FRAMES + F_SRC_MAC_HIGH), 20);
  store<i32>(m, load<i32>(c, FRAMES + F_SRC_MAC_LOW), 24);
  store<i32>(m, load<i32>(c, FRAMES + F_DST_MAC_HIGH), 28);
  store<i32>(m, load<i32>(c, FRAMES + F_DST_MAC_LOW), 32);
}

function messageAt(r: i32, slot: i32): i32 {
  return r + ((At.REPEAT_MESSAGES + slot * At.REPEAT_COLUMNS) << 2);
}

function isSame(m: i32, c: i32): bool {
  return (
    load<i32>(m) == load<i32>(c, FRAMES + F_CLAIM) &&
    load<i32>(m, 4) == load<i32>(c, FRAMES + F_CLAIM_IP) &&
    load<i32>(m, 8) == load<i32>(c, FRAMES + F_CLAIM_MAC_HIGH) &&
    load<i32>(m, 12) == load<i32>(c, FRAMES + F_CLAIM_MAC_LOW) &&
    load<i32>(m, 16) == load<i32>(c, FRAMES + F_TARGET_IP) &&
    load<i32>(m, 20) == load<i32>(c, FRAMES + F_SRC_MAC_HIGH) &&
    load<i32>(m, 24) == load<i32>(c, FRAMES + F_SRC_MAC_LOW) &&
    load<i32>(m, 28) == load<i32>(c, FRAMES + F_DST_MAC_HIGH) &&
    load<i32>(m, 32) == load<i32>(c, FRAMES + F_DST_MAC_LOW)
  );
}

function notePair(r: i32, before: i32, frame: i32): void {
  const kept = load<i32>(r, At.REPEAT_FRAMES_KEPT << 2);
  if (kept >= At.MAX_PAIRED_FRAMES) return;
  store<i32>(r + (kept << 2), before, At.REPEAT_FRAMES << 2);
  store<i32>(r + (kept << 2), frame, (At.REPEAT_FRAMES + 1) << 2);
  store<i32>(r, kept + 2, At.REPEAT_FRAMES_KEPT << 2);
}
