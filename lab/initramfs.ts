import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What the kernel unpacks into its first file system. */
export class Initramfs {
  readonly #parts: Buffer[] = [];
  readonly #paths = new Set<string>();
  #inode = 0;

  folder(path: string): void {
    if (path === '' || this.#paths.has(path)) return;
    this.#parents(path);
    this.#entry(path, 0o040755, Buffer.alloc(0));
  }

  file(path: string, content: Buffer | string, mode = 0o644): void {
    if (this.#paths.has(path)) return;
    this.#parents(path);
    this.#entry(path, 0o100000 | mode, Buffer.from(content));
  }

  link(path: string, target: string): void {
    if (this.#paths.has(path)) return;
    this.#parents(path);
    this.#entry(path, 0o120777, Buffer.from(target));
  }

  /** Takes over a folder of the host; `wanted` is asked with paths relative to it. */
  tree(source: string, wanted: (path: string) => boolean, below = ''): void {
    for (const name of readdirSync(source + (below === '' ? '' : `/${below}`)).sort()) {
      const path = below === '' ? name : `${below}/${name}`;
      if (!wanted(path)) continue;
      const state = lstatSync(`${source}/${path}`);
      if (state.isSymbolicLink()) this.link(path, readlinkSync(`${source}/${path}`));
      else if (state.isDirectory()) {
        this.folder(path);
        this.tree(source, wanted, path);
      } else if (state.isFile()) this.file(path, readFileSync(`${source}/${path}`), state.mode & 0o777);
    }
  }

  /** The archive, in the form that Documentation/driver-api/early-userspace/buffer-format.rst calls newc. */
  bytes(): Buffer {
    return Buffer.concat([...this.#parts, record('TRAILER!!!', 0, 0, Buffer.alloc(0))]);
  }

  #parents(path: string): void {
    const end = path.lastIndexOf('/');
    if (end > 0) this.folder(path.slice(0, end));
  }

  #entry(path: string, mode: number, content: Buffer): void {
    this.#paths.add(path);
    this.#parts.push(record(path, ++this.#inode, mode, content));
  }
}

function record(path: string, inode: number, mode: number, content: Buffer): Buffer {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, device (2), device of a device file (2), length of the name, checksum
  const numbers = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
  const header = Buffer.from(`070701${numbers.map((n) => n.toString(16).padStart(8, '0')).join('')}`);
  return Buffer.concat([padded(Buffer.concat([header, name])), padded(content)]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** Files of the guest's packages that no scenario needs. */
const LEFT_OUT =
  /^(usr\/share|var|etc|usr\/lib\/(systemd|tmpfiles\.d|x86_64-linux-gnu\/(gconv|security))|lib\/systemd)(\/|$)|\/(tar|dpkg[\w-]*|devlink|dcb|tipc|vdpa)$/;

/** Puts the guest's tools, the modules and their dependencies into an initramfs. */
export function baseSystem(guest: string, kernel: string, modules: readonly string[]): Initramfs {
  const image = new Initramfs();
  for (const folder of ['proc', 'sys', 'dev', 'run', 'tmp', 'out', 'etc']) image.folder(folder);
  image.file('etc/passwd', 'root:x:0:0:root:/:/bin/sh\n');
  image.file('etc/group', 'root:x:0:\n');
  image.file('etc/protocols', 'icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\nvrrp 112 VRRP\n');
  image.tree(guest, (path) => !LEFT_OUT.test(path));
  const release = releaseOf(kernel);
  const folder = `lib/modules/${release}`;
  depmod(guest, kernel, release);
  const dependencies = readFileSync(`${kernel}/${folder}/modules.dep`, 'utf8');
  for (const path of withDependencies(dependencies, modules)) {
    image.file(`${folder}/${path}`, readFileSync(`${kernel}/${folder}/${path}`));
  }
  for (const name of readdirSync(`${kernel}/${folder}`)) {
    if (name.startsWith('modules.')) image.file(`${folder}/${name}`, readFileSync(`${kernel}/${folder}/${name}`));
  }
  return image;
}

/** Release of the one kernel below a root folder, such as 6.1.0-56-cloud-amd64. */
export function releaseOf(kernel: string): string {
  const [release] = readdirSync(`${kernel}/lib/modules`);
  if (release === undefined) throw new Error(`no kernel modules in ${kernel}`);
  return release;
}

/** With the guest's own depmod and loader, as the host may have none. */
function depmod(guest: string, kernel: string, release: string): void {
  const libraries = `${guest}/lib/x86_64-linux-gnu:${guest}/usr/lib/x86_64-linux-gnu`;
  const loader = `${guest}/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2`;
  const args = ['--library-path', libraries, '--argv0', 'depmod', `${guest}/bin/kmod`, '-b', kernel, release];
  execFileSync(loader, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Paths of the modules that exist (others are built in, or absent) and of what they need. */
function withDependencies(table: string, modules: readonly string[]): string[] {
  const needs = new Map<string, string[]>();
  const byName = new Map<string, string>();
  for (const line of table.split('\n')) {
    const [path, rest] = line.split(':');
    if (path === undefined || rest === undefined) continue;
    needs.set(path, rest.trim() === '' ? [] : rest.trim().split(' '));
    byName.set(moduleName(path), path);
  }
  const wanted = modules.flatMap((name) => byName.get(name.replaceAll('-', '_')) ?? []);
  return [...new Set(wanted.flatMap((path) => [path, ...(needs.get(path) ?? [])]))].sort();
}

function moduleName(path: string): string {
  return path
    .replace(/^.*\//, '')
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}
