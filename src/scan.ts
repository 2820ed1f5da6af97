/**
 * The engine: evidence in, analysis out. Every input is read once, what was reconstructed is judged, the captures that
 * hold suspects are read a second time, and the analysis is put together. Nothing here knows files or terminals.
 */

import { createCore } from './bytes/core.js';
import type { Ip, Mac } from './bytes/address.js';
import { findClocks, type ClockCorrection, type ClockFindings } from './detect/clock-corrections.js';
import { ClockGroups } from './detect/clock-groups.js';
import { EgressDevices } from './detect/egress.js';
import { Examination } from './detect/examine.js';
import { flowsOfLegs } from './detect/flows.js';
import { GiveUps } from './detect/give-ups.js';
import { LostNextHops } from './detect/lost-next-hops.js';
import { findNetworks } from './detect/networks.js';
import { NextHops } from './detect/next-hops.js';
import { PortLocations } from './detect/ports.js';
import { findRouters } from './detect/routers.js';
import { sharingOf } from './detect/shared-legs.js';
import { SharedPackets } from './detect/shared-packets.js';
import { Trace, tracedLegs } from './detect/trace.js';
import { translatedCandidates } from './detect/translated.js';
import { Verdicts } from './detect/verdicts.js';
import { VlanTags } from './detect/vlans.js';
import { findOwnerships, frameOrigin, type Surroundings } from './detect/witnesses.js';
import { assemble } from './diagnose/assemble.js';
import { FrameList } from './diagnose/frame-list.js';
import type { Places } from './diagnose/scene.js';
import { Trails } from './diagnose/trails.js';
import { InputError } from './errors.js';
import { InputReader, type Evidence, type ReadOptions, type SecondReading } from './input-reader.js';
import type { ReadInput } from './diagnose/input-summary.js';
import type { Analysis, EachFrame } from './model.js';
import { DeviceNames } from './reconstruct/devices.js';
import { digestHosts } from './reconstruct/hosts.js';
import { Reconstruction } from './reconstruct/reconstruction.js';

export type { Evidence };

export interface ScanOptions extends ReadOptions {
  /** Addresses and MACs that the user vouches for, as text. */
  readonly map?: ReadonlyMap<string, Mac>;
  /** Device names by input, `input#interface`, or the interface's own name. */
  readonly devices?: ReadonlyMap<string, string>;
  /** Absolute ns since 1970: only frames within are judged. */
  readonly from?: bigint;
  readonly to?: bigint;
  /** Also give a way to list every misdelivered frame (`Analysis.eachFrame`). */
  readonly eachFrame?: boolean;
  /** Whether the WebAssembly core reads, with the same results; by default it does where there is much to read. */
  readonly core?: boolean;
  readonly generatorVersion: string;
  /** The evidence itself was cut short by the user: the analysis says that it is partial. */
  readonly partial?: boolean;
  /** Called when a stage begins, with the legs found so far. */
  readonly onStage?: (stage: ScanStage, legs: number) => void;
}

/** The stages of a scan, in order: first reading, judgement of legs, second reading, and putting the analysis together. */
export type ScanStage = 'read' | 'judge' | 'examine' | 'assemble';

/**
 * Judges evidence. The order of the inputs does not matter. When `signal` is aborted the analysis is of what was read
 * by then, and says so.
 */
