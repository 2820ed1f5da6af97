/**
 * Display filters and tshark commands that show misdelivered frames (wireshark-filter(4)). Nothing of an input gets into
 * a filter unless it has the form of a MAC, an address or a number. This module runs in the report's page as well.
 */

import type { Input, Misdelivery } from '../model.js';
import { printable } from './words.js';

/** How to see the frames of some misdeliveries in one capture. */
export interface CaptureFilter {
  /** The input's name; untrusted. */
  readonly input: string;
  /** Display filter for Wireshark and for `tshark -Y`. */
  readonly filter: string;
  /** It names the frames by number: it selects them and no others. Else it selects by MACs, address and time. */
  readonly exact: boolean;
  /** A line for a shell that prints number, time, MACs and destination of these frames. */
  readonly command: string;
}

/** More rows of frames than this are not named by number: the filter would not be read or pasted by anybody. */
const MAX_RANGES = 40;
const MAX_TERMS = 8;

/**
 * One filter for each capture that holds frames of the misdeliveries, in their order. Printed captures have none, as
 * Wireshark does not read them.
 */
export function captureFilters(
  misdeliveries: readonly Misdelivery[],
  inputs: readonly Pick<Input, 'name' | 'kind' | 'interfaces' | 'moved'>[],
): CaptureFilter[] {
  const byInput = new Map<string, Misdelivery[]>();
  for (const m of misdeliveries) {
    const list = byInput.get(m.input);
    if (list) list.push(m);
    else byInput.set(m.input, [m]);
  }
  const found: CaptureFilter[] = [];
  for (const [name, list] of byInput) {
    const input = inputs.find((candidate) => candidate.name === name);
    if (input && input.kind !== 'pcap' && input.kind !== 'pcapng') continue;
    const numbers = numberFilter(list);
    const filter = numbers ?? addressFilter(list, input);
    if (filter === undefined) continue;
    found.push({ input: name, filter, exact: numbers !== undefined, command: tsharkCommand(name, filter) });
  }
  return found;
}

/** `tshark -n -r lan3.pcap -Y 'frame.number in {7, 12..40}' -T fields ...`; the name is quoted for a POSIX shell. */
export function tsharkCommand(input: string, filter: string): string {
  return `tshark -n -r ${shellWord(input)} -Y ${shellWord(filter)} -T fields ${FIELDS.map((f) => `-e ${f}`).join(' ')}`;
}

const FIELDS = ['frame.number', 'frame.time_epoch', 'eth.src', 'eth.dst', 'ip.dst', 'ipv6.dst'];

/** `frame.number in {7, 12..40}`, when that is short. Tshark 4.0 wants commas, and two numbers for a range. */
function numberFilter(misdeliveries: readonly Misdelivery[]): string | undefined {
  const ranges = mergeRanges(misdeliveries.map((m) => m.frameRanges));
  if (!ranges || ranges.length === 0) return undefined;
  return `frame.number in {${ranges.map(([first, last]) => (first === last ? `${first}` : `${first}..${last}`)).join(', ')}}`;
}

/**
 * Sorted, without overlaps, neighbours joined; undefined when these are more than `MAX_RANGES`. Where as many begin as have
 * ended before, there is a gap: so first and last numbers are sorted each for themselves, in no more than 16 bytes a range.
 */
function mergeRanges(lists: readonly Misdelivery['frameRanges'][]): [number, number][] | undefined {
  const count = lists.reduce((sum, list) => sum + list.length, 0);
  const firsts = new Float64Array(count);
  const lasts = new Float64Array(count);
  let at = 0;
  for (const list of lists) {
    for (const [first, last] of list) {
      firsts[at] = first;
      lasts[at++] = last;
    }
  }
  firsts.sort();
  lasts.sort();
  const merged: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    const first = firsts[i] ?? 0;
    const last = lasts[i] ?? 0;
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = last;
    else if (merged.push([first, last]) > MAX_RANGES) return undefined;
  }
  return merged;
}

type Part = (m: Misdelivery) => string;

/** By MACs, address and time; with so many of them that the filter gets long, by less. */
function addressFilter(
  misdeliveries: readonly Misdelivery[],
  input: Pick<Input, 'interfaces' | 'moved'> | undefined,
): string | undefined {
  const macs: Part = (m) => {
    const parts = [m.vlan === undefined ? '' : `vlan.id == ${m.vlan}`];
    if (MAC.test(m.srcMac)) parts.push(`eth.src == ${m.srcMac}`);
    if (MAC.test(m.dstMac)) parts.push(`eth.dst == ${m.dstMac}`);
    return conjunction(parts);
  };
  const address: Part = (m) => {
    if (IPV4.test(m.dstIp)) return `ip.dst == ${m.dstIp}`;
    return IPV6.test(m.dstIp) ? `ipv6.dst == ${m.dstIp}` : '';
  };
  const place: Part = (m) => (PORT_CLASSES.has(m.class ?? '') ? interfacePart(m.device, input) : '');
  for (const part of [(m) => conjunction([macs(m), address(m), place(m)]), macs, () => ''] satisfies Part[]) {
    const terms = new Map<string, Misdelivery[]>();
    for (const m of misdeliveries) {
      const key = part(m);
      terms.set(key, [...(terms.get(key) ?? []), m]);
    }
    if (terms.size > MAX_TERMS) continue;
    const texts = [...terms].map(([key, list]) => conjunction([key, timePart(list, input?.moved)]));
    if (texts.includes('')) return undefined;
    return texts.length === 1 ? texts[0] : texts.map((text) => `(${text})`).join(' || ');
  }
  return undefined;
}

const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const IPV6 = /^[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}$/;

/** Where the MAC is right: only the place is wrong. */
const PORT_CLASSES: ReadonlySet<string> = new Set(['wrong-port', 'wrong-egress']);

/** Wireshark numbers the interfaces of a section; nearly all captures have one. */
function interfacePart(device: string, input: Pick<Input, 'interfaces'> | undefined): string {
  const all = input?.interfaces ?? [];
  const ids = all.filter((candidate) => candidate.device === device).map(({ index }) => index);
  return all.length > 1 && ids.length > 0 ? `frame.interface_id in {${ids.join(', ')}}` : '';
}

/** @param moved ns that were added to the times of the capture: Wireshark knows nothing of them */
function timePart(misdeliveries: readonly Misdelivery[], moved = '0'): string {
  const times = misdeliveries.flatMap((m) => [m.firstTime, m.lastTime]).filter((time) => /^\d{1,19}$/.test(time));
  const shift = /^-?\d{1,19}$/.test(moved) ? BigInt(moved) : 0n;
  // Times far from all others are not exact to the ns.
  const margin = shift === 0n ? 0n : 1000n;
  const [first] = times.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
  const [last] = times.map(BigInt).sort((a, b) => (a < b ? 1 : -1));
  if (first === undefined || last === undefined) return '';
  const [from, to] = [first - shift - margin, last - shift + margin];
  return from < 0n ? '' : `frame.time_epoch >= ${seconds(`${from}`)} && frame.time_epoch <= ${seconds(`${to}`)}`;
}

function seconds(ns: string): string {
  const padded = ns.padStart(10, '0');
  return `${padded.slice(0, -9)}.${padded.slice(-9)}`;
}

function conjunction(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' && ');
}

/** A word of a POSIX shell, quoted where it needs to be. */
function shellWord(text: string): string {
  const safe = printable(text);
  if (/^[\w./:@%+=,][\w./:@%+=,-]*$/.test(safe) || safe === '-') return safe;
  return `'${(safe.startsWith('-') ? `./${safe}` : safe).replaceAll("'", "'\\''")}'`;
}
