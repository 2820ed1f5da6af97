/** What a filter looks at, of each thing that is listed. Runs in the report's page as well. */

import type { Analysis, Finding, Flow, MisdeliveredLeg, Misdelivery, Tuple } from '../model.js';
import type { FilterSubject } from './filter.js';
import { protocolName } from './words.js';

/** Answers for one analysis; what belongs together is looked up once. */
export class FilterSubjects {
  private readonly flows: ReadonlyMap<string, Flow>;
  private readonly misdeliveries: ReadonlyMap<string, Misdelivery>;
  private readonly byFlow = new Map<string, Misdelivery[]>();

  constructor(analysis: Pick<Analysis, 'flows' | 'misdeliveries'>) {
    this.flows = new Map(analysis.flows.map((flow) => [flow.id, flow]));
    this.misdeliveries = new Map(analysis.misdeliveries.map((m) => [m.id, m]));
    for (const m of analysis.misdeliveries) {
      for (const id of m.flows) {
        const list = this.byFlow.get(id);
        if (list) list.push(m);
        else this.byFlow.set(id, [m]);
      }
    }
  }

  misdelivery(m: Misdelivery): FilterSubject {
    const flows = m.flows.map((id) => this.flows.get(id)).filter((flow) => flow !== undefined);
    const tuples = flows.flatMap(({ original, reply }) => [original, reply]);
    return subject({
      ips: [m.dstIp, ...tuples.flatMap(ipsOf)],
      macs: [m.srcMac, m.dstMac, ...m.expected],
      devices: [m.device],
      flags: [...flagsOf(m), ...(flows.some((flow) => flow.offload.length > 0) ? ['offloaded'] : [])],
      causes: m.cause === undefined ? [] : [m.cause],
      flows: m.flows,
      words: [m.id, m.input, ...tuples.map(({ protocol }) => protocolName(protocol))],
    });
  }

  flow(flow: Flow): FilterSubject {
    const own = this.byFlow.get(flow.id) ?? [];
    return subject({
      ips: [flow.original, flow.reply].flatMap(ipsOf),
      macs: [
        ...flow.mappings.flatMap((mapping) => [mapping.srcMac, mapping.dstMac, ...mapping.expected]),
        ...own.flatMap((m) => [m.srcMac, m.dstMac, ...m.expected]),
      ],
      devices: [...flow.mappings.map(({ device }) => device), ...own.map(({ device }) => device)],
      flags: [
        ...flow.mappings.map(({ verdict }) => verdict),
        ...own.flatMap(flagsOf),
        ...(flow.offload.length > 0 ? ['offloaded'] : []),
      ],
      causes: own.map(({ cause }) => cause).filter((cause) => cause !== undefined),
      flows: [flow.id],
      words: [protocolName(flow.original.protocol), ...own.map(({ input }) => input)],
    });
  }

  /** All that its misdeliveries have. */
  finding(finding: Finding): FilterSubject {
    const own = finding.explains.map((id) => this.misdeliveries.get(id)).filter((m) => m !== undefined);
    const parts = own.map((m) => this.misdelivery(m));
    return subject({
      ips: parts.flatMap(({ ips }) => ips),
      macs: parts.flatMap(({ macs }) => macs),
      devices: parts.flatMap(({ devices }) => devices),
      flags: [finding.confidence, ...parts.flatMap(({ flags }) => flags)],
      causes: [finding.cause],
      flows: parts.flatMap(({ flows }) => flows),
      words: [finding.id, finding.title, finding.summary, ...parts.map(({ text }) => text)],
    });
  }

  /** Of each of its misdelivered frames. */
  leg(leg: MisdeliveredLeg): FilterSubject {
    const m = this.misdeliveries.get(leg.misdelivery);
    const flow = leg.flow === undefined ? undefined : this.flows.get(leg.flow);
    return subject({
      ips: [leg, ...(flow ? [flow.original, flow.reply] : [])].flatMap(ipsOf),
      macs: [leg.srcMac, leg.dstMac, ...leg.expected],
      devices: [leg.device],
      flags: [...(m ? flagsOf(m) : ['misdelivered']), ...(flow && flow.offload.length > 0 ? ['offloaded'] : [])],
      causes: leg.cause === undefined ? [] : [leg.cause],
      flows: leg.flow === undefined ? [] : [leg.flow],
      words: [leg.misdelivery, leg.input, protocolName(leg.protocol)],
    });
  }
}

function subject(parts: Omit<FilterSubject, 'text'> & { readonly words: readonly string[] }): FilterSubject {
  const { words, ...lists } = parts;
  const { ips, macs, devices, flags, causes, flows } = lists;
  return { ...lists, text: [...words, ...ips, ...macs, ...devices, ...flags, ...causes, ...flows].join(' ') };
}

function flagsOf(m: Misdelivery): string[] {
  const verdict = m.class === 'convergence' ? ['delivered'] : ['misdelivered'];
  return [...verdict, m.class ?? 'wrong-mac', ...(m.confidence === undefined ? [] : [m.confidence])];
}

function ipsOf(tuple: Tuple): string[] {
  return [tuple.srcIp, tuple.dstIp];
}
