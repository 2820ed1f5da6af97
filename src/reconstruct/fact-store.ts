/**
 * Facts of all dumps, kept per input in the form that later stages ask for: runs of neighbour entries instead of one
 * object per snapshot line, one record per conntrack entry instead of one per line.
 */

import { parseMac, type AddressTable, type Ip, type Mac } from '../bytes/address.js';
import { ConntrackStore } from './conntrack-store.js';
import type { Epoch } from '../records/epoch.js';
import type {
  AddressFact,
  Fact,
  FdbFact,
  FlowtableFact,
  HardwareEntryFact,
  KernelFact,
  LeaseFact,
  LinkFact,
  LogEventFact,
  NeighborFact,
  NftRuleFact,
  RouteFact,
  RuleFact,
  SettingFact,
  VersionFact,
} from '../records/facts.js';

/** What a neighbour table said of one address, without change, from `first` to `last`. */
export interface NeighborRun {
  readonly input: number;
  readonly device: string | undefined;
  readonly ip: Ip;
  readonly mac: Mac;
  /** ns since the analysis epoch; NaN for an undated dump. */
  readonly first: number;
  readonly firstLine: number;
  /** The first statement was an event: it says exactly when the table changed. */
  readonly byEvent: boolean;
  last: number;
  lastLine: number;
  /** When the kernel first held it for confirmed (REACHABLE, PERMANENT), NaN when never. */
  confirmed: number;
}

/** What the dumps of a packet engine said of one entry, without change. */
export interface HardwareRun {
  readonly fact: HardwareEntryFact;
  /** First and last dump that shows it; ns since the analysis epoch, NaN when undated. */
  readonly first: number;
  last: number;
  lastLine: number;
}

/** What one run of `ip rule` or `ip route` printed, all of it. */
export interface TableSnapshot {
  readonly kind: 'rule' | 'route';
  readonly number: number;
  /** ns since the analysis epoch. */
  readonly time: number;
  readonly facts: (RuleFact | RouteFact)[];
}

const MAX_STATEMENTS = 500_000;
const MAX_TABLE_STATEMENTS = 200_000;
const MAX_HARDWARE_RUNS = 300_000;
const MAX_LOG_EVENTS = 300_000;
const MAX_NEIGHBOR_RUNS = 500_000;
/** Of one address: the time that judging takes grows with their square. */
const MAX_NEIGHBOR_RUNS_PER_ADDRESS = 2_000;

/** All facts of one input but the neighbours and conntrack entries, which are kept in runs. */
export interface InputFacts {
  readonly input: number;
  readonly links: LinkFact[];
  readonly addresses: AddressFact[];
  readonly routes: RouteFact[];
  readonly rules: RuleFact[];
  /** Rules and routes again, as each dated run of a command printed them. */
  readonly tables: TableSnapshot[];
  readonly fdb: FdbFact[];
  readonly leases: LeaseFact[];
  readonly kernels: KernelFact[];
  readonly settings: SettingFact[];
  readonly versions: VersionFact[];
  readonly log: LogEventFact[];
  readonly hardware: HardwareRun[];
  /** Of each chain and flowtable (by family, table and name) what the newest snapshot shows. */
  readonly chains: Map<string, NftRuleFact[]>;
  readonly flowtables: Map<string, FlowtableFact>;
  readonly neighbors: NeighborRun[];
  /** Devices that its facts name. */
  readonly devices: Set<string>;
  /** Number of facts by kind. */
  readonly counts: Map<string, number>;
}

export class FactStore {
  readonly inputs = new Map<number, InputFacts>();
  readonly conntrack: ConntrackStore;
  private readonly newest = new Map<string, NeighborRun>();
  private readonly seen = new Set<string>();
  /** Neighbour entries not kept because a bound was reached. */
  neighborsDropped = 0;
  private neighborRuns = 0;
  private readonly runsOfAddress = new Map<Ip, number>();
  private readonly newestHardware = new Map<string, HardwareRun>();
  private logEvents = 0;
  private tableStatements = 0;

