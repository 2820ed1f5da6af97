import { isIpv6, type Ip } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';

/** The number of a pair that does not count any more, as there are too many. */
export const NO_PLACE = -1;

/** A scan of address ranges asks for as many. */
const MAX_PLACES = 1_000_000;

/** Numbers pairs of tap and address, in order of appearance: what is known of them is kept in lists by number. */
export class Places {
  private readonly table = new WordTable();

  /** @param word the address as frame batches hold it */
  of(tap: number, ipVersion: number, word: number): number {
    const { table } = this;
    return table.count < MAX_PLACES ? table.intern(tap, ipVersion, word, 0) : table.find(tap, ipVersion, word, 0);
  }

  /** `NO_PLACE` when the pair was never seen. */
  find(tap: number, ip: Ip): number {
    return this.table.find(tap, isIpv6(ip) ? 6 : 4, ip | 0, 0);
  }
}
