/** MACs and taps that the page refers to by position, and how each MAC is drawn. */

import type { Binding, Misdelivery } from '../../model.js';
import type { MacData, MacIndex, TapData, TapIndex } from './data.js';
import type { VendorNames } from '../options.js';
import { clipped } from './limits.js';

/** Colours and hatches that the style sheet knows: 0 for what was right, 1 for what was wrong, then the others. */
const SWATCHES = 8;

const MAX_IPS = 4;

export class NameTable {
  readonly macs: MacData[] = [];
  readonly taps: TapData[] = [];
  readonly #macIndex = new Map<string, MacIndex>();
  readonly #tapIndex = new Map<string, TapIndex>();
  readonly #ips = new Map<string, string[]>();
  readonly #expected: ReadonlySet<string>;
  readonly #wrong: ReadonlySet<string>;
  readonly #names: VendorNames | undefined;
  #others = 0;

  constructor(wrong: readonly Misdelivery[], bindings: readonly Binding[], names?: VendorNames) {
    this.#names = names;
    // What is wrong in one place and right in another is drawn as wrong: that is where the eye should go.
    this.#wrong = new Set(wrong.filter((m) => m.class !== 'wrong-port').map((m) => m.dstMac));
    this.#expected = new Set(wrong.flatMap((m) => m.expected).filter((mac) => !this.#wrong.has(mac)));
    for (const { ip, mac } of bindings) {
      const ips = this.#ips.get(mac) ?? [];
      if (ips.length < MAX_IPS && !ips.includes(ip)) ips.push(ip);
      this.#ips.set(mac, ips);
    }
    for (const m of wrong.slice(0, SWATCHES)) {
      for (const mac of m.expected) this.mac(mac);
      this.mac(m.dstMac);
    }
  }

  mac(mac: string): MacIndex {
    const known = this.#macIndex.get(mac);
    if (known !== undefined) return known;
    const role = this.#wrong.has(mac) ? 'wrong' : this.#expected.has(mac) ? 'expected' : 'other';
    const vendor = this.#names?.(mac);
    const entry = { mac, role, swatch: this.#swatch(role), ips: this.#ips.get(mac) ?? [] } as const;
    const index = this.macs.push(vendor === undefined ? entry : { ...entry, vendor }) - 1;
    this.#macIndex.set(mac, index);
    return index;
  }

  tap(input: string, device: string, vlan: number | undefined): TapIndex {
    const key = `${input}\0${device}\0${vlan ?? ''}`;
    const known = this.#tapIndex.get(key);
    if (known !== undefined) return known;
    const name = clipped(device, 100);
    const data = { input: clipped(input), device: vlan === undefined ? name : `${name} vlan ${vlan}` };
    const index = this.taps.push(data) - 1;
    this.#tapIndex.set(key, index);
    return index;
  }

  /** The first of a role has the drawing that stands for it; what comes later takes turns with the rest. */
  #swatch(role: MacData['role']): number {
    const isFirst = !this.macs.some((other) => other.role === role);
    if (role === 'expected' && isFirst) return 0;
    if (role === 'wrong' && isFirst) return 1;
    return 2 + (this.#others++ % (SWATCHES - 2));
  }
}
