/** Who speaks up for an address, seen from the tap that heard most of it: the ground of what causes say about claims. */

import { formatMac, type Ip, type Mac } from '../bytes/address.js';
import { frameOrigin } from '../detect/witnesses.js';
import type { Origin } from '../model.js';
import { addressKey } from '../reconstruct/address-key.js';
import type { Voice } from '../reconstruct/voices.js';
import type { Scene } from './case.js';
import { once } from './once.js';

/** An address of a network and the MACs that spoke up for it. */
export interface Claimed {
  readonly network: number;
  readonly ip: Ip;
  /** In order of their first word. */
  readonly voices: readonly Voice[];
}

interface Index {
  readonly all: readonly Claimed[];
  readonly contested: readonly Claimed[];
  /** By network and MAC. */
  readonly byMac: readonly ReadonlyMap<Mac, readonly Claimed[]>[];
}

/** All addresses that anybody spoke up for. */
export function claimedAddresses(scene: Scene): readonly Claimed[] {
  return indexOf(scene).all;
}

/** The addresses that two or more MACs spoke up for. */
export function contestedAddresses(scene: Scene): readonly Claimed[] {
  return indexOf(scene).contested;
}

/** The addresses of a network that a MAC spoke up for. */
export function addressesOf(scene: Scene, network: number, mac: Mac): readonly Claimed[] {
  return indexOf(scene).byMac[network]?.get(mac) ?? [];
}

/** Whether both MACs spoke up during the same time. */
export function overlap(a: Voice, b: Voice): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** How often a MAC spoke up. */
export function words(voice: Voice): number {
  return voice.asked + voice.unasked + voice.announced + voice.asking;
}

/** The first three bytes, which name the maker: cards of one machine often share them. */
export function makerOf(mac: Mac): number {
  return Math.floor(mac / 0x100_0000);
}

/** Where frames of a tap stand, at most five. */
export function framesOf(scene: Scene, tap: number, frames: readonly number[]): Origin[] {
  return [...new Set(frames)].slice(0, MAX_EVIDENCE).map((frame) => frameOrigin(scene.r, scene.around, tap, frame));
}

/** The time of an observation, left out when it is unknown. */
export function timeOf(scene: Scene, time: number): { time?: string } {
  return Number.isFinite(time) ? { time: scene.r.epoch.text(time) } : {};
}

/** `a, b and c`, at most five and how many more. */
export function list(items: readonly string[]): string {
  const shown = items.slice(0, MAX_NAMES);
  if (items.length > shown.length) return `${shown.join(', ')} and ${items.length - shown.length} more`;
  const last = shown.at(-1) ?? '';
  return shown.length > 1 ? `${shown.slice(0, -1).join(', ')} and ${last}` : last;
}

/** Addresses as text, in order. */
export function ips(scene: Scene, addresses: Iterable<Ip>): string[] {
  return [...new Set(addresses)].sort((a, b) => a - b).map((ip) => scene.r.addresses.format(ip));
}

/** MACs as text, in the order given. */
export function macs(all: Iterable<Mac>): string[] {
  return [...new Set(all)].map(formatMac);
}

const MAX_EVIDENCE = 5;
const MAX_NAMES = 5;

const indexOf = once((scene): Index => {
  const all = collect(scene);
  const byMac = scene.around.networks.taps.map(() => new Map<Mac, Claimed[]>());
  for (const claimed of all) {
    for (const { mac } of claimed.voices) {
      const known = byMac[claimed.network]?.get(mac);
      if (known) known.push(claimed);
      else byMac[claimed.network]?.set(mac, [claimed]);
    }
  }
  return { all, contested: all.filter(({ voices }) => voices.length > 1), byMac };
});

function collect(scene: Scene): Claimed[] {
  const byAddress = new Map<number, Voice[]>();
  const { of } = scene.around.networks;
  for (const voice of scene.r.claims.voices.all) {
    const key = addressKey(of[voice.tap] ?? 0, voice.ip);
    const heard = byAddress.get(key);
    if (heard) heard.push(voice);
    else byAddress.set(key, [voice]);
  }
  const all: Claimed[] = [];
  for (const heard of byAddress.values()) {
    const voices = heard.length > 1 ? voicesOfBestTap(heard) : heard;
    const [first] = voices;
    if (first) all.push({ network: of[first.tap] ?? 0, ip: first.ip, voices });
  }
  return all;
}

function voicesOfBestTap(heard: readonly Voice[]): Voice[] {
  const byTap = new Map<number, Voice[]>();
  for (const voice of heard) byTap.set(voice.tap, [...(byTap.get(voice.tap) ?? []), voice]);
  const total = (voices: readonly Voice[]): number => voices.reduce((sum, voice) => sum + words(voice), 0);
  const [voices = []] = [...byTap.values()].sort(
    (a, b) => b.length - a.length || total(b) - total(a) || (a[0]?.tap ?? 0) - (b[0]?.tap ?? 0),
  );
  return voices.toSorted((a, b) => a.first - b.first || a.mac - b.mac);
}
