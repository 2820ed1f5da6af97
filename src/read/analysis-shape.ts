/** What a saved analysis must look like, member by member (`model.ts`, `schema/analysis.schema.json`). */

import type {
  Analysis,
  ClockOffset,
  Confidence,
  Considered,
  Flow,
  InputKind,
  Mapping,
  MisdeliveryClass,
  Moment,
  NetworkEvent,
  OffloadGuard,
  OffloadSpan,
  Onset,
  Prediction,
  Recovery,
  RulesetCheck,
  System,
  TestResult,
  Transit,
  Verdict,
  WitnessKind,
} from '../model.js';
import { type Form, oneOf, type Shape } from './shape.js';

const TIME: Form = { form: /^(?:-?\d{1,20})?$/, is: 'no time' };
const HASH: Form = { form: /^(?:[0-9a-f]{64})?$/, is: 'no SHA-256' };
const MAC: Form = { form: /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/, is: 'no MAC address' };
const IP: Form = { form: /^[0-9a-f:.]{2,45}$/, is: 'no IP address' };
const IP_OR_NONE: Form = { form: /^(?:[0-9a-f:.]{2,45})?$/, is: 'no IP address' };
const ID: Form = { form: /^[\w.:-]{1,80}$/, is: 'no id' };

const VERDICT = oneOf<Verdict>({ misdelivered: true, delivered: true, 'not-judged': true });
const CONFIDENCE = oneOf<Confidence>({ proven: true, strong: true, suspected: true });
const DIRECTION = oneOf<Mapping['direction']>({ original: true, reply: true });
const WITNESS_KIND = oneOf<WitnessKind>({
  map: true,
  'arp-reply': true,
  'arp-gratuitous': true,
  'arp-request': true,
  'nd-advertisement': true,
  'nd-unsolicited': true,
  'nd-solicitation': true,
  'nd-router': true,
  'dhcp-ack': true,
  originated: true,
  'neighbor-event': true,
  'neighbor-entry': true,
  lease: true,
  'own-frame': true,
  'fdb-event': true,
  'fdb-entry': true,
  ingress: true,
  'route-change': true,
  'route-entry': true,
});
const MOMENT_SOURCE = oneOf<Moment['source']>({
  event: true,
  snapshot: true,
  destroyed: true,
  reload: true,
  trigger: true,
  'left-bridge': true,
  unseen: true,
  latency: true,
  idle: true,
  fin: true,
});

const OFFLOAD_KIND = oneOf<OffloadSpan['kind']>({ software: true, hardware: true, inferred: true });
const ONSET_AFTER = oneOf<Onset['after']>({ 'take-over': true, 'route-change': true, offload: true, unknown: true });
const RECOVERY_BY = oneOf<Recovery['by']>({
  'conntrack-deleted': true,
  'offload-ended': true,
  'firewall-reload': true,
  'capture-ended': true,
  unknown: true,
});
const CONSIDERED = oneOf<Considered['result']>({ 'ruled-out': true, 'not-evaluated': true });
const RULESET_RESULT = oneOf<RulesetCheck['result']>({ fault: true, risk: true, fine: true });
const CLOCK_BY = oneOf<ClockOffset['by']>({ frames: true, conntrack: true });
const GUARD_EFFECT = oneOf<OffloadGuard['effect']>({ works: true, never: true, all: true, partly: true });
const EVENT_KIND = oneOf<NetworkEvent['kind']>({
  'take-over': true,
  arp: true,
  nd: true,
  dhcp: true,
  neighbor: true,
  fdb: true,
  route: true,
  rule: true,
  port: true,
  station: true,
  'firewall-reload': true,
  'conntrack-deleted': true,
});

