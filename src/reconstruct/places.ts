import { ipFromWord, isIpv6, type Ip } from '../bytes/address.js';
import type { Core } from '../bytes/core.js';
import { ASKER_ROWS, PLACE_LIST, PLACE_ROWS, PLACE_TABLE, PLACES, RUNS } from '../bytes/core-layout.js';
import { RecordList } from '../bytes/record-list.js';
import { WordTable } from '../bytes/word-table.js';
import { PLACE_WORDS } from './claim-layout.js';

/** The number of a pair that does not count any more, as there are too many. */
export const NO_PLACE = -1;

/** A scan of address ranges asks for as many. */
const MAX_PLACES = 1_000_000;

/** Numbers pairs of tap and address, in order of appearance; each has a record of what is known of it. */
export class Places {
  private readonly table: WordTable;
  private readonly list: RecordList;

  /** @param core where they lie */
  constructor(core?: Core) {
    this.table = new WordTable(core?.tableRoom(PLACE_TABLE, PLACE_ROWS, ASKER_ROWS));
    this.list = new RecordList(PLACE_WORDS, core?.listRoom(PLACE_LIST, PLACES, RUNS));
  }

  /** The records, `PLACE_WORDS` each. */
  get words(): Int32Array {
    return this.list.words;
  }

  get doubles(): Float64Array {
    return this.list.doubles;
  }

  /** @param word the address as frame batches hold it */
  of(tap: number, ipVersion: number, word: number): number {
    const { table, list } = this;
    if (table.count >= MAX_PLACES) return table.find(tap, ipVersion, word, 0);
    const place = table.intern(tap, ipVersion, word, 0);
    if (place === list.count) list.add();
    return place;
  }

  /** `NO_PLACE` when the pair was never seen. */
  find(tap: number, ip: Ip): number {
    return this.table.find(tap, isIpv6(ip) ? 6 : 4, ip | 0, 0);
  }

  tap(place: number): number {
    return this.table.words[place * 4] ?? 0;
  }

  ip(place: number): Ip {
    return ipFromWord(this.table.words[place * 4 + 2] ?? 0, this.table.words[place * 4 + 1] ?? 4);
  }
}