export async function scan(evidence: readonly Evidence[], options: ScanOptions): Promise<Analysis> {
  const enter = (stage: ScanStage, r: Reconstruction): void => options.onStage?.(stage, r.legs.count);
  let reading = await firstReading(evidence, options, enter);
  const clocks = options.signal?.aborted || reading.reader.outOfMemory ? undefined : await clocksOf(reading);
  const corrections = clocks?.corrections ?? [];
  if (corrections.length > 0) reading = await firstReading(evidence, options, enter, setRight(reading, corrections));
  const { r, reader, sorted, inputs } = reading;

  enter('judge', r);
  const inputName = (input: number): string => inputs[input]?.name ?? '';
  const hosts = digestHosts(r.facts, r.addresses);
  const devices = new DeviceNames(r.taps.ports, hosts, inputName, options.devices ?? new Map());
  const networks = findNetworks(r, hosts, (tap) => devices.of(tap));
  const around: Surroundings = {
    hosts,
    networks,
    routers: findRouters(r, hosts, networks),
    networksOf: (device) => networksNamed(device, devices, r, networks.of),
    inputName,
  };
  const ownerships = findOwnerships(r, around);
  const giveUps = new GiveUps(r, networks.of, ownerships, (tap, frame) => frameOrigin(r, around, tap, frame));
  await readAgain(reading, giveUps, options);
  const ports = new PortLocations(r, around, (tap) => devices.of(tap));
  await readAgain(reading, ports.timesWanted(), options);
  const verdicts = new Verdicts(r, around, ownerships, mapOf(r, options.map), [
    ports,
    new LostNextHops(r, around, ownerships),
    new VlanTags(r, around, ownerships),
    new EgressDevices(r, around, ownerships, (tap) => devices.of(tap)),
  ]);
  const nextHops = new NextHops(r, networks, ownerships, inputName);
  verdicts.run(nextHops.legs);
  const flows = flowsOfLegs(r, verdicts.suspects);
  const candidates = translatedCandidates(r, flows);
  const traced = tracedLegs(r, networks.of, verdicts.suspects, flows);
  for (const legs of candidates.values()) for (const leg of legs) traced.add(leg);
  const trace = new Trace(r, traced);
  const examination = new Examination(r, verdicts, trace, nextHops, inputName);
  enter('examine', r);
  for (const input of [...examination.inputs()].sort((a, b) => a - b)) {
    const piece = sorted[input];
    if (piece && !options.signal?.aborted) await reader.again(input, piece, examination);
  }

  const flowOfLeg = new Map(flows.flatMap((flow) => flow.legs.map((leg) => [leg, flow] as const)));
  examination.finish(flowOfLeg);

  const places: Places = {
    inputName,
    deviceName: (tap) => {
      const found = r.taps.all[tap];
      return found ? devices.of(found) : '';
    },
    lossOn: (tap) => {
      const { input = -1, port = -1 } = r.taps.all[tap] ?? {};
      const { description, frames = 0 } = r.taps.ports[port] ?? {};
      const dropped = description && inputs[input]?.dropped.get(description.index);
      return dropped === undefined ? undefined : { dropped, packets: frames + dropped };
    },
  };

  enter('assemble', r);
  const analysis = assemble({
    r,
    around,
    ownerships,
    trace,
    verdicts,
    examination,
    flows,
    trails: new Trails(trace, candidates),
    corrections,
    suspicions: clocks?.suspicions ?? [],
    flowOfLeg,
    places,
    inputs: inputs.map((input, index) => reader.summarize(index, input, devices)),
    diagnostics: inputs.flatMap((input) => input.diagnostics),
    generatorVersion: options.generatorVersion,
    partial: (options.partial ?? false) || (options.signal?.aborted ?? false) || reader.outOfMemory,
  });
  if (!options.eachFrame) return analysis;
  const list = new FrameList(r, examination, flowOfLeg, places, analysis.misdeliveries);
  return { ...analysis, eachFrame: (take) => listFrames(list, reading, take) };
}

/** Reads what is asked for again; it is finished only if all of it could be read. */
async function readAgain(
  { reader, sorted }: Reading,
  wanted: SecondReading & { inputs(): number[]; finish(): void },
  { signal }: ScanOptions,
): Promise<void> {
  for (const input of wanted.inputs()) {
    const piece = sorted[input];
    if (piece && !signal?.aborted) await reader.again(input, piece, wanted);
  }
  if (!signal?.aborted && !reader.outOfMemory) wanted.finish();
}

/** Reads the captures that hold misdelivered frames once more, and gives these: all that were judged, interrupted or not. */
async function listFrames(list: FrameList, { reader, sorted }: Reading, take: Parameters<EachFrame>[0]): Promise<void> {
  const named = list.inputs().flatMap((input) => {
    const piece = sorted[input];
    return piece ? [{ input, piece }] : [];
  });
  reader.ignoreInterrupts();
  for (const { input, piece } of named.toSorted((a, b) => (a.piece.name < b.piece.name ? -1 : 1))) {
    const frames = list.reading(input, take);
    await reader.again(input, piece, frames);
    if (frames.missing > 0) throw new InputError(piece.name, 'is not what it was when it was judged');
  }
}