  private readonly epoch: Epoch;
  private readonly addresses: AddressTable;

  constructor(epoch: Epoch, addresses: AddressTable) {
    this.epoch = epoch;
    this.conntrack = new ConntrackStore(epoch);
    this.addresses = addresses;
  }

  add(fact: Fact): void {
    const input = this.inputOf(fact.origin.input);
    input.counts.set(fact.kind, (input.counts.get(fact.kind) ?? 0) + 1);
    // A log outlives the devices that it names.
    if ('device' in fact && fact.kind !== 'log-event') input.devices.add(fact.device);
    switch (fact.kind) {
      case 'neighbor':
        this.neighbor(input, fact);
        break;
      case 'conntrack':
        this.conntrack.add(fact);
        break;
      case 'link':
        this.once(
          input.links,
          fact,
          `${fact.device} ${fact.mac} ${fact.master} ${fact.lower} ${fact.vlan} ${changeOf(fact)} ${fact.event ? fact.flags.join() : ''}`,
        );
        break;
      case 'address':
        this.once(input.addresses, fact, `${fact.device} ${fact.ip}/${fact.prefixLength} ${changeOf(fact)}`);
        break;
      case 'route':
        this.tableSnapshot(input, fact);
        for (const hop of fact.nextHops) if (hop.device !== undefined) input.devices.add(hop.device);
        this.once(
          input.routes,
          fact,
          `${fact.type} ${fact.prefix} ${fact.table} ${fact.metric} ${JSON.stringify(fact.nextHops)} ${changeOf(fact)}`,
        );
        break;
      case 'rule':
        this.tableSnapshot(input, fact);
        this.once(
          input.rules,
          fact,
          JSON.stringify({ ...fact, origin: undefined, time: fact.event && String(fact.time), snapshot: undefined }),
        );
        break;
      case 'fdb':
        this.once(
          input.fdb,
          fact,
          `${fact.mac} ${fact.device} ${fact.vlan} ${fact.event} ${fact.event ? fact.time : ''}`,
        );
        break;
      case 'lease':
        this.once(input.leases, fact, `${fact.ip} ${fact.mac}`);
        break;
      case 'kernel':
        this.once(input.kernels, fact, fact.release);
        break;
      case 'flowtable':
        input.flowtables.set(`${fact.family} ${fact.table} ${fact.name}`, fact);
        break;
      case 'nft-rule':
        addNftRule(input, fact);
        break;
      case 'setting':
        this.once(input.settings, fact, `${fact.package} ${fact.section} ${fact.option} ${fact.values.join(' ')}`);
        break;
      case 'version':
        this.once(input.versions, fact, `${fact.subject} ${fact.name} ${fact.version}`);
        break;
      case 'log-event':
        if (this.logEvents++ < MAX_LOG_EVENTS) input.log.push(fact);
        break;
      case 'hardware-entry':
        this.hardware(input, fact);
        break;
      case 'clock':
        break;
    }
  }

  private inputOf(index: number): InputFacts {
    let input = this.inputs.get(index);
    if (!input) {
      input = {
        input: index,
        links: [],
        addresses: [],
        routes: [],
        rules: [],
        tables: [],
        fdb: [],
        leases: [],
        kernels: [],
        settings: [],
        versions: [],
        log: [],
        hardware: [],
        chains: new Map(),
        flowtables: new Map(),
        neighbors: [],
        devices: new Set(),
        counts: new Map(),
      };
      this.inputs.set(index, input);
    }
    return input;
  }

  /** Keeps one of statements that a later snapshot of the same input repeats. */
  private once<F extends Fact>(list: F[], fact: F, content: string): void {
    const key = `${fact.origin.input} ${fact.kind} ${content}`;
    if (this.seen.has(key) || this.seen.size >= MAX_STATEMENTS) return;
    this.seen.add(key);
    list.push(fact);
  }

