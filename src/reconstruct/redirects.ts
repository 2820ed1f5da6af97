/** Redirects (ICMP, RFC 792; ICMPv6, RFC 4861 section 8): who told whom to reach an address another way. */

import { ipFromWord, macFromWords, type Ip, type Mac } from '../bytes/address.js';
import type { FrameBatch } from '../records/frame-batch.js';

export interface Redirect {
  readonly tap: number;
  /** MAC and address of the router that says it, and the MAC that it was said to. */
  readonly from: Mac;
  readonly fromIp: Ip;
  readonly to: Mac;
  readonly destination: Ip;
  readonly nextHop: Ip;
  /** ns since the analysis epoch. */
  readonly first: number;
  readonly firstFrame: number;
  count: number;
}

const MAX_REDIRECTS = 4096;

export class Redirects {
  private readonly known = new Map<string, Redirect>();

  get all(): Iterable<Redirect> {
    return this.known.values();
  }

  /** Takes row `i`, a redirect. */
  add(frames: FrameBatch, i: number, tap: number): void {
    const version = frames.claimIpVersion[i] ?? 4;
    const from = macFromWords(frames.srcMacHigh[i] ?? 0, frames.srcMacLow[i] ?? 0);
    const to = macFromWords(frames.dstMacHigh[i] ?? 0, frames.dstMacLow[i] ?? 0);
    const destination = ipFromWord(frames.targetIp[i] ?? 0, version);
    const nextHop = ipFromWord(frames.claimIp[i] ?? 0, version);
    const key = `${tap} ${from} ${to} ${destination} ${nextHop}`;
    const same = this.known.get(key);
    if (same) same.count++;
    else if (this.known.size < MAX_REDIRECTS) {
      this.known.set(key, {
        tap,
        from,
        fromIp: ipFromWord(frames.srcIp[i] ?? 0, version),
        to,
        destination,
        nextHop,
        first: frames.time[i] ?? NaN,
        firstFrame: frames.frame[i] ?? 0,
        count: 1,
      });
    }
  }
}
