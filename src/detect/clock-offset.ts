/** How far two clocks are apart, by packets that both saw. */

/** One packet that two inputs saw. */
export interface ClockSample {
  /** The MACs that it went between: packets of each way have delays of their own. */
  readonly from: number;
  readonly to: number;
  /** It has a number that a question asked again would not have. */
  readonly isNumbered: boolean;
  /** When the first input saw it, and how much later the second one did; ns. */
  readonly at: number;
  readonly difference: number;
}

export interface ClockEstimate {
  /** ns that the second clock shows more than the first. */
  readonly offset: number;
  /** It may be off by as much either way. */
  readonly uncertainty: number;
  /** Packets that it rests on. */
  readonly pairs: number;
}

/** Time stamps of pcap are whole microseconds. */
const RESOLUTION = 1e3;
/** A way with fewer packets says nothing of its least delay. */
const MIN_WAY = 3;

/**
 * The offset of two clocks by differences of sightings, in lists by way; undefined without any.
 */
export function estimateOf(ways: Iterable<readonly number[]>): ClockEstimate | undefined {
  const edges = [...ways].map(edgeOf).sort((a, b) => b.pairs - a.pairs || a.edge - b.edge);
  const [most] = edges;
  if (!most) return undefined;
  // Frames of the opposite way are delayed towards the other clock: the truth lies between the two.
  const other = edges.slice(1).find((way) => way.pairs >= MIN_WAY) ?? most;
  return {
    offset: (most.edge + other.edge) / 2,
    uncertainty: Math.max(Math.abs(most.edge - other.edge) / 2, Math.min(most.spread, other.spread), RESOLUTION),
    pairs: edges.reduce((sum, way) => sum + way.pairs, 0),
  };
}

/** Delays have a least value and a long tail, so the end of the differences at which they crowd is the one without delay. */
function edgeOf(differences: readonly number[]): { edge: number; spread: number; pairs: number } {
  const sorted = differences.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.round((sorted.length - 1) * part)] ?? 0;
  const [low, middle, high] = [at(0), at(0.5), at(1)];
  const edge = middle - low <= high - middle ? low : high;
  return { edge, spread: Math.abs(middle - edge), pairs: sorted.length };
}

const MIN_PAIRS = 4;
/** Packets whose differences lie this close are of one constant shift, ns. */
export const TOGETHER = 2e7;
const MOST = 0.9;
/** Less than this may be the way between the taps. */
const MIN_SHIFT = 5e7;
/** So may more than that where all packets went one way, unless no way is so steady: below this, and this many times the spread. */
const MIN_SHIFT_ONE_WAY = 1e9;
const STEADY = 500;
/** The shift is so many times what it may be off by. */
const CLEAR = 5;

/** A shift that nearly all packets agree on. */
export interface ConstantShift extends ClockEstimate {
  /** It is no delay between the taps, and clearly above what it may be off by. */
  readonly isClear: boolean;
  /** The clocks are one: there is none, or no more than a delay between the taps. */
  readonly isOne: boolean;
}

/**
 * The constant shift of a clock by many packets, nearly all of which agree on it; undefined when there is none. Clocks
 * that drift apart while the packets pass, and captures of other packets that look the same, do not agree.
 */
export function constantShift(samples: readonly ClockSample[]): ConstantShift | undefined {
  const agreeing = densest(samples, TOGETHER, ({ difference }) => difference);
  if (agreeing.length < MIN_PAIRS || agreeing.length < MOST * samples.length) return undefined;
  const bothWays = oppositeWays(agreeing);
  const found = estimateOf(bothWays ?? [agreeing.map(({ difference }) => difference)]);
  if (!found) return undefined;
  const shift = Math.abs(found.offset);
  // What goes the other way is seen by both at one time, where a queue holds up one way only.
  const isQueue = samples.some(({ difference }) => Math.abs(difference) < MIN_SHIFT);
  const isSteady = !isQueue && (shift >= MIN_SHIFT_ONE_WAY || shift > STEADY * found.uncertainty);
  // Questions that nobody answers are asked again: with the same bytes, and all after the same time.
  const isOnce = agreeing.filter(({ isNumbered }) => isNumbered).length >= MIN_PAIRS;
  const isShift = bothWays !== undefined || (isSteady && isOnce);
  const isClear = shift >= MIN_SHIFT && isShift && shift > CLEAR * found.uncertainty;
  const isOne = !isClear && (isQueue || shift < MIN_SHIFT_ONE_WAY);
  return { ...found, pairs: agreeing.length, isClear, isOne };
}

/** The differences of two stations' packets for each other, of the two that sent the most; undefined when no two of them answer each other. */
function oppositeWays(samples: readonly ClockSample[]): readonly [readonly number[], readonly number[]] | undefined {
  const ways = new Map<string, number[]>();
  for (const { from, to, difference } of samples) {
    const known = ways.get(`${from} ${to}`);
    if (known) known.push(difference);
    else ways.set(`${from} ${to}`, [difference]);
  }
  let best: readonly [readonly number[], readonly number[]] | undefined;
  let most = MIN_WAY - 1;
  for (const { from, to } of samples) {
    const [there, back] = [ways.get(`${from} ${to}`), ways.get(`${to} ${from}`)];
    if (from === to || !there || !back || Math.min(there.length, back.length) <= most) continue;
    most = Math.min(there.length, back.length);
    best = [there, back];
  }
  return best;
}

/**
 * What too few packets to rely on suggest, or packets of which many disagree: how far the second clock is ahead of the
 * first; undefined when some of them show that the clocks are one, or no two agree.
 */
export function suggestedShift(samples: readonly ClockSample[]): ClockEstimate | undefined {
  const agreeing = densest(samples, TOGETHER, ({ difference }) => difference);
  const found = estimateOf([agreeing.map(({ difference }) => difference)]);
  const isOne = samples.some(({ difference }) => Math.abs(difference) < MIN_SHIFT);
  return found && found.pairs > 1 && !isOne ? found : undefined;
}

/** The most samples within `width` of each other, in order of their values; the lowest ones where several are as many. */
export function densest<T>(samples: readonly T[], width: number, valueOf: (sample: T) => number): T[] {
  const sorted = samples.toSorted((a, b) => valueOf(a) - valueOf(b));
  let [from, to] = [0, 0];
  let start = 0;
  for (const [i, sample] of sorted.entries()) {
    for (let low = sorted[start]; low !== undefined && valueOf(sample) - valueOf(low) > width; low = sorted[start])
      start++;
    if (i + 1 - start > to - from) [from, to] = [start, i + 1];
  }
  return sorted.slice(from, to);
}
