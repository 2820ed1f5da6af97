/**
 * Faults that the configuration will cause, before any packet shows them. When a flow is offloaded, nft_flow_route
 * (Linux net/netfilter/nft_flow_offload.c) looks up the route of the other direction: bound to the device that the
 * packet at hand came in on and, since Linux 5.19, with that packet's mark. The same question is put here to the rules
 * and routes at hand, for each client network and each table that a mark selects.
 */

import type { AddressTable, Ip } from '../bytes/address.js';
import type { Advice, Origin, Prediction, RulesetCheck } from '../model.js';
import type { Host } from '../reconstruct/hosts.js';
import { parsePrefix, prefixContains } from '../reconstruct/prefix.js';
import type { FactOrigin } from '../records/facts.js';
import { plain } from './advice.js';
import { Fib, type FibAnswer } from './fib.js';
import {
  clientNetworks,
  markedTables,
  restoresMark,
  standing,
  type ClientNetwork,
  type MarkedTable,
} from './marked-traffic.js';
import { isHooked, offloadRulesOf, reachedOffloads, type OffloadRules } from './offload-rules.js';
import { tableCures } from './policy-routing.js';
import { checkRuleset } from './ruleset-checks.js';

export interface Foresight {
  readonly predictions: Prediction[];
  readonly ruleset: RulesetCheck[];
}

/** More say nothing new. */
const MAX_PREDICTIONS = 20;

/** What rules, routes and rulesets alone will cause on each host, and what its ruleset does to offload. No frame is looked at. */
export function foresee(
  hosts: readonly Host[],
  addresses: AddressTable,
  inputName: (input: number) => string,
): Foresight {
  const originOf = ({ input, line }: FactOrigin): Origin => ({ input: inputName(input), line });
  const predictions: Prediction[] = [];
  const ruleset: RulesetCheck[] = [];
  for (const host of hosts) {
    const offload = offloadRulesOf(host);
    const oracle = new Oracle(host, offload, addresses, originOf);
    predictions.push(...oracle.predictions());
    ruleset.push(...checkRuleset(host, offload, originOf), ...oracle.outside.values());
  }
  return { predictions: predictions.slice(0, MAX_PREDICTIONS), ruleset };
}

/** Whether the configuration alone says that offloaded replies for a client go to the next hop of one of these tables. */
export function foretellsNextHop(host: Host, addresses: AddressTable, client: Ip, tables: readonly string[]): boolean {
  const oracle = new Oracle(host, offloadRulesOf(host), addresses, ({ line }) => ({ input: '', line }));
  return oracle.leadsAstray(client, tables);
}

/** Whether the configuration alone says that one of these tables misleads packets for a client, offloaded or not. */
export function foretellsIncompleteTable(
  host: Host,
  addresses: AddressTable,
  client: Ip,
  tables: readonly string[],
): boolean {
  const oracle = new Oracle(host, offloadRulesOf(host), addresses, ({ line }) => ({ input: '', line }));
  return oracle.isMisled(client, tables);
}

/** Addresses that stand for any far one, those for documentation first. */
const FAR: Readonly<Record<4 | 6, readonly string[]>> = {
  4: ['198.51.100.1', '192.0.2.1', '203.0.113.1', '8.8.8.8'],
  6: ['2001:db8::1', '2001:4860:4860::8888'],
};

/** Version of the kernel that looks the route up with the packet's mark, as its parts. */
const MARKED_SINCE = [5, 19] as const;

class Oracle {
  private readonly host: Host;
  private readonly offload: OffloadRules;
  private readonly addresses: AddressTable;
  private readonly originOf: (origin: FactOrigin) => Origin;
  private readonly fib: Fib;
  private readonly routes;
  private readonly rules;
  /** Tables whose replies no flowtable takes, so that what is wrong with them stays without effect. */
  readonly outside = new Map<string, RulesetCheck>();

  constructor(host: Host, offload: OffloadRules, addresses: AddressTable, originOf: (origin: FactOrigin) => Origin) {
    this.host = host;
    this.offload = offload;
    this.addresses = addresses;
    this.originOf = originOf;
    this.routes = standing(host.routes);
    this.rules = standing(host.rules);
    this.fib = new Fib(this.rules, this.routes, addresses);
  }

