/** VRRP, CARP, HSRP and GLBP: a virtual MAC that moves between routers, which send from it or from their own. */

import { formatMac, type Mac } from '../../bytes/address.js';
import { virtualRouterOf } from '../../detect/routers.js';
import { frameOrigin } from '../../detect/witnesses.js';
import type { Origin } from '../../model.js';
import { plain } from '../advice.js';
import type { Scene } from '../case.js';
import type { Cause } from '../cause.js';
import { claimedAddresses, ips, list, timeOf } from '../claimants.js';
import { surveyOf, type Player } from '../survey.js';

const PROTOCOLS: Readonly<Record<string, string>> = {
  vrrp4: 'VRRP or CARP',
  vrrp6: 'VRRP or CARP for IPv6',
  hsrp1: 'HSRP',
  hsrp2: 'HSRP version 2',
  hsrp6: 'HSRP for IPv6',
  glbp: 'GLBP',
};

export const virtualRouter: Cause = {
  id: 'virtual-router',
  title: 'A virtual router: its MAC belongs to several machines in turn',
  explain(scene, kase) {
    const group = [kase.mac, ...kase.expected].map(virtualRouterOf).find((found) => found !== undefined);
    if (group === undefined) return undefined;
    if (surveyOf(scene).players.length === 0) {
      return {
        fits: 'unknown',
        because: `A MAC of ${nameOf(group)} is involved, and no message of the protocol was seen.`,
        collect: "tcpdump -e -n 'proto 112 or udp port 1985 or udp port 2029 or udp port 3222'",
      };
    }
    const mac = formatMac(kase.mac);
    return { fits: 'no', because: `${mac} and ${kase.expected.map(formatMac).join(', ')} are not one virtual router.` };
  },
  *observe(scene) {
    for (const [mac, players] of groupsOf(scene)) {
      const claims = claimedAddresses(scene).flatMap(({ ip, voices }) =>
        voices.filter((voice) => voice.mac === mac).map((voice) => ({ ip, voice })),
      );
      const [first] = claims;
      const order = players.toSorted((a, b) => a.first - b.first || a.ip - b.ip);
      const addresses = ips(
        scene,
        claims.map(({ ip }) => ip),
      );
      const name = nameOf(virtualRouterOf(mac) ?? '');
      const owns = addresses.length > 0 ? `, which has ${list(addresses)}` : '';
      const [start] = order;
      const who = list(
        ips(
          scene,
          order.map((player) => player.ip),
        ),
      );
      const played = order.length === 0 ? '' : order.length > 1 ? ` ${who} played it in turn.` : ` ${who} plays it.`;
      const evidence = [
        ...order.slice(0, 3).map((player) => frameOrigin(scene.r, scene.around, player.tap, player.firstFrame)),
        ...(first ? [frameOrigin(scene.r, scene.around, first.voice.tap, first.voice.firstFrame)] : []),
      ];
      const ports = portsOf(scene, mac);
      const moved =
        ports.length > 1
          ? ` It moved from ${plain(ports[0]?.device ?? '')} to ${plain(ports.at(-1)?.device ?? '')}.`
          : '';
      yield {
        summary: `${formatMac(mac)} is a virtual MAC of ${name}${owns}.${played}${moved}`,
        ...timeOf(scene, Math.min(start?.first ?? Infinity, first?.voice.first ?? Infinity)),
        evidence: [...evidence, ...(ports.length > 1 ? ports.slice(-1).map(({ origin }) => origin) : [])],
      };
    }
  },
};

/** Virtual MACs that claimed an address or spoke their protocol, and who played them. */
function groupsOf(scene: Scene): Map<Mac, Player[]> {
  const groups = new Map<Mac, Player[]>();
  for (const player of surveyOf(scene).players) {
    const known = groups.get(player.mac);
    if (!known) groups.set(player.mac, [player]);
    else if (!known.some(({ ip }) => ip === player.ip)) known.push(player);
  }
  for (const { voices } of claimedAddresses(scene)) {
    for (const { mac } of voices) if (virtualRouterOf(mac) !== undefined && !groups.has(mac)) groups.set(mac, []);
  }
  return new Map([...groups].sort(([a], [b]) => a - b));
}

/** The ports that a MAC was on, one after the other, as dumps of forwarding tables say. */
function portsOf(scene: Scene, mac: Mac): { device: string; origin: Origin }[] {
  const text = formatMac(mac);
  const entries = [...scene.r.facts.inputs.values()]
    .flatMap(({ fdb }) => fdb)
    .filter((fact) => fact.mac === text && fact.time !== undefined && fact.event !== 'deleted' && !fact.permanent)
    .sort((a, b) => ((a.time ?? 0n) < (b.time ?? 0n) ? -1 : 1));
  const ports: { device: string; origin: Origin }[] = [];
  for (const { device, origin } of entries) {
    if (device === ports.at(-1)?.device) continue;
    ports.push({ device, origin: { input: scene.places.inputName(origin.input), line: origin.line } });
  }
  return ports;
}

function nameOf(group: string): string {
  const [protocol, number] = group.split('-');
  const text = PROTOCOLS[protocol ?? ''] ?? 'a router protocol';
  return number === undefined ? text : `${text}, group ${Number.parseInt(number, 16)}`;
}
