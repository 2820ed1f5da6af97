/**
 * What the page's script is given, as JSON, and what the static drawings are made from. Strings that repeat stand in
 * tables and are referred to by position; times are ms (with a fraction) after `ReportData.origin`.
 */

/** Index into `ReportData.macs`. */
export type MacIndex = number;
/** Index into `ReportData.taps`. */
export type TapIndex = number;

export interface ReportData {
  /** ns since 1970 as a decimal string: time 0 of everything else. */
  readonly origin: string;
  /** What the time-line shows at first. */
  readonly domain: readonly [number, number];
  readonly macs: readonly MacData[];
  readonly taps: readonly TapData[];
  /** Owners of addresses, events and impact; the lanes of flows are made from `flows`. */
  readonly owners: readonly OwnerLane[];
  readonly events: readonly EventMark[];
  readonly captures: readonly CaptureMark[];
  readonly impact?: readonly ImpactMark[];
  readonly flows: readonly FlowData[];
  readonly findings: readonly FindingData[];
  /** Misdelivered frames per bin of `domain`, spread evenly over each run. */
  readonly bins: readonly number[];
  /** Texts of the copy buttons, by button. */
  readonly copy: Readonly<Record<string, string>>;
}

export interface MacData {
  readonly mac: string;
  /** How it is drawn: colour and hatch. */
  readonly swatch: number;
  readonly role: 'expected' | 'wrong' | 'other';
  /** Addresses that it had, by the bindings. */
  readonly ips: readonly string[];
  /** The maker, where it is known and wanted. */
  readonly vendor?: string;
}

export interface TapData {
  readonly input: string;
  /** Device, with the VLAN where there is one. */
  readonly device: string;
}

export interface OwnerLane {
  readonly ip: string;
  readonly spans: readonly OwnerSpan[];
}

export interface OwnerSpan {
  readonly mac: MacIndex;
  readonly from?: number;
  readonly to?: number;
  readonly conflict: boolean;
  /** The first and the last of them, in words, with the time. */
  readonly witnesses: readonly { readonly at?: number; readonly what: string }[];
  readonly moreWitnesses: number;
}

export interface EventMark {
  readonly at: number;
  readonly kind: string;
  readonly what: string;
  readonly where: string;
  readonly ip?: string;
  readonly mac?: string;
  readonly device?: string;
}

export interface CaptureMark {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly frames: number;
}

export interface ImpactMark {
  readonly part: 'before' | 'during' | 'after';
  readonly from: number;
  readonly to: number;
  readonly isBad: boolean;
  readonly what: string;
}

export interface FlowData {
  readonly id: string;
  readonly text: string;
  readonly protocol: string;
  /** Addresses of both directions. */
  readonly ips: readonly string[];
  readonly misdelivered: number;
  /** What `is:` of the filter fits. */
  readonly flags: readonly string[];
  /** Indices into `ReportData.findings`. */
  readonly findings: readonly number[];
  readonly runs: readonly Run[];
  readonly moreRuns: number;
  /** Which taps show it best: indices into `runs`. */
  readonly lanes: readonly { readonly tap: TapIndex; readonly direction: 0 | 1; readonly runs: readonly number[] }[];
  readonly offload: readonly OffloadData[];
}

/** A mapping. Verdict: 0 delivered, 1 misdelivered, 2 not judged; direction: 0 original, 1 reply. */
export type Run = readonly [
  direction: 0 | 1,
  tap: TapIndex,
  source: MacIndex,
  destination: MacIndex,
  frames: number,
  misdelivered: number,
  firstFrame: number,
  lastFrame: number,
  from: number,
  to: number,
  verdict: 0 | 1 | 2,
  expected: readonly MacIndex[],
];

/** From between `earliest` and `from` until between `toEarliest` and `to`; without `to` nothing shows its end. */
export interface OffloadData {
  readonly kind: 'software' | 'hardware' | 'inferred';
  readonly earliest: number;
  readonly from: number;
  readonly fromBy: string;
  readonly toEarliest?: number;
  readonly to?: number;
  readonly toBy?: string;
}

export interface FindingData {
  readonly id: string;
  readonly cause: string;
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly ips: readonly string[];
  readonly macs: readonly string[];
  readonly devices: readonly string[];
  readonly flags: readonly string[];
  readonly flows: readonly string[];
  /** For Wireshark: selects its frames in the first capture that holds some. */
  readonly filter: string;
}
