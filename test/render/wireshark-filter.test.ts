import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Analysis, Misdelivery } from '../../src/model.js';
import { captureFilters, tsharkCommand } from '../../src/render/wireshark-filter.js';
import { analyze, folderPieces, framesOf, type Piece } from '../support/engine.js';
import { fullAnalysis } from '../support/full-analysis.js';
import { HOSTILE_NAMES } from '../support/hostile.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { hasTool, runTool } from '../support/tool.js';

const root = new URL('../../captures/', import.meta.url).pathname;
const temporary = mkdtempSync(join(tmpdir(), 'macscan-filter-'));
afterAll(() => rmSync(temporary, { recursive: true }));

const folders = [
  ...['stale-mac', 'policy-routing'].map((name) => ({ name, folder: root + name })),
  ...(hasShared ? ['S1', 'S3b', 'S8'].map((name) => ({ name, folder: sharedPath('captures', name) })) : []),
];

describe.skipIf(!hasTool('tshark'))('filters and commands in tshark', () => {
  it.each(folders)('$name select the misdelivered frames', async ({ folder }) => {
    const pieces = folderPieces(folder, (name) => !/truth\.json|\.jsonl$|README|expected/.test(name));
    const analysis = await analyze(pieces);
    const filters = captureFilters(wrongOf(analysis), analysis.inputs);
    expect(filters.map(({ input }) => input)).toEqual([...new Set(wrongOf(analysis).map((m) => m.input))]);
    for (const { input, filter, exact } of filters) {
      const selected = framesSelected(pieces, input, filter);
      const wrong = wrongOf(analysis).filter((m) => m.input === input);
      const expected = [...new Set(wrong.flatMap(framesOf))].sort((a, b) => a - b);
      expect(exact).toBe(wrong.flatMap((m) => m.frameRanges).length <= 40);
      // By address and time a right frame may come along; in these cases none does.
      expect(selected).toEqual(expected);
    }
  });

  it('takes the long form of every misdelivery, VLAN, IPv6 and several senders among them', () => {
    const [m] = fullAnalysis.misdeliveries;
    if (!m) throw new Error('there is one');
    const long = Array.from({ length: 50 }, (_, i): [number, number] => [i * 2 + 1, i * 2 + 1]);
    const many = Array.from({ length: 20 }, (_, i): Misdelivery => {
      return { ...m, dstIp: i % 2 ? `fd00::${i}` : m.dstIp, frameRanges: long, class: 'wrong-port' };
    });
    const input = { name: m.input, kind: 'pcap', interfaces: [0, 1].map(iface) } as const;
    for (const list of [many.slice(0, 1), many.slice(0, 3), many]) {
      const [found] = captureFilters(list, [input]);
      expect(found?.exact).toBe(false);
      expect(tshark(EMPTY_PCAP, found?.filter ?? '-')).toBe('');
    }
    expect(captureFilters(many.slice(1, 2), [input])[0]?.filter).toBe(
      'vlan.id == 20 && eth.src == 94:83:c4:10:00:01 && eth.dst == 52:54:00:a1:b2:40 && ipv6.dst == fd00::1' +
        ' && frame.interface_id in {0, 1} && frame.time_epoch >= 1795247483.000000000' +
        ' && frame.time_epoch <= 1795247487.000000000',
    );
    // Of a capture whose times were moved, the times as the file has them.
    expect(captureFilters(many.slice(1, 2), [{ ...input, moved: '-90000000000' }])[0]?.filter).toMatch(
      /time_epoch >= 1795247572\.999999000 && frame\.time_epoch <= 1795247577\.000001000$/,
    );
  });
});

describe('a filter', () => {
  it('joins neighbours and overlaps of several misdeliveries', () => {
    const [m] = fullAnalysis.misdeliveries;
    if (!m) throw new Error('there is one');
    const ranges = (frameRanges: [number, number][]): Misdelivery => ({ ...m, frameRanges });
    const list = [ranges([[9, 10]]), ranges([[3, 5], [12, 12]]), ranges([[6, 8], [4, 5]])]; // prettier-ignore
    expect(captureFilters(list, fullAnalysis.inputs)[0]).toMatchObject({ filter: 'frame.number in {3..10, 12}' });
  });

  it('is not made for a printed capture', () => {
    const inputs = fullAnalysis.inputs.map((input) => ({ ...input, kind: 'text' as const }));
    expect(captureFilters(fullAnalysis.misdeliveries, inputs)).toEqual([]);
  });

  it('holds nothing that is no address', () => {
    const [m] = fullAnalysis.misdeliveries;
    if (!m) throw new Error('there is one');
    const bad = `x' || true #`;
    const spoilt = { ...m, srcMac: bad, dstMac: bad, dstIp: bad, firstTime: bad, lastTime: bad, frameRanges: [] };
    expect(captureFilters([spoilt], fullAnalysis.inputs)[0]?.filter).toBe('vlan.id == 20');
  });

  it.skipIf(!hasTool('sh'))('is quoted so that a shell takes any name as one word', () => {
    for (const name of HOSTILE_NAMES) {
      const command = tsharkCommand(name, 'frame.number in {1}');
      const words = runTool('sh', ['-c', command.replace(/^tshark/, "printf '%s\\0'")], new Uint8Array())
        .toString()
        .split('\0');
      expect(words.slice(0, 2)).toEqual(['-n', '-r']);
      expect(words.slice(3, 6)).toEqual(['-Y', 'frame.number in {1}', '-T']);
    }
  });
});

function wrongOf(analysis: Analysis): Misdelivery[] {
  return analysis.misdeliveries.filter((m) => m.class !== 'convergence');
}

function framesSelected(pieces: readonly Piece[], input: string, filter: string): number[] {
  const bytes = pieces.find(({ name }) => name === input)?.bytes ?? new Uint8Array();
  return tshark(bytes, filter).trim().split('\n').map(Number);
}

/** Numbers of the frames that tshark selects, one a line; it reads no pipe of ours, so the capture goes to a file. */
function tshark(capture: Uint8Array, filter: string): string {
  const file = join(temporary, 'capture');
  writeFileSync(file, capture);
  const args = ['-n', '-r', file, '-Y', filter, '-T', 'fields', '-e', 'frame.number'];
  return runTool('tshark', args, new Uint8Array()).toString();
}

const iface = (index: number): { index: number; device: string; linkType: number; frames: number } => ({
  index,
  device: 'br-lan',
  linkType: 1,
  frames: 1,
});

const EMPTY_PCAP = Uint8Array.from([
  0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0,
]);
