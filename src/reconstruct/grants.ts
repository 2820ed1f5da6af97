/** What DHCP servers granted, in order: a run for each address and client, and releases. */

import { ipFromWord, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import { Claim, type FrameBatch } from '../records/frame-batch.js';
import { addressKey } from './address-key.js';

/** An address granted to one client, with no other client between. ns since the analysis epoch. */
export interface Grant {
  readonly tap: number;
  readonly ip: Ip;
  /** chaddr */
  readonly client: Mac;
  readonly first: number;
  readonly firstFrame: number;
  last: number;
  /** Frame and time of the client's release, when there was one. */
  released: { time: number; frame: number } | undefined;
}

const MAX_GRANTS = 100_000;

export class Grants {
  readonly all: Grant[] = [];
  private readonly newest = new Map<number, Grant>();

  /** Takes row `i`, a DHCP ACK or release. */
  add(frames: FrameBatch, i: number, tap: number): void {
    const ip = ipFromWord(frames.claimIp[i] ?? 0, 4);
    const client = macFromWords(frames.claimMacHigh[i] ?? 0, frames.claimMacLow[i] ?? 0);
    const time = frames.time[i] ?? NaN;
    const frame = frames.frame[i] ?? 0;
    const key = addressKey(tap, ip);
    const grant = this.newest.get(key);
    if (frames.claim[i] === Claim.DHCP_RELEASE) {
      if (grant?.client === client) grant.released = { time, frame };
      return;
    }
    if (grant?.client === client && !grant.released) {
      grant.last = time;
      return;
    }
    if (this.all.length >= MAX_GRANTS) return;
    const added: Grant = { tap, ip, client, first: time, firstFrame: frame, last: time, released: undefined };
    this.all.push(added);
    this.newest.set(key, added);
  }
}
