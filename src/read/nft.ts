/**
 * nftables rulesets: `nft list ruleset`, `nft list flowtables`, `fw4 print` and rule files (nft(8), libnftables text).
 *
 * Blocks in braces: `table FAMILY NAME { flowtable NAME { ... } chain NAME { ... } }`. Flowtables and rules are kept;
 * sets, maps and other objects are passed over.
 */

import type { FlowtableFact, NftRuleFact } from '../records/facts.js';
import { stateBase, type LineReader, type Mutable, type Section, type StatementBase } from './section.js';

/** Lines that one statement may run over (long sets are wrapped). */
const MAX_STATEMENT = 65_536;

export function nftReader(): LineReader {
  let ruleset: Ruleset | undefined;
  return {
    id: 'nft',
    line(line, section) {
      const text = withoutComment(line);
      if (!ruleset) {
        const table = /^table (ip|ip6|inet|bridge|arp|netdev) (\S{1,128}) \{$/.exec(text);
        if (!table) return isTopLevel(text);
        ruleset = new Ruleset(table[1] ?? '', table[2] ?? '');
        return true;
      }
      // A text that breaks off inside a table goes on with something else.
      if (/^(?:\S{1,40}@\S{1,40}[:~]|\[\S{1,40}@|# \d{9,10}|\d{10}\.\d)/.test(line)) {
        ruleset = undefined;
        return false;
      }
      if (text !== '' && ruleset.line(text, section) === 'closed') ruleset = undefined;
      return true;
    },
    finish() {
      ruleset = undefined;
    },
  };
}

/** One table. */
class Ruleset {
  private readonly family: string;
  private readonly table: string;
  private block: 'none' | 'flowtable' | 'chain' | 'other' = 'none';
  private name = '';
  /** Braces open inside the block. */
  private depth = 0;
  private statement = '';
  private flowtable: Mutable<FlowtableFact> | undefined;
  private chain: { hook?: string; priority?: string; policy?: string } = {};
  private index = 0;

  constructor(family: string, table: string) {
    this.family = family;
    this.table = table;
  }

  line(text: string, section: Section): 'open' | 'closed' {
    if (this.block === 'none') return this.open(text, section);
    if (text === '}' && this.depth === 0) {
      this.close(section);
      return 'open';
    }
    this.depth = Math.max(0, this.depth + balance(text));
    if (this.statement.length < MAX_STATEMENT) this.statement += this.statement === '' ? text : ` ${text}`;
    if (this.depth > 0) return 'open';
    const statement = this.statement;
    this.statement = '';
    if (this.block === 'flowtable') this.readFlowtable(statement);
    else if (this.block === 'chain') this.readChain(statement, section);
    return 'open';
  }

  private open(text: string, section: Section): 'open' | 'closed' {
    if (text === '}') return 'closed';
    const block = /^(\w{1,16}) (?:(?:helper|timeout|expectation) )?"?([^\s"]{1,128})"? ?\{$/.exec(text);
    if (!block) return 'open';
    this.name = block[2] ?? '';
    this.depth = 0;
    this.statement = '';
    this.block = block[1] === 'flowtable' ? 'flowtable' : block[1] === 'chain' ? 'chain' : 'other';
    this.chain = {};
    this.index = 0;
    if (this.block === 'flowtable') {
      const { family, table, name } = this;
      this.flowtable = { kind: 'flowtable', ...stateBase(section), family, table, name, devices: [], hardware: false };
    }
    return 'open';
  }

  private close(section: Section): void {
    if (this.block === 'flowtable' && this.flowtable) section.emit(this.flowtable);
    this.flowtable = undefined;
    this.block = 'none';
  }

  private readFlowtable(statement: string): void {
    if (!this.flowtable) return;
    for (const part of statement.split(';')) {
      const text = part.trim();
      const priority = /^hook ingress priority (.{1,40})$/.exec(text)?.[1];
      if (priority !== undefined) this.flowtable.priority = priority;
      if (text.startsWith('flags ') && /\boffload\b/.test(text)) this.flowtable.hardware = true;
      const devices = /^devices = \{(.*)\}$/.exec(text)?.[1];
      if (devices !== undefined) this.flowtable.devices = listOf(devices);
    }
  }

  private readChain(statement: string, section: Section): void {
    const base =
      /^type \w{1,16} hook (\w{1,16}) (?:device \S{1,64} )?priority ([^;]{1,40});?(?: policy (\w{1,8});?)?/.exec(
        statement,
      );
    if (base) {
      const [, hook, priority, policy] = base;
      if (hook !== undefined) this.chain.hook = hook;
      if (priority !== undefined) this.chain.priority = priority.trim();
      if (policy !== undefined) this.chain.policy = policy;
      return;
    }
    if (/^(?:policy \w|comment "|flags )/.test(statement)) return;
    const { family, table, name, chain } = this;
    const about = { family, table, chain: name, ...chain };
    section.emit(ruleOf(statement.replace(/;$/, ''), stateBase(section), about, this.index++));
  }
}

interface ChainOfRule {
  family: string;
  table: string;
  chain: string;
  hook?: string;
  priority?: string;
  policy?: string;
}

function ruleOf(text: string, base: StatementBase, about: ChainOfRule, index: number): NftRuleFact {
  const rule: Mutable<NftRuleFact> = { kind: 'nft-rule', ...base, ...about, index, text };
  const bare = text.replace(/ comment "[^"]{0,200}"$/, '');
  const flowtable = /\bflow (?:add|offload) @(\S{1,128})/.exec(bare)?.[1];
  if (flowtable !== undefined) rule.flowtable = flowtable;
  const verdict = /(?:^| )(accept|drop|return|continue|reject|queue|masquerade|(?:jump|goto) (\S{1,128}))$/.exec(bare);
  if (verdict) {
    rule.verdict = (verdict[1] ?? '').replace(/ .*/, '');
    if (verdict[2] !== undefined) rule.target = verdict[2];
  }
  const mark = /\b(meta|ct) mark set (.{1,200}?)(?= (?:accept|drop|return|counter|jump|goto|ct|meta)\b|$)/.exec(bare);
  if (mark) rule.marks = { key: mark[1] === 'ct' ? 'ct' : 'meta', value: mark[2] ?? '' };
  return rule;
}

/** Statements outside of tables, in rule files and `fw4 print`. */
function isTopLevel(text: string): boolean {
  return /^(?:table (?:ip|ip6|inet|bridge|arp|netdev) \S{1,128}|(?:flush|delete|destroy) (?:table|flowtable|ruleset)\b.{0,200}|flush ruleset|#!\/usr\/sbin\/nft -f)$/.test(
    text,
  );
}

function withoutComment(line: string): string {
  const hash = line.indexOf('#');
  if (hash < 0 || line.startsWith('#!')) return line;
  // A `#` inside quotes belongs to a comment attribute of the rule.
  const quotes = line.slice(0, hash).split('"').length - 1;
  return quotes % 2 === 0 ? line.slice(0, hash).trim() : line;
}

function balance(text: string): number {
  let depth = 0;
  let quoted = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    else if (!quoted && c === '{') depth++;
    else if (!quoted && c === '}') depth--;
  }
  return depth;
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim().replace(/^"|"$/g, ''))
    .filter((item) => item !== '');
}
