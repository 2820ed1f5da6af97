/** Times in text form to absolute ns since 1970. */

/** A time that text names; `local` when it names no zone (then it was read as UTC). */
export interface TextTime {
  readonly time: bigint;
  readonly local: boolean;
}

const EARLIEST_SECOND = 978_307_200;
const LATEST_SECOND = 4_102_444_800;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Hours east of UTC of the zone names that mean one thing only. */
const ZONES: ReadonlyMap<string, number> = new Map([
  ['UTC', 0],
  ['GMT', 0],
  ['Z', 0],
  ['WET', 0],
  ['WEST', 1],
  ['CET', 1],
  ['CEST', 2],
  ['EET', 2],
  ['EEST', 3],
  ['MSK', 3],
]);

/** `1795247511.224909`, as `date +%s.%N` prints it: seconds since 1970 (2001 to 2100) with up to nine digits of a fraction. */
export function parseEpochSeconds(text: string): bigint | undefined {
  const match = /^(\d{9,10})(?:\.(\d{1,9}))?$/.exec(text);
  const seconds = Number(match?.[1] ?? NaN);
  if (!(seconds >= EARLIEST_SECOND && seconds < LATEST_SECOND)) return undefined;
  return nanos(seconds, match?.[2]);
}

/** `2026-11-21T07:51:51.123456+01:00`: date and time divided by `T` or one space; fraction and zone may lack. */
export function parseIsoTime(text: string): TextTime | undefined {
  const match = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?: ?(Z|UTC|[+-]\d\d:?\d\d))?$/.exec(
    text,
  );
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const seconds = secondsOf(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second));
  if (seconds === undefined) return undefined;
  return { time: nanos(seconds - zoneSeconds(zone), fraction), local: zone === undefined };
}

/** ctime and `date` forms: `Sat Nov 21 07:52:41 2026`, `Sat Nov 21 07:52:41 UTC 2026`, `Sat Nov 21 07:52:41 AM UTC 2026`. */
export function parseCtime(words: readonly string[]): TextTime | undefined {
  const [weekday = '', monthName = '', dayText = '', clock = '', ...rest] = words;
  if (!/^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?$/.test(weekday) || rest.length < 1 || rest.length > 3) return undefined;
  const time = parseTimeOfDay(clock);
  const month = MONTHS.indexOf(monthName);
  if (month < 0 || !/^\d{1,2}$/.test(dayText) || time === undefined) return undefined;
  const year = rest.pop() ?? '';
  const half = rest[0] === 'AM' || rest[0] === 'PM' ? rest.shift() : undefined;
  const zone = rest.pop();
  if (!/^\d{4}$/.test(year) || rest.length > 0) return undefined;
  const offset = zone === undefined ? 0 : ZONES.get(zone);
  const noon = half === undefined ? 0 : (half === 'PM' ? 12 : 0) - (clock.startsWith('12') ? 12 : 0);
  const midnight = secondsOf(Number(year), month + 1, Number(dayText), 0, 0, 0);
  if (midnight === undefined) return undefined;
  const seconds = BigInt(midnight + ((offset ?? 0) * -1 + noon) * 3600);
  return { time: seconds * 1_000_000_000n + BigInt(time), local: zone === undefined || offset === undefined };
}

/** @returns ns since midnight of `17:14:30` or `17:14:30.123456` */
export function parseTimeOfDay(text: string): number | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?$/.exec(text);
  if (!match) return undefined;
  const [, hour, minute, second, fraction = ''] = match;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return seconds * 1e9 + Number(fraction.padEnd(9, '0'));
}

function nanos(seconds: number, fraction: string | undefined): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt((fraction ?? '').padEnd(9, '0'));
}

function secondsOf(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

function zoneSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z' || zone === 'UTC') return 0;
  const digits = zone.replace(':', '');
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits.startsWith('-') ? -60 : 60) * minutes;
}
