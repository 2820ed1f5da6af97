/** The part of the analysis that is about machines: what they are and what they offload. */

/** What the dumps of one machine say of it. */
export interface System {
  /** Names of the inputs that are its dumps. */
  inputs: string[];
  /** The release, as `uname -r` prints it. */
  kernel?: string;
  /** Name, version, and where known revision and target: `OpenWrt 24.10.2 r28739-d9340319c6 mediatek/filogic`. */
  distribution?: string;
  /** The model's name. */
  board?: string;
  /** Whether a rule offloads; `likely`: a flowtable or a setting says so, but the rules were not shown. */
  offloads: 'yes' | 'no' | 'likely' | 'unknown';
  flowtables: FlowtableSummary[];
  /** Conditions before `flow add` that look as if they kept traffic out. */
  guards: OffloadGuard[];
  /** What conntrack showed; missing when none of its output is at hand. */
  connections?: ConnectionCounts;
}

export interface FlowtableSummary {
  /** Family, table and name: `inet fw4 ft`. */
  name: string;
  devices: string[];
  /** `flags offload`; missing where the dump cannot tell. */
  hardware?: boolean;
}

export interface OffloadGuard {
  /** As printed. */
  rule: string;
  /** `never`: it looks right and keeps nothing out; `all`: it keeps everything out; `partly`: other conditions limit it. */
  effect: 'works' | 'never' | 'all' | 'partly';
}

/** Connections that conntrack showed at any time, how many of them offloaded, and how many of those in hardware. */
export interface ConnectionCounts {
  seen: number;
  offloaded: number;
  hardware: number;
}
