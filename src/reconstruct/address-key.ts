import type { Ip } from '../bytes/address.js';

/** One number for a tap (or network) and an address: taps below 2^16, addresses below 2^33. */
export function addressKey(tap: number, ip: Ip): number {
  return tap * 0x2_0000_0000 + ip;
}
