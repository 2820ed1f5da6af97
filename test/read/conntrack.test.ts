import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConntrackFact } from '../../src/records/facts.js';
import { factsOf, readText } from '../support/read-text.js';

const one = (text: string): ConntrackFact => {
  const facts = factsOf(readText(`${text}\n`), 'conntrack');
  const [fact] = facts;
  if (!fact || facts.length > 1) throw new Error(`${facts.length} facts in: ${text}`);
  return fact;
};

describe('conntrack events', () => {
  it('carry time, flags and mark', () => {
    expect(
      one(
        '[1712662404.591802]\t [UPDATE] tcp      6 86400 ESTABLISHED src=192.168.7.101 dst=157.240.251.61 sport=52717 dport=5222 src=157.240.251.61 dst=87.138.198.79 sport=5222 dport=26886 [OFFLOAD] mark=25165825',
      ),
    ).toEqual({
      kind: 'conntrack',
      origin: { input: 0, line: 1 },
      dated: 'event',
      time: 1_712_662_404_591_802_000n,
      snapshot: 1,
      event: 'update',
      family: 4,
      protocol: 6,
      original: { src: '192.168.7.101', dst: '157.240.251.61', srcPort: 52717, dstPort: 5222 },
      reply: { src: '157.240.251.61', dst: '87.138.198.79', srcPort: 5222, dstPort: 26886 },
      unreplied: false,
      assured: false,
      offload: 'software',
      timeout: 86400,
      state: 'ESTABLISHED',
      mark: 25165825,
    });
  });

  it('without a time-out are no sign of offload when they tell the end', () => {
    const fact = one(
      '[1712662451.967906]\t[DESTROY] tcp      6 ESTABLISHED src=192.168.7.101 dst=1.2.3.4 sport=1 dport=2 packets=14 bytes=4134 src=1.2.3.4 dst=5.6.7.8 sport=2 dport=1 packets=17 bytes=13712 [ASSURED] mark=16777216 delta-time=140 [USERSPACE] portid=3307 progname=conntrack',
    );
    expect(fact).toMatchObject({ event: 'destroy', offload: 'none', assured: true, age: 140 });
    expect(fact.original).toMatchObject({ packets: 14, bytes: 4134 });
  });

  it('keep the id of an ICMP tuple apart from the id of the entry', () => {
    const fact = one(
      '    [NEW] ipv4     2 icmp     1 30 src=192.168.1.240 dst=192.168.1.1 type=8 code=0 id=366 [UNREPLIED] src=192.168.1.1 dst=192.168.1.240 type=0 code=0 id=367 id=2014618656',
    );
    expect(fact).toMatchObject({ event: 'new', protocol: 1, unreplied: true, id: 2014618656 });
    expect(fact.original).toMatchObject({ icmpType: 8, icmpCode: 0, icmpId: 366 });
    expect(fact.reply).toMatchObject({ icmpType: 0, icmpId: 367 });
    expect(fact.time).toBeUndefined();
  });
});

