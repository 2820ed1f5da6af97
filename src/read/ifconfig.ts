/** `ifconfig` of busybox and old net-tools (`Link encap:Ethernet  HWaddr ...`), of new net-tools and BSD (`flags=4163<UP,...>`). */

import { canonicalIp, canonicalMac, parseIpv4 } from '../bytes/address.js';
import type { LinkFact } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section } from './section.js';
import { isRedacted, prefixLengthOf, wholeNumber, wordsOf } from './tokens.js';

export function ifconfigReader(): LineReader {
  let pending: { fact: Mutable<LinkFact>; emitted: boolean } | undefined;
  const flush = (section: Section): void => {
    if (!pending || pending.emitted) return;
    pending.emitted = true;
    section.emit(pending.fact);
  };
  return {
    id: 'ifconfig',
    line(line, section) {
      const header = parseHeader(line, section);
      if (header) {
        flush(section);
        pending = { fact: header, emitted: false };
        return true;
      }
      if (!pending) return false;
      const words = wordsOf(line);
      if (words[0] === 'ether' || words[0] === 'lladdr') {
        setMac(words[1] ?? '', pending.fact, section);
        return true;
      }
      const address = parseAddress(words);
      if (address) {
        // New net-tools prints the MAC after the addresses, which changes nothing for them.
        if (address.ip === undefined) section.redacted++;
        else {
          const { ip, prefixLength } = address;
          section.emit({ kind: 'address', ...stateBase(section), device: pending.fact.device, ip, prefixLength });
        }
        return true;
      }
      return /^(?:[RT]X |UP |inet6? |collisions:|Interrupt:|Memory:|Base |loop |unspec |media:|status:|options=|nd6 |groups:|device interrupt|[A-Z ]{2,80} MTU:\d)/.test(
        line.trim(),
      );
    },
    finish(section) {
      flush(section);
      pending = undefined;
    },
  };
}

function parseHeader(line: string, section: Section): Mutable<LinkFact> | undefined {
  const old = /^(\S{1,64}) +Link encap:(\S{1,20})(?: +HWaddr (\S{1,64}))?/.exec(line);
  const bsd = old
    ? undefined
    : /^(\S{1,64}): flags=[0-9a-fx]{1,8}<([A-Z0-9_,]{0,200})> +(?:metric \d+ +)?mtu \d/.exec(line);
  const device = (old ?? bsd)?.[1];
  if (device === undefined) return undefined;
  const fact: Mutable<LinkFact> = { kind: 'link', ...stateBase(section), device, flags: bsd?.[2]?.split(',') ?? [] };
  if (old?.[3] !== undefined && old[2] === 'Ethernet') setMac(old[3], fact, section);
  return fact;
}

function setMac(text: string, fact: Mutable<LinkFact>, section: Section): void {
  const mac = canonicalMac(text);
  if (mac !== undefined) fact.mac = mac;
  else if (isRedacted(text)) section.redacted++;
}

/** `inet addr:A ... Mask:M`, `inet A netmask M`, `inet6 addr: A/64`, `inet6 A prefixlen 64`. */
function parseAddress(words: readonly string[]): { ip: string | undefined; prefixLength: number } | undefined {
  if (words[0] !== 'inet' && words[0] !== 'inet6') return undefined;
  const after = (name: string): string | undefined => {
    const at = words.indexOf(name);
    return at < 0 ? undefined : words[at + 1];
  };
  const text = (words[1] === 'addr:' ? words[2] : words[1]?.replace(/^addr:/, '')) ?? '';
  const [address = '', length] = text.split('/');
  const ip = canonicalIp(address);
  if (ip === undefined && !isRedacted(address)) return undefined;
  if (words[0] === 'inet6') {
    const prefixLength = wholeNumber(length ?? after('prefixlen'), 128);
    return prefixLength === undefined ? undefined : { ip, prefixLength };
  }
  const mask = words.find((word) => word.startsWith('Mask:'))?.slice(5) ?? after('netmask') ?? '255.255.255.255';
  const value = /^0x[0-9a-f]{8}$/i.test(mask) ? Number.parseInt(mask, 16) : parseIpv4(mask);
  const prefixLength = value === undefined ? undefined : prefixLengthOf(value);
  return prefixLength === undefined ? undefined : { ip, prefixLength };
}
