/**
 * OpenWrt's settings: `uci show` (`firewall.@defaults[0].flow_offloading='1'`), `uci export` and the files of
 * `/etc/config` (`config TYPE ['NAME']`, `option NAME 'VALUE'`, `list NAME 'VALUE'`; libuci file.c).
 *
 * Only what bears on offload and forwarding becomes a fact; passwords, keys and names of networks never do.
 */

import type { SettingFact } from '../records/facts.js';
import { stateBase, type LineReader, type Section, type StatementBase } from './section.js';

/** Packages, and the options of their section types that are kept; `*` for all. */
const KEPT: Readonly<Record<string, Readonly<Record<string, readonly string[] | '*'>>>> = {
  firewall: { defaults: ['flow_offloading', 'flow_offloading_hw'] },
  network: {
    device: ['name', 'type', 'ports', 'ifname', 'vid', 'macaddr', 'vlan_filtering'],
    interface: ['device', 'ifname', 'type', 'proto', 'ip4table', 'ip6table'],
    'bridge-vlan': '*',
    rule: '*',
    rule6: '*',
    route: '*',
    route6: '*',
  },
};
const MAX_SECTIONS = 2_000;
const MAX_VALUES = 256;

export function uciReader(): LineReader {
  const file = new ConfigFile();
  /** Section types that `uci show` named before the options: `network.lan=interface`. */
  const types = new Map<string, string>();
  return {
    id: 'uci',
    line: (line, section) => readShown(line, section, types) || file.line(line, section),
    finish(section) {
      file.end(section);
      types.clear();
    },
  };
}

function readShown(line: string, section: Section, types: Map<string, string>): boolean {
  const parts = /^(\w{1,32})\.(@?[\w-]{1,64}(?:\[-?\d{1,5}\])?)(?:\.([\w-]{1,64}))?=(.{1,4000})$/.exec(line);
  if (!parts) return false;
  const [, name = '', id = '', option, value = ''] = parts;
  if (KEPT[name] === undefined && !isUci(section)) return false;
  if (option === undefined) {
    if (!/^[\w-]{1,64}$/.test(value)) return false;
    if (types.size < MAX_SECTIONS) types.set(`${name}.${id}`, value);
    return true;
  }
  const values = valuesOf(value);
  if (!values) return false;
  const type = types.get(`${name}.${id}`) ?? /^@([\w-]+)\[/.exec(id)?.[1] ?? '';
  emit({ package: name, type, section: id, option, values }, stateBase(section), section);
  return true;
}

/** `config` blocks. */
class ConfigFile {
  private package: string | undefined;
  private block: { type: string; id: string; base: StatementBase; options: Map<string, string[]> } | undefined;
  private readonly numbers = new Map<string, number>();

  line(line: string, section: Section): boolean {
    const named = /^package '?(\w{1,32})'?$/.exec(line);
    if (named) {
      this.end(section);
      this.package = named[1];
      return true;
    }
    const head = /^config (['"]?)([\w-]{1,64})\1(?: (['"]?)([\w-]{1,64})\3)?$/.exec(line);
    if (head) return this.open(head[2] ?? '', head[4], section);
    const option = /^(?:option|list)\s+(['"]?)([\w-]{1,64})\1\s+(.{1,4000})$/.exec(line);
    const values = option && this.block ? valuesOf(option[3] ?? '') : undefined;
    if (!option || !values || !this.block) return false;
    const name = option[2] ?? '';
    const known = this.block.options.get(name) ?? [];
    if (this.block.options.size < MAX_VALUES && known.length < MAX_VALUES) {
      this.block.options.set(name, line.startsWith('list') ? [...known, ...values] : values);
    }
    return true;
  }

  end(section: Section): void {
    this.close(section);
    this.package = undefined;
    this.numbers.clear();
  }

  private open(type: string, name: string | undefined, section: Section): boolean {
    this.close(section);
    this.package ??= packageOfCommand(section) ?? packageOfType(type);
    const number = this.numbers.get(type) ?? 0;
    if (this.numbers.size < MAX_SECTIONS) this.numbers.set(type, number + 1);
    this.block = { type, id: name ?? `@${type}[${number}]`, base: stateBase(section), options: new Map() };
    return true;
  }

  private close(section: Section): void {
    const { block } = this;
    this.block = undefined;
    if (!block) return;
    const name = this.package;
    if (name === undefined) return;
    for (const [option, values] of block.options) {
      emit({ package: name, type: block.type, section: block.id, option, values }, block.base, section);
    }
  }
}

type Setting = Pick<SettingFact, 'package' | 'type' | 'section' | 'option' | 'values'>;

function emit(setting: Setting, base: StatementBase, section: Section): void {
  const kept = KEPT[setting.package]?.[setting.type];
  if (kept === undefined || (kept !== '*' && !kept.includes(setting.option))) return;
  section.emit({ kind: 'setting', ...base, ...setting });
}

/** `'a' 'b'`, `"a"` or bare words; values with a quote inside are left out. */
function valuesOf(text: string): string[] | undefined {
  const values: string[] = [];
  let rest = text.trim();
  while (rest !== '' && values.length < MAX_VALUES) {
    const next = /^(?:'([^']*)'|"([^"]*)"|([^\s'"]+))(?:\s+|$)/.exec(rest);
    if (!next) return undefined;
    values.push(next[1] ?? next[2] ?? next[3] ?? '');
    rest = rest.slice(next[0].length);
  }
  return values.length > 0 ? values : undefined;
}

function isUci(section: Section): boolean {
  return section.command?.program === 'uci';
}

/** `cat /etc/config/network`, `uci export network`. */
function packageOfCommand(section: Section): string | undefined {
  const { command } = section;
  const file = command?.words
    .map((word) => /\/etc\/config\/(\w{1,32})$/.exec(word)?.[1])
    .find((word) => word !== undefined);
  return file ?? (isUci(section) && command?.words[1] === 'export' ? command.words[2] : undefined);
}

/** A file without its name, by the type of its first section. */
function packageOfType(type: string): string | undefined {
  if (['defaults', 'zone', 'forwarding', 'redirect'].includes(type)) return 'firewall';
  return ['interface', 'globals', 'device', 'bridge-vlan', 'switch', 'switch_vlan'].includes(type)
    ? 'network'
    : undefined;
}
