/**
 * DHCP leases: dnsmasq's lease file `<expiry> <mac> <ip> <host|*> <client id|*>` (dnsmasq src/lease.c), and odhcpd's
 * state file `# <device> <duid> <iaid|ipv4> <host> <expiry> <assigned> <length> <address/length>...`
 * (odhcpd src/dhcpv6-ia.c), whose DUID names no MAC for sure, except that of IPv4 leases, which is one.
 */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type { LeaseFact } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section } from './section.js';
import { isRedacted, wholeNumber, wordsOf } from './tokens.js';

export function dhcpLeasesReader(): LineReader {
  return { id: 'dhcp-leases', line: readLine };
}

function readLine(line: string, section: Section): boolean {
  const words = wordsOf(line);
  return words[0] === '#' ? readOdhcpd(words, section) : readDnsmasq(words, section);
}

function readDnsmasq(words: readonly string[], section: Section): boolean {
  const [expiryText, macText = '', ipText = '', host = '', clientId] = words;
  const expiry = wholeNumber(expiryText);
  if (expiry === undefined || clientId === undefined || words.length > 6) return false;
  // dnsmasq writes `<hardware type>-<mac>` for other than Ethernet.
  const mac = canonicalMac(macText.replace(/^[0-9a-f]{2}-(?=[0-9a-f]{2}:)/i, ''));
  const ip = canonicalIp(ipText);
  if (mac === undefined && !isRedacted(macText)) return false;
  if (ip === undefined && !isRedacted(ipText)) return false;
  if (ip === undefined || mac === undefined) {
    section.redacted++;
    return true;
  }
  emit(ip, mac, host, expiry, section);
  return true;
}

function readOdhcpd(words: readonly string[], section: Section): boolean {
  const [, device, duid = '', iaid = '', host = '', expiryText = '', assigned = '', lengthText, ...addresses] = words;
  if (device === undefined || !/^[0-9a-f]{6,260}$/i.test(duid) || !/^(?:ipv4|[0-9a-f]{1,8})$/i.test(iaid)) return false;
  if (!/^-?\d{1,12}$/.test(expiryText) || !/^[0-9a-f]{1,16}$/i.test(assigned)) return false;
  if (wholeNumber(lengthText, 128) === undefined) return false;
  const expiry = Math.max(Number(expiryText), 0);
  const mac = iaid === 'ipv4' && duid.length === 12 ? canonicalMac(duid.replace(/..(?=.)/g, '$&:')) : undefined;
  for (const word of addresses) {
    const ip = canonicalIp(word.split('/')[0] ?? '');
    if (ip !== undefined) emit(ip, mac, host, expiry, section);
    else if (isRedacted(word)) section.redacted++;
  }
  return true;
}

function emit(ip: string, mac: string | undefined, host: string, expiry: number, section: Section): void {
  const fact: Mutable<LeaseFact> = { kind: 'lease', ...stateBase(section), ip, expiry };
  if (mac !== undefined) fact.mac = mac;
  if (host !== '*' && host !== '-' && host !== '') fact.host = host;
  section.emit(fact);
}
