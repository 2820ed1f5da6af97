import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../', import.meta.url));
const cli = join(root, 'dist/cli.js');
const stale = join(root, 'captures/stale-mac');
const folder = mkdtempSync(join(tmpdir(), 'macscan-cli-'));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command as a user would. */
function macscan(args: readonly string[], input?: Uint8Array): Run {
  const env = { ...process.env, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    input: input ?? '',
    env,
    cwd: folder,
  });
  return { status, stdout: stdout.toString(), stderr: stderr.toString() };
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const PCAP_HEADER = Uint8Array.from([
  0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
]);

describe('the command', () => {
  it('is started by its name, which is a link, and by the file in dist/', () => {
    const link = join(folder, 'macscan');
    symlinkSync(join(root, manifest.bin.macscan), link);
    const { status, stdout } = spawnSync(link, ['--version']);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: macscan(['--version']).stdout });
    expect(stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('is given compiled code that this engine takes', () => {
    const watched = `
      const vm = require('node:vm');
      vm.Script = class extends vm.Script {
        constructor(text, options) {
          super(text, options);
          console.log(options.filename.replace(/.*[\\\\/]/, ''), this.cachedDataRejected);
        }
      };
      process.argv.splice(1, 0, ${JSON.stringify(cli)});
      require(${JSON.stringify(join(root, manifest.bin.macscan))});`;
    const { stdout } = spawnSync(process.execPath, ['-e', watched, join(stale, 'wan.pcap'), '-q']);
    expect(stdout.toString().split('\n').slice(0, 3).sort()).toEqual([
      'analysis.cjs false',
      'capture.cjs false',
      'cli.cjs false',
    ]);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['something else', new Uint8Array(5000).fill(0x5a)],
    ['a part of it', readFileSync(join(root, 'dist/command/cli.cjs.code')).subarray(0, 5000)],
  ])('does without, where %s is in its place', (what, code) => {
    const copy = join(folder, `without ${what}`);
    cpSync(join(root, 'dist/command'), join(copy, 'dist/command'), { recursive: true });
    copyFileSync(join(root, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    for (const name of ['cli', 'analysis', 'capture']) writeFileSync(join(copy, `dist/command/${name}.cjs.code`), code);
    const { status, stdout } = spawnSync(process.execPath, [join(copy, 'dist/command/macscan.cjs'), '-n', stale]);
    expect({ status, stdout: stdout.toString() }).toMatchObject({ status: 1, stdout: macscan(['-n', stale]).stdout });
  });
});

describe('what cannot be judged gets one line and exit 2', () => {
  mkdirSync(join(folder, 'nothing'), { recursive: true });
  const cases: [string, string, RegExp][] = [
    ['a text file', file('notes.txt', 'Dear all,\nthe router is broken.\n'), /^macscan: notes\.txt: is no capture/],
    ['an empty file', file('empty.pcap', ''), /^macscan: empty\.pcap: is empty/],
    ['a JPEG', file('photo.jpg', Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0])), /is no capture/],
    ['a capture of zero packets', file('zero.pcap', PCAP_HEADER), /the capture holds no packets/],
    ['a folder without files', join(folder, 'nothing'), /a folder without files/],
    ['a file that is not there', join(folder, 'missing.pcap'), /no such file or directory/],
    ['standard input with nothing', '-', /standard input: is empty/],
  ];
  it.each(cases)('%s', (_what, path, line) => {
    const run = macscan([path]);
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toMatch(line);
    expect(run.stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  it.skipIf(process.getuid?.() === 0)('a file without read permission', () => {
    const path = file('secret.pcap', PCAP_HEADER);
    chmodSync(path, 0);
    expect(macscan([path])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'macscan: secret.pcap: permission denied\n',
    });
  });

  it('a folder without evidence', () => {
    mkdirSync(join(folder, 'prose'), { recursive: true });
    file('prose/a.txt', 'nothing here\n');
    file('prose/b.md', '# Nor here\n');
    expect(macscan([join(folder, 'prose')])).toMatchObject({ status: 2, stdout: '' });
  });

  it('writes no output file', () => {
    macscan([join(folder, 'notes.txt'), '-o', join(folder, 'never.json')]);
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  });
});

describe('a case', () => {
  it('is judged alike from a folder and from its files in any order', () => {
    const names = readdirSync(stale).filter((name) => !/^(expected|README)/.test(name));
    const paths = names.map((name) => join(stale, name));
    const one = macscan([...paths, '-f', 'json']);
    expect(one.status).toBe(1);
    expect(macscan([...paths.toReversed(), '-f', 'json']).stdout).toBe(one.stdout);
  });

  it('is judged alike from standard input, compressed or not', () => {
    const capture = readFileSync(join(stale, 'lan3.pcap'));
    const plain = macscan(['-q', '-'], capture);
    expect(plain).toMatchObject({ status: 1 });
    expect(macscan(['-q', '-'], gzipSync(capture)).stdout).toBe(plain.stdout);
  });

  it('is saved and rendered again as if it were made anew', () => {
    const saved = join(folder, 'case.json');
    expect(macscan([stale, '-o', saved])).toMatchObject({ status: 1, stdout: '' });
    expect(macscan([saved]).stdout).toBe(macscan([stale]).stdout);
    expect(macscan([saved, '-f', 'json']).stdout).toBe(readFileSync(saved, 'utf8'));
  });

  it('is listed frame by frame as CSV', () => {
    const csv = join(folder, 'case.csv');
    expect(macscan([stale, '-o', csv]).status).toBe(1);
    const [header, ...rows] = readFileSync(csv, 'utf8').trimEnd().split('\n');
    expect(header).toBe(
      'input,frame,time_ns,device,vlan,src_mac,dst_mac,expected_mac,src_ip,dst_ip,protocol,src_port,dst_port,flow,cause',
    );
    expect(rows).toHaveLength(138);
    expect(rows[0]).toMatch(/^lan3\.pcap,285,1795267639484870000,lan3,,/);
  });

  it('exits 0 when told so, and when nothing is wrong', () => {
    expect(macscan([stale, '-q', '--no-exit-code']).status).toBe(0);
    expect(macscan([join(root, 'captures/healthy-takeover'), '-q']).status).toBe(0);
  });

  it('is judged only within the window', () => {
    const run = macscan([stale, '-q', '--from', '2026-11-21T13:27:30Z', '--to', '2026-11-21T13:27:40Z']);
    expect(run.stdout).toMatch(/^MISDELIVERED: 40 of /);
    const later = macscan([stale, '-q', '--from', '2030-01-01T00:00Z']);
    expect(later.status).toBe(2);
    expect(later.stdout).toMatch(/^NOT JUDGED: There are no frames of the time that --from and --to ask for/);
  });

  it('is judged all the same when an option names what is not there, which is told', () => {
    const run = macscan([
      stale,
      '-q',
      '--as',
      'lan4.pcap=pcap',
      '--device',
      'lan4.pcap=lan4',
      '--as',
      'lan3.pcap=pcap',
    ]);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/^macscan: --as lan4\.pcap=pcap: no .*\nmacscan: --device lan4\.pcap=lan4: no .*\n$/);
  });

  it('is not judged again once it is saved', () => {
    const saved = join(folder, 'judged.json');
    expect(macscan([stale, '-q', '-o', saved]).status).toBe(1);
    const again = macscan([saved, '--from', '1']);
    expect(again).toMatchObject({ status: 2, stdout: '' });
    expect(again.stderr).toMatch(/^macscan: --from is of no use with a saved analysis/);
  });

  it('shows hostile names as text', () => {
    const name = 'a\x1b[31m<b>\u202e.pcap';
    copyFileSync(join(stale, 'lan3.pcap'), join(folder, name));
    const { stdout } = macscan([join(folder, name), '-v']);
    expect(stdout).not.toMatch(/[\x1b\u202e]/);
    expect(stdout).toContain('a\\x1b[31m<b>\\u{202e}');
  });
});

it.skipIf(process.platform !== 'linux')('says of a file whose name is no UTF-8 what is to be done', () => {
  const odd = join(folder, 'odd');
  mkdirSync(odd, { recursive: true });
  copyFileSync(join(stale, 'lan3.pcap'), Buffer.from(`${odd}/caf\xe9.pcap`, 'latin1'));
  const { status, stderr } = macscan([odd]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/^macscan: .*: its name is no UTF-8; rename it, or give it by standard input\n/);
});

describe('the command line', () => {
  it('explains itself', () => {
    expect(macscan(['--help'])).toMatchObject({ status: 0, stderr: '' });
    expect(macscan(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [['--nonsense'], /unknown option/],
    [['x.pcap', '-o', 'x.exe'], /the format is told by the ending/],
    [['x.pcap', '--map', '10.0.0.1'], /--map/],
    [['x.pcap', '--from', '1700000002', '--to', '1700000001'], /--to 1700000001: is before --from 1700000002\n$/],
    [['x.pcap', '--from', 'yesterday'], /is no time/],
    [['x.pcap', '--as', 'x.pcap=jpeg'], /is none of/],
    [['x.pcap', '--filter', ' '], /--filter needs a word/],
    [['x.pcap', '-o', 'x.json', '-f', 'csv'], /--format is about standard output/],
    [['compare', 'a', 'b', '-o', 'x.json', '-f', 'html'], /--format is about standard output/],
    [['guard', 'x.txt', '-o', 'x.nft'], /--output is of no use with macscan guard\n$/],
    [['redact', 'x.pcap', 'y.pcap', '--from', '1'], /--from is of no use with macscan redact\n$/],
    [[], /Usage/],
  ])('refuses %j', (args, message) => {
    const run = macscan(args);
    expect(run).toMatchObject({ status: 2, stdout: '' });
    expect(run.stderr).toMatch(message);
  });

  it('says nothing of a pipe that is closed', () => {
    const script = `${process.execPath} ${cli} frames ${join(stale, 'wan.pcap')} | head -1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', script]);
    expect(stdout.toString()).toMatch(/^frame\.number\t/);
    expect(stderr.toString()).toBe('');
  });
});
