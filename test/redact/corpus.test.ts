import { describe, expect, it } from 'vitest';
import { AddressTable, formatMac, ipFromWord, macFromWords } from '../../src/bytes/address.js';
import { collectEvidence } from '../../src/bytes/evidence.js';
import { Decoder } from '../../src/decode/frame.js';
import { readCapture, sniffCapture } from '../../src/read/capture.js';
import type { AddressMapping } from '../../src/redact/mapping.js';
import { Epoch } from '../../src/records/epoch.js';
import { Claim, FrameBatch, FrameFlag } from '../../src/records/frame-batch.js';
import type { Evidence } from '../../src/scan.js';
import { memorySource } from '../support/collect-capture.js';
import { redactPieces } from '../support/redact-pieces.js';
import { hasShared, sharedPath } from '../support/shared.js';

/** Broken packets whose flag says in another way that they are, and a Token Ring, whose addresses have a bit less. */
const DIFFERENT = /icmp-icmp_print-oobr-1\.pcap$|(?:^|\/)tftp\.pcap/;

const MOST = 2 * 1024 * 1024;

describe.skipIf(!hasShared)('public captures, redacted', () => {
  it.each(['default', 'strict'] as const)(
    'decode as before, frame by frame, but for their addresses: %s',
    async (level) => {
      const { pieces } = await collectEvidence([sharedPath('corpus/files')]);
      const different: string[] = [];
      let captures = 0;
      let frames = 0;
      let shortened = 0;
      for (const piece of pieces) {
        const bytes = await contentOf(piece);
        if (!bytes || !sniffCapture(bytes)) continue;
        captures++;
        const redacted = await redactPieces([{ name: piece.name, bytes }], { level });
        shortened += redacted.shortened;
        const before = await decoded(bytes, redacted.mapping);
        const after = await decoded(redacted.pieces[0]?.bytes ?? new Uint8Array(0), undefined);
        frames += before.length;
        const at = before.findIndex((row, i) => row !== after[i]);
        const odd = before.filter((row, i) => row !== after[i]).length;
        if (DIFFERENT.test(piece.name)) continue;
        if (odd > redacted.shortened || before.length !== after.length)
          different.push(`${piece.name} frame ${at + 1}:\n  ${before[at] ?? ''}\n  ${after[at] ?? ''}`);
      }
      expect(different.slice(0, 20).join('\n')).toBe('');
      expect(captures).toBeGreaterThan(1000);
      expect(frames).toBeGreaterThan(50_000);
      expect(shortened).toBeLessThan(20);
    },
    300_000,
  );
});

async function contentOf(piece: Evidence): Promise<Uint8Array | undefined> {
  const source = await piece.open();
  const bytes = new Uint8Array(MOST);
  let length = 0;
  try {
    while (length < MOST) {
      const read = await source.read(bytes, length, MOST - length);
      if (read === 0) break;
      length += read;
    }
  } catch {
    return undefined;
  } finally {
    source.close();
  }
  return length < MOST ? bytes.slice(0, length) : undefined;
}

/** All that the analysis sees of each frame, as text; with a mapping, of what its addresses become. */
async function decoded(bytes: Uint8Array, mapping: AddressMapping | undefined): Promise<string[]> {
  const addresses = new AddressTable();
  const decoder = new Decoder(addresses);
  const batch = new FrameBatch();
  const rows: string[] = [];
  const ignore = (): void => undefined;
  const ip = (word: number | undefined, version: number | undefined): string => {
    const text = addresses.format(ipFromWord(word ?? 0, version ?? 4));
    return mapping ? mapping.ipText(text) : text;
  };
  const mac = (high: number | undefined, low: number | undefined): string => {
    const text = formatMac(macFromWords(high ?? 0, low ?? 0));
    return mapping ? mapping.macText(text) : text;
  };
  await readCapture(memorySource(bytes), new Epoch(), {
    interface: ignore,
    comment: ignore,
    name: ignore,
    statistics: ignore,
    diagnostic: ignore,
    packets: (packets) => {
      decoder.decode(packets, batch);
      for (let i = 0; i < batch.count; i++) {
        const flags = batch.flags[i] ?? 0;
        const version = batch.ipVersion[i] ?? 0;
        const claim = batch.claim[i] ?? 0;
        const hasClaim = claim !== Claim.NONE;
        const cells = [
          batch.frame[i],
          batch.interfaceIndex[i],
          batch.length[i],
          flags.toString(2),
          batch.link[i],
          flags & FrameFlag.SRC_MAC ? mac(batch.srcMacHigh[i], batch.srcMacLow[i]) : '',
          flags & FrameFlag.DST_MAC ? mac(batch.dstMacHigh[i], batch.dstMacLow[i]) : '',
          batch.vlan[i],
          batch.innerVlan[i],
          batch.etherType[i],
          version,
          version ? ip(batch.srcIp[i], version) : '',
          version ? ip(batch.dstIp[i], version) : '',
          batch.protocol[i],
          batch.hopLimit[i],
          batch.ipId[i],
          batch.srcPort[i],
          batch.dstPort[i],
          batch.detail[i],
          claim,
          hasClaim ? ip(batch.claimIp[i], batch.claimIpVersion[i]) : '',
          hasClaim ? mac(batch.claimMacHigh[i], batch.claimMacLow[i]) : '',
          hasClaim && batch.claimIpVersion[i] === 4 ? ip(batch.targetIp[i], 4) : '',
          hasClaim ? batch.claimPrefix[i] : '',
        ];
        rows.push(cells.join(' '));
      }
    },
  });
  return rows;
}
