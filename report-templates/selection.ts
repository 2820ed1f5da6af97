/** Which flows and findings fit the filter and the chosen time. */

import { parseFilter, type FilterSubject } from '../src/render/filter.js';
import type { FindingData, FlowData, ReportData } from '../src/render/html/data.js';
import type { View } from './store.js';

export interface Selection {
  /** Positions in `data.flows`. */
  readonly flows: readonly number[];
  readonly findings: ReadonlySet<number>;
  /** Why the filter could not be read; then it leaves everything in. */
  readonly problem?: string;
}

export class Selector {
  readonly #data: ReportData;
  #flows: FilterSubject[] | undefined;
  #findings: FilterSubject[] | undefined;

  constructor(data: ReportData) {
    this.#data = data;
  }

  select({ filter, range }: View): Selection {
    const data = this.#data;
    const parsed = parseFilter(filter);
    this.#flows ??= data.flows.map((flow) => flowSubject(data, flow));
    this.#findings ??= data.findings.map((finding) => findingSubject(finding));
    const [subjects, ofFindings] = [this.#flows, this.#findings];
    const fits = (subject: FilterSubject | undefined): boolean =>
      subject !== undefined && (!parsed.ok || parsed.matches(subject));
    const flows: number[] = [];
    data.flows.forEach((flow, i) => {
      if (fits(subjects[i]) && overlaps(flow, range)) flows.push(i);
    });
    const findings = new Set<number>();
    ofFindings.forEach((subject, i) => {
      if (fits(subject)) findings.add(i);
    });
    return { flows, findings, ...(parsed.ok ? {} : { problem: parsed.message }) };
  }
}

function overlaps(flow: FlowData, range: View['range']): boolean {
  return range === undefined || flow.runs.some((run) => run[8] <= range[1] && run[9] >= range[0]);
}

function flowSubject(data: ReportData, flow: FlowData): FilterSubject {
  const macs = new Set<number>();
  const taps = new Set<number>();
  for (const run of flow.runs) {
    for (const mac of [run[2], run[3], ...run[11]]) macs.add(mac);
    taps.add(run[1]);
  }
  const devices = [...taps].map((tap) => data.taps[tap]?.device.replace(/ vlan \d+$/, '') ?? '');
  const inputs = [...taps].map((tap) => data.taps[tap]?.input ?? '');
  const causes = flow.findings.map((finding) => data.findings[finding]?.cause ?? '');
  const names = [...macs].map((mac) => data.macs[mac]?.mac ?? '');
  const text = [flow.text, flow.protocol, ...inputs, ...names, ...devices, ...flow.flags, ...causes, flow.id].join(' ');
  return { ips: flow.ips, macs: names, devices, flags: flow.flags, causes, flows: [flow.id], text };
}

function findingSubject(finding: FindingData): FilterSubject {
  const { ips, macs, devices, flags, cause, flows, title } = finding;
  const text = [title, cause, ...ips, ...macs, ...devices, ...flags, ...flows].join(' ');
  return { ips, macs, devices, flags, causes: [cause], flows, text };
}
