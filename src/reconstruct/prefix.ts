/** Address prefixes over `Ip` numbers. */

import { isIpv6, parseIpv4, parseIpv6Groups, type AddressTable, type Ip } from '../bytes/address.js';

/** An address prefix: the groups of its address (one 32-bit number for IPv4, eight 16-bit groups for IPv6) and its length in bits. */
export interface Prefix {
  readonly groups: readonly number[];
  readonly length: number;
  readonly table: AddressTable;
}

/** Reads `192.168.1.0/24` or `2001:db8::/64` (without a length: the whole address); undefined for anything else. */
export function parsePrefix(text: string, table: AddressTable): Prefix | undefined {
  const [address = '', length] = text.split('/');
  const v4 = parseIpv4(address);
  const groups = v4 === undefined ? parseIpv6Groups(address) : [v4];
  if (!groups) return undefined;
  const bits = groups.length === 1 ? 32 : 128;
  const wanted = length === undefined ? bits : Number(length);
  if (!Number.isInteger(wanted) || wanted < 0 || wanted > bits) return undefined;
  return { groups, length: wanted, table };
}

/** Whether an address lies in a prefix of its family. */
export function prefixContains(prefix: Prefix, ip: Ip): boolean {
  if (isIpv6(ip) !== prefix.groups.length > 1) return false;
  const groups = isIpv6(ip) ? prefix.table.groups(ip) : [ip];
  const width = groups.length > 1 ? 16 : 32;
  let left = prefix.length;
  for (let i = 0; i < groups.length && left > 0; i++) {
    const bits = Math.min(left, width);
    const shift = 2 ** (width - bits);
    if (Math.floor((groups[i] ?? 0) / shift) !== Math.floor((prefix.groups[i] ?? 0) / shift)) return false;
    left -= bits;
  }
  return true;
}
