import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LINE } from '../../src/bytes/lines.js';
import type { Fact } from '../../src/records/facts.js';
import { factsOf, readText, type TextResult } from '../support/read-text.js';
import { hasShared, sharedPath } from '../support/shared.js';

const lines = (...text: string[]): string => `${text.join('\n')}\n`;
const NEIGHBOR = '10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 REACHABLE';
const ENTRY =
  'udp      17 29 src=10.0.0.2 dst=8.8.8.8 sport=1 dport=53 src=8.8.8.8 dst=10.0.0.2 sport=53 dport=1 mark=0 use=1';

/** Everything that the grammars know, in one text. */
const MIXED = lines(
  '# 1795247511.224909 2026-11-21T07:51:51Z conntrack -L -o extended,id',
  'conntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.',
  ENTRY,
  'root@OpenWrt:~# ip neigh',
  NEIGHBOR,
  'root@OpenWrt:~# ip -s neigh show',
  '10.0.0.3 dev br-lan lladdr 02:11:22:33:44:56  ref 1 used 73/25/73probes 1 STALE',
  '```',
  '> 2: br-lan: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP',
  '>     link/ether 94:83:c4:10:00:01 brd ff:ff:ff:ff:ff:ff',
  '>     inet 192.168.1.1/24 scope global br-lan',
  'default via 10.0.0.3 dev br-lan table 100',
  '32765:\tfrom all fwmark 0xff lookup 100',
  'a4:bb:6d:00:00:20 dev lan1 master br-lan ',
  '? (10.0.0.2) at 02:11:22:33:44:55 [ether] on br-lan',
  '1795300000 b8:27:eb:11:11:11 192.168.1.150 pi *',
  '[{"dst":"10.0.0.2","dev":"br-lan","lladdr":"02:11:22:33:44:55","state":["REACHABLE"]}]',
  'listening on br-lan, link-type EN10MB (Ethernet), snapshot length 262144 bytes',
  '07:52:04.387332 94:83:c4:10:00:01 > 52:54:00:a1:b2:40, ethertype IPv4 (0x0800), length 122: (tos 0x0, ttl 63, id 43278, offset 0, flags [DF], proto UDP (17), length 108)',
  '    198.51.100.10.40000 > 192.168.1.240.51820: UDP, length 80',
  'x.x.x.x dev br-lan lladdr aa:bb:xx:xx:xx:xx STALE',
  'Best regards',
);

describe('a text of mixed outputs', () => {
  it('gives the facts of all of them', () => {
    const { facts, frames, interfaces, summary } = readText(MIXED);
    expect(facts.map((fact) => fact.kind)).toEqual([
      'clock',
      'conntrack',
      'neighbor',
      'neighbor',
      'link',
      'address',
      'route',
      'rule',
      'fdb',
      'neighbor',
      'lease',
      'neighbor',
    ]);
    expect(frames).toHaveLength(1);
    expect(frames[0]).toMatchObject({ ip: '198.51.100.10 > 192.168.1.240', hopLimit: 63, ports: [40000, 51820] });
    expect(interfaces).toMatchObject([{ name: 'br-lan', linkType: 1 }]);
    expect(summary).toMatchObject({ unknownLines: 1, redacted: 1, isEvidence: true, frames: 1 });
  });

  it('is the same in any chunking', () => {
    const whole = readText(MIXED);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 }), (sizes) => {
        expect(readText(MIXED, sizes)).toEqual(whole);
      }),
      { numRuns: 40 },
    );
  });

  it('is the same with CRLF, a byte order mark, escape sequences and as UTF-16', () => {
    const facts = readText(MIXED).facts;
    expect(readText(MIXED.replaceAll('\n', '\r\n')).facts).toEqual(facts);
    expect(readText(`\uFEFF${MIXED}`).facts).toEqual(facts);
    expect(readText(MIXED.replaceAll('br-lan', '\u001b[36mbr-lan\u001b[0m')).facts).toEqual(facts);
    const wide = Buffer.from(`\uFEFF${MIXED}`, 'utf16le');
    expect(readText(wide, [3]).facts).toEqual(facts);
  });

  it('survives any mutation, in time', { timeout: 60_000 }, () => {
    const bytes = new TextEncoder().encode(MIXED);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 30 }),
        (changes) => {
          const mutated = Uint8Array.from(bytes);
          for (const [at, value] of changes) mutated[at] = value;
          readText(mutated);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    '(',
    '[',
    ' ',
    '.',
    ':',
    '1',
    'a ',
    '\\',
    'vlan 1, p 1, ',
    '> ',
    '(tos 0x0, ',
    'src=',
    '1.2.3.4 > ',
    '#',
    '{"',
    '<',
  ])('is read in time when a line repeats %j', { timeout: 5_000 }, (piece) => {
    for (const head of ['', '10.0.0.2 dev ', '07:52:04.387332 IP ', '# ', 'tcp 6 src=1.1.1.1 ', '2: br-lan: <UP> ']) {
      readText(`${head}${piece.repeat(60_000 / piece.length)}\n`.repeat(5));
    }
  });
});

