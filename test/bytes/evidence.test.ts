import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { pack } from 'tar-stream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collectEvidence, type EvidenceOptions } from '../../src/bytes/evidence.js';
import { removeSpools } from '../../src/bytes/spool.js';
import type { StoredFile } from '../../src/bytes/stored-file.js';
import { InputError } from '../../src/errors.js';

let root: string;

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'macscan-test-')));
  put('case/router.lan3.pcap', 'lan3');
  put('case/dump-stale/ip-neigh.txt', 'stale neigh');
  put('case/dump-fresh/ip-neigh.txt', 'fresh neigh');
  put('case/.hidden', 'no');
  put('other/router.lan3.pcap', 'other lan3');
  put('single.txt', 'single');
  mkdirSync(join(root, 'empty/within'), { recursive: true });
});
afterEach(() => removeSpools());
afterAll(() => rmSync(root, { recursive: true }));

describe('collectEvidence', () => {
  it('shows of a file that grows what it held when it was found, at every reading', async () => {
    put('growing.txt', 'first');
    const { pieces } = await collect(['growing.txt']);
    appendFileSync(join(root, 'growing.txt'), ' and more');
    for (const piece of [...pieces, ...pieces]) expect(await text(piece)).toBe('first');
    rmSync(join(root, 'growing.txt'));
  });

  it('names the members of a folder by their path in it', async () => {
    expect(await contents(['case'])).toEqual({
      'dump-fresh/ip-neigh.txt': 'fresh neigh',
      'dump-stale/ip-neigh.txt': 'stale neigh',
      'router.lan3.pcap': 'lan3',
    });
  });

  it('names folders too where files would be named alike, in any order of arguments', async () => {
    const expected = {
      'case/router.lan3.pcap': 'lan3',
      'dump-fresh/ip-neigh.txt': 'fresh neigh',
      'dump-stale/ip-neigh.txt': 'stale neigh',
      'other/router.lan3.pcap': 'other lan3',
      'single.txt': 'single',
    };
    expect(await contents(['case', 'other', 'single.txt'])).toEqual(expected);
    expect(await contents(['single.txt', 'other', 'case'])).toEqual(expected);
  });

  it('counts a file once however often it is given', async () => {
    symlinkSync(join(root, 'single.txt'), join(root, 'link.txt'));
    const names = Object.keys(await contents(['single.txt', './single.txt', join(root, 'single.txt'), 'link.txt']));
    expect(names).toHaveLength(1);
    expect(Object.keys(await contents(['case', 'case/router.lan3.pcap', 'case/dump-stale']))).toEqual(
      Object.keys(await contents(['case'])),
    );
  });

  it('follows links inside a folder, but neither round in circles nor out of it', async () => {
    put('linked/a/file.txt', 'inside');
    symlinkSync('..', join(root, 'linked/a/up'));
    symlinkSync('a/file.txt', join(root, 'linked/alias.txt'));
    symlinkSync(join(root, 'single.txt'), join(root, 'linked/out.txt'));
    symlinkSync('nowhere', join(root, 'linked/broken.txt'));
    const { pieces, errors } = await collect(['linked']);
    expect(pieces.map(({ name }) => name)).toEqual(['a/file.txt']);
    expect(errors.map(({ message }) => message.slice(root.length))).toEqual([
      '/linked/broken.txt: no such file or directory',
      '/linked/out.txt: a symbolic link that leads out of the folder; it was not followed',
    ]);
  });

  it('collects errors and goes on', async () => {
    const { pieces, errors } = await collect(['missing', 'single.txt', 'empty', '/dev/null']);
    expect(pieces.map(({ name }) => name)).toEqual(['single.txt']);
    expect(errors.map(({ message }) => message.replace(root, ''))).toEqual([
      '/dev/null: is a device or socket, not a file',
      '/empty: a folder without files',
      '/missing: no such file or directory',
    ]);
    expect(errors.every((error) => error instanceof InputError)).toBe(true);
  });

  it.skipIf(process.getuid?.() === 0)('says that a file may not be read', async () => {
    put('secret.txt', 'secret');
    chmodSync(join(root, 'secret.txt'), 0);
    const { errors } = await collect(['secret.txt', 'single.txt']);
    expect(errors.map(({ message }) => message)).toEqual([`${join(root, 'secret.txt')}: permission denied`]);
  });

  it('bounds the number of files', async () => {
    const { pieces, errors } = await collect(['case', 'other'], { limits: { pieces: 2 } });
    expect(pieces).toHaveLength(2);
    expect(errors[0]?.message).toContain('there are more than 2 files');
  });

  it('gives the digest of the bytes as stored, before and after reading', async () => {
    const packed = gzipSync('content');
    writeFileSync(join(root, 'packed.gz'), packed);
    const expected = createHash('sha256').update(packed).digest('hex');
    const { pieces } = await collect(['packed.gz']);
    const [piece] = pieces;
    expect(piece?.sha256()).toBe(expected);
    const again = (await collect(['packed.gz'])).pieces[0];
    expect(again && (await text(again))).toBe('content');
    expect(again && (await text(again))).toBe('content');
    expect(again?.sha256()).toBe(expected);
  });
});

