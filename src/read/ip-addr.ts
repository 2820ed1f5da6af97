/** The address lines of `ip addr`: `inet 192.168.1.1/24 brd ... scope global br-lan` (iproute2 ip/ipaddress.c). */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type { AddressFact, LinkFact } from '../records/facts.js';
import { monitorBase, splitMonitorPrefix, type MonitorPrefix } from './monitor-prefix.js';
import { stateBase, type Mutable, type Section } from './section.js';
import { isRedacted, wholeNumber, wordsOf } from './tokens.js';

export interface AddressLine {
  readonly prefix: MonitorPrefix;
  readonly device: string | undefined;
  /** From the address on. */
  readonly words: readonly string[];
}

/** Finds the address of a line: with its device in the line (`2: br-lan    inet ...`, `-o`, monitors) or under a link. */
export function splitAddressLine(line: string, section: Section, device: string | undefined): AddressLine | undefined {
  const prefix = splitMonitorPrefix(line, section);
  const words = wordsOf(prefix.text);
  let at = 0;
  let name = device;
  if (/^\d+:$/.test(words[0] ?? '') && (words[2] === 'inet' || words[2] === 'inet6')) {
    name = words[1]?.replace(/:$/, '').replace(/@.*$/, '');
    at = 2;
  }
  if (words[at] !== 'inet' && words[at] !== 'inet6') return undefined;
  const address = words[at + 1] ?? '';
  if (canonicalIp(address.split('/')[0] ?? '') === undefined && !isRedacted(address)) return undefined;
  // `ifconfig` prints `inet 10.0.0.1  netmask ...`.
  if (!words.includes('scope') && !address.includes('/')) return undefined;
  return { prefix, device: name, words: words.slice(at + 1) };
}

/** Emits the address, or counts it where it was made unreadable or names no device. */
export function emitAddress(line: AddressLine, section: Section): void {
  const { words, prefix } = line;
  const [addressText = '', lengthText] = (words[0] ?? '').split('/');
  const peerWord = words[words.indexOf('peer') + 1];
  const [peerText, peerLength] = words.includes('peer') && peerWord !== undefined ? peerWord.split('/') : [];
  const ip = canonicalIp(addressText);
  if (ip === undefined) {
    section.redacted++;
    return;
  }
  const longest = ip.includes(':') ? 128 : 32;
  const length = wholeNumber(lengthText ?? peerLength ?? String(longest), longest);
  const device = line.device ?? labelOf(words);
  if (length === undefined || device === undefined) return;
  const fact: Mutable<AddressFact> = {
    kind: 'address',
    ...monitorBase(prefix, section),
    device,
    ip,
    prefixLength: length,
  };
  const peer = peerText === undefined ? undefined : canonicalIp(peerText);
  if (peer !== undefined) fact.peer = peer;
  const scope = words[words.indexOf('scope') + 1];
  if (words.includes('scope') && scope !== undefined) fact.scope = scope;
  if (prefix.event !== undefined) fact.event = prefix.event === 'deleted' ? 'deleted' : 'changed';
  section.emit(fact);
}

/** `ip -br addr`: `br-lan  UP  192.168.1.1/24 fe80::1/64`; `ip -br link`: `br-lan  UP  94:83:... <BROADCAST,UP>`. */
export function parseBriefLine(line: string, section: Section): boolean {
  const words = wordsOf(line);
  const [name = '', state = '', ...rest] = words;
  if (!/^(?:UP|DOWN|UNKNOWN|LOWERLAYERDOWN|DORMANT|NOTPRESENT)$/.test(state) || name.length > 64) return false;
  const mac = canonicalMac(rest[0] ?? '');
  const flags = /^<([A-Z0-9_,-]*)>$/.exec(rest[1] ?? '')?.[1];
  const [device = '', lower] = name.split('@');
  const base = { ...stateBase(section), device };
  if (mac !== undefined && flags !== undefined && rest.length === 2) {
    const fact: Mutable<LinkFact> = { kind: 'link', ...base, mac, flags: flags.split(',') };
    if (lower !== undefined && !/^if\d+$/.test(lower)) fact.lower = lower;
    section.emit(fact);
    return true;
  }
  const known = rest.length > 0 && rest.every((word) => isPrefixWord(word) || /^(?:peer|metric|\d+)$/.test(word));
  if (!known) return false;
  for (const word of rest) {
    const [address = '', length] = word.split('/');
    const ip = canonicalIp(address);
    const prefixLength = wholeNumber(length, ip?.includes(':') ? 128 : 32);
    if (isRedacted(word)) section.redacted++;
    else if (ip !== undefined && prefixLength !== undefined) {
      section.emit({ kind: 'address', ...base, ip, prefixLength });
    }
  }
  return true;
}

function isPrefixWord(word: string): boolean {
  return word.includes('/') && (canonicalIp(word.split('/')[0] ?? '') !== undefined || isRedacted(word));
}

/** The label at the end of an IPv4 line is the device's name, or that with `:alias`. */
function labelOf(words: readonly string[]): string | undefined {
  const last = words.at(-1);
  if (last === undefined || words[words.length - 2] === 'scope') return undefined;
  return last.replace(/:.*$/, '');
}
