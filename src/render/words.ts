/** Words and number forms that all renderers share. */

import { OUT_OF_MEMORY } from '../errors.js';
import type {
  Analysis,
  Confidence,
  Diagnostic,
  EvidenceFrame,
  Flow,
  Misdelivery,
  OffloadSpan,
  Tuple,
  Witness,
  WitnessKind,
} from '../model.js';
import type { VendorNames } from './options.js';

/** Text of an input made safe for a terminal or a mail: control, bidirectional and other invisible characters are shown as escapes. */
export function printable(text: string): string {
  // Nearly all text is plain, and asking that is quick.
  if (/^[ -~]*$/.test(text)) return text;
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** 1,234,567 */
export function count(n: number): string {
  return n.toString().replaceAll(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 frame`, `2 frames`; `plural` where an s does not make it. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : plural}`;
}

/** `2026-11-21 07:52:26.527668` in UTC of decimal ns since 1970, with microseconds (ns where they matter); `unknown time` for an empty text. */
export function dateTime(ns: string): string {
  const parts = timeParts(ns);
  return parts ? `${parts.date} ${parts.clock}` : 'unknown time';
}

/** `07:52:26.527668` in UTC. */
export function clockTime(ns: string): string {
  return timeParts(ns)?.clock ?? 'unknown time';
}

function timeParts(ns: string): { date: string; clock: string } | undefined {
  if (!isNanoseconds(ns)) return undefined;
  const absolute = BigInt(ns);
  const seconds = absolute / 1_000_000_000n;
  const fraction = (absolute % 1_000_000_000n).toString().padStart(9, '0');
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime()) || absolute < 0n) return undefined;
  const iso = date.toISOString();
  const digits = fraction.endsWith('000') ? fraction.slice(0, 6) : fraction;
  return { date: iso.slice(0, 10), clock: `${iso.slice(11, 19)}.${digits}` };
}

/** Whether a text is a time as the analysis writes it: saved ones come from strangers. */
export function isNanoseconds(text: string): boolean {
  return /^\d{1,24}$/.test(text);
}

/** A span of time: `54.2 s`, `12 ms`, `3 min 5 s`. */
export function span(fromNs: string, toNs: string): string {
  if (!isNanoseconds(fromNs) || !isNanoseconds(toNs)) return 'unknown';
  const ns = Number(BigInt(toNs) - BigInt(fromNs));
  if (ns < 1e6) return `${(ns / 1e3).toFixed(0)} µs`;
  if (ns < 1e9) return `${(ns / 1e6).toFixed(0)} ms`;
  if (ns < 120e9) return `${(ns / 1e9).toFixed(1)} s`;
  const seconds = Math.round(ns / 1e9);
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'ICMP',
  2: 'IGMP',
  6: 'TCP',
  17: 'UDP',
  33: 'DCCP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'ICMPv6',
  89: 'OSPF',
  112: 'VRRP',
  132: 'SCTP',
  136: 'UDP-Lite',
};

/** `UDP`, or `protocol 253` where the number has no name here (IANA protocol numbers). */
export function protocolName(protocol: number): string {
  return PROTOCOLS[protocol] ?? `protocol ${protocol}`;
}

