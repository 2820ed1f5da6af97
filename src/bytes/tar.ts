import { createHash } from 'node:crypto';
import type { Extract } from 'tar-stream';
import { InputError } from '../errors.js';
import type { ByteSource } from './source.js';
import { createSpool, type SpoolFile } from './spool.js';

const CHUNK = 256 * 1024;

/** Length of a tar header, and so of the head by which an archive is told. */
export const TAR_HEADER = 512;

export interface TarMember {
  /** The path in the archive, split and freed of empty, `.` and `..` parts; untrusted. */
  readonly path: readonly string[];
  /** Where its bytes are kept. */
  readonly file: string;
  readonly size: number;
  readonly sha256: string;
}

export interface TarLimits {
  readonly members: number;
  /** Bytes of all members together. */
  readonly bytes: number;
}

/** Tells a tar archive by the checksum of its first header (POSIX.1-1988 ustar, also in its older forms). */
export function isTar(head: Uint8Array): boolean {
  if (head.length < TAR_HEADER) return false;
  const field = new TextDecoder('latin1').decode(head.subarray(148, 156));
  const match = /^ *([0-7]{1,7})[ \0]/.exec(field);
  if (!match) return false;
  let sum = 0;
  for (let i = 0; i < TAR_HEADER; i++) sum += i >= 148 && i < 156 ? 32 : (head[i] ?? 0);
  return sum === Number.parseInt(match[1] ?? '', 8) && sum !== 256;
}

/**
 * Copies the regular files of an archive to temporary files. What cannot be read of it is told in `errors`; the files
 * before that, and the part of the file in which it happens, are kept.
 * @param name the archive, for messages
 */
export async function unpackTar(
  source: ByteSource,
  name: string,
  limits: TarLimits,
): Promise<{ members: TarMember[]; errors: InputError[] }> {
  const members: TarMember[] = [];
  const errors: InputError[] = [];
  const state: { failure?: Error; open?: OpenMember } = {};
  let room = limits.bytes;
  // The types of the package lack this option; headers were told by their checksum, whatever their magic.
  const options = { allowUnknownFormat: true, highWaterMark: CHUNK };
  const { extract } = await import('tar-stream');
  const archive = extract(options);
  archive.on('error', (error: Error) => {
    state.failure ??= error;
  });
  archive.on('entry', (header, content, next) => {
    content.on('error', () => undefined);
    const path = header.name.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
    const wanted = header.type === 'file' || header.type === 'contiguous-file';
    if (!wanted || path.length === 0 || path.some(isHidden)) {
      content.on('end', () => next());
      content.resume();
      return;
    }
    try {
      if (members.length >= limits.members) throw new InputError(name, `holds more than ${limits.members} files`);
      state.open = new OpenMember(path, createSpool(name));
    } catch (error) {
      archive.destroy(asError(error));
      return;
    }
    const member = state.open;
    content.on('data', (chunk) => {
      if (state.failure || !(chunk instanceof Uint8Array)) return;
      try {
        room -= chunk.length;
        if (room < 0) throw new InputError(name, `holds more than ${limits.bytes} bytes`);
        member.write(chunk);
      } catch (error) {
        archive.destroy(asError(error));
      }
    });
    content.on('end', () => {
      members.push(member.done());
      delete state.open;
      next();
    });
  });
  try {
    await feed(source, archive);
  } catch (error) {
    state.failure ??= asError(error);
    await nextTurn();
  }
  archive.destroy(null);
  if (state.open) members.push(state.open.done());
  if (state.failure) {
    const { failure } = state;
    errors.push(failure instanceof InputError ? failure : new InputError(name, reason(failure), { cause: failure }));
  }
  return { members, errors };
}

/** Files that archivers and desktops add for themselves. */
export function isHidden(name: string): boolean {
  return name.startsWith('.');
}

/** A member whose bytes are arriving. */
class OpenMember {
  private readonly path: readonly string[];
  private readonly spool: SpoolFile;
  private readonly hash = createHash('sha256');
  private size = 0;

  constructor(path: readonly string[], spool: SpoolFile) {
    this.path = path;
    this.spool = spool;
  }

  write(chunk: Uint8Array): void {
    this.spool.write(chunk);
    this.hash.update(chunk);
    this.size += chunk.length;
  }

  done(): TarMember {
    this.spool.close();
    return { path: this.path, file: this.spool.path, size: this.size, sha256: this.hash.digest('hex') };
  }
}

/** Gives the archive's bytes to its reader as fast as that takes them; resolves when all is read or the reader is gone. */
async function feed(source: ByteSource, archive: Extract): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    archive.on('close', () => resolve());
    archive.on('finish', () => resolve());
  });
  for (;;) {
    // A fresh buffer each time: the reader keeps parts of it until it has handed them on.
    const chunk = new Uint8Array(CHUNK);
    const count = await source.read(chunk, 0, CHUNK);
    if (archive.destroyed) return;
    if (count === 0) break;
    if (!archive.write(chunk.subarray(0, count))) {
      const drained = new Promise<void>((resolve) => archive.once('drain', () => resolve()));
      await Promise.race([drained, closed]);
    }
  }
  await nextTurn();
  archive.end(null);
  await closed;
}

/** Lets the reader hand on what it holds of a member; when it is ended within one, it would throw that away. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function reason(failure: Error): string {
  return failure.message === 'Unexpected end of data'
    ? 'the archive ends in the middle'
    : `the archive is damaged (${failure.message})`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
