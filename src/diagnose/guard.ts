/**
 * The smallest include that keeps a ruleset from offloading what offload gets wrong, as nftables text with its reasons,
 * its cost and the way back in comments. Guards are tests of single bits (`ct status dnat`): a set or `==` would compare
 * the whole status word and never match. Nothing from an input gets into a line that is not a comment unless it is a
 * plain name or a plain condition.
 */

import type { AddressTable } from '../bytes/address.js';
import type { Prediction, RulesetCheck } from '../model.js';
import type { Host } from '../reconstruct/hosts.js';
import { plain } from './advice.js';
import { offloadRulesOf, reachedOffloads, type Offload, type OffloadRules } from './offload-rules.js';
import { foresee } from './predictions.js';

export interface GuardText {
  /** Why nothing is printed to load, when so. */
  readonly kind: 'guard' | 'routes-only' | 'nothing-needed' | 'no-ruleset';
  readonly text: string;
}

/** The text for the host that offloads, or whose tables will mislead offload. */
export function guardText(
  hosts: readonly Host[],
  addresses: AddressTable,
  inputName: (input: number) => string,
): GuardText {
  const plans = hosts.map((host) => planOf(host, foresee([host], addresses, inputName)));
  const plan =
    plans.find((one) => one.guards.length > 0 || one.wantsBridge) ??
    plans.find((one) => one.predictions.length > 0) ??
    plans.find((one) => one.offload.offloads === 'yes') ??
    plans.find((one) => one.offload.offloads !== 'unknown');
  if (!plan) {
    return {
      kind: 'no-ruleset',
      text: comment('The evidence holds no nftables ruleset. Record it: nft list ruleset > nft-ruleset.txt'),
    };
  }
  const [first] = reachedOffloads(plan.offload);
  const lines = [comment('Printed by macscan guard. Nothing was applied: read it, then decide.'), ''];
  if (!first || (plan.guards.length === 0 && !plan.wantsBridge)) {
    if (plan.predictions.length > 0) {
      lines.push(...whyLines(plan), ...routeLines(plan));
      if (plan.offload.offloads !== 'no')
        lines.push(
          comment(
            'The rules that offload are not in the evidence; for a guard record: nft list ruleset > nft-ruleset.txt',
          ),
        );
      return { kind: 'routes-only', text: lines.join('\n') };
    }
    return { kind: 'nothing-needed', text: [...lines, ...nothingLines(plan)].join('\n') };
  }
  lines.push(...whyLines(plan), ...routeLines(plan), ...guardLines(plan, first));
  return { kind: 'guard', text: lines.join('\n') };
}

type GuardName = 'mark' | 'connection' | 'dnat' | 'snat';

interface Plan {
  readonly host: Host;
  readonly offload: OffloadRules;
  readonly predictions: readonly Prediction[];
  readonly checks: readonly RulesetCheck[];
  /** What must stay out that does not yet, in the order of the rules. */
  readonly guards: readonly GuardName[];
  /** The software flowtable lists bridge ports: the bridge in their stead freezes nothing. */
  readonly wantsBridge: boolean;
}

