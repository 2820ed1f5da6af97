/** What tables, logs and conntrack tell of changes: neighbours, the bridge's table, stations, ports, reloads, deletions. */

import { formatMac, parseMac } from '../bytes/address.js';
import type { FactOrigin } from '../records/facts.js';
import type { Scene } from './scene.js';
import { originOfFact, type Focus, type Happening } from './happening.js';
import { loggedBetween } from './log.js';

const MAX_LINES = 5000;

export function* factEvents(scene: Scene, focus: Focus): Generator<Happening> {
  yield* neighbors(scene, focus);
  yield* forwarding(scene, focus);
  yield* logged(scene, focus);
  yield* deletions(scene);
}

function* neighbors(scene: Scene, focus: Focus): Generator<Happening> {
  const { r } = scene;
  for (const { neighbors: runs } of r.facts.inputs.values()) {
    for (const run of runs) {
      if (!run.byEvent || (!focus.ips.has(run.ip) && !focus.macs.has(run.mac))) continue;
      const [address, mac] = [r.addresses.format(run.ip), formatMac(run.mac)];
      yield {
        time: run.first,
        kind: 'neighbor',
        what: `The neighbour table has ${address} at ${mac}.`,
        ...(run.device === undefined ? {} : { device: run.device }),
        ip: address,
        mac,
        origin: originOfFact(scene, { input: run.input, line: run.firstLine }),
      };
    }
  }
}

/** Changes of the bridge's table, and ports that differ from one dump to a later one. */
function* forwarding(scene: Scene, focus: Focus): Generator<Happening> {
  const { r } = scene;
  const dumped = new Map<string, { time: number; device: string; origin: FactOrigin }[]>();
  for (const { fdb } of r.facts.inputs.values()) {
    for (const fact of fdb) {
      const mac = parseMac(fact.mac);
      if (mac === undefined || !focus.macs.has(mac) || fact.time === undefined || fact.permanent) continue;
      const time = r.epoch.relative(fact.time);
      const vlan = fact.vlan === undefined ? '' : ` vlan ${fact.vlan}`;
      if (fact.event === undefined) {
        const key = `${fact.mac}${vlan}`;
        dumped.set(key, [...(dumped.get(key) ?? []), { time, device: fact.device, origin: fact.origin }]);
        continue;
      }
      const what =
        fact.event === 'deleted'
          ? `The bridge forgets ${fact.mac}${vlan} on ${fact.device}.`
          : `The bridge has ${fact.mac}${vlan} on ${fact.device}.`;
      yield { time, kind: 'fdb', what, device: fact.device, mac: fact.mac, origin: originOfFact(scene, fact.origin) };
    }
  }
  for (const [key, seen] of dumped) {
    const inOrder = seen.sort((a, b) => a.time - b.time || (a.device < b.device ? -1 : 1));
    for (const [i, { time, device, origin }] of inOrder.entries()) {
      const before = inOrder[i - 1]?.device;
      if (before === undefined || before === device) continue;
      const what = `The bridge has ${key} on ${device} by now, and had it on ${before} in the dump before.`;
      yield { time, kind: 'fdb', what, device, mac: key.slice(0, 17), origin: originOfFact(scene, origin) };
    }
  }
}

const LOG_KINDS = {
  'dhcp-ack': ['dhcp', 'The DHCP server gave'],
  'dhcp-release': ['dhcp', 'The DHCP server took back'],
  'station-connected': ['station', 'The access point connected'],
  'station-associated': ['station', 'The access point associated'],
  'station-disconnected': ['station', 'The access point lost'],
  'firewall-reload': ['firewall-reload', 'The firewall was loaded anew'],
  'port-state': ['port', 'Bridge port'],
  'link-up': ['port', 'Link up:'],
  'link-down': ['port', 'Link down:'],
} as const;

function* logged(scene: Scene, focus: Focus): Generator<Happening> {
  const { r } = scene;
  const wanted = Object.entries(LOG_KINDS);
  let left = MAX_LINES;
  for (const [log, [kind, words]] of wanted) {
    for (const { fact, earliest, mac, origin } of loggedBetween(scene, LOG_EVENTS, focus.from, focus.to)) {
      if (fact.what !== log) continue;
      const ip = fact.ip === undefined ? undefined : r.addresses.parse(fact.ip);
      const isNear = (mac !== undefined && focus.macs.has(mac)) || (ip !== undefined && focus.ips.has(ip));
      if ((kind === 'dhcp' || kind === 'station') && !isNear) continue;
      if (left-- <= 0) return;
      const rest = [
        fact.ip,
        fact.ip !== undefined && fact.mac !== undefined ? 'for' : '',
        fact.mac,
        fact.device,
        fact.state,
      ]
        .filter((text) => text !== undefined && text !== '')
        .join(' ');
      yield {
        time: earliest,
        kind,
        what: `${words}${rest === '' ? '' : ` ${rest}`}.`,
        ...(fact.device === undefined ? {} : { device: fact.device }),
        ...(fact.ip === undefined ? {} : { ip: fact.ip }),
        ...(fact.mac === undefined ? {} : { mac: fact.mac }),
        origin,
      };
    }
  }
}

const LOG_EVENTS = [
  'dhcp-ack',
  'dhcp-release',
  'station-connected',
  'station-associated',
  'station-disconnected',
  'firewall-reload',
  'port-state',
  'link-up',
  'link-down',
] as const;

/** Entries of the affected flows that were destroyed: one that had time left was deleted by somebody. */
function* deletions(scene: Scene): Generator<Happening> {
  for (const flow of scene.flows) {
    for (const { destroyed, timeout, protocol } of flow.conntrack) {
      if (!destroyed || Number.isNaN(destroyed.time)) continue;
      const { srcIp, srcPort, dstIp, dstPort } = flow.original;
      const name = `${protocol === 6 ? 'TCP' : protocol === 17 ? 'UDP' : `protocol ${protocol}`} ${srcIp} ${srcPort ?? ''} > ${dstIp} ${dstPort ?? ''}`;
      const how = (timeout ?? 0) > 0 ? `was deleted, ${timeout} s before its time` : 'is gone';
      yield {
        time: destroyed.time,
        kind: 'conntrack-deleted',
        what: `The conntrack entry of flow ${flow.id} (${name.replaceAll(/ +/g, ' ').trim()}) ${how}.`,
        origin: originOfFact(scene, destroyed.origin),
      };
    }
  }
}
