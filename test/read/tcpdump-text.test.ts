import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AddressTable } from '../../src/bytes/address.js';
import { Decoder } from '../../src/decode/frame.js';
import { readCapture } from '../../src/read/capture.js';
import { Epoch } from '../../src/records/epoch.js';
import { FrameBatch } from '../../src/records/frame-batch.js';
import { memorySource } from '../support/collect-capture.js';
import { framesOf, readText, type TextFrame } from '../support/read-text.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { hasTool, runTool } from '../support/tool.js';

describe.skipIf(!hasShared || !hasTool('tcpdump'))('captures printed by tcpdump', () => {
  const captures = hasShared ? capturesBelow('captures') : [];

  it.each([
    ['-nnev', ['-nn', '-e', '-v', '-tt']],
    ['-nne', ['-nn', '-e', '-tt']],
    ['-nneq', ['-nn', '-e', '-q', '-tt']],
    ['-nn', ['-nn', '-tt']],
  ])('are read with %s as the decoder reads the capture', { timeout: 120_000 }, async (_, options) => {
    const odd: string[] = [];
    for (const capture of captures) odd.push(...(await compare(sharedPath(capture), options)));
    expect(odd.slice(0, 20)).toEqual([]);
    expect(captures.length).toBeGreaterThan(0);
  });
});

function capturesBelow(folder: string): string[] {
  return readdirSync(sharedPath(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pcap'))
    .map((name) => `${folder}/${name}`)
    .sort();
}

/** The frames of a capture that differ between its decoding and its print. */
async function compare(path: string, options: readonly string[]): Promise<string[]> {
  const bytes = readFileSync(path);
  const text = runTool('tcpdump', [...options, '-r', '-'], bytes);
  const printed = readText(text).frames;
  const decoded = await decode(bytes);
  const odd: string[] = printed.length === decoded.length ? [] : [`${path}: ${printed.length} for ${decoded.length}`];
  for (const [at, frame] of decoded.entries()) {
    const mine = shown(printed[at], options);
    const theirs = shown(frame, options);
    if (mine !== theirs) odd.push(`${path} ${at + 1}: ${mine} / ${theirs}`);
  }
  return odd;
}

async function decode(bytes: Uint8Array): Promise<TextFrame[]> {
  const addresses = new AddressTable();
  const epoch = new Epoch();
  const decoder = new Decoder(addresses);
  const batch = new FrameBatch();
  const frames: TextFrame[] = [];
  const ignore = (): void => undefined;
  await readCapture(memorySource(bytes), epoch, {
    interface: ignore,
    comment: ignore,
    name: ignore,
    statistics: ignore,
    diagnostic: ignore,
    packets(packets) {
      decoder.decode(packets, batch);
      frames.push(...framesOf(batch, addresses, epoch));
    },
  });
  return frames;
}

/** What a line of tcpdump tells of a frame, with these options. */
function shown(frame: TextFrame | undefined, options: readonly string[]): string {
  if (!frame) return 'none';
  const isArp = frame.etherType === 0x0806;
  const withLink = options.includes('-e');
  const seen: Record<string, unknown> = {
    frame: frame.frame,
    etherType: frame.etherType,
    ip: isArp ? frame.ip?.replace(/ > .*/, '') : frame.ip,
    protocol: frame.protocol,
  };
  const cooked = frame.link === 'COOKED';
  if (frame.time !== undefined) seen['micros'] = frame.time / 1000n;
  if (withLink)
    Object.assign(seen, { link: frame.link, src: frame.src, dst: frame.dst, vlan: frame.vlan, length: frame.length });
  // -q leaves the length of cooked packets out.
  if (cooked && options.includes('-q')) delete seen['length'];
  if (withLink) seen['flags'] = frame.flags;
  if (options.includes('-v') && frame.protocol !== undefined) seen['hops'] = [frame.hopLimit, frame.ipId];
  if (frame.protocol === 6 || frame.protocol === 17) seen['ports'] = frame.ports;
  if (frame.protocol === 6 && !options.includes('-q')) seen['detail'] = frame.detail;
  // The target of a reply is not printed. Requests print no sender MAC: it is taken from the link layer, which -e alone shows in full.
  if (withLink && !cooked && isArp) seen['claim'] = frame.claim?.replace(/^(ARP_REPLY .*) > .*/, '$1');
  return JSON.stringify(seen, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
