/** DHCPv4 (RFC 2131, options RFC 2132): who is given which address stays, all that names or describes a client goes. */

import type { Rewrite } from './rewrite.js';

const FIXED = 240;
const MAGIC_COOKIE = 0x63825363;
const PAD = 0;
const END = 255;

/** Options that are numbers: subnet mask, lease time, message type, largest message, renewal and rebinding times. */
const NUMBERS: readonly number[] = [1, 51, 53, 57, 58, 59];
/** Options that are lists of addresses: routers, name servers, broadcast, time servers, requested address, server. */
const ADDRESSES: readonly number[] = [3, 6, 28, 42, 50, 54];

/** Rewrites the message at `at`; one that is no DHCP message, or cut within its fixed part, is left out. */
export function redactDhcp(w: Rewrite, at: number, end: number): void {
  if (end - at < FIXED || w.view.getUint32(at + 236) !== MAGIC_COOKIE) return;
  w.number(at, 12);
  for (let address = at + 12; address < at + 28; address += 4) w.ipv4(address);
  if (w.view.getUint16(at + 1) === 0x0106) w.mac(at + 28);
  w.number(at + 236, 4);
  w.blank(at, end - at);
  let option = at + FIXED;
  while (option < end) {
    const code = w.view.getUint8(option);
    if (code === PAD || code === END) {
      w.number(option, 1);
      if (code === END) return;
      option++;
      continue;
    }
    if (option + 1 >= end) return;
    const length = w.view.getUint8(option + 1);
    const value = option + 2;
    if (value + length > end) return;
    w.number(option, 2);
    if (NUMBERS.includes(code) && length <= 4) w.number(value, length);
    else if (ADDRESSES.includes(code)) for (let i = 0; i + 4 <= length; i += 4) w.ipv4(value + i);
    option = value + length;
  }
}
