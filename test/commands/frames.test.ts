import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FRAME_COLUMNS, printFrames } from '../../src/commands/frames.js';
import { InputError } from '../../src/errors.js';
import type { InputDiagnostic } from '../../src/records/packet-batch.js';
import { memorySource } from '../support/collect-capture.js';
import { hex } from '../support/decode-packet.js';

const udp = '020000000002 020000000001 8100 0005 0800 4500001c 00000000 40110000 c0000201 c6336402 03e807d0 00080000';

/** A little-endian pcap file of Ethernet packets, one a second. */
function pcap(packets: readonly string[]): Uint8Array {
  const records = packets.map((packet, at) => {
    const bytes = hex(packet);
    const head = Buffer.alloc(16);
    head.writeUInt32LE(1_700_000_000 + at, 0);
    head.writeUInt32LE(123_456, 4);
    head.writeUInt32LE(bytes.length, 8);
    head.writeUInt32LE(bytes.length + 4, 12);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([hex('d4c3b2a1 0200 0400 00000000 00000000 00000400 01000000'), ...records]);
}

class Collector extends Writable {
  text = '';
  private readonly delay: number;

  constructor(delay = 0, highWaterMark = 16 * 1024) {
    super({ highWaterMark, decodeStrings: false });
    this.delay = delay;
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk;
    if (this.delay > 0) setTimeout(done, this.delay);
    else done();
  }
}

describe('macscan frames', () => {
  const none = (): undefined => undefined;

  it('prints a header and a line per packet', async () => {
    const out = new Collector();
    await printFrames(memorySource(pcap([udp])), 'one', out, none);
    const [head = '', line = '', end] = out.text.split('\n');
    expect(end).toBe('');
    expect(head.split('\t')).toEqual(FRAME_COLUMNS);
    const cells = new Map(line.split('\t').map((cell, at) => [FRAME_COLUMNS[at], cell]));
    expect(Object.fromEntries(cells)).toMatchObject({
      'frame.number': '1',
      'frame.interface_id': '',
      'frame.time_epoch': '1700000000.123456000',
      'frame.cap_len': '46',
      'frame.len': '50',
      'eth.src': '02:00:00:00:00:01',
      'eth.type': '0x8100',
      'vlan.id': '5',
      'ip.dst': '198.51.100.2',
      'ip.proto': '17',
      'udp.dstport': '2000',
      'tcp.srcport': '',
    });
  });

  it('prints the good part of a damaged capture, and reports the damage', async () => {
    const reports: InputDiagnostic[] = [];
    const out = new Collector();
    const whole = pcap([udp, udp]);
    await printFrames(memorySource(whole.subarray(0, whole.length - 1)), 'cut', out, (diagnostic) =>
      reports.push(diagnostic),
    );
    expect(out.text.split('\n')).toHaveLength(3);
    expect(reports).toHaveLength(1);
  });

  it('refuses what is no capture', async () => {
    const source = memorySource(Buffer.from('no capture at all'));
    await expect(printFrames(source, 'text', new Collector(), none)).rejects.toThrow(InputError);
  });

  it('waits for a slow reader, and loses nothing', async () => {
    const count = 5000;
    const out = new Collector(1, 1024);
    const packets = pcap(new Array<string>(count).fill(udp));
    await printFrames(memorySource(packets, [4096]), 'many', out, none);
    expect(out.text.split('\n')).toHaveLength(count + 2);
  });

  it('ends without an error when its reader has gone', async () => {
    const out = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    let asked = 0;
    const source = memorySource(pcap(new Array<string>(5000).fill(udp)), [4096]);
    const counting = {
      ...source,
      read: (target: Uint8Array, start: number, length: number) => {
        asked++;
        return source.read(target, start, length);
      },
    };
    await printFrames(counting, 'many', out, none);
    expect(asked).toBeLessThan(70);
  });

  it('tells any other failure of its output', async () => {
    const out = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
      },
    });
    await expect(printFrames(memorySource(pcap([udp])), 'one', out, none)).rejects.toThrow('no space');
  });
});
