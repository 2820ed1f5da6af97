/** How the readers of link headers report into a frame batch. */

import { type FrameBatch, FrameFlag } from '../records/frame-batch.js';

/** Sets what the link layer was, and what follows it where. */
export function follow(frames: FrameBatch, row: number, link: number, etherType: number, at: number): void {
  frames.link[row] = link;
  frames.etherType[row] = etherType;
  frames.networkOffset[row] = at;
}

/** Sets what the link layer was, and that its header is not whole. */
export function cut(frames: FrameBatch, row: number, link: number): void {
  frames.link[row] = link;
  frames.flags[row] = (frames.flags[row] ?? 0) | FrameFlag.CUT;
}

/** Sets a bit of the `flags` column. */
export function addFlag(frames: FrameBatch, row: number, flag: number): void {
  frames.flags[row] = (frames.flags[row] ?? 0) | flag;
}

/** Reads a 48-bit source address. */
export function setSource(view: DataView, at: number, frames: FrameBatch, row: number): void {
  frames.srcMacHigh[row] = view.getUint16(at);
  frames.srcMacLow[row] = view.getInt32(at + 2);
  addFlag(frames, row, FrameFlag.SRC_MAC);
}

/** Reads a 48-bit destination address. */
export function setDestination(view: DataView, at: number, frames: FrameBatch, row: number): void {
  frames.dstMacHigh[row] = view.getUint16(at);
  frames.dstMacLow[row] = view.getInt32(at + 2);
  addFlag(frames, row, FrameFlag.DST_MAC);
}
