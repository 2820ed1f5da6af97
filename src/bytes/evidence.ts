import { createHash } from 'node:crypto';
import { constants, lstatSync, openSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { InputError } from '../errors.js';
import { DEFAULT_LIMITS, type DecompressLimits, peek } from './decompress.js';
import { drain } from './drain.js';
import { fileError } from './file.js';
import { distinctNames, type Located } from './names.js';
import { createSpool } from './spool.js';
import { MAX_HASHED, StoredFile } from './stored-file.js';
import { isHidden, isTar, TAR_HEADER, unpackTar } from './tar.js';

export interface EvidenceOptions {
  readonly limits?: Partial<EvidenceLimits>;
  /** Computes SHA-256 of inputs above `MAX_HASHED` bytes too. */
  readonly hash?: boolean;
  /** Aborting it ends the reading of standard input and pipes: what arrived by then is kept. */
  readonly signal?: AbortSignal;
}

interface EvidenceLimits {
  /** Pieces in all, members of folders and archives among them. */
  readonly pieces: number;
  /** Folders within folders. */
  readonly depth: number;
  /** Archives within archives. */
  readonly archives: number;
  /** Bytes kept in temporary files, per archive, pipe or standard input. */
  readonly spooled: number;
  readonly decompress: DecompressLimits;
}

const STDIN = 0;

const LIMITS: EvidenceLimits = {
  pieces: 10_000,
  depth: 16,
  archives: 3,
  spooled: 2 ** 37,
  decompress: DEFAULT_LIMITS,
};

/** What the arguments stand for. */
export interface EvidenceList {
  /** Sorted by name; each name occurs once. */
  readonly pieces: readonly StoredFile[];
  /** Arguments, files and archives that could not be read, wholly or in part; sorted by message. */
  readonly errors: readonly InputError[];
}

/**
 * Expands the arguments of a command into pieces of evidence: files, folders (all files in them), tar archives (plain
 * or compressed, all files in them), named pipes, and `-` for standard input. The same file given twice counts once.
 * The result does not depend on the order of the arguments. What can be read only once is copied to temporary files
 * (`removeSpools`). A piece is named by its path below the folder or archive that was given; where two would be named
 * alike, the folders above them are named too.
 */
export async function collectEvidence(args: readonly string[], options: EvidenceOptions = {}): Promise<EvidenceList> {
  const collector = new Collector({ ...LIMITS, ...options.limits }, options);
  for (const arg of [...new Set(args)].sort()) await collector.argument(arg);
  for (const found of collector.uniqueFiles()) await collector.expand(found.piece, found, 0);
  const named = distinctNames(collector.pieces);
  return {
    pieces: named.map(({ name, item }) => item.piece.named(name)),
    errors: collector.errors.sort((a, b) => (a.message < b.message ? -1 : a.message > b.message ? 1 : 0)),
  };
}

interface Found extends Located {
  readonly piece: StoredFile;
  /** Device and inode, by which a file is known under all its names. */
  readonly identity: string;
}

class Collector {
  readonly pieces: Found[] = [];
  readonly errors: InputError[] = [];
  private readonly files: Found[] = [];
  private readonly folders = new Set<string>();
  private readonly limits: EvidenceLimits;
  private readonly signal: AbortSignal | undefined;
  /** Inputs up to so many bytes are hashed. */
  private readonly hashed: number;
  private full = false;

  constructor(limits: EvidenceLimits, options: EvidenceOptions) {
    this.limits = limits;
    this.signal = options.signal;
    this.hashed = options.hash ? Infinity : MAX_HASHED;
  }

  async argument(arg: string): Promise<void> {
    try {
      if (arg === '-') {
        const { isatty } = await import('node:tty');
        if (isatty(STDIN)) throw new InputError('-', 'standard input is a terminal: nothing to read');
        await this.spool(STDIN, '-', ['-']);
        return;
      }
      const stats = statSync(arg);
      const path = resolve(arg).split(sep);
      if (stats.isDirectory()) {
        const before = this.files.length + this.errors.length;
        this.folder(arg, realpathSync(arg), path, path.length, 0, arg);
        if (this.files.length + this.errors.length === before) throw new InputError(arg, 'a folder without files');
      } else if (stats.isFile()) this.file(arg, stats, path, 1);
      else if (stats.isFIFO()) await this.spool(openSync(arg, constants.O_RDONLY | constants.O_NONBLOCK), arg, path);
      else this.errors.push(new InputError(arg, 'is a device or socket, not a file'));
    } catch (error) {
      this.failed(arg, error);
    }
  }

  /** The files found so far, each once: under the name that tells most of where it lies. */
  uniqueFiles(): Found[] {
    const best = new Map<string, Found>();
    for (const found of this.files) {
      const known = best.get(found.identity);
      if (!known || isBetter(found, known)) best.set(found.identity, found);
    }
    return [...best.values()];
  }

  /** Takes a file as a piece, or, if it is an archive, its members. */
  async expand(piece: StoredFile, at: Located, level: number): Promise<void> {
    if (this.isFull(this.pieces, piece.name)) return;
    try {
      const probe = await piece.open('head');
      const { head } = await peek(probe, TAR_HEADER);
      probe.close();
      if (level >= this.limits.archives || !isTar(head)) {
        this.pieces.push({ ...at, piece, identity: '' });
        return;
      }
      const whole = await piece.open();
      const { members, errors } = await unpackTar(whole, piece.name, {
        members: this.limits.pieces,
        bytes: this.limits.spooled,
      });
      whole.close();
      this.errors.push(...errors);
      if (members.length === 0 && errors.length === 0) {
        this.errors.push(new InputError(piece.name, 'an archive without files'));
      }
      // An archive at the top of what was given is a root of its own; one below that is a part of it.
      const root = at.shown === 1 ? 0 : at.shown;
      for (const { path, file, size, sha256 } of members) {
        const inner = { path: [...at.path, ...path], shown: root + path.length };
        const name = inner.path.slice(-inner.shown).join('/');
        await this.expand(new StoredFile(file, name, size, this.limits.decompress, sha256), inner, level + 1);
      }
    } catch (error) {
      this.failed(piece.name, error);
    }
  }

  private folder(shown: string, real: string, path: string[], root: number, depth: number, arg: string): void {
    const stats = statSync(real);
    const identity = `${stats.dev}:${stats.ino}`;
    if (depth === 0) this.folders.clear();
    if (this.folders.has(identity)) return;
    this.folders.add(identity);
    if (depth > this.limits.depth) {
      this.errors.push(new InputError(shown, `lies more than ${this.limits.depth} folders deep and was not read`));
      return;
    }
    const entries = readdirSync(real).filter((entry) => !isHidden(entry));
    for (const entry of entries.sort()) {
      if (this.isFull(this.files, arg)) return;
      const inner = join(shown, entry);
      try {
        this.entry(inner, join(real, entry), [...path, entry], root, depth, arg);
      } catch (error) {
        this.failed(inner, error);
      }
    }
  }

  private entry(shown: string, full: string, path: string[], root: number, depth: number, arg: string): void {
    const linked = lstatSync(full).isSymbolicLink();
    const real = linked ? realpathSync(full) : full;
    if (linked && !`${real}${sep}`.startsWith(`${realpathSync(arg)}${sep}`)) {
      this.errors.push(new InputError(shown, 'a symbolic link that leads out of the folder; it was not followed'));
      return;
    }
    const stats = statSync(real);
    if (stats.isDirectory()) this.folder(shown, real, path, root, depth + 1, arg);
    else if (stats.isFile()) this.file(shown, stats, path, path.length - root);
  }

  private file(shown: string, stats: Stats, path: string[], length: number): void {
    const digest = stats.size > this.hashed ? '' : undefined;
    const piece = new StoredFile(path.join(sep), shown, stats.size, this.limits.decompress, digest);
    this.files.push({ path, shown: length, piece, identity: `${stats.dev}:${stats.ino}` });
  }

  /** Copies what a descriptor gives to a temporary file. */
  private async spool(descriptor: number, name: string, path: string[]): Promise<void> {
    const spool = createSpool(name);
    const hash = createHash('sha256');
    let size = 0;
    const take = (piece: Uint8Array): boolean => {
      size += piece.length;
      if (size > this.limits.spooled) {
        this.errors.push(new InputError(name, `gives more than ${this.limits.spooled} bytes; the rest was not read`));
        return false;
      }
      if (size <= this.hashed) hash.update(piece);
      spool.write(piece);
      return true;
    };
    try {
      await drain(descriptor, take, this.signal);
    } catch (error) {
      if (!this.signal?.aborted) this.failed(name, error);
    } finally {
      spool.close();
    }
    const digest = size > this.hashed ? '' : hash.digest('hex');
    const piece = new StoredFile(spool.path, basename(name), size, this.limits.decompress, digest);
    this.files.push({ path, shown: 1, piece, identity: `spool ${spool.path}` });
  }

  private isFull(list: readonly Found[], name: string): boolean {
    const full = list.length >= this.limits.pieces;
    if (full && !this.full) {
      this.full = true;
      this.errors.push(new InputError(name, `there are more than ${this.limits.pieces} files; the rest was not read`));
    }
    return full;
  }

  private failed(name: string, error: unknown): void {
    this.errors.push(error instanceof InputError ? error : fileError(name, error));
  }
}

function isBetter(found: Found, known: Found): boolean {
  if (found.shown !== known.shown) return found.shown > known.shown;
  return found.path.join('/') < known.path.join('/');
}
