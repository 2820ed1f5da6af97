import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/** Of the guest: they come with the libraries that they need, whatever the host has. */
const GUEST_PACKAGES = [
  'busybox-static',
  'iproute2',
  'nftables',
  'conntrack',
  'tcpdump',
  'python3-minimal',
  'kmod',
  'ethtool',
  'dash',
  'coreutils',
];
const EMULATOR_PACKAGES = ['qemu-system-x86'];

/** The newest kernel of the release, small (no hardware drivers). */
export const DEFAULT_KERNEL = 'linux-image-cloud-amd64';

/** Unpacked Debian packages; nothing is installed on the host. */
export interface Packages {
  /** A root folder with the tools of the guest. */
  readonly guest: string;
  /** A root folder with the kernel and its modules. */
  readonly kernel: string;
  /** A root folder with the emulator; undefined where the host has one. */
  readonly emulator: string | undefined;
}

/**
 * Fetches what the virtual machine is made of and unpacks it below `folder`, unless it lies there already.
 * @param kernel a package of a kernel, or a meta-package that depends on one
 */
export function fetchPackages(folder: string, kernel: string): Packages {
  mkdirSync(folder, { recursive: true });
  const isInstalled = hasCommand('qemu-system-x86_64');
  return {
    guest: unpacked(`${folder}/guest-${fingerprint(GUEST_PACKAGES)}`, (archives) =>
      download(archives, GUEST_PACKAGES, true),
    ),
    kernel: unpacked(`${folder}/${kernel.replaceAll(/[^\w.+-]/g, '_')}`, (archives) =>
      downloadKernel(archives, kernel),
    ),
    emulator: isInstalled
      ? undefined
      : unpacked(`${folder}/emulator`, (archives) => download(archives, EMULATOR_PACKAGES, false)),
  };
}

/** Changes with what goes in, so that nothing made of something else is used again. */
function fingerprint(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 8);
}

/** Whether a program is to be found. */
export function hasCommand(name: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${name}`));
}

/** Downloads into a fresh folder and unpacks from there; the target appears only when it is complete. */
function unpacked(target: string, fetch: (archives: string) => void): string {
  if (existsSync(target)) return target;
  const archives = `${target}.archives`;
  const fresh = `${target}.fresh`;
  for (const folder of [archives, fresh]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
  mkdirSync(`${archives}/partial`);
  fetch(archives);
  const files = readdirSync(archives).filter((name) => name.endsWith('.deb'));
  if (files.length === 0) throw new Error(`apt-get fetched nothing for ${target}`);
  for (const file of files) execFileSync('dpkg-deb', ['-x', `${archives}/${file}`, fresh]);
  renameSync(fresh, target);
  rmSync(archives, { recursive: true, force: true });
  return target;
}

/** @param isAlone as if nothing were installed: fetches all dependencies, down to the C library */
function download(archives: string, packages: readonly string[], isAlone: boolean): void {
  const status = `${archives}/status`;
  writeFileSync(status, '');
  const options = [`Dir::Cache::archives=${archives}/`, ...(isAlone ? [`Dir::State::status=${status}`] : [])];
  apt(options, ['-y', '--download-only', '--no-install-recommends', 'install', ...packages], archives);
}

/** The package itself, without what installing it would need; a meta-package has no files and names the one that has. */
function downloadKernel(archives: string, name: string): void {
  const depends = execFileSync('apt-cache', ['depends', '--important', name], { encoding: 'utf8' });
  const real = /Depends: (linux-image-\d\S+)/.exec(depends)?.[1] ?? name;
  apt([], ['download', real], archives);
}

function apt(options: readonly string[], command: readonly string[], cwd: string): void {
  const always = ['Debug::NoLocking=1', 'APT::Sandbox::User=root', ...options];
  const args = ['-qq', ...always.flatMap((option) => ['-o', option]), ...command];
  try {
    execFileSync('apt-get', args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (error) {
    throw new Error(`apt-get ${command.join(' ')} failed: is there a network, and is apt-get update done?`, {
      cause: error,
    });
  }
}
