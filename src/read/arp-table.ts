/**
 * ARP tables: `/proc/net/arp` (kernel net/ipv4/arp.c arp_seq_show), `arp -an` and `arp -n` (net-tools, busybox), and the
 * BSD form of `arp -an`, and Windows' `arp -a`. They know no NUD states but complete, incomplete and permanent.
 */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type { NeighborFact } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section } from './section.js';
import { isRedacted, wordsOf } from './tokens.js';

export function arpTableReader(): LineReader {
  return { id: 'arp-table', line: readLine };
}

function readLine(line: string, section: Section): boolean {
  const words = wordsOf(line);
  if (words.length < 3 || words.length > 14) return false;
  if (words.length === 3) return readWindows(words, section);
  return isHeader(words) || readProc(words, section) || readDashA(words, section) || readDashN(words, section);
}

function isHeader(words: readonly string[]): boolean {
  const text = words.join(' ');
  return (
    text === 'IP address HW type Flags HW address Mask Device' || text === 'Address HWtype HWaddress Flags Mask Iface'
  );
}

const PROC_COMPLETE = 0x02;
const PROC_PERMANENT = 0x04;

/** `192.168.1.240    0x1         0x2         02:42:c0:a8:01:f0     *        br-lan` */
function readProc(words: readonly string[], section: Section): boolean {
  const [ip = '', type = '', flagsText = '', mac = '', mask, device, ...more] = words;
  if (!/^0x[0-9a-f]{1,4}$/i.test(type) || !/^0x[0-9a-f]{1,4}$/i.test(flagsText)) return false;
  if (mask === undefined || device === undefined || more.length > 0) return false;
  const flags = Number.parseInt(flagsText, 16);
  const states = (flags & PROC_PERMANENT) !== 0 ? ['PERMANENT'] : (flags & PROC_COMPLETE) !== 0 ? [] : ['INCOMPLETE'];
  return emit(ip, mac, device, states, section);
}

/** `? (10.0.0.2) at 02:11:22:33:44:55 [ether] on br-lan`, `... at <incomplete> on br-lan`, BSD `... on en0 ifscope [ethernet]` */
function readDashA(words: readonly string[], section: Section): boolean {
  const at = words.indexOf('at');
  const on = words.indexOf('on', at);
  const device = words[on + 1];
  const address = /^\((.*)\)$/.exec(words[at - 1] ?? '')?.[1];
  if (at < 2 || on < 0 || device === undefined || address === undefined) return false;
  const mac = words[at + 1] ?? '';
  const unresolved = /^[<(]incomplete[>)]$/.test(mac);
  const states = unresolved
    ? ['INCOMPLETE']
    : words.includes('PERM') || words.includes('permanent')
      ? ['PERMANENT']
      : [];
  return emit(address, mac, device, states, section);
}

/** `10.0.0.2   ether   02:11:22:33:44:55   C   br-lan`, `10.0.0.3   (incomplete)   br-lan` */
function readDashN(words: readonly string[], section: Section): boolean {
  const [ip = '', type = '', mac = '', flags = ''] = words;
  const device = words.at(-1) ?? '';
  if (type !== 'ether' || !/^[CMP!]+$/.test(flags) || words.length > 6) return false;
  return emit(ip, mac, device, flags.includes('M') ? ['PERMANENT'] : [], section);
}

/** Windows: `  192.168.1.1           02-11-22-33-44-55     dynamic`. */
function readWindows(words: readonly string[], section: Section): boolean {
  const [ip = '', mac = '', type = ''] = words;
  if (!/^(?:dynamic|static)$/.test(type) || !/^[0-9a-f]{2}(?:-[0-9a-f]{2}){5}$/i.test(mac)) return false;
  return emit(ip, mac, undefined, type === 'static' ? ['PERMANENT'] : [], section);
}

function emit(
  ipText: string,
  macText: string,
  device: string | undefined,
  states: string[],
  section: Section,
): boolean {
  const ip = canonicalIp(ipText);
  const mac = canonicalMac(macText);
  const unresolved = states.includes('INCOMPLETE');
  if ((ip === undefined && !isRedacted(ipText)) || (mac === undefined && !unresolved && !isRedacted(macText)))
    return false;
  if (ip === undefined || (mac === undefined && !unresolved)) {
    section.redacted++;
    return true;
  }
  const fact: Mutable<NeighborFact> = { kind: 'neighbor', ...stateBase(section), ip, states };
  if (device !== undefined) fact.device = device;
  if (mac !== undefined && !unresolved) fact.mac = mac;
  section.emit(fact);
  return true;
}
