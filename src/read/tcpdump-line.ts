/** The beginning of a line of tcpdump: packet number (`-#`), time in any `-t` form, and the columns of cooked captures. */

import { parseIsoTime, parseTimeOfDay } from './time-text.js';

/** How the time of a line is to be understood. */
export type PrintedTime =
  | { readonly form: 'none' }
  /** `-tt`, `-tttt`: absolute ns; `local` when no zone is known. */
  | { readonly form: 'absolute'; readonly time: bigint; readonly local: boolean }
  /** Default, `-ttt`, `-ttttt`: ns since midnight, since the packet before, or since the first packet. */
  | { readonly form: 'clock'; readonly nanos: number };

export interface CookedColumn {
  /** Interface name (cooked v2), as resolved on the machine that printed it. */
  readonly name: string | undefined;
  readonly index: number | undefined;
  readonly direction: string;
}

export interface LineStart {
  readonly time: PrintedTime;
  readonly cooked: CookedColumn | undefined;
  readonly rest: string;
}

/** Splits a line; any line splits, so `rest` decides whether it is one of tcpdump's. */
export function splitLineStart(line: string): LineStart {
  let text = line;
  const number = /^(\d{1,10}) {2}(?=\S)/.exec(text);
  if (number) text = text.slice(number[0].length);
  const { time, length } = readTime(text);
  text = text.slice(length).trimStart();
  const cooked = /^(?:(\S{1,32}) +)?(In|Out|P|B|M) +(?:ifindex (\d{1,10}) )?(?=\S)/.exec(text);
  if (!cooked) return { time, cooked: undefined, rest: text };
  const index = cooked[3] === undefined ? undefined : Number(cooked[3]);
  return { time, cooked: { name: cooked[1], index, direction: cooked[2] ?? '' }, rest: text.slice(cooked[0].length) };
}

function readTime(text: string): { time: PrintedTime; length: number } {
  const first = /^\S{1,40}/.exec(text)?.[0] ?? '';
  const clock = parseTimeOfDay(first);
  if (clock !== undefined) return { time: { form: 'clock', nanos: clock }, length: first.length };
  const seconds = /^(\d{1,10})\.(\d{6}|\d{9})$/.exec(first);
  if (seconds) {
    const time = BigInt(seconds[1] ?? 0) * 1_000_000_000n + BigInt((seconds[2] ?? '').padEnd(9, '0'));
    return { time: { form: 'absolute', time, local: false }, length: first.length };
  }
  const date = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{1,9}/.exec(text)?.[0];
  const iso = date === undefined ? undefined : parseIsoTime(date);
  if (date === undefined || !iso) return { time: { form: 'none' }, length: 0 };
  return { time: { form: 'absolute', time: iso.time, local: true }, length: date.length };
}
