/** A file that appears whole or not at all: written beside its place, looked at, and then put there. */

import { closeSync, createReadStream, createWriteStream, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { openFile } from '../bytes/file.js';
import { createSpool, type SpoolFile } from '../bytes/spool.js';
import { notWritten, placeOf, type Place } from './place.js';

const CHUNK = 256 * 1024;
/** Longer than any address in any spelling: what lies across two chunks is in both. */
const OVERLAP = 64;

export class NewFile {
  /** Where it goes; `-` is standard output. */
  readonly path: string;
  private readonly place: Place;
  private readonly spool: SpoolFile;

  /** @throws InputError when it cannot be made */
  constructor(path: string) {
    this.path = path;
    this.place = path === '-' ? { path, isStream: true } : placeOf(path);
    this.spool = this.place.isStream ? createSpool(path) : besides(this.place.path);
  }

  write(bytes: Uint8Array): void {
    this.spool.write(bytes);
  }

  /** What was written, in overlapping chunks; nothing can be written after. */
  *chunks(): Generator<Uint8Array> {
    this.spool.close();
    const source = openFile(this.spool.path, this.path);
    const buffer = new Uint8Array(CHUNK);
    let kept = 0;
    try {
      for (;;) {
        const read = source.read(buffer, kept, CHUNK - kept);
        if (read === 0) return;
        yield buffer.subarray(0, kept + read);
        const rest = Math.min(OVERLAP, kept + read);
        buffer.copyWithin(0, kept + read - rest, kept + read);
        kept = rest;
      }
    } finally {
      source.close();
    }
  }

  /**
   * Puts it in its place, or hands it to `out` piece by piece if that is standard output.
   * @throws InputError when that cannot be done
   */
  async publish(out: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    this.spool.close();
    if (this.path === '-') {
      const stream: AsyncIterable<unknown> = createReadStream(this.spool.path, { highWaterMark: CHUNK });
      for await (const chunk of stream) if (chunk instanceof Uint8Array) await out(chunk);
      return;
    }
    try {
      if (this.place.isStream) await pipeline(createReadStream(this.spool.path), createWriteStream(this.path));
      else renameSync(this.spool.path, this.place.path);
    } catch (error) {
      throw notWritten(this.path, error);
    }
  }

  /** Takes it away. */
  discard(): void {
    this.spool.close();
    rmSync(this.spool.path, { force: true });
  }
}

/** Files beside their places; those that got there, or were taken away, are not there any more. */
const unfinished = new Set<string>();

function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true });
}

function besides(path: string): SpoolFile {
  const temporary = `${path}.${process.pid}.tmp`;
  let descriptor: number | undefined;
  try {
    descriptor = openSync(temporary, 'wx', 0o666);
    // A second Ctrl-C ends the program at once.
    if (unfinished.size === 0) process.once('exit', removeUnfinished);
    unfinished.add(temporary);
  } catch (error) {
    throw notWritten(path, error);
  }
  return {
    path: temporary,
    write(bytes) {
      try {
        for (let at = 0; at < bytes.length && descriptor !== undefined;) at += writeSync(descriptor, bytes, at);
      } catch (error) {
        throw notWritten(path, error);
      }
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}
