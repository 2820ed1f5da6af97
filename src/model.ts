/**
 * The analysis: what macscan says of a set of inputs, as plain versioned JSON. Renderers see this and nothing else.
 *
 * MACs are lower case with colons, IP addresses canonical text (RFC 5952), times ns since 1970 as decimal strings (they
 * do not fit a JSON number). Text that comes from an input (names, comments) is untrusted: renderers escape it.
 */

import type { Impact } from './model-impact.js';
import type { System } from './model-system.js';

export type { Felt, Impact } from './model-impact.js';
export type { ConnectionCounts, FlowtableSummary, OffloadGuard, System } from './model-system.js';

/** Version of this structure; the major part changes when a field changes its meaning or goes away. */
export const ANALYSIS_VERSION = '1.0';

export type Verdict = 'misdelivered' | 'delivered' | 'not-judged';

export interface Analysis {
  /** `ANALYSIS_VERSION` of the program that wrote it. */
  version: string;
  generator: { name: 'macscan'; version: string };
  verdict: Verdict;
  /** Frames of all captures together; the three parts add up to `frames`. Convergence counts as delivered. */
  totals: Totals;
  inputs: Input[];
  /** The device, input and time of the judged window, when the user set one. */
  window?: { from?: string; to?: string };
  misdeliveries: Misdelivery[];
  /** Flows that misdelivered frames belong to, most affected first. */
  flows: Flow[];
  /** Who had which MAC, for the addresses that findings speak of. */
  bindings: Binding[];
  findings: Finding[];
  /** What else was seen that looks like a misdelivery and is none, or explains that nothing is wrong. */
  observations: Observation[];
  /** Faults that rules, routes and ruleset will cause, whether or not any frame shows them; they never change the verdict. */
  predictions: Prediction[];
  /** What the ruleset does to flow offload; missing when there is nothing to say. */
  ruleset?: RulesetCheck[];
  /** Why frames could not be judged, most frames first. */
  notJudged: NotJudged[];
  /** Limits of the inputs: what could not be read, and what was done. */
  diagnostics: Diagnostic[];
  /** What happened on the network and its hosts near the findings, in order of time; missing when nothing is known. */
  events?: NetworkEvent[];
  /** What users of the affected flows felt, all together; missing when there are none. */
  impact?: Impact;
  /** How far the clocks of inputs are apart; missing when nothing shows it. */
  clocks?: ClockOffset[];
  /** The machines that dumps are of, and what they offload; missing when no dump says. */
  systems?: System[];
  /**
   * Set when `--filter` chose the misdeliveries, flows and findings that are listed; the numbers say how many there are
   * in all, `sentence` is the verdict. Verdict, totals and all else are of everything.
   */
  filter?: { expression: string; sentence: string; misdeliveries: number; flows: number; findings: number };
  /** Set when addresses and names were replaced, and how thoroughly. */
  redacted?: 'default' | 'strict';
  /** Set when the run was interrupted: what follows covers only a part of the evidence. */
  partial?: true;
  /**
   * Gives every misdelivered frame, in the order of inputs by name and of their frames, each time by reading the captures
   * once more; only in memory, when that was asked for, never in the JSON.
   */
  eachFrame?: EachFrame;
}

/** @throws InputError when a capture is not there any more as it was */
export type EachFrame = (take: (frame: MisdeliveredFrame) => void) => Promise<void>;

/** One misdelivered frame, as the CSV lists it. */
export interface MisdeliveredFrame {
  frame: number;
  time: string;
  /** The same object for all frames that have this in common. */
  leg: MisdeliveredLeg;
}

/** What the misdelivered frames of one leg have in common. */
export interface MisdeliveredLeg extends Tuple {
  /** Id of the misdelivery that they belong to. */
  misdelivery: string;
  input: string;
  device: string;
  vlan?: number;
  srcMac: string;
  dstMac: string;
  expected: string[];
  flow?: string;
  cause?: string;
}

export interface Totals {
  frames: number;
  delivered: number;
  misdelivered: number;
  notJudged: number;
}

export type InputKind = 'pcap' | 'pcapng' | 'text' | 'analysis' | 'unknown' | 'empty';

