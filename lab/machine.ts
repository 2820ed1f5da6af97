import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { baseSystem, releaseOf } from './initramfs.js';
import { fetchPackages } from './packages.js';

/** Files that a run needs beside the tools: path below `/lab` and content. */
export type Payload = ReadonlyMap<string, string>;

export interface MachineOptions {
  /** Folder for downloads and scratch files. */
  readonly build: string;
  /** Package of the virtual machine's kernel. */
  readonly kernel: string;
  /** How the virtual machine computes: in software, which works anywhere and is fast enough, or with the processor's help. */
  readonly accelerator: 'kvm' | 'tcg';
  /** s after which everything is ended, whatever it does. */
  readonly timeout: number;
}

/** Of the virtual machine; what is not there as a module is built in. */
const MODULES = (
  'virtio_pci virtio_blk virtio_rng veth bridge 8021q dummy macvlan bonding nf_tables nft_chain_nat nft_masq nft_nat nft_ct ' +
  'nft_reject_inet nft_counter nft_fib_inet nf_conntrack nf_conntrack_netlink nf_flow_table nf_flow_table_inet ' +
  'nft_flow_offload af_packet nfnetlink netdevsim virtio_net e1000e vmxnet3'
).split(' ');

/** Whether scenarios can run here, without a virtual machine: root, and a kernel that offloads flows. */
export function canRunHere(): boolean {
  if (process.getuid?.() !== 0) return false;
  const probe =
    'table inet lab { flowtable ft { hook ingress priority filter; devices = { lo }; }; chain forward { type filter hook forward priority filter; meta l4proto { tcp, udp } flow add @ft; }; }';
  return spawnSync('unshare', ['-n', 'nft', '-f', '-'], { input: probe }).status === 0;
}

/** Runs `main.sh` of the payload in namespaces of this machine; results appear in `target`. */
export async function runHere(payload: Payload, target: string, options: MachineOptions, tell: Tell): Promise<void> {
  const folder = `${options.build}/here`;
  rmSync(folder, { recursive: true, force: true });
  writePayload(payload, folder);
  await finished('sh', [`${folder}/main.sh`, target], {}, options, tell);
}

/** Called with each line that the run prints. */
export type Tell = (line: string) => void;

/** Runs `main.sh` of the payload in a virtual machine; results appear in `target`. */
export async function runInMachine(
  payload: Payload,
  target: string,
  options: MachineOptions,
  tell: Tell,
): Promise<void> {
  const packages = fetchPackages(`${options.build}/packages`, options.kernel);
  const image = baseSystem(packages.guest, packages.kernel, MODULES);
  image.file('init', payload.get('init') ?? '', 0o755);
  image.file('lab/modules', `${MODULES.join('\n')}\n`);
  for (const [path, content] of payload) image.file(`lab/${path}`, content);
  const initrd = `${options.build}/initrd.cpio`;
  writeFileSync(initrd, image.bytes());
  const disk = `${options.build}/results.img`;
  rmSync(disk, { force: true });
  writeFileSync(disk, '');
  truncateSync(disk, 1 << 30);
  const release = releaseOf(packages.kernel);
  const emulator = packages.emulator;
  const program = emulator === undefined ? 'qemu-system-x86_64' : `${emulator}/usr/bin/qemu-system-x86_64`;
  const libraries = emulator === undefined ? {} : { LD_LIBRARY_PATH: libraryPath(emulator) };
  const firmware =
    emulator === undefined ? [] : ['-L', `${emulator}/usr/share/seabios`, '-L', `${emulator}/usr/share/qemu`];
  const { accelerator } = options;
  tell(`kernel ${release} in a virtual machine (${accelerator})`);
  const args = [
    ...firmware,
    ...[
      '-accel',
      accelerator === 'tcg' ? 'tcg,thread=multi' : accelerator,
      '-cpu',
      accelerator === 'kvm' ? 'host' : 'max',
    ],
    ...['-smp', String(Math.min(4, cpus().length)), '-m', '1536', '-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-kernel', `${packages.kernel}/boot/vmlinuz-${release}`, '-initrd', initrd, '-serial', 'stdio'],
    ...['-append', 'console=ttyS0 quiet panic=-1 random.trust_cpu=1 net.ifnames=0 tsc=unstable'],
    // Two network cards that nobody uses, but for the question whether their drivers offload.
    ...['-device', 'virtio-net-pci', '-device', 'e1000e'],
    ...['-drive', `file=${disk},format=raw,if=virtio`, '-rtc', 'base=utc'],
  ];
  await finished(program, args, libraries, options, tell);
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-C', target, '-xf', disk], { stdio: ['ignore', 'ignore', 'inherit'] });
  rmSync(disk, { force: true });
}

function writePayload(payload: Payload, folder: string): void {
  for (const [path, content] of payload) {
    const file = `${folder}/${path}`;
    mkdirSync(file.slice(0, file.lastIndexOf('/')), { recursive: true });
    writeFileSync(file, content, { mode: 0o755 });
  }
}

function libraryPath(root: string): string {
  return [`${root}/usr/lib/x86_64-linux-gnu`, `${root}/lib/x86_64-linux-gnu`].join(':');
}

/** Runs a program to its end, or to the end of its time. */
async function finished(
  program: string,
  args: readonly string[],
  environment: Record<string, string>,
  options: MachineOptions,
  tell: Tell,
): Promise<void> {
  const log = createWriteStream(`${options.build}/run.log`);
  const child = spawn(program, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeout * 1000);
  let rest = '';
  const take = (chunk: Buffer): void => {
    log.write(chunk);
    const lines = (rest + chunk.toString('latin1')).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const said = /^lab: (.*)$/.exec(line)?.[1];
      if (said !== undefined) tell(said);
    }
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).finally(() => {
    clearTimeout(timer);
    log.end();
  });
  if (code === null) throw new Error(`${program} was ended after ${options.timeout} s; see ${options.build}/run.log`);
  if (code !== 0) throw new Error(`${program} exited with ${code}; see ${options.build}/run.log`);
}
