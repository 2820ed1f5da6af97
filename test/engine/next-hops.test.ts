import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { framesOf } from '../support/engine.js';
import { FAR, judge, router } from './scene.js';
import {
  client,
  client6,
  each,
  flowing,
  gateway,
  LINKS,
  MARK_RULE,
  provider,
  replies,
  routed,
  ROUTES,
  ruleList,
  SIX,
  stick,
  stream,
  type Reply,
  type Routed,
  type Sent,
} from './next-hop-scenes.js';
import { monitorTime, Wire } from '../support/wire.js';

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
  it('are listed in order with those that were judged at once', async () => {
    const wire = new Wire();
    wire.meet(0, router, client);
    wire.meet(0.1, router, gateway);
    const wrong: number[] = [];
    const reply = (time: number, id: number, from: string, to: string, hopLimit: number, srcPort: number): number =>
      wire.udp(time, { from, to, src: FAR, dst: client.ip, hopLimit, srcPort, payload: [id, 2, 3, 4] });
    reply(0.5, 0, router.mac, client.mac, 60, 4002);
    for (let i = 1; i < 12; i++) {
      // One flow comes in from the gateway and goes back to it, but for a packet; of another only the way out is seen.
      reply(i, i, gateway.mac, router.mac, 61, 4000);
      wrong.push(reply(i + 0.001, i, router.mac, gateway.mac, 60, 4000));
      wrong.push(reply(i + 0.5, i + 100, router.mac, gateway.mac, 60, 4001));
    }
    reply(13, 200, gateway.mac, router.mac, 61, 4000);
    const { misdeliveries } = await judge({ 'br-lan.pcap': wire });
    expect(misdeliveries.map((m) => [m.dstMac, m.class, framesOf(m)])).toEqual([[gateway.mac, undefined, wrong]]);
  });

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

describe('packets that go on to a gateway which the tables lost', () => {
  const before = each(1, 10, 'gateway');
  const stale = each(10, 20, 'gateway');
  const dumps = { 'ip-link.txt': LINKS, 'ip-rule.txt': ruleList(true), 'ip-route.txt': ROUTES };
  const deleted = `${monitorTime(9.9)} Deleted ${MARK_RULE}\n`;
  const after = { ...dumps, 'later-rule.txt': ruleList(false), 'monitor.log': deleted };
  const run = async (packets: readonly Routed[], texts: Record<string, string>): Promise<number[]> => {
    const analysis = await judge(routed(packets).captures, texts);
    const found = analysis.misdeliveries;
    expect(found.every((m) => m.class === 'wrong-next-hop' && m.expected.join() === provider.mac)).toBe(true);
    return found.flatMap(framesOf);
  };
  const framesOfStale = routed([...before, ...stale]).frames.slice(before.length);

  it('are wrong from the deletion of the rule on', async () => {
    expect(await run([...before, ...stale], after)).toEqual(framesOfStale);
  });

  it('are wrong from the deletion of the route on', async () => {
    const monitor = `${monitorTime(9.9)} Deleted default via ${gateway.ip} dev br-lan table 100 \n`;
    expect(await run([...before, ...stale], { ...dumps, 'monitor.log': monitor })).toEqual(framesOfStale);
  });

  it('are wrong from the first dump without the rule on', async () => {
    const dated = (at: number, text: string): string =>
      `# ${1_700_000_000 + at} ${monitorTime(at).slice(1, 20)}Z ip rule show\n${text}`;
    const texts = { ...dumps, 'ip-rule.txt': dated(5, ruleList(true)), 'later-rule.txt': dated(12.2, ruleList(false)) };
    const packets = [...before, ...stale];
    const late = routed(packets).frames.filter((_, i) => (packets[i]?.[0] ?? 0) > 12.2);
    expect(await run(packets, texts)).toEqual(late);
    // The dump before still had it, and nobody knows when it went.
    const { frames: all, captures } = routed(packets);
    const [told] = (await judge(captures, texts)).misdeliveries;
    const early = all.filter((frame, i) => (packets[i]?.[0] ?? 0) > 5 && frame < (late[0] ?? 0));
    expect(told?.notBefore).toMatchObject({ frame: early[0], frames: early.length, heard: { kind: 'route-entry' } });
    // Another connection of the same kind went on by the other way: the change was before that.
    const moved = [...packets, ...each(1, 10, 'gateway', 6000), ...each(10.9, 20, 'provider', 6000)];
    const sorted = moved.toSorted((a, b) => a[0] - b[0]);
    const { frames } = routed(sorted);
    const wanted = frames.filter((_, i) => {
      const [time, to, port] = sorted[i] ?? [0, 'provider'];
      return time > 10.9 && to === 'gateway' && port === undefined;
    });
    expect(await run(sorted, texts)).toEqual(wanted);
  });

  it('are not wrong when they follow within a second', async () => {
    expect(await run([...before, ...each(10, 10.8, 'gateway'), ...each(11, 20, 'provider')], after)).toEqual([]);
  });

  it('are not wrong when new flows still go there: the dumps do not show it all', async () => {
    expect(await run([...before, ...stale, ...each(12, 18, 'gateway', 6000)], after)).toEqual([]);
  });

  it('are not wrong when another rule still leads there', async () => {
    const more = `32000:\tfrom 192.168.7.0/24 lookup 100\n${ruleList(true)}`;
    expect(await run([...before, ...stale], { ...after, 'ip-rule.txt': more })).toEqual([]);
  });

  it('are not wrong when the rule was of the other address family, as far as anybody can tell', async () => {
    const six = `# 1700000000 2023-11-14T22:13:20Z ip -6 rule show\n${ruleList(true)}`;
    const four = `# 1700000000 2023-11-14T22:13:20Z ip rule show\n${ruleList(true)}`;
    const texts = { ...dumps, 'ip-rule.txt': four, 'ip6-rule.txt': six, 'monitor.log': deleted };
    expect(await run([...before, ...stale], texts)).toEqual([]);
  });

  it('are not wrong when the rule came back at once', async () => {
    const back = `${deleted}${monitorTime(9.95)} ${MARK_RULE}\n`;
    expect(await run([...before, ...stale], { ...dumps, 'monitor.log': back })).toEqual([]);
  });
});

