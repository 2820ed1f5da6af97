/** What the captures tell of who has which address: take-overs, claims, questions, leases. */

import { formatMac, type Ip } from '../bytes/address.js';
import { witnessOfClaim } from '../detect/witnesses.js';
import type { WitnessKind } from '../model.js';
import type { Scene } from './scene.js';
import type { Focus, Happening } from './happening.js';

const MAX_CLAIMS = 5000;

export function* wireEvents(scene: Scene, focus: Focus): Generator<Happening> {
  yield* takeOvers(scene, focus);
  yield* claims(scene, focus);
  yield* leases(scene, focus);
}

function* takeOvers(scene: Scene, focus: Focus): Generator<Happening> {
  for (const ownership of scene.ownerships.values()) {
    const { ip } = ownership;
    if (!focus.ips.has(ip)) continue;
    for (const [i, tenure] of ownership.tenures.entries()) {
      const before = ownership.tenures[i - 1];
      const [first] = tenure.testimonies;
      const [mac] = tenure.macs;
      if (!before || !first?.origin || mac === undefined) continue;
      const address = scene.r.addresses.format(ip);
      const from = before.macs.map(formatMac).join(' and ');
      const what = `${tenure.macs.map(formatMac).join(' and ')} took ${address} over from ${from} (${WORDS[first.kind] ?? 'claim'}).`;
      yield { time: tenure.start, kind: 'take-over', what, ip: address, mac: formatMac(mac), origin: first.origin };
    }
  }
}

const WORDS: Partial<Record<WitnessKind, string>> = {
  'arp-reply': 'ARP reply',
  'arp-gratuitous': 'gratuitous ARP',
  'arp-request': 'ARP request of its own',
  'nd-advertisement': 'neighbour advertisement',
  'nd-unsolicited': 'unsolicited neighbour advertisement',
  'nd-solicitation': 'neighbour solicitation of its own',
  'nd-router': 'router advertisement',
  'neighbor-event': 'neighbour table',
  'neighbor-entry': 'neighbour table',
  originated: 'a frame of its own',
};

/** First claims of the addresses by each MAC, announcements to all, and senders who ask for them. */
function* claims(scene: Scene, focus: Focus): Generator<Happening> {
  const { r, places } = scene;
  const isV6 = (ip: Ip): boolean => ip > 0xffff_ffff;
  const at = (tap: number, frame: number): Pick<Happening, 'device' | 'origin'> => ({
    device: places.deviceName(tap),
    origin: { input: places.inputName(r.taps.all[tap]?.input ?? 0), frame },
  });
  let left = MAX_CLAIMS;
  for (const ip of focus.ips) {
    for (const run of r.claims.of(ip)) {
      if (left-- <= 0) return;
      const [address, mac] = [r.addresses.format(ip), formatMac(run.mac)];
      const base = { kind: isV6(ip) ? ('nd' as const) : ('arp' as const), ip: address, mac };
      const name = (kind: number): string => WORDS[witnessOfClaim(kind)] ?? 'claim';
      yield {
        ...base,
        ...at(run.tap, run.firstFrame),
        time: run.first,
        what: `${address} is at ${mac} (${name(run.kind)}).`,
      };
      if (!Number.isNaN(run.heardByAll) && run.heardByAllFrame !== run.firstFrame) {
        const what = `${address} is at ${mac} (${name(run.heardByAllKind)}, to all).`;
        yield { ...base, ...at(run.tap, run.heardByAllFrame), time: run.heardByAll, what };
      }
    }
  }
  for (const { tap, mac, target, first, firstFrame, count } of r.claims.requestsBy(focus.senders)) {
    if (!focus.ips.has(target) || left-- <= 0) continue;
    const [address, sender] = [r.addresses.format(target), formatMac(mac)];
    const times = count > 1 ? ` (${count} times from here on)` : '';
    const what = `${sender} asks who has ${address}${times}.`;
    yield { time: first, kind: isV6(target) ? 'nd' : 'arp', what, ip: address, mac: sender, ...at(tap, firstFrame) };
  }
}

function* leases(scene: Scene, focus: Focus): Generator<Happening> {
  const { r, places } = scene;
  for (const { tap, ip, client, first, firstFrame, released } of r.claims.leases.all) {
    if (!focus.ips.has(ip) && !focus.macs.has(client)) continue;
    const input = places.inputName(r.taps.all[tap]?.input ?? 0);
    const [address, mac] = [r.addresses.format(ip), formatMac(client)];
    const base = { kind: 'dhcp' as const, ip: address, mac, device: places.deviceName(tap) };
    const origin = { input, frame: firstFrame };
    yield { ...base, time: first, what: `The DHCP server gave ${address} to ${mac}.`, origin };
    if (released) {
      const { time, frame } = released;
      yield { ...base, time, what: `${mac} gave ${address} back (DHCP release).`, origin: { input, frame } };
    }
  }
}
