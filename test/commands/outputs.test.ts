import { execFile, spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { HOSTILE_NAMES, INVISIBLE } from '../support/hostile.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { hasTool, runTool } from '../support/tool.js';
import { Wire } from '../support/wire.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cli = join(root, 'dist/cli.js');
const stale = join(root, 'captures/stale-mac');
const folder = mkdtempSync(join(tmpdir(), 'macscan-outputs-'));
const at = (name: string): string => join(folder, name);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function macscan(
  args: readonly string[],
  input?: Uint8Array,
): { status: number | null; stdout: Buffer; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    input: input ?? '',
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
    maxBuffer: 2 ** 28,
  });
  return { status, stdout, stderr: stderr.toString() };
}

const text = (name: string): string => readFileSync(at(name), 'utf8');
const ENDINGS = ['txt', 'json', 'md', 'csv', 'findings.csv', 'flows.csv', 'mappings.csv', 'pcapng'];

describe('-o', () => {
  it('writes every format in one run, as each alone', () => {
    const all = ENDINGS.flatMap((ending) => ['-o', at(`all.${ending}`)]);
    expect(macscan([stale, ...all])).toMatchObject({ status: 1, stdout: Buffer.alloc(0) });
    for (const ending of ENDINGS) {
      expect(macscan([stale, '-q', '-o', at(`one.${ending}`)])).toMatchObject({ status: 1, stderr: '' });
      expect(readFileSync(at(`one.${ending}`)).equals(readFileSync(at(`all.${ending}`))), ending).toBe(true);
    }
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('takes - for standard output, in the format of -f', () => {
    for (const [format, ending] of [
      ['flows-csv', 'flows.csv'],
      ['markdown', 'md'],
      ['pcapng', 'pcapng'],
    ] as const) {
      const run = macscan([stale, '-o', '-', '-o', at('beside.json'), '-f', format]);
      expect(run.stdout.equals(readFileSync(at(`all.${ending}`))), format).toBe(true);
      expect(text('beside.json')).toBe(text('all.json'));
    }
  });

  it('makes of a saved analysis what it makes of the evidence, but for what lists frames', () => {
    for (const ending of ENDINGS) {
      const run = macscan([at('all.json'), '-o', at(`again.${ending}`)]);
      if (ending === 'csv' || ending === 'pcapng') {
        expect(run.status).toBe(2);
        expect(run.stderr).toMatch(/a saved analysis does not hold; give the evidence itself\n$/);
        expect(existsSync(at(`again.${ending}`))).toBe(false);
      } else {
        expect(text(`again.${ending}`), ending).toBe(text(`all.${ending}`));
      }
    }
    const both = macscan([at('all.json'), '-o', at('never.txt'), '-o', at('never.csv')]);
    expect(both.status).toBe(2);
    expect(existsSync(at('never.txt'))).toBe(false);
  });

  it('does not overwrite evidence', () => {
    copyFileSync(join(stale, 'lan3.pcap'), at('lan3.pcapng'));
    const before = readFileSync(at('lan3.pcapng'));
    const run = macscan([at('lan3.pcapng'), '-o', at('x.json'), '-o', './lan3.pcapng']);
    expect(run).toMatchObject({
      status: 2,
      stderr: 'macscan: ./lan3.pcapng: is evidence of this run and was not overwritten\n',
    });
    expect(readFileSync(at('lan3.pcapng')).equals(before)).toBe(true);
    expect(existsSync(at('x.json'))).toBe(false);
  });

  it('does not overwrite the saved analysis that it reads', () => {
    copyFileSync(at('all.json'), at('own.json'));
    const run = macscan([at('own.json'), '--redact', '-o', at('own.json')]);
    expect(run.stderr).toBe(`macscan: ${at('own.json')}: is evidence of this run and was not overwritten\n`);
    expect(text('own.json')).toBe(text('all.json'));
  });

  it('writes through links and into pipes, and replaces neither', async () => {
    writeFileSync(at('target.json'), '');
    symlinkSync('target.json', at('link.json'));
    runTool('mkfifo', [at('fifo.md'), at('fifo.pcapng')], new Uint8Array());
    const heard = ['fifo.md', 'fifo.pcapng'].map((name) => readFile(at(name)));
    const outputs = ['link.json', 'fifo.md', 'fifo.pcapng'].flatMap((name) => ['-o', at(name)]);
    await promisify(execFile)(process.execPath, [cli, stale, '--no-exit-code', '-q', ...outputs]);
    expect(text('target.json')).toBe(text('all.json'));
    expect(lstatSync(at('link.json')).isSymbolicLink()).toBe(true);
    const [markdown, capture] = await Promise.all(heard);
    expect(markdown?.toString()).toBe(text('all.md'));
    expect(capture?.equals(readFileSync(at('all.pcapng')))).toBe(true);
    expect(lstatSync(at('fifo.md')).isFIFO()).toBe(true);
  });

  it('writes its reports again into the folder that they are about', () => {
    const folderOfCase = at('case');
    cpSync(stale, folderOfCase, { recursive: true });
    const reports = ['-o', join(folderOfCase, 'report.txt'), '-o', join(folderOfCase, 'report.md')];
    expect(macscan([folderOfCase, ...reports]).status).toBe(1);
    expect(macscan([folderOfCase, ...reports])).toMatchObject({ status: 1 });
    expect(macscan(['compare', folderOfCase, stale, '-o', join(folderOfCase, 'ip-neigh.txt')])).toMatchObject({
      status: 2,
      stderr: `macscan: ${join(folderOfCase, 'ip-neigh.txt')}: is evidence of this run and was not overwritten\n`,
    });
  });

  it.each(['txt', 'csv', 'pcapng'])('says in one line that a file cannot be written: .%s', (ending) => {
    writeFileSync(at('plain'), '');
    for (const path of [at(`plain/x.${ending}`), at(`nowhere/x.${ending}`), at(`${'x'.repeat(300)}.${ending}`)]) {
      const { status, stderr } = macscan([stale, '-q', '-o', path]);
      expect(status).toBe(2);
      expect(stderr).toMatch(/^macscan: \S+: cannot be written: [a-z ]+\n$/);
    }
  });

  it('refuses endings, filters and options that make no sense', () => {
    expect(macscan([stale, '-o', at('x.doc')]).stderr).toContain('must be one of .txt, .json, .md');
    expect(macscan([stale, '--filter', 'foo:1']).stderr).toBe(
      'macscan: --filter foo:1: foo: is none of ip: mac: dev: is: cause: flow:\n',
    );
    expect(macscan([stale, '--only-evidence']).stderr).toMatch(/none was asked for\n$/);
    const printed = macscan(
      ['-', '-o', at('x.pcapng')],
      runTool('tcpdump', ['-e', '-n', '-r', join(stale, 'lan3.pcap')], new Uint8Array()),
    );
    expect(printed.stderr).toMatch(/there is no capture to write; printed ones hold no packets\n$/);
  });

  it('names makers of hardware, unless it is told not to', () => {
    const named = macscan([stale]).stdout.toString();
    expect(named).toContain('sent by 60:38:e0:12:00:01 (Belkin');
    // Locally administered addresses belong to nobody.
    expect(named).toMatch(/frames went to 52:54:00:7d:02:40\n/);
    expect(macscan([stale, '-n']).stdout.toString()).not.toContain('Belkin');
    expect(text('all.md')).not.toContain('Belkin');
    expect(text('all.json') + text('all.csv')).not.toContain('Belkin');
  });
});

const hasWireshark = hasTool('tshark') && hasTool('editcap');

describe.skipIf(!hasWireshark)('an annotated capture in Wireshark', () => {
  const shared = hasShared
    ? [['S1', 'router.lan3.pcap'], ['S1', 'router.multi.pcapng'], ['S3b', 'router.multi.pcapng'], ['S8', 'router.lan1.pcap']] // prettier-ignore
    : [];
  it.each([
    { name: 'stale-mac', dir: stale, capture: 'lan3.pcap' },
    ...shared.map(([name = '', capture = '']) => ({ name, dir: sharedPath('captures', name), capture })),
  ])(
    '$name/$capture: comments on exactly the misdelivered frames, and the packets as they were',
    ({ dir, capture }) => {
      const dumps = readdirSync(dir).filter((file) => /^(ip-|conntrack-|proc_nf|ruleset|dump|bridge)/.test(file));
      const inputs = [capture, ...dumps].map((file) => join(dir, file));
      expect(macscan([...inputs, '-o', at('w.pcapng'), '-o', at('w.json')]).status).toBe(1);
      expect(selected(at('w.pcapng'), 'frame.comment contains "macscan"')).toEqual(wrongNumbers('w.json'));
      const [comment] = fields(at('w.pcapng'), 'frame.comment', 'frame.comment');
      expect(comment).toMatch(/^macscan: expected [0-9a-f:]{17}.*, observed [0-9a-f:]{17}.*; cause [a-z-]+ \(\w+/);
      expect(packetsOf(at('w.pcapng')).equals(packetsOf(join(dir, capture)))).toBe(true);
    },
  );

  it('joins captures, each in a section, and can hold the evidence alone', () => {
    const names = ['br-lan.pcap', 'lan3.pcap', 'wan.pcap'];
    const all = names.flatMap((name) => fields(join(stale, name), 'frame', 'frame.time_epoch'));
    expect(fields(at('all.pcapng'), 'frame', 'frame.time_epoch')).toEqual(all);
    const comments = fields(at('all.pcapng'), 'frame.comment contains "macscan"', 'frame.comment');
    const wrong = wrongNumbers('all.json');
    expect(comments.map((comment) => /; lan3\.pcap frame (\d+)$/.exec(comment)?.[1])).toEqual(wrong.map(String));
    // Wireshark 4.0 names the interfaces of every section like those of the first.
    const rows = macscan(['frames', at('all.pcapng')])
      .stdout.toString()
      .trimEnd()
      .split('\n');
    const column = rows[0]?.split('\t').indexOf('frame.interface_name') ?? -1;
    expect(new Set(rows.slice(1).map((row) => row.split('\t')[column]))).toEqual(new Set(['br-lan', 'lan3', 'wan']));

    expect(macscan([stale, '-o', at('little.pcapng'), '--only-evidence']).status).toBe(1);
    expect(fields(at('little.pcapng'), 'frame.comment contains "macscan"', 'frame.comment')).toEqual(comments);
    const rest = fields(at('little.pcapng'), '!(frame.comment contains "macscan")', 'frame.protocols');
    expect(rest.some((protocols) => protocols.endsWith(':arp'))).toBe(true);
    expect(rest.length).toBeLessThan(60);
  });

  it('is made of compressed captures and of standard input too', () => {
    const plain = readFileSync(join(stale, 'lan3.pcap'));
    writeFileSync(at('z.pcap.gz'), gzipSync(plain));
    expect(macscan([at('z.pcap.gz'), '-o', at('z.pcapng')]).status).toBe(1);
    expect(macscan(['-', '-o', at('pipe.pcapng')], plain).status).toBe(1);
    for (const name of ['z.pcapng', 'pipe.pcapng']) {
      expect(packetsOf(at(name)).equals(packetsOf(join(stale, 'lan3.pcap')))).toBe(true);
      expect(selected(at(name), 'frame.comment contains "macscan"').length).toBeGreaterThan(100);
    }
  });

  it('is made of a capture that ends in the middle', () => {
    const plain = readFileSync(join(stale, 'lan3.pcap'));
    writeFileSync(at('cut.pcap'), plain.subarray(0, plain.length - 50));
    expect(macscan([at('cut.pcap'), '-o', at('cut.pcapng')]).status).toBe(1);
    expect(fields(at('cut.pcapng'), 'frame', 'frame.number')).toHaveLength(621);
  });

  it('holds what --filter lists, and no more comments', () => {
    expect(macscan([stale, '--filter', 'flow:F9', '-o', at('none.pcapng')]).status).toBe(1);
    expect(selected(at('none.pcapng'), 'frame.comment')).toEqual([]);
  });

  it('is redacted like all other outputs, with the same frames marked', () => {
    expect(macscan([stale, '--redact', '-o', at('r.pcapng'), '-o', at('r.json')]).status).toBe(1);
    const mark = 'frame.comment contains "macscan"';
    expect(selected(at('r.pcapng'), mark)).toEqual(selected(at('all.pcapng'), mark));
    const bytes = readFileSync(at('r.pcapng'));
    for (const mac of ['525400a1b240', '0242c0a801f0', '9483c4100001']) {
      expect(bytes.includes(Buffer.from(mac, 'hex')), mac).toBe(false);
      expect(bytes.includes(mac.replaceAll(/..(?=.)/g, '$&:')), mac).toBe(false);
    }
    // What the comments say is what stands in the frames and in the JSON.
    const [m] = parse(text('r.json')).misdeliveries;
    const [comment = ''] = fields(at('r.pcapng'), mark, 'frame.comment');
    const [observed = ''] = fields(at('r.pcapng'), mark, 'eth.dst');
    expect(comment).toContain(`expected ${m?.expected[0] ?? ''}, observed ${observed};`);
    expect(m?.dstMac).toBe(observed);
    expect(fields(at('r.pcapng'), 'frame', 'frame.time_epoch')).toEqual(
      fields(at('all.pcapng'), 'frame', 'frame.time_epoch'),
    );
  });

  it('is given to a pipe', () => {
    const { stdout } = macscan([join(stale, 'lan3.pcap'), '-f', 'pcapng']);
    writeFileSync(at('piped.pcapng'), stdout);
    expect(packetsOf(at('piped.pcapng')).equals(packetsOf(join(stale, 'lan3.pcap')))).toBe(true);
  });

  it('shows hostile names of inputs as text', () => {
    for (const [i, name] of HOSTILE_NAMES.filter((candidate) => !/[\0/]/.test(candidate)).entries()) {
      const dir = mkdtempSync(at('hostile-'));
      copyFileSync(join(stale, 'lan3.pcap'), join(dir, `${name}.pcap`));
      copyFileSync(join(stale, 'br-lan.pcap'), join(dir, 'br-lan.pcap'));
      const outputs = ['txt', 'md', 'csv', 'findings.csv', 'flows.csv', 'mappings.csv', 'pcapng'].flatMap((e) => [
        '-o',
        at(`h${i}.${e}`),
      ]);
      expect(macscan([dir, ...outputs]).status).toBe(1);
      for (const ending of ['txt', 'md', 'csv', 'mappings.csv']) expect(text(`h${i}.${ending}`)).not.toMatch(INVISIBLE);
      const [comment = ''] = fields(at(`h${i}.pcapng`), 'frame.comment contains "macscan"', 'frame.comment');
      expect(comment).toMatch(/^macscan: .*\.pcap frame 285$/);
      expect(comment).not.toMatch(INVISIBLE);
    }
  });
});

const parse: (json: string) => {
  misdeliveries: { frameRanges: [number, number][]; expected: string[]; dstMac: string }[];
} = JSON.parse;

/** Frame numbers of the only capture of an analysis. */
function wrongNumbers(name: string): number[] {
  const analysis = parse(text(name));
  const ranges = analysis.misdeliveries.flatMap((m) => m.frameRanges);
  const numbers = ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
  return numbers.sort((a, b) => a - b);
}

function selected(file: string, filter: string): number[] {
  return fields(file, filter, 'frame.number').map(Number);
}

function fields(file: string, filter: string, field: string): string[] {
  const out = runTool('tshark', ['-n', '-r', file, '-Y', filter, '-T', 'fields', '-e', field], new Uint8Array());
  return out
    .toString()
    .split('\n')
    .filter((line) => line !== '');
}

/** The packets with their times and lengths in a form that holds nothing else, without its header. */
function packetsOf(file: string): Buffer {
  runTool('editcap', ['-F', 'nsecpcap', file, at('bare')], new Uint8Array());
  return readFileSync(at('bare')).subarray(24);
}

describe('very many misdelivered frames', () => {
  it.each(['csv', 'pcapng'])('take no memory each in %s', (format) => {
    const many = 400_000;
    writeFileSync(at('many.pcap'), manyMisdelivered(many));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      // Objects of 200 bytes for each frame would be too much.
      ['--max-old-space-size=80', cli, at('many.pcap'), '-f', format],
      { maxBuffer: 2 ** 28 },
    );
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 1, stderr: '' });
    const marks =
      stdout.toString('latin1').split(format === 'csv' ? '\n' : 'macscan: ').length - (format === 'csv' ? 2 : 1);
    expect(marks).toBe(many);
  });
});

