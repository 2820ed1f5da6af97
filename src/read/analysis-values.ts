/** What single values of a saved analysis may be: times, addresses, ids, and the words that stand for a choice. */

import type {
  ClockOffset,
  Confidence,
  Considered,
  Mapping,
  Moment,
  NetworkEvent,
  OffloadGuard,
  OffloadSpan,
  Onset,
  Recovery,
  RulesetCheck,
  Verdict,
  WitnessKind,
} from '../model.js';
import { type Form, oneOf } from './shape.js';

export const TIME: Form = { form: /^(?:-?\d{1,20})?$/, is: 'no time' };
export const HASH: Form = { form: /^(?:[0-9a-f]{64})?$/, is: 'no SHA-256' };
export const MAC: Form = { form: /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/, is: 'no MAC address' };
export const IP: Form = { form: /^[0-9a-f:.]{2,45}$/, is: 'no IP address' };
export const IP_OR_NONE: Form = { form: /^(?:[0-9a-f:.]{2,45})?$/, is: 'no IP address' };
export const ID: Form = { form: /^[\w.:-]{1,80}$/, is: 'no id' };

export const VERDICT = oneOf<Verdict>({ misdelivered: true, delivered: true, 'not-judged': true });
export const CONFIDENCE = oneOf<Confidence>({ proven: true, strong: true, suspected: true });
export const DIRECTION = oneOf<Mapping['direction']>({ original: true, reply: true });
export const WITNESS_KIND = oneOf<WitnessKind>({
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
export const MOMENT_SOURCE = oneOf<Moment['source']>({
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

export const OFFLOAD_KIND = oneOf<OffloadSpan['kind']>({ software: true, hardware: true, inferred: true });
export const ONSET_AFTER = oneOf<Onset['after']>({
  'take-over': true,
  'route-change': true,
  offload: true,
  unknown: true,
});
export const RECOVERY_BY = oneOf<Recovery['by']>({
  'conntrack-deleted': true,
  'offload-ended': true,
  'firewall-reload': true,
  'capture-ended': true,
  unknown: true,
});
export const CONSIDERED = oneOf<Considered['result']>({ 'ruled-out': true, 'not-evaluated': true });
export const RULESET_RESULT = oneOf<RulesetCheck['result']>({ fault: true, risk: true, fine: true });
export const CLOCK_BY = oneOf<ClockOffset['by']>({ frames: true, conntrack: true });
export const GUARD_EFFECT = oneOf<OffloadGuard['effect']>({ works: true, never: true, all: true, partly: true });
export const EVENT_KIND = oneOf<NetworkEvent['kind']>({
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
