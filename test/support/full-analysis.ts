import type { Analysis, Felt, Impact } from '../../src/model.js';

/** `T` with everything optional made required, all the way down: a value of it leaves nothing out. */
type Full<T> = T extends readonly unknown[]
  ? { [K in keyof T]: Full<T[K]> }
  : T extends object
    ? { [K in keyof T]-?: Full<T[K]> }
    : T;

const MAC = { router: '94:83:c4:10:00:01', old: '52:54:00:a1:b2:40', young: '02:42:c0:a8:01:f0' };

const felt = (frames: number, unanswered: number): Full<Felt> => ({
  duration: '4000000000',
  frames,
  queries: 4,
  unanswered,
  retransmissions: 1,
  handshakesRepeated: 2,
  longestStall: '2000000000',
});
const impact: Full<Impact> = { before: felt(4, 0), during: felt(5, 4), after: felt(3, 0) };

/** Every property that the JSON of an analysis may have. The compiler keeps it complete. */
export const fullAnalysis: Full<Omit<Analysis, 'eachFrame'>> = {
  version: '1.0',
  generator: { name: 'macscan', version: '0.1.0' },
  verdict: 'misdelivered',
  totals: { frames: 12, delivered: 4, misdelivered: 5, notJudged: 3 },
  inputs: [
    {
      name: 'router.pcapng.gz',
      kind: 'pcapng',
      sha256: 'ab'.repeat(32),
      bytes: 1200,
      moved: '-90000000000',
      frames: 12,
      firstTime: '1795247482420006000',
      lastTime: '1795247488420006999',
      interfaces: [
        { index: 0, device: 'br-lan', linkType: 1, frames: 12, filter: 'udp or arp', snapLength: 262144, dropped: 0 },
      ],
      facts: { conntrack: 3, neighbor: 2 },
      unknownLines: 1,
    },
  ],
  window: { from: '1795247482000000000', to: '1795247489000000000' },
  misdeliveries: [
    {
      id: 'M1',
      input: 'router.pcapng.gz',
      device: 'br-lan',
      vlan: 20,
      srcMac: MAC.router,
      dstMac: MAC.old,
      dstIp: '192.168.1.240',
      expected: [MAC.young],
      frames: 5,
      frameRanges: [
        [3, 5],
        [9, 10],
      ],
      firstTime: '1795247483000000000',
      lastTime: '1795247487000000000',
      flows: ['F1'],
      cause: 'stale-mac',
      confidence: 'strong',
      class: 'wrong-next-hop',
      because: [
        {
          kind: 'arp-gratuitous',
          ip: '192.168.1.240',
          mac: MAC.young,
          port: 'lan3',
          time: '1795247482500000000',
          origin: { input: 'router.pcapng.gz', frame: 2, line: 1 },
        },
      ],
      notBefore: {
        frame: 1,
        time: '1795247482600000000',
        frames: 2,
        heard: {
          kind: 'ingress',
          ip: '192.168.1.240',
          mac: MAC.old,
          port: 'lan1',
          time: '1795247482550000000',
          origin: { input: 'router.pcapng.gz', frame: 1, line: 1 },
        },
      },
      evidence: [
        {
          frame: 3,
          time: '1795247483000000000',
          srcMac: MAC.router,
          dstMac: MAC.old,
          srcIp: '198.51.100.10',
          dstIp: '192.168.1.240',
          protocol: 17,
          srcPort: 40000,
          dstPort: 51820,
          hopLimit: 63,
          length: 142,
          vlan: 20,
        },
      ],
    },
  ],
  flows: [
    {
      id: 'F1',
      original: { srcIp: '198.51.100.10', dstIp: '203.0.113.2', protocol: 17, srcPort: 40000, dstPort: 51820 },
      reply: { srcIp: '192.168.1.240', dstIp: '198.51.100.10', protocol: 17, srcPort: 51820, dstPort: 40000 },
      joinedBy: 'conntrack',
      offload: [
        {
          kind: 'software',
          from: {
            time: '1795247482600000000',
            earliest: '1795247482500000000',
            source: 'snapshot',
            origin: { input: 'conntrack.log', frame: 1, line: 4 },
          },
          to: {
            time: '1795247488600000000',
            earliest: '1795247488500000000',
            source: 'destroyed',
            origin: { input: 'conntrack.log', frame: 1, line: 9 },
          },
        },
      ],
      misdelivered: 5,
      mappings: [
        {
          id: 'F1.1',
          direction: 'original',
          input: 'router.pcapng.gz',
          device: 'br-lan',
          vlan: 20,
          srcMac: MAC.router,
          dstMac: MAC.old,
          frames: 5,
          bytes: 710,
          firstFrame: 3,
          lastFrame: 10,
          firstTime: '1795247483000000000',
          lastTime: '1795247487000000000',
          folded: true,
          verdict: 'misdelivered',
          delivered: 0,
          misdelivered: 5,
          notJudged: 0,
          expected: [MAC.young],
        },
      ],
      transits: [
        {
          direction: 'original',
          phase: 'misdelivered',
          joinedBy: 'fingerprint',
          boomerang: true,
          sightings: [
            {
              input: 'router.pcapng.gz',
              frame: 3,
              time: '1795247483000000000',
              device: 'br-lan',
              vlan: 20,
              srcMac: MAC.router,
              dstMac: MAC.old,
              hopLimit: 63,
              translated: {
                srcIp: '198.51.100.10',
                dstIp: '192.168.1.240',
                protocol: 17,
                srcPort: 40000,
                dstPort: 51820,
              },
              misdelivered: true,
            },
          ],
        },
      ],
      impact,
      forwarding: [
        {
          direction: 'original',
          from: 'wan',
          to: 'lan3',
          classic: { median: '900000', packets: 2 },
          offloaded: { median: '100000', packets: 9 },
        },
      ],
    },
  ],
  bindings: [
    {
      network: 1,
      ip: 'fd00::240',
      mac: MAC.young,
      from: '1795247482500000000',
      to: '1795247487000000000',
      conflict: true,
      witnesses: [
        {
          kind: 'nd-unsolicited',
          ip: 'fd00::240',
          mac: MAC.young,
          port: 'lan3',
          time: '1795247482500000000',
          origin: { input: 'router.pcapng.gz', frame: 2, line: 1 },
        },
      ],
    },
  ],
  findings: [
    {
      id: 'C1',
      cause: 'stale-mac',
      confidence: 'proven',
      title: 'Stale MAC',
      summary: 'The flow kept it.',
      explains: ['M1'],
      onset: {
        time: '1795247483000000000',
        origin: { input: 'router.pcapng.gz', frame: 3, line: 1 },
        after: 'take-over',
        since: '1795247482500000000',
      },
      recovery: { time: '1795247487000000000', by: 'conntrack-deleted' },
      tests: [
        {
          id: 'D1',
          title: 'Did other traffic to the address go right?',
          result: 'yes',
          what: 'It did.',
          evidence: [{ input: 'router.pcapng.gz', frame: 7, line: 1 }],
          table: { offloadedRight: 0, offloadedWrong: 5, otherRight: 4, otherWrong: 0, probability: 0.0079 },
        },
      ],
      considered: [
        { cause: 'policy-routing', result: 'ruled-out', because: 'There is no mark.', collect: 'ip rule show' },
      ],
      change: [{ what: 'Do not list bridge ports.', commands: ['nft -f new.nft'] }],
      collect: ['conntrack -E -o timestamp'],
    },
  ],
  observations: [
    {
      cause: 'virtual-router',
      title: 'A virtual router',
      summary: 'Its MAC is shared.',
      time: '1795247482500000000',
      evidence: [{ input: 'router.pcapng.gz', frame: 2, line: 1 }],
    },
  ],
  predictions: [
    {
      cause: 'pbr-next-hop',
      title: 'Offloaded replies will go to the next hop of the marked table',
      summary: 'They get the route of table 100.',
      confidence: 'config-only',
      prove: ['ip route get 192.168.1.20 oif br-lan mark 0xff'],
      change: [{ what: 'Give the table the network.', commands: ['ip route add 192.168.1.0/24 dev br-lan table 100'] }],
      evidence: [{ input: 'ip-rule.txt', frame: 1, line: 2 }],
    },
  ],
  ruleset: [
    {
      id: 'guard-never-matches',
      result: 'fault',
      what: 'It keeps nothing out.',
      evidence: [{ input: 'ruleset.nft', frame: 1, line: 9 }],
    },
  ],
  notJudged: [
    {
      reason: 'no-witness',
      frames: 3,
      what: 'Nobody said which MAC has the destination address.',
      collect: 'tcpdump -i br-lan -e -w br-lan.pcap',
      inputs: ['router.pcapng.gz'],
    },
  ],
  diagnostics: [
    {
      id: 'cut-short',
      input: 'router.pcapng.gz',
      frame: 12,
      offset: 1190,
      line: 1,
      what: 'It ends.',
      action: 'Kept.',
      count: 2,
    },
  ],
  events: [
    {
      time: '1795247482500000000',
      kind: 'take-over',
      what: '192.168.1.240 moved to another MAC.',
      device: 'br-lan',
      ip: '192.168.1.240',
      mac: MAC.young,
      origin: { input: 'router.pcapng.gz', frame: 2, line: 1 },
    },
  ],
  impact,
  clocks: [
    {
      input: 'client.pcap',
      against: 'router.pcapng.gz',
      offset: '-1200000',
      uncertainty: '300000',
      by: 'frames',
      pairs: 9,
    },
  ],
  systems: [
    {
      inputs: ['nft-ruleset.txt', 'uname.txt'],
      kernel: '6.6.86',
      distribution: 'OpenWrt 24.10.2 r28739-d9340319c6 mediatek/filogic',
      board: 'Example AX',
      offloads: 'yes',
      flowtables: [{ name: 'inet fw4 ft', devices: ['lan1', 'wan'], hardware: false }],
      guards: [{ rule: 'ct status dnat return', effect: 'works' }],
      connections: { seen: 12, offloaded: 3, hardware: 0 },
    },
  ],
  filter: {
    expression: 'ip:192.168.1.240',
    sentence: '5 of 9 judged frames went wrong.',
    misdeliveries: 2,
    flows: 3,
    findings: 1,
  },
  redacted: 'default',
  partial: true,
};
