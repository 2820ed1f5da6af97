import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { collectEvidence } from '../../src/bytes/evidence.js';
import { CAUSES } from '../../src/diagnose/causes/index.js';
import type { Analysis } from '../../src/model.js';
import { analyzeEvidence, folderPieces, textPiece, type Piece } from '../support/engine.js';
import { SAMPLES, type Evidence } from './samples.js';

/** `npm run samples` writes the folders anew. */
const isUpdate = process.env.UPDATE_SAMPLES === '1';
const repository = fileURLToPath(new URL('../../', import.meta.url));
const root = `${repository}captures/causes/`;

const parse: (text: string) => Analysis = JSON.parse;

/** A folder below `captures/causes`, and the cause that macscan names in it or does not. */
interface Folder {
  readonly name: string;
  readonly cause: string;
  readonly isNear: boolean;
  readonly build: () => Evidence;
}

const folders: readonly Folder[] = SAMPLES.flatMap(({ cause, shows, near }) => [
  { name: cause, cause, isNear: false, build: shows },
  ...(near ? [{ name: `${cause}-near-miss`, cause, isNear: true, build: near.build }] : []),
]);

if (isUpdate) write();

describe('captures/causes', () => {
  it('holds a folder for each sample and near miss, and what they are', () => {
    const names = readdirSync(root, { withFileTypes: true });
    expect(names.filter((entry) => entry.isDirectory()).map(({ name }) => name)).toEqual(
      folders.map(({ name }) => name).sort(),
    );
    expect(readFileSync(`${root}README.md`, 'utf8')).toBe(readme());
  });

  it.each(folders)('$name: the files are those of the scene', ({ name, build }) => {
    const wanted = filesOf(build());
    const found = folderPieces(root + name);
    expect(found.map((piece) => piece.name)).toEqual(wanted.map((piece) => piece.name));
    for (const [i, piece] of found.entries())
      expect(Buffer.from(wanted[i]?.bytes ?? []).equals(piece.bytes)).toBe(true);
    expect(found.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(50_000);
  });

  it.each(folders)('$name: every file counts as evidence, and the cause is judged', async ({ name, cause, isNear }) => {
    const { pieces, errors } = await collectEvidence([root + name]);
    expect(errors).toEqual([]);
    const analysis = await analyzeEvidence(pieces);
    expect(analysis.inputs.filter(({ kind }) => kind === 'unknown' || kind === 'empty')).toEqual([]);
    expect(analysis.diagnostics.filter(({ id }) => id !== 'local-time')).toEqual([]);
    expect(named(analysis).includes(cause), JSON.stringify(named(analysis))).toBe(!isNear);
  });

  it.each(folders)('$name: so says the command', ({ name, cause, isNear }) => {
    const args = [`${repository}dist/cli.js`, `captures/causes/${name}`, '--format', 'json', '--no-exit-code'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: repository, encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(named(parse(stdout)).includes(cause)).toBe(!isNear);
  });
});

function filesOf({ captures, texts = {} }: Evidence): Piece[] {
  const pieces = Object.entries(captures).map(([name, wire]) => ({ name, bytes: wire.pcap() }));
  const dumps = Object.entries(texts).map(([name, text]) => textPiece(name, text));
  return [...pieces, ...dumps].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function named({ findings, observations }: Analysis): string[] {
  return [...findings, ...observations].map(({ cause }) => cause);
}

function write(): void {
  rmSync(root, { recursive: true, force: true });
  for (const { name, build } of folders) {
    mkdirSync(root + name, { recursive: true });
    for (const piece of filesOf(build())) writeFileSync(`${root}${name}/${piece.name}`, piece.bytes);
  }
  writeFileSync(`${root}README.md`, readme());
}

function readme(): string {
  const titles = new Map(CAUSES.map(({ id, title }) => [id, title]));
  const rows = SAMPLES.toSorted((a, b) => (a.cause < b.cause ? -1 : 1)).map(
    ({ cause, near }) =>
      `| \`${cause}\` | ${titles.get(cause) ?? 'Misdelivery, cause undetermined'} | ${near?.what ?? ''} |`,
  );
  return [
    '# One sample for each cause',
    '',
    'A few frames each, and the dumps that the cause needs: `macscan captures/causes/stale-mac` names it,',
    '`macscan explain stale-mac` says what it is. In `stale-mac-near-miss` lies what is close to it and is not it:',
    'there macscan does not name it.',
    '',
    'These are built, not recorded: `npm run samples` writes them from the scenes of `test/diagnose/samples.ts`, and a',
    'test holds both to each other. Recorded on a real kernel are the other folders of `captures/`; see `lab/README.md`.',
    '',
    '| folder | shows | near miss |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}
