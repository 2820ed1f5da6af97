/**
 * One walk over the flow table for everything that causes want to know of all traffic, not only of suspects: frames to
 * group and zero MACs, virtual MACs that send, ways out and back that differ.
 */

import { BROADCAST_MAC, isGroupMac, mayBeSubnetBroadcast, type Ip, type Mac } from '../bytes/address.js';
import { WordTable } from '../bytes/word-table.js';
import { runsOfLeg, viewLeg } from '../detect/legs.js';
import { macPairsOf, Pair, PAIR_WORDS, type MacPairs } from '../detect/mac-pairs.js';
import { isGroupIp, virtualRouterOf } from '../detect/routers.js';
import { addressKey } from '../reconstruct/address-key.js';
import { Leg, LEG_WORDS } from '../reconstruct/leg-layout.js';
import type { Reconstruction } from '../reconstruct/reconstruction.js';
import type { Scene } from './case.js';
import { claimedAddresses } from './claimants.js';
import { clusterModeOf } from './cluster.js';
import { Detours, type Detour } from './detours.js';
import { once } from './once.js';

/** Frames of one sender to one address and one MAC. */
interface Sent {
  readonly tap: number;
  readonly from: Mac;
  readonly to: Mac;
  readonly ip: Ip;
  frames: number;
  first: number;
  firstFrame: number;
}

/** A physical router that spoke with a virtual MAC. */
export interface Player {
  readonly tap: number;
  readonly mac: Mac;
  readonly ip: Ip;
  first: number;
  firstFrame: number;
  last: number;
}

/** Frames that a card which speaks up for no address made in the name of one that another card answers for. */
interface SecondSender {
  readonly network: number;
  readonly ip: Ip;
  readonly tap: number;
  readonly owner: Mac;
  readonly mac: Mac;
  frames: number;
  first: number;
  firstFrame: number;
  last: number;
}

export interface Survey {
  /** Unicast addresses sent to group MACs, apart from the broadcast address of a subnet. */
  readonly toGroup: readonly Sent[];
  readonly toZero: readonly Sent[];
  /** Frames to the MACs of load balancing clusters. */
  readonly toCluster: readonly Sent[];
  readonly players: readonly Player[];
  readonly detours: readonly Detour[];
  readonly secondSenders: readonly SecondSender[];
}

/** The survey of all traffic; the flow table is walked once. */
export const surveyOf = once(walk);

const MAX_KEPT = 2000;
const VRRP = 112;
const UDP = 17;
/** HSRP, HSRP for IPv6, GLBP. */
const ROUTER_PORTS: readonly number[] = [1985, 2029, 3222];

function walk(scene: Scene): Survey {
  const { r } = scene;
  const { words } = r.legs;
  const sent = { group: new Map<string, Sent>(), zero: new Map<string, Sent>(), cluster: new Map<string, Sent>() };
  const players = new Map<string, Player>();
  const detours = new Detours(scene);
  const secondSenders = new Map<string, SecondSender>();
  const pairs = macPairsOf(r);
  const wants = wantsOf(scene, pairs, detours);
  for (const leg of pairs.legsOf(wants)) {
    const want = wants[pairs.of[leg] ?? 0] ?? 0;
    if (want & Want.ODD || (words[leg * LEG_WORDS + Leg.CLOSED] ?? -1) >= 0) noteOdd(r, leg, sent);
    if (want & Want.PLAYER) notePlayer(r, leg, players);
    if (want & Want.DETOUR) detours.note(leg);
    if (want & Want.SECOND_SENDER) noteSecondSender(scene, leg, secondSenders);
  }
  return {
    toGroup: [...sent.group.values()],
    toZero: [...sent.zero.values()],
    toCluster: [...sent.cluster.values()],
    players: [...players.values()],
    detours: detours.all(),
    secondSenders: [...secondSenders.values()],
  };
}

/** What a leg may have to say, as bits. */
const Want = { ODD: 1, PLAYER: 2, DETOUR: 4, SECOND_SENDER: 8, CHANGING: 16 } as const;

/** By pair of MACs: what its legs may have to say. Of nearly all, that is nothing. */
function wantsOf(scene: Scene, pairs: MacPairs, detours: Detours): Uint8Array {
  const speakers = speakersOf(scene);
  const wants = new Uint8Array(pairs.count);
  for (let pair = 0; pair < pairs.count; pair++) {
    const high = pairs.words[pair * PAIR_WORDS + Pair.MACS_HIGH] ?? 0;
    const fromHigh = high >>> 16;
    const toHigh = high & 0xffff;
    let want = 0;
    if ((toHigh & 0x100) !== 0 || toHigh === 0 || toHigh === 0x02bf) want |= Want.ODD;
    if (fromHigh === 0 || fromHigh === 5 || fromHigh === 7) want |= Want.PLAYER;
    if (pairs.isInitial(pair)) {
      if (detours.mayHold(pair)) want |= Want.DETOUR;
      const low = pairs.words[pair * PAIR_WORDS + Pair.SRC_MAC_LOW] ?? 0;
      if (speakers.find(fromHigh, low, 0, 0) < 0) want |= Want.SECOND_SENDER;
    }
    wants[pair] = want;
  }
  for (const leg of pairs.changing) {
    const pair = pairs.of[leg] ?? 0;
    wants[pair] = (wants[pair] ?? 0) | Want.CHANGING;
  }
  return wants;
}

