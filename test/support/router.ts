import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import { collectEvidence } from '../../src/bytes/evidence.js';
import type { Analysis } from '../../src/model.js';
import type { Evidence } from '../../src/scan.js';
import { analyzeEvidence } from './engine.js';
import { hasTool } from './tool.js';

/** Whether a router can be made of network namespaces: as root, with the tools. In the full check it must. */
export function hasRouter(): boolean {
  const tools = ['ip', 'busybox', 'dash', 'tcpdump', 'conntrack', 'bridge', 'nft', 'tar'].every(hasTool);
  const isRoot = process.getuid?.() === 0 && spawnSync('ip', ['netns', 'list']).status === 0;
  if (!isRoot && process.env.CI === 'true') throw new Error('the full check needs root and network namespaces');
  return tools && isRoot;
}

export interface CollectSetup {
  /** Real programs in the path, before the applets of busybox. */
  readonly tools: readonly string[];
  /** Applets of busybox to leave out. */
  readonly without?: readonly string[];
  /** Programs made of shell scripts, by name. */
  readonly fakes?: Readonly<Record<string, string>>;
  readonly shell?: 'ash' | 'dash';
  /** The folder for temporary files is a tmpfs of this size. */
  readonly tmpfsKiB?: number;
  /** Called with that folder when the captures run. */
  readonly onReady?: (folder: string) => void;
  /** When this is fulfilled, the script is told to end early. */
  readonly until?: Promise<unknown>;
  /** When the captures run, close standard output, or send a signal. */
  readonly closeOutput?: boolean;
  readonly kill?: NodeJS.Signals;
}

export interface CollectRun {
  /** Exit code, or the signal's name. */
  readonly status: number | string;
  readonly stderr: string;
  /** Files and processes that are still there afterwards. */
  readonly leftovers: readonly string[];
  /** Names in the archive, without the folder. */
  readonly files: readonly string[];
  /** All texts of the archive together. */
  readonly text: string;
  readonly analysis: Analysis;
}

/**
 * A router in a network namespace: br-lan (10.0.0.1/24) with lan1 to lan3, where client, server and victim are, and wan
 * (203.0.113.2/24), which is translated. What comes from far for the victim it sends to the client's MAC.
 */
export class Router {
  private readonly id = `mc${process.pid}`;
  private readonly folders: string[] = [];

