/** The misdelivered frames as CSV (RFC 4180), one row a frame, safe to open in a spreadsheet. */

import { stringify } from 'csv-stringify/sync';
import { UsageError } from '../errors.js';
import type { Analysis, MisdeliveredFrame } from '../model.js';

const COLUMNS: Readonly<Record<string, (frame: MisdeliveredFrame) => string | number | undefined>> = {
  input: (f) => f.input,
  frame: (f) => f.frame,
  time_ns: (f) => f.time,
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

/** @throws UsageError when the analysis does not list its frames, as a saved one never does */
export function renderCsv(analysis: Analysis): string {
  if (!analysis.frames)
    throw new UsageError('CSV lists every frame, which a saved analysis does not hold; give the evidence itself');
  const rows = analysis.frames.map((frame) => Object.values(COLUMNS).map((cell) => cell(frame) ?? ''));
  return stringify(rows, { header: true, columns: Object.keys(COLUMNS), escape_formulas: true });
}
