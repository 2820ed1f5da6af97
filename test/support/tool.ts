import { spawnSync } from 'node:child_process';

/** Whether a program is installed; in the full check it must be. */
export function hasTool(name: string): boolean {
  const found = spawnSync('which', [name]).status === 0;
  if (!found && process.env.CI === 'true') throw new Error(`${name} is missing: the full check needs it`);
  return found;
}

/** What a program prints, given bytes on its standard input. */
export function runTool(name: string, args: readonly string[], input: Uint8Array): Buffer {
  const { status, stdout, stderr } = spawnSync(name, args, { input, maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr.toString()}`);
  return stdout;
}