  private tableSnapshot(input: InputFacts, fact: RuleFact | RouteFact): void {
    if (fact.dated !== 'snapshot' || fact.time === undefined || fact.partial) return;
    if (this.tableStatements >= MAX_TABLE_STATEMENTS) return;
    this.tableStatements++;
    const last = input.tables.at(-1);
    if (last?.kind === fact.kind && last.number === fact.snapshot) last.facts.push(fact);
    else {
      const time = this.epoch.relative(fact.time);
      input.tables.push({ kind: fact.kind, number: fact.snapshot, time, facts: [fact] });
    }
  }

  private hardware(input: InputFacts, fact: HardwareEntryFact): void {
    const time = fact.time === undefined ? NaN : this.epoch.relative(fact.time);
    const { original: o, translated: t } = fact;
    const flow = `${o.src} ${o.srcPort} ${o.dst} ${o.dstPort} ${t?.dst} ${t?.dstPort} ${fact.protocol}`;
    const key = `${input.input} ${fact.engine} ${fact.index} ${flow} ${fact.bound} ${fact.dstMac}`;
    const run = this.newestHardware.get(key);
    if (run) {
      if (!(run.last >= time)) run.last = time;
      run.lastLine = fact.origin.line;
    } else if (this.newestHardware.size < MAX_HARDWARE_RUNS) {
      const made = { fact, first: time, last: time, lastLine: fact.origin.line };
      this.newestHardware.set(key, made);
      input.hardware.push(made);
    }
  }

  private neighbor(input: InputFacts, fact: NeighborFact): void {
    const ip = this.addresses.parse(fact.ip);
    const mac = fact.mac === undefined ? undefined : parseMac(fact.mac);
    if (ip === undefined || mac === undefined || mac === 0 || fact.event === 'deleted' || fact.event === 'missed')
      return;
    const time = fact.time === undefined ? NaN : this.epoch.relative(fact.time);
    const key = `${input.input} ${fact.device ?? ''} ${ip} ${fact.dated}`;
    let run = this.newest.get(key);
    if (run?.mac !== mac) {
      const runs = this.runsOfAddress.get(ip) ?? 0;
      if (this.neighborRuns >= MAX_NEIGHBOR_RUNS || runs >= MAX_NEIGHBOR_RUNS_PER_ADDRESS) {
        this.neighborsDropped++;
        return;
      }
      this.neighborRuns++;
      this.runsOfAddress.set(ip, runs + 1);
      run = {
        input: input.input,
        device: fact.device,
        ip,
        mac,
        first: time,
        firstLine: fact.origin.line,
        byEvent: fact.dated === 'event',
        last: time,
        lastLine: fact.origin.line,
        confirmed: NaN,
      };
      this.newest.set(key, run);
      input.neighbors.push(run);
    }
    run.last = time;
    run.lastLine = fact.origin.line;
    const confirmed = fact.states.includes('REACHABLE') || fact.states.includes('PERMANENT');
    if (confirmed && Number.isNaN(run.confirmed)) run.confirmed = time;
  }
}

/** Snapshots repeat what holds; each change is one of its own. */
function changeOf({ event, time }: { readonly event?: string; readonly time?: bigint }): string {
  return event === undefined ? '' : `${event} ${time}`;
}

/** Rules come in the order of their chain; one that begins anew is a newer snapshot of it. */
function addNftRule(input: InputFacts, rule: NftRuleFact): void {
  const key = `${rule.family} ${rule.table} ${rule.chain}`;
  const known = input.chains.get(key);
  if (!known || rule.index === 0 || known[0]?.snapshot !== rule.snapshot) input.chains.set(key, [rule]);
  else if (known.length < MAX_CHAIN_RULES) known.push(rule);
}

const MAX_CHAIN_RULES = 20_000;