/** `198.51.100.10:40000`, `[2001:db8::1]:53`, or the bare address where the protocol has no ports. */
export function endpoint(ip: string, port: number | undefined): string {
  if (port === undefined) return ip;
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** `UDP 198.51.100.10:40000 > 203.0.113.2:51820`; of ICMP echoes the identifier in place of ports. */
export function tupleText(tuple: Tuple): string {
  const isPing = tuple.protocol === 1 || tuple.protocol === 58;
  const source = endpoint(tuple.srcIp, isPing ? undefined : tuple.srcPort);
  const destination = endpoint(tuple.dstIp, isPing ? undefined : tuple.dstPort);
  const id = isPing && tuple.srcPort !== undefined ? ` id ${tuple.srcPort}` : '';
  return printable(`${protocolName(tuple.protocol)} ${source} > ${destination}${id}`);
}

/** How a flow stands in text: the original direction, what NAT made of it, and whether it was offloaded. */
export function flowText(flow: Flow): string {
  const { original, reply } = flow;
  const translated = reply.srcIp !== original.dstIp || reply.dstIp !== original.srcIp;
  const nat = translated ? ` (NAT: replies ${tupleText(reply).replace(/^\S+ /, '')})` : '';
  return `${tupleText(original)}${nat}${offloadOf(flow)}`;
}

/** `, offloaded (software) between 07:52:04.396759 and 07:52:04.451301 (conntrack's event), until ...` */
function offloadOf({ offload }: Flow): string {
  const [span, ...others] = offload;
  if (!span) return '';
  const again = others.length > 0 ? `, and ${counted(others.length, 'more time')}` : '';
  return `, offloaded (${span.kind}) ${beginText(span)}${endText(span)}${again}`;
}

function beginText({ from }: OffloadSpan): string {
  const source = SOURCES[from.source];
  // An event is exact but for the time that printing it took.
  if (from.earliest === undefined || from.earliest === from.time) {
    return `${from.source === 'event' ? 'since' : 'by'} ${clockTime(from.time)} (${source})`;
  }
  return `between ${clockTime(from.earliest)} and ${clockTime(from.time)} (${source})`;
}

function endText({ to }: OffloadSpan): string {
  if (!to) return '';
  const about = to.source === 'snapshot' || to.source === 'left-bridge' ? 'about ' : '';
  return `, until ${about}${clockTime(to.time)} (${ENDS[to.source] ?? SOURCES[to.source]})`;
}

const SOURCES: Readonly<Record<OffloadSpan['from']['source'], string>> = {
  event: 'conntrack event',
  snapshot: 'conntrack dumps',
  destroyed: 'conntrack entry gone',
  reload: 'firewall loaded anew',
  trigger: 'computed from its first packets',
  'left-bridge': 'frames left the bridge',
  unseen: 'no tap saw its frames',
  latency: 'forwarding became faster, which proves nothing',
  idle: 'nothing sent for 30 s',
  fin: 'FIN or RST',
};
const ENDS: Partial<typeof SOURCES> = { 'left-bridge': 'frames came back to the bridge', unseen: 'frames seen again' };

const WITNESS_WORDS: Readonly<Record<WitnessKind, string>> = {
  map: 'your --map',
  'arp-reply': 'ARP reply',
  'arp-gratuitous': 'gratuitous ARP',
  'arp-request': 'ARP request of its own',
  'nd-advertisement': 'neighbour advertisement',
  'nd-unsolicited': 'unsolicited neighbour advertisement',
  'nd-solicitation': 'neighbour solicitation of its own',
  'nd-router': 'router advertisement',
  'dhcp-ack': 'DHCP ACK',
  originated: 'frames that it made itself',
  'neighbor-event': "change of the sender's neighbour table",
  'neighbor-entry': 'neighbour table entry',
  lease: 'DHCP lease',
  'own-frame': "the sender's own first frame to it",
  'fdb-event': "change of the bridge's forwarding table",
  'fdb-entry': "the bridge's forwarding table",
  ingress: 'frames that came in there',
  'route-change': 'change of the rules or routes',
  'route-entry': 'routes',
};

/** `gratuitous ARP at 07:52:26.398689, router.lan3.pcap frame 185` */
export function witnessText(witness: Witness): string {
  const at = witness.time ? ` at ${clockTime(witness.time)}` : '';
  const { origin } = witness;
  if (!origin) return `${WITNESS_WORDS[witness.kind]}${at}`;
  const where = origin.frame === undefined ? ` line ${origin.line ?? 0}` : ` frame ${origin.frame}`;
  return `${WITNESS_WORDS[witness.kind]}${at}, ${printable(origin.input)}${where}`;
}

/** `186-190, 192, 200-467 and 12 more` */
export function rangesText(ranges: readonly (readonly [number, number])[], most = 6): string {
  const shown = ranges.slice(0, most).map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  const left = ranges.length - shown.length;
  return shown.join(', ') + (left > 0 ? ` and ${counted(left, 'more range')}` : '');
}

/** A line as `tcpdump -e` prints it. */
export function frameText(frame: EvidenceFrame): string {
  const vlan = frame.vlan === undefined ? '' : `vlan ${frame.vlan}, `;
  const ttl = frame.hopLimit === undefined ? '' : `ttl ${frame.hopLimit}, `;
  const port = (p: number | undefined): string => (p === undefined ? '' : `.${p}`);
  const isPing = frame.protocol === 1 || frame.protocol === 58;
  const ends = isPing
    ? `${frame.srcIp} > ${frame.dstIp}`
    : `${frame.srcIp}${port(frame.srcPort)} > ${frame.dstIp}${port(frame.dstPort)}`;
  const macs = `${frame.srcMac} > ${frame.dstMac}`;
  return printable(
    `${clockTime(frame.time)} ${macs}, ${vlan}${ttl}length ${frame.length}: ${ends}: ${protocolName(frame.protocol)}`,
  );
}

/** `dc:a6:32:00:00:03 (Raspberry Pi)` */
export function macText(mac: string, names?: VendorNames): string {
  const vendor = names?.(mac);
  return printable(vendor === undefined ? mac : `${mac} (${vendor})`);
}

/** Whether the MAC is right, and only the bridge port or the VLAN wrong. */
export function isRightMac(m: Misdelivery): boolean {
  return m.expected.includes(m.dstMac);
}

/** Where the frames of a misdelivery went: `went to 02:..`, `left on lan1`, `left in VLAN 10`. */
export function observedText(m: Misdelivery, names?: VendorNames): string {
  const mac = macText(m.dstMac, names);
  if (!isRightMac(m)) return `went to ${mac}`;
  return m.class === 'wrong-port'
    ? `for ${mac} left on ${printable(m.device)}`
    : `for ${mac} left in VLAN ${m.vlan ?? 0}`;
}

/** Where they should have gone: a MAC, a bridge port, or a VLAN. */
export function expectedText(m: Misdelivery, names?: VendorNames): string {
  const port = m.because.find((witness) => witness.port !== undefined)?.port;
  if (isRightMac(m) && port !== undefined) return printable(port);
  return m.expected.map((mac) => macText(mac, names)).join(' or ');
}

/** Where in its input a diagnostic belongs: `byte 5018, frame 54`; empty where nothing says. */
export function diagnosticPlace({ offset, frame, line }: Diagnostic): string {
  const parts = [
    offset === undefined ? '' : `byte ${offset}`,
    frame === undefined ? '' : `frame ${frame}`,
    line === undefined ? '' : `line ${line}`,
  ];
  return parts.filter((text) => text !== '').join(', ');
}

/** What a witness said: `02:.. had 192.0.2.1`, `02:.. was on lan2`. */
export function claimText(witness: Witness): string {
  const { mac, ip, port } = witness;
  return printable(port === undefined ? `${mac} had ${ip}` : `${mac} was on ${port}`);
}

/** How early a misdelivery may have begun, where the evidence leaves that open; undefined where it does not. */
export function beginningText({ frameRanges, notBefore }: Misdelivery): string | undefined {
  if (!notBefore) return undefined;
  const { frame, time, frames, heard } = notBefore;
  const proven = frameRanges.reduce((least, [first]) => Math.min(least, first), Infinity);
  const last = `${heard.port === undefined ? '' : `${claimText(heard)}: `}${witnessText(heard)}`;
  return `proven from frame ${proven} on; may have begun at frame ${frame} (${clockTime(time)}, ${counted(frames, 'frame')} earlier), after the last word for that way. ${last}`;
}

export const CONFIDENCE_WORDS: Readonly<Record<Confidence, string>> = {
  proven: 'proven',
  strong: 'strong evidence',
  suspected: 'suspected',
};

/** Why a partial analysis is one. */
export function endedEarly({ diagnostics }: Pick<Analysis, 'diagnostics'>): string {
  return diagnostics.some(({ id }) => id === OUT_OF_MEMORY) ? 'The memory did not suffice' : 'Interrupted';
}

/** The verdict in one sentence. */
export function verdictSentence(analysis: Analysis): string {
  const { totals, partial, filter } = analysis;
  if (filter) return filter.sentence;
  const all = analysis.misdeliveries.filter((m) => m.class !== 'convergence');
  const kinds = new Set(all.map((m) => (m.class === 'wrong-egress' && isRightMac(m) ? 'wrong-vlan' : m.class)));
  const wrong = kinds.size === 1 ? (WRONG[[...kinds][0] ?? ''] ?? 'wrong MAC') : 'wrong MAC, next hop or port';
  const judged = totals.delivered + totals.misdelivered;
  // Frames without an IP packet are listed below; here they would only hide what matters.
  const noIp = analysis.notJudged.find((entry) => entry.reason === 'not-ip')?.frames ?? 0;
  const rest = totals.notJudged > noIp ? ` ${counted(totals.notJudged - noIp, 'frame')} could not be judged.` : '';
  const soFar = partial ? ` ${endedEarly(analysis)}: this covers only what was read so far.` : '';
  if (totals.misdelivered > 0) {
    return `${count(totals.misdelivered)} of ${counted(judged, 'judged frame')} went to the right IP address and the ${wrong}.${rest}${soFar}`;
  }
  if (judged > 0) return `All ${counted(judged, 'judged frame')} went to the right MAC.${rest}${soFar}`;
  if (totals.frames === 0)
    return `${analysis.window ? 'There are no frames of the time that --from and --to ask for.' : 'There are no frames to judge.'}${soFar}`;
  return `None of ${counted(totals.frames, 'frame')} could be judged.${soFar}`;
}

/** What a filter leaves out, in one sentence; undefined when nothing is filtered. The expression is untrusted. */
export function filterSentence({ filter, misdeliveries, flows, findings }: Analysis): string | undefined {
  if (!filter) return undefined;
  const part = (listed: number, all: number, noun: string): string => `${count(listed)} of ${counted(all, noun)}`;
  return `Only what fits the filter "${filter.expression}" is listed: ${part(findings.length, filter.findings, 'finding')}, ${part(flows.length, filter.flows, 'flow')}, ${part(misdeliveries.length, filter.misdeliveries, 'place')} with misdelivered frames.`;
}

const WRONG: Readonly<Record<string, string>> = {
  'wrong-port': 'wrong bridge port',
  'wrong-next-hop': 'wrong next hop',
  'wrong-egress': 'wrong device',
  'wrong-vlan': 'wrong VLAN',
};