/** A capture in which an address moves to another MAC, and that many frames go on to the old one, of some flows. */
function manyMisdelivered(many: number): Uint8Array {
  const wire = new Wire();
  const router = { mac: '94:83:c4:00:00:01', ip: '192.168.7.1' };
  const old = { mac: '52:54:00:00:00:40', ip: '192.168.7.40' };
  wire.meet(0, router, old);
  wire.gratuitous(1, { mac: '02:42:00:00:00:40', ip: old.ip });
  const head = wire.pcap();
  const one = new Wire();
  one.udp(2, { from: router.mac, to: old.mac, src: '198.51.100.9', dst: old.ip, hopLimit: 60 });
  const record = Buffer.from(one.pcap().subarray(24));
  const records = Buffer.alloc(many * record.length);
  for (let i = 0; i < many; i++) {
    record.copy(records, i * record.length);
    // The last byte of the source address, behind the headers of the record and of Ethernet.
    records.writeUInt8(i % 100, i * record.length + 16 + 14 + 15);
  }
  return Buffer.concat([head, records]);
}

describe.skipIf(!existsSync('/dev/full'))('a disk that is full', () => {
  it.each([
    [stale],
    [stale, '-f', 'csv'],
    [stale, '-f', 'pcapng'],
    ['frames', join(stale, 'lan3.pcap')],
    ['explain'],
    ['redact', join(stale, 'lan3.pcap'), '-'],
  ])('is told of in one line: %j', (...args) => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    expect({ status, stderr: stderr.toString() }).toEqual({
      status: 2,
      stderr: 'macscan: standard output: cannot be written: no space left on device\n',
    });
  });
});
