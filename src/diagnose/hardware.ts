/** What the tables of packet engines hold, next to what the same router's neighbor table and conntrack say. */

import { parseMac, type Ip, type Mac } from '../bytes/address.js';
import type { Origin } from '../model.js';
import type { HardwareTuple } from '../records/facts.js';
import type { ConntrackEntry } from '../reconstruct/conntrack-store.js';
import type { HardwareRun, NeighborRun } from '../reconstruct/fact-store.js';
import type { Host } from '../reconstruct/hosts.js';
import type { Case, Scene } from './case.js';
import { once } from './once.js';

/** A bound entry that names a MAC. */
export interface BoundEntry {
  readonly run: HardwareRun;
  readonly host: Host | undefined;
  /** Where its packets are for, and where they are sent. */
  readonly ip: Ip;
  readonly mac: Mac;
  readonly origin: Origin;
}

/** Shows what packet engines hold: MediaTek and Airoha, else Qualcomm. */
export const COLLECT_ENGINE =
  'date +%s.%N; cat /sys/kernel/debug/ppe*/bind; date +%s.%N; conntrack -L -o extended,id; ip neigh show';

/** EtherTypes of PPPoE, as MediaTek and as Airoha print them: the MAC is that of the access concentrator. */
const PPPOE = ['6488', '8864'];

/** All bound entries of all dumps, but those that lead into PPPoE. */
export const boundEntries = once((scene): readonly BoundEntry[] => collect(scene));

/** The bound entries that send packets for a case's address to the MAC that they went to. */
export function entriesOfCase(scene: Scene, kase: Case): BoundEntry[] {
  return boundEntries(scene).filter(
    ({ ip, mac, host }) => ip === kase.dstIp && mac === kase.mac && (!kase.host || !host || host === kase.host),
  );
}

/** Whether conntrack says that flows of a case are in hardware. */
export function isInHardware(kase: Case): boolean {
  return kase.flows.some(({ flow }) => flow.conntrack.some((entry) => entry.offload === 'hardware'));
}

/** What a neighbor table said of an address, in order of time; empty when undated and dated dumps, or several devices, speak of it. */
export function neighborRuns(host: Host, ip: Ip): readonly NeighborRun[] {
  const runs = host.neighbors.get(ip) ?? [];
  const devices = new Set(runs.map((run) => run.device));
  const dated = runs.filter((run) => !Number.isNaN(run.first));
  if (devices.size > 1 || (dated.length > 0 && dated.length < runs.length)) return [];
  return runs.toSorted((a, b) => a.first - b.first || a.input - b.input || a.firstLine - b.firstLine);
}

/** The conntrack entries of the flow that an entry matches, in either direction. */
export function conntrackOf(scene: Scene, entry: BoundEntry): readonly ConntrackEntry[] {
  const { original, protocol } = entry.run.fact;
  const found = entriesByTuple(scene).get(keyOf(original)) ?? [];
  return found.filter((candidate) => protocol === undefined || candidate.protocol === protocol);
}

const entriesByTuple = once(({ r }) => {
  const index = new Map<string, ConntrackEntry[]>();
  for (const entry of r.facts.conntrack.entries) {
    for (const tuple of [entry.first.original, entry.first.reply]) {
      const key = keyOf(tuple);
      const known = index.get(key);
      if (known) known.push(entry);
      else index.set(key, [entry]);
    }
  }
  return index;
});

function keyOf(tuple: HardwareTuple): string {
  return `${tuple.src} ${tuple.srcPort ?? ''} ${tuple.dst} ${tuple.dstPort ?? ''}`;
}

function collect(scene: Scene): BoundEntry[] {
  const { r, around, places } = scene;
  const entries: BoundEntry[] = [];
  for (const { input, hardware } of r.facts.inputs.values()) {
    const host = hardware.length > 0 ? around.hosts.find((known) => known.inputs.includes(input)) : undefined;
    for (const run of hardware) {
      const { fact } = run;
      const mac = fact.dstMac === undefined ? undefined : parseMac(fact.dstMac);
      const ip = r.addresses.parse((fact.translated ?? fact.original).dst);
      if (!fact.bound || mac === undefined || ip === undefined || PPPOE.includes(fact.etherType ?? '')) continue;
      entries.push({ run, host, ip, mac, origin: { input: places.inputName(input), line: run.lastLine } });
    }
  }
  return entries;
}
