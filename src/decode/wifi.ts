/** IEEE 802.11 frames and the radio headers that captures put before them. */

import { type FrameBatch, FrameFlag } from '../records/frame-batch.js';
import { addFlag, setDestination, setSource } from './link-result.js';
import { LinkType } from './link-type.js';

const AVS_MAGIC = 0x80211001;
const PRISM_CODE = 0x44;

/** Where the 802.11 frame begins after the radiotap, Prism or AVS header at `at`; -1 when cut or not such a header. */
export function radioHeaderEnd(view: DataView, linkType: number, at: number, end: number): number {
  if (end - at < 8) return -1;
  let length: number;
  if (linkType === LinkType.RADIOTAP) {
    length = view.getUint16(at + 2, true);
  } else if ((view.getUint32(at) & 0xfffff000) >>> 0 === (AVS_MAGIC & 0xfffff000) >>> 0) {
    length = view.getUint32(at + 4);
  } else if (linkType === LinkType.PRISM) {
    // Written in the byte order of the capturing host.
    length = view.getUint32(at + 4, view.getUint32(at, true) === PRISM_CODE);
  } else {
    return -1;
  }
  return length >= 8 && length <= end - at ? at + length : -1;
}

/** Of the radiotap header at `at`: whether padding stands between MAC header and body (radiotap.org, flags 0x20). */
function hasPadding(view: DataView, at: number, frame: number): boolean {
  const present = view.getUint32(at + 4, true);
  if ((present & 2) === 0) return false;
  let field = at + 8;
  // Bit 31: another bitmap follows.
  for (let word = present; word & 0x80000000; field += 4) {
    if (field + 4 > frame) return false;
    word = view.getUint32(field, true);
  }
  if (present & 1) field = at + ((field - at + 7) & ~7) + 8;
  return field < frame && (view.getUint8(field) & 0x20) !== 0;
}

/**
 * Reads the 802.11 frame at `at` (its radio header, if any, begins at `radio`): destination and source address of
 * management and data frames by ToDS and FromDS (IEEE 802.11 table 9-30), and where the LLC header of an unprotected
 * data frame begins.
 */
export function decodeWifi(
  view: DataView,
  linkType: number,
  radio: number,
  at: number,
  end: number,
  frames: FrameBatch,
  row: number,
): void {
  if (end - at < 2) {
    addFlag(frames, row, FrameFlag.CUT);
    return;
  }
  const control = view.getUint8(at);
  const flags = view.getUint8(at + 1);
  const type = (control >> 2) & 3;
  if (type === 1 || type === 3 || (control & 3) !== 0) return;
  const toDs = type === 2 && (flags & 1) !== 0;
  const fromDs = type === 2 && (flags & 2) !== 0;
  const destination = toDs ? at + 16 : at + 4;
  const source = fromDs ? (toDs ? at + 24 : at + 16) : at + 10;
  let body = at + (toDs && fromDs ? 30 : 24);
  if (body > end) {
    addFlag(frames, row, FrameFlag.CUT);
    return;
  }
  setDestination(view, destination, frames, row);
  setSource(view, source, frames, row);
  const subtype = control >> 4;
  if (type !== 2) return;
  const qos = body;
  if (subtype & 8) body += flags & 0x80 ? 6 : 2;
  if (body > end) {
    addFlag(frames, row, FrameFlag.CUT);
    return;
  }
  const isAggregate = (subtype & 8) !== 0 && (view.getUint8(qos) & 0x80) !== 0;
  // Subtypes with bit 2 carry no data; protected ones none that can be read.
  if (subtype & 4 || flags & 0x40) return;
  if (linkType === LinkType.RADIOTAP && hasPadding(view, radio, at)) body = at + ((body - at + 3) & ~3);
  if (isAggregate) {
    // A-MSDU: the first subframe with its own addresses and length.
    if (end - body < 14) {
      addFlag(frames, row, FrameFlag.CUT);
      return;
    }
    setDestination(view, body, frames, row);
    setSource(view, body + 6, frames, row);
    body += 14;
  }
  if (body >= end) return;
  frames.etherType[row] = 0;
  frames.networkOffset[row] = body;
}
