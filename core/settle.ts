/** Plain frames of known taps are settled here: `src/reconstruct/reconstruction.ts` has to see the others only. */

import {
  COUNTED,
  FRAMES,
  KNOWN_TAPS,
  MAX_INTERFACES,
  NOT_IP,
  PLAIN,
  SKIP,
  SPAN,
  TAP_SLOTS,
  TAPS,
  UNSETTLED,
} from '../src/bytes/core-layout';
import { F_CLAIM, F_INTERFACE, F_PROTOCOL, F_TIME, F_VLAN } from '../src/records/batch-layout';
import { addClaim } from './claims';

/** Gives rows their tap and counts them. Returns how many rows it left; those stand at `UNSETTLED`. */
export function settle(count: i32): i32 {
  let first = load<f64>(SPAN);
  let last = load<f64>(SPAN, 8);
  let left = 0;
  let isClaimLeft = false;
  for (let row = 0; row < count; row++) {
    const c = row << 2;
    const index = load<i32>(c, FRAMES + F_INTERFACE);
    const key = (index << 13) + load<i32>(c, FRAMES + F_VLAN) + 2;
    const slot = ((key ^ (key >>> 13)) & (TAP_SLOTS - 1)) << 3;
    const tap = load<i32>(slot, KNOWN_TAPS + 4);
    let isMine = load<u8>(row, PLAIN) != 0 && index < MAX_INTERFACES && load<i32>(slot, KNOWN_TAPS) == key;
    if (load<i32>(c, FRAMES + F_CLAIM) != 0) {
      // Claims are heard in the order of frames: after one that the plain code has to hear, it hears all of the batch.
      isMine = isMine && !isClaimLeft && addClaim(c, tap);
      isClaimLeft = !isMine;
    }
    if (!isMine) {
      store<i32>(left << 2, row, UNSETTLED);
      left++;
      continue;
    }
    const isIp = load<i32>(c, FRAMES + F_PROTOCOL) >= 0;
    store<i32>(c, tap, TAPS);
    store<u8>(row, isIp ? 0 : 1, SKIP);
    store<i32>(NOT_IP, load<i32>(NOT_IP) + (isIp ? 0 : 1));
    store<i32>(index << 2, load<i32>(index << 2, COUNTED) + 1, COUNTED);
    const time = load<f64>(row << 3, FRAMES + F_TIME);
    if (!(first <= time) && time == time) first = time;
    if (!(last >= time) && time == time) last = time;
  }
  store<f64>(SPAN, first);
  store<f64>(SPAN, last, 8);
  return left;
}