describe('conntrack entries', () => {
  it.each([
    ['[OFFLOAD]', 'software'],
    ['[HW_OFFLOAD]', 'hardware'],
    ['[ASSURED]', 'inferred'],
  ])('of a dump without time-out and state and with %s are offloaded: %s', (flag, offload) => {
    const fact = one(
      `tcp      6 src=10.141.10.2 dst=192.168.10.2 sport=52728 dport=5201 src=192.168.10.2 dst=192.168.10.1 sport=5201 dport=52728 ${flag} mark=0 use=2`,
    );
    expect(fact).toMatchObject({ event: 'entry', dated: 'snapshot', offload, protocol: 6, use: 2 });
    expect(fact.timeout).toBeUndefined();
  });

  it('with a time-out and no flag are not offloaded', () => {
    expect(
      one(
        'udp      17 29 src=10.0.0.2 dst=8.8.8.8 sport=1 dport=53 src=8.8.8.8 dst=10.0.0.2 sport=53 dport=1 mark=0 use=1',
      ),
    ).toMatchObject({ offload: 'none', timeout: 29 });
  });

  it('of the kernel have uncompressed IPv6, zone before use, and GRE time-outs', () => {
    const fact = one(
      'ipv6     10 tcp      6 431999 ESTABLISHED src=fd00:0000:0000:0000:0000:0000:0000:0002 dst=2001:0db8:0000:0000:0000:0000:0000:0001 sport=51000 dport=443 packets=3 bytes=200 src=2001:0db8:0000:0000:0000:0000:0000:0001 dst=fd00:0000:0000:0000:0000:0000:0000:0002 sport=443 dport=51000 packets=2 bytes=100 [ASSURED] mark=0 zone=7 use=2',
    );
    expect(fact).toMatchObject({ family: 6, zone: 7, original: { src: 'fd00::2', dst: '2001:db8::1' } });
    const gre = one(
      'ipv4     2 gre      47 179 timeout=180, stream_timeout=180 src=10.0.0.2 dst=1.1.1.1 srckey=0x0 dstkey=0x4a2 [UNREPLIED] src=1.1.1.1 dst=2.2.2.2 srckey=0x4a2 dstkey=0x0 mark=0 zone=0 use=2',
    );
    expect(gre).toMatchObject({ protocol: 47, timeout: 179, original: { srcKey: 0, dstKey: 0x4a2 } });
  });

  it.each([
    ['sctp     132 10 ESTABLISHED', 132],
    ['dccp     33 10 PARTOPEN', 33],
    ['udplite  136 10', 136],
    ['unknown  99 600', 99],
    ['icmpv6   58 30', 58],
  ])('of any protocol are read: %s', (head, protocol) => {
    expect(one(`${head} src=10.0.0.2 dst=1.1.1.1 src=1.1.1.1 dst=10.0.0.2 mark=0 use=1`)).toMatchObject({ protocol });
  });

  it('know zones of both directions, labels, helper, security context and kernel times', () => {
    expect(
      one(
        'tcp      6 100 CLOSE_WAIT src=10.0.0.2 dst=1.1.1.1 sport=1 dport=21 zone-orig=3 src=1.1.1.1 dst=10.0.0.2 sport=21 dport=1 zone-reply=4 [ASSURED] mark=5 secctx=system_u:object_r:x zone=9 delta-time=4 [start=Sat Nov 21 07:52:41 2026] helper=ftp use=2 id=77 labels=a,b',
      ),
    ).toMatchObject({
      mark: 5,
      zone: 9,
      age: 4,
      helper: 'ftp',
      id: 77,
      labels: 'a,b',
      original: { zone: 3 },
      reply: { zone: 4 },
    });
  });

  it('with hidden addresses teach nothing, and are counted', () => {
    const result = readText(
      'ipv4     2 udp      17 src=192.168.81.11 dst=x.x.x.x sport=38720 dport=3578 packets=31 bytes=4600 src=x.x.x.x dst=y.y.y.y sport=3578 dport=38720 packets=31 bytes=11904 [HW_OFFLOAD] mark=0 zone=0 use=3\n',
    );
    expect(result.facts).toEqual([]);
    expect(result.summary).toMatchObject({ redacted: 1, unknownLines: 0, isEvidence: true });
  });

  it('that may be cut within their reply tuple are left out', () => {
    const line =
      'udp      17 29 src=10.0.0.2 dst=8.8.8.8 sport=1 dport=53 src=8.8.8.8 dst=10.0.0.25 sport=53 dport=100';
    expect(readText(line).facts).toEqual([]);
    expect(readText(`${line}\n`).facts).toHaveLength(1);
    expect(readText(`${line} use=1`).facts).toHaveLength(1);
  });

  it('deleted with -D are events', () => {
    const result = readText(
      '# 1795247600.5 conntrack -D -p udp\nudp      17 src=10.0.0.2 dst=8.8.8.8 sport=1 dport=53 src=8.8.8.8 dst=10.0.0.2 sport=53 dport=1 [OFFLOAD] mark=0 use=1\n',
    );
    expect(factsOf(result, 'conntrack')[0]).toMatchObject({
      event: 'destroy',
      dated: 'event',
      time: 1_795_247_600_500_000_000n,
    });
  });

  it('are the same after they were printed', () => {
    fc.assert(
      fc.property(entryText(), ({ text, expected }) => {
        expect(one(text)).toMatchObject(expected);
      }),
    );
  });
});

