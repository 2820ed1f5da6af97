/** `--stats`: what a run spent, stage by stage, on standard error. */

import type { Analysis } from '../model.js';
import type { ReadTiming } from '../input-reader.js';
import { count } from '../render/words.js';
import type { ScanStage } from '../scan.js';

const MIB = 1024 * 1024;

interface Spent {
  readonly name: string;
  /** ms. */
  wall: number;
  cpu: number;
}

export class Stats {
  /** Filled by the reading. */
  readonly timing: ReadTiming = { decode: 0, count: 0, bytes: 0 };
  private readonly stages: Spent[] = [];
  private current: Spent;
  private wall = 0;
  private cpu = 0;
  private legs = 0;

  constructor() {
    // What the start of the process took is a stage too.
    this.current = { name: 'start', wall: 0, cpu: 0 };
    this.stages.push(this.current);
  }

  /** A stage begins; the one before it ends. */
  enter(stage: ScanStage | 'render', legs?: number): void {
    this.leave();
    this.legs = legs ?? this.legs;
    this.current = { name: stage, wall: 0, cpu: 0 };
    this.stages.push(this.current);
  }

  /** Ends the last stage. @returns a line per stage, and what was worked on */
  report(analysis: Analysis): string {
    this.leave();
    const { decode, count: counting, bytes } = this.timing;
    const lines: string[] = [];
    for (const { name, wall, cpu } of [...this.stages, { name: 'in all', wall: this.wall, cpu: this.cpu }]) {
      lines.push(`${name.padEnd(12)}${seconds(wall)} wall ${seconds(cpu)} CPU`);
      if (name !== 'read') continue;
      lines.push(`  decoding  ${seconds(decode)} wall`, `  counting  ${seconds(counting)} wall`);
    }
    const peak = process.resourceUsage().maxRSS * 1024;
    lines.push(
      `${count(bytes)} bytes read, ${count(analysis.totals.frames)} frames, ${count(this.legs)} flow directions by sender, ${count(Math.round(peak / MIB))} MiB of memory at most`,
    );
    return `${lines.join('\n')}\n`;
  }

  private leave(): void {
    const wall = performance.now();
    const { user, system } = process.cpuUsage();
    const cpu = (user + system) / 1000;
    this.current.wall += wall - this.wall;
    this.current.cpu += cpu - this.cpu;
    this.wall = wall;
    this.cpu = cpu;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3).padStart(9)} s`;
}
