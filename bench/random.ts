/** A small seeded generator (xorshift32, Marsaglia 2003): the same seed gives the same captures everywhere. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed | 0 || 1;
  }

  /** A signed 32-bit number. */
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x;
  }

  /** A whole number from 0 to `limit - 1`. */
  below(limit: number): number {
    return Math.floor(((this.next() >>> 0) / 0x1_0000_0000) * limit);
  }
}