const ORIGIN: Shape = { input: 'string', 'frame?': 'count', 'line?': 'count' };
const WITNESS: Shape = {
  kind: WITNESS_KIND,
  ip: IP_OR_NONE,
  mac: MAC,
  'port?': 'string',
  'time?': TIME,
  'origin?': ORIGIN,
};
const TUPLE = {
  srcIp: IP,
  dstIp: IP,
  protocol: 'count',
  'srcPort?': 'count',
  'dstPort?': 'count',
} as const;

const MOMENT: Shape = { time: TIME, 'earliest?': TIME, source: MOMENT_SOURCE, origin: ORIGIN };

const FELT: Shape = {
  duration: TIME,
  frames: 'count',
  queries: 'count',
  unanswered: 'count',
  retransmissions: 'count',
  handshakesRepeated: 'count',
  longestStall: TIME,
};
const DELAY: Shape = { median: TIME, packets: 'count' };
const IMPACT: Shape = { before: FELT, during: FELT, after: FELT };

const TRANSIT: Shape = {
  direction: DIRECTION,
  phase: oneOf<Transit['phase']>({ before: true, misdelivered: true, meanwhile: true, after: true }),
  joinedBy: oneOf<Transit['joinedBy']>({ conntrack: true, fingerprint: true }),
  'boomerang?': 'boolean',
  sightings: [
    {
      input: 'string',
      frame: 'count',
      time: TIME,
      device: 'string',
      'vlan?': 'count',
      srcMac: MAC,
      dstMac: MAC,
      hopLimit: 'count',
      'translated?': TUPLE,
      'misdelivered?': 'boolean',
    },
  ],
};

