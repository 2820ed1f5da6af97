import { describe, expect, it } from 'vitest';
import { framesOf } from '../support/engine.js';
import { FAR, judge } from './scene.js';
import { client, stick, stream, type Sent } from './next-hop-scenes.js';

const SYN = 0x02;
const ACK = 0x10;
const FIN = 0x11;

/** Frames of the class `wrong-next-hop`, by capture. */
async function wrongHops(
  packets: readonly Sent[],
  texts: Record<string, string> = {},
): Promise<Record<string, number[]>> {
  const analysis = await judge(stick(packets).captures, texts);
  const found: Record<string, number[]> = {};
  for (const m of analysis.misdeliveries) found[m.input] = [...(found[m.input] ?? []), ...framesOf(m)];
  expect(analysis.misdeliveries.every((m) => m.class === 'wrong-next-hop')).toBe(true);
  return found;
}

/** What `stick` says is wrong, without captures that hold none. */
function wrongOf(packets: readonly Sent[]): Record<string, number[]> {
  return Object.fromEntries(Object.entries(stick(packets).wrong).filter(([, frames]) => frames.length > 0));
}

const loop = [
  { time: 1, way: 'by', flags: SYN },
  ...stream(1.1, 10, 'round', { flags: ACK }),
  { time: 11, way: 'by', flags: FIN },
] as const;

/** The flow of `stream`, offloaded throughout. */
const snapshots = [1, 4, 8, 12]
  .map(
    (at) =>
      `${1_700_000_000 + at}.500000000\n${entry()}\nconntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n`,
  )
  .join('');

function entry(): string {
  const turned = `src=${FAR} dst=${client.ip} sport=4000 dport=5000`;
  return `udp      17 src=${client.ip} dst=${FAR} sport=5000 dport=4000 ${turned} [OFFLOAD] mark=0 use=2`;
}

describe('packets that go past the gateway of their flow', () => {
  it('are not wrong when the whole flow did for a time: the gateway was away', async () => {
    const packets = [...stream(1, 5, 'by'), ...stream(5, 10, 'past'), ...stream(10, 12, 'by')];
    expect(await wrongHops(packets)).toEqual({});
  });

  it('are not wrong when the flow was moved in its middle, and others stayed', async () => {
    const packets = [...stream(1, 5, 'by'), ...stream(5, 10, 'past'), ...stream(1.2, 12, 'by', { srcPort: 6000 })];
    expect(await wrongHops(packets)).toEqual({});
  });

  it('are wrong when packets of the same flow that cannot be offloaded go by it meanwhile', async () => {
    const packets = [
      ...stream(1, 5, 'by', { flags: ACK }),
      ...stream(5, 9, 'past', { flags: ACK }),
      { time: 9.2, way: 'by', flags: FIN } as const,
      ...stream(9.5, 10, 'past', { flags: ACK }),
    ];
    expect(await wrongHops(packets)).toEqual(wrongOf(packets));
  });

  it('are wrong from the beginning of the flow on when conntrack shows it offloaded', async () => {
    const packets = [...stream(1, 1.1, 'by'), ...stream(1.5, 10, 'past')];
    expect(await wrongHops(packets)).toEqual({});
    expect(await wrongHops(packets, { 'conntrack-L.log': snapshots })).toEqual(wrongOf(packets));
  });

  it('are wrong when other flows of the client go by it meanwhile', async () => {
    const packets = [...stream(1, 1.1, 'by'), ...stream(1.5, 10, 'past'), ...stream(2, 12, 'by', { srcPort: 6000 })];
    expect(await wrongHops(packets)).toEqual(wrongOf(packets));
  });

  it('are not wrong when all of them did from some time on: the tables were changed', async () => {
    const packets = [
      ...stream(1, 5, 'by'),
      ...stream(5, 10, 'past'),
      ...stream(2, 4, 'by', { srcPort: 6000 }),
      ...stream(6, 9, 'past', { srcPort: 6000 }),
    ];
    expect(await wrongHops(packets)).toEqual({});
  });

  it('are not wrong when the flow never went by it', async () => {
    const packets = [...stream(1, 10, 'past'), ...stream(1, 10, 'by', { srcPort: 6000 })];
    expect(await wrongHops(packets)).toEqual({});
  });

  it('are not wrong when it was brought in later', async () => {
    const packets = [...stream(1, 5, 'past'), ...stream(5, 10, 'by')];
    expect(await wrongHops(packets)).toEqual({});
  });

  it('are not told by a hop limit that the client itself chose', async () => {
    const packets = [...stream(1, 4, 'by'), ...stream(4, 7, 'by', { hopLimit: 66 }), ...stream(7, 9, 'by')];
    expect(await wrongHops(packets)).toEqual({});
  });

  it('are none where all go by it', async () => {
    expect(await wrongHops([...stream(1, 10, 'by'), ...stream(1.2, 10, 'by', { srcPort: 6000 })])).toEqual({});
  });
});

describe('packets that go back to the gateway that they came from', () => {
  it('are wrong when those that cannot be offloaded go on', async () => {
    expect(await wrongHops(loop)).toEqual(wrongOf(loop));
  });

  it('are not wrong when none goes on: the tables are made so', async () => {
    expect(await wrongHops(stream(1, 10, 'round'))).toEqual({});
  });

  it('are not wrong when for a time all did, and nothing shows an offload', async () => {
    const packets = [...stream(1, 10, 'by'), ...stream(10, 12, 'round'), ...stream(12, 20, 'by')];
    expect(await wrongHops(packets)).toEqual({});
  });
});
