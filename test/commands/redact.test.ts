import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FrameTable } from '../../src/commands/frames.js';
import { readCapture } from '../../src/read/capture.js';
import { Epoch } from '../../src/records/epoch.js';
import { memorySource } from '../support/collect-capture.js';
import { folderPieces } from '../support/engine.js';
import { hasShared, sharedPath } from '../support/shared.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cli = join(root, 'dist/cli.js');
const stale = join(root, 'captures/stale-mac');
const folder = mkdtempSync(join(tmpdir(), 'macscan-redact-'));
const key = join(folder, 'redact.key');
writeFileSync(key, 'a key of some length, for tests only');

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function macscan(
  args: readonly string[],
  input?: Uint8Array,
): { status: number | null; stdout: Buffer; stderr: string } {
  const env = { ...process.env, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    input: input ?? '',
    env,
    cwd: folder,
  });
  return { status, stdout, stderr: stderr.toString() };
}

interface Judged {
  totals: object;
  redacted?: string;
  misdeliveries: { input: string; device: string; frameRanges: object; class?: string; cause?: string }[];
  findings: { cause: string; confidence: string; tests: { id: string; result: string }[] }[];
}

const parse: (text: string) => Judged = JSON.parse;

/** What must be the same before and after. */
function judgement(args: readonly string[]): object {
  const out = join(folder, 'judged.json');
  macscan([...args, '-o', out, '-q', '--no-exit-code']);
  const { totals, misdeliveries, findings } = parse(readFileSync(out, 'utf8'));
  return {
    totals,
    misdeliveries: misdeliveries
      .map(({ input, device, frameRanges, class: kind, cause }) => ({ input, device, frameRanges, kind, cause }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    findings: findings.map(({ cause, confidence, tests }) => [
      cause,
      confidence,
      tests.map(({ id, result }) => id + result),
    ]),
  };
}

interface Originals {
  readonly macs: Set<string>;
  readonly ips: Set<string>;
}

/** Every address in the captures of a folder, by the decoder's own table, and in its dumps. */
async function originalsOf(path: string): Promise<Originals> {
  const macs = new Set<string>();
  const ips = new Set<string>();
  for (const { name, bytes } of folderPieces(path, (file) => !NOT_EVIDENCE.test(file))) {
    const lines: string[] = [];
    if (/\.pcap(ng)?$/.test(name)) {
      const table = new FrameTable(
        (line) => lines.push(line),
        () => undefined,
      );
      await readCapture(memorySource(bytes), new Epoch(), table);
    } else lines.push(Buffer.from(bytes).toString());
    const text = lines.join('\n');
    for (const [mac] of text.matchAll(/\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b/g)) if (!MEANT.test(mac)) macs.add(mac);
    for (const [ip] of text.matchAll(/(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g)) if (!KEPT_IP.test(ip)) ips.add(ip);
    for (const [ip] of text.matchAll(/(?<![\w:])(?:2[0-9a-f]{3}|fe80):[0-9a-f:]{4,}(?![\w:])/g)) {
      if (/^2|ff:fe/.test(ip)) ips.add(ip);
    }
  }
  return { macs, ips };
}

const NOT_EVIDENCE = /(^|\/)truth\.json$|\.jsonl$/;
const MEANT = /^(?:00:00:00:00:00:00|ff:ff:ff:ff:ff:ff|33:33:|01:00:5e|01:80:c2|00:00:5e)/;
const KEPT_IP =
  /^(?:0\.|10\.|127\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.|2[2-5]\d\.)/;

/** Naive on purpose: all spellings of all originals, looked for byte by byte. */
function found(bytes: Buffer, { macs, ips }: Originals): string[] {
  const hits: string[] = [];
  const lower = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
  for (const mac of macs) {
    const raw = Buffer.from(mac.replaceAll(':', ''), 'hex');
    const eui = Buffer.from([
      (raw[0] ?? 0) ^ 2,
      raw[1] ?? 0,
      raw[2] ?? 0,
      0xff,
      0xfe,
      raw[3] ?? 0,
      raw[4] ?? 0,
      raw[5] ?? 0,
    ]);
    const texts = [
      mac,
      mac.replaceAll(':', '-'),
      mac.replaceAll(':', ''),
      mac.replaceAll(':', '').replace(/(....)(?=.)/g, '$1.'),
    ];
    if ([raw, Buffer.from(raw).reverse(), eui].some((form) => bytes.includes(form))) hits.push(`${mac} as bytes`);
    if (texts.some((text) => lower.includes(text))) hits.push(`${mac} as text`);
  }
  for (const ip of ips) {
    const pattern = new RegExp(`(?<![\\d.a-f:])${ip.replaceAll('.', '\\.')}(?![\\da-f:]|\\.\\d{1,3}\\.)`);
    if (pattern.test(lower.toString('latin1'))) hits.push(`${ip} as text`);
    if (ip.includes(':')) continue;
    const raw = Buffer.from(ip.split('.').map(Number));
    if ([raw, Buffer.from(raw).reverse()].some((form) => bytes.includes(form))) hits.push(`${ip} as bytes`);
  }
  return hits;
}

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .map((name) => join(path, name))
    .filter((name) => statSync(name).isFile());
}

const cases = hasShared
  ? readdirSync(sharedPath('captures'), { withFileTypes: true })
      .filter((e) => e.isDirectory())
      .map((e) => e.name)
      .sort()
  : [];

describe.skipIf(!hasShared).each(cases.map((name, i) => [name, i % 2 === 0 ? [] : ['--strict']] as const))(
  'the case %s %j',
  (name, level) => {
    const path = sharedPath('captures', name);
    const evidence = join(folder, `${name}.in`);
    const copy = join(folder, name);
    let originals: Originals;
    beforeAll(async () => {
      spawnSync('cp', ['-r', '--no-preserve=mode', path, evidence]);
      for (const file of filesOf(evidence)) if (NOT_EVIDENCE.test(file)) rmSync(file);
      originals = await originalsOf(evidence);
      expect(originals.macs.size).toBeGreaterThan(3);
    });

    it('is judged alike after redaction, to the frame, and nothing is left in its files', () => {
      const { status, stderr } = macscan(['redact', evidence, copy, '--redact-key', key, ...level]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(judgement([copy])).toEqual(judgement([evidence]));
      for (const file of filesOf(copy)) {
        const hits = found(Buffer.concat([readFileSync(file), Buffer.from(`\n${file}`)]), originals);
        expect({ file, hits }).toEqual({ file, hits: [] });
      }
    }, 120_000);

    it('leaves no original in any output', () => {
      const endings = ['json', 'md', 'html', 'txt', 'csv', 'findings.csv', 'flows.csv', 'mappings.csv'];
      const outputs = endings.map((ending) => join(folder, `${name}.${ending}`));
      const asked = ['-o', '-', ...outputs.flatMap((file) => ['-o', file])];
      const { stdout } = macscan(['--redact', evidence, '-v', '--no-exit-code', ...asked]);
      expect(stdout.length).toBeGreaterThan(200);
      expect(found(stdout, originals)).toEqual([]);
      for (const file of outputs) {
        expect({ file, hits: found(readFileSync(file), originals) }).toEqual({ file, hits: [] });
      }
      expect(parse(readFileSync(outputs[0] ?? '', 'utf8')).redacted).toBe('default');
    }, 120_000);
  },
);

describe('--redact', () => {
  it('takes no path for its level', () => {
    const { status, stdout } = macscan(['--redact', stale]);
    expect(status).toBe(1);
    expect(stdout.toString()).toContain('192.168.1.240: frames went to');
    expect(stdout.toString()).not.toContain('52:54:00:a1:b2:40');
  });

  it('hides private addresses when it is strict', () => {
    const { stdout } = macscan(['--redact=strict', stale, '-f', 'json']);
    expect(stdout.toString()).not.toContain('192.168.1.240');
    expect(stdout.toString()).toMatch(/192\.168\.\d/);
    expect(parse(stdout.toString()).redacted).toBe('strict');
  });

  it('is repeatable with a key file, and only then', () => {
    const run = (...args: string[]): string => macscan(['--redact', ...args, stale, '-f', 'json']).stdout.toString();
    expect(run('--redact-key', key)).toBe(run('--redact-key', key));
    expect(run()).not.toBe(run());
  });

  it('keeps the first three bytes of MACs when told so', () => {
    const { stdout } = macscan(['--redact', '--keep-oui', stale]);
    expect(stdout.toString()).toContain(' 52:54:00:');
    expect(stdout.toString()).not.toContain('52:54:00:a1:b2:40');
  });

  it('fits what macscan redact makes with the same key', () => {
    const capture = join(folder, 'lan3.pcap');
    macscan(['redact', join(stale, 'lan3.pcap'), capture, '--redact-key', key]);
    const macs = macscan(['frames', capture]).stdout.toString();
    const { stdout } = macscan(['--redact', '--redact-key', key, stale]);
    const [, to = 'none'] = /: frames went to (\S+)/.exec(stdout.toString()) ?? [];
    expect(macs).toContain(to);
  });

  it('replaces addresses in names of files', () => {
    const named = join(folder, 'wan-203.0.113.77-52:54:00:a1:b2:40.pcap');
    writeFileSync(named, readFileSync(join(stale, 'lan3.pcap')));
    const { stdout } = macscan(['--redact', named, '-v']);
    expect(stdout.toString()).not.toMatch(/203\.0\.113\.77|52:54:00:a1:b2:40/);
    expect(stdout.toString()).toMatch(/wan-[\d.]+-[\da-f:]{17}\.pcap/);
    rmSync(named);
  });

  it.each([
    [['--redact=very', stale], /Allowed choices are default, strict/],
    [['--redact', '--redact-key', 'nowhere', stale], /no such file/],
    [['--redact', '--redact-key', join(stale, 'README.md').replace('README.md', 'none'), stale], /no such file/],
    [['--redact-key', key, stale], /of no use without --redact/],
    [['--keep-oui', stale], /of no use without --redact/],
  ])('refuses %j', (args, message) => {
    const { status, stdout, stderr } = macscan(args);
    expect(status).toBe(2);
    expect(stdout.length).toBe(0);
    expect(stderr).toMatch(message);
  });

  it('refuses a key that is too short', () => {
    writeFileSync(join(folder, 'short.key'), 'short');
    expect(macscan(['--redact', '--redact-key', 'short.key', stale]).stderr).toMatch(
      /holds 5 bytes; a key has 16 at least/,
    );
  });
});

describe('macscan redact', () => {
  const lan3 = join(stale, 'lan3.pcap');

  it('reads a pipe, compressed or not, and writes one', () => {
    const plain = macscan(['redact', '-', '-', '--redact-key', key], readFileSync(lan3));
    const packed = macscan(['redact', '-', '-', '--redact-key', key], gzipSync(readFileSync(lan3)));
    expect(plain.status).toBe(0);
    expect(plain.stdout.length).toBeGreaterThan(10_000);
    expect(packed.stdout.equals(plain.stdout)).toBe(true);
    const judged = macscan(['frames', '-'], plain.stdout).stdout.toString().split('\n').length;
    expect(judged).toBe(macscan(['frames', lan3]).stdout.toString().split('\n').length);
  });

  it('writes pcapng or pcap as the name asks', () => {
    for (const [name, magic] of [
      ['a.pcapng', '0a0d0d0a'],
      ['a.pcap', 'd4c3b2a1'],
    ] as const) {
      expect(macscan(['redact', lan3, name]).status).toBe(0);
      expect(readFileSync(join(folder, name)).subarray(0, 4).toString('hex')).toBe(magic);
    }
    expect(readFileSync(join(folder, 'a.pcapng')).toString('latin1')).toContain('macscan: addresses were replaced');
  });

  it('redacts a saved analysis, which reads as the redacted outputs', () => {
    macscan([stale, '-o', join(folder, 'whole.json'), '-q']);
    macscan(['redact', 'whole.json', 'redacted.json', '--redact-key', key]);
    const direct = macscan(['--redact', '--redact-key', key, stale, '-f', 'json']).stdout.toString();
    expect(readFileSync(join(folder, 'redacted.json'), 'utf8')).toBe(direct);
  });

  it('does not overwrite what it reads, nor leave the folder it is given', () => {
    writeFileSync(join(folder, 'own.pcap'), readFileSync(lan3));
    expect(macscan(['redact', 'own.pcap', './own.pcap']).stderr).toMatch(/was not overwritten/);
    expect(readFileSync(join(folder, 'own.pcap')).equals(readFileSync(lan3))).toBe(true);
    expect(macscan(['redact', 'own.pcap', 'alone/']).status).toBe(0);
    expect(readdirSync(join(folder, 'alone'))).toEqual(['own.pcap']);
    const tar = ['-cf', 'bad.tar', '--transform', 's,^own,../../own,', '-P', 'own.pcap', 'redact.key'];
    expect(spawnSync('tar', tar, { cwd: folder }).status).toBe(0);
    macscan(['redact', 'bad.tar', 'deep/inner/out']);
    const made = filesOf(join(folder, 'deep')).filter((file) => file.endsWith('own.pcap'));
    for (const file of made) expect(file.startsWith(join(folder, 'deep/inner/out/'))).toBe(true);
  });

  it('writes nothing where it fails', () => {
    writeFileSync(join(folder, 'photo.jpg'), Uint8Array.from([0xff, 0xd8, 0, 0, 0, 16]));
    expect(macscan(['redact', 'photo.jpg', 'none.pcapng']).status).toBe(2);
    expect(macscan(['redact', stale, '-']).stderr).toMatch(/name a folder/);
    expect(macscan(['redact', lan3, 'missing/none.pcap']).stderr).toBe(
      'macscan: missing/none.pcap: cannot be written: no such file or directory\n',
    );
    expect(macscan(['redact', stale, 'photo.jpg']).stderr).toMatch(
      /^macscan: photo\.jpg: cannot be written: [a-z ]+\n$/,
    );
    expect(macscan(['redact', stale, '/proc/none']).stderr).toMatch(
      /^macscan: \/proc\/none\S*: cannot be written: [a-z ]+\n$/,
    );
    expect(readdirSync(folder).filter((name) => /none|\.tmp$/.test(name))).toEqual([]);
  });
});