export const ANALYSIS: Shape = {
  version: 'string',
  generator: { name: 'string', version: 'string' },
  verdict: VERDICT,
  totals: { frames: 'count', delivered: 'count', misdelivered: 'count', notJudged: 'count' },
  inputs: [
    {
      name: 'string',
      kind: oneOf<InputKind>({ pcap: true, pcapng: true, text: true, analysis: true, unknown: true, empty: true }),
      sha256: HASH,
      bytes: 'count',
      'moved?': TIME,
      'frames?': 'count',
      'firstTime?': TIME,
      'lastTime?': TIME,
      'interfaces?': [
        {
          index: 'count',
          device: 'string',
          linkType: 'number',
          frames: 'count',
          'filter?': 'string',
          'snapLength?': 'count',
          'dropped?': 'count',
        },
      ],
      'facts?': 'any',
      'unknownLines?': 'count',
    },
  ],
  'window?': { 'from?': TIME, 'to?': TIME },
  misdeliveries: [
    {
      id: ID,
      input: 'string',
      device: 'string',
      'vlan?': 'count',
      srcMac: MAC,
      dstMac: MAC,
      dstIp: IP,
      expected: [MAC],
      frames: 'count',
      frameRanges: ['range'],
      firstTime: TIME,
      lastTime: TIME,
      flows: [ID],
      'cause?': ID,
      'confidence?': CONFIDENCE,
      'class?': oneOf<MisdeliveryClass>({
        convergence: true,
        'wrong-next-hop': true,
        'wrong-port': true,
        'wrong-egress': true,
      }),
      because: [WITNESS],
      'notBefore?': { frame: 'count', time: TIME, frames: 'count', heard: WITNESS },
      evidence: [
        {
          ...TUPLE,
          frame: 'count',
          time: TIME,
          srcMac: MAC,
          dstMac: MAC,
          'hopLimit?': 'count',
          length: 'count',
          'vlan?': 'count',
        },
      ],
    },
  ],
  flows: [
    {
      id: ID,
      original: TUPLE,
      reply: TUPLE,
      joinedBy: oneOf<Flow['joinedBy']>({ conntrack: true, addresses: true }),
      offload: [{ kind: OFFLOAD_KIND, from: MOMENT, 'to?': MOMENT }],
      misdelivered: 'count',
      mappings: [
        {
          id: ID,
          direction: DIRECTION,
          input: 'string',
          device: 'string',
          'vlan?': 'count',
          srcMac: MAC,
          dstMac: MAC,
          frames: 'count',
          bytes: 'count',
          firstFrame: 'count',
          lastFrame: 'count',
          firstTime: TIME,
          lastTime: TIME,
          'folded?': 'boolean',
          verdict: VERDICT,
          delivered: 'count',
          misdelivered: 'count',
          notJudged: 'count',
          expected: [MAC],
        },
      ],
      'forwarding?': [{ direction: DIRECTION, from: 'string', to: 'string', 'classic?': DELAY, 'offloaded?': DELAY }],
      'transits?': [TRANSIT],
      'impact?': IMPACT,
    },
  ],
  bindings: [
    {
      network: 'count',
      ip: IP,
      mac: MAC,
      'from?': TIME,
      'to?': TIME,
      'conflict?': 'boolean',
      witnesses: [WITNESS],
    },
  ],
  findings: [
    {
      id: ID,
      cause: ID,
      confidence: CONFIDENCE,
      title: 'string',
      summary: 'string',
      explains: [ID],
      'onset?': { time: TIME, origin: ORIGIN, after: ONSET_AFTER, 'since?': TIME },
      'recovery?': { time: TIME, by: RECOVERY_BY },
      tests: [
        {
          id: ID,
          title: 'string',
          result: oneOf<TestResult['result']>({ yes: true, no: true, unknown: true }),
          what: 'string',
          evidence: [ORIGIN],
          'table?': {
            offloadedRight: 'count',
            offloadedWrong: 'count',
            otherRight: 'count',
            otherWrong: 'count',
            probability: 'number',
          },
        },
      ],
      considered: [{ cause: ID, result: CONSIDERED, because: 'string', 'collect?': 'string' }],
      change: [{ what: 'string', commands: ['string'] }],
      collect: ['string'],
    },
  ],
  observations: [{ cause: ID, title: 'string', summary: 'string', 'time?': TIME, evidence: [ORIGIN] }],
  predictions: [
    {
      cause: ID,
      title: 'string',
      summary: 'string',
      confidence: oneOf<Prediction['confidence']>({ 'config-only': true }),
      prove: ['string'],
      change: [{ what: 'string', commands: ['string'] }],
      evidence: [ORIGIN],
    },
  ],
  'ruleset?': [{ id: ID, result: RULESET_RESULT, what: 'string', evidence: [ORIGIN] }],
  notJudged: [{ reason: ID, frames: 'count', what: 'string', 'collect?': 'string', inputs: ['string'] }],
  diagnostics: [
    {
      id: ID,
      'input?': 'string',
      'frame?': 'count',
      'offset?': 'count',
      'line?': 'count',
      what: 'string',
      action: 'string',
      'count?': 'count',
    },
  ],
  'events?': [
    {
      time: TIME,
      kind: EVENT_KIND,
      what: 'string',
      'device?': 'string',
      'ip?': IP,
      'mac?': MAC,
      origin: ORIGIN,
    },
  ],
  'impact?': IMPACT,
  'clocks?': [{ input: 'string', against: 'string', offset: TIME, uncertainty: TIME, by: CLOCK_BY, pairs: 'count' }],
  'systems?': [
    {
      inputs: ['string'],
      'kernel?': 'string',
      'distribution?': 'string',
      'board?': 'string',
      offloads: oneOf<System['offloads']>({ yes: true, no: true, likely: true, unknown: true }),
      flowtables: [{ name: 'string', devices: ['string'], 'hardware?': 'boolean' }],
      guards: [{ rule: 'string', effect: GUARD_EFFECT }],
      'connections?': { seen: 'count', offloaded: 'count', hardware: 'count' },
    },
  ],
  'filter?': {
    expression: 'string',
    sentence: 'string',
    misdeliveries: 'count',
    flows: 'count',
    findings: 'count',
  },
  'redacted?': oneOf<NonNullable<Analysis['redacted']>>({ default: true, strict: true }),
  'partial?': 'boolean',
};
