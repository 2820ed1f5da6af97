/**
 * Packet engine tables of MediaTek and Airoha: `/sys/kernel/debug/ppe0/entries` and `bind` (older: `mtk_ppe/all_entry`).
 *
 * One line per entry (drivers/net/ethernet/mediatek/mtk_ppe_debugfs.c, airoha/airoha_ppe_debugfs.c):
 * `0252a BND IPv4 5T orig=SA:SP->DA:DP new=SA:SP->DA:DP eth=SMAC->DMAC etype=0400 vlan=0,0 ib1=614108ef ib2=... `.
 * IPv6 is printed in full, without brackets, and has no `new=`. An address that cannot be read was made so. Airoha adds `data=` after the EtherType.
 */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type { HardwareEntryFact, HardwareTuple } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section } from './section.js';
import { wholeNumber } from './tokens.js';

export function ppeReader(): LineReader {
  return { id: 'ppe', line: readLine };
}

const ENTRY = /^([0-9a-f]{5}) (INV|UNB|BND|FIN|UNK) +(IPv[46] [35]T|DS-LITE|6RD|L2B?|UNKNOWN) (.{1,600})$/;
const NO_MAC = '00:00:00:00:00:00';
/** The bit of the first information word that parts UDP from TCP (mtk_ppe.h, MTK_FOE_IB1_UDP). */
const UDP_BIT = 0x4000_0000;

function readLine(line: string, section: Section): boolean {
  const entry = ENTRY.exec(line);
  if (!entry) return false;
  const [, index = '', state = '', type = '', rest = ''] = entry;
  const fields = new Map<string, string>();
  for (const word of rest.split(' ')) {
    const equals = word.indexOf('=');
    if (equals > 0) fields.set(word.slice(0, equals), word.slice(equals + 1));
  }
  const eth = pairOf(fields.get('eth'));
  if (!eth) return false;
  // An entry for switched frames has no addresses.
  if (!fields.has('orig')) return true;
  const original = tupleOf(fields.get('orig'));
  const translated = tupleOf(fields.get('new'));
  const [source, destination] = eth.map(canonicalMac);
  const isHidden = !original || (fields.has('new') && !translated) || source === undefined || destination === undefined;
  if (isHidden) {
    section.redacted++;
    return true;
  }
  const isAiroha = fields.has('data');
  const fact: Mutable<HardwareEntryFact> = {
    kind: 'hardware-entry',
    ...stateBase(section),
    engine: isAiroha ? 'airoha' : 'mediatek',
    index,
    state,
    bound: state === 'BND',
    family: original.src.includes(':') ? 6 : 4,
    original,
    vlans: vlansOf(fields.get('vlan')),
  };
  if (translated && fact.bound) fact.translated = translated;
  if (source !== NO_MAC) fact.srcMac = source;
  if (destination !== NO_MAC && fact.bound) fact.dstMac = destination;
  const protocol = type.endsWith('5T') && !isAiroha ? protocolOf(fields.get('ib1')) : undefined;
  if (protocol !== undefined) fact.protocol = protocol;
  const etherType = fields.get('etype') ?? '';
  if (/^[0-9a-f]{4}$/.test(etherType)) fact.etherType = etherType;
  section.emit(fact);
  return true;
}

/** `A->B`. */
function pairOf(text: string | undefined): readonly [string, string] | undefined {
  const [left, right, ...more] = text?.split('->') ?? [];
  return left !== undefined && right !== undefined && more.length === 0 ? [left, right] : undefined;
}

function tupleOf(text: string | undefined): HardwareTuple | undefined {
  const [source, destination] = pairOf(text) ?? [];
  const src = endpointOf(source ?? '');
  const dst = endpointOf(destination ?? '');
  if (!src || !dst) return undefined;
  return {
    src: src.ip,
    dst: dst.ip,
    ...(src.port === undefined ? {} : { srcPort: src.port }),
    ...(dst.port === undefined ? {} : { dstPort: dst.port }),
  };
}

/** `10.0.0.2:443`, `10.0.0.2`, `2001:0db8:...:0001:443`: of IPv6 always eight groups, so that a ninth is the port. */
function endpointOf(text: string): { ip: string; port: number | undefined } | undefined {
  const parts = text.split(':');
  const groups = text.includes('.') ? 1 : 8;
  const ip = canonicalIp(parts.slice(0, groups).join(':'));
  const port = wholeNumber(parts[groups], 65_535);
  if (ip === undefined || parts.length > groups + 1 || (parts.length > groups && port === undefined)) return undefined;
  return { ip, port };
}

function vlansOf(text: string | undefined): number[] {
  const ids = (text ?? '').split(',').map((word) => wholeNumber(word, 65_535));
  return ids.filter((id) => id !== undefined && id !== 0).map((id) => Number(id) & 0xfff);
}

function protocolOf(word: string | undefined): number | undefined {
  if (word === undefined || !/^[0-9a-f]{8}$/.test(word)) return undefined;
  return (Number.parseInt(word, 16) & UDP_BIT) === 0 ? 6 : 17;
}
