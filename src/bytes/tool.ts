import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync, rmSync } from 'node:fs';
import process from 'node:process';
import type { Compression } from './decompress.js';
import type { ByteSource } from './source.js';
import { temporaryPath } from './spool.js';

/** What a program may be of help with; zlib is as fast as gzip, and works in a thread of its own. */
export type ToolCompression = Exclude<Compression, 'gzip'>;

/** Programs that decompress a file faster than this process can, and at the same time as it analyses. */
const TOOLS: Readonly<Record<ToolCompression, readonly [command: string, ...options: string[]]>> = {
  zstd: ['zstd', '-dcq'],
  xz: ['xz', '-dcq', '--memlimit-decompress=256MiB'],
  lz4: ['lz4', '-dcq'],
};

const CHUNK = 256 * 1024;

/** A program at work. */
interface Running {
  /** Its output; reading it waits for the program, which never takes long. */
  readonly output: number;
  /** Whether it did its work. */
  readonly done: Promise<boolean>;
  kill(): void;
}

/**
 * The content of a compressed file, by a program that runs beside this one. Where the program is not installed, or
 * fails, the same bytes come from `own`, whose errors are the ones that are told. The program ends with the source; and
 * with this process, as nobody reads its output any more.
 * @param own decompresses the file from its beginning in this process
 */
export function toolSource(path: string, compression: ToolCompression, own: () => ByteSource): ByteSource {
  let running = start(path, compression);
  let instead = running ? undefined : own();
  let given = 0;
  const stop = (): void => {
    running?.kill();
    if (running) closeSync(running.output);
    running = undefined;
  };
  const end = async (target: Uint8Array, from: number, length: number): Promise<number> => {
    const done = await running?.done;
    if (!running) return 0;
    stop();
    if (done) return 0;
    instead = own();
    await skip(instead, given);
    return instead.read(target, from, length);
  };
  return {
    read(target, from, length): number | Promise<number> {
      if (instead) return instead.read(target, from, length);
      if (!running) return 0;
      const count = readSync(running.output, target, from, length, null);
      given += count;
      return count > 0 || length === 0 ? count : end(target, from, length);
    },
    close(): void {
      stop();
      instead?.close();
    },
  };
}

/**
 * Starts a program whose output comes through a named pipe: that can be read without the event loop, which would copy
 * every piece twice. Undefined where it cannot be.
 */
function start(path: string, compression: ToolCompression): Running | undefined {
  const [command, ...options] = TOOLS[compression];
  const opened: number[] = [];
  const open = (name: string, flags: number): number => {
    const descriptor = openSync(name, flags);
    opened.push(descriptor);
    return descriptor;
  };
  try {
    const pipe = temporaryPath();
    if (spawnSync('mkfifo', ['-m', '600', pipe], { stdio: 'ignore' }).status !== 0) return undefined;
    // Opening one end of a pipe waits for the other end, unless one descriptor is both.
    const both = open(pipe, constants.O_RDWR);
    const input = open(path, constants.O_RDONLY);
    const output = openSync(pipe, constants.O_RDONLY);
    rmSync(pipe);
    const child = spawn(command, options, {
      stdio: [input, both, 'ignore'],
      // Nothing but the path of programs: some of these take options from the environment.
      env: { PATH: process.env['PATH'] },
      // Ctrl-C is for this process, which ends the reading, and with it the program.
      detached: true,
    });
    const done = new Promise<boolean>((resolve) => {
      child.on('error', () => resolve(false));
      child.on('close', (code) => resolve(code === 0));
    });
    return { output, done, kill: () => child.kill('SIGKILL') };
  } catch {
    // No room for a pipe, or a file that cannot be opened: decompressing it here tells what is wrong, if anything is.
    return undefined;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

async function skip(source: ByteSource, bytes: number): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (let left = bytes; left > 0;) {
    const count = await source.read(buffer, 0, Math.min(CHUNK, left));
    if (count === 0) return;
    left -= count;
  }
}
