import type { AddressTable } from '../bytes/address.js';

/** The table index of the IPv6 address whose 16 bytes begin at `at`. */
export function internAt(view: DataView, at: number, addresses: AddressTable): number {
  return addresses.intern(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12));
}
