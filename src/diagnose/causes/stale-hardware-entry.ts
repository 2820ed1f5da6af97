/**
 * The packet engine holds an entry that is out of date: its MAC no longer has the address, or the kernel has given the
 * flow up (flow_offload_work_del did not reach the chip). Nothing refreshes an entry of the engine
 * (nf_flow_table_offload.c resolves the MAC once).
 */

import { formatMac } from '../../bytes/address.js';
import type { Origin } from '../../model.js';
import { deleteEntries, HARDWARE_OFF } from '../advice.js';
import type { Scene } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { list, timeOf } from '../claimants.js';
import {
  boundEntries,
  COLLECT_ENGINE,
  conntrackOf,
  entriesOfCase,
  isInHardware,
  neighborRuns,
  type BoundEntry,
} from '../hardware.js';

/** Deleting from the engine is left to a work queue: an entry this much younger than the change may be on its way out. */
const WORK = 2e9;
/** What conntrack said this long before the dump of the engine may have changed since. */
const POLL = 5e9;
const RECENT = 60e9;

export const staleHardwareEntry: Cause = {
  id: 'stale-hardware-entry',
  title: 'The packet engine still holds an entry that is out of date',
  explain(scene, kase, tests) {
    const entries = entriesOfCase(scene, kase);
    if (entries.length === 0) {
      const because = 'conntrack shows hardware offload, and no dump shows what the packet engine holds.';
      return isInHardware(kase) && boundEntries(scene).length === 0
        ? { fits: 'unknown', because, collect: COLLECT_ENGINE }
        : undefined;
    }
    const ip = scene.r.addresses.format(kase.dstIp);
    const mac = formatMac(kase.mac);
    if (!kase.ownership?.tenures.some((tenure) => tenure.macs.includes(kase.mac))) {
      return { fits: 'no', because: `${mac} never had ${ip}.` };
    }
    const moved = kase.tenure?.start ?? kase.first;
    const late = entries.filter(({ run }) => Number.isNaN(run.last) || run.last >= moved);
    if (late.length === 0 || !tests.showOffload) {
      const because =
        late.length === 0
          ? `The packet engine was dumped before ${ip} moved.`
          : 'Nothing on the wire shows that the flow was offloaded.';
      return { fits: 'unknown', because, collect: COLLECT_ENGINE };
    }
    const where = late[0] ? ` (${late[0].origin.input} line ${late[0].origin.line})` : '';
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `${ip} moved to ${list(kase.expected.map(formatMac))}; the packet engine still has ${mac} for it${where} and sends there.`,
      change: [
        {
          what: 'Now: delete the conntrack entry. When the engine keeps its own, load the firewall anew.',
          commands: [...deleteEntries(kase), 'fw4 reload'],
        },
        HARDWARE_OFF,
      ],
      collect: late.every(({ run }) => Number.isNaN(run.last)) ? [COLLECT_ENGINE] : [],
    };
  },
  *observe(scene) {
    for (const [entry, ...others] of grouped(scene, (e) => moveOf(scene, e) !== undefined)) {
      const move = entry && moveOf(scene, entry);
      if (!move) continue;
      yield {
        summary: `The packet engine sends ${flows(others.length + 1)} for ${scene.r.addresses.format(entry.ip)} to ${formatMac(entry.mac)}, which lost the address to ${formatMac(move.to)}.`,
        ...timeOf(scene, entry.run.last),
        evidence: [...[entry, ...others].slice(0, 3).map(({ origin }) => origin), move.origin],
      };
    }
    for (const [entry, ...others] of grouped(scene, (e) => givenUp(scene, e) !== undefined)) {
      const end = entry && givenUp(scene, entry);
      if (!end) continue;
      yield {
        summary: `The packet engine still has ${flows(others.length + 1)} for ${scene.r.addresses.format(entry.ip)} bound to ${formatMac(entry.mac)}, although ${end.what}.`,
        ...timeOf(scene, entry.run.last),
        evidence: [...[entry, ...others].slice(0, 3).map(({ origin }) => origin), end.origin],
      };
    }
  },
};

function flows(count: number): string {
  return count === 1 ? 'a flow' : `${count} flows`;
}

/** Entries of which something holds, by address and MAC. */
function grouped(scene: Scene, holds: (entry: BoundEntry) => boolean): BoundEntry[][] {
  const groups = new Map<string, BoundEntry[]>();
  for (const entry of boundEntries(scene)) {
    if (!holds(entry)) continue;
    const key = `${entry.ip} ${entry.mac}`;
    const known = groups.get(key);
    if (known) known.push(entry);
    else groups.set(key, [entry]);
  }
  return [...groups.values()];
}

/** The take-over that an entry outlived, as the router's own neighbor table tells it. */
function moveOf(scene: Scene, { run, host, ip, mac }: BoundEntry): { to: number; origin: Origin } | undefined {
  if (!host || Number.isNaN(run.last)) return undefined;
  const told = neighborRuns(host, ip).filter(({ first }) => first <= run.last - WORK);
  const now = told.at(-1);
  if (!now || now.mac === mac || !told.some((before) => before.mac === mac && before.first < now.first))
    return undefined;
  // Two hosts that take turns with one address: not the engine's fault.
  if (told.filter((before, i) => before.mac !== told[i - 1]?.mac).length > 2) return undefined;
  return { to: now.mac, origin: { input: scene.places.inputName(now.input), line: now.firstLine } };
}

/** How conntrack says that the flow of an entry is over or is no longer offloaded, long enough before the entry was seen. */
function givenUp(scene: Scene, entry: BoundEntry): { what: string; origin: Origin } | undefined {
  const { last } = entry.run;
  const known = conntrackOf(scene, entry);
  if (Number.isNaN(last) || known.length === 0) return undefined;
  const at = (origin: { input: number; line: number }): Origin => ({
    input: scene.places.inputName(origin.input),
    line: origin.line,
  });
  const runs = known.flatMap(({ flags }) => flags).filter((flag) => !Number.isNaN(flag.first));
  const isOffloaded = runs.some((flag) => OFFLOADED.includes(flag.flag) && flag.last >= last - WORK);
  if (isOffloaded) return undefined;
  const destroyed = known.map((found) => found.destroyed).filter((event) => event !== undefined);
  if (destroyed.length === known.length) {
    const [latest] = destroyed.toSorted((a, b) => b.time - a.time);
    const isOver = latest && latest.time <= last - WORK && latest.time >= last - RECENT;
    return isOver ? { what: 'conntrack has deleted its entry', origin: at(latest.origin) } : undefined;
  }
  const wasOffloaded = runs.filter((flag) => OFFLOADED.includes(flag.flag)).toSorted((a, b) => b.last - a.last)[0];
  const plain = runs.find(
    (flag) =>
      flag.flag === 'none' &&
      flag.first > (wasOffloaded?.last ?? Infinity) &&
      flag.first <= last - WORK &&
      flag.last >= last - POLL,
  );
  return plain && { what: 'conntrack shows it no longer offloaded', origin: at(plain.origin) };
}

const OFFLOADED: readonly string[] = ['software', 'hardware', 'inferred'];