export interface Input {
  /** Unique within the analysis: the file name, with as much of its path as makes it distinct; `-` for standard input. */
  name: string;
  kind: InputKind;
  /** Of the bytes as given (compressed, if so), lower case hex; empty for inputs above 128 MiB without `--hash`. */
  sha256: string;
  bytes: number;
  /**
   * ns that were added to each of its times (as a decimal string, may be negative), as its clock is wrong beyond doubt;
   * missing when they are used as they stand. All times of the analysis are those after that.
   */
  moved?: string;
  /** Of captures. */
  frames?: number;
  firstTime?: string;
  lastTime?: string;
  interfaces?: InterfaceSummary[];
  /** Of texts: number of facts of each kind. */
  facts?: Record<string, number>;
  /** Lines that no reader knew. */
  unknownLines?: number;
}

export interface InterfaceSummary {
  /** Position in the capture, over all sections. */
  index: number;
  /** Device of the router or host, as far as it is known. */
  device: string;
  linkType: number;
  frames: number;
  /** `if_filter` of pcapng. */
  filter?: string;
  snapLength?: number;
  /** Packets that the capturing system says it dropped. */
  dropped?: number;
}

/** Class of a misdelivery that is not a plain wrong MAC. */
export type MisdeliveryClass = 'convergence' | 'wrong-next-hop' | 'wrong-port' | 'wrong-egress';

/** Frames of one input, device, VLAN, transmitter, destination address and observed MAC. */
export interface Misdelivery {
  id: string;
  input: string;
  device: string;
  vlan?: number;
  srcMac: string;
  /** The MAC that the frames went to. */
  dstMac: string;
  dstIp: string;
  /** The MACs that would have been right. */
  expected: string[];
  frames: number;
  /** First and last number of each unbroken row of frames, as Wireshark counts; neighbours are merged. */
  frameRanges: [number, number][];
  firstTime: string;
  lastTime: string;
  flows: string[];
  cause?: string;
  confidence?: Confidence;
  class?: MisdeliveryClass;
  /** Who says that the expected MAC was right, and since when the transmitter could know. */
  because: Witness[];
  /** The first frames, and the last, as evidence to look at. */
  evidence: EvidenceFrame[];
  /** Where the evidence leaves open when it began; missing when no frame before the first one may be wrong. */
  notBefore?: NotBefore;
}

/**
 * Frames just before the first misdelivered one that may be misdelivered as well: they went the same way after the last
 * time that it is known to have been right. They count as delivered.
 */
export interface NotBefore {
  /** The first of them, and how many there are. */
  frame: number;
  time: string;
  frames: number;
  /** The last one who says that this way was right. */
  heard: Witness;
}

export interface EvidenceFrame {
  frame: number;
  time: string;
  srcMac: string;
  dstMac: string;
  srcIp: string;
  dstIp: string;
  protocol: number;
  srcPort?: number;
  dstPort?: number;
  /** Absent where a printed capture leaves it out. */
  hopLimit?: number;
  length: number;
  vlan?: number;
}

/** Kinds of witness, strongest first. */
export type WitnessKind =
  | 'map'
  | 'arp-reply'
  | 'arp-gratuitous'
  | 'arp-request'
  | 'nd-advertisement'
  | 'nd-unsolicited'
  | 'nd-solicitation'
  | 'nd-router'
  | 'dhcp-ack'
  | 'originated'
  | 'neighbor-event'
  | 'neighbor-entry'
  | 'lease'
  | 'own-frame'
  | 'fdb-event'
  | 'fdb-entry'
  | 'ingress'
  | 'route-change'
  | 'route-entry';

export interface Witness {
  kind: WitnessKind;
  /** Empty for witnesses of a MAC's port. */
  ip: string;
  mac: string;
  /** The bridge port, device or VLAN that the MAC was on, of witnesses that say so. */
  port?: string;
  /** Missing for undated dumps and for the user's map. */
  time?: string;
  origin?: Origin;
}

/** Where a statement stands. */
export interface Origin {
  input: string;
  frame?: number;
  line?: number;
}

export interface Tuple {
  srcIp: string;
  dstIp: string;
  protocol: number;
  srcPort?: number;
  dstPort?: number;
}

