/**
 * Taps: the places where frames were seen. A tap is one interface of one input and one stack of VLAN tags; what is seen
 * on two taps may be the same network (a bridge and its ports) or not.
 */

import type { Core } from '../bytes/core.js';
import { MAX_INTERFACES, TAP_SLOTS, TAPS } from '../bytes/core-layout.js';
import type { FrameBatch } from '../records/frame-batch.js';
import { BATCH_SIZE, type CaptureInterface } from '../records/packet-batch.js';

/** A flow record keeps the tap in 16 bits. */
const MAX_TAPS = 0xffff;

/** The VLAN id of a tag that has a priority only: the frame belongs with the untagged ones (IEEE 802.1Q section 6.9). */
const PRIORITY = 0;

/** The tap of frames beyond `MAX_TAPS`: they are counted, not judged. */
export const NO_TAP = MAX_TAPS;

export interface Tap {
  readonly id: number;
  /** Index of the input, and of the interface over all inputs. */
  readonly input: number;
  readonly port: number;
  /** Outer and inner VLAN id, -1 for none. */
  readonly vlan: number;
  readonly innerVlan: number;
}

/** An interface of an input. */
export interface Port {
  readonly id: number;
  readonly input: number;
  readonly description: CaptureInterface;
  frames: number;
}

export class Taps {
  readonly all: Tap[] = [];
  readonly ports: Port[] = [];
  /** Tap of each row of the batch that was resolved last. */
  readonly row: Int32Array;

  private readonly untagged: number[] = [];
  private readonly tagged = new Map<number, number>();
  private readonly core: Core | undefined;
  private input = -1;
  private firstPort = 0;

  /** @param core is told the taps of frames with at most one VLAN tag, to settle these itself */
  constructor(core?: Core) {
    this.core = core;
    this.row = core?.words(TAPS, BATCH_SIZE) ?? new Int32Array(BATCH_SIZE);
  }

  /** Interfaces added from now on belong to this input. */
  beginInput(input: number): void {
    this.input = input;
    this.firstPort = this.ports.length;
    this.core?.taps.fill(0);
    this.core?.counted.fill(0);
  }

  addInterface(description: CaptureInterface): void {
    this.ports.push({ id: this.ports.length, input: this.input, description, frames: 0 });
    this.untagged.push(-1);
  }

  /** The input was read once more: resolve its interfaces to the ports they got the first time. */
  resumeInput(input: number): void {
    this.input = input;
    this.firstPort = this.ports.findIndex((port) => port.input === input);
  }

  /** The input was read: takes over what the core counted. */
  endInput(): void {
    for (let index = 0; this.core && index < MAX_INTERFACES; index++) {
      const port = this.ports[this.firstPort + index];
      if (port) port.frames += this.core.counted[index] ?? 0;
    }
  }

  /** Puts the tap of a frame into `row`, and gives it; counts the frame for its interface when `count` is set. */
  resolve(frames: FrameBatch, i: number, count: boolean): number {
    const port = this.firstPort + (frames.interfaceIndex[i] ?? 0);
    const tag = frames.vlan[i] ?? -1;
    const innerTag = frames.innerVlan[i] ?? -1;
    const vlan = tag === PRIORITY && innerTag < 0 ? -1 : tag;
    const known = vlan < 0 ? (this.untagged[port] ?? -1) : -1;
    const tap = known >= 0 ? known : this.slow(port, vlan, innerTag);
    this.row[i] = tap;
    if (this.core && count && innerTag < 0) this.tell(this.core, port, tag, tap);
    const counted = count ? this.ports[port] : undefined;
    if (counted) counted.frames++;
    return tap;
  }

  /** Where the core looks the tap up: see `KNOWN_TAPS`. */
  private tell(core: Core, port: number, vlan: number, tap: number): void {
    const key = ((port - this.firstPort) << 13) + vlan + 2;
    const slot = ((key ^ (key >>> 13)) & (TAP_SLOTS - 1)) * 2;
    if (tap === NO_TAP) return;
    core.taps[slot] = key;
    core.taps[slot + 1] = tap;
  }

  private slow(port: number, vlan: number, innerVlan: number): number {
    if (port >= this.ports.length) return NO_TAP;
    const key = (port * 4097 + vlan + 1) * 4097 + innerVlan + 1;
    const known = this.tagged.get(key);
    if (known !== undefined) return known;
    if (this.all.length >= MAX_TAPS) return NO_TAP;
    const id = this.all.length;
    this.all.push({ id, input: this.input, port, vlan, innerVlan });
    this.tagged.set(key, id);
    if (vlan < 0) this.untagged[port] = id;
    return id;
  }
}
