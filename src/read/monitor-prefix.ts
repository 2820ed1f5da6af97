/**
 * What `ip monitor` and `bridge monitor` print before a statement: `[2026-11-21T07:20:47.123456]` (`-ts`), a label
 * such as `[NEIGH]`, `[nsid 0]`, `Deleted`, `miss` (iproute2 ip/ipmonitor.c, lib/utils.c print_timestamp).
 */

import { changeBase, stampedBase, type Section, type StatementBase } from './section.js';
import { parseEpochSeconds, parseIsoTime, type TextTime } from './time-text.js';

export interface MonitorPrefix {
  /** The statement itself. */
  readonly text: string;
  /** undefined when nothing says that the line is an event. */
  readonly event: 'changed' | 'deleted' | 'missed' | undefined;
  readonly time: bigint | undefined;
  /** NEIGH, ROUTE, LINK, ADDR, RULE, ... when labels were asked for. */
  readonly label: string | undefined;
  readonly local: boolean;
}

const LABEL =
  /^\[(NEIGH|ROUTE|LINK|ADDR|RULE|NETCONF|NEXTHOP|PREFIX|NSID|MROUTE|ADDRLABEL|FDB|MDB|VLAN|STATS|nsid [^\]]{1,20})\] ?/;

/** Splits a line into prefix and statement; without a prefix the statement is the whole line. */
export function splitMonitorPrefix(line: string, section: Section): MonitorPrefix {
  let text = line.trim();
  let event: MonitorPrefix['event'] = section.monitoring ? 'changed' : undefined;
  let time = section.stamp;
  let local = false;
  let label: string | undefined;
  const word = text.slice(0, Math.max(text.indexOf(' '), 0));
  const written = word.length >= 12 && word.length <= 40 ? stampOf(word) : undefined;
  if (written) {
    time = written.time;
    local = written.local;
    text = text.slice(word.length).trimStart();
  }
  if (text.startsWith('[')) {
    const end = text.indexOf(']');
    const stamp = end > 0 && end < 48 ? parseIsoTime(text.slice(1, end)) : undefined;
    if (stamp) {
      time = stamp.time;
      local = stamp.local;
      event = 'changed';
      text = text.slice(end + 1).trimStart();
    }
    for (let match = LABEL.exec(text), i = 0; match && i < 3; match = LABEL.exec(text), i++) {
      if (!match[1]?.startsWith('nsid')) label = match[1];
      event = 'changed';
      text = text.slice(match[0].length);
    }
  }
  if (/^[Dd]eleted /.test(text)) {
    event = 'deleted';
    text = text.slice(8);
  } else if (text.startsWith('miss ')) {
    event = 'missed';
    text = text.slice(5);
  }
  return { text, event, time, label, local };
}

/** The shared part of a fact of such a line. A deletion or miss shows that the lines around it are events, too. */
export function monitorBase(prefix: MonitorPrefix, section: Section): StatementBase {
  if (prefix.local) section.sayLocalTime();
  if (prefix.event === 'deleted' || prefix.event === 'missed') section.monitoring = true;
  return prefix.event === undefined ? stampedBase(section, prefix.time) : changeBase(section, prefix.time);
}

/** A time that a filter such as `ts %.s` put before the line: a number without fraction could be anything else. */
function stampOf(word: string): TextTime | undefined {
  const seconds = word.includes('.') ? parseEpochSeconds(word) : undefined;
  return seconds === undefined ? parseIsoTime(word) : { time: seconds, local: false };
}
