/** `macscan frames <capture>`: every packet on a line, under tshark's field names. */

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { AddressTable } from '../bytes/address.js';
import { collectEvidence } from '../bytes/evidence.js';
import type { ByteSource } from '../bytes/source.js';
import { HEADER_FIELDS, HeaderFields } from '../decode/fields.js';
import { Decoder } from '../decode/frame.js';
import { InputError } from '../errors.js';
import { readCapture } from '../read/capture.js';
import { exactTime } from '../read/time-scale.js';
import { Epoch } from '../records/epoch.js';
import { FrameBatch } from '../records/frame-batch.js';
import {
  type CaptureInterface,
  type CaptureSink,
  type InputDiagnostic,
  NOT_A_PACKET,
  type PacketBatch,
} from '../records/packet-batch.js';
import { printable } from '../render/words.js';
import { EXIT, interrupted, writeError } from './process.js';

/** Columns of the table, in order. */
export const FRAME_COLUMNS = [
  'frame.number',
  'frame.section_number',
  'frame.interface_id',
  'frame.interface_name',
  'frame.time_epoch',
  'frame.cap_len',
  'frame.len',
  ...HEADER_FIELDS,
  'frame.packet_flags_direction',
] as const;

/**
 * `macscan frames`: prints the packets of a capture as tab-separated values, a header line, then a line per packet. What
 * is wrong with the capture goes to standard error.
 * @returns the exit code
 * @throws InputError when the capture cannot be read or is none
 */
export async function framesCommand(path: string): Promise<number> {
  const { pieces, errors } = await collectEvidence([path], { signal: interrupted });
  const [piece] = pieces;
  const [error] = errors;
  if (!piece) throw error ?? new InputError(path, 'holds no file');
  if (pieces.length > 1) throw new InputError(path, `holds ${pieces.length} files; frames are printed of one capture`);
  const source = await piece.open();
  let problems = 0;
  try {
    await printFrames(source, piece.name, process.stdout, ({ offset, frame, what, action }) => {
      problems++;
      const at = offset === undefined ? '' : `byte ${offset}, `;
      writeError(printable(`${piece.name}: ${at}after frame ${frame ?? 0}: ${what} ${action}`));
    });
  } finally {
    source.close();
  }
  return problems === 0 ? 0 : EXIT.FAILED;
}

/** Prints the packets of an open source; `name` is what the user calls it. A reader that goes away ends it, without an error. */
export async function printFrames(
  source: ByteSource,
  name: string,
  out: Writable,
  report: (diagnostic: InputDiagnostic) => void,
): Promise<void> {
  const lines = new LineWriter(out);
  const sink = new FrameTable((line) => {
    lines.add(line);
  }, report);
  const summary = await readCapture(lines.throttle(source), new Epoch(), sink);
  if (!lines.closed && !summary.format) throw new InputError(name, 'is not a capture (neither pcap nor pcapng)');
  await lines.finish();
}

/** A capture sink that makes a line of every packet. */
export class FrameTable implements CaptureSink {
  private readonly line: (line: string) => void;
  private readonly report: (diagnostic: InputDiagnostic) => void;
  private readonly addresses = new AddressTable();
  private readonly decoder = new Decoder(this.addresses);
  private readonly fields = new HeaderFields(this.addresses);
  private readonly frames = new FrameBatch();
  private readonly interfaces: CaptureInterface[] = [];

  /** @param line takes each line, without its line break; the first are the column names */
  constructor(line: (line: string) => void, report: (diagnostic: InputDiagnostic) => void) {
    this.line = line;
    this.report = report;
    line(FRAME_COLUMNS.join('\t'));
  }

  interface(description: CaptureInterface): void {
    this.interfaces[description.index] = description;
  }

  packets(batch: PacketBatch): void {
    this.decoder.decode(batch, this.frames);
    for (let row = 0; row < batch.count; row++) {
      if (batch.linkType[row] !== NOT_A_PACKET) this.line(this.row(batch, row));
    }
  }