  *predictions(): Iterable<Prediction> {
    const onLink = new Set<string>();
    for (const table of markedTables(this.rules, this.routes)) {
      const far = this.farAddress(table);
      if (far === undefined) continue;
      for (const network of clientNetworks(this.host, this.routes, table, this.offload.rules, this.addresses)) {
        const found = this.tableIncomplete(table, network, far) ?? this.nextHop(table, network, far);
        if (found) yield found;
      }
      for (const device of new Set(table.ways.map((way) => way.device))) {
        const found = onLink.has(device) ? undefined : this.onLink(table, device, far);
        onLink.add(device);
        if (found) yield found;
      }
    }
  }

  leadsAstray(client: Ip, tables: readonly string[]): boolean {
    if (!this.kernel().isKnown) return false;
    return this.foretells(client, tables, (table, network, far) => this.nextHop(table, network, far));
  }

  isMisled(client: Ip, tables: readonly string[]): boolean {
    return this.foretells(client, tables, (table, network, far) => this.tableIncomplete(table, network, far));
  }

  private foretells(
    client: Ip,
    tables: readonly string[],
    prediction: (table: MarkedTable, network: ClientNetwork, far: Ip) => Prediction | undefined,
  ): boolean {
    return markedTables(this.rules, this.routes).some((table) => {
      const far = tables.includes(table.table) ? this.farAddress(table) : undefined;
      if (far === undefined) return false;
      const networks = clientNetworks(this.host, this.routes, table, this.offload.rules, this.addresses);
      return networks.some((network) => {
        const prefix = parsePrefix(network.route.prefix, this.addresses);
        const isHere = prefix !== undefined && prefixContains(prefix, client);
        return isHere && prediction(table, { ...network, client }, far) !== undefined;
      });
    });
  }

  /** Replies carry the mark again, and the marked table sends them to its gateway: offload has no part in it. */
  private tableIncomplete(table: MarkedTable, network: ClientNetwork, far: Ip): Prediction | undefined {
    const device = table.ways[0]?.device ?? '';
    if (!restoresMark(this.offload.rules, this.host, device)) return undefined;
    const asked = { destination: network.client, source: far, iif: device };
    const [right, wrong] = [this.fib.lookup(asked), this.fib.lookup({ ...asked, mark: table.mark })];
    const way = wrongWay(table, right, wrong);
    if (way === undefined) return undefined;
    const client = this.addresses.format(network.client);
    return {
      cause: 'pbr-table-incomplete',
      title: 'The marked table lacks a network of its clients',
      summary: `Replies get the mark of their connection back (\`meta mark set ct mark\`), and table ${plain(table.table)} then sends packets for ${network.route.prefix} (${plain(network.device)}) \`${way}\`, offloaded or not. The command below shows it when it answers \`${way}\`.`,
      prove: [
        `${ip(table)} route get ${client} from ${this.addresses.format(far)} iif ${plain(device)} mark ${hex(table.mark)}`,
      ],
      change: tableCures(ip(table), network.route, network.device, [plain(table.table)]),
      ...this.words(table, network, [wrong]),
    };
  }

