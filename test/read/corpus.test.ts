import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompress } from '../../src/bytes/decompress.js';
import { NOT_A_PACKET } from '../../src/records/packet-batch.js';
import { type Collected, collectCapture, type CollectedPacket, memorySource } from '../support/collect-capture.js';
import { hasShared, sharedPath } from '../support/shared.js';

/** Why we give other frames than tshark 4.0.17 for a sound file, by file: [ours, tshark's]. */
const exceptions: Readonly<Record<string, readonly [number, number]>> = {
  // A format that is not read.
  'PcapPlusPlus/ExamplesTest/pcap_examples/solaris.snoop': [0, 250],
  // A section of version 2.0 follows: tshark ends there, the reader passes over it.
  'gopacket/pcapgo/tests/be/test901.pcapng': [2, 1],
  'gopacket/pcapgo/tests/le/test901.pcapng': [2, 1],
  // tshark refuses the link type, and so the file.
  'libpcap/tests/filter/brcm-tag-stp.pcap': [4, 0],
  'libpcap/tests/filter/brcm-tag.pcap': [15, 0],
  'libpcap/tests/filter/dsa.pcap': [8, 0],
  'ntopng/fuzz_dissect_packet/hoobr_juniper3.pcap': [1, 0],
  'ntopng/fuzz_dissect_packet/juniper_es_oobr.pcap': [1, 0],
  'ntopng/fuzz_dissect_packet/vtp_asan-2.pcap': [1, 0],
  'tcpdump/brcm-tag-prepend.pcap': [15, 0],
  'tcpdump/brcm-tag.pcap': [23, 0],
  'tcpdump/dsa-high-vid.pcap': [4, 0],
  'tcpdump/edsa-high-vid.pcap': [4, 0],
  'tcpdump/edsa.pcap': [10, 0],
  'tcpdump/frf16_magic_ie-oobr.pcap': [1, 0],
  'tcpdump/hoobr_juniper3.pcap': [1, 0],
  'tcpdump/juniper_es_oobr.pcap': [1, 0],
  'tcpdump/juniper_monitor_invalid_cookie_length.pcap': [1, 0],
  'tcpdump/kday6.pcap': [1, 0],
  'tcpdump/vtp_asan-2.pcap': [1, 0],
  'tcpdump/vtp_asan-3.pcap': [1, 0],
  'tcpdump/vtp_asan.pcap': [5, 0],
  // The length of a block is no multiple of 4; all else about it is sound.
  'python-pcapng/test_data/test007.ntar': [1, 0],
  // An option of a block that is passed over is too long: tshark ends there.
  'derived-robustness/flip_pcapng_be_010.pcapng': [8, 1],
};

/** ATM captures begin each packet with 4 bytes that tshark takes off before it counts. */
const LINKTYPE_SUNATM = 123;

describe.skipIf(!hasShared)('public captures', () => {
  const files = hasShared ? captures() : [];

  it('are read as tshark reads them, frame by frame', async () => {
    const wrong: string[] = [];
    const unused = new Set(Object.keys(exceptions));
    for (const file of files) {
      const oracle = readOracle(file);
      if (!oracle) continue;
      const read = await readFile(file);
      const difference = compare(file, read, oracle);
      if (difference !== undefined) wrong.push(`${file}: ${difference}`);
      if (read.packets.length !== oracle.length) unused.delete(file);
    }
    expect(wrong).toEqual([]);
    expect([...unused]).toEqual([]);
    expect(files.length).toBeGreaterThan(2000);
  }, 120_000);

  it('are the same however the bytes arrive', async () => {
    for (const file of files.filter((name) => name.startsWith('derived-robustness/') || name.includes('/difficult/'))) {
      const bytes = readFileSync(sharedPath('corpus/files', file));
      if (bytes.length > 20_000) continue;
      const whole = await collectCapture(memorySource(bytes));
      expect(await collectCapture(memorySource(bytes, [1, 17, 4, 300], true))).toEqual(whole);
    }
  });
});

/** What is wrong with our reading of a file, undefined when nothing is. */
function compare(file: string, { packets, summary, diagnostics }: Collected, oracle: OracleRow[]): string | undefined {
  const counts = exceptions[file];
  if (counts) {
    const same = packets.length === counts[0] && oracle.length === counts[1];
    return same ? undefined : `${packets.length} frames, ${oracle.length} in tshark`;
  }
  // tshark ends at the first oddity, and shows what ends within its first block as one frame of plain bytes.
  const lenient = summary.cut || diagnostics.length > 0;
  const endsInFirstBlock = packets.length === 0 && summary.interfaces === 0 && oracle.length === 1 && summary.cut;
  if (packets.length !== oracle.length && !(lenient && packets.length > oracle.length) && !endsInFirstBlock) {
    return `${packets.length} frames, ${oracle.length} in tshark`;
  }
  for (const [i, row] of oracle.entries()) {
    const packet = packets[i];
    if (packet === undefined) break;
    const difference = compareFrame(packet, row);
    if (difference !== undefined) return `frame ${i + 1}: ${difference}`;
  }
  return undefined;
}

function compareFrame(packet: CollectedPacket, row: OracleRow): string | undefined {
  if (packet.frame !== row.number) return 'number';
  if ((packet.linkType === NOT_A_PACKET) !== (row.encapsulation === '')) return 'kind';
  if (packet.linkType === NOT_A_PACKET) return undefined;
  // A fraction of a second or more overflows in tshark.
  const time = packet.time === undefined ? '' : formatTime(packet.time);
  if (!packet.badFraction && time !== row.time) return `time ${time} for ${row.time}`;
  if (packet.linkType === LINKTYPE_SUNATM) return undefined;
  if (packet.capturedLength !== row.captured || packet.originalLength !== row.length) {
    return `length ${packet.capturedLength}/${packet.originalLength} for ${row.captured}/${row.length}`;
  }
  return undefined;
}

interface OracleRow {
  readonly number: number;
  readonly encapsulation: string;
  readonly time: string;
  readonly captured: number;
  readonly length: number;
}

function captures(): string[] {
  const root = sharedPath('corpus/files/');
  return readdirSync(root, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll('//', '/').slice(root.length))
    .sort();
}

async function readFile(file: string): Promise<Collected> {
  const { source } = await decompress(memorySource(readFileSync(sharedPath('corpus/files', file))), file);
  const read = await collectCapture(source);
  source.close();
  return read;
}

function readOracle(file: string): OracleRow[] | undefined {
  let packed: Buffer;
  try {
    packed = readFileSync(sharedPath('corpus/oracle', `${file}.tsv.gz`));
  } catch {
    return undefined;
  }
  const [head = '', ...lines] = gunzipSync(packed).toString().trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => {
    const cells = line.split('\t');
    const field = (name: string): string => cells[names.indexOf(name)] ?? '';
    return {
      number: Number(field('frame.number')),
      encapsulation: field('frame.encap_type'),
      time: field('frame.time_epoch'),
      captured: Number(field('frame.cap_len')),
      length: Number(field('frame.len')),
    };
  });
}

function formatTime(time: bigint): string {
  return `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`;
}