/** All inputs, read once. */
interface Reading {
  readonly r: Reconstruction;
  readonly reader: InputReader;
  readonly sorted: readonly Evidence[];
  readonly inputs: readonly ReadInput[];
}

/** What a reading is begun anew with when clocks were wrong: nothing that holds on to what was read. */
interface SetRight {
  /** ns to be added to the times of inputs. */
  readonly shifts: ReadonlyMap<number, number>;
  readonly sorted: readonly Evidence[];
  /** Seconds since 1970. */
  readonly epoch: number;
}

async function firstReading(
  evidence: readonly Evidence[],
  options: ScanOptions,
  enter: (stage: ScanStage, r: Reconstruction) => void,
  again?: SetRight,
): Promise<Reading> {
  const r = new Reconstruction((options.core ?? isLarge(evidence)) ? createCore() : undefined);
  r.limit(options.from, options.to);
  enter('read', r);
  // An input that is years off must not set the epoch, which all times are counted from.
  if (again) r.epoch.secondsOr(again.epoch);
  const reader = new InputReader(r, options, again?.shifts);
  const sorted = again?.sorted ?? (await reader.inOrder(evidence));
  const inputs: ReadInput[] = [];
  for (const [index, piece] of sorted.entries()) {
    if (options.signal?.aborted) break;
    inputs.push(await reader.first(index, piece));
  }
  return { r, reader, sorted, inputs };
}

function setRight({ r, sorted }: Reading, corrections: readonly ClockCorrection[]): SetRight {
  const shifts = new Map(corrections.map(({ input, shift }) => [input, shift]));
  const firsts = [...r.spans].map(([input, { first }]) => first + (shifts.get(input) ?? 0));
  const first = firsts.filter((time) => !Number.isNaN(time)).reduce((a, b) => Math.min(a, b), Infinity);
  const epoch = Math.floor(Number(r.epoch.absolute(Number.isFinite(first) ? first : 0)) / 1e9);
  return { shifts, sorted, epoch };
}

/** The inputs whose clocks are wrong beyond doubt. Captures are read again only where what they share leaves doubts. */
async function clocksOf({ r, reader, sorted }: Reading): Promise<ClockFindings> {
  const groups = new ClockGroups(sharingOf(r), r.frames);
  const inDoubt = groups.inDoubt();
  const packets = inDoubt.size > 0 ? new SharedPackets(r, inDoubt) : undefined;
  for (const input of packets?.inputs() ?? []) {
    const piece = sorted[input];
    if (packets && piece) await reader.again(input, piece, packets);
  }
  return findClocks(r, () => digestHosts(r.facts, r.addresses), groups, packets);
}

/**
 * Whether captures may be large enough for what takes time to prepare: starting the core takes as long as reading some ten
 * thousand frames without it. What is streamed has no size yet.
 */
export function isLarge(evidence: readonly Evidence[]): boolean {
  return evidence.some(({ size }) => size === 0 || size > 2_000_000);
}

function mapOf(r: Reconstruction, map: ScanOptions['map']): Map<Ip, Mac> {
  const found = new Map<Ip, Mac>();
  for (const [text, mac] of map ?? []) {
    const ip = r.addresses.parse(text);
    if (ip !== undefined) found.set(ip, mac);
  }
  return found;
}

/** Networks that a device is seen on; every network when no capture is of a device of that name. */
function networksNamed(
  device: string | undefined,
  devices: DeviceNames,
  r: Reconstruction,
  networkOf: Int32Array,
): number[] {
  const taps = device === undefined ? [] : devices.tapsNamed(device, r.taps.all);
  const found = taps.length > 0 ? taps.map((tap) => networkOf[tap.id] ?? 0) : [...networkOf];
  return [...new Set(found)];
}
