import type { Core } from '../bytes/core.js';
import type { ByteSource } from '../bytes/source.js';
import { ByteWindow } from '../bytes/window.js';
import { isOutOfMemory } from '../errors.js';
import type { Epoch } from '../records/epoch.js';
import type { CaptureSink } from '../records/packet-batch.js';
import { CaptureOutput } from './capture-output.js';
import { CoreWalk, coreBatch } from './core-walk.js';
import { isPcapMagic, PcapReader } from './pcap.js';
import { BLOCK_SECTION, ORDER_MAGIC } from './pcapng-block-types.js';
import { PcapngReader, type ReadBlock } from './pcapng.js';
import type { RecordReader } from './record-reader.js';

/** Other tasks of the process get a turn after this many bytes, also when the bytes are always at hand. */
const BYTES_PER_TURN = 16 * 1024 * 1024;

export interface ReadCaptureOptions {
  /** Takes the walk over ordinary records. The batches given lie in its memory. */
  readonly core?: Core;
  /** Aborting it rejects the reading with the signal's reason, at the next turn. */
  readonly signal?: AbortSignal;
  /** The reading may end behind the frame of this number. */
  readonly lastFrame?: number;
  /** Called with every block of a pcapng capture after it was read, but for damaged ones. */
  readonly onBlock?: (block: ReadBlock) => void;
  /** Called at every turn with the bytes read so far of the (decompressed) input. */
  readonly onProgress?: (bytes: number) => void;
}

export interface CaptureSummary {
  /** undefined when the input is no capture; then the sink got nothing but, if reading failed, a diagnostic. */
  readonly format: 'pcap' | 'pcapng' | undefined;
  /** Frames given; the number of the last one. */
  readonly frames: number;
  /** Byte offset in the (decompressed) input up to which records were read. */
  readonly bytes: number;
  readonly interfaces: number;
  /** The capture is damaged or ends in the middle; diagnostics say where. */
  readonly cut: boolean;
}

/** Tells a capture by its first bytes (4 suffice, 12 are surer for pcapng); undefined when it is none. */
export function sniffCapture(head: Uint8Array): 'pcap' | 'pcapng' | undefined {
  if (head.length < 4) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = view.getUint32(0, true);
  if (isPcapMagic(magic)) return 'pcap';
  if (magic !== BLOCK_SECTION) return undefined;
  if (head.length < 12) return 'pcapng';
  return view.getUint32(8, true) === ORDER_MAGIC || view.getUint32(8) === ORDER_MAGIC ? 'pcapng' : undefined;
}

/**
 * Reads a capture from beginning to end, in order, and calls the sink for all that it holds. Damage is told to the
 * sink as diagnostics and ends the reading or is skipped; it is never thrown.
 * @throws the reason of `options.signal` when that is aborted
 */
export async function readCapture(
  source: ByteSource,
  epoch: Epoch,
  sink: CaptureSink,
  options: ReadCaptureOptions = {},
): Promise<CaptureSummary> {
  const { core } = options;
  const window = new ByteWindow(source, core?.bytes);
  const output = new CaptureOutput(sink, core && coreBatch(core));
  const walk = core && !options.onBlock ? new CoreWalk(core, window, output) : undefined;
  await window.fill(12);
  const format = sniffCapture(window.bytes.subarray(window.position, window.end));
  if (format) {
    const reader =
      format === 'pcap'
        ? new PcapReader(window, output, epoch, walk)
        : new PcapngReader(window, output, epoch, options.onBlock, walk);
    try {
      await readAll(reader, window, output, options);
      reader.finish();
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      output.abandon(window.fileOffset(window.position));
    }
  }
  if (window.failure) {
    output.damage(
      'input-failed',
      window.bytesRead,
      `The input fails here: ${reasonOf(window.failure.message, window.failure.input)}.`,
      'Everything before it was used.',
    );
  }
  output.finish();
  return {
    format,
    frames: output.frames,
    bytes: window.fileOffset(window.position),
    interfaces: output.interfaces,
    cut: output.damaged,
  };
}

async function readAll(
  reader: RecordReader,
  window: ByteWindow,
  output: CaptureOutput,
  options: ReadCaptureOptions,
): Promise<void> {
  const { signal, onProgress, lastFrame = Infinity } = options;
  let turn = BYTES_PER_TURN;
  for (;;) {
    signal?.throwIfAborted();
    const need = reader.walk();
    if (need === 0 || window.ended || output.frames >= lastFrame) return;
    const filled = window.fill(need);
    if (filled) await filled;
    if (window.bytesRead >= turn) {
      turn = window.bytesRead + BYTES_PER_TURN;
      onProgress?.(window.bytesRead);
      await nextTurn();
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** The message of an input error without the input's name, which is untrusted text. */
function reasonOf(message: string, input: string): string {
  return message.startsWith(`${input}: `) ? message.slice(input.length + 2) : message;
}
