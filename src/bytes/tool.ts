import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { chunkSource } from './chunks.js';
import type { Compression } from './decompress.js';
import type { ByteSource } from './source.js';

/** Programs that decompress a file faster than this process can, and at the same time as it analyses. */
const TOOLS: Partial<Readonly<Record<Compression, readonly [command: string, ...options: string[]]>>> = {
  zstd: ['zstd', '-dcq'],
  xz: ['xz', '-dcq', '--memlimit-decompress=256MiB'],
  lz4: ['lz4', '-dcq'],
};

const CHUNK = 256 * 1024;
/** Bytes of output kept ready. */
const AHEAD = 4 * 1024 * 1024;

/** Whether a program may be of help; zlib is as fast as gzip, and works in a thread of its own. */
export function hasTool(compression: Compression): boolean {
  return TOOLS[compression] !== undefined;
}

/**
 * The content of a compressed file, by a program that runs beside this one. Where the program is not installed, or
 * fails, the same bytes come from `own`, whose errors are the ones that are told. The program ends with the source; and
 * with this process, as nobody reads its output any more.
 * @param own decompresses the file from its beginning in this process
 */
export function toolSource(path: string, compression: Compression, own: () => ByteSource): ByteSource {
  const state: { child?: ChildProcess; own?: ByteSource } = {};
  return chunkSource(output(path, compression, own, state), () => {
    state.child?.kill('SIGKILL');
    state.own?.close();
  });
}

async function* output(
  path: string,
  compression: Compression,
  own: () => ByteSource,
  state: { child?: ChildProcess; own?: ByteSource },
): AsyncGenerator<Uint8Array> {
  const [command, ...options] = TOOLS[compression] ?? [''];
  const descriptor = openSync(path, 'r');
  // Nothing but the path of programs: some of these take options from the environment.
  const child = spawn(command, options, {
    stdio: [descriptor, 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'] },
  });
  closeSync(descriptor);
  state.child = child;
  const ended = new Promise<boolean>((resolve) => {
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
  let given = 0;
  if (child.stdout) {
    for await (const chunk of readAhead(child.stdout)) {
      given += chunk.length;
      yield chunk;
    }
  }
  if (await ended) return;
  state.own = own();
  yield* rest(state.own, given);
}

/**
 * The chunks of a stream. It is given a turn between chunks, so that it goes on to read while they are worked on: a pipe
 * holds too little to keep both sides busy.
 */
async function* readAhead(stream: Readable): AsyncGenerator<Uint8Array> {
  const queue: Uint8Array[] = [];
  const state = { size: 0, ended: false };
  let wake: () => void = () => undefined;
  stream.on('data', (chunk: unknown) => {
    if (!(chunk instanceof Uint8Array)) return;
    queue.push(chunk);
    state.size += chunk.length;
    if (state.size > AHEAD) stream.pause();
    wake();
  });
  stream.on('close', () => {
    state.ended = true;
    wake();
  });
  for (;;) {
    for (let chunk = queue.shift(); chunk; chunk = queue.shift()) {
      state.size -= chunk.length;
      if (state.size <= AHEAD / 2) stream.resume();
      yield chunk;
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (state.ended) return;
    await new Promise<void>((resolve) => (wake = resolve));
  }
}

/** The bytes of a source after the first `skip` ones. */
async function* rest(source: ByteSource, skip: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(CHUNK);
  for (let left = skip; ;) {
    const count = await source.read(buffer, 0, CHUNK);
    if (count === 0) return;
    if (count > left) yield buffer.subarray(left, count);
    left = Math.max(0, left - count);
  }
}
