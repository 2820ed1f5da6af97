/** A line on standard error that tells how far the reading is; only on a terminal, and only after a second. */

import { printable } from '../render/words.js';

const FIRST_AFTER = 1000;
const AGAIN_AFTER = 200;
const MIB = 1024 * 1024;

export class Progress {
  private readonly sizes = new Map<string, number>();
  private readonly enabled: boolean;
  private readonly started = Date.now();
  private shownAt = 0;
  private readonly read = new Map<string, number>();

  constructor(evidence: readonly { readonly name: string; readonly size?: number | undefined }[], enabled: boolean) {
    this.enabled = enabled;
    for (const { name, size } of evidence) if (size !== undefined) this.sizes.set(name, size);
  }

  /** @param bytes read so far of the input (decompressed) */
  show(input: string, bytes: number): void {
    this.read.set(input, bytes);
    const now = Date.now();
    if (!this.enabled || now - this.started < FIRST_AFTER || now - this.shownAt < AGAIN_AFTER) return;
    this.shownAt = now;
    const done = [...this.read.values()].reduce((sum, n) => sum + n, 0);
    const total = [...this.sizes.values()].reduce((sum, n) => sum + n, 0);
    const rate = done / ((now - this.started) / 1000);
    const left = total > done && rate > 0 ? `, ${Math.ceil((total - done) / rate)} s left` : '';
    const of = total > done ? ` of ${Math.round(total / MIB)}` : '';
    process.stderr.write(
      `\r\x1b[K${printable(input)}: ${Math.round(done / MIB)}${of} MiB, ${Math.round(rate / MIB)} MiB/s${left}`,
    );
  }

  /** Removes the line. */
  clear(): void {
    if (this.shownAt > 0) process.stderr.write('\r\x1b[K');
  }
}
