import { AddressTable } from '../../src/bytes/address.js';
import { createTextReader, type TextSummary } from '../../src/read/text.js';
import { Epoch } from '../../src/records/epoch.js';
import type { Fact } from '../../src/records/facts.js';
import type { FrameBatch } from '../../src/records/frame-batch.js';
import type { CaptureInterface, InputDiagnostic } from '../../src/records/packet-batch.js';
import { type DecodedFrame, describeFrame } from './decode-packet.js';

/** A printed frame with what its row says of the record. */
export interface TextFrame extends DecodedFrame {
  frame: number;
  interfaceIndex: number;
  /** Absolute ns; undefined without a time. */
  time: bigint | undefined;
  length: number;
}

export interface TextResult {
  facts: Fact[];
  frames: TextFrame[];
  interfaces: CaptureInterface[];
  diagnostics: InputDiagnostic[];
  summary: TextSummary;
}

/** Reads text, or bytes in chunks of the given sizes (the last size again and again), and keeps all that it gives. */
export function readText(input: string | Uint8Array, chunkSizes: readonly number[] = []): TextResult {
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  const addresses = new AddressTable();
  const epoch = new Epoch();
  const kept: Omit<TextResult, 'summary'> = { facts: [], frames: [], interfaces: [], diagnostics: [] };
  const reader = createTextReader(
    0,
    {
      fact: (fact) => kept.facts.push(fact),
      diagnostic: (diagnostic) => kept.diagnostics.push(diagnostic),
      interface: (description) => kept.interfaces.push(description),
      frames: (batch) => kept.frames.push(...framesOf(batch, addresses, epoch)),
    },
    { addresses, epoch },
  );
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = Math.max(1, chunkSizes[Math.min(i, chunkSizes.length - 1)] ?? bytes.length);
    reader.chunk(bytes.slice(at, at + size));
    at += size;
  }
  return { ...kept, summary: reader.end() };
}

/** The facts of one kind. */
export function factsOf<K extends Fact['kind']>(result: TextResult, kind: K): Extract<Fact, { kind: K }>[] {
  return result.facts.filter((fact): fact is Extract<Fact, { kind: K }> => fact.kind === kind);
}

/** The rows of a batch as objects. */
export function framesOf(batch: FrameBatch, addresses: AddressTable, epoch: Epoch): TextFrame[] {
  return Array.from({ length: batch.count }, (_, row) => {
    const time = batch.time[row] ?? NaN;
    return {
      ...describeFrame(batch, row, 0, addresses),
      frame: batch.frame[row] ?? 0,
      interfaceIndex: batch.interfaceIndex[row] ?? 0,
      time: Number.isNaN(time) ? undefined : epoch.absolute(time),
      length: batch.length[row] ?? 0,
    };
  });
}