describe('packets for a host of the network that go back out where they came in', () => {
  const run = async (packets: readonly Reply[], texts: Record<string, string> = {}): Promise<number[]> => {
    const analysis = await judge(replies(packets).captures, texts);
    const found = analysis.misdeliveries;
    expect(found.every((m) => m.class === 'wrong-egress' && m.expected.join() === client6.mac)).toBe(true);
    expect(found.every((m) => m.input === 'wan.pcap' && m.dstMac === provider.mac)).toBe(true);
    return found.flatMap(framesOf);
  };
  const looped: readonly Reply[] = [
    { time: 1, way: 'home', flags: SYN | ACK },
    ...flowing(1.2, 10, 'back', ACK),
    { time: 10.5, way: 'home', flags: FIN },
  ];

  it('are wrong by the routes, and by what the same flow does', async () => {
    expect(await run(looped, SIX)).toEqual(replies(looped).wrong);
  });

  it('are wrong without the routes too', async () => {
    expect(await run(looped)).toEqual(replies(looped).wrong);
  });

  it('are not wrong when all of them do: the address is nobody`s', async () => {
    expect(await run(flowing(1, 10, 'back', ACK), SIX)).toEqual([]);
  });

  it('are none when all go home', async () => {
    expect(await run(flowing(1, 10, 'home', ACK), SIX)).toEqual([]);
  });
});

/** A healthy network: the tables decide for all flows alike, and captures lose frames. */
const scripts = fc.record({
  changes: fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 4 }),
  packets: fc.array(
    fc.record({
      at: fc.integer({ min: 0, max: 60_000 }),
      flow: fc.nat({ max: 3 }),
      hopLimit: fc.constantFrom(64, 64, 64, 128, 66),
      lost: fc.array(fc.nat({ max: 3 }), { maxLength: 2 }),
    }),
    { minLength: 20, maxLength: 150 },
  ),
});

describe('a network whose tables change', () => {
  it('has no wrong next hop, whatever is lost', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async ({ changes, packets }) => {
        const sent = packets
          .toSorted((a, b) => a.at - b.at)
          .map(({ at, flow, hopLimit, lost }, i): Sent => {
            const way = changes.filter((change) => change <= at).length % 2 === 0 ? 'by' : 'past';
            return { time: at / 1000 + i / 1e6, way, srcPort: 5000 + flow, hopLimit, lost };
          });
        expect(await wrongHops(sent)).toEqual({});
      }),
      { numRuns: Number(process.env.PROPERTY_RUNS ?? 150), seed: 20_261_123 },
    );
  }, 60_000);
});
