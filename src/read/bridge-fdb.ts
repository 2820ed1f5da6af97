/** `bridge fdb`, `bridge -t monitor fdb` (iproute2 bridge/fdb.c): `02:... dev lan1 [vlan N] [self] [master br-lan] [permanent]`. */

import { canonicalMac } from '../bytes/address.js';
import type { FdbFact } from '../records/facts.js';
import { commandArgument } from './command-line.js';
import { monitorBase, splitMonitorPrefix } from './monitor-prefix.js';
import type { LineReader, Mutable, Section } from './section.js';
import { isRedacted, wholeNumber, wordsOf } from './tokens.js';

export function bridgeFdbReader(): LineReader {
  return { id: 'bridge-fdb', line: readLine };
}

const FLAGS = new Set(
  'self master extern_learn offload sticky permanent static stale router added_by_user locked blackhole activity_notify inactive'.split(
    ' ',
  ),
);
const VALUED = new Set('dst vlan port vni src_vni via used nhid link-netnsid link-netns ref activity'.split(' '));

function readLine(line: string, section: Section): boolean {
  const prefix = splitMonitorPrefix(line, section);
  const words = wordsOf(prefix.text);
  const macText = words[0] ?? '';
  const mac = canonicalMac(macText);
  if ((mac === undefined && !isRedacted(macText)) || words.length < 2 || words.length > 40) return false;
  let device: string | undefined;
  let master: string | undefined;
  let vlan: number | undefined;
  const flags: string[] = [];
  for (let at = 1; at < words.length; at++) {
    const word = words[at] ?? '';
    const value = words[at + 1];
    if (word === 'dev') {
      device = value;
      at++;
    } else if (word === 'master' && value !== undefined && !FLAGS.has(value)) {
      master = value;
      at++;
    } else if (FLAGS.has(word)) flags.push(word);
    else if (VALUED.has(word) && value !== undefined) {
      if (word === 'vlan') vlan = wholeNumber(value, 4095);
      at++;
    } else return false;
  }
  device ??= commandArgument(section.command, 'dev');
  if (device === undefined) return false;
  if (mac === undefined) {
    section.redacted++;
    return true;
  }
  const fact: Mutable<FdbFact> = {
    kind: 'fdb',
    ...monitorBase(prefix, section),
    mac,
    device,
    permanent: flags.includes('permanent'),
    flags,
  };
  if (vlan !== undefined) fact.vlan = vlan;
  if (master !== undefined) fact.master = master;
  if (prefix.event !== undefined) fact.event = prefix.event === 'deleted' ? 'deleted' : 'changed';
  section.emit(fact);
  return true;
}