/** In the forms of nft and of nft -j. */
const CONNECTION_MARK = /\bct mark\b|"ct":\s*\{\s*"key":\s*"mark"/;

function planOf(host: Host, { predictions, ruleset }: ReturnType<typeof foresee>): Plan {
  const offload = offloadRulesOf(host);
  const reached = reachedOffloads(offload);
  const flowtables = reached.flatMap((one) => (one.flowtable ? [one.flowtable] : []));
  const causes = new Set(predictions.map(({ cause }) => cause));
  const broken = reached.flatMap((one) =>
    one.guards.filter((guard) => guard.effect === 'never').map((guard) => guard.condition + guard.rule.text),
  );
  const isHardware = flowtables.some((flowtable) => flowtable.hardware === true);
  const hasDnat = offload.rules.some(({ text }) => /\bdnat (?:ip6? )?to\b|"dnat":/.test(text));
  const works = (nat: 'dnat' | 'snat'): boolean =>
    reached.every((one) => one.guards.some((guard) => guard.effect === 'works' && guard.nat.includes(nat)));
  const guards: GuardName[] = [];
  if (reached.length > 0) {
    const isMeant = (nat: string): boolean => broken.some((text) => text.includes(nat));
    const wantsSnat = !works('snat') && (isMeant('snat') || causes.has('pbr-on-link'));
    // Replies to policy routed packets carry no mark: their connection can remember it, if nothing else uses that field.
    const remembers = wantsSnat && !isMeant('snat') && !offload.rules.some(({ text }) => CONNECTION_MARK.test(text));
    if (remembers) guards.push('connection');
    else if (causes.has('pbr-next-hop') || causes.has('pbr-ipv6-loop')) guards.push('mark');
    if (!works('dnat') && (isMeant('dnat') || (isHardware && hasDnat))) guards.push('dnat');
    if (wantsSnat && !remembers) guards.push('snat');
  }
  const wantsBridge = !isHardware && ruleset.some(({ id }) => id === 'ports-in-flowtable');
  return { host, offload, predictions, checks: ruleset, guards, wantsBridge };
}

function whyLines({ predictions, checks }: Plan): string[] {
  const lines = [comment('Why')];
  for (const { cause, summary, prove } of predictions) {
    lines.push(comment(`- ${cause}: ${summary}`, '  '), ...prove.map((command) => `#     ${command}`));
  }
  for (const { result, what } of checks) if (result !== 'fine') lines.push(comment(`- ${what}`, '  '));
  return [...lines, ''];
}

function nothingLines({ offload, checks }: Plan): string[] {
  const said = checks.map(({ what }) => comment(`- ${what}`, '  '));
  const why =
    offload.offloads === 'yes'
      ? 'Nothing needs guarding: no table that a mark selects misleads offload, and the flowtable freezes no MAC.'
      : offload.offloads === 'likely'
        ? 'Nothing is foreseen. The rules that offload are not in the evidence: nft list ruleset'
        : 'Nothing needs guarding: no rule of this ruleset offloads traffic.';
  return [comment(why), ...said, ''];
}

/** The cures of the tables: they cost nothing, and cure what the marked table does. */
function routeLines({ predictions }: Plan): string[] {
  const advice = predictions.flatMap(({ change }) => change).filter(({ commands }) => commands.length > 0);
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const { what, commands } of advice) {
    const fresh = commands.filter((command) => !seen.has(command));
    for (const command of fresh) seen.add(command);
    if (fresh.length === 0) continue;
    lines.push(comment(`  ${what}`, '  '));
    for (const command of fresh)
      lines.push(`#     ${command}`, `#     # undo: ${command.replace(/ (route|rule) add /, ' $1 del ')}`);
  }
  if (lines.length === 0) return [];
  const causes = [
    ...new Set(
      predictions.filter(({ change }) => change.some(({ commands }) => commands.length > 0)).map(({ cause }) => cause),
    ),
  ];
  const left = predictions.some(({ cause }) => cause === 'pbr-on-link') ? '; pbr-on-link needs the guard' : '';
  return [
    comment(`Without any cost: complete the tables (either one; cures ${causes.join(', ')}${left})`),
    ...lines,
    '',
  ];
}

const COST: Readonly<Record<GuardName, string>> = {
  mark: 'packets that carry a mark (policy routed) lose offload, and nothing else does.',
  connection:
    'connections of packets that carry a mark (policy routed) lose offload, and nothing else does. It writes the mark of connections, which nothing in this ruleset uses.',
  dnat: 'connections to forwarded ports (destination NAT) lose offload.',
  snat: 'connections whose source address is translated lose offload: with masquerading that is nearly all IPv4 traffic to the internet.',
};

const RULES: Readonly<Record<GuardName, readonly string[]>> = {
  mark: ['meta mark != 0 return'],
  connection: ['meta mark != 0 ct mark set meta mark return', 'ct mark != 0 return'],
  dnat: ['ct status dnat return'],
  snat: ['ct status snat return'],
};

