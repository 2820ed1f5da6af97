import type { Epoch } from '../records/epoch.js';
import type { TimeResolution } from '../records/packet-batch.js';

const WORD = 0x1_0000_0000;
const NS_PER_SECOND = 1_000_000_000;

/**
 * Absolute time of a time stamp, in ns since 1970; anything finer than a ns is cut off. Slow and exact.
 * @param high upper, @param low lower 32 bits as in `PacketBatch.ticksHigh` and `ticksLow`
 */
export function exactTime(resolution: TimeResolution, high: number, low: number): bigint {
  const perSecond = ticksPerSecond(resolution);
  const offset = resolution.offsetSeconds * BigInt(NS_PER_SECOND);
  if (resolution.split) {
    return (
      offset + BigInt(high >>> 0) * BigInt(NS_PER_SECOND) + (BigInt(low >>> 0) * BigInt(NS_PER_SECOND)) / perSecond
    );
  }
  const ticks = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return offset + (ticks * BigInt(NS_PER_SECOND)) / perSecond;
}

function ticksPerSecond(resolution: TimeResolution): bigint {
  return BigInt(resolution.base) ** BigInt(resolution.exponent);
}

/** How the ticks of an interface are scaled: by resolution, so that every step stays exact. */
const TimeMethod = { SPLIT: 0, MULTIPLY: 1, DIVIDE: 2, BINARY: 3, BINARY_WIDE: 4, EXACT: 5 } as const;

/**
 * Turns the ticks of one interface into ns since the analysis epoch, without BigInt for all resolutions in use.
 *
 * 64-bit ticks do not fit a number, but their distance from the epoch does: the epoch's own ticks are subtracted in
 * halves. All divisions are arranged so that no intermediate value exceeds 2^53.
 */
export class TimeScale {
  readonly resolution: TimeResolution;
  private readonly epoch: Epoch;
  private readonly kind: number;
  /** ns per tick, ticks per ns, or ticks per second, as the method needs. */
  private readonly factor: number;
  private readonly scratch = new Float64Array(1);
  private bound = false;
  /**
   * The epoch in ticks, upper (signed) and lower 32 bits; for SPLIT the epoch's second. No small integers to begin with, so
   * that the engine does not take them for such.
   */
  private baseHigh = NaN;
  private baseLow = NaN;

  constructor(resolution: TimeResolution, epoch: Epoch) {
    this.resolution = resolution;
    this.epoch = epoch;
    const { base, exponent, split } = resolution;
    if (split) {
      this.kind = TimeMethod.SPLIT;
      this.factor = 10 ** (9 - exponent);
    } else if (base === 10) {
      this.kind = exponent <= 9 ? TimeMethod.MULTIPLY : exponent <= 15 ? TimeMethod.DIVIDE : TimeMethod.EXACT;
      this.factor = 10 ** Math.abs(9 - exponent);
    } else {
      this.kind = exponent <= 23 ? TimeMethod.BINARY : exponent <= 32 ? TimeMethod.BINARY_WIDE : TimeMethod.EXACT;
      this.factor = 2 ** exponent;
    }
  }

  /** ns since the epoch; the first time of an analysis sets the epoch. */
  time(high: number, low: number): number {
    this.put(this.scratch, 0, high, low);
    return this.scratch[0] ?? NaN;
  }

  /** Writes the time into a column: a number that a call hands back may cost an object. */
  put(column: Float64Array, row: number, high: number, low: number): void {
    if (!this.bound) this.bind(high, low);
    const words = (high >>> 0) - this.baseHigh;
    const rest = (low >>> 0) - this.baseLow;
    const factor = this.factor;
    switch (this.kind) {
      case TimeMethod.SPLIT:
        column[row] = words * NS_PER_SECOND + (low >>> 0) * factor;
        return;
      case TimeMethod.MULTIPLY:
        column[row] = (words * WORD + rest) * factor;
        return;
      case TimeMethod.DIVIDE: {
        const whole = Math.floor(words / factor);
        column[row] = whole * WORD + Math.floor(((words - whole * factor) * WORD + rest) / factor);
        return;
      }
      case TimeMethod.BINARY:
      case TimeMethod.BINARY_WIDE: {
        const seconds = Math.floor(rest / factor);
        const fraction = rest - seconds * factor;
        column[row] =
          (words * (WORD / factor) + seconds) * NS_PER_SECOND +
          (this.kind === TimeMethod.BINARY
            ? Math.floor((fraction * NS_PER_SECOND) / factor)
            : scaleFraction(fraction, factor));
        return;
      }
      default:
        column[row] = this.epoch.relative(exactTime(this.resolution, high, low));
    }
  }

  /**
   * How times of the two usual kinds of resolution are made, for the core: `SPLIT` is
   * `(high - baseHigh) * 10^9 + low * factor`, `MULTIPLY` `((high - baseHigh) * 2^32 + (low - baseLow)) * factor`.
   * undefined for others, and before the first time.
   */
  steps(): { method: number; baseHigh: number; baseLow: number; factor: number } | undefined {
    const { kind, baseHigh, baseLow, factor } = this;
    const isUsual = kind === TimeMethod.SPLIT || kind === TimeMethod.MULTIPLY;
    return this.bound && isUsual ? { method: kind, baseHigh, baseLow, factor } : undefined;
  }

  private bind(high: number, low: number): void {
    this.bound = true;
    const first = exactTime(this.resolution, high, low);
    const seconds = BigInt(this.epoch.secondsOr(Number(first / BigInt(NS_PER_SECOND)))) - this.resolution.offsetSeconds;
    if (this.kind === TimeMethod.SPLIT) {
      this.baseHigh = Number(seconds);
      this.baseLow = 0;
      return;
    }
    const ticks = seconds * ticksPerSecond(this.resolution);
    this.baseHigh = Number(ticks >> 32n);
    this.baseLow = Number(ticks & 0xffff_ffffn);
  }
}

/** floor(fraction * 10^9 / unit) for a fraction below unit, unit being 2^24 to 2^32: long division in two digits of 16 bits. */
function scaleFraction(fraction: number, unit: number): number {
  const upper = Math.floor(fraction / 0x1_0000);
  const lower = fraction - upper * 0x1_0000;
  const digit = unit / 0x1_0000;
  const whole = Math.floor((upper * NS_PER_SECOND) / digit);
  const remainder = upper * NS_PER_SECOND - whole * digit;
  return whole + Math.floor((remainder * 0x1_0000 + lower * NS_PER_SECOND) / unit);
}
