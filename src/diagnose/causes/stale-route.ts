/**
 * A flowtable entry with a copied MAC never checks its route again (nf_flow_table_ip.c: nf_flow_dst_check is true for
 * FLOW_OFFLOAD_XMIT_DIRECT), and goes on to a gateway that no table leads to any more.
 */

import type { Host } from '../../reconstruct/hosts.js';
import { lostGateways } from '../../reconstruct/next-hop-history.js';
import type { RouteFact, RuleFact } from '../../records/facts.js';
import { COLLECT_CONNTRACK, deleteEntries, deviceOf, plain } from '../advice.js';
import { faultOf } from '../case.js';
import { confidenceOf, type Cause } from '../cause.js';
import { hostName } from '../lan-gateway.js';

export const staleRoute: Cause = {
  id: 'stale-route',
  title: 'The offloaded flow keeps a next hop that the routes no longer name',
  classes: ['wrong-next-hop'],
  explain(scene, kase, tests) {
    const fault = faultOf(kase);
    if (fault?.kind !== 'lost' || !fault.change) {
      return { fits: 'no', because: 'The tables led to the same gateways throughout, as far as they are known.' };
    }
    if (!tests.showOffload) {
      return { fits: 'unknown', because: 'Nothing shows that the flow was offloaded.', collect: COLLECT_CONNTRACK };
    }
    const right = kase.expected.map((mac) => hostName(scene, mac)).join(' or ');
    return {
      fits: 'yes',
      confidence: confidenceOf(kase, tests),
      summary: `Packets for ${scene.r.addresses.format(kase.dstIp)} went on to ${hostName(scene, fault.gateway)} after ${fault.change.what} was gone, and no table led there any more; ${right} was the way.`,
      change: [
        { what: 'Now: delete the entry; the next packet is looked up anew.', commands: deleteEntries(kase) },
        {
          what: `For good: list ${deviceOf(scene, kase)} in the flowtable instead of its ports, so that entries check their route; delete the entries whenever a rule changes.`,
          commands: ['nft list flowtables'],
        },
      ],
      collect: [],
    };
  },
  *notEvaluated(scene) {
    for (const host of scene.around.hosts) {
      if (lostGateways(host, scene.r.epoch).length > 0) continue;
      const gone = [...host.rules, ...host.routes].find((fact) => isGoneUndated(host, fact));
      if (!gone) continue;
      const what = gone.kind === 'rule' ? `a rule for table ${plain(gone.table ?? '')}` : `the route ${gone.prefix}`;
      yield {
        because: `${what} was there at one time and not at another, and nothing says when: flows that went on to its gateway are not told from those of before.`,
        collect: 'ip -ts monitor rule route; date +%s.%N; ip rule show; ip route show table all',
      };
    }
  },
};

/** Whether a rule or route that leads to a gateway was deleted by an event without a time, or is in one dump without a time and not in another one. */
function isGoneUndated(host: Host, fact: RuleFact | RouteFact): boolean {
  if (fact.time !== undefined) return false;
  if (fact.kind === 'route') return fact.event === 'deleted' && fact.nextHops.some(({ via }) => via !== undefined);
  const isMarked = fact.mark !== undefined && fact.action === 'lookup';
  if (!isMarked || !leadsToGateway(host, fact)) return false;
  return fact.event === 'deleted' || (fact.event === undefined && isMissing(host, fact));
}

function leadsToGateway(host: Host, { table }: RuleFact): boolean {
  return host.routes.some((route) => route.table === table && route.nextHops.some(({ via }) => via !== undefined));
}

/** Whether a complete list of rules (IPv4 alone has a table `default`) of another input lacks it. */
function isMissing(host: Host, fact: RuleFact): boolean {
  const isSame = (rule: RuleFact): boolean => rule.table === fact.table && rule.mark === fact.mark;
  const lists = new Map<number, RuleFact[]>();
  for (const rule of host.rules) {
    if (rule.event !== undefined || rule.time !== undefined || rule.partial) continue;
    const list = lists.get(rule.origin.input);
    if (list) list.push(rule);
    else lists.set(rule.origin.input, [rule]);
  }
  return [...lists.values()].some((list) => list.some(({ table }) => table === 'default') && !list.some(isSame));
}