const NEW_CHAIN = 'guarded_offload';

function guardLines(plan: Plan, first: Offload): string[] {
  const { fact } = first.rule;
  const [family, table, chain] = [plain(fact.family), plain(fact.table), plain(fact.chain)];
  const isOwn = isOwnChain(plan.offload, first);
  const name = isOwn ? chain : NEW_CHAIN;
  const isFw4 = fact.table === 'fw4' && fact.family === 'inet' && !isOwn;
  const lines = [comment('Cost')];
  for (const one of plan.guards) lines.push(comment(`- ${RULES[one].join('; ')}: ${COST[one]}`, '  '));
  if (plan.guards.length === 0)
    lines.push(comment('- none: the flowtable keeps its traffic, and looks MACs up for each packet.', '  '));
  lines.push('', ...applyLines(plan, first, isFw4, isOwn), '');
  const indent = isFw4 ? '' : '\t';
  if (isOwn) lines.push(`flush chain ${family} ${table} ${chain}`);
  if (!isFw4) lines.push(`table ${family} ${table} {`);
  if (isFw4) lines.push(...flowtableLines(plan, first));
  lines.push(`${indent}chain ${name} {`);
  const priority = isOwn && /^[\w +-]{1,20}$/.test(fact.priority ?? '') ? fact.priority : 'filter - 1';
  lines.push(`${indent}\ttype filter hook forward priority ${priority}; policy accept;`);
  for (const rule of rulesOf(plan, first)) lines.push(`${indent}\t${rule}`);
  lines.push(`${indent}}`);
  if (!isFw4) lines.push('}');
  return [...lines, ...alternativeLines(plan), ''];
}

/** The working guards that are there, those that lack, and the rule that offloads. */
function rulesOf(plan: Plan, { rule, guards }: Offload): string[] {
  const kept = guards
    .filter((guard) => guard.effect === 'works' && guard.rule !== rule)
    .map((guard) => guard.rule.text);
  // What remembers a mark has to see the packet that carries it.
  const first = plan.guards.includes('connection') ? RULES.connection : [];
  const wanted = plan.guards.flatMap((one) => RULES[one]);
  const flowtable = plain(rule.fact.flowtable ?? '');
  const own = `${rule.conditions.join(' ')} flow add @${flowtable}`.trim();
  const safe = isSafe(own) && rule.conditions.length > 0 ? own : `meta l4proto { tcp, udp } flow add @${flowtable}`;
  return [...new Set([...first, ...kept.filter(isSafe), ...wanted, safe])];
}

