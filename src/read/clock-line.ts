/**
 * Clock lines: lines by which a script dates what follows.
 *
 * `# 1795247511.224909 2026-11-21T07:51:51Z conntrack -L`, `1795247511.22`, `2026-11-21T07:51:51+01:00`,
 * `Sat Nov 21 07:52:41 UTC 2026`, `17:14:30`; decorations such as `=== ... ===` around them are ignored.
 */

import { parseCommand, type Command } from './command-line.js';
import { parseCtime, parseEpochSeconds, parseIsoTime, parseTimeOfDay } from './time-text.js';

export interface ClockLine {
  /** Absolute ns; undefined when the line has a time of day only. */
  readonly time: bigint | undefined;
  /** The line named no time zone. */
  readonly local: boolean;
  readonly command: Command | undefined;
}

/** @returns undefined for any other line */
export function parseClockLine(line: string): ClockLine | undefined {
  if (line.length > 300 || !/\d\d/.test(line)) return undefined;
  const marked = /^[#=*-]/.test(line);
  const text = line.replace(/^[#=*\- ]{1,40}/, '').replace(/[#=*\- ]{1,40}$/, '');
  const words = text.split(/\s+/);
  const first = words[0] ?? '';
  const seconds = parseEpochSeconds(first);
  if (seconds !== undefined) {
    const rest = words.slice(parseIsoTime(words[1] ?? '') ? 2 : 1);
    return marked || rest.length === 0 ? clock(seconds, false, rest) : undefined;
  }
  for (const length of [3, 2, 1]) {
    const iso = words.length >= length ? parseIsoTime(words.slice(0, length).join(' ')) : undefined;
    if (!iso) continue;
    const rest = words.slice(length);
    return marked || rest.length === 0 ? clock(iso.time, iso.local, rest) : undefined;
  }
  const ctime = words.length <= 7 ? parseCtime(words) : undefined;
  if (ctime) return clock(ctime.time, ctime.local, []);
  if (words.length === 1 && parseTimeOfDay(first) !== undefined) return clock(undefined, true, []);
  return undefined;
}

function clock(time: bigint | undefined, local: boolean, rest: readonly string[]): ClockLine {
  return { time, local, command: rest.length > 0 ? parseCommand(rest.join(' ')) : undefined };
}