  make(): void {
    const { id } = this;
    this.ip('netns', 'add', id);
    this.ip('-n', id, 'link', 'add', 'name', 'br-lan', 'address', MAC.router, 'type', 'bridge');
    for (const [i, host] of HOSTS.entries()) {
      this.host(host, `lan${i + 1}`, `10.0.0.${i + 2}`, MAC[host]);
      this.ip('-n', id, 'link', 'set', `lan${i + 1}`, 'master', 'br-lan');
      this.ip('-n', `${id}-${host}`, 'route', 'add', 'default', 'via', '10.0.0.1');
    }
    this.host('far', 'wan', '203.0.113.1', MAC.far);
    this.ip('-n', id, 'link', 'set', 'br-lan', 'up');
    this.ip('-n', id, 'address', 'add', '10.0.0.1/24', 'dev', 'br-lan');
    this.ip('-n', id, 'address', 'add', '203.0.113.2/24', 'dev', 'wan');
    this.ip('-n', id, 'route', 'add', 'default', 'via', '203.0.113.1');
    must('ip', ['netns', 'exec', id, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']);
    const nat = 'type nat hook postrouting priority srcnat; oifname "wan" masquerade;';
    must('ip', ['netns', 'exec', id, 'nft', `table inet fw4 { chain srcnat { ${nat} }; }`]);
    // Below the neighbour table, as a cache of the kernel does it.
    const hook = 'type filter hook egress device "br-lan" priority 0;';
    const rewrite = `ip saddr 203.0.113.1 ip daddr 10.0.0.4 ether daddr set ${MAC.client};`;
    must('ip', ['netns', 'exec', id, 'nft', `table netdev cache { chain out { ${hook} ${rewrite} }; }`]);
  }

  remove(): void {
    for (const host of [...HOSTS, 'far']) spawnSync('ip', ['netns', 'del', `${this.id}-${host}`]);
    spawnSync('ip', ['netns', 'del', this.id]);
    for (const folder of this.folders) rmSync(folder, { recursive: true, force: true });
  }

  /**
   * All hosts ask who the router is, send it an echo request for far, and after a second six more at once. Fulfilled when
   * all were answered or given up.
   */
  async traffic(): Promise<void> {
    const one = 'busybox ping -c 1 -W 1 203.0.113.1 >/dev/null &';
    const all = `ip neigh flush all; ${one} sleep 1; ${one.repeat(6)} wait`;
    const sending = HOSTS.map(
      (host) =>
        new Promise((resolve) => {
          const command = ['netns', 'exec', `${this.id}-${host}`, 'sh', '-c', all];
          spawn('ip', command, { stdio: 'ignore' }).on('exit', resolve);
        }),
    );
    await Promise.all(sending);
  }

  /** Runs a script on the router as `ssh router sh -s` would. */
  async collect(script: string, setup: CollectSetup): Promise<CollectRun> {
    const folder = this.folder('/dev/shm');
    if (setup.tmpfsKiB !== undefined) must('mount', ['-t', 'tmpfs', '-o', `size=${setup.tmpfsKiB}k`, 'tmpfs', folder]);
    const bin = this.bin(setup);
    const environment = ['-i', `PATH=${bin}`, `TMPDIR=${folder}`];
    const shell = setup.shell === 'dash' ? [whereIs('dash'), '-s'] : [join(bin, 'ash'), '-s'];
    const child = spawn('ip', ['netns', 'exec', this.id, '/usr/bin/env', ...environment, ...shell]);
    const archive: Buffer[] = [];
    let stderr = '';
    let isReady = false;
    child.stdout.on('data', (chunk: Buffer) => archive.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (isReady || !stderr.includes('Make the fault happen now')) return;
      isReady = true;
      setup.onReady?.(folder);
      if (setup.closeOutput) child.stdout.destroy();
      if (setup.kill) child.kill(setup.kill);
    });
    child.stdin.end(script);
    void setup.until?.then(() => child.kill('SIGUSR1'));
    const status = await new Promise<number | string>((resolve) => {
      child.on('close', (code, signal) => resolve(code ?? signal ?? ''));
    });
    const leftovers = [...readdirSync(folder).filter((name) => name !== FILL), ...processesOf(folder)];
    if (setup.tmpfsKiB !== undefined) spawnSync('umount', [folder]);
    return { status, stderr, leftovers, ...(await this.read(Buffer.concat(archive))) };
  }

  /** Leaves no room in a tmpfs. */
  fill(folder: string): void {
    spawnSync('dd', ['if=/dev/zero', `of=${join(folder, FILL)}`, 'bs=4096']);
  }

  private async read(archive: Buffer): Promise<Pick<CollectRun, 'files' | 'text' | 'analysis'>> {
    const path = join(this.folder(tmpdir()), 'case.tar');
    writeFileSync(path, archive);
    const { pieces } = archive.length > 0 ? await collectEvidence([path]) : { pieces: [] };
    const texts = await Promise.all(pieces.filter(({ name }) => !name.endsWith('.pcap')).map(textOf));
    return {
      files: pieces.map(({ name }) => basename(name)),
      text: texts.join('\n'),
      analysis: await analyzeEvidence(pieces),
    };
  }

  private host(name: string, port: string, address: string, mac: string): void {
    const namespace = `${this.id}-${name}`;
    this.ip('netns', 'add', namespace);
    this.ip('-n', this.id, 'link', 'add', 'name', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    this.ip('-n', this.id, 'link', 'set', port, 'up');
    this.ip('-n', namespace, 'link', 'set', 'eth0', 'address', mac, 'up');
    this.ip('-n', namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
  }

  private ip(...args: string[]): void {
    must('ip', args);
  }

  /** A folder of programs as on OpenWrt: busybox's applets, and what else is installed. */
  private bin({ tools, without = [], fakes = {} }: CollectSetup): string {
    const bin = this.folder(tmpdir());
    must('busybox', ['--install', '-s', bin]);
    for (const name of [...without, ...tools, ...Object.keys(fakes)]) rmSync(join(bin, name), { force: true });
    for (const name of tools) symlinkSync(whereIs(name), join(bin, name));
    for (const [name, text] of Object.entries(fakes)) {
      writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    return bin;
  }

  private folder(parent: string): string {
    const folder = mkdtempSync(join(parent, 'macscan-test-'));
    this.folders.push(folder);
    return folder;
  }
}

const HOSTS = ['client', 'server', 'victim'] as const;
export const MAC = {
  router: '02:00:00:00:00:01',
  client: '02:00:00:00:01:02',
  server: '02:00:00:00:01:03',
  victim: '02:00:00:00:01:04',
  far: '02:00:00:00:02:01',
};
const FILL = 'fill';

async function textOf(piece: Evidence): Promise<string> {
  const source = await piece.open();
  const parts: Uint8Array[] = [];
  for (;;) {
    const part = new Uint8Array(65_536);
    const length = await source.read(part, 0, part.length);
    if (length === 0) break;
    parts.push(part.subarray(0, length));
  }
  source.close();
  return Buffer.concat(parts).toString();
}

/** Processes that were started with this folder for temporary files. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').filter((id) => {
    if (!/^\d+$/.test(id)) return false;
    try {
      return readFileSync(`/proc/${id}/environ`, 'latin1').split('\0').includes(`TMPDIR=${folder}`);
    } catch {
      return false;
    }
  });
}

function whereIs(program: string): string {
  return spawnSync('which', [program], { encoding: 'utf8' }).stdout.trim();
}

function must(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