export interface Flow {
  id: string;
  original: Tuple;
  /** As it returns: differs from the original turned around where the router translates addresses. */
  reply: Tuple;
  /** How the two directions were joined: conntrack entry, or the same addresses turned around. */
  joinedBy: 'conntrack' | 'addresses';
  /** When it was offloaded, as far as conntrack shows, else captures; empty when nothing shows that it ever was. */
  offload: OffloadSpan[];
  misdelivered: number;
  mappings: Mapping[];
  /** Single packets followed over the devices that saw them: before the fault, in it, and after; missing when none was. */
  transits?: Transit[];
  impact?: Impact;
  /** How long the router took to pass its packets on; missing when no packet was seen on both sides of it. */
  forwarding?: Forwarding[];
}

/** How long packets of one direction took from one device of the router to another, by the classic path and offloaded. */
export interface Forwarding {
  direction: 'original' | 'reply';
  from: string;
  to: string;
  /** Medians in ns as decimal strings, and the packets that they rest on. */
  classic?: { median: string; packets: number };
  offloaded?: { median: string; packets: number };
}

/** One packet on its way: where it was seen, in order of time. */
export interface Transit {
  direction: 'original' | 'reply';
  /** When it was sent: before the first misdelivered frame, as one, between them, or after the last. */
  phase: 'before' | 'misdelivered' | 'meanwhile' | 'after';
  /** How its sightings were joined: by the tuples of a conntrack entry, or by what routing and NAT leave alone. */
  joinedBy: 'conntrack' | 'fingerprint';
  /** It came in from a MAC and went back to it. */
  boomerang?: true;
  sightings: Sighting[];
}

/** A packet as one capture saw it. */
export interface Sighting {
  input: string;
  frame: number;
  time: string;
  device: string;
  vlan?: number;
  srcMac: string;
  dstMac: string;
  hopLimit: number;
  /** Addresses as they stood here, where the router had translated them. */
  translated?: Tuple;
  misdelivered?: true;
}

export type AddressEvent = 'take-over' | 'arp' | 'nd' | 'dhcp' | 'neighbor' | 'fdb';
export type HostEvent = 'route' | 'rule' | 'port' | 'station' | 'firewall-reload' | 'conntrack-deleted';

/** Something that happened: an address changed its MAC, a lease was given, a port went down, the firewall was loaded anew. */
export interface NetworkEvent {
  time: string;
  kind: AddressEvent | HostEvent;
  /** In words. */
  what: string;
  device?: string;
  ip?: string;
  mac?: string;
  origin: Origin;
}

/** What the clock of `input` shows more than that of `against` (ns as a decimal string, may be negative). */
export interface ClockOffset {
  input: string;
  against: string;
  offset: string;
  /** ns as a decimal string: it may be off by as much either way. */
  uncertainty: string;
  /** How it was found: the same frames in both, or the same conntrack entry's packets. */
  by: 'frames' | 'conntrack';
  /** Pairs of sightings that it rests on. */
  pairs: number;
}

export interface OffloadSpan {
  kind: 'software' | 'hardware' | 'inferred';
  from: Moment;
  /** Missing when nothing shows its end. */
  to?: Moment;
}

export type ConntrackSource = 'event' | 'snapshot' | 'destroyed' | 'reload';
export type CaptureSource = 'trigger' | 'left-bridge' | 'unseen' | 'latency' | 'idle' | 'fin';

/**
 * A moment, and how it is known. conntrack shows it exactly (event) or as the later bound (snapshot) with `earliest` as
 * the other; `trigger` is the packet that the kernel offloads at; the rest is what captures show: frames that no longer
 * pass the bridge but its port (`left-bridge`), frames that no tap sees though sequence numbers go on (`unseen`), and
 * forwarding that became faster (`latency`). It ends with an entry that goes (`destroyed`), a firewall that is loaded anew
 * (`reload`), a FIN or RST (`fin`), or nothing to forward for 30 s (`idle`).
 */
export interface Moment {
  time: string;
  earliest?: string;
  source: ConntrackSource | CaptureSource;
  origin: Origin;
}

/** An unbroken run of frames of one flow direction on one device with one source and one destination MAC. */
export interface Mapping {
  id: string;
  direction: 'original' | 'reply';
  input: string;
  device: string;
  vlan?: number;
  srcMac: string;
  dstMac: string;
  frames: number;
  bytes: number;
  firstFrame: number;
  lastFrame: number;
  firstTime: string;
  lastTime: string;
  /** Set when runs that alternated were put together. */
  folded?: true;
  /** The worst verdict of its frames, and how many had which. */
  verdict: Verdict;
  delivered: number;
  misdelivered: number;
  notJudged: number;
  expected: string[];
}