  diagnostic(diagnostic: InputDiagnostic): void {
    this.report(diagnostic);
  }

  comment(): void {
    // Not a column.
  }

  name(): void {
    // Not a column.
  }

  statistics(): void {
    // Not a column.
  }

  private row(batch: PacketBatch, row: number): string {
    const source = this.interfaces[batch.interfaceIndex[row] ?? 0];
    const isPcapng = source !== undefined && !source.resolution.split;
    const fields = this.fields.collect(batch, this.frames, row);
    const cells = [
      String(batch.frame[row]),
      isPcapng ? String(source.section + 1) : '',
      isPcapng ? String(source.idInSection) : '',
      isPcapng ? escapeControls(source.name ?? source.description ?? 'unknown') : '',
      timeOf(batch, row, source),
      String(batch.capturedLength[row]),
      String((batch.originalLength[row] ?? 0) >>> 0),
    ];
    for (const name of HEADER_FIELDS) cells.push(fields.get(name) ?? '');
    cells.push(batch.hasFlags[row] === 1 ? `0x0000000${(batch.flags[row] ?? 0) & 3}` : '');
    return cells.join('\t');
  }
}

/** Seconds since 1970 with nine decimals, empty when the record has no time. */
function timeOf(batch: PacketBatch, row: number, source: CaptureInterface | undefined): string {
  if (!source || Number.isNaN(batch.time[row])) return '';
  const ns = exactTime(source.resolution, batch.ticksHigh[row] ?? 0, batch.ticksLow[row] ?? 0);
  const digits = (ns < 0n ? -ns : ns).toString().padStart(10, '0');
  return `${ns < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** A name of the capture's own choosing must not end a cell or a line, nor command a terminal. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (control) => {
    const code = control.codePointAt(0) ?? 0;
    return (
      shortEscapes[control] ?? (code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`)
    );
  });
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};

/** Text for the stream is handed over in pieces of about this many characters. */
const PIECE = 64 * 1024;

/** Writes lines to a stream no faster than it takes them, and knows when its reader has gone. */
class LineWriter {
  /** The stream's reader has gone (a closed pipe): nothing more can be written. */
  closed = false;
  private readonly out: Writable;
  private pending: string[] = [];
  private pendingLength = 0;
  private full = false;
  private failure: Error | undefined;

  constructor(out: Writable) {
    this.out = out;
    out.on('error', (error: Error) => {
      this.closed = true;
      if (!('code' in error) || error.code !== 'EPIPE') this.failure = error;
    });
    out.on('close', () => {
      this.closed = true;
    });
  }

  add(line: string): void {
    if (this.closed) return;
    this.pending.push(line);
    this.pendingLength += line.length + 1;
    if (this.pendingLength >= PIECE) this.flush();
  }

  /** A source that gives its next bytes only when the stream has room, and none once it is closed. */
  throttle(source: ByteSource): ByteSource {
    return {
      read: (target, start, length) => {
        if (this.closed) return 0;
        if (!this.full) return source.read(target, start, length);
        return this.drained().then(() => (this.closed ? 0 : source.read(target, start, length)));
      },
      close: () => {
        source.close();
      },
    };
  }

  /** Writes what is left and waits until it is taken. @throws what the stream failed with, unless its reader went away */
  async finish(): Promise<void> {
    this.flush();
    if (this.full) await this.drained();
    if (this.failure) throw this.failure;
  }

  private flush(): void {
    if (this.closed || this.pending.length === 0) return;
    const text = `${this.pending.join('\n')}\n`;
    this.pending = [];
    this.pendingLength = 0;
    this.full = !this.out.write(text);
  }

  private async drained(): Promise<void> {
    if (this.closed) return;
    const stop = new AbortController();
    const { signal } = stop;
    const events = ['drain', 'close', 'error'].map((event) => once(this.out, event, { signal }).catch(() => undefined));
    await Promise.race(events);
    stop.abort();
    this.full = false;
  }
}