describe('sections', () => {
  it('number each run of a command, and are dated by the clock before them', () => {
    const result = readText(
      lines(
        '# 1795247511.25 ip neigh',
        NEIGHBOR,
        NEIGHBOR,
        '1795247512',
        NEIGHBOR,
        '17:14:30',
        NEIGHBOR,
        '$ ip neigh',
        NEIGHBOR,
      ),
    );
    const neighbors = factsOf(result, 'neighbor');
    expect(neighbors.map((fact) => fact.time)).toEqual([
      1_795_247_511_250_000_000n,
      1_795_247_511_250_000_000n,
      1_795_247_512_000_000_000n,
      undefined,
      undefined,
    ]);
    const numbers = neighbors.map((fact) => fact.snapshot);
    expect(numbers[0]).toBe(numbers[1]);
    expect(new Set(numbers).size).toBe(4);
    expect(factsOf(result, 'clock')).toMatchObject([{ command: 'ip neigh' }, {}]);
  });

  it.each([
    ['2026-11-21T07:51:51Z', 1_795_247_511n],
    ['2026-11-21T08:51:51+01:00', 1_795_247_511n],
    ['2026-11-21 07:51:51', 1_795_247_511n],
    ['=== 2026-11-21 07:51:51 UTC ===', 1_795_247_511n],
    ['Sat Nov 21 07:51:51 UTC 2026', 1_795_247_511n],
    ['Sat Nov 21 08:51:51 CET 2026', 1_795_247_511n],
    ['Sat Nov 21 07:51:51 AM UTC 2026', 1_795_247_511n],
  ])('begin with a clock line: %s', (clock, seconds) => {
    expect(factsOf(readText(lines(clock, NEIGHBOR)), 'neighbor')[0]?.time).toBe(seconds * 1_000_000_000n);
  });

  it.each([
    'root@OpenWrt:~# ip neigh show',
    '[root@gateway ~]# ip neigh',
    'admin@router:/tmp$ ip neigh',
    '/ # ip neigh',
    '$ ip neigh',
    '# ip neigh',
    '+ ip neigh',
    'ip neigh',
    'root@OpenWrt:~#',
  ])('begin with a command line: %s', (command) => {
    const result = readText(lines(NEIGHBOR, command, NEIGHBOR));
    expect(result.summary.unknownLines).toBe(0);
    expect(new Set(result.facts.map((fact) => fact.snapshot)).size).toBe(2);
  });

  it('of a saved file are not dated by a clock that was read before it was printed', () => {
    const date = '1700000000.000000000';
    const timeAfter = (command: string): bigint | undefined =>
      factsOf(readText(lines(date, `root@OpenWrt:~# ${command}`, NEIGHBOR)), 'neighbor')[0]?.time;
    expect(timeAfter('cat dump-1/ip-neigh.txt')).toBeUndefined();
    expect(timeAfter('tail -n 5 /tmp/neigh.txt')).toBeUndefined();
    expect(timeAfter('ip neigh')).toBe(1_700_000_000_000_000_000n);
    expect(timeAfter('cat /proc/net/nf_conntrack')).toBe(1_700_000_000_000_000_000n);
    expect(timeAfter('cat -')).toBe(1_700_000_000_000_000_000n);
  });

  it('are partial where the command filters', () => {
    const partial = (command: string): unknown => readText(lines(`# ${command}`, ENTRY)).facts[0]?.partial;
    expect(partial('conntrack -L')).toBeUndefined();
    expect(partial('cat /proc/net/nf_conntrack')).toBeUndefined();
    expect(partial('conntrack -L -p udp')).toBe(true);
    expect(partial('cat /proc/net/nf_conntrack | grep OFFLOAD')).toBe(true);
  });
});

