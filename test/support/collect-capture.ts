import type { ByteSource } from '../../src/bytes/source.js';
import { type CaptureSummary, readCapture, type ReadCaptureOptions } from '../../src/read/capture.js';
import { exactTime } from '../../src/read/time-scale.js';
import { Epoch } from '../../src/records/epoch.js';
import {
  type CaptureInterface,
  type CaptureSink,
  type InputDiagnostic,
  NOT_A_PACKET,
} from '../../src/records/packet-batch.js';

/** One row of a packet batch as an object, for comparing. */
export interface CollectedPacket {
  frame: number;
  interfaceIndex: number;
  linkType: number;
  /** Absolute ns, from the exact conversion; undefined without a time. */
  time: bigint | undefined;
  /** Absolute ns, from the batch's column. */
  fastTime: bigint | undefined;
  /** pcap: the fraction of a second is one or more. */
  badFraction: boolean;
  capturedLength: number;
  originalLength: number;
  flags: number;
  fileOffset: number;
  bytes: string;
}

export interface Collected {
  packets: CollectedPacket[];
  interfaces: CaptureInterface[];
  comments: { text: string; frame: number }[];
  names: { address: string; names: readonly string[] }[];
  statistics: { interfaceIndex: number; received: number | undefined; dropped: number | undefined }[];
  diagnostics: InputDiagnostic[];
  summary: CaptureSummary;
}

/**
 * Reads a capture and keeps all that it gives.
 * @param keep false to keep no packets
 */
export async function collectCapture(
  source: ByteSource,
  options?: ReadCaptureOptions,
  keep = true,
): Promise<Collected> {
  const epoch = new Epoch();
  const kept: Omit<Collected, 'summary'> = {
    packets: [],
    interfaces: [],
    comments: [],
    names: [],
    statistics: [],
    diagnostics: [],
  };
  const sink: CaptureSink = {
    interface: (description) => kept.interfaces.push(description),
    packets(batch) {
      for (let row = 0; keep && row < batch.count; row++) {
        const linkType = batch.linkType[row] ?? 0;
        const offset = batch.offset[row] ?? 0;
        const capturedLength = batch.capturedLength[row] ?? 0;
        const time = batch.time[row] ?? NaN;
        const source = kept.interfaces[batch.interfaceIndex[row] ?? 0];
        const timed = linkType !== NOT_A_PACKET && !Number.isNaN(time) && source !== undefined;
        if (offset + capturedLength > batch.bytes.length) throw new Error('a packet reaches beyond the batch');
        kept.packets.push({
          frame: batch.frame[row] ?? 0,
          interfaceIndex: batch.interfaceIndex[row] ?? 0,
          linkType,
          time: timed ? exactTime(source.resolution, batch.ticksHigh[row] ?? 0, batch.ticksLow[row] ?? 0) : undefined,
          fastTime: timed ? epoch.absolute(time) : undefined,
          badFraction:
            source?.resolution.split === true &&
            (batch.ticksLow[row] ?? 0) >>> 0 >= source.resolution.base ** source.resolution.exponent,
          capturedLength,
          originalLength: (batch.originalLength[row] ?? 0) >>> 0,
          flags: batch.flags[row] ?? 0,
          fileOffset: batch.fileOffset[row] ?? 0,
          bytes: Buffer.from(batch.bytes.subarray(offset, offset + capturedLength)).toString('hex'),
        });
      }
    },
    comment: (text, frame) => kept.comments.push({ text, frame }),
    name: (address, names) => kept.names.push({ address, names }),
    statistics: (interfaceIndex, received, dropped) => kept.statistics.push({ interfaceIndex, received, dropped }),
    diagnostic: (diagnostic) => kept.diagnostics.push(diagnostic),
  };
  const summary = await readCapture(source, epoch, sink, options);
  return { ...kept, summary };
}

/** A source over bytes in memory; `pieces` gives the length of each read in turn (0 for all that is asked for). */
export function memorySource(bytes: Uint8Array, pieces: readonly number[] = [0], asynchronous = false): ByteSource {
  let at = 0;
  let turn = 0;
  return {
    read(target, start, length) {
      const wish = pieces[turn++ % pieces.length] ?? 0;
      const count = Math.min(length, wish === 0 ? length : wish, bytes.length - at);
      target.set(bytes.subarray(at, at + count), start);
      at += count;
      return asynchronous ? Promise.resolve(count) : count;
    },
    close: () => undefined,
  };
}
