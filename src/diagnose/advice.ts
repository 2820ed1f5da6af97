/** Commands that several causes advise, in this router's names. Nothing from an input gets into a command unless it is a plain name. */

import type { Advice, Tuple } from '../model.js';
import type { Case, Scene } from './case.js';

const PROTOCOL_NAMES: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp', 47: 'gre', 132: 'sctp' };

/** Deletes the conntrack entries of a case, and with them what is cached: helps at once, until the next offload. */
export function deleteEntries(kase: Case): string[] {
  return kase.flows.slice(0, 3).map(({ flow }) => `conntrack -D ${conntrackSelector(flow.original)}`);
}

function conntrackSelector(tuple: Tuple): string {
  const ports = tuple.srcPort === undefined ? '' : ` --sport ${tuple.srcPort} --dport ${tuple.dstPort ?? 0}`;
  return `-p ${PROTOCOL_NAMES[tuple.protocol] ?? tuple.protocol} -s ${tuple.srcIp} -d ${tuple.dstIp}${ports}`;
}

/** Records what conntrack knows of offload while it happens. */
export const COLLECT_CONNTRACK =
  'conntrack -E -o timestamp,id,extended; while sleep 1; do date +%s.%N; conntrack -L -o extended,id; done';

/** Leaves all packets to software. */
export const HARDWARE_OFF: Advice = {
  what: 'For good: switch hardware offload off; software offload may stay.',
  commands: ['uci set firewall.@defaults[0].flow_offloading_hw=0; uci commit firewall; fw4 reload'],
};

/** The device that a case's frames leave on, when its name is fit for a command. */
export function deviceOf(scene: Scene, kase: Case): string {
  const names = kase.buckets.map((bucket) => scene.places.deviceName(bucket.view.tap));
  const devices = kase.host?.devices;
  const known = names.find((name) => devices?.has(name)) ?? names[0] ?? '';
  const master = devices?.get(known)?.master ?? known;
  return plain(master);
}

/** A name as it may stand in a command, a place holder for any other text. */
export function plain(name: string): string {
  return /^[\w.@-]{1,32}$/.test(name) ? name : '<device>';
}
