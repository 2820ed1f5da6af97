/** Search in what is in order of time. */

/**
 * Index of the first of `count` elements that is not earlier than a time; `count`, when all are.
 * @param timeAt the time of the element with an index, in the unit of `time`; never falls
 */
export function firstSince(count: number, timeAt: (index: number) => number, time: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeAt(middle) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
