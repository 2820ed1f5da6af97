/** Tables as CSV (RFC 4180), safe to open in a spreadsheet. */

import { stringify } from 'csv-stringify/sync';
import { UsageError } from '../errors.js';
import type { Analysis, Flow, Finding, Mapping, MisdeliveredLeg, Misdelivery } from '../model.js';
import { expectedText, printable } from './words.js';

type Columns<Row> = Readonly<Record<string, (row: Row) => string | number | undefined>>;

/**
 * The misdelivered frames, one a row. There may be millions: they are written some at a time.
 * @throws UsageError when the analysis does not list its frames, as a saved one never does; what `eachFrame` throws
 */
export async function writeFramesCsv(analysis: Analysis, write: (rows: string) => void): Promise<void> {
  if (!analysis.eachFrame)
    throw new UsageError('CSV lists every frame, which a saved analysis does not hold; give the evidence itself');
  write(stringify([['input', 'frame', 'time_ns', ...Object.keys(LEG)]]));
  const known = new Map<MisdeliveredLeg, { input: string; rest: string }>();
  let rows = '';
  await analysis.eachFrame(({ frame, time, leg }) => {
    let same = known.get(leg);
    if (!same) {
      same = { input: rowsOf(LEG_INPUT, [leg]).slice(0, -1), rest: rowsOf(LEG, [leg]) };
      known.set(leg, same);
    }
    rows += `${same.input},${frame},${time},${same.rest}`;
    if (rows.length < PIECE) return;
    write(rows);
    rows = '';
  });
  write(rows);
}

/** Characters that are written at once. */
const PIECE = 16 * 1024;

/** The findings, one a row, with what their misdeliveries have in common. */
export function renderFindingsCsv({ findings, misdeliveries }: Analysis): string {
  const rows = findings.map((finding) => ({
    finding,
    own: misdeliveries.filter(({ id }) => finding.explains.includes(id)),
  }));
  return table(FINDING, rows);
}

/** The flows that misdelivered frames belong to, one a row. */
export function renderFlowsCsv({ flows, misdeliveries }: Analysis): string {
  const causes = (id: string): string =>
    distinct(misdeliveries.filter((m) => m.flows.includes(id)).map((m) => m.cause));
  return table(
    FLOW,
    flows.map((flow) => ({ ...flow, causes: causes(flow.id) })),
  );
}

/** The mappings of these flows, one a row. */
export function renderMappingsCsv({ flows }: Analysis): string {
  return table(
    MAPPING,
    flows.flatMap((flow) => flow.mappings.map((mapping) => ({ ...mapping, flow: flow.id }))),
  );
}

const LEG_INPUT: Columns<MisdeliveredLeg> = { input: (f) => f.input };

/** What follows the number and time of a frame. */
const LEG: Columns<MisdeliveredLeg> = {
  device: (f) => f.device,
  vlan: (f) => f.vlan,
  src_mac: (f) => f.srcMac,
  dst_mac: (f) => f.dstMac,
  expected_mac: (f) => f.expected.join(' '),
  src_ip: (f) => f.srcIp,
  dst_ip: (f) => f.dstIp,
  protocol: (f) => f.protocol,
  src_port: (f) => f.srcPort,
  dst_port: (f) => f.dstPort,
  flow: (f) => f.flow,
  cause: (f) => f.cause,
};

interface FindingRow {
  readonly finding: Finding;
  readonly own: readonly Misdelivery[];
}

const FINDING: Columns<FindingRow> = {
  finding: ({ finding }) => finding.id,
  cause: ({ finding }) => finding.cause,
  confidence: ({ finding }) => finding.confidence,
  title: ({ finding }) => finding.title,
  summary: ({ finding }) => finding.summary,
  misdeliveries: ({ own }) => own.length,
  flows: ({ own }) => distinct(own.flatMap((m) => m.flows)),
  frames: ({ own }) => own.reduce((sum, m) => sum + m.frames, 0),
  dst_ip: ({ own }) => distinct(own.map((m) => m.dstIp)),
  src_mac: ({ own }) => distinct(own.map((m) => m.srcMac)),
  dst_mac: ({ own }) => distinct(own.map((m) => m.dstMac)),
  expected: ({ own }) => distinct(own.map((m) => expectedText(m))),
  first_time_ns: ({ own }) => inOrder(own.map((m) => m.firstTime)).at(0),
  last_time_ns: ({ own }) => inOrder(own.map((m) => m.lastTime)).at(-1),
  onset_after: ({ finding }) => finding.onset?.after,
  ended_by: ({ finding }) => finding.recovery?.by,
  change: ({ finding }) => finding.change.map(({ what }) => what).join(' '),
};

const FLOW: Columns<Flow & { readonly causes: string }> = {
  flow: (f) => f.id,
  protocol: (f) => f.original.protocol,
  src_ip: (f) => f.original.srcIp,
  src_port: (f) => f.original.srcPort,
  dst_ip: (f) => f.original.dstIp,
  dst_port: (f) => f.original.dstPort,
  reply_src_ip: (f) => f.reply.srcIp,
  reply_src_port: (f) => f.reply.srcPort,
  reply_dst_ip: (f) => f.reply.dstIp,
  reply_dst_port: (f) => f.reply.dstPort,
  joined_by: (f) => f.joinedBy,
  misdelivered: (f) => f.misdelivered,
  mappings: (f) => f.mappings.length,
  offload: (f) => f.offload[0]?.kind,
  offload_from_ns: (f) => f.offload[0]?.from.time,
  offload_to_ns: (f) => f.offload[0]?.to?.time,
  cause: (f) => f.causes,
};

const MAPPING: Columns<Mapping & { readonly flow: string }> = {
  mapping: (m) => m.id,
  flow: (m) => m.flow,
  direction: (m) => m.direction,
  input: (m) => m.input,
  device: (m) => m.device,
  vlan: (m) => m.vlan,
  src_mac: (m) => m.srcMac,
  dst_mac: (m) => m.dstMac,
  expected_mac: (m) => m.expected.join(' '),
  verdict: (m) => m.verdict,
  frames: (m) => m.frames,
  delivered: (m) => m.delivered,
  misdelivered: (m) => m.misdelivered,
  not_judged: (m) => m.notJudged,
  bytes: (m) => m.bytes,
  first_frame: (m) => m.firstFrame,
  last_frame: (m) => m.lastFrame,
  first_time_ns: (m) => m.firstTime,
  last_time_ns: (m) => m.lastTime,
  folded: (m) => (m.folded ? 'yes' : 'no'),
};

function table<Row>(columns: Columns<Row>, rows: readonly Row[]): string {
  return stringify([Object.keys(columns)]) + rowsOf(columns, rows);
}

/** Text of inputs has its control and invisible characters shown, and cells that a spreadsheet would compute are defused. */
function rowsOf<Row>(columns: Columns<Row>, rows: readonly Row[]): string {
  const cells = Object.values(columns);
  const values = rows.map((row) =>
    cells.map((cell) => {
      const value = cell(row) ?? '';
      return typeof value === 'string' ? printable(value) : value;
    }),
  );
  return stringify(values, { escape_formulas: true });
}

function distinct(values: readonly (string | undefined)[]): string {
  return [...new Set(values.filter((value) => value !== undefined))].join(' ');
}

/** Decimal numbers of ns, the smallest first. */
function inOrder(times: readonly string[]): string[] {
  return times.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1));
}
