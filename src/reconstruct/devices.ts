/**
 * Which device of a router or host a capture's interface is: what the user says, the name in the capture, else what the
 * file name ends in (`br-lan.pcap`, `router.br-lan.10.pcap`).
 */

import type { Host } from './hosts.js';
import type { Port, Tap } from './taps.js';

const CAPTURE_ENDINGS = /\.(pcapng|pcap|ntar|cap|dmp|dump|txt|log|gz|zst|xz|lz4)$/i;

export class DeviceNames {
  private readonly names: string[];
  private readonly ports: readonly Port[];

  /**
   * @param inputName unique name of an input
   * @param given names by input name, or by `input#interface` (interfaces counted from 0 over all sections)
   */
  constructor(
    ports: readonly Port[],
    hosts: readonly Host[],
    inputName: (input: number) => string,
    given: ReadonlyMap<string, string>,
  ) {
    this.ports = ports;
    const known = new Set(hosts.flatMap((host) => [...host.devices.keys()]));
    this.names = ports.map((port) => {
      const input = inputName(port.input);
      const { description } = port;
      const said = given.get(`${input}#${description.index}`) ?? given.get(description.name ?? '') ?? given.get(input);
      return said ?? description.name ?? deviceOfFileName(input, known);
    });
  }

  of(tap: Tap): string {
    return this.names[tap.port] ?? '';
  }

  ofPort(port: number): string {
    return this.names[port] ?? '';
  }

  /** Taps whose interface has this name. */
  tapsNamed(device: string, taps: readonly Tap[]): Tap[] {
    return taps.filter((tap) => this.names[tap.port] === device && this.ports[tap.port] !== undefined);
  }
}

/** What programs add to the name of a file when they begin the next one: `_00001_20261121130000` (dumpcap, editcap), `.pcap12` (tcpdump). */
const ROTATION = /_\d{5}(?:_\d{14})?$/;
const NUMBERED = /(\.(?:pcapng|pcap|cap|dmp|dump))\d{1,6}$/i;
const SEPARATORS = /[._\s-]/;
/** Nobody puts so many words into a name. */
const MAX_WORDS = 32;

/**
 * The longest ending of a file name (between dots) that is a known device; else the one known device that it holds as a
 * word; else its last part, with a VLAN number before which a name stands.
 */
function deviceOfFileName(input: string, known: ReadonlySet<string>): string {
  let stem = (input.split('/').at(-1) ?? input).replace(NUMBERED, '$1');
  while (CAPTURE_ENDINGS.test(stem)) stem = stem.replace(CAPTURE_ENDINGS, '').replace(NUMBERED, '$1');
  stem = stem.replace(ROTATION, '');
  const parts = stem.split('.');
  for (let from = 0; from < parts.length; from++) {
    const candidate = parts.slice(from).join('.');
    if (known.has(candidate)) return candidate;
  }
  const held = devicesIn(stem, known);
  if (held.length === 1 && held[0] !== undefined) return held[0];
  const last = parts.at(-1) ?? stem;
  return /^\d{1,4}$/.test(last) && parts.length > 1 ? parts.slice(-2).join('.') : last;
}

/** Known devices that stand in a name between separators, without those that are part of a longer one there. */
function devicesIn(stem: string, known: ReadonlySet<string>): string[] {
  const starts = [0, ...[...stem.matchAll(new RegExp(SEPARATORS, 'g'))].map(({ index }) => index + 1)].slice(
    0,
    MAX_WORDS,
  );
  const ends = [...starts.slice(1).map((start) => start - 1), stem.length];
  const found = new Set<string>();
  for (let i = 0; i < starts.length;) {
    let next = i + 1;
    for (let j = ends.length - 1; j >= i; j--) {
      const name = stem.slice(starts[i], ends[j]);
      if (!known.has(name)) continue;
      found.add(name);
      next = j + 1;
      break;
    }
    i = next;
  }
  return [...found];
}