describe('other conntrack forms', () => {
  it('XML tells offload by what is missing', () => {
    const flow = (more: string): string =>
      `<flow><meta direction="original"><layer3 protonum="2" protoname="ipv4"><src>192.168.1.20</src><dst>198.51.100.10</dst></layer3><layer4 protonum="6" protoname="tcp"><sport>33333</sport><dport>5300</dport></layer4></meta><meta direction="reply"><layer3 protonum="2" protoname="ipv4"><src>198.51.100.10</src><dst>203.0.113.2</dst></layer3><layer4 protonum="6" protoname="tcp"><sport>5300</sport><dport>33333</dport></layer4></meta><meta direction="independent">${more}<mark>3</mark><id>12</id></meta></flow>`;
    const result = readText(
      `<?xml version="1.0" encoding="utf-8"?>\n<conntrack>\n${flow('')}\n${flow('<state>ESTABLISHED</state><timeout>5</timeout><assured/>')}\n</conntrack>\n`,
    );
    expect(factsOf(result, 'conntrack')).toMatchObject([
      { offload: 'inferred', protocol: 6, mark: 3, id: 12, original: { srcPort: 33333 } },
      { offload: 'unknown', state: 'ESTABLISHED', timeout: 5, assured: true },
    ]);
  });

  it('XML that breaks off gives what came before', () => {
    const text = '<?xml version="1.0"?>\n<conntrack>\n<flow><meta direction="original"><layer3';
    expect(readText(text).facts).toEqual([]);
    expect(readText('<conntrack>\n<flow></bad></flow>\n').diagnostics[0]?.id).toBe('xml-broken');
  });

  it('is given up soon when it is malformed throughout', () => {
    const begin = performance.now();
    expect(readText(`<flow ${'<'.repeat(60_000)}\n`.repeat(20)).diagnostics[0]?.id).toBe('xml-broken');
    // Each of the 1.2 million errors would cost some 20 µs.
    expect(performance.now() - begin).toBeLessThan(8000);
  });

  it('save gives the tuples by its options', () => {
    expect(
      one(
        '-A -t 29 -u SEEN_REPLY,ASSURED -s 192.168.1.20 -d 198.51.100.10 -r 198.51.100.10 -q 203.0.113.2 -p udp --sport 33333 --dport 5300 --reply-port-src 5300 --reply-port-dst 33333',
      ),
    ).toMatchObject({
      protocol: 17,
      timeout: 29,
      assured: true,
      unreplied: false,
      offload: 'unknown',
      reply: { src: '198.51.100.10', dst: '203.0.113.2', srcPort: 5300, dstPort: 33333 },
    });
  });
});

/** A conntrack line as libnetfilter_conntrack prints it, and what it says. */
function entryText(): fc.Arbitrary<{ text: string; expected: object }> {
  const ip = fc.oneof(fc.ipV4(), fc.constant('2001:db8::9'), fc.constant('fe80::1'));
  const port = fc.integer({ min: 0, max: 65535 });
  return fc
    .record({
      extended: fc.boolean(),
      event: fc.constantFrom('', '    [NEW] ', ' [UPDATE] ', '[DESTROY] '),
      ips: fc.tuple(ip, ip, ip, ip),
      ports: fc.tuple(port, port, port, port),
      timeout: fc.option(fc.integer({ min: 0, max: 432000 }), { nil: undefined }),
      packets: fc.option(fc.maxSafeNat(), { nil: undefined }),
      unreplied: fc.boolean(),
      flag: fc.constantFrom('', '[ASSURED] ', '[OFFLOAD] ', '[HW_OFFLOAD] '),
      mark: fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined }),
      id: fc.option(fc.integer({ min: 0, max: 0xffffffff }), { nil: undefined }),
    })
    .map((e) => {
      const counters = e.packets === undefined ? '' : `packets=${e.packets} bytes=${e.packets} `;
      const tuple = (a: number, b: number): string =>
        `src=${e.ips[a] ?? ''} dst=${e.ips[b] ?? ''} sport=${e.ports[a] ?? 0} dport=${e.ports[b] ?? 0} ${counters}`;
      const text =
        e.event +
        (e.extended ? 'ipv4     2 ' : '') +
        `udp      17 ${e.timeout === undefined ? '' : `${e.timeout} `}` +
        tuple(0, 1) +
        (e.unreplied ? '[UNREPLIED] ' : '') +
        tuple(2, 3) +
        e.flag +
        (e.mark === undefined ? '' : `mark=${e.mark} `) +
        (e.id === undefined ? '' : `id=${e.id} `);
      const expected: Record<string, unknown> = {
        protocol: 17,
        original: { src: e.ips[0], dst: e.ips[1], srcPort: e.ports[0], dstPort: e.ports[1] },
        reply: { src: e.ips[2], dst: e.ips[3], srcPort: e.ports[2], dstPort: e.ports[3] },
        unreplied: e.unreplied,
        assured: e.flag === '[ASSURED] ',
      };
      if (e.flag === '[OFFLOAD] ') expected['offload'] = 'software';
      if (e.flag === '[HW_OFFLOAD] ') expected['offload'] = 'hardware';
      for (const key of ['timeout', 'mark', 'id'] as const) if (e[key] !== undefined) expected[key] = e[key];
      return { text: text.trim(), expected };
    });
}
