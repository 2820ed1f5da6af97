/**
 * Taps: the places where frames were seen. A tap is one interface of one input and one stack of VLAN tags; what is seen
 * on two taps may be the same network (a bridge and its ports) or not.
 */

import type { FrameBatch } from '../records/frame-batch.js';
import { BATCH_SIZE, type CaptureInterface } from '../records/packet-batch.js';

/** A flow record keeps the tap in 16 bits. */
export const MAX_TAPS = 0xffff;

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
  readonly row = new Int32Array(BATCH_SIZE);

  private readonly untagged: number[] = [];
  private readonly tagged = new Map<number, number>();
  private input = -1;
  private firstPort = 0;

  /** Interfaces added from now on belong to this input. */
  beginInput(input: number): void {
    this.input = input;
    this.firstPort = this.ports.length;
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

  /** Fills `row` with the tap of each frame; counts frames per interface when `count` is set. */
  resolve(frames: FrameBatch, count: boolean): void {
    const { interfaceIndex, vlan, innerVlan } = frames;
    // Frames come in runs of one interface: they are counted at its end.
    let begin = 0;
    for (let i = 0; i < frames.count; i++) {
      const index = interfaceIndex[i] ?? 0;
      const tag = vlan[i] ?? -1;
      const known = tag < 0 ? (this.untagged[this.firstPort + index] ?? -1) : -1;
      this.row[i] = known >= 0 ? known : this.slow(this.firstPort + index, tag, innerVlan[i] ?? -1);
      if (i + 1 < frames.count && interfaceIndex[i + 1] === index) continue;
      const port = this.ports[this.firstPort + index];
      if (count && port) port.frames += i + 1 - begin;
      begin = i + 1;
    }
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
