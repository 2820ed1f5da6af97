/**
 * Connections of Qualcomm's Enhanced Connection Manager, as its state device prints them (qca-nss-ecm ecm_db_connection.c,
 * ecm_db_connection_state_get): `conns.conn.<serial>.<field>=<value>`, one field a line, the fields of a connection
 * together. `snode_address` and `dnode_address` are the MACs of the two sides.
 */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type { HardwareEntryFact, HardwareTuple } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section, type StatementBase } from './section.js';
import { isRedacted, wholeNumber } from './tokens.js';

/** ECM_FRONT_END_ACCELERATION_MODE_ACCEL (ecm_front_end_types.h). */
const ACCELERATED = '2';
const NO_MAC = '00:00:00:00:00:00';
const FIELDS = new Set(
  (
    'sip_address sip_address_nat sport sport_nat snode_address dip_address dip_address_nat dport dport_nat ' +
    'dnode_address protocol ip_version'
  ).split(' '),
);

interface Connection {
  readonly serial: string;
  readonly base: StatementBase;
  readonly fields: Map<string, string>;
}

export function ecmReader(): LineReader {
  let open: Connection | undefined;
  const close = (section: Section): void => {
    const connection = open;
    open = undefined;
    if (connection) emitBoth(connection, section);
  };
  return {
    id: 'ecm',
    line(line, section) {
      const field = /^conns\.conn\.(\d{1,10})\.([\w.]{1,100})=(.{0,100})$/.exec(line);
      if (!field) return false;
      const [, serial = '', name = '', value = ''] = field;
      if (open?.serial !== serial) {
        close(section);
        open = { serial, base: stateBase(section), fields: new Map() };
      }
      if (FIELDS.has(name)) open.fields.set(name, value);
      else if (name.endsWith('.accel_mode')) open.fields.set('accel_mode', value);
      return true;
    },
    finish: close,
  };
}

/** A connection is one entry for each direction. */
function emitBoth({ serial, base, fields }: Connection, section: Section): void {
  const source = endpointOf(fields, 's');
  const destination = endpointOf(fields, 'd');
  if (!source || !destination) {
    if (isRedacted(fields.get('sip_address') ?? '') || isRedacted(fields.get('dip_address') ?? '')) section.redacted++;
    return;
  }
  const mode = fields.get('accel_mode');
  const common: Omit<HardwareEntryFact, 'original'> = {
    kind: 'hardware-entry',
    ...base,
    engine: 'qualcomm',
    index: serial,
    state: mode ?? 'unknown',
    bound: mode === ACCELERATED,
    family: source.own.ip.includes(':') ? 6 : 4,
    vlans: [],
  };
  // A packet comes in for the translated address of the side that it goes to, and leaves from that of the side it is from.
  for (const [from, to, mac] of [
    [source, destination, 'dnode_address'],
    [destination, source, 'snode_address'],
  ] as const) {
    emit(common, tupleOf(from.own, to.outside), tupleOf(from.outside, to.own), fields, mac, section);
  }
}

function emit(
  common: Omit<HardwareEntryFact, 'original'>,
  original: HardwareTuple,
  translated: HardwareTuple,
  fields: ReadonlyMap<string, string>,
  macField: string,
  section: Section,
): void {
  const macText = fields.get(macField) ?? '';
  const mac = canonicalMac(macText);
  if (mac === undefined) {
    if (isRedacted(macText)) section.redacted++;
    return;
  }
  const fact: Mutable<HardwareEntryFact> = { ...common, original };
  const protocol = wholeNumber(fields.get('protocol'), 255);
  if (protocol !== undefined) fact.protocol = protocol;
  if (JSON.stringify(translated) !== JSON.stringify(original)) fact.translated = translated;
  if (mac !== NO_MAC && fact.bound) fact.dstMac = mac;
  section.emit(fact);
}

interface Endpoint {
  readonly ip: string;
  readonly port: number | undefined;
}

/** One side of a connection: itself, and as the other side sees it. */
function endpointOf(
  fields: ReadonlyMap<string, string>,
  side: 's' | 'd',
): { own: Endpoint; outside: Endpoint } | undefined {
  const read = (suffix: string): Endpoint | undefined => {
    const ip = canonicalIp(fields.get(`${side}ip_address${suffix}`) ?? '');
    return ip === undefined ? undefined : { ip, port: wholeNumber(fields.get(`${side}port${suffix}`), 65_535) };
  };
  const own = read('');
  return own && { own, outside: read('_nat') ?? own };
}

function tupleOf(from: Endpoint, to: Endpoint): HardwareTuple {
  return {
    src: from.ip,
    dst: to.ip,
    ...(from.port === undefined ? {} : { srcPort: from.port }),
    ...(to.port === undefined ? {} : { dstPort: to.port }),
  };
}
