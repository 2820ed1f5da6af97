/** Plain frames of known taps are legs and claim nothing: `src/reconstruct/reconstruction.ts` has to see the others only. */

import {
  COUNTED,
  FRAMES,
  KNOWN_TAPS,
  MAX_INTERFACES,
  PLAIN,
  SKIP,
  SPAN,
  TAP_SLOTS,
  TAPS,
  UNSETTLED,
} from '../src/bytes/core-layout';
import { F_INTERFACE, F_TIME, F_VLAN } from '../src/records/batch-layout';

/** Gives rows their tap and counts them. Returns how many rows it left; those stand at `UNSETTLED`. */
export function settle(count: i32): i32 {
  let first = load<f64>(SPAN);
  let last = load<f64>(SPAN, 8);
  let left = 0;
  for (let row = 0; row < count; row++) {
    const index = load<i32>(row << 2, FRAMES + F_INTERFACE);
    const key = (index << 13) + load<i32>(row << 2, FRAMES + F_VLAN) + 2;
    const slot = ((key ^ (key >>> 13)) & (TAP_SLOTS - 1)) << 3;
    if (load<u8>(row, PLAIN) == 0 || index >= MAX_INTERFACES || load<i32>(slot, KNOWN_TAPS) != key) {
      store<i32>(left << 2, row, UNSETTLED);
      left++;
      continue;
    }
    store<i32>(row << 2, load<i32>(slot, KNOWN_TAPS + 4), TAPS);
    store<u8>(row, 0, SKIP);
    store<i32>(index << 2, load<i32>(index << 2, COUNTED) + 1, COUNTED);
    const time = load<f64>(row << 3, FRAMES + F_TIME);
    if (!(first <= time) && time == time) first = time;
    if (!(last >= time) && time == time) last = time;
  }
  store<f64>(SPAN, first);
  store<f64>(SPAN, last, 8);
  return left;
}
