/** What happened on the network and its hosts near what was misdelivered, from every input, in order of time. */

import { parseMac, type Ip, type Mac } from '../bytes/address.js';
import type { Misdelivery, NetworkEvent, Tuple } from '../model.js';
import type { Scene } from './scene.js';
import { configurationEvents } from './configuration-events.js';
import { factEvents } from './fact-events.js';
import type { Focus, Happening } from './happening.js';
import { wireEvents } from './wire-events.js';

/** Events this long before the first misdelivered frame, and after the last one, may bear on it. */
const AROUND = 600e9;
const MAX_EVENTS = 500;
/** The same frame seen on several taps is told once. */
const SAME = 5e8;

/** Events that bear on the misdeliveries, at most 500: the nearest to them; empty when there are none. */
export function eventsOf(scene: Scene, misdeliveries: readonly Misdelivery[], flows: readonly Tuple[]): NetworkEvent[] {
  const focus = focusOf(scene, misdeliveries, flows);
  if (!focus) return [];
  const found = [...wireEvents(scene, focus), ...factEvents(scene, focus), ...configurationEvents(scene)];
  const near = found.filter(({ time }) => time >= focus.from && time <= focus.to);
  return nearest(once(near), focus).map(({ time, ...event }) => ({ time: scene.r.epoch.text(time), ...event }));
}

function focusOf(scene: Scene, misdeliveries: readonly Misdelivery[], flows: readonly Tuple[]): Focus | undefined {
  const { r } = scene;
  if (misdeliveries.length === 0) return undefined;
  const ips = new Set<Ip>();
  const macs = new Set<Mac>();
  const senders = new Set<Mac>();
  const texts = [...misdeliveries.map((m) => m.dstIp), ...flows.flatMap(({ srcIp, dstIp }) => [srcIp, dstIp])];
  for (const text of texts) {
    const ip = r.addresses.parse(text);
    if (ip !== undefined) ips.add(ip);
  }
  for (const m of misdeliveries) {
    const sender = parseMac(m.srcMac);
    if (sender !== undefined) senders.add(sender);
    for (const text of [m.dstMac, ...m.expected]) {
      const mac = parseMac(text);
      if (mac !== undefined) macs.add(mac);
    }
  }
  const times = misdeliveries.flatMap((m) => [m.firstTime, m.lastTime]).filter((text) => text !== '');
  const relative = times.map((text) => r.epoch.relative(BigInt(text)));
  const from = relative.reduce((a, b) => Math.min(a, b), Infinity) - AROUND;
  const to = relative.reduce((a, b) => Math.max(a, b), -Infinity) + AROUND;
  return { ips, macs, senders, from, to };
}

/** One of events that several taps or inputs tell alike, the first. */
function once(events: readonly Happening[]): Happening[] {
  const last = new Map<string, number>();
  return events
    .filter(({ time }) => !Number.isNaN(time))
    .sort((a, b) => a.time - b.time || compare(keyOf(a), keyOf(b)) || compare(a.origin.input, b.origin.input))
    .filter((event) => {
      const key = `${event.kind} ${event.what.replace(/ \(\d+ times from here on\)/, '')}`;
      const known = last.get(key);
      last.set(key, event.time);
      return known === undefined || event.time - known > SAME;
    });
}

/** When there are too many: those nearest to the time in which frames went wrong. */
function nearest(events: Happening[], { from, to }: Focus): Happening[] {
  if (events.length <= MAX_EVENTS) return events;
  const [first, last] = [from + AROUND, to - AROUND];
  const distance = ({ time }: Happening): number => (time < first ? first - time : time > last ? time - last : 0);
  return events
    .map((event, i) => ({ event, i }))
    .sort((a, b) => distance(a.event) - distance(b.event) || a.i - b.i)
    .slice(0, MAX_EVENTS)
    .sort((a, b) => a.i - b.i)
    .map(({ event }) => event);
}

function keyOf({ kind, what }: Happening): string {
  return `${kind} ${what}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
