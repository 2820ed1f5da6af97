/** Reads one input, whatever it is, into the reconstruction; and a capture once more for its suspects. */

import { FRAMES } from './bytes/core-layout.js';
import type { ByteSource } from './bytes/source.js';
import { Decoder } from './decode/frame.js';
import type { WantedPackets } from './detect/wanted.js';
import { countedFrames } from './detect/counted.js';
import { OUT_OF_MEMORY } from './errors.js';
import { headOf, kindOfHead } from './input-kind.js';
import { summaryOf, type ReadInput } from './diagnose/input-summary.js';
import type { Input, InputKind } from './model.js';
import { readCapture } from './read/capture.js';
import { InputNotes } from './read/input-notes.js';
import type { TextSummary } from './read/text.js';
import type { DeviceNames } from './reconstruct/devices.js';
import type { Reconstruction } from './reconstruct/reconstruction.js';
import { FrameBatch } from './records/frame-batch.js';
import type { Fact } from './records/facts.js';
import type { CaptureSink, PacketBatch } from './records/packet-batch.js';

/** What `--as` may say. */
export const INPUT_FORMATS = ['pcap', 'pcapng', 'text'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** One input: a file, a member of an archive, or standard input. It can be opened more than once. */
export interface Evidence {
  /** Unique; what reports call it. */
  readonly name: string;
  /** Opens it from the beginning, decompressed; `head` says that only the first bytes will be read. */
  open(head?: 'head'): ByteSource | Promise<ByteSource>;
  /** Bytes as given (compressed, if so). */
  readonly size: number;
  /** SHA-256 of these bytes, lower case hex; costs nothing once it was read to the end. */
  sha256(): string;
}

export interface ReadOptions {
  /** Formats by input name. */
  readonly formats?: ReadonlyMap<string, InputFormat>;
  readonly signal?: AbortSignal;
  /** Called now and then with the input at work and the bytes read of it. */
  readonly onProgress?: (input: string, bytes: number) => void;
  /** Filled with what the reading spends, when it is given. */
  readonly timing?: ReadTiming;
}

/** ms of wall time spent on decoding packets and on counting them (legs, claims), and bytes of captures read (decompressed). */
export interface ReadTiming {
  decode: number;
  count: number;
  bytes: number;
}

/** What reads captures once more. */
export interface SecondReading {
  /** The packets of an input that it wants. */
  wanted(input: number): WantedPackets;
  /** Takes frames of these. `packets` is undefined for printed captures. */
  add(frames: FrameBatch, packets: PacketBatch | undefined): void;
}

const NOT_READ = {
  id: OUT_OF_MEMORY,
  what: 'It was not read, as the memory did not suffice for what was read before.',
  action: 'It was left out.',
};

const TEXT_CHUNK = 64 * 1024;

export class InputReader {
  private readonly r: Reconstruction;
  private readonly options: ReadOptions;
  private signal: AbortSignal | undefined;
  /** The memory did not suffice for some input: it will not for captures after that. */
  outOfMemory = false;
  private readonly decoder: Decoder;
  private readonly frames: FrameBatch;
  private readonly shifts: ReadonlyMap<number, number>;

  /** @param shifts what is added to the times of inputs, in whole ns; others are taken as they stand */
  constructor(r: Reconstruction, options: ReadOptions, shifts: ReadonlyMap<number, number> = new Map()) {
    this.r = r;
    this.options = options;
    this.signal = options.signal;
    this.shifts = shifts;
    this.frames = r.core ? new FrameBatch(r.core.fixed, FRAMES) : new FrameBatch();
    this.decoder = new Decoder(r.addresses, r.core);
  }

  /**
   * The inputs in the order of reading: by name, but printed captures whose times have no date last, as they take it
   * from the others.
   */
  async inOrder(evidence: readonly Evidence[]): Promise<Evidence[]> {
    const undated = new Set<Evidence>();
    for (const piece of evidence) if (await isUndated(piece)) undated.add(piece);
    const rank = (piece: Evidence): number => (undated.has(piece) ? 1 : 0);
    return evidence.toSorted((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  /** First reading: everything goes into the reconstruction. */
  async first(index: number, evidence: Evidence): Promise<ReadInput> {
    const notes = new InputNotes(evidence.name);
    this.r.beginInput(index);
    const dropped = new Map<number, number>();
    const sink = this.sink(index, notes, dropped, () => {
      this.r.add(this.frames);
    });
    let kind: InputKind = 'unknown';
    let facts: TextSummary | undefined;
    try {
      kind = await this.kindOf(evidence);
      if (kind === 'pcap' || kind === 'pcapng') {
        if (this.outOfMemory) notes.add(NOT_READ);
        else await this.capture(evidence, sink);
      }
      if (kind === 'text') {
        facts = await this.text(index, evidence, notes, (frames) => {
          this.r.add(frames);
        });
        if (!facts.isEvidence) kind = 'unknown';
      }
    } catch (error) {
      notes.failure(error, this.signal, 'It was left out.');
    }
    this.r.endInput();
    if (notes.outOfMemory) {
      this.outOfMemory = true;
      this.r.frames.set(index, countedFrames(this.r, index));
    }
    const frames = this.r.frames.get(index) ?? 0;
    return { name: evidence.name, evidence, kind, facts, frames, dropped, diagnostics: notes.all() };
  }

  /** From now on an interrupt ends no reading. */
  ignoreInterrupts(): void {
    this.signal = undefined;
  }

  /** Second reading of a capture. */
  async again(index: number, evidence: Evidence, reading: SecondReading): Promise<void> {
    this.r.taps.resumeInput(index);
    const silent = new InputNotes(evidence.name);
    const kind = await this.kindOf(evidence);
    const wanted = reading.wanted(index);
    const sink = this.sink(index, silent, new Map(), (batch) => reading.add(this.frames, batch), true);
    const ofWanted: CaptureSink = {
      ...sink,
      select: (batch, from) => {
        wanted.keep(batch, from);
        endAt(wanted.last, batch, from);
      },
    };
    const onFrames = (frames: FrameBatch): void => {
      endAt(wanted.last, frames);
      reading.add(frames, undefined);
    };
    try {
      if (kind === 'text') await this.text(index, evidence, silent, onFrames, true);
      else await this.capture(evidence, ofWanted, wanted.last);
    } catch (error) {
      silent.failure(error, this.signal, '');
    }
    this.outOfMemory ||= silent.outOfMemory;
  }

  /** What the analysis says of an input. */
  summarize(index: number, input: ReadInput, devices: DeviceNames): Input {
    return summaryOf(this.r, index, input, devices, this.shifts.get(index));
  }

  private async kindOf(evidence: Evidence): Promise<InputKind> {
    return this.options.formats?.get(evidence.name) ?? kindOfHead(await headOf(evidence));
  }

  private async capture(evidence: Evidence, sink: CaptureSink, lastFrame = Infinity): Promise<void> {
    const source = await evidence.open();
    const { signal } = this;
    const { onProgress, timing } = this.options;
    try {
      const { bytes } = await readCapture(source, this.r.epoch, sink, {
        lastFrame,
        ...(this.r.core ? { core: this.r.core } : {}),
        ...(signal ? { signal } : {}),
        ...(onProgress ? { onProgress: (read: number) => onProgress(evidence.name, read) } : {}),
      });
      if (timing) timing.bytes += bytes;
    } finally {
      source.close();
    }
  }

  private async text(
    index: number,
    evidence: Evidence,
    notes: InputNotes,
    onFrames: (frames: FrameBatch) => void,
    again = false,
  ): Promise<TextSummary> {
    const { createTextReader } = await import('./read/text.js');
    const source = await evidence.open();
    const shift = this.shifts.get(index) ?? 0;
    const reader = createTextReader(
      index,
      {
        fact: (fact) => (again ? undefined : this.r.facts.add(movedFact(fact, shift))),
        interface: (description) => (again ? undefined : this.r.taps.addInterface(description)),
        frames: (frames) => {
          move(frames, shift);
          onFrames(frames);
        },
        diagnostic: (diagnostic) => notes.add(diagnostic),
      },
      { addresses: this.r.addresses, epoch: this.r.epoch },
    );
    try {
      for await (const chunk of chunks(source)) {
        this.signal?.throwIfAborted();
        reader.chunk(chunk);
      }
    } catch (error) {
      notes.failure(error, this.signal, 'Everything before it was used.');
    } finally {
      source.close();
    }
    return reader.end();
  }

  /** Decodes each batch into `frames` and then calls `onFrames`; takes the time of both when that is asked for. */
  private packets(onFrames: (packets: PacketBatch) => void): (batch: PacketBatch) => void {
    const { timing } = this.options;
    if (!timing) {
      return (batch) => {
        this.decoder.decode(batch, this.frames);
        onFrames(batch);
      };
    }
    return (batch) => {
      const begin = performance.now();
      this.decoder.decode(batch, this.frames);
      const decoded = performance.now();
      onFrames(batch);
      timing.decode += decoded - begin;
      timing.count += performance.now() - decoded;
    };
  }

  /** A sink that decodes each batch into `frames` and then calls `onFrames`; the times of the input are set right before. */
  private sink(
    input: number,
    notes: InputNotes,
    dropped: Map<number, number>,
    onFrames: (packets: PacketBatch) => void,
    again = false,
  ): CaptureSink {
    const shift = this.shifts.get(input) ?? 0;
    const packets = this.packets(onFrames);
    const straight = {
      begin: () => this.r.lend(),
      end: (counted: number, rows: number, left: number) => {
        this.frames.count = rows;
        this.r.takeBack(counted, this.frames, left);
      },
    };
    return {
      straight: again || shift !== 0 || this.options.timing ? undefined : straight,
      interface: (description) => {
        if (!again) this.r.taps.addInterface(description);
      },
      packets:
        shift === 0
          ? packets
          : (batch) => {
              move(batch, shift);
              packets(batch);
            },
      comment: () => undefined,
      name: () => undefined,
      statistics: (index, _received, lost) => {
        if (lost !== undefined) dropped.set(index, lost);
      },
      diagnostic: (diagnostic) => notes.add(diagnostic),
    };
  }
}

/** Leaves out the rows behind the last frame that was counted of what is wanted: the first reading may have ended early. */
function endAt(last: number, batch: { readonly frame: Int32Array; count: number }, from = 0): void {
  while (batch.count > from && (batch.frame[batch.count - 1] ?? 0) > last) batch.count--;
}

/** Adds to the times of a batch. */
function move({ time, count }: { readonly time: Float64Array; readonly count: number }, shift: number): void {
  if (shift !== 0) for (let i = 0; i < count; i++) time[i] = (time[i] ?? NaN) + shift;
}

function movedFact(fact: Fact, shift: number): Fact {
  return shift === 0 || fact.time === undefined ? fact : { ...fact, time: fact.time + BigInt(shift) };
}

/** An input that cannot be read is not: what is wrong with it is told when it is read. */
async function isUndated(evidence: Evidence): Promise<boolean> {
  try {
    const head = await headOf(evidence);
    if (kindOfHead(head) !== 'text') return false;
    const { isUndatedCapture } = await import('./read/text.js');
    return isUndatedCapture(head);
  } catch {
    return false;
  }
}

async function* chunks(source: ByteSource): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(TEXT_CHUNK);
  for (;;) {
    const read = await source.read(buffer, 0, buffer.length);
    if (read === 0) return;
    yield buffer.subarray(0, read);
  }
}
