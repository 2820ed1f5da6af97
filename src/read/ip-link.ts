/**
 * `ip link`, `ip addr` (and with `-d`, `-s`, `-o`, `-br`), `ip monitor link`: links with their addresses
 * (iproute2 ip/ipaddress.c). busybox prints the same lines with fewer words.
 */

import { canonicalMac } from '../bytes/address.js';
import type { LinkFact } from '../records/facts.js';
import { emitAddress, parseBriefLine, splitAddressLine } from './ip-addr.js';
import { monitorBase, splitMonitorPrefix } from './monitor-prefix.js';
import type { LineReader, Mutable, Section } from './section.js';
import { isRedacted, wholeNumber, wordsOf } from './tokens.js';

/** A link of which more lines may follow. */
interface Pending {
  fact: Mutable<LinkFact>;
  emitted: boolean;
}

export function ipLinkReader(): LineReader {
  let pending: Pending | undefined;
  const flush = (section: Section): void => {
    if (pending && !pending.emitted) {
      pending.emitted = true;
      section.emit(pending.fact);
    }
  };
  return {
    id: 'ip-link',
    line(line, section) {
      // `-o` prints one line per link, with backslashes in place of line breaks.
      const parts = line.includes('\\') ? line.split('\\') : [line];
      let taken = false;
      for (const part of parts) {
        const link = parseHeader(part, section);
        if (link) {
          flush(section);
          pending = { fact: link, emitted: false };
          taken = true;
        } else if (pending && readDetail(part.trim(), pending.fact, section)) taken = true;
        else {
          const address = splitAddressLine(part, section, pending?.fact.device);
          if (address) {
            flush(section);
            emitAddress(address, section);
            taken = true;
          } else if (parseBriefLine(part, section)) taken = true;
          else if (isContinuation(part, pending !== undefined)) taken = true;
        }
      }
      return taken;
    },
    finish(section) {
      flush(section);
      pending = undefined;
    },
  };
}

/** `4: lan1@if2: <BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue master br-lan state UP` */
function parseHeader(line: string, section: Section): Mutable<LinkFact> | undefined {
  const prefix = splitMonitorPrefix(line, section);
  const colon = prefix.text.indexOf(': ');
  const index = wholeNumber(prefix.text.slice(0, Math.max(colon, 0)), 0x7fff_ffff);
  const angle = prefix.text.indexOf(': <', colon + 1);
  const close = prefix.text.indexOf('>', angle);
  if (index === undefined || angle < 0 || close < 0) return undefined;
  const name = prefix.text.slice(colon + 2, angle);
  if (name === '' || name.length > 64 || /\s/.test(name)) return undefined;
  const flags = prefix.text.slice(angle + 3, close);
  if (!/^[A-Z0-9_,-]*$/.test(flags)) return undefined;
  const at = name.lastIndexOf('@');
  const rest = wordsOf(prefix.text.slice(close + 1));
  const fact: Mutable<LinkFact> = {
    kind: 'link',
    ...monitorBase(prefix, section),
    index,
    device: at > 0 ? name.slice(0, at) : name,
    flags: flags === '' ? [] : flags.split(','),
  };
  const lower = at > 0 ? name.slice(at + 1) : '';
  // `bridge link` names a device of this name space where the lower one lives in another: only `ip` (which prints
  // a qdisc) is right.
  if (lower !== '' && lower !== 'NONE' && !/^if\d+$/.test(lower) && rest.includes('qdisc')) fact.lower = lower;
  const master = rest[rest.indexOf('master') + 1];
  if (rest.includes('master') && master !== undefined) fact.master = master;
  if (prefix.event !== undefined) fact.event = prefix.event === 'deleted' ? 'deleted' : 'changed';
  return fact;
}

/** Link types that `ip -d` names at the beginning of a line. */
const KINDS = new Set(
  (
    'bridge bridge_slave bond bond_slave vlan veth vxlan dummy ifb tun wireguard macvlan macvtap ipvlan ipvtap gre ' +
    'gretap ip6gre ip6gretap ipip sit ip6tnl vti vti6 xfrm vrf vrf_slave team team_slave geneve dsa ppp hsr batadv ' +
    'openvswitch gtp amt netkit netdevsim can vcan rmnet nlmon bareudp macsec'
  ).split(' '),
);

/** `link/ether 02:...`, and the lines of `-d` that name the type. */
function readDetail(line: string, fact: Mutable<LinkFact>, section: Section): boolean {
  const words = wordsOf(line);
  const first = words[0] ?? '';
  if (first.startsWith('link/')) {
    const mac = canonicalMac(words[1] ?? '');
    if (mac !== undefined && first === 'link/ether') fact.mac = mac;
    else if (isRedacted(words[1] ?? '')) section.redacted++;
    // `ip -d -o` and some builds go on in this line.
    const type = words.slice(2).find((word) => KINDS.has(word));
    if (type !== undefined && first === 'link/ppp') fact.type ??= type;
    return true;
  }
  if (!KINDS.has(first)) return false;
  if (fact.type === undefined || fact.type.endsWith('_slave')) fact.type = first;
  if (first === 'vlan') {
    const id = wholeNumber(words[words.indexOf('id') + 1], 4095);
    if (words.includes('id') && id !== undefined) fact.vlan = id;
  }
  return true;
}

/** Lines below a link that tell nothing here: lifetimes, names, counters. */
function isContinuation(line: string, within: boolean): boolean {
  const text = line.trim();
  if (/^valid_lft \S+ preferred_lft \S+$/.test(text)) return true;
  if (!within) return false;
  return (
    /^(?:altname|alias|RX|TX|vf|permaddr|prog\/xdp|altname|hairpin|parentbus|promiscuity)\b/.test(text) ||
    /^\d+\s[\d\s]+$/.test(text)
  );
}
