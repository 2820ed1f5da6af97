/** PPP's protocol field, which stands in several places. */

import { etherTypeOfPpp, pppHeaderEnd } from '../decode/shim.js';
import type { Rewrite } from './rewrite.js';

/** Keeps a PPP protocol field. @returns the EtherType of what it announces and where that begins, if it is known */
export function stepPpp(w: Rewrite, at: number): { type: number; next: number } | undefined {
  const next = pppHeaderEnd(w.view, at, w.bytes.length);
  if (next < 0) return undefined;
  w.number(at, next - at);
  const type = etherTypeOfPpp(w.view, at);
  return type < 0 ? undefined : { type, next };
}