describe('archives', () => {
  const members = {
    './conntrack.txt': 'tracked',
    '../../etc/evil': 'evil',
    '/abs/olute.txt': 'absolute',
    'dump/ip-rule.txt': 'rules',
    [`${'long/'.repeat(40)}name.txt`]: 'long',
  };
  const unpacked = {
    'abs/olute.txt': 'absolute',
    'conntrack.txt': 'tracked',
    'dump/ip-rule.txt': 'rules',
    'etc/evil': 'evil',
    [`${'long/'.repeat(40)}name.txt`]: 'long',
  };

  it('are read whole, plain or compressed, whatever they are called', async () => {
    const tar = await archive(members);
    writeFileSync(join(root, 'a.bin'), tar);
    writeFileSync(join(root, 'b.bin'), gzipSync(tar));
    expect(await contents(['a.bin'])).toEqual(unpacked);
    expect(await contents(['b.bin'])).toEqual(unpacked);
    expect(existsSync('/etc/evil')).toBe(false);
  });

  it('may lie in folders and archives', async () => {
    put('nest/report.tar', '');
    writeFileSync(join(root, 'nest/report.tar'), await archive({ 'in/x.tgz': gzipSync(await archive(members)) }));
    const names = Object.keys(await contents(['nest']));
    expect(names).toContain('in/x.tgz/dump/ip-rule.txt');
  });

  it('give what lies before a cut', async () => {
    const tar = await archive({ 'a.txt': 'a'.repeat(5000), 'b.txt': 'b'.repeat(5000), 'c.txt': 'c' });
    writeFileSync(join(root, 'cut.tar'), tar.subarray(0, 512 + 5120 + 512 + 700));
    const { pieces, errors } = await collect(['cut.tar']);
    expect(pieces.map(({ name, size }) => [name, size])).toEqual([
      ['a.txt', 5000],
      ['b.txt', 700],
    ]);
    expect(errors.map(({ message }) => message)).toEqual([`${join(root, 'cut.tar')}: the archive ends in the middle`]);
    const zipped = gzipSync(tar);
    writeFileSync(join(root, 'cut.tgz'), zipped.subarray(0, zipped.length - 12));
    const other = await collect(['cut.tgz']);
    expect(other.errors).toHaveLength(1);
  });

  it('are bounded in number and size', async () => {
    writeFileSync(join(root, 'many.tar'), await archive({ a: 'x'.repeat(600), b: 'y'.repeat(600), c: 'z' }));
    const many = await collect(['many.tar'], { limits: { pieces: 2 } });
    expect(many.pieces).toHaveLength(2);
    expect(many.errors[0]?.message).toContain('more than 2 files');
    const large = await collect(['many.tar'], { limits: { spooled: 1000 } });
    expect(large.errors[0]?.message).toContain('more than 1000 bytes');
  });

  it('never fail on changed bytes, whatever they turn into', async () => {
    const tar = await archive({ 'a.txt': 'a'.repeat(700), 'b/c.txt': 'b', [`${'long/'.repeat(40)}name.txt`]: 'long' });
    const file = join(root, 'changed.tar');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(tar.length),
        async (changes, length) => {
          const changed = Buffer.from(tar);
          for (const [at, value] of changes) changed[at] = value;
          writeFileSync(file, changed.subarray(0, length));
          const { pieces } = await collect(['changed.tar']);
          for (const { name } of pieces) expect(name.split('/')).not.toContain('..');
          expect(pieces.length).toBeLessThan(10);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('of rubbish end in an error', async () => {
    const tar = Buffer.from(await archive({ 'a.txt': 'a', 'b.txt': 'b' }));
    tar.fill(0x41, 1024, 1536);
    writeFileSync(join(root, 'rubbish.tar'), tar);
    const { pieces, errors } = await collect(['rubbish.tar']);
    expect(pieces.map(({ name }) => name)).toEqual(['a.txt']);
    expect(errors[0]?.message).toContain('the archive is damaged');
  });
});

describe('temporary files', () => {
  it('hold what can be read only once, in a private folder, until they are removed', async () => {
    const pipe = join(root, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const writer = spawn('sh', ['-c', `printf piped > ${pipe}`]);
    const before = spools();
    const { pieces } = await collect(['pipe']);
    expect(pieces.map(({ name }) => name)).toEqual(['pipe']);
    const [piece] = pieces;
    expect(piece && (await text(piece))).toBe('piped');
    expect(piece && (await text(piece))).toBe('piped');
    expect(spools().length).toBe(before.length + 1);
    removeSpools();
    expect(spools()).toEqual(before);
    writer.kill();
  });
});

describe('an abort', () => {
  it('ends the waiting for a pipe that gives nothing more, and keeps what it gave', async () => {
    const pipe = join(root, 'silent');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const writer = spawn('sh', ['-c', `exec 3> ${pipe}; printf part >&3; sleep 60`]);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 100);
    const { pieces, errors } = await collect(['silent'], { signal: controller.signal });
    expect(errors).toEqual([]);
    expect(await Promise.all(pieces.map(text))).toEqual(['part']);
    writer.kill();
  });
});

function spools(): string[] {
  return readdirSync(tmpdir()).filter((name) => /^macscan-\w{6}$/.test(name));
}

function put(path: string, content: string): void {
  const full = join(root, path);
  mkdirSync(join(full, '..'), { recursive: true });
  writeFileSync(full, content);
}

function collect(args: string[], options?: EvidenceOptions): ReturnType<typeof collectEvidence> {
  return collectEvidence(
    args.map((arg) => (arg.startsWith('/') ? arg : `${root}/${arg}`)),
    options,
  );
}

async function contents(args: string[]): Promise<Record<string, string>> {
  const { pieces, errors } = await collect(args);
  expect(errors).toEqual([]);
  const found: Record<string, string> = {};
  for (const piece of pieces) found[piece.name] = await text(piece);
  expect(Object.keys(found)).toEqual(Object.keys(found).sort());
  return found;
}

async function text(piece: StoredFile): Promise<string> {
  const source = await piece.open();
  const target = new Uint8Array(100_000);
  let size = 0;
  for (;;) {
    const count = await source.read(target, size, target.length - size);
    if (count === 0) break;
    size += count;
  }
  source.close();
  return Buffer.from(target.subarray(0, size)).toString();
}

async function archive(members: Record<string, string | Buffer>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(members)) tar.entry({ name }, content);
  tar.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of tar) if (part instanceof Uint8Array) parts.push(part);
  return Buffer.concat(parts);
}
