import { readCapture, sniffCapture } from '../../src/read/capture.js';
import { CaptureRedaction, CaptureSurvey } from '../../src/redact/capture.js';
import { PcapngWriter } from '../../src/redact/capture-writer.js';
import { DumpRedaction } from '../../src/redact/dump.js';
import { LeakScan } from '../../src/redact/leaks.js';
import { AddressMapping, type MappingOptions } from '../../src/redact/mapping.js';
import { TextRedactor } from '../../src/redact/text.js';
import { Epoch } from '../../src/records/epoch.js';
import { memorySource } from './collect-capture.js';
import type { Piece } from './engine.js';

export const TEST_KEY = new TextEncoder().encode('a key of some length, for tests');

export interface RedactedPieces {
  readonly pieces: Piece[];
  readonly mapping: AddressMapping;
  readonly text: TextRedactor;
  /** Packets cut to their link header. */
  readonly shortened: number;
}

/** What `macscan redact` makes of inputs, in memory: captures become pcapng. */
export async function redactPieces(
  inputs: readonly Piece[],
  options: Partial<MappingOptions> = {},
): Promise<RedactedPieces> {
  const mapping = new AddressMapping(TEST_KEY, { level: 'default', keepOui: false, ...options });
  const text = new TextRedactor(mapping);
  for (const { bytes } of inputs) {
    if (sniffCapture(bytes)) await readCapture(memorySource(bytes), new Epoch(), new CaptureSurvey(mapping, text));
    else redactDump(bytes, text);
  }
  const leaks = new LeakScan(mapping);
  const pieces: Piece[] = [];
  let shortened = 0;
  for (const { name, bytes } of inputs) {
    if (!sniffCapture(bytes)) {
      pieces.push({ name, bytes: new TextEncoder().encode(redactDump(bytes, text)) });
      continue;
    }
    const parts: Uint8Array[] = [];
    const redaction = new CaptureRedaction(mapping, text, leaks, new PcapngWriter('redacted'), (part) => {
      parts.push(Uint8Array.from(part));
    });
    await readCapture(memorySource(bytes), new Epoch(), redaction);
    pieces.push({ name, bytes: Buffer.concat(parts) });
    shortened += redaction.shortened;
  }
  return { pieces, mapping, text, shortened };
}

function redactDump(bytes: Uint8Array, text: TextRedactor): string {
  let made = '';
  const dump = new DumpRedaction(text, (part) => {
    made += part;
  });
  dump.chunk(bytes);
  dump.end();
  return made;
}
