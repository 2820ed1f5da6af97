/**
 * Lines of the system's log that tell of a change: `logread`, `logread -t`, syslog files (RFC 3164 and ISO times).
 *
 * dnsmasq names who was given which address (dnsmasq src/rfc2131.c log_packet), hostapd which station came and went
 * (hostapd src/ap/sta_info.c), netifd and the kernel's bridge which link and port changed, OpenWrt's hotplug script when
 * the firewall was loaded anew, which deletes the flowtable.
 */

import { canonicalIp, canonicalMac } from '../bytes/address.js';
import type { LogEvent, LogEventFact } from '../records/facts.js';
import { changeBase, type LineReader, type Section } from './section.js';
import { isRedacted } from './tokens.js';
import { parseCtime, parseEpochSeconds, parseIsoTime } from './time-text.js';

export function logReader(): LineReader {
  return { id: 'log', line: readLine };
}

const SECOND = 1_000_000_000;
const MILLISECOND = 1_000_000;

interface LogLine {
  readonly time: bigint | undefined;
  readonly resolution: number;
  readonly program: string;
  readonly message: string;
  /** It is a log's line for sure, whatever it says. */
  readonly certain: boolean;
  readonly local: boolean;
}

type Found = Pick<LogEventFact, 'what' | 'mac' | 'ip' | 'device' | 'master' | 'state'>;

function readLine(line: string, section: Section): boolean {
  const log = logreadLine(line) ?? syslogLine(line);
  if (!log) return false;
  const found = eventOf(log.program, log.message);
  if (found === undefined) return log.certain;
  if (found === 'redacted') {
    section.redacted++;
    return true;
  }
  if (log.local && log.time !== undefined) {
    section.say(
      'log-time',
      'Times of the log are whole seconds of a local time without a zone.',
      'They were read as UTC; what happened within a second has no order.',
    );
  }
  section.emit({ kind: 'log-event', ...changeBase(section, log.time), resolution: log.resolution, ...found });
  return true;
}

/** `Wed Oct 22 00:03:31 2025 [1761091411.123] daemon.info dnsmasq-dhcp[1]: ...`; the bracket with `-t` only. */
function logreadLine(line: string): LogLine | undefined {
  const parts =
    /^(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}) (?:\[(\d{9,10}\.\d{3})\] )?[a-z\d]{2,10}\.[a-z]{2,7} ([^:[]{1,64})(?:\[\d{1,10}\])?: (.*)$/.exec(
      line,
    );
  const coarse = parts ? parseCtime((parts[1] ?? '').split(/ +/)) : undefined;
  if (!parts || !coarse) return undefined;
  const exact = parts[2] === undefined ? undefined : parseEpochSeconds(parts[2]);
  return {
    time: exact ?? coarse.time,
    resolution: exact === undefined ? SECOND : MILLISECOND,
    program: parts[3] ?? '',
    message: parts[4] ?? '',
    certain: true,
    local: exact === undefined,
  };
}

/** `Nov  7 07:45:11 host program[1]: ...`, which has no year, and `2026-11-07T07:45:11.123+01:00 host program[1]: ...`. */
function syslogLine(line: string): LogLine | undefined {
  const parts =
    /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|(\d{4}-\d\d-\d\d[T ][\d:.,+Z-]{8,24})) (?:[\w.-]{1,64} )?([\w./-]{1,64})(?:\[\d{1,10}\])?: (.*)$/.exec(
      line,
    );
  if (!parts) return undefined;
  const iso = parts[1] === undefined ? undefined : parseIsoTime(parts[1]);
  if (parts[1] !== undefined && !iso) return undefined;
  return {
    time: iso?.time,
    resolution: iso && /[.,]\d{3}/.test(parts[1] ?? '') ? MILLISECOND : SECOND,
    program: parts[2] ?? '',
    message: parts[3] ?? '',
    certain: false,
    local: iso?.local ?? false,
  };
}

function eventOf(program: string, message: string): Found | 'redacted' | undefined {
  if (program === 'dnsmasq-dhcp') return dhcpEvent(message);
  if (program === 'hostapd' || program === 'wpad') return stationEvent(message);
  if (program === 'netifd') return linkEvent(message);
  if (program === 'kernel') return portEvent(message);
  const reloads = message.startsWith('Reloading firewall due to ') && /^(?:firewall|root)$/.test(program);
  return reloads ? { what: 'firewall-reload' } : undefined;
}

function dhcpEvent(message: string): Found | 'redacted' | undefined {
  const parts = /^(?:\d{1,10} )?DHCP(ACK|RELEASE)\(([^)\s]{1,64})\) (\S{1,64}) (\S{1,64})(?: |$)/.exec(message);
  if (!parts) return undefined;
  const [, verb, device = '', ipText = '', macText = ''] = parts;
  const ip = canonicalIp(ipText);
  const mac = canonicalMac(macText);
  if (ip === undefined || mac === undefined) {
    return isRedacted(ipText) || isRedacted(macText) ? 'redacted' : undefined;
  }
  const what = verb === 'ACK' ? 'dhcp-ack' : 'dhcp-release';
  return { what, ip, mac, ...(isDevice(device) ? { device } : {}) };
}

const STATION_WORDS: Readonly<Record<string, LogEvent>> = {
  'AP-STA-CONNECTED': 'station-connected',
  'AP-STA-DISCONNECTED': 'station-disconnected',
  associated: 'station-associated',
  disassociated: 'station-disconnected',
};

function stationEvent(message: string): Found | 'redacted' | undefined {
  const parts =
    /^(\S{1,32}): (AP-STA-(?:DIS)?CONNECTED) (\S{1,64})(?: |$)/.exec(message) ??
    /^(\S{1,32}): STA (\S{1,64}) IEEE 802\.11: ((?:dis)?associated)(?: |$)/.exec(message);
  if (!parts) return undefined;
  const [, device = '', first = '', second = ''] = parts;
  const [word, macText] = first.startsWith('AP-') ? [first, second] : [second, first];
  const mac = canonicalMac(macText);
  const what = STATION_WORDS[word];
  if (mac === undefined || what === undefined) return isRedacted(macText) ? 'redacted' : undefined;
  return { what, mac, ...(isDevice(device) ? { device } : {}) };
}

function linkEvent(message: string): Found | undefined {
  const parts = /^(?:Network device|bridge|VLAN|macvlan) '([^'\s]{1,32})' link is (up|down)$/.exec(message);
  if (!parts || !isDevice(parts[1] ?? '')) return undefined;
  return { what: parts[2] === 'up' ? 'link-up' : 'link-down', device: parts[1] ?? '' };
}

/** `[  217.46] br-lan: port 2(phy1-ap0) entered blocking state`. */
function portEvent(message: string): Found | undefined {
  const parts = /^(?:\[ *\d{1,10}\.\d{1,9}\] )?(\S{1,32}): port \d{1,5}\((\S{1,32})\) entered (\w{1,16}) state$/.exec(
    message,
  );
  if (!parts) return undefined;
  return { what: 'port-state', master: parts[1] ?? '', device: parts[2] ?? '', state: parts[3] ?? '' };
}

/** dnsmasq may print a tag of its configuration instead of the device. */
function isDevice(name: string): boolean {
  return /^[\w.@-]{1,15}$/.test(name) && !name.startsWith('tag.');
}