function isSafe(rule: string): boolean {
  return /^[\w\s{}@.,"!=<>&|()/:*-]{1,400}$/.test(rule) && !/[\r\n]/.test(rule);
}

function flowtableLines(plan: Plan, { flowtable, rule }: Offload): string[] {
  const name = plain(rule.fact.flowtable ?? '');
  if (!flowtable) return [comment(`The flowtable ${name} is not in the evidence: it must be declared here.`)];
  const devices = plan.wantsBridge ? bridged(plan.host, flowtable.devices) : flowtable.devices;
  const quoted = devices.map((device) => `"${plain(device)}"`).join(', ');
  const flags = flowtable.hardware === true ? ['\tflags offload'] : [];
  return [`flowtable ${name} {`, '\thook ingress priority filter', `\tdevices = { ${quoted} }`, ...flags, '}'];
}

/** Bridges in the stead of their ports. */
function bridged(host: Host, devices: readonly string[]): string[] {
  return [...new Set(devices.map((device) => host.devices.get(device)?.master ?? device))];
}

function applyLines(plan: Plan, { rule }: Offload, isFw4: boolean, isOwn: boolean): string[] {
  const { fact } = rule;
  const [family, table, chain, flowtable] = [fact.family, fact.table, fact.chain, fact.flowtable ?? ''].map(plain);
  const place = `${family} ${table} ${chain}`;
  if (isFw4) {
    const file = '/etc/nftables.d/20-guarded-offload.nft';
    return [
      comment(
        `Apply on OpenWrt: the rule that fw4 makes stands before every include, so its offload is turned off, and this text offloads in its stead. Save it as ${file}, then:`,
      ),
      '#     uci set firewall.@defaults[0].flow_offloading=0',
      ...(plan.offload.flowtables.some((one) => one.hardware === true)
        ? ['#     uci set firewall.@defaults[0].flow_offloading_hw=0']
        : []),
      '#     uci commit firewall && fw4 check && fw4 reload',
      comment('Undo:'),
      `#     rm ${file}`,
      '#     uci set firewall.@defaults[0].flow_offloading=1',
      ...(plan.offload.flowtables.some((one) => one.hardware === true)
        ? ['#     uci set firewall.@defaults[0].flow_offloading_hw=1']
        : []),
      '#     uci commit firewall && fw4 reload',
    ];
  }
  const bridge = plan.wantsBridge && fact.flowtable !== undefined ? bridgeAdvice(plan, flowtable ?? '') : [];
  if (isOwn) {
    return [
      comment(
        `Apply: nft -f with this text. It writes chain ${chain} anew; do the same in the file that your ruleset is loaded from.`,
      ),
      ...bridge,
      ...renewLines(),
      comment('Undo: load your ruleset as it was.'),
    ];
  }
  return [
    comment(
      `Apply: nft -f with this text, then take the old rule away (and do both in the file that your ruleset is loaded from):`,
    ),
    `#     nft delete rule ${place} handle "$(nft -a list chain ${place} | sed -n 's/.*flow \\(add\\|offload\\) @${flowtable}.*# handle //p')"`,
    ...renewLines(),
    ...bridge,
    comment('Undo: load your ruleset as it was, or:'),
    `#     nft delete chain ${family} ${table} ${NEW_CHAIN}`,
    `#     nft insert rule ${place} meta l4proto '{ tcp, udp }' flow add @${flowtable}`,
  ];
}

/** Unlike fw4, which makes its flowtable anew, these commands leave offloaded flows as they are. */
function renewLines(): string[] {
  return [
    comment(
      'Flows that are offloaded already stay so while packets come. To end that now (they are offloaded anew, by the new rules):',
    ),
    '#     conntrack -D -u OFFLOAD',
  ];
}

function bridgeAdvice(plan: Plan, name: string): string[] {
  const flowtable = plan.offload.flowtables.find((one) => one.name === name);
  if (!flowtable) return [];
  const devices = bridged(plan.host, flowtable.devices).map(plain).join(', ');
  return [
    comment(
      `In the flowtable ${name} of that file: devices = { ${devices} }, the bridge in the stead of its ports. It costs nothing, and no MAC is kept.`,
    ),
  ];
}

/** If the mark of connections is not free after all. */
function alternativeLines(plan: Plan): string[] {
  if (!plan.guards.includes('connection')) return [];
  return [
    '',
    comment(
      `If another program uses the mark of connections (mwan3, sqm, pbr with connmark): in the stead of those two rules, at the price that ${COST.snat}`,
    ),
    '#     meta mark != 0 return',
    '#     ct status snat return',
  ];
}

/** A base chain of the forward hook that does nothing but offload. */
function isOwnChain(offload: OffloadRules, { rule, guards }: Offload): boolean {
  const { fact } = rule;
  if (fact.hook !== 'forward' || fact.policy === 'drop') return false;
  const same = offload.rules.filter(
    (other) => other.fact.chain === fact.chain && other.fact.table === fact.table && other.fact.family === fact.family,
  );
  return same.every(
    (other) => other === rule || guards.some((guard) => guard.rule === other && other.verdict === 'return'),
  );
}

const WIDTH = 96;

/** Text as comment lines; what an input said cannot end the comment. */
function comment(text: string, hanging = ''): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.replaceAll(/[^\x20-\x7e\u00a0-\uffff]/g, '?').split(' ')) {
    if (line.length > 1 && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `#${hanging === '' ? '' : ` ${hanging.slice(1)}`}`;
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}
