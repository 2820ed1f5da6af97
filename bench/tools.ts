import type { Workload } from './workloads.js';

/** A generated capture with what goes with it. */
export interface Subject {
  readonly workload: Workload;
  readonly path: string;
  readonly frames: number;
  /** Its first frames alone, for slow tools. */
  readonly slice: string;
  /** The same with bare interface descriptions (pcapng only). */
  readonly plainSlice?: string;
}

/** A program of the tables. */
export interface Tool {
  readonly name: string;
  /** Takes so long that it gets the first frames only; its figures are scaled by frames. */
  readonly sliced?: boolean;
  /** Exit codes that mean it did its work. */
  readonly accepted: readonly number[];
  /** Undefined where the tool cannot read such a capture. */
  readonly command: (subject: Subject) => readonly string[] | undefined;
}

/** Frames of a slice. */
export const SLICE = 20_000;

export const NATIVE = 'native';
export const PREFETCH = 'native, prefetching';
export const MACSCAN = 'macscan';

const TSHARK_FIELDS = ['frame.number', 'frame.time_epoch', 'eth.src', 'eth.dst', 'ip.src', 'ip.dst', 'arp.src.hw_mac'];
const NO_SUCH_MAC = '02:ff:ff:ff:ff:ff';

/** All programs, in the order of the tables. `root` is the folder of this repository, `scratch` one to write to. */
export function tools(root: string, scratch: string): readonly Tool[] {
  const macbench = `${root}/bench/build/macbench`;
  return [
    tool('node start-up', () => [process.execPath, '-e', '0']),
    tool('record walk (floor)', ({ path }) => [macbench, '--walk', path]),
    tool(PREFETCH, ({ path }) => [macbench, '--prefetch', path]),
    tool(NATIVE, ({ path }) => [macbench, path]),
    tool(MACSCAN, ({ path }) => [
      process.execPath,
      `${root}/dist/command/macscan.cjs`,
      '-f',
      'json',
      '--no-exit-code',
      path,
    ]),
    tool('capinfos -c', ({ path }) => ['capinfos', '-c', path]),
    tool('tcpdump, no match', ({ path }) => ['tcpdump', '-nn', '-r', path, 'ether', 'host', NO_SUCH_MAC]),
    tool('tcpdump -q -t -nn -e', ({ path }) => ['tcpdump', '-q', '-t', '-nn', '-e', '-r', path]),
    tool('tcpdump -nn -e', ({ path }) => ['tcpdump', '-nn', '-e', '-r', path]),
    tool('nfpcapd', ({ path }) => ['nfpcapd', '-r', path, '-l', scratch]),
    tool('argus', ({ path }) => ['argus', '-m', '-r', path, '-w', '/dev/null']),
    {
      ...tool('pcap-ng-parser', ({ plainSlice }) =>
        plainSlice === undefined ? undefined : [process.execPath, `${root}/bench/peer.js`, plainSlice],
      ),
      sliced: true,
    },
    { ...tool('tshark -T fields', ({ slice }) => ['tshark', '-n', '-r', slice, ...tsharkFields()]), sliced: true },
  ];
}

function tool(name: string, command: Tool['command']): Tool {
  return { name, command, accepted: [0] };
}

function tsharkFields(): string[] {
  return ['-T', 'fields', ...TSHARK_FIELDS.flatMap((field) => ['-e', field])];
}