  /** A packet with the mark triggers the offload, and the route for the replies is looked up with that mark. */
  private nextHop(table: MarkedTable, network: ClientNetwork, far: Ip): Prediction | undefined {
    const kernel = this.kernel();
    if (!this.mayOffload() || kernel.isOlder || this.keepsMarkedOut(table)) return undefined;
    const asked = { destination: network.client, source: far, oif: network.device };
    const [right, wrong] = [this.fib.lookup(asked), this.fib.lookup({ ...asked, mark: table.mark })];
    const way = wrongWay(table, right, wrong);
    if (way === undefined || wrong.kind !== 'route') return undefined;
    if (!this.takesReplies(table)) {
      this.outside.set(table.table, {
        id: 'path-not-in-flowtable',
        result: 'fine',
        what: `No device that replies of table ${plain(table.table)} come in on is in the flowtable: they are not offloaded, and the route that the table lacks does no harm.`,
        evidence: [this.originOf(table.rule.origin)],
      });
      return undefined;
    }
    const client = this.addresses.format(network.client);
    const device = plain(network.device);
    const isLoop = wrong.hop.device !== network.device;
    const from = table.family === 6 ? ` from ${this.addresses.format(far)}` : '';
    return {
      cause: isLoop ? 'pbr-ipv6-loop' : 'pbr-next-hop',
      title: isLoop
        ? 'Offloaded IPv6 replies will go back out to the next hop of the marked table'
        : 'Offloaded replies will go to the next hop of the marked table',
      summary: `When a packet with mark ${hex(table.mark)} from ${network.route.prefix} (${device}) has its flow offloaded, the replies go \`${way}\` (table ${plain(table.table)}) instead of ${rightText(right)}. The command below shows it when it answers \`${way}\`.${this.conditions(kernel.isKnown)}`,
      prove: [`${ip(table)} route get ${client}${from} oif ${device} mark ${hex(table.mark)}`],
      change: [...tableCures(ip(table), network.route, network.device, [plain(table.table)]), OR_GUARD],
      ...this.words(table, network, [wrong]),
    };
  }

  /** A reply without the mark triggers the offload, and main has no route on the device it came in on (IPv4 only). */
  private onLink(table: MarkedTable, device: string, far: Ip): Prediction | undefined {
    if (
      table.family === 6 ||
      !this.mayOffload() ||
      this.keepsRepliesOut(table) ||
      !isHooked(this.offload, this.host, device)
    )
      return undefined;
    if (restoresMark(this.offload.rules, this.host, device)) return undefined;
    const answer = this.fib.lookup({ destination: far, oif: device });
    if (answer.kind !== 'assumed-on-link') return undefined;
    const gateway = table.ways.find((way) => way.device === device && way.via !== undefined);
    // Without a gateway the device has no neighbours to ask.
    if (!gateway) return undefined;
    const name = plain(device);
    return {
      cause: 'pbr-on-link',
      title: 'The router will take far addresses for neighbours',
      summary: `When a reply that came in on ${name} without mark ${hex(table.mark)} has its flow offloaded (UDP, such as DNS), main has no way out on ${name}: the router then asks ${name} for the far address itself, and the client's packets of that flow are lost instead of going via ${gateway.via}. The command below shows it when it answers without \`via\`.${this.conditions(true)}`,
      prove: [`ip route get ${this.addresses.format(far)} oif ${name}`],
      change: [...REPLY_CURES],
      ...this.words(table, undefined, []),
    };
  }

  private words(
    table: MarkedTable,
    network: ClientNetwork | undefined,
    answers: readonly FibAnswer[],
  ): Pick<Prediction, 'confidence' | 'evidence'> {
    const routes = answers.flatMap((answer) => (answer.kind === 'route' ? [answer.route] : []));
    const facts = [table.rule, ...(routes.length > 0 ? routes : table.ways.slice(0, 1).map(({ route }) => route))];
    const offload = reachedOffloads(this.offload)[0]?.rule.fact;
    const all = [...facts, ...(network ? [network.route] : []), ...(offload ? [offload] : [])];
    return { confidence: 'config-only', evidence: all.map((fact) => this.originOf(fact.origin)) };
  }

  /** What the foresight rests on that the evidence does not say. */
  private conditions(isKernelKnown: boolean): string {
    const unknown = [
      this.offload.offloads === 'unknown' ? 'that flows are offloaded (\`nft list ruleset\` tells)' : '',
      this.offload.offloads === 'likely' ? 'that a rule offloads to the flowtable (\`nft list ruleset\` tells)' : '',
      isKernelKnown ? '' : 'a kernel of 5.19 or newer (\`uname -r\` tells)',
    ].filter((text) => text !== '');
    return unknown.length === 0 ? '' : ` It takes ${unknown.join(' and ')}.`;
  }

  private mayOffload(): boolean {
    return this.offload.offloads !== 'no';
  }

