import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { factsOf, readText } from '../support/read-text.js';

const BOUND =
  '0252a BND IPv4 5T orig=203.0.113.7:3578->198.51.100.2:38720 new=203.0.113.7:3578->192.168.81.11:38720 eth=34:60:f9:8d:f8:68->02:11:22:33:44:55 etype=0400 vlan=0,0 ib1=614108ef ib2=007ff035 packets=0 bytes=0';
const UNBOUND =
  '0006c UNB IPv4 5T orig=192.168.1.192:9993->192.168.1.101:60278 new=0.0.0.0:0->0.0.0.0:0 eth=00:00:00:00:00:00->00:00:00:00:00:00 etype=0000 vlan=0,0 ib1=50000196 ib2=00000000 packets=0 bytes=0';
const IPV6 =
  '01614 BND IPv6 5T orig=2001:0db8:0000:0000:0000:0000:0000:0007:443->fd00:000a:0000:0000:0000:0000:0000:0002:50000 eth=34:60:f9:8d:f8:68->02:11:22:33:44:55 etype=0200 vlan=10,0 ib1=214127b4 ib2=007ff020';
const AIROHA =
  '01da8 BND IPv4 5T orig=172.25.100.10:5201->172.25.100.104:58788 new=172.25.100.10:5201->172.25.100.104:58788 eth=6a:99:db:26:a1:2e->5e:db:c5:7a:f3:e0 etype=0801 data=017f0000 vlan=0,0 ib1=21000124 ib2=0003e0e1 packets=0 bytes=0';

const ECM = [
  'conns.conn.70.serial=70',
  'conns.conn.70.sip_address=192.168.1.20',
  'conns.conn.70.sip_address_nat=203.0.113.2',
  'conns.conn.70.sport=5000',
  'conns.conn.70.sport_nat=6000',
  'conns.conn.70.snode_address=02:11:22:33:44:55',
  'conns.conn.70.snode_address_nat=94:83:c4:00:00:0f',
  'conns.conn.70.dip_address=198.51.100.9',
  'conns.conn.70.dip_address_nat=198.51.100.9',
  'conns.conn.70.dport=443',
  'conns.conn.70.dport_nat=443',
  'conns.conn.70.dnode_address=00:00:0a:00:00:01',
  'conns.conn.70.ip_version=4',
  'conns.conn.70.protocol=6',
  'conns.conn.70.front_end_v4.ported.accel_mode=2',
  'conns.conn.71.sip_address=192.168.1.21',
  'conns.conn.71.dip_address=198.51.100.9',
  'conns.conn.71.dnode_address=00:00:0a:00:00:01',
  'conns.conn.71.front_end_v4.ported.accel_mode=0',
].join('\n');

