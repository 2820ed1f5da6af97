/** Documents that are no router's text although lines of one may stand in them: HTML pages and XML of other programs. */

import type { LineReader } from './section.js';

export function foreignTextReader(): LineReader {
  let closing: string | undefined;
  let declared = 0;
  return {
    id: 'foreign',
    line(line, section) {
      if (closing === undefined) {
        if (!section.fresh && declared !== section.line - 1) return false;
        if (/^<\?xml[^>]*>$/.test(line)) declared = section.line;
        const opening = /^(?:<\?xml[^>]*>\s*)?<(!doctype html|html|svg|pdml|psml|rss|feed|plist)\b/i.exec(line);
        if (!opening) return false;
        const name = opening[1]?.toLowerCase() ?? '';
        closing = `</${name.startsWith('!') ? 'html' : name}>`;
      }
      if (line.toLowerCase().includes(closing)) closing = undefined;
      return true;
    },
    // A clock or command line inside such a document is part of it: it ends with its closing tag only.
  };
}
