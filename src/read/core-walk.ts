import type { Core } from '../bytes/core.js';
import {
  I_BASE_HIGH,
  I_BASE_LOW,
  I_FACTOR,
  I_INDEX,
  I_LINK_TYPE,
  I_METHOD,
  INTERFACE_BYTES,
  MAX_INTERFACES,
  PACKETS,
} from '../bytes/core-layout.js';
import type { ByteWindow } from '../bytes/window.js';
import { PacketBatch, type StraightReading } from '../records/packet-batch.js';
import type { CaptureOutput } from './capture-output.js';
import type { TimeScale } from './time-scale.js';

/**
 * Hands the walk over ordinary records to the WebAssembly core (`core/walk.ts`), which fills the same batch. It stops at
 * the first record that is not ordinary; that one is read as ever.
 */
export class CoreWalk {
  private readonly core: Core;
  private readonly window: ByteWindow;
  private readonly output: CaptureOutput;

  /** @param window must have the core's bytes, @param output the core's batch */
  constructor(core: Core, window: ByteWindow, output: CaptureOutput) {
    this.core = core;
    this.window = window;
    this.output = output;
    this.clear();
  }

  /** Forgets the interfaces: another section begins. */
  clear(): void {
    this.core.run.setInterfaces(0);
    this.core.interfaceWords.fill(UNKNOWN);
  }

  /** Makes an interface known, once the scale of its times has an epoch; before, its packets are not ordinary. */
  setInterface(number: number, index: number, linkType: number, scale: TimeScale): void {
    const { interfaceWords, interfaceDoubles } = this.core;
    const steps = scale.steps();
    if (!steps || number >= MAX_INTERFACES) return;
    const at = number * INTERFACE_BYTES;
    interfaceWords[(at + I_INDEX) / 4] = index;
    interfaceWords[(at + I_LINK_TYPE) / 4] = linkType;
    interfaceWords[(at + I_METHOD) / 4] = steps.method;
    interfaceDoubles[(at + I_BASE_HIGH) / 8] = steps.baseHigh;
    interfaceDoubles[(at + I_BASE_LOW) / 8] = steps.baseLow;
    interfaceDoubles[(at + I_FACTOR) / 8] = steps.factor;
    this.core.run.setInterfaces(MAX_INTERFACES);
  }

  /** Walks little-endian records of a pcap capture. @returns how many */
  records(maximumLength: number): number {
    const { window, output } = this;
    if (window.bytes !== this.core.bytes) return 0;
    const { run } = this.core;
    const { position, end } = window;
    const shift = window.fileOffset(0);
    const straight = this.straight();
    if (straight) return this.counted(run.readRecords(position, end, output.frames, shift, maximumLength), straight);
    return this.walked(run.walkRecords(position, end, output.rows, output.frames, shift, maximumLength));
  }

  /** Walks Enhanced Packet Blocks of a little-endian section. @returns how many */
  blocks(): number {
    const { window, output } = this;
    if (window.bytes !== this.core.bytes) return 0;
    const { run } = this.core;
    const { position, end } = window;
    const shift = window.fileOffset(0);
    const straight = this.straight();
    if (straight) return this.counted(run.readBlocks(position, end, output.frames, shift), straight);
    return this.walked(run.walkBlocks(position, end, output.rows, output.frames, shift));
  }

  private straight(): StraightReading | undefined {
    const { straight } = this.output.sink;
    return this.output.rows === 0 && straight?.begin() ? straight : undefined;
  }

  private walked(at: number): number {
    const count = (this.core.walked[0] ?? 0) - this.output.rows;
    this.window.position = at;
    this.output.rowsDone(count);
    return count;
  }

  /** The core has counted on its own as far as it could. */
  private counted(at: number, straight: StraightReading): number {
    const [rows = 0, counted = 0] = this.core.walked;
    const left = this.core.counts[0] ?? 0;
    this.window.position = at;
    this.output.frames += counted;
    if (left > 0) {
      this.output.frames += rows;
      straight.end(counted, rows, left);
    } else {
      straight.end(counted, 0, 0);
      this.output.rowsDone(rows);
    }
    return counted + rows;
  }
}

/** No method of a time scale. */
const UNKNOWN = -1;

/** A packet batch in the core's memory. */
export function coreBatch(core: Core): PacketBatch {
  return new PacketBatch(core.fixed, PACKETS);
}
