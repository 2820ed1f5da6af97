import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { Initramfs } from '../../lab/initramfs.js';
import { SCENARIOS } from '../../lab/scenarios/index.js';
import { scriptOf } from '../../lab/script.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const scratch = mkdtempSync(`${tmpdir()}/macscan-lab-`);
afterAll(() => rmSync(scratch, { recursive: true }));

describe('the lab', () => {
  it('has scenarios with names of their own, each with frames that it expects or forbids', () => {
    const names = SCENARIOS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, wrong, expect: expected, guardOf } of SCENARIOS) {
      expect({ name, entries: wrong.length > 0 }).toEqual({ name, entries: true });
      expect({ name, named: expected.wrongFrames > 0 === (expected.cause !== undefined) }).toEqual({
        name,
        named: true,
      });
      if (guardOf !== undefined) expect(names).toContain(guardOf);
    }
  });

  it('writes scripts that a POSIX shell can read', () => {
    const files = readdirSync(`${root}lab/guest`)
      .filter((name) => !name.endsWith('.py'))
      .map((name) => `${root}lab/guest/${name}`);
    for (const scenario of SCENARIOS) {
      const file = `${scratch}/${scenario.name}.sh`;
      writeFileSync(file, scriptOf(scenario, 0.05));
      files.push(file);
    }
    for (const file of files) {
      const { status, stderr } = spawnSync('sh', ['-n', file], { encoding: 'utf8' });
      expect({ file, status, stderr }).toEqual({ file, status: 0, stderr: '' });
    }
  });

  it('uses no function in a scenario that the guest does not have', () => {
    const known = new Set(
      [...readFileSync(`${root}lab/guest/lib.sh`, 'utf8').matchAll(/^(\w+)\(\) /gm)].map(([, name]) => name),
    );
    const shell = new Set(['for', 'cp', 'moved', 'until_true']);
    for (const { steps, network, setup } of SCENARIOS) {
      for (const line of [...network, ...setup, ...steps]) {
        const [word = ''] = line.split(/[ ;(]/);
        expect({ line, known: known.has(word) || shell.has(word) }).toEqual({ line, known: true });
      }
    }
  });

  it('packs archives in the form that the kernel unpacks', () => {
    const image = new Initramfs();
    image.file('etc/group', 'root:x:0:\n');
    image.link('bin/sh', 'dash');
    const bytes = image.bytes();
    expect(bytes.length % 4).toBe(0);
    expect(namesOf(bytes)).toEqual(['etc', 'etc/group', 'bin', 'bin/sh', 'TRAILER!!!']);
  });

  // `.ci/run` runs the virtual machine before the tests, so that neither slows the other down: then it is only judged.
  it.skipIf(process.env.CI !== 'true')(
    'shows the fault on a real kernel, and macscan names every frame',
    () => {
      const names = ['stale-mac', 'policy-routing'];
      const isDone = names.every((name) => existsSync(`${root}lab/build/out/${name}/dump-end/uname.txt`));
      expect(spawnSync('npx', ['tsc', '-p', 'lab/tsconfig.json'], { cwd: root }).status).toBe(0);
      const run = [`${root}lab/build/js/run.js`, ...(isDone ? ['--judge-only'] : []), ...names];
      const { status, stdout, stderr } = spawnSync(process.execPath, run, { encoding: 'utf8' });
      expect({ status, stdout, stderr }).toMatchObject({ status: 0 });
      expect(stdout).toContain('2 of 2 scenarios as they must be');
    },
    1_200_000,
  );
});

function namesOf(bytes: Buffer): string[] {
  const names: string[] = [];
  const field = (at: number, index: number): number =>
    parseInt(bytes.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
  for (let at = 0; at < bytes.length;) {
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701');
    const [size, length] = [field(at, 6), field(at, 11)];
    names.push(bytes.toString('latin1', at + 110, at + 110 + length - 1));
    at += 4 * Math.ceil((110 + length) / 4) + 4 * Math.ceil(size / 4);
  }
  return names;
}
