import type { Random } from './random.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** What a generated capture is like. */
export interface Workload {
  readonly id: string;
  readonly title: string;
  readonly format: 'pcap' | 'pcapng';
  /** Where the capture ends, whichever comes first. */
  readonly bytes: number;
  readonly frames: number;
  readonly flows: number;
  /** Hosts of the LAN; a multiple of 20, the last of each 20 in a VLAN. */
  readonly hosts: number;
  /** Mean time between frames, ns. */
  readonly gap: number;
  /** One frame of ARP, NDP or DHCP for each so many frames of flows. */
  readonly chatter: number;
  /** Bytes of a frame on the wire, before it is raised to what its headers need. */
  readonly length: (random: Random) => number;
  /** Hosts change their MACs half way, and a part of the flows does not follow. */
  readonly stale?: boolean;
  /** Interfaces described by their name alone: the only ones that pcap-ng-parser can read. */
  readonly plain?: boolean;
}

const imix = mix([7, 66], [4, 594], [1, 1514]);
const heavyImix = mix([7, 66], [4, 594], [9, 1514]);

const a: Workload = {
  id: 'a',
  title: '1 GiB pcapng, IMIX with many full frames, two interfaces, ns, 20k flows',
  format: 'pcapng',
  bytes: 1024 * MiB,
  frames: Infinity,
  flows: 20_000,
  hosts: 2000,
  gap: 90_000,
  chatter: 100,
  length: heavyImix,
};

const full: readonly Workload[] = [
  {
    ...a,
    id: 'm',
    title: 'a million frames, pcapng, simple IMIX, two interfaces, ns, 5k flows',
    bytes: Infinity,
    frames: 1_000_000,
    flows: 5000,
    hosts: 500,
    length: imix,
  },
  a,
  {
    id: 'b',
    title: '512 MiB pcap, frames of 64 to 128 bytes, 200k flows',
    format: 'pcap',
    bytes: 512 * MiB,
    frames: Infinity,
    flows: 200_000,
    hosts: 4000,
    gap: 20_000,
    chatter: 200,
    length: (random) => 64 + random.below(65),
  },
  {
    id: 'c',
    title: '1 GiB pcap, full-size frames, 20k flows',
    format: 'pcap',
    bytes: 1024 * MiB,
    frames: Infinity,
    flows: 20_000,
    hosts: 2000,
    gap: 150_000,
    chatter: 100,
    length: () => 1514,
  },
  {
    id: 'd',
    title: '512 MiB pcap, 1 M flows of a few frames',
    format: 'pcap',
    bytes: 512 * MiB,
    frames: Infinity,
    flows: 1_000_000,
    hosts: 4000,
    gap: 20_000,
    chatter: 200,
    length: (random) => 64 + random.below(53),
  },
  { ...a, id: 'e', title: '(a) with a stale MAC in 1 % of the flows, and flapping ones', stale: true },
];

/** Full captures, or editions of a sixteenth (the million frames stay a million). */
export function workloads(quick: boolean): readonly Workload[] {
  if (!quick) return full;
  return full.map((workload) =>
    workload.bytes === Infinity
      ? workload
      : {
          ...workload,
          title: `a sixteenth of: ${workload.title}`,
          bytes: workload.bytes / 16,
          flows: Math.ceil(workload.flows / 16),
          hosts: Math.ceil(workload.hosts / 16 / 20) * 20,
          gap: workload.gap * 16,
        },
  );
}

/** Draws lengths in the given proportions. */
function mix(...parts: readonly (readonly [share: number, length: number])[]): (random: Random) => number {
  const table = parts.flatMap(([share, length]) => Array<number>(share).fill(length));
  return (random) => table[random.below(table.length)] ?? 0;
}