describe('what is no evidence', () => {
  it.each([
    [
      'prose',
      'The gateway 10.0.0.1 is at home. default via phone. We saw 02:11:22:33:44:55 dev somewhere.\n# not a command\n',
    ],
    ['lines inside JSON strings', JSON.stringify({ neigh: NEIGHBOR, list: [ENTRY, NEIGHBOR] }, null, 2)],
    ['JSON lines', lines(JSON.stringify({ flow: ENTRY }), JSON.stringify([{ text: NEIGHBOR }]))],
    ['a page', lines('<!DOCTYPE html>', '<pre>', NEIGHBOR, '</pre>', '</html>')],
    ['other XML', lines('<?xml version="1.0"?>', '<pdml>', NEIGHBOR, '</pdml>')],
    [
      'source code',
      lines("const line = '10.0.0.2 dev br-lan lladdr 02:11:22:33:44:55 STALE';", '  {', '  return 1;', '}'),
    ],
    ['an empty file', ''],
    ['a date', '2026-11-21T07:51:51Z\n'],
  ])('%s', (_, text) => {
    const result = readText(text);
    expect(result.facts.filter((fact) => fact.kind !== 'clock')).toEqual([]);
    expect(result.frames).toEqual([]);
    expect(result.summary.isEvidence).toBe(false);
  });

  it('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const result = readText(bytes, [7]);
        expect(result.facts).toEqual([]);
        expect(result.summary.isEvidence).toBe(false);
      }),
    );
  });

  it('a line beyond the bound is cut and said', () => {
    const result = readText(`${'x'.repeat(MAX_LINE * 3)}\n${NEIGHBOR}\n`, [1000]);
    expect(result.facts).toMatchObject([{ kind: 'neighbor', origin: { line: 2 } }]);
    expect(result.diagnostics).toMatchObject([{ id: 'line-too-long', line: 1 }]);
  });

  it('what a packet holds, printed below it', () => {
    const result = readText(
      lines(
        '07:52:04.387332 IP 10.0.0.1.80 > 10.0.0.2.40000: Flags [P.], seq 1:6, ack 1, win 500, length 5: HTTP',
        `\t${NEIGHBOR}`,
        `\t<!DOCTYPE html>`,
        '07:52:05.387332 IP 10.0.0.1.80 > 10.0.0.2.40000: Flags [.], ack 1, win 500, length 0',
      ),
    );
    expect(result.facts).toEqual([]);
    expect(result.frames).toHaveLength(2);
  });
});

describe.skipIf(!hasShared)('dumps of known faults', () => {
  const files = hasShared ? textFiles() : [];

  it('give as many facts as they have lines', () => {
    const odd: string[] = [];
    for (const file of files) {
      const text = readFileSync(sharedPath('captures', file), 'utf8');
      const result = readText(text);
      const count = (kind: Fact['kind']): number => factsOf(result, kind).length;
      const matching = (pattern: RegExp): number => text.split('\n').filter((line) => pattern.test(line)).length;
      if (/\.jsonl?$/.test(file)) continue;
      const state = /(?:STALE|REACHABLE|DELAY|PROBE|FAILED|INCOMPLETE) ?$/;
      const wanted: readonly [string, number, number][] = [
        ['conntrack', count('conntrack'), matching(/^[^<]*src=.*src=/) + matching(/<flow>/)],
        ['neighbor', count('neighbor'), matching(/^(\[.*\] )?[\d.]+ dev .* [A-Z]+ ?$/) + matching(/ 0x1 +0x[02] /)],
        ['rule', count('rule'), matching(/^\d+:\tfrom/)],
        ['clock', count('clock'), matching(/^# \d+\.\d+ /) + matching(/^\d{10}\.\d+ /)],
        ['address', count('address'), matching(/^ +inet6? /)],
        ['link', count('link'), matching(/^\d+: \S+: </)],
        [
          'route',
          count('route'),
          text.split('\n').filter((line) => /^(\w+ )?(default|[\d.]{7,}\S*) (via|dev) /.test(line) && !state.test(line))
            .length,
        ],
      ];
      for (const [kind, has, expected] of wanted)
        if (has !== expected) odd.push(`${file}: ${has} ${kind}, not ${expected}`);
    }
    expect(odd).toEqual([]);
    expect(files.length).toBeGreaterThan(100);
  });

  it('give nothing where a file is no evidence', () => {
    for (const file of files.filter((name) => /truth\.json$|\.jsonl$|sysctl|modules|uptime/.test(name))) {
      const result = readText(readFileSync(sharedPath('captures', file)));
      expect({ file, facts: result.facts, evidence: result.summary.isEvidence }).toEqual({
        file,
        facts: [],
        evidence: false,
      });
    }
  });

  it('say the same as JSON, XML and text', () => {
    const read = (name: string): TextResult => readText(readFileSync(sharedPath('captures/S1/dump-stale', name)));
    const shown = (result: TextResult, kind: Fact['kind']): unknown =>
      factsOf(result, kind).map((fact) =>
        Object.fromEntries(
          Object.entries(fact).filter(([key]) => !['origin', 'time', 'snapshot', 'flags'].includes(key)),
        ),
      );
    expect(shown(read('ip-neigh.json'), 'neighbor')).toEqual(shown(read('ip-neigh.txt'), 'neighbor'));
    expect(shown(read('ip-addr.json'), 'link')).toEqual(shown(read('ip-addr.txt'), 'link'));
    expect(shown(read('ip-addr.json'), 'address')).toEqual(shown(read('ip-addr.txt'), 'address'));
    expect(shown(read('bridge-fdb.json'), 'fdb')).toEqual(shown(read('bridge-fdb.txt'), 'fdb'));
  });
});

function textFiles(): string[] {
  return readdirSync(sharedPath('captures'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:txt|raw|log|json|jsonl)$/.test(name))
    .sort();
}
