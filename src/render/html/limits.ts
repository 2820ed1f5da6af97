/** How much a page holds. A report stays below `MAX_REPORT_BYTES` by trying one set after the other. */

export const MAX_REPORT_BYTES = 4 * 1000 * 1000;

export interface Limits {
  /** Flows that the page's script can list. */
  readonly flows: number;
  /** Mappings kept of each flow. */
  readonly runs: number;
  /** Flows listed without the script. */
  readonly staticFlows: number;
  /** Flows of those whose ladder is there without the script. */
  readonly ladders: number;
  /** Flows drawn without the script. */
  readonly drawnFlows: number;
  readonly findings: number;
  /** Frames listed per finding: the first and the last. */
  readonly evidenceFirst: number;
  readonly evidenceLast: number;
  /** Rows of every other table. */
  readonly rows: number;
}

const FULL: Limits = {
  flows: 2000,
  runs: 60,
  staticFlows: 100,
  ladders: 20,
  drawnFlows: 4,
  findings: 50,
  evidenceFirst: 50,
  evidenceLast: 10,
  rows: 500,
};

export const LIMITS: readonly Limits[] = [
  FULL,
  { ...FULL, runs: 20 },
  { ...FULL, flows: 1000, runs: 12, rows: 200, findings: 30 },
  { ...FULL, flows: 400, runs: 12, staticFlows: 50, ladders: 10, rows: 100, findings: 10 },
  {
    ...FULL,
    flows: 50,
    runs: 6,
    staticFlows: 20,
    ladders: 5,
    rows: 40,
    findings: 5,
    evidenceFirst: 10,
    evidenceLast: 5,
  },
];

/** A text of an input that is too long to be a name: its beginning. */
export function clipped(text: string, most = 400): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
