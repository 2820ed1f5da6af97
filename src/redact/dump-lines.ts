/** Lines of dumps without their free parts, format by format. Addresses are replaced afterwards. */

/** Programs whose arguments name objects of the network; of others, only the name is kept. */
const PROGRAMS: ReadonlySet<string> = new Set(
  'ip bridge brctl conntrack arp nft fw4 tcpdump date uname cat ifconfig route ethtool sysctl uci ubus logread dmesg'.split(
    ' ',
  ),
);

/** A command line, with a prompt or a clock before it: without the user's and the machine's name, and without filters. */
export function cleanCommand(line: string): string {
  const anonymous = line
    .replace(/^(\[?)[\w.()-]+@[\w.-]+/, '$1root@router')
    .replace(/\|\s*(grep|egrep|head|tail|awk|sed)\b.*$/, '| $1')
    .replace(/[;>&].*$/, '');
  const words = anonymous.split(/\s+/);
  const program = words.findIndex((word) => PROGRAMS.has(word.replace(/^.*\//, '')));
  if (program >= 0) return anonymous;
  const mark = /^(?:[#=*+$-]|\S*[#$%>] )/.exec(anonymous);
  const isClock = /\d\d:\d\d|\d{9}/.test(anonymous);
  if (isClock) return clockOf(anonymous);
  return mark || anonymous.includes('@router') ? anonymous.replace(/([#$%>+]) ?\S.*$/, '$1') : '';
}

/** The decoration and the time of a clock line, without a command that is not known. */
function clockOf(line: string): string {
  const kept = line
    .split(/\s+/)
    .filter((word) =>
      /\d|^[#=*-]+$|^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|UTC|GMT|[A-Z]{3,4}|AM|PM)$/.test(
        word,
      ),
    );
  return kept.join(' ');
}

/** dnsmasq's and odhcpd's leases: no host name, no client identifier, no DUID but the MAC of an IPv4 lease. `redact` replaces addresses. */
export function cleanLease(line: string, redact: (text: string) => string): string {
  const words = line.trim().split(/\s+/);
  if (words[0] !== '#') return [...words.slice(0, 3).map(redact), '*', '*'].join(' ');
  const [mark, device = '', duid = '', iaid = '', , ...rest] = words;
  const isMac = iaid === 'ipv4' && duid.length === 12;
  const kept = isMac ? redact((duid.match(/../g) ?? []).join(':')).replaceAll(':', '') : '0'.repeat(duid.length);
  return [mark, redact(device), kept, iaid, '-', ...rest.map(redact)].join(' ');
}

/** A line of the system's log: the machine's name goes, and the message unless it was read. */
export function cleanLog(line: string, emitted: boolean): string {
  const anonymous = line.replace(
    /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ][\d:.,+Z-]{8,24}) [\w.-]{1,64} (?=[\w./-]{1,64}(?:\[\d{1,10}\])?: )/,
    '$1 router ',
  );
  const message = /^(.*?[\w./-](?:\[\d{1,10}\])?: )(.*)$/.exec(anonymous);
  if (!message) return '';
  const [, head = '', body = ''] = message;
  if (!emitted) return `${head}redacted`;
  const lease = /^((?:\d{1,10} )?DHCP(?:ACK|RELEASE)\([^)\s]{1,64}\) \S{1,64} \S{1,64})/.exec(body)?.[1];
  return head + (lease ?? body);
}

/** `uname -a` and /proc/version: no name of a machine or a builder. */
export function cleanKernel(line: string): string {
  return line
    .replace(/^(Linux version \S{1,80} \()[^\s()]{1,128}@[^\s()]{1,128}/, '$1builder@host')
    .replace(/^Linux (?!version )\S{1,64} (?=\S{1,80} #\d)/, 'Linux router ');
}

const PRIVATE_KEYS =
  /("(?:comment|hostname|ifalias|alias|ssid|key|password|description|serial|user|login)"\s*:\s*)"(?:[^"\\]|\\.)*"/gi;

/** JSON of ip, nft and ubus. */
export function cleanJson(line: string): string {
  return line.replace(PRIVATE_KEYS, '$1"redacted"');
}

/** What tcpdump says of a packet's protocol before it begins to say what is in it. */
const PROTOCOL =
  /^(?:(?:HBH|DSTOPT|srcrt)(?: \([^)]*\))* )*(?:\[[^\]]{1,40}\] ?)*(?:Flags \[|tcp \d|ICMP|UDP|sctp|DCCP|BOOTP\/DHCP|frag \(|ESP\(|AH\(|GREv|igmp|VRRP|CARP|OSPF|PIM|IP6? |ip-proto-|next-header )/;
const ARP = /^(?:Ethernet \(len 6\), IPv4 \(len 4\), )?(?:Request|Reply|who-has|Announcement|Probe|\S+ is-at)/i;
/** Lines below a packet that are read. */
const DETAIL =
  /^(?:Your-IP|Client-IP|Client-Ethernet-Address|DHCP-Message|Subnet-Mask|Default-Gateway|source link-address|destination link-address|prefix info option)\b/;
const BANNER =
  /^(?:tcpdump: )?(?:listening on|reading from file|verbose output|data link type|Warning: interface names|\d{1,10} packets? )/;

/** A line that tcpdump printed: headers stay, what it says of the payload goes. */
export function cleanTcpdump(line: string): string {
  if (DETAIL.test(line))
    return line.replace(/(option.*?length \d{1,3}(?: \(\d{1,2}\))?: [^\s,]{1,64}).*$/, (all, kept: string) =>
      line.startsWith('prefix') ? all : kept,
    );
  if (BANNER.test(line)) return line.replace(/^(.*reading from file )\S+/, '$1capture.pcap');
  const packet = /^(.*?(?:^|[\s)])[^\s>]{1,256} > [^\s>]{1,256}: )(.*)$/.exec(line);
  if (packet) {
    const [, head = '', body = ''] = packet;
    return head + cleanBody(body);
  }
  const link = /^(.*?\blength \d{1,6}: )(.*)$/.exec(line);
  const arp = /^(.*?\bARP, )(.*)$/.exec(line);
  const [, head = '', body = ''] =
    link && (!arp || link.index <= arp.index) && ARP.test(link[2] ?? '') ? link : (arp ?? link ?? []);
  if (head !== '')
    return head + (ARP.test(body) ? body : /^\(tos|^\(flowlabel|^\(class|^\(hlim/.test(body) ? body : 'redacted');
  // The first of two lines of `-v`; else what is not known.
  return /(?:^| )IP6? \(/.test(line) || line.startsWith('(tos')
    ? line
    : /^[\d:.-]+ IP6? \S+ > \S+$/.test(line)
      ? line
      : '';
}

function cleanBody(body: string): string {
  if (body.startsWith('(tos')) return body;
  if (!PROTOCOL.test(body)) {
    // A query's or answer's print ends in its length.
    const length = /\((\d{1,5})\)$/.exec(body)?.[1] ?? /length:? (\d{1,5})/.exec(body)?.[1];
    return `UDP, length ${length ?? 0}`;
  }
  return body.replace(/^(.*?\blength:? \d{1,6})\b.*$/, '$1');
}