/** An address and the MAC that had it, from the first to the last witness. */
export interface Binding {
  /** Number of the layer-2 network that it holds in, from 1. */
  network: number;
  ip: string;
  mac: string;
  from?: string;
  to?: string;
  /** Other MACs claimed the address at the same time. */
  conflict?: true;
  witnesses: Witness[];
}

export type Confidence = 'proven' | 'strong' | 'suspected';

export interface Finding {
  id: string;
  /** Stable id such as `stale-mac`; `unexplained` when no known cause fits. */
  cause: string;
  confidence: Confidence;
  title: string;
  /** What happened, in this network's names. */
  summary: string;
  /** Ids of the misdeliveries that it explains. */
  explains: string[];
  /** First and last misdelivered frame. */
  onset?: Onset;
  recovery?: Recovery;
  tests: TestResult[];
  /** Causes that do not fit, and why; and those that could not be evaluated. */
  considered: Considered[];
  /** What to change, most effective first. */
  change: Advice[];
  /** What would make it surer. */
  collect: string[];
}

/** Something normal, or not the router's fault, that bears on who has which MAC: a failover, a proxy, two hosts with one address. */
export interface Observation {
  /** Cause id such as `virtual-router`. */
  cause: string;
  title: string;
  summary: string;
  /** When it was first seen, where that is known. */
  time?: string;
  evidence: Origin[];
}

/** A fault foreseen from the configuration. */
export interface Prediction {
  /** Cause id such as `pbr-next-hop`. */
  cause: string;
  title: string;
  /** What will happen to whom, in this network's names. */
  summary: string;
  /** No frame shows it. */
  confidence: 'config-only';
  /** Commands whose answer proves it on the router; they change nothing. */
  prove: string[];
  /** What to change, most effective first. */
  change: Advice[];
  evidence: Origin[];
}

/** One thing that a ruleset does, or fails to do, to flow offload. */
export interface RulesetCheck {
  /** Stable id such as `guard-never-matches`. */
  id: string;
  /** `fault`: a rule does not do what it looks like; `risk`: it makes a fault possible; `fine`: it does what it looks like. */
  result: 'fault' | 'risk' | 'fine';
  /** One sentence. */
  what: string;
  evidence: Origin[];
}

export interface Onset {
  time: string;
  origin: Origin;
  /** What it follows: `take-over`, `route-change`, `offload`, or `unknown`. */
  after: 'take-over' | 'route-change' | 'offload' | 'unknown';
  /** That moment. */
  since?: string;
}

export interface Recovery {
  /** Time of the last misdelivered frame. */
  time: string;
  by: 'conntrack-deleted' | 'offload-ended' | 'firewall-reload' | 'capture-ended' | 'unknown';
}

/** One of the tests D1 to D11 that tell causes apart. */
export interface TestResult {
  id: string;
  /** The question. */
  title: string;
  result: 'yes' | 'no' | 'unknown';
  /** The answer in words. */
  what: string;
  evidence: Origin[];
  /** D1: frames to the same address at the same time. */
  table?: ControlTable;
}

/** Rows: offloaded or not; columns: right or wrong MAC. */
export interface ControlTable {
  offloadedRight: number;
  offloadedWrong: number;
  otherRight: number;
  otherWrong: number;
  /** Probability that chance alone parts them so clearly (Fisher's exact test, one-sided). */
  probability: number;
}

export interface Considered {
  cause: string;
  result: 'ruled-out' | 'not-evaluated';
  because: string;
  collect?: string;
}

export interface Advice {
  what: string;
  commands: string[];
}

export interface NotJudged {
  /** Stable id such as `no-destination-mac`. */
  reason: string;
  frames: number;
  /** One sentence. */
  what: string;
  /** The command that would have recorded it, where there is one. */
  collect?: string;
  inputs: string[];
}

export interface Diagnostic {
  id: string;
  input?: string;
  frame?: number;
  offset?: number;
  line?: number;
  what: string;
  action: string;
  /** How often it happened, when more than once. */
  count?: number;
}