describe('a packet engine table', () => {
  it('of MediaTek gives entries', () => {
    const [bound, unbound, ipv6] = factsOf(readText([BOUND, UNBOUND, IPV6, ''].join('\n')), 'hardware-entry');
    expect(bound).toMatchObject({
      engine: 'mediatek',
      index: '0252a',
      state: 'BND',
      bound: true,
      family: 4,
      protocol: 17,
      original: { src: '203.0.113.7', dst: '198.51.100.2', srcPort: 3578, dstPort: 38720 },
      translated: { src: '203.0.113.7', dst: '192.168.81.11', srcPort: 3578, dstPort: 38720 },
      srcMac: '34:60:f9:8d:f8:68',
      dstMac: '02:11:22:33:44:55',
      etherType: '0400',
      vlans: [],
    });
    expect(unbound).toMatchObject({ bound: false, state: 'UNB', original: { srcPort: 9993 } });
    expect(unbound).not.toHaveProperty('dstMac');
    expect(unbound).not.toHaveProperty('translated');
    expect(ipv6).toMatchObject({
      family: 6,
      protocol: 6,
      original: { src: '2001:db8::7', dst: 'fd00:a::2', srcPort: 443, dstPort: 50000 },
      vlans: [10],
    });
    expect(ipv6).not.toHaveProperty('translated');
  });

  it('of Airoha gives entries, without a protocol', () => {
    const [entry] = factsOf(readText(`${AIROHA}\n`), 'hardware-entry');
    expect(entry).toMatchObject({ engine: 'airoha', dstMac: '5e:db:c5:7a:f3:e0', etherType: '0801' });
    expect(entry).not.toHaveProperty('protocol');
  });

  it('is dated by the clock before it', () => {
    const result = readText(`# 1795247511.25 cat /sys/kernel/debug/ppe0/bind\n${BOUND}\n`);
    expect(factsOf(result, 'hardware-entry')[0]?.time).toBe(1_795_247_511_250_000_000n);
    expect(result.summary.unknownLines).toBe(0);
  });

  it.each([
    ['a hidden address', BOUND.replace('203.0.113.7', 'x.x.x.x')],
    ['a hidden translation', BOUND.replace('192.168.81.11', 'y.x.x.x')],
    ['a hidden MAC', BOUND.replace('02:11:22:33:44:55', 'aa:bb:xx:xx:xx:xx')],
  ])('with %s teaches nothing', (_, line) => {
    const { facts, summary } = readText(`${line}\n`);
    expect(facts).toEqual([]);
    expect(summary).toMatchObject({ redacted: 1, unknownLines: 0 });
  });

  it.each([
    BOUND.slice(0, 120),
    `see ${BOUND}`,
    BOUND.replace('BND', 'bound'),
    '0252a BND IPv4 5T orig=1.2.3.4:5 was bound, and eth=-> too',
    BOUND.replace('02:11:22:33:44:55', 'a-mac'),
  ])('is not: %s', (line) => {
    expect(readText(`${line}\n`).facts).toEqual([]);
  });
});

describe('the state of the connection manager', () => {
  it('gives an entry for each direction of an accelerated connection', () => {
    const [forth, back, ...more] = factsOf(readText(`${ECM}\n`), 'hardware-entry');
    expect(forth).toMatchObject({
      engine: 'qualcomm',
      index: '70',
      bound: true,
      protocol: 6,
      original: { src: '192.168.1.20', dst: '198.51.100.9', srcPort: 5000, dstPort: 443 },
      translated: { src: '203.0.113.2', dst: '198.51.100.9', srcPort: 6000, dstPort: 443 },
      dstMac: '00:00:0a:00:00:01',
    });
    expect(back).toMatchObject({
      original: { src: '198.51.100.9', dst: '203.0.113.2', srcPort: 443, dstPort: 6000 },
      translated: { src: '198.51.100.9', dst: '192.168.1.20', srcPort: 443, dstPort: 5000 },
      dstMac: '02:11:22:33:44:55',
    });
    expect(more).toMatchObject([{ index: '71', bound: false, state: '0' }]);
    expect(more[0]).not.toHaveProperty('dstMac');
  });

  it('with hidden addresses teaches nothing', () => {
    const { facts, summary } = readText(`${ECM.replaceAll('192.168.1.20', 'x.x.x.x')}\n`);
    expect(facts.map((fact) => fact.kind)).toEqual(['hardware-entry']);
    expect(summary.redacted).toBe(1);
  });
});

describe('tables that were damaged', () => {
  it('are read in time, without invented MACs', () => {
    const bytes = new TextEncoder().encode([BOUND, IPV6, AIROHA, ECM, ''].join('\n'));
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 32, max: 126 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (changes) => {
        const mutated = Uint8Array.from(bytes);
        for (const [at, value] of changes) mutated[at] = value;
        for (const entry of factsOf(readText(mutated), 'hardware-entry')) {
          expect(entry.dstMac ?? '00:00:00:00:00:00').toMatch(/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/);
          expect(entry.bound || entry.dstMac === undefined).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it.each(['->', 'orig=', ':', 'a', 'eth=', ' '])('in time when a line repeats %j', { timeout: 5_000 }, (piece) => {
    for (const head of ['0252a BND IPv4 5T ', 'conns.conn.1.sip_address=']) {
      readText(`${head}${piece.repeat(60_000 / piece.length)}\n`.repeat(5));
    }
  });
});