/** MACs that spoke up for an address, as words. */
function speakersOf(scene: Scene): WordTable {
  const speakers = new WordTable();
  for (const { voices } of claimedAddresses(scene)) {
    for (const { mac } of voices) speakers.intern(Math.floor(mac / 0x1_0000_0000), mac | 0, 0, 0);
  }
  return speakers;
}

function noteOdd(
  r: Reconstruction,
  leg: number,
  sent: { group: Map<string, Sent>; zero: Map<string, Sent>; cluster: Map<string, Sent> },
): void {
  const view = viewLeg(r, leg);
  if (isGroupIp(r, view.dstIp) || view.dstIp === 0) return;
  // A loopback device has no MACs at all.
  if (view.transmitter === 0 || isLoopback(view.dstIp)) return;
  // A DHCP server writes to everyone before the client has its address.
  if (view.protocol === UDP && (view.dstPort === 68 || view.dstPort === 546)) return;
  for (const run of runsOfLeg(r, leg)) {
    if (run.mixed) continue;
    const into =
      clusterModeOf(run.mac) !== undefined
        ? sent.cluster
        : run.mac === 0
          ? sent.zero
          : isGroupMac(run.mac) && !(run.mac === BROADCAST_MAC && mayBeSubnetBroadcast(view.dstIp))
            ? sent.group
            : undefined;
    if (!into) continue;
    const key = `${view.tap} ${view.transmitter} ${run.mac} ${view.dstIp}`;
    const known = into.get(key);
    if (!known) {
      if (into.size >= MAX_KEPT) continue;
      const { tap, transmitter: from, dstIp: ip } = view;
      const { first, firstFrame, frames } = run;
      into.set(key, { tap, from, to: run.mac, ip, frames, first, firstFrame });
      continue;
    }
    known.frames += run.frames;
    if (run.firstFrame < known.firstFrame) Object.assign(known, { first: run.first, firstFrame: run.firstFrame });
  }
}

function isLoopback(ip: Ip): boolean {
  return ip <= 0xffff_ffff && ip >>> 24 === 127;
}

function notePlayer(r: Reconstruction, leg: number, players: Map<string, Player>): void {
  const view = viewLeg(r, leg);
  const isHello = view.protocol === VRRP || (view.protocol === UDP && ROUTER_PORTS.includes(view.dstPort));
  if (!isHello || !isGroupIp(r, view.dstIp) || virtualRouterOf(view.transmitter) === undefined) return;
  const key = `${view.tap} ${view.transmitter} ${view.srcIp}`;
  for (const run of runsOfLeg(r, leg)) {
    const known = players.get(key);
    if (!known) {
      if (players.size >= MAX_KEPT) return;
      const { tap, transmitter: mac, srcIp: ip } = view;
      players.set(key, { tap, mac, ip, first: run.first, firstFrame: run.firstFrame, last: run.last });
    } else {
      if (run.first < known.first) Object.assign(known, { first: run.first, firstFrame: run.firstFrame });
      known.last = Math.max(known.last, run.last);
    }
  }
}

function noteSecondSender(scene: Scene, leg: number, found: Map<string, SecondSender>): void {
  const { r, around, ownerships } = scene;
  const view = viewLeg(r, leg);
  const network = around.networks.of[view.tap] ?? 0;
  const [tenure, ...more] = ownerships.get(addressKey(network, view.srcIp))?.tenures ?? [];
  // What the second card sends may itself count as a witness of low rank.
  const owner = tenure?.testimonies.find(({ kind }) => kind !== 'originated')?.mac;
  if (owner === undefined || more.length > 0 || owner === view.transmitter) return;
  const key = `${view.tap} ${view.srcIp} ${view.transmitter}`;
  for (const run of runsOfLeg(r, leg)) {
    const known = found.get(key);
    const { first, firstFrame, last, frames } = run;
    if (known) {
      known.frames += frames;
      known.last = Math.max(known.last, last);
      if (first < known.first) Object.assign(known, { first, firstFrame });
    } else if (found.size < MAX_KEPT) {
      const { tap, srcIp: ip, transmitter: mac } = view;
      found.set(key, { network, ip, tap, owner, mac, frames, first, firstFrame, last });
    }
  }
}
