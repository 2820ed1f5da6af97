/** Rulings over time, put over one another. */

import type { Ruling, Stretch } from './ruling.js';

/**
 * Puts a ruling over the delivered part of the stretches between two times, and over what could not be judged because
 * nobody knew the next hop, unless the ruling itself is only a doubt.
 */
export function overrule(stretches: Stretch[], from: number, until: number, ruling: Ruling): void {
  const cut = (time: number): void => {
    const at = stretches.findLastIndex((stretch) => stretch.from <= time);
    const before = stretches[at];
    if (before && before.from < time) stretches.splice(at + 1, 0, { from: time, ruling: before.ruling });
  };
  cut(from);
  if (Number.isFinite(until)) cut(until);
  for (const [i, stretch] of stretches.entries()) {
    const isInside = stretch.from >= from && stretch.from < until;
    const { verdict, class: name, reason } = stretch.ruling;
    const isOpen = (verdict === 'delivered' && !name) || (reason === 'unknown-next-hop' && !ruling.doubt);
    if (isInside && isOpen) stretches[i] = { from: stretch.from, ruling };
  }
}
