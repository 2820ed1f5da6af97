/**
 * What the script of `macscan collect` could not collect, and what that costs: `macscan collect: WHAT | COST`, a line
 * each (collector/collect.sh). It becomes a limit of the evidence, told with the analysis.
 */

import type { LineReader } from './section.js';

const NOTE = /^macscan collect: ([^|]{1,300}) \| ([^|]{1,300})$/;
const MAX_NOTES = 60;

export function collectLogReader(): LineReader {
  return {
    id: 'collect-log',
    line(line, section) {
      const [, what, cost] = NOTE.exec(line) ?? [];
      if (what === undefined || cost === undefined) return false;
      section.notes++;
      if (section.notes <= MAX_NOTES) section.say('not-collected', what, cost, line);
      return true;
    },
  };
}