  private kernel(): { isKnown: boolean; isOlder: boolean } {
    const release = this.host.kernels.at(-1)?.release;
    const parts = /^(\d+)\.(\d+)/.exec(release ?? '');
    if (!parts) return { isKnown: false, isOlder: false };
    const [major, minor] = [Number(parts[1]), Number(parts[2])];
    return {
      isKnown: true,
      isOlder: major < MARKED_SINCE[0] || (major === MARKED_SINCE[0] && minor < MARKED_SINCE[1]),
    };
  }

  /** Whether replies from the table's ways out take the fast path at all. */
  private takesReplies(table: MarkedTable): boolean {
    const devices = new Set(table.routes.flatMap((route) => route.nextHops.map((hop) => hop.device)));
    return [...devices].some((device) => device !== undefined && isHooked(this.offload, this.host, device));
  }

  private keepsMarkedOut({ mark, family }: MarkedTable): boolean {
    return this.everyOffload((guards) => {
      const nat = new Set(guards.flatMap((guard) => guard.nat));
      const isMarkOut = guards.some((guard) => guard.subject === 'mark' && guard.coversMark(mark));
      return isMarkOut || this.isCtMarkOut(guards, mark) || (family === 4 && nat.size === 2);
    });
  }

  private keepsRepliesOut({ mark }: MarkedTable): boolean {
    return this.everyOffload(
      (guards) => this.isCtMarkOut(guards, mark) || guards.some((guard) => guard.nat.includes('snat')),
    );
  }

  private isCtMarkOut(guards: readonly Guards[number][], mark: number): boolean {
    const isSaved = this.offload.rules.some(({ fact }) => fact.marks?.key === 'ct');
    return isSaved && guards.some((guard) => guard.subject === 'ct-mark' && guard.coversMark(mark));
  }

  private everyOffload(keepsOut: (guards: Guards) => boolean): boolean {
    const reached = reachedOffloads(this.offload);
    const isOut = ({ guards }: (typeof reached)[number]): boolean =>
      guards.some((guard) => guard.effect === 'all') || keepsOut(guards.filter((guard) => guard.effect === 'works'));
    return reached.length > 0 && reached.every(isOut);
  }

  /** An address beyond the table's gateways that is in none of the host's own networks. */
  private farAddress(table: MarkedTable): Ip | undefined {
    const covered = FAR[table.family].map((text) => this.addresses.parse(text));
    const prefixes = table.ways
      .slice(0, MAX_PREDICTIONS)
      .map(({ route }) => this.addresses.parse(route.prefix.split('/')[0] ?? ''));
    return [...covered, ...prefixes].find((far) => {
      if (far === undefined) return false;
      const answer = this.fib.lookup({ destination: far, mark: table.mark, iif: table.rule.iif ?? 'lo' });
      return answer.kind === 'route' && answer.table === table.table;
    });
  }
}

type Guards = OffloadRules['all'][number]['guards'];

const GUARD = 'eep such traffic out of the flowtable: `macscan guard` with this evidence prints how.';
const OR_GUARD: Advice = { what: `Or k${GUARD}`, commands: [] };
/** What helps against replies that trigger the offload without the mark. */
const REPLY_CURES: readonly Advice[] = [
  { what: `K${GUARD}`, commands: [] },
  {
    what: 'Or give replies the mark of their connection: save it (`ct mark set meta mark`), and restore it in prerouting (`meta mark set ct mark`), once the table has the networks of the clients.',
    commands: [],
  },
];

/** Where the marked table leads, as `ip route get` prints it, when main leads elsewhere. */
function wrongWay(table: MarkedTable, right: FibAnswer, wrong: FibAnswer): string | undefined {
  if (wrong.kind !== 'route' || right.kind !== 'route') return undefined;
  if (wrong.table !== table.table || right.table !== 'main') return undefined;
  const { via, device } = wrong.hop;
  if (via === right.hop.via && device === right.hop.device) return undefined;
  return `${via === undefined ? '' : `via ${via} `}dev ${plain(device ?? '')}`;
}

function rightText(answer: FibAnswer): string {
  if (answer.kind !== 'route' || answer.hop.via === undefined) return 'to the client itself';
  return `\`via ${answer.hop.via}\``;
}

function ip(table: MarkedTable): string {
  return table.family === 6 ? 'ip -6' : 'ip';
}

function hex(mark: number): string {
  return `0x${mark.toString(16)}`;
}
