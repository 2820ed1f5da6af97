/** The way of a packet that went wrong, device by device, and of one that did not. */

import type { Analysis, Flow, Sighting, Transit } from '../model.js';
import type { Layout } from './text-impact.js';
import { clockTime, counted, endpoint, printable } from './words.js';

const MAX_FLOWS = 3;

/** Of the most affected flows, the first packet that went wrong and one that went right; empty unless verbose. */
export function transitLines(analysis: Analysis, { verbose, bold, wrap }: Layout): string[] {
  if (!verbose) return [];
  const lines: string[] = [];
  for (const flow of analysis.flows.filter(({ transits }) => transits !== undefined).slice(0, MAX_FLOWS)) {
    for (const transit of decisive(flow)) {
      lines.push('', ...wrap(bold(`${title(transit)} (flow ${flow.id}, ${transit.direction} direction)`), '', '  '));
      let past: Sighting | undefined;
      for (const seen of places(transit)) {
        lines.push(...wrap(step(seen, past), '  ', '     '));
        past = seen;
      }
    }
  }
  return lines;
}

function decisive(flow: Flow): Transit[] {
  const transits = flow.transits ?? [];
  const wrong = transits.find(({ phase }) => phase === 'misdelivered');
  const right = ['meanwhile', 'before', 'after']
    .map((phase) => transits.find((transit) => transit.phase === phase && transit.direction === wrong?.direction))
    .find((transit) => transit !== undefined);
  return [wrong, right].filter((transit) => transit !== undefined);
}

const TITLES: Readonly<Record<Transit['phase'], string>> = {
  before: 'The way of a packet before',
  misdelivered: 'The way of a packet that went wrong',
  meanwhile: 'The way of a packet that went right meanwhile',
  after: 'The way of a packet after',
};

function title(transit: Transit): string {
  return `${TITLES[transit.phase]}${transit.boomerang ? ', back to where it had come from' : ''}`;
}

/** Two captures of one device show the same: once is enough. */
function places(transit: Transit): Sighting[] {
  const known = new Set<string>();
  return transit.sightings.filter((seen) => {
    const key = JSON.stringify([seen.device, seen.vlan, seen.srcMac, seen.dstMac, seen.hopLimit]);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}

function step(seen: Sighting, past: Sighting | undefined): string {
  const vlan = seen.vlan === undefined ? '' : ` vlan ${seen.vlan}`;
  const later = past ? ` (${sign(BigInt(seen.time) - BigInt(past.time))})` : '';
  const { translated } = seen;
  const ends = translated
    ? `, as ${endpoint(translated.srcIp, translated.srcPort)} > ${endpoint(translated.dstIp, translated.dstPort)}`
    : '';
  const wrong = seen.misdelivered ? ', misdelivered' : '';
  return `${clockTime(seen.time)}${later} ${printable(seen.device)}${vlan}: ${seen.srcMac} > ${seen.dstMac}, ttl ${seen.hopLimit}${ends}${wrong}, ${printable(seen.input)} frame ${seen.frame}`;
}

/** Clocks of two captures may differ, so a later place may show an earlier time. */
function sign(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const text = size < 1_000_000n ? `${Number(size) / 1e3} µs` : `${(Number(size) / 1e6).toFixed(1)} ms`;
  return `${ns < 0n ? '-' : '+'}${text}`;
}

/** What happened around it, in order of time; empty unless verbose. */
export function eventLines(analysis: Analysis, { verbose, bold, wrap }: Layout): string[] {
  const { events } = analysis;
  if (!verbose || !events || events.length === 0) return [];
  const lines = ['', bold('What happened around it')];
  for (const { time, what, device, origin } of events.slice(0, MAX_EVENTS)) {
    const at = origin.frame === undefined ? `line ${origin.line ?? 0}` : `frame ${origin.frame}`;
    const where = device === undefined ? '' : ` ${printable(device)}:`;
    lines.push(...wrap(`${clockTime(time)}${where} ${printable(what)} (${printable(origin.input)} ${at})`, '  ', '  '));
  }
  const left = events.length - MAX_EVENTS;
  if (left > 0) lines.push(`  ... and ${left} more (JSON has up to 500)`);
  return lines;
}

const MAX_EVENTS = 60;

/** How far clocks are apart; empty unless verbose. */
export function clockLines(analysis: Analysis, { verbose, bold, wrap }: Layout): string[] {
  const { clocks } = analysis;
  if (!verbose || !clocks || clocks.length === 0) return [];
  const apart = clocks.filter(
    ({ offset, uncertainty }) => Math.abs(Number(offset)) > Math.max(Number(uncertainty), MS),
  );
  if (apart.length === 0 && clocks.every(({ by }) => by !== 'frames')) return [];
  const lines = ['', bold('Clocks')];
  for (const { input, against, offset, uncertainty, by, pairs } of apart) {
    const found = by === 'frames' ? counted(pairs, 'frame') : `when ${counted(pairs, 'connection')} began`;
    const sense = Number(offset) < 0 ? '' : '+';
    const text = `${printable(input)}: ${sense}${ms(offset)} ms against ${printable(against)}, give or take ${ms(uncertainty)} ms (${found})`;
    lines.push(...wrap(text, '  ', '  '));
  }
  // What conntrack prints late by less than it may need is no news.
  const agree = clocks.filter((clock) => clock.by === 'frames' && !apart.includes(clock));
  const within = ms(String(Math.max(MS, ...agree.map(({ uncertainty }) => Number(uncertainty)))));
  if (agree.length > 0) {
    const captures = `${counted(agree.length, 'capture')} ${agree.length === 1 ? 'agrees' : 'agree'}`;
    lines.push(...wrap(`${captures} with the others to within ${within} ms.`, '  '));
  }
  return lines;
}

const MS = 1e6;

function ms(ns: string): string {
  return (Number(ns) / MS).toFixed(1);
}
