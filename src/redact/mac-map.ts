/** MACs to other MACs: one to one, universal or local and single or group as before. */

import { BROADCAST_MAC, isGroupMac, type Mac } from '../bytes/address.js';
import { virtualRouterOf } from '../detect/routers.js';
import { isClusterMac } from '../diagnose/cluster.js';
import { Domain, type Keyed } from './keyed.js';

const TWO_32 = 0x1_0000_0000;
const ROUNDS = 8;
/** Groups that mean a protocol, to everybody the same: IPv4, bridges, Cisco, PTP, IPv6. */
const PROTOCOL_GROUPS: readonly number[] = [0x01005e, 0x0180c2, 0x01000c, 0x011b19];
const IPV6_GROUP = 0x3333;

export interface MacMapOptions {
  /** The first three bytes stay, so that the vendor can still be told. */
  readonly keepOui: boolean;
  /** Maps the IPv4 address that the MAC of a load balancing cluster holds. */
  readonly ipv4: (ip: number) => number;
  /** Maps the last 24 bits of a solicited-node group. */
  readonly solicited: (low: number) => number;
}

export class MacMap {
  private readonly keyed: Keyed;
  private readonly options: MacMapOptions;

  constructor(keyed: Keyed, options: MacMapOptions) {
    this.keyed = keyed;
    this.options = options;
  }

  map(mac: Mac): Mac {
    if (!hasMeaning(mac)) return this.plain(mac);
    const high = Math.floor(mac / TWO_32);
    const low = mac % TWO_32;
    if (high === IPV6_GROUP && low >>> 24 === 0xff) {
      return high * TWO_32 + 0xff00_0000 + this.options.solicited(low & 0xff_ffff);
    }
    if (high === 0x02bf || high === 0x03bf) return high * TWO_32 + this.options.ipv4(low);
    return mac;
  }

  /** A Feistel network (Luby and Rackoff, 1988), walked on while it ends at a MAC with a meaning. */
  private plain(mac: Mac): Mac {
    let image = mac;
    do image = this.options.keepOui ? this.withinOui(image) : this.whole(image);
    while (hasMeaning(image));
    return image;
  }

  private withinOui(mac: Mac): Mac {
    const oui = Math.floor(mac / 0x100_0000);
    return oui * 0x100_0000 + this.feistel(Domain.MAC_OUI, oui, mac % 0x100_0000, 12);
  }

  /** All bits but the two lowest of the first byte: 46. */
  private whole(mac: Mac): Mac {
    const first = Math.floor(mac / 0x100_0000_0000);
    const bits = first & 3;
    const value = (first >>> 2) * 0x100_0000_0000 + (mac % 0x100_0000_0000);
    const image = this.feistel(Domain.MAC, bits, value, 23);
    const top = Math.floor(image / 0x100_0000_0000);
    return ((top << 2) | bits) * 0x100_0000_0000 + (image % 0x100_0000_0000);
  }

  /** A permutation of numbers of twice `half` bits. */
  private feistel(domain: number, tweak: number, value: number, half: number): number {
    const size = 2 ** half;
    let left = Math.floor(value / size);
    let right = value % size;
    for (let round = 0; round < ROUNDS; round++) {
      const next = left ^ (this.keyed.word(domain, round, tweak, right) & (size - 1));
      left = right;
      right = next;
    }
    return left * size + right;
  }
}

/** MACs that no single machine is known by: they stay, or follow the address that they hold. */
function hasMeaning(mac: Mac): boolean {
  if (mac === 0 || mac === BROADCAST_MAC) return true;
  if (isGroupMac(mac)) {
    return (
      Math.floor(mac / TWO_32) === IPV6_GROUP ||
      PROTOCOL_GROUPS.includes(Math.floor(mac / 0x100_0000)) ||
      isClusterMac(mac)
    );
  }
  return isClusterMac(mac) || virtualRouterOf(mac) !== undefined;
}
