/**
 * The analysis epoch: a whole second from which all times of an analysis are counted in ns, so that they are plain
 * numbers. Exact for 104 days on either side of it (2^53 ns).
 */

const NS_PER_SECOND = 1_000_000_000n;

export class Epoch {
  private base: number | undefined;

  /** Seconds since 1970 of the epoch; set by the first time that asks for it, so every input of an analysis shares it. */
  secondsOr(first: number): number {
    this.base ??= first;
    return this.base;
  }

  /** Seconds since 1970, or undefined while nothing with a time was read. */
  get seconds(): number | undefined {
    return this.base;
  }

  /** ns since the epoch of an absolute time in ns since 1970. */
  relative(absolute: bigint): number {
    const base = BigInt(this.secondsOr(Number(absolute / NS_PER_SECOND)));
    return Number(absolute - base * NS_PER_SECOND);
  }

  /** Absolute ns since 1970 of a time of this analysis. */
  absolute(relative: number): bigint {
    return BigInt(this.base ?? 0) * NS_PER_SECOND + BigInt(Math.round(relative));
  }

  /** The same as decimal text for outputs; empty when the time is unknown (NaN). */
  text(relative: number): string {
    return Number.isFinite(relative) ? String(this.absolute(relative)) : '';
  }
}
